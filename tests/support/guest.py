# SPDX-License-Identifier: Apache-2.0
"""Real cores of other CPUs: programs of fixtures/zoo, cross-compiled and run by qemu-user.

qemu-user writes the core of its guest: registers, memory, auxiliary vector. What the kernel of such a machine would
write besides (NT_SIGINFO, NT_FILE) stands in qemu's log of system calls and signals, and complete() adds it. So
fault, frames and modules are a real program's; only these two notes are put together here.
"""
import glob
import os
import re
import shutil
import struct
import subprocess
import tempfile

import zoo

NT_AUXV, NT_SIGINFO, NT_FILE = 6, 0x53494749, 0x46494C45
AT_PHDR, AT_PHENT, AT_PHNUM, AT_BASE = 3, 4, 5, 7
PT_LOAD, PT_NOTE = 1, 4
PAGE = 4096

# qemu's name, Debian's name of the tool chain
CPUS = {
    "aarch64": "aarch64-linux-gnu",
    "arm": "arm-linux-gnueabihf",
    "ppc64le": "powerpc64le-linux-gnu",
    "s390x": "s390x-linux-gnu",
    "i386": "i686-linux-gnu",
    "riscv64": "riscv64-linux-gnu",  # until qemu 8 it wrote no core of such a guest
}


class Missing(Exception):
    """Such a guest cannot be had here; the text says why."""


class Elf:
    """The parts of an ELF file that are needed here."""

    def __init__(self, data):
        self.data = data
        self.wide = data[4] == 2
        self.order = "<" if data[5] == 1 else ">"
        self.word = self.order + ("Q" if self.wide else "I")
        at = 32 if self.wide else 28
        self.phoff = struct.unpack_from(self.word, data, at)[0]
        self.phentsize, self.phnum = struct.unpack_from(self.order + "HH", data, 54 if self.wide else 42)

    def phdrs(self):
        """(place in the file, type, flags, offset, vaddr, filesz, memsz)"""
        for i in range(self.phnum):
            at = self.phoff + i * self.phentsize
            if self.wide:
                kind, flags, offset, vaddr, _, filesz, memsz, _ = struct.unpack_from(self.order + "IIQQQQQQ", self.data, at)
            else:
                kind, offset, vaddr, _, filesz, memsz, flags, _ = struct.unpack_from(self.order + "IIIIIIII", self.data, at)
            yield at, kind, flags, offset, vaddr, filesz, memsz

    def notes(self):
        for _, kind, _, offset, _, filesz, _ in self.phdrs():
            if kind != PT_NOTE:
                continue
            at, end = offset, offset + filesz
            while at + 12 <= end:
                namesz, descsz, number = struct.unpack_from(self.order + "III", self.data, at)
                desc = at + 12 + (namesz + 3) // 4 * 4
                yield number, self.data[desc:desc + descsz]
                at = desc + (descsz + 3) // 4 * 4


def read(path):
    with open(path, "rb") as f:
        return f.read()


def note(order, number, desc):
    return (struct.pack(order + "III", 5, len(desc), number) + b"CORE\0\0\0\0" + desc + b"\0" * (-len(desc) % 4))


def mapped_by_loader(path, base):
    """What execve() and the dynamic linker's loader map of a file: (start, end, offset)."""
    file = Elf(read(path))
    for _, kind, _, offset, vaddr, filesz, _ in file.phdrs():
        if kind == PT_LOAD and filesz:
            low, high = vaddr // PAGE * PAGE, (vaddr + filesz + PAGE - 1) // PAGE * PAGE
            yield base + low, base + high, offset // PAGE * PAGE


def files_of_log(log, root):
    """
    The file mappings that are left after all of mmap() and munmap(): [(start, end, offset, name)]. Of a library the
    first mapping tells where it is, and its program headers the rest: qemu's log has no offsets for every CPU.
    """
    names, maps = {}, []

    def unmap(start, end):
        left = []
        for low, high, offset, name in maps:
            if low < min(high, start):
                left.append((low, min(high, start), offset, name))
            if high > max(low, end):
                left.append((max(low, end), high, offset + max(low, end) - low, name))
        maps[:] = left

    for line in log.splitlines():
        opened = re.search(r'open(?:at)?\((?:AT_FDCWD,)?"([^"]+)".*\) = (\d+)$', line)
        done = re.search(r"mmap2?\((\w+),(\d+),[\w|]+,([\w|]+),(-?\d+),(\w+)\) = (0x[0-9a-f]+)$", line)
        gone = re.search(r"munmap\((\w+),(\d+)\) = 0$", line)
        if opened:
            names[opened.group(2)] = opened.group(1)
        elif done:
            start, size = int(done.group(6), 16), (int(done.group(2)) + PAGE - 1) // PAGE * PAGE
            unmap(start, start + size)
            if done.group(4) in names and "MAP_ANONYMOUS" not in done.group(3):
                offset = int(done.group(5), 0) * (PAGE if "mmap2(" in line else 1)
                maps.append((start, start + size, offset, names[done.group(4)]))
        elif gone:
            start = int(gone.group(1), 16)
            unmap(start, start + (int(gone.group(2)) + PAGE - 1) // PAGE * PAGE)
    for name in {m[3] for m in maps}:
        if ".so" in os.path.basename(name) and read(root + name)[:4] == b"\x7fELF":
            base = min(m[0] for m in maps if m[3] == name)
            maps[:] = [m for m in maps if m[3] != name]
            maps += [m + (name,) for m in mapped_by_loader(root + name, base)]
    return maps


def siginfo(core, log):
    """The last signal of the log as the kernel writes it."""
    last = re.findall(r"--- SIG\w+ \{si_signo=\w+, si_code=(-?\w+)(.*)\} ---", log)[-1]
    number = struct.unpack_from(core.order + "H", next(d for n, d in core.notes() if n == 1), 12)[0]
    code = {"SI_USER": 0, "SI_TKILL": -6}.get(last[0]) if last[0].startswith("SI_") else int(last[0])
    head = struct.pack(core.order + "iii", number, 0, code)
    addr = re.search(r"si_addr=(?:0x)?([0-9a-f]+)", last[1].replace("NULL", "0"))
    sender = re.search(r"si_pid=(\d+), si_uid=(\d+)", last[1])
    if addr:
        rest = (b"\0\0\0\0" if core.wide else b"") + struct.pack(core.word, int(addr.group(1), 16))
    else:
        rest = (b"\0\0\0\0" if core.wide else b"") + struct.pack(core.order + "II", *map(int, sender.groups()))
    return (head + rest).ljust(128, b"\0")


def file_note(core, maps):
    words = [len(maps), PAGE] + [w for start, end, offset, _ in maps for w in (start, end, offset // PAGE)]
    return (b"".join(struct.pack(core.word, w) for w in words)
            + b"".join(name.encode() + b"\0" for _, _, _, name in maps))


def complete(path, log, root, program_name, interpreter_name):
    """Adds to a core of qemu-user what the kernel would have written."""
    core = Elf(bytearray(read(path)))
    vector = next(d for n, d in core.notes() if n == NT_AUXV)
    auxv = dict(struct.iter_unpack(core.order + ("QQ" if core.wide else "II"), vector))
    program, interpreter = root + program_name, os.path.join(root, "lib", os.path.basename(interpreter_name))
    main = Elf(read(program))
    first = next(v - o for _, k, _, o, v, _, _ in main.phdrs() if k == PT_LOAD)
    maps = [m + (program_name,) for m in mapped_by_loader(program, auxv[AT_PHDR] - main.phoff - first)]
    maps += [m + (interpreter_name,) for m in mapped_by_loader(interpreter, auxv[AT_BASE])]
    maps += files_of_log(log, root)
    at, _, flags, offset, vaddr, filesz, memsz = next(p for p in core.phdrs() if p[1] == PT_NOTE)
    notes = bytes(core.data[offset:offset + filesz])
    notes += note(core.order, NT_SIGINFO, siginfo(core, log)) + note(core.order, NT_FILE, file_note(core, sorted(maps)))
    core.data.extend(b"\0" * (-len(core.data) % 4))
    offset = len(core.data)
    core.data.extend(notes)
    if core.wide:
        struct.pack_into(core.order + "IIQQQQ", core.data, at, PT_NOTE, flags, offset, vaddr, 0, len(notes))
    else:
        struct.pack_into(core.order + "IIIIII", core.data, at, PT_NOTE, offset, vaddr, 0, len(notes), memsz)
    with open(path, "wb") as f:
        f.write(core.data)


class Guest:
    """One CPU: a folder with its libraries and programs, as --sysroot wants it."""

    def __init__(self, cpu, folder):
        self.cpu, self.prefix = cpu, CPUS[cpu]
        self.qemu, self.compiler = shutil.which("qemu-" + cpu), shutil.which(self.prefix + "-gcc")
        if not self.qemu:
            raise Missing("no qemu-" + cpu)
        if not self.compiler:
            raise Missing(f"no {self.prefix}-gcc")
        self.root = os.path.join(folder, cpu)
        libraries = os.path.join("/usr", self.prefix, "lib")
        for part in ("lib", "bin", "work"):
            os.makedirs(os.path.join(self.root, part), exist_ok=True)
        for pattern in ("ld*.so*", "libc.so.6", "libdl.so.2", "libm.so.6", "libgcc_s.so.1", "libstdc++.so.6"):
            for file in glob.glob(os.path.join(libraries, pattern)):
                shutil.copy(file, os.path.join(self.root, "lib"))
        for name in ("lib64",):
            if not os.path.lexists(os.path.join(self.root, name)):
                os.symlink("lib", os.path.join(self.root, name))

    def build(self, case):
        program = os.path.join(self.root, "bin", case.get("program", case["id"]))
        source = zoo.source_of(case)
        compiler = self.prefix + ("-g++" if source.endswith(".cpp") else "-gcc")
        if not shutil.which(compiler):
            raise Missing("no " + compiler)
        if not zoo.is_newer(program, source):
            subprocess.run([compiler, "-g"] + case.get("build", ["-O1"]) + [source, "-o", program]
                           + case.get("link", []), check=True)
        return program

    def interpreter(self, program):
        file = Elf(read(program))
        return next(bytes(file.data[o:o + s - 1]).decode() for _, k, _, o, _, s, _ in file.phdrs() if k == 3)

    def crash(self, case, whole=True):
        """The core of a case; whole=False leaves it as qemu wrote it."""
        program = self.build(case)
        where = tempfile.mkdtemp(dir=os.path.join(self.root, "work"))
        log = os.path.join(where, "log")
        env = {name: value for name, value in os.environ.items() if name != "MALLOC_PERTURB_"}
        subprocess.run([self.qemu, "-strace", "-D", log, "-L", self.root, program] + case.get("run", []), cwd=where,
                       env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       timeout=60, preexec_fn=zoo._allow_cores)
        cores = glob.glob(os.path.join(where, "qemu_*.core"))
        if not cores:
            raise Missing("this qemu writes no core of its guest")
        if whole:
            with open(log, encoding="utf-8", errors="replace") as f:
                complete(cores[0], f.read(), self.root, "/" + os.path.relpath(program, self.root),
                         self.interpreter(program))
        return cores[0]
