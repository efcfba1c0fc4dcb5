#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""make_seeds.py [ZOO-PROGRAMS]: writes the seeds of the fuzz targets to tests/fuzz/seeds, compressed.

From the shipped cores of fixtures/cores, from cores that no kernel would write (tests/support/corewriter.py), and,
when a folder with the built programs of fixtures/zoo is given, from real crashes of those, cut down to the pages that
decide: headers, notes, the tops of the stacks, the dynamic linker's list.

`make_seeds.py --klog` writes only those of the kernel logs.
Also `make_seeds.py --trim CORE OUTPUT [ELF]`: one more seed for fuzz_core out of any core.
Files named found-* are what the fuzzers found: they are never touched.
"""
import glob
import os
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "tests", "support"))
import corewriter  # noqa: E402
from corewriter import Core  # noqa: E402

MAX_SEED = 32 * 1024
STACKS_ONLY, EXECUTABLE, UNVERIFIED, STRICT, REPORT, ENGINE_DWFL = 1, 2, 4, 8, 16, 32
KEPT_NOTES = {1, 3, 6, corewriter.NT_SIGINFO, corewriter.NT_FILE}
SEARCHED_ZOO = ["null-read-field", "four-threads", "handler-crashes", "plugin-host", "recursion", "assert-fails",
                "static-null", "call-null", "smashed-stack"]


def unpack(path):
    if not path.endswith(".zst"):
        with open(path, "rb") as f:
            return f.read()
    return subprocess.run(["zstd", "-qdc", path], check=True, stdout=subprocess.PIPE).stdout


class Trimmed:
    """A core cut down: what is kept of its memory is a list of small pieces."""

    def __init__(self, data):
        self.data = data
        self.cls = 64 if data[4] == 2 else 32
        self.order = "<" if data[5] == 1 else ">"
        self.machine, = self.get("H", 18)
        phoff, = self.get("Q" if self.cls == 64 else "I", 32 if self.cls == 64 else 28)
        phnum, = self.get("H", 56 if self.cls == 64 else 44)
        self.segments = [self.phdr(phoff, i) for i in range(phnum)]
        self.pieces = {}

    def get(self, fmt, at):
        return struct.unpack_from(self.order + fmt, self.data, at)

    def phdr(self, phoff, i):
        """(type, flags, offset, vaddr, filesz, memsz)"""
        if self.cls == 64:
            t, f, o, v, _, fs, ms, _ = self.get("IIQQQQQQ", phoff + 56 * i)
        else:
            t, o, v, _, fs, ms, f, _ = self.get("IIIIIIII", phoff + 32 * i)
        return t, f, o, v, fs, ms

    def memory(self, addr, size):
        for kind, _, off, vaddr, filesz, _ in self.segments:
            if kind == 1 and vaddr <= addr < vaddr + filesz:
                size = min(size, vaddr + filesz - addr)
                return self.data[off + addr - vaddr:off + addr - vaddr + size]
        return b""

    def keep(self, addr, size):
        """Pieces of 256 bytes, so that neighbours join."""
        for at in range(addr & ~255, addr + size, 256):
            self.pieces[at] = 256

    def word(self, addr):
        raw = self.memory(addr, self.cls // 8)
        return struct.unpack(self.order + ("Q" if self.cls == 64 else "I"), raw)[0] if len(raw) == self.cls // 8 else 0

    def notes(self):
        for kind, _, off, _, filesz, _ in self.segments:
            if kind != 4:
                continue
            at, end = off, min(off + filesz, len(self.data))
            while at + 12 <= end:
                namesz, descsz, kind = self.get("III", at)
                desc = at + 12 + (namesz + 3 & ~3)
                yield kind, self.data[at:desc + (descsz + 3 & ~3)], self.data[desc:desc + descsz]
                at = desc + (descsz + 3 & ~3)

    def keep_what_decides(self, stack_bytes):
        word = self.cls // 8
        layout = corewriter.LAYOUTS.get((self.machine, self.cls))
        auxv = {}
        for kind, _, desc in self.notes():
            if kind == 6:
                fmt = self.order + ("QQ" if self.cls == 64 else "II")
                auxv = dict(struct.iter_unpack(fmt, desc[:len(desc) // (2 * word) * 2 * word]))
            if kind == 1 and layout:
                _, reg_off, width, _, names = layout
                for name in ("rsp", "esp", "sp", "rip", "eip", "pc"):
                    if name in names:
                        value = int.from_bytes(desc[reg_off + names.index(name) * width:][:width],
                                               "little" if self.order == "<" else "big")
                        self.keep(value - 256 if name.endswith("p") else value, stack_bytes if "sp" in name else 256)
        for kind, _, _, vaddr, _, _ in self.segments:
            if kind == 1 and self.memory(vaddr, 4) == b"\x7fELF":
                self.keep(vaddr, 1024)
        self.keep_linker(auxv)

    def keep_linker(self, auxv):
        """AT_PHDR to DT_DEBUG to struct r_debug to the chain of struct link_map."""
        word = self.cls // 8
        phdr, count = auxv.get(corewriter.AT_PHDR, 0), auxv.get(corewriter.AT_PHNUM, 0)
        loads, dynamic = [], 0
        for i in range(min(count, 16)):
            raw = self.memory(phdr + i * (56 if word == 8 else 32), 56 if word == 8 else 32)
            if len(raw) < 32:
                return
            kind, = struct.unpack_from(self.order + "I", raw)
            vaddr, = struct.unpack_from(self.order + ("Q" if word == 8 else "I"), raw, 16 if word == 8 else 8)
            if kind == 6:
                loads.append(phdr - vaddr)
            if kind == 2:
                dynamic = vaddr
        at = (loads[0] if loads else 0) + dynamic
        self.keep(at, 512)
        for i in range(64):
            if self.word(at + 2 * word * i) == 21:  # DT_DEBUG
                debug = self.word(at + 2 * word * i + word)
                self.keep(debug, 64)
                link, seen = self.word(debug + word), set()
                while link and link not in seen and len(seen) < 16:
                    seen.add(link)
                    self.keep(link, 64)
                    self.keep(self.word(link + word), 128)
                    self.keep(self.word(link + 2 * word), 512)
                    link = self.word(link + 3 * word)

    def build(self):
        core = Core(self.cls, "little" if self.order == "<" else "big", self.machine, page=16)
        threads = 0
        for kind, raw, _ in self.notes():
            threads += kind == 1
            if kind in KEPT_NOTES and (kind != 1 or threads <= 8):
                core.raw_notes(raw)
        for kind, flags, _, vaddr, _, memsz in self.segments:
            if kind != 1:
                continue
            inside = sorted(a for a in self.pieces if vaddr <= a < vaddr + memsz)
            at = vaddr
            for i, addr in enumerate(inside):  # the segment in parts, so that no address is lost
                data = self.memory(addr, 256)
                if addr > at:
                    core.load(at, b"", memsz=addr - at, flags=flags)
                following = inside[i + 1] if i + 1 < len(inside) else vaddr + memsz
                if following == addr + 256 or not data:
                    core.load(addr, data, memsz=256, flags=flags)
                    at = addr + 256
                else:
                    core.load(addr, data, memsz=following - addr, flags=flags)
                    at = following
            if at < vaddr + memsz:
                core.load(at, b"", memsz=vaddr + memsz - at, flags=flags)
        return join_loads(core).bytes()


def join_loads(core):
    """Neighbours whose bytes follow each other become one program header."""
    joined = []
    for s in core._segments:
        last = joined[-1] if joined else None
        if last and s["data"] and last["flags"] == s["flags"] and last["vaddr"] + len(last["data"]) == s["vaddr"] \
                and last["memsz"] == len(last["data"]) > 0:
            last["data"] += s["data"]
            last["filesz"] += s["filesz"]
            last["memsz"] += s["memsz"]
        else:
            joined.append(s)
    core._segments = joined
    return core


def trim(data):
    for stack_bytes in (4096, 2048, 1024, 512):
        trimmed = Trimmed(data)
        trimmed.keep_what_decides(stack_bytes)
        raw = trimmed.build()
        if len(raw) <= MAX_SEED:
            return raw
    return raw


def core_input(core, elf=b"", flags=0):
    return struct.pack("<II", len(elf), flags) + core + elf


def write(target, name, raw):
    folder = os.path.join(HERE, "seeds", target)
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name + ".zst")
    packed = subprocess.run(["zstd", "-q", "-19", "-c"], input=raw, check=True, stdout=subprocess.PIPE).stdout
    with open(path, "wb") as out:
        out.write(packed)


def crafted():
    """Cores that no kernel would write: (name, bytes)."""
    for (machine, cls), _ in corewriter.LAYOUTS.items():
        order = "big" if machine in (4, 20, 21, 22, 43) else "little"
        core = corewriter.demo(cls, order, machine)
        core.page = 16
        yield f"demo-{machine}-{cls}", core.bytes()
    yield "unknown-machine", corewriter.demo(machine=0xFFFF).bytes()[:2048]

    def demo():
        core = corewriter.demo()
        core.page = 16
        return core
    for name, core in {
            "xnum": demo().xnum(sh_info=3), "xnum-lies": demo().xnum(sh_info=10 ** 7),
            "overlap": demo().load(0x555555554000, b"B" * 64).load(0x555555554010, b"C" * 32, memsz=0x4000),
            "wrap": demo().load(-4096, b"D" * 64, memsz=8192), "no-notes": demo().no_notes(),
            "two-notes": demo().new_note_segment().thread(7, 6), "file-lies": demo().file([], count=1 << 61),
            "file-cut": demo().file([(4096, 8192, 0, "/a"), (8192, 12288, 0, "/b")], terminate=False, names=["/a"]),
            "file-unsorted": demo().file([(1 << 40, 1 << 41, 0, "/b"), (4096, 1 << 40, 1 << 33, "/a (deleted)")]),
            "short-prstatus": demo().thread(9, size=40), "long-note": demo().note("CORE", 1, b"x", descsz=-1),
            "sent": Core(page=16).thread(5, 6).siginfo(6, -6, pid=9, uid=0).prpsinfo(5, b"\x1b[31m\xff", b"a --password=b"),
            "escapes": demo().file([(4096, 8192, 0, "/\x1b]0;x\x07\n/\u202e.so")]),
    }.items():
        yield name, core.bytes()


def names_elf():
    """A small library with the symbols that detectors look for, unwind tables and all."""
    source = r"""
        char *__abort_msg; const char *const volatile keep = "x";
        __attribute__((noinline, visibility("default"))) int leaf(int x) { return x + (int)(long)keep; }
        __attribute__((noinline)) static int middle(int x) { char room[64]; room[x] = 1; return leaf(room[1]) + 1; }
        __attribute__((visibility("default"))) int raise(int x) { return middle(x) + middle(leaf(x)); }
    """
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "names.so")
        subprocess.run(["gcc", "-xc", "-", "-O1", "-nostdlib", "-shared", "-fPIC", "-Wl,--build-id,-soname,libc.so.6",
                        "-Wl,-z,max-page-size=16", "-Wl,-z,noseparate-code", "-fno-ident", "-o", out],
                       input=source.encode(), check=True)
        with open(out, "rb") as f:
            return f.read()


BUILDS = {  # of seed_program.cc: compiler options, and what is done to the program afterwards
    "dwarf5": (["-g"], []), "dwarf4": (["-gdwarf-4", "-gstrict-dwarf"], []), "packed": (["-g", "-gz=zlib"], []),
    "chain": (["-g1", "-fno-omit-frame-pointer", "-fno-asynchronous-unwind-tables"], []),
    "debug-frame": (["-g", "-fno-asynchronous-unwind-tables", "-fno-exceptions"], []),
    "mini": ([], ["mini"]), "stripped": ([], ["strip"]),
}


def give_mini_debuginfo(program):
    """.gnu_debugdata: .symtab in an ELF file, packed with xz."""
    mini = program + ".mini"
    subprocess.run(["objcopy", "--remove-section", ".comment", "--only-keep-debug", program, mini], check=True)
    subprocess.run(["xz", "-f", "--check=crc32", mini], check=True)
    subprocess.run(["strip", program], check=True)
    subprocess.run(["objcopy", "--add-section", f".gnu_debugdata={mini}.xz", program], check=True)


def crash(program, folder):
    """The cores that it leaves."""
    subprocess.run(["sh", "-c", 'ulimit -c unlimited; cd "$1"; exec "$2"', "sh", folder, program], env={},
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    for core in glob.glob(os.path.join(folder, "core*")):
        with open(core, "rb") as f:
            yield f.read()


def built_cores():
    """(name, core, program) of seed_program.cc, in several ways."""
    for name, (options, then) in BUILDS.items():
        with tempfile.TemporaryDirectory() as folder:
            program = os.path.join(folder, "shop")
            subprocess.run(["g++", "-O1", "-nostdlib", "-static-pie", "-fPIE", "-fno-stack-protector", "-fno-ident",
                            "-fcf-protection=none", "-Wl,--build-id,--eh-frame-hdr", "-Wl,-z,max-page-size=4096",
                            *options, "-o", program, os.path.join(HERE, "seed_program.cc")], check=True)
            if "mini" in then:
                give_mini_debuginfo(program)
            if "strip" in then:
                subprocess.run(["strip", program], check=True)
            for core in crash(program, folder):
                with open(program, "rb") as f:
                    yield name, core, f.read()


def zoo_cores(programs):
    import zoo
    cases = {case["id"]: case for case in zoo.load_cases()}
    for name in SEARCHED_ZOO:
        if name not in cases or not os.path.exists(os.path.join(programs, name)):
            continue
        with tempfile.TemporaryDirectory() as folder:
            for core in crash(os.path.join(os.path.abspath(programs), name), folder):
                yield name, core


def write_core_seeds(programs):
    elf = names_elf()
    plain = []
    for path in sorted(glob.glob(os.path.join(TOP, "fixtures", "cores", "*.core.zst"))):
        name = os.path.basename(path).split(".")[0]
        core = trim(unpack(path))
        with open(os.path.join(TOP, "fixtures", "cores", "root", "tmp", "inquest-fixtures", name), "rb") as f:
            program = f.read()
        write("core", f"tiny-{name}", core_input(core, program))
        write("core", f"tiny-{name}-unverified", core_input(core, program, UNVERIFIED | EXECUTABLE | REPORT))
        plain.append((f"tiny-{name}", core))
    for name, core, program in built_cores():
        write("core", f"built-{name}", core_input(trim(core), program, REPORT if name == "dwarf5" else 0))
        if name in ("debug-frame", "dwarf5"):
            write("core", f"built-{name}-dwfl", core_input(trim(core), program, ENGINE_DWFL))
    for name, raw in crafted():
        write("core", name, core_input(raw, elf, REPORT | (STRICT if name == "sent" else 0)))
        plain.append((name, raw))
    for name, raw in zoo_cores(programs) if programs else []:
        core = trim(raw)
        write("core", f"zoo-{name}", core_input(core, elf))
        write("core", f"zoo-{name}-report", core_input(core, elf, REPORT))
        plain.append((f"zoo-{name}", core))
    return plain


def write_other_seeds(plain):
    for i, (name, raw) in enumerate(plain):
        if name.startswith(("tiny-null", "zoo-null", "demo-62-64", "xnum", "sent", "zoo-four")):
            write("stream", f"pipe-{name}", bytes([0, 0]) + raw)
            write("stream", f"packed-{name}", bytes([2 + i % 3, 0]) + raw)
            write("stream", f"cut-{name}", bytes([8 + 2 + i % 3, 128 + 16 * (i % 8)]) + raw)
            packed = subprocess.run(["zstd", "-q", "-c"], input=raw, check=True, stdout=subprocess.PIPE).stdout
            write("stream", f"file-{name}", bytes([1, 0]) + packed)
    write("stream", "skippable", bytes([1, 0]) + struct.pack("<II", 0x184D2A50, 4) + b"junk" + packed + b"more junk")
    write("stream", "window", bytes([1, 0]) + b"\x28\xb5\x2f\xfd\x00\xa8" + bytes(16))
    for path in sorted(glob.glob(os.path.join(TOP, "signatures", "*.yaml"))):
        with open(path, "rb") as f:
            write("rules", os.path.basename(path)[:-5], f.read())
    with open(os.path.join(TOP, "tests", "fuzz", "language.yaml"), "rb") as f:
        write("rules", "language", f.read())
    for path in sorted(glob.glob(os.path.join(TOP, "tests", "golden", "*.json"))) \
            + sorted(glob.glob(os.path.join(TOP, "tests", "rules", "*", "match*.json")))[::3]:
        with open(path, "rb") as f:
            raw = f.read()
        if len(raw) <= MAX_SEED:
            name = os.path.basename(os.path.dirname(path)) + "-" + os.path.basename(path)[:-5]
            write("evidence", name, raw)
    frame = b'{"format": "inquest-report", "version": 1, "process": {"comm": "x"}}'
    write("evidence", "frame", b"INQEVID1" + struct.pack("<IQ", 1, len(frame)) + frame)
    problem = b'{"code": 30, "message": "not an ELF core", "file": "a", "offset": 3}'
    write("evidence", "frame-error", b"INQEVID1" + struct.pack("<IQ", 2, len(problem)) + problem)


def write_klog_seeds():
    """The lines of other machines, a few reports at a time."""
    with open(os.path.join(TOP, "tests", "klog", "public.txt"), encoding="utf-8") as f:
        reports = f.read().split("\n== ")[1:]
    logs = ["\n".join(line for line in report.split("\n")[1:] if not line.startswith(("-> ", "# ")))
            for report in reports]
    for i in range(0, len(logs), 8):
        write("klog", f"public-{i // 8:02}", "\n".join(logs[i:i + 8]).encode())
    with open(os.path.join(TOP, "tests", "klog", "quiet.txt"), "rb") as f:
        write("klog", "quiet", f.read())


def main():
    if sys.argv[1:] == ["--klog"]:
        write_klog_seeds()
        return
    if sys.argv[1:2] == ["--trim"]:
        core, out = unpack(sys.argv[2]), sys.argv[3]
        elf = unpack(sys.argv[4]) if len(sys.argv) > 4 else b""
        with open(out, "wb") as f:
            f.write(core_input(trim(core), elf))
        return
    write_other_seeds(write_core_seeds(sys.argv[1] if len(sys.argv) > 1 else None))
    write_klog_seeds()


if __name__ == "__main__":
    main()
