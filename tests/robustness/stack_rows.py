#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""stack_rows.py INQUEST PROGRAMS [ROW...]: stacks that lead nowhere, one function a row of the table in
docs/robustness.md (40 to 49). The rules of rows.py hold for every run: no signal, one JSON document, in time.

Rows 40 to 43 and 45 write their cores; the others crash a program for real and damage what the unwinder reads:
its file's call frame information, or the dynamic linker's list in the dump.
"""
import os
import random
import resource
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import rows  # noqa: E402
import zoo  # noqa: E402
from corewriter import Core  # noqa: E402
from rows import Wrong, put  # noqa: E402

ROWS = []
CODE, STACK, SIZE = 0x10000, 0x7ffe00000000, 0x2000
RETURN = CODE + 0x105  # behind a call


def row(number):
    def add(function):
        ROWS.append((number, function))
        return function
    return add


def code():
    """A page of code that belongs to no file, with `call CODE + 0x200` at 0x100."""
    page = bytearray(b"\x90" * 0x1000)
    page[0x100:0x105] = b"\xe8" + struct.pack("<i", 0x200 - 0x105)
    return bytes(page)


def core(rip=CODE + 0x200, rsp=STACK + 0x100, rbp=0, words=None, size=SIZE, fill=b"\0" * 8):
    stack = bytearray(fill * (size // 8))
    for addr, value in (words or {}).items():
        struct.pack_into("<Q", stack, addr - STACK, value)
    return (Core().thread(1, 11, {"rip": rip, "rsp": rsp & (1 << 64) - 1, "rbp": rbp}).siginfo(11, 1, addr=8)
            .prpsinfo(1, "demo").load(CODE, code(), flags="rx").load(STACK, bytes(stack)).bytes())


def stack_of(done):
    return done.report["threads"][0]


def stops(done, frames, *words):
    """The walk ended after so many frames, and says why."""
    thread = stack_of(done)
    if thread["frames_total"] != frames or thread["complete"] or not thread.get("stop"):
        raise Wrong(f"{thread['frames_total']} frames, want {frames}; complete {thread['complete']}; "
                    f"stop {thread.get('stop')!r}")
    for word in words:
        if word not in thread["stop"]:
            raise Wrong(f"stop {thread['stop']!r} does not say {word!r}")


@row(40)
def stack_pointers(run, d):
    for rsp in (0, -1, -8, STACK + 0x101, STACK + SIZE - 8, STACK + SIZE, 0x400000000000):
        stops(run(put(d, f"sp{rsp & 0xffff:x}", core(rsp=rsp))).exits(1), 1)


@row(41)
def program_counters(run, d):
    call = {STACK + 0x100: RETURN}
    for rip in (0, 0x4242424242424242, STACK + 0x800):
        done = run(put(d, f"pc{rip:x}", core(rip=rip, words=call))).exits(1)
        done.has("threads.0.frames.1.trust", "rule").has("threads.0.frames.1.pc", f"{RETURN:#x}")
        stops(run(put(d, f"no{rip:x}", core(rip=rip))).exits(1), 1, "no return address")
    # the word on top of the stack is not behind a call
    stops(run(put(d, "nocall", core(rip=0, words={STACK + 0x100: CODE + 0x300}))).exits(1), 1)


@row(42)
def frame_pointers(run, d):
    a, b = STACK + 0x200, STACK + 0x400
    record = {a + 8: RETURN, b + 8: RETURN}
    stops(run(put(d, "self", core(rbp=a, words={**record, a: a}))).exits(1), 2, "no forward progress")
    stops(run(put(d, "two", core(rbp=a, words={**record, a: b, b: a}))).exits(1), 3, "no forward progress")
    stops(run(put(d, "down", core(rbp=b, words={**record, b: a}))).exits(1), 2, "no forward progress")
    chain = {}
    for i in range(400):
        chain[STACK + 0x200 + 16 * i] = STACK + 0x210 + 16 * i
        chain[STACK + 0x208 + 16 * i] = RETURN
    done = run(put(d, "chain", core(rbp=STACK + 0x200, words=chain))).exits(1)
    if stack_of(done)["frames_total"] < 400 or len(stack_of(done)["frames"]) > 256:
        raise Wrong("a chain of 400 frames was not followed, or more than 256 of them are listed")


@row(43)
def one_return_address(run, d):
    for size in (132 << 10, 8 << 20):
        fill = struct.pack("<Q", RETURN)
        thread = stack_of(run(put(d, f"full{size}", core(size=size, fill=fill))).exits(1, 4))
        if len(thread["frames"]) > 256:
            raise Wrong("more than 256 frames are listed")
    # the same as frame records: they are counted and folded
    size = 8 << 20
    words = struct.Struct("<QQ")
    stack = b"".join(words.pack(STACK + 16 * i + 16, RETURN) for i in range(size // 16))
    data = (Core().thread(1, 11, {"rip": CODE + 0x200, "rsp": STACK, "rbp": STACK}).siginfo(11, 1, addr=8)
            .prpsinfo(1, "demo").load(CODE, code(), flags="rx").load(STACK, stack).bytes())
    thread = stack_of(run(put(d, "records", data)).exits(1, 4))
    if thread["frames_total"] < 500000 or len(thread["frames"]) > 256 or thread["cycle"]["length"] != 1:
        raise Wrong(f"{thread['frames_total']} frames, cycle {thread.get('cycle')}")


def crash(name, text, d, *arguments, flags=("-O1",)):
    """A program of its own, crashed; its core's path."""
    folder = os.path.join(d, name)
    os.makedirs(folder)
    source, program = os.path.join(folder, name + ".c"), os.path.join(folder, name)
    with open(source, "w", encoding="ascii") as f:
        f.write(text)
    subprocess.run([os.environ.get("CC", "cc"), "-g", *flags, source, "-o", program], check=True)

    def limits():
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        resource.setrlimit(resource.RLIMIT_STACK, (256 << 20, resource.RLIM_INFINITY))
    subprocess.run([program, *arguments], cwd=folder, preexec_fn=limits, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    cores = [f for f in os.listdir(folder) if f.startswith("core")]
    if len(cores) != 1:
        raise Wrong(f"{name} left {len(cores)} cores")
    return program, os.path.join(folder, cores[0])


RECURSION = """
__attribute__((noinline)) static int odd(int n);
__attribute__((noinline)) static int even(int n)
{
    if (n == 0)
        *(volatile int *)0 = 1;
    return odd(n - 1) + n;
}
__attribute__((noinline)) static int odd(int n) { return even(n - 1) + n; }
int main(void) { return even(100000); }
"""


@row(44)
def deep_recursion(run, d):
    _, path = crash("recursion", RECURSION, d, flags=("-O1", "-fno-optimize-sibling-calls"))
    for engine in ("libunwind", "dwfl"):
        done = run(path, "--engine", engine, check_core=False).exits(0)
        thread = stack_of(done)
        names = [f.get("function") for f in thread["frames"]]
        indexes = [f["index"] for f in thread["frames"]]
        if thread["frames_total"] != 100005 or not thread["complete"] or not thread["truncated"]:
            raise Wrong(f"{engine}: {thread['frames_total']} frames, complete {thread['complete']}")
        if names[:3] != ["even", "odd", "even"] or "main" not in names[-5:] or len(names) != 256:
            raise Wrong(f"{engine}: {names[:3]} … {names[-5:]}")
        if indexes != [*range(128), *range(100005 - 128, 100005)]:
            raise Wrong(f"{engine}: indexes {indexes[:3]} … {indexes[-3:]}")
        cycle = thread["cycle"]
        if cycle["length"] != 2 or cycle["count"] != 50000:
            raise Wrong(f"{engine}: cycle {cycle}")


@row(45)
def filled_stacks(run, d):
    for fill in (b"\x41" * 8, b"\xff" * 8, b"\0" * 8):
        stops(run(put(d, f"fill{fill[0]:x}", core(fill=fill, rbp=STACK + 0x200))).exits(1), 1)
        # after a jump to what the stack was filled with
        rip = struct.unpack("<Q", fill)[0]
        stops(run(put(d, f"jump{fill[0]:x}", core(fill=fill, rip=rip))).exits(1), 1)


CALLS = """
__attribute__((noinline)) static int poke(volatile int *p) { p[4] = 1; return p[5]; }
__attribute__((noinline)) static int outer(int *p) { return poke(p) + 1; }
int main(void) { return outer(0); }
"""


def sections(data):
    """name: (offset, size) of a 64-bit little-endian ELF file"""
    shoff, = struct.unpack_from("<Q", data, 40)
    entry, count, names = struct.unpack_from("<HHH", data, 58)
    heads = [struct.unpack_from("<IIQQQQ", data, shoff + i * entry) for i in range(count)]
    strings = heads[names][4]
    return {data[strings + h[0]:data.index(b"\0", strings + h[0])].decode(): (h[4], h[5]) for h in heads}


def with_file(program, data, path, run, *arguments):
    """The program's file is another one for the time of a run; its build-id stays what it was."""
    with open(program, "r+b") as f:
        f.write(data)
    return run(path, *arguments, check_core=False).exits(0, 1, 4)


@row(46)
def hostile_cfi(run, d):
    program, path = crash("cfi", CALLS, d)
    with open(program, "rb") as f:
        good = f.read()
    where = sections(good)
    off, size = where[".eh_frame"]
    rng = random.Random(46)
    bad = []
    for _ in range(40):
        data = bytearray(good)
        for _ in range(rng.choice((1, 4, 64))):
            data[off + rng.randrange(size)] = rng.choice((0, 0xff, 0x80, 0x0f, 0x10, 0x16, 0x2f, 0x28))
        bad.append(bytes(data))
    for pattern in (b"\x80", b"\xff", b"\x00", b"\x0f\x04\x2f\xfc\xff\x30",  # def_cfa_expression { skip -4 }
                    b"\x04\xff\xff\xff\xff", b"\x0a", b"\x0b"):             # advance_loc4, remember, restore
        filler = (pattern * size)[:size - 24]
        bad.append(good[:off + 24] + filler + good[off + size:])
    for data in bad:
        for engine in ("libunwind", "dwfl"):
            done = with_file(program, data, path, run, "--engine", engine)
            if stack_of(done)["frames"][0]["function"] != "poke":
                raise Wrong("frame 0 is lost")
            functions = {f.get("function") for f in stack_of(done)["frames"]}
            if functions & {"frame_dummy", "register_tm_clones", "__do_global_dtors_aux", "_init", "_fini"}:
                raise Wrong(f"invented frames: {functions}")
    with_file(program, good, path, run).has("threads.0.frames.1.function", "outer")


@row(47)
def hostile_table(run, d):
    program, path = crash("table", CALLS, d)
    with open(program, "rb") as f:
        good = f.read()
    off, size = sections(good)[".eh_frame_hdr"]
    count, = struct.unpack_from("<I", good, off + 8)
    entries = [good[off + 12 + 8 * i:off + 20 + 8 * i] for i in range(count)]

    def table(entries, n=count):
        return good[:off + 8] + struct.pack("<I", n & 0xffffffff) + b"".join(entries) + good[off + 12 + 8 * count:]
    bad = [table(entries[::-1]), table(entries, -1), table(entries, 0), table(entries, 1 << 31),
           table([b"\xff" * 8] * count), table([b"\0" * 8] * count), good[:off] + b"\xff" * size + good[off + size:]]
    for data in bad:
        for engine in ("libunwind", "dwfl"):
            done = with_file(program, data, path, run, "--engine", engine)
            names = [f.get("function") for f in stack_of(done)["frames"]]
            if names[0] != "poke" or any(n not in ("poke", "outer", "main", "_start", None) and "libc_start" not in n
                                         for n in names):
                raise Wrong(f"frames {names}")
    # a table that is no use is done without: the section itself is read
    for data in (table(entries, -1), table(entries, 0)):
        with_file(program, data, path, run).has("threads.0.frames.2.function", "main")


class Dump:
    """A core's memory, to be changed in place."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.data = bytearray(f.read())
        phoff, = struct.unpack_from("<Q", self.data, 32)
        count, = struct.unpack_from("<H", self.data, 56)
        heads = [struct.unpack_from("<IIQQQQ", self.data, phoff + 56 * i) for i in range(count)]
        self.loads = [(h[3], h[2], h[5]) for h in heads if h[0] == 1]
        self.notes = [(h[2], h[5]) for h in heads if h[0] == 4]

    def at(self, addr):
        for start, off, size in self.loads:
            if start <= addr < start + size:
                return off + addr - start
        raise Wrong(f"{addr:#x} is not in the dump")

    def word(self, addr):
        return struct.unpack_from("<Q", self.data, self.at(addr))[0]

    def auxv(self):
        off, size = self.notes[0]
        end = off + size
        while off < end:
            namesz, descsz, kind = struct.unpack_from("<III", self.data, off)
            desc = off + 12 + (namesz + 3 & ~3)
            if kind == 6:
                words = struct.unpack_from(f"<{descsz // 8}Q", self.data, desc)
                return dict(zip(words[::2], words[1::2]))
            off = desc + (descsz + 3 & ~3)
        raise Wrong("no auxiliary vector")

    def link_map(self):
        """Addresses of the dynamic linker's list, in order."""
        auxv = self.auxv()
        phdr, count = auxv[3], auxv[5]
        heads = [struct.unpack_from("<IIQQQQ", self.data, self.at(phdr + 56 * i)) for i in range(count)]
        bias = phdr - next(h[3] for h in heads if h[0] == 6)
        dynamic = bias + next(h[3] for h in heads if h[0] == 2)
        while self.word(dynamic) != 21:
            dynamic += 16
        entry, maps = self.word(self.word(dynamic + 8) + 8), []
        while entry:
            maps.append(entry)
            entry = self.word(entry + 24)
        return maps

    def changed(self, **words):
        copy = bytearray(self.data)
        for addr, value in words.items():
            struct.pack_into("<Q", copy, self.at(int(addr[1:], 16)), value & (1 << 64) - 1)
        return bytes(copy)


def key(addr):
    return f"x{addr:x}"


@row(48)
def link_maps(run, d):
    _, path = crash("links", CALLS, d)
    dump = Dump(path)
    maps = dump.link_map()
    second, last = maps[1], maps[-1]
    for name, words in {"self": {key(second + 24): second}, "cycle": {key(last + 24): maps[0]},
                        "wild": {key(second + 24): 0x4242424242424242}, "odd": {key(second + 24): second + 1},
                        "kernel": {key(second + 24): -8}}.items():
        done = run(put(d, name, dump.changed(**words))).exits(0, 1)
        done.has("threads.0.frames.1.function", "outer").has("threads.0.frames.2.function", "main")


@row(49)
def library_names(run, d):
    _, path = crash("names", CALLS, d)
    dump = Dump(path)
    last = dump.link_map()[-1]
    stack = dump.loads[-1][0]
    for name, value in {"unmapped": 0x123456789000, "wild": -1, "stack": stack, "null": 0}.items():
        done = run(put(d, name, dump.changed(**{key(last + 8): value}))).exits(0, 1)
        done.has("threads.0.frames.1.function", "outer")
        if not any((m.get("name") or "").startswith("libc.so") for m in done.report["modules"]):
            raise Wrong("libc is not in the list of modules")


def main():
    rows.INQUEST = os.path.abspath(sys.argv[1])
    wanted = {int(n) for n in sys.argv[3:]}
    failed = passed = 0
    for number, function in ROWS:
        if wanted and number not in wanted:
            continue
        if number in (44, 46, 47, 48, 49):
            try:
                zoo.check_cores_possible()
            except zoo.NoCores as why:
                print(f"skipped: row {number}: {why}")
                continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                function(lambda path, *a, **k: rows.Run(rows.INQUEST, path, *a, **k), folder)
                passed += 1
            except (Wrong, KeyError, IndexError, TypeError) as error:
                print(f"row {number} ({function.__name__}): {type(error).__name__}: {error}")
                failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
