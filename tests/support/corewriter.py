# SPDX-License-Identifier: Apache-2.0
"""Writes ELF cores, above all those that no kernel would write.

A good core in one expression:

    Core().thread(1, rip=0x401000, rsp=0x7ffe00001000).siginfo(11, 1, addr=0) \\
          .prpsinfo(pid=1, comm="demo").load(0x7ffe00000000, b"...", memsz=0x2000).write(path)

Every method returns the core, so that calls can be chained. What is left out is made up sensibly:
offsets, sizes and counts are computed the way the kernel lays a core out (header, program headers,
notes, page-aligned memory). Every one of them can be made to lie:

    Core().header(e_phentsize=1)                       any field of the ELF header
    .note("CORE", 1, desc, descsz=0xffffffff)          a note that lies about its sizes
    .load(addr, data, memsz=4, filesz=1 << 40)         a segment that lies about its own
    .file(lines, count=1 << 61, page_size=0)           an NT_FILE note that does
    .phdr(PT_LOAD, offset=7, vaddr=-1, filesz=1, memsz=1)  a program header word by word
    .notes_filesz(1 << 32)                             the PT_NOTE's p_filesz
    .xnum(sh_info=10 ** 7)                             PN_XNUM, with a section 0 that lies
    .write(path, cut=1000)                             only the first 1000 bytes

Numbers are taken modulo the width of their field, so that -1 is all ones. Holes (filesz larger than
the data) become holes of the file: a core of 1 TiB takes no room.
"""
import struct

ET_CORE = 4
PT_NULL, PT_LOAD, PT_NOTE = 0, 1, 4
PF_X, PF_W, PF_R = 1, 2, 4
PN_XNUM = 0xFFFF
NT_PRSTATUS, NT_FPREGSET, NT_PRPSINFO, NT_AUXV = 1, 2, 3, 6
NT_SIGINFO, NT_FILE, NT_X86_XSTATE = 0x53494749, 0x46494C45, 0x202
AT_PHDR, AT_PHENT, AT_PHNUM, AT_PAGESZ, AT_BASE, AT_ENTRY = 3, 4, 5, 6, 7, 9
AT_RANDOM, AT_EXECFN, AT_SYSINFO_EHDR = 25, 31, 33

EM_386, EM_68K, EM_PPC, EM_PPC64, EM_S390, EM_ARM = 3, 4, 20, 21, 22, 40
EM_SPARCV9, EM_X86_64, EM_AARCH64, EM_RISCV = 43, 62, 183, 243


def _series(prefix, count):
    return [f"{prefix}{i}" for i in range(count)]


_X86_64 = ("r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss "
           "fs_base gs_base ds es fs gs").split()
_PPC = _series("r", 32) + "nip msr orig_r3 ctr lr xer cr softe trap dar dsisr result".split()
_SPARC = (_series("g", 8) + "o0 o1 o2 o3 o4 o5 sp o7".split() + _series("l", 8)
          + "i0 i1 i2 i3 i4 i5 fp i7 tstate pc npc y".split())

# (machine, class): pr_pid, pr_reg, bytes a register, number of slots, names in order
LAYOUTS = {
    (EM_X86_64, 64): (32, 112, 8, 27, _X86_64),
    (EM_X86_64, 32): (24, 72, 8, 27, _X86_64),
    (EM_386, 32): (24, 72, 4, 17, "ebx ecx edx esi edi ebp eax ds es fs gs orig_eax eip cs eflags "
                                  "esp ss".split()),
    (EM_AARCH64, 64): (32, 112, 8, 34, _series("x", 31) + ["sp", "pc", "pstate"]),
    (EM_ARM, 32): (24, 72, 4, 18, _series("r", 13) + ["sp", "lr", "pc", "cpsr", "orig_r0"]),
    (EM_RISCV, 64): (32, 112, 8, 32, "pc ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 "
                                     "s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6".split()),
    (EM_PPC, 32): (24, 72, 4, 48, _PPC),
    (EM_PPC64, 64): (32, 112, 8, 48, _PPC),
    (EM_S390, 32): (24, 72, 4, 36, ["pswm", "pswa"] + _series("r", 16)),
    (EM_S390, 64): (32, 112, 8, 27, ["pswm", "pswa"] + _series("r", 16)),
    (EM_SPARCV9, 64): (32, 112, 8, 36, _SPARC),
    (EM_68K, 32): (22, 70, 4, 20, "d1 d2 d3 d4 d5 d6 d7 a0 a1 a2 a3 a4 a5 fp d0 sp orig_d0 sr pc "
                                  "format_vector".split()),
}


class Core:
    """One core; see the module's text."""

    def __init__(self, cls=64, data="little", machine=EM_X86_64, page=4096):
        """cls 32 or 64, data "little" or "big", machine the e_machine, page the alignment."""
        self.cls, self.data, self.machine, self.page = cls, data, machine, page
        self._order = "<" if data == "little" else ">"
        self._header = {}
        self._note_segments = [[]]    # each a list of bytes
        self._note_phdr = {}          # overrides for the first PT_NOTE
        self._segments = []
        self._phdrs = []
        self._xnum = None

    # ---- numbers

    def pack(self, fmt, *values):
        """struct.pack in the core's byte order; values are cut to their field's width."""
        widths = {"B": 1, "H": 2, "I": 4, "Q": 8}
        cut = [v & ((1 << 8 * widths[c]) - 1) for c, v in zip(fmt, values)]
        return struct.pack(self._order + fmt, *cut)

    @property
    def word(self):
        """The struct letter of a word: "Q" or "I"."""
        return "Q" if self.cls == 64 else "I"

    @property
    def _layout(self):
        default = (32, 112, 8, 0, []) if self.cls == 64 else (24, 72, 4, 0, [])
        return LAYOUTS.get((self.machine, self.cls), default)

    # ---- header and program headers

    def header(self, **fields):
        """Sets fields of the ELF header: e_type, e_phoff, e_phnum, …; ident= gives all 16 bytes."""
        self._header.update(fields)
        return self

    def load(self, addr, data=b"", memsz=None, flags=PF_R | PF_W, filesz=None, offset=None):
        """A PT_LOAD. filesz beyond len(data) is a hole; memsz defaults to filesz.

        flags is a number or letters ("rx"). With offset= the header points there and the data, if
        any, is not placed: for segments that share bytes or lie beyond the end.
        """
        if isinstance(flags, str):
            flags = sum({"r": PF_R, "w": PF_W, "x": PF_X}[c] for c in flags if c != "-")
        filesz = len(data) if filesz is None else filesz
        memsz = filesz if memsz is None else memsz
        self._segments.append(dict(vaddr=addr, data=data, memsz=memsz, flags=flags, filesz=filesz,
                                   offset=offset))
        return self

    def phdr(self, type, offset=0, vaddr=0, filesz=0, memsz=0, flags=0, align=0):
        """A program header as it is, behind all others; nothing is placed for it."""
        self._phdrs.append((type, flags, offset, vaddr, filesz, memsz, align))
        return self

    def xnum(self, sh_info=None, section=True):
        """Writes e_phnum as PN_XNUM. sh_info is the count in section 0; section=False leaves it out."""
        self._xnum = (sh_info, section)
        return self

    # ---- notes

    def note(self, name, type, desc=b"", namesz=None, descsz=None, repeat=1):
        """A note; namesz and descsz may lie (the bytes written are those of name and desc)."""
        name = name.encode() + b"\0" if isinstance(name, str) else name
        raw = self.pack("III", len(name) if namesz is None else namesz,
                        len(desc) if descsz is None else descsz, type)
        raw += name + bytes(-len(name) % 4) + desc + bytes(-len(desc) % 4)
        return self.raw_notes(raw * repeat)

    def raw_notes(self, raw):
        """Bytes into the note segment as they are."""
        self._note_segments[-1].append(raw)
        return self

    def new_note_segment(self):
        """The notes from here on go to another PT_NOTE."""
        self._note_segments.append([])
        return self

    def no_notes(self):
        """No PT_NOTE at all."""
        self._note_segments = []
        return self

    def notes_filesz(self, filesz):
        """What the first PT_NOTE's p_filesz says."""
        self._note_phdr["filesz"] = filesz
        return self

    def notes_offset(self, offset):
        """What the first PT_NOTE's p_offset says."""
        self._note_phdr["offset"] = offset
        return self

    def prstatus(self, tid, cursig=0, regs=None, **more):
        """The descriptor of an NT_PRSTATUS; registers by name."""
        pid_off, reg_off, width, slots, names = self._layout
        regs = dict(regs or {}, **more)
        desc = bytearray(reg_off + slots * width + (8 if self.cls == 64 else 4))
        desc[0:4] = self.pack("I", cursig)
        desc[12:14] = self.pack("H", cursig)
        desc[pid_off:pid_off + 4] = self.pack("I", tid)
        for name, value in regs.items():
            at = reg_off + names.index(name) * width
            desc[at:at + width] = self.pack("Q" if width == 8 else "I", value)
        return bytes(desc)

    def thread(self, tid, cursig=11, regs=None, size=None, **more):
        """An NT_PRSTATUS. size= cuts the descriptor: thread(1, size=40) has no registers."""
        desc = self.prstatus(tid, cursig, regs, **more)
        return self.note("CORE", NT_PRSTATUS, desc if size is None else desc[:size])

    def threads(self, count, first_tid=1, **regs):
        """Many NT_PRSTATUS, fast: tids first_tid, first_tid + 1, …"""
        pid_off = self._layout[0]
        one = self.pack("III", 5, len(self.prstatus(0)), NT_PRSTATUS) + b"CORE\0\0\0\0"
        at = len(one) + pid_off
        one += self.prstatus(0, 11, regs)
        one += bytes(-len(one) % 4)
        many = bytearray(one * count)
        for i in range(count):
            struct.pack_into(self._order + "I", many, i * len(one) + at, first_tid + i)
        return self.raw_notes(bytes(many))

    def siginfo(self, signo, code=0, errno=0, addr=None, pid=None, uid=0, union=b"", size=128):
        """NT_SIGINFO; addr= for a fault, pid= and uid= for a signal that was sent."""
        if addr is not None:
            union = self.pack(self.word, addr)
        elif pid is not None:
            union = self.pack("II", pid, uid)
        raw = self.pack("III", signo, errno, code) + bytes(4 if self.cls == 64 else 0) + union
        return self.note("CORE", NT_SIGINFO, raw.ljust(size, b"\0")[:size])

    def prpsinfo(self, pid=1, comm="demo", args=None, uid=0, gid=0, ppid=0, pgrp=0, sid=0,
                 short_ids=None):
        """NT_PRPSINFO. comm and args may be bytes, with or without NULs; short_ids: 16-bit uids."""
        comm = comm.encode() if isinstance(comm, str) else comm
        args = comm if args is None else args.encode() if isinstance(args, str) else args
        if short_ids is None:
            short_ids = self.cls == 32 and self.machine != EM_PPC
        raw = b"\0R\0\0" + (bytes(4) if self.cls == 64 else b"") + self.pack(self.word, 0)
        raw += self.pack("HH" if short_ids else "II", uid, gid)
        raw += self.pack("IIII", pid, ppid, pgrp, sid)
        return self.note("CORE", NT_PRPSINFO, raw + comm.ljust(16, b"\0")[:16]
                         + args.ljust(80, b"\0")[:80])

    def auxv(self, entries, end=True):
        """NT_AUXV from a dict or a list of pairs; end=False leaves AT_NULL out."""
        pairs = list(entries.items() if isinstance(entries, dict) else entries)
        pairs += [(0, 0)] if end else []
        return self.note("CORE", NT_AUXV, b"".join(self.pack(self.word * 2, *p) for p in pairs))

    def file(self, lines, count=None, page_size=4096, terminate=True, names=None):
        """NT_FILE from (start, end, file offset in bytes, path). count, page_size and names may lie.

        terminate=False leaves the last NUL out.
        """
        divide = page_size if page_size and page_size <= 1 << 30 else 4096
        raw = self.pack(self.word * 2, len(lines) if count is None else count, page_size)
        for start, end, offset, _ in lines:
            raw += self.pack(self.word * 3, start, end, offset // divide)
        if names is None:
            names = [line[3] for line in lines]
        paths = b"\0".join(n.encode() if isinstance(n, str) else n for n in names)
        return self.note("CORE", NT_FILE, raw + paths + (b"\0" if terminate and names else b""))

    # ---- putting it together

    def _phdr_bytes(self, type, flags, offset, vaddr, filesz, memsz, align):
        if self.cls == 64:
            return self.pack("IIQQQQQQ", type, flags, offset, vaddr, 0, filesz, memsz, align)
        return self.pack("IIIIIIII", type, offset, vaddr, 0, filesz, memsz, flags, align)

    def _header_bytes(self, phnum, shoff):
        size, entry, section = (64, 56, 64) if self.cls == 64 else (52, 32, 40)
        fields = dict(e_type=ET_CORE, e_machine=self.machine, e_version=1, e_entry=0, e_phoff=size,
                      e_shoff=shoff, e_flags=0, e_ehsize=size, e_phentsize=entry, e_phnum=phnum,
                      e_shentsize=section if shoff else 0, e_shnum=1 if shoff else 0, e_shstrndx=0)
        ident = b"\x7fELF" + bytes([2 if self.cls == 64 else 1, 1 if self.data == "little" else 2, 1])
        fields.update({k: v for k, v in self._header.items() if k != "ident"})
        raw = self._header.get("ident", ident.ljust(16, b"\0"))
        w = self.word
        return raw + self.pack("HHI" + w * 3 + "IHHHHHH", *fields.values())

    def _layout_file(self):
        """[(offset, bytes)] in order, and the size of the file."""
        head, entry = (64, 56) if self.cls == 64 else (52, 32)
        notes = [b"".join(parts) for parts in self._note_segments]
        n = len(notes) + len(self._segments) + len(self._phdrs)
        at = head + n * entry
        table, pieces = [], []
        for i, raw in enumerate(notes):
            over = self._note_phdr if i == 0 else {}
            table.append(self._phdr_bytes(PT_NOTE, 0, over.get("offset", at), 0,
                                          over.get("filesz", len(raw)), 0, 4))
            pieces.append((at, raw))
            at += len(raw)
        end = at
        at += -at % self.page
        for s in self._segments:
            offset = at if s["offset"] is None else s["offset"]
            table.append(self._phdr_bytes(PT_LOAD, s["flags"], offset, s["vaddr"], s["filesz"],
                                          s["memsz"], self.page))
            if s["offset"] is None:
                pieces.append((at, s["data"]))
                room = max(len(s["data"]), s["filesz"])
                end = max(end, at + room)
                at += room + -room % self.page
        table += [self._phdr_bytes(*p) for p in self._phdrs]
        xnum, shoff = self._xnum or ((None, True) if n >= PN_XNUM else None), 0
        if xnum and xnum[1]:
            shoff = end
            info = n if xnum[0] is None else xnum[0]
            section = (self.pack("IIQQQQIIQQ", 0, 0, 0, 0, 0, 1, 0, info, 0, 0) if self.cls == 64
                       else self.pack("IIIIIIIIII", 0, 0, 0, 0, 0, 1, 0, info, 0, 0))
            pieces.append((shoff, section))
            end = shoff + len(section)
        first = self._header_bytes(PN_XNUM if xnum else n, shoff) + b"".join(table)
        return [(0, first)] + pieces, end

    def size(self):
        """Size of the whole file in bytes."""
        return self._layout_file()[1]

    def bytes(self):
        """The file in memory: only for small ones."""
        pieces, end = self._layout_file()
        raw = bytearray(end)
        for offset, data in pieces:
            raw[offset:offset + len(data)] = data
        return bytes(raw)

    def write(self, path, cut=None, patch=()):
        """Writes the file, sparse. cut= keeps that many bytes; patch= is [(offset, bytes)] on top."""
        pieces, end = self._layout_file()
        with open(path, "wb") as out:
            for offset, data in list(pieces) + list(patch):
                out.seek(offset)
                out.write(data)
            out.truncate(end if cut is None else cut)
        return path


def demo(cls=64, data="little", machine=EM_X86_64):
    """A small core with all notes: two threads, a stack, a mapped file. To be changed by tests."""
    top = 0x7FFFFFFF0000 if cls == 64 else 0xBFFF0000
    text = 0x555555554000 if cls == 64 else 0x08048000
    core = Core(cls, data, machine)
    names = core._layout[4]
    pc = next((n for n in ("rip", "eip", "pc", "nip", "pswa") if n in names), None)
    sp = next((n for n in ("rsp", "esp", "sp", "r15", "r1") if n in names), None)
    regs = {pc: text + 0x1000, sp: top - 0x1000} if pc and sp else {}
    core.thread(100, 11, regs).prpsinfo(100, "demo", "demo --now", uid=1000, gid=1000)
    core.siginfo(11, 1, addr=0x10).auxv({AT_PAGESZ: 4096, AT_ENTRY: text + 0x1000})
    core.file([(text, text + 0x1000, 0, "/opt/demo/demo"),
               (text + 0x1000, text + 0x3000, 0x1000, "/opt/demo/demo")])
    core.thread(101, 0, regs)
    core.load(text, b"\x7fELF" + bytes(4092), flags="r").load(text + 0x1000, memsz=0x2000, flags="rx")
    core.load(top - 0x2000, bytes(0x2000), flags="rw")
    return core
