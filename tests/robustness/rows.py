#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""rows.py INQUEST [ROW...]: hostile and faulty inputs, one function a row of the table in docs/robustness.md
(1 to 39, 101, 104, 107). Each row writes its inputs, and says which exit codes, words and facts must come back.

For every run: the parent does not die of a signal, ends in time, says at most 20 lines on standard error,
prints one JSON document, leaves the core as it was, and prints no raw control byte.
"""
import hashlib
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from corewriter import AT_PAGESZ, AT_PHDR, AT_PHNUM, Core, demo, EM_ARM, EM_PPC64, EM_RISCV  # noqa: E402

MAX = (1 << 64) - 1
ROWS = []


class Wrong(Exception):
    pass


def row(number):
    def add(function):
        ROWS.append((number, function))
        return function
    return add


class Run:
    """What inquest said about one input."""

    def __init__(self, inquest, path, *arguments, command="triage", check_core=True, stdin=subprocess.DEVNULL):
        self.path = path
        small = check_core and os.path.isfile(path) and os.path.getsize(path) < 64 << 20
        before = digest(path) if small else None
        try:
            done = subprocess.run([inquest, command, "--json", "--no-store", *arguments, "--", path], stdin=stdin,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
        except subprocess.TimeoutExpired:
            raise Wrong(f"{os.path.basename(path)}: hangs") from None
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr
        if self.code < 0:
            raise Wrong(f"died of signal {-self.code}")
        if self.err.count(b"\n") > 20:
            raise Wrong("more than 20 lines on standard error")
        if any(b < 0x20 and b != 0x0a or b == 0x7f for b in self.out + self.err):
            raise Wrong("a raw control byte in the output")
        if before and digest(path) != before:
            raise Wrong("the core was changed")
        self.report = None
        if self.out.strip():
            try:
                self.report = json.loads(self.out)
            except ValueError:
                raise Wrong(f"standard output is not one JSON document: {self.out[:100]!r}") from None

    def exits(self, *codes):
        if self.code not in codes:
            raise Wrong(f"{os.path.basename(self.path)}: exit {self.code}, want {codes}: {self.err[:300]!r} "
                        f"{json.dumps((self.report or {}).get('gaps'))[:600]}")
        return self

    def says(self, *words):
        text = (self.err + self.out).decode("utf-8", "replace").lower()
        for word in words:
            if word.lower() not in text:
                raise Wrong(f"{os.path.basename(self.path)}: does not say '{word}': {self.err[:300]!r}")
        return self

    def threads(self, *tids):
        have = [t.get("tid") for t in self.report.get("threads") or []]
        if have != list(tids):
            raise Wrong(f"threads {have[:8]}, want {list(tids)[:8]}")
        return self

    def has(self, path, want):
        at = self.report
        for part in path.split("."):
            at = at[int(part)] if isinstance(at, list) else (at or {}).get(part)
        if at != want:
            raise Wrong(f"{os.path.basename(self.path)}: {path} is {at!r}, want {want!r}")
        return self

    def gap(self, code):
        if not any(g.get("code") == code for g in self.report.get("gaps") or []):
            raise Wrong(f"{os.path.basename(self.path)}: no gap {code}: {json.dumps(self.report.get('gaps'))[:400]}")
        return self


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def put(folder, name, data):
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(data)
    return path


@row(1)
def empty(run, d):
    run(put(d, "empty", b"")).exits(3).says("empty file")


@row(2)
def short(run, d):
    for n in (1, 15, 63):
        run(put(d, f"short{n}", demo().bytes()[:n])).exits(3).says(str(n))
    run(put(d, "short63", demo().bytes()[:63])).says("truncated ELF header (63 of 64 bytes)")


@row(3)
def other_files(run, d):
    for name, data in {"text": b"hello, this is text\n" * 20, "png": b"\x89PNG\r\n\x1a\n" + bytes(100),
                       "gzip": b"\x1f\x8b\x08" + bytes(100), "zeros": bytes(5000),
                       "tar": b"name".ljust(257, b"\0") + b"ustar\0" + bytes(300)}.items():
        run(put(d, name, data)).exits(3)
    run(put(d, "text", b"hello, this is text\n" * 20)).says("not an ELF core", "text")


@row(4)
def executable(run, d):
    run("/bin/true").exits(3).says("not a core")
    run(put(d, "rel", demo().header(e_type=1).bytes())).exits(3).says("not a core")


@row(5)
def cut(run, d):
    whole = demo().bytes()
    first_thread = None
    for i in range(60):
        n = len(whole) * i // 60
        r = run(put(d, f"cut{n}", whole[:n])).exits(1, 3)
        if r.code == 1:
            first_thread = first_thread or n
            r.has("threads.0.tid", 100).has("core.complete", False).says("bytes")
        elif first_thread:
            raise Wrong(f"cut at {n} gives nothing, at {first_thread} a thread")
    if not first_thread or first_thread > len(whole) // 3:
        raise Wrong(f"a thread only from byte {first_thread} of {len(whole)}")


@row(6)
def huge_sparse(run, d):
    path = os.path.join(d, "tib")
    demo().load(0x100000000000, b"x", filesz=1 << 40, memsz=1 << 40).write(path)
    run(path).exits(0, 1).threads(100, 101)
    os.unlink(path)
    demo().load(0x100000000000, filesz=16 << 40, offset=1 << 41).write(path)
    run(path).exits(1).threads(100, 101).has("core.complete", False)


@row(7)
def far_offsets(run, d):
    """The abort message lies beyond 4 GiB in the file: it is only read right with 64-bit offsets."""
    message = (0x1000).to_bytes(4, "little") + b"free(): invalid pointer\n\0"
    for gib in (2, 4, 5):
        core = Core().thread(7, 6).prpsinfo(7, "far").siginfo(6, -6, pid=7)
        core.load(0x10000000000, b"", filesz=gib << 30, memsz=gib << 30)
        core.load(0x7f0000000000, message, filesz=0x1000, memsz=0x1000)
        path = os.path.join(d, f"far{gib}")
        core.write(path)
        run(path).exits(0, 1).has("abort.message", "free(): invalid pointer")
        os.unlink(path)


@row(8)
def not_files(run, d):
    fifo = os.path.join(d, "fifo")
    os.mkfifo(fifo)
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(os.path.join(d, "socket"))
    for path in (d, fifo, os.path.join(d, "socket"), "/dev/zero", "/dev/null"):
        run(path).exits(3).says("not a regular file")
    sock.close()


@row(9)
def unreadable(run, d):
    path = put(d, "unreadable", demo().bytes())
    os.chmod(path, 0)
    if os.access(path, os.R_OK):  # root reads everything
        run("/proc/self/mem", check_core=False).exits(3, 6)
    else:
        run(path, check_core=False).exits(6)
    run(os.path.join(d, "not-there")).exits(6).says("not-there")


@row(10)
def shrinks(run, d):
    """A pipe that ends early is the portable stand-in for a file that shrinks."""
    path = put(d, "shrinks", demo().bytes())
    with subprocess.Popen(["head", "-c", "9000", path], stdout=subprocess.PIPE) as feeder:
        run("-", stdin=feeder.stdout).exits(1).threads(100, 101).has("core.complete", False)


@row(11)
def being_written(run, d):
    folder = os.path.join(d, "young")
    os.mkdir(folder)
    path = put(folder, "core.1", demo().bytes())
    with open(path, "ab"):
        r = run(folder, command="scan")
        if b"written" not in r.out + r.err and b"100" not in r.out:
            raise Wrong("a file that is open for writing is neither deferred nor read")
    # afterwards it is read
    run(folder, command="scan").exits(0, 1).has("process.comm", "demo")


@row(12)
def names(run, d):
    for name in ("new\nline", "esc\x1b[31m", "quote\"'", "-rf", "x" * 255, "<script>", "=cmd", b"inv\xff\xfe"):
        name = os.fsencode(name)
        folder = tempfile.mkdtemp(dir=d).encode()
        with open(os.path.join(folder, name), "wb") as f:
            f.write(demo().bytes())
        run(os.fsdecode(os.path.join(folder, name))).exits(0, 1).threads(100, 101)
        run(os.fsdecode(folder), command="scan").exits(0, 1)


@row(13)
def long_path(run, d):
    here = os.open(d, os.O_RDONLY | os.O_DIRECTORY)
    for _ in range(20):
        os.mkdir("n" * 250, dir_fd=here)
        inner = os.open("n" * 250, os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = inner
    out = os.open("core.1", os.O_WRONLY | os.O_CREAT, dir_fd=here)
    os.write(out, demo().bytes())
    os.close(out)
    os.close(here)
    run(os.path.join(d, "n" * 250), command="scan").exits(0, 1, 6)


@row(14)
def phnum(run, d):
    run(put(d, "phnum0", demo().header(e_phnum=0).bytes())).exits(1, 3)
    run(put(d, "phnum1", demo().header(e_phnum=1).bytes())).exits(1, 3)
    run(put(d, "phnumfffe", demo().header(e_phnum=0xfffe).bytes())).exits(1, 3).says("program header")


@row(15)
def xnum(run, d):
    run(put(d, "xnum-none", demo().xnum(section=False).bytes())).exits(1, 3)
    for count in (10 ** 7, (1 << 32) - 1):
        run(put(d, f"xnum{count}", demo().xnum(sh_info=count).bytes())).exits(1, 3)
    run(put(d, "xnum-good", demo().xnum().bytes())).exits(0, 1).threads(100, 101)


@row(16)
def many_segments(run, d):
    core = demo()
    for i in range(60000):
        core.load(0x100000000 + i * 0x2000, memsz=0x1000)
    run(put(d, "60000", core.bytes())).exits(0, 1).threads(100, 101)


@row(17)
def phentsize(run, d):
    for n in (0, 1, 55, 65535):
        run(put(d, f"phentsize{n}", demo().header(e_phentsize=n).bytes())).exits(3)


@row(18)
def phoff(run, d):
    for n in (0, 7, 1 << 63, MAX, MAX - 40):
        run(put(d, f"phoff{n}", demo().header(e_phoff=n).bytes())).exits(1, 3)


@row(19)
def other_machines(run, d):
    for cls, data, machine in ((32, "little", EM_ARM), (64, "big", EM_PPC64), (64, "little", EM_RISCV)):
        r = run(put(d, f"machine{machine}", demo(cls, data, machine).bytes())).exits(1)
        r.threads(100, 101).has("signal.number", 11).has("process.comm", "demo")
    run(put(d, "machineffff", Core(64, "little", 0xffff).thread(5).prpsinfo(5).siginfo(11, 1, addr=0)
            .bytes())).exits(1).has("process.comm", "demo")


@row(20)
def header_flips(run, d):
    whole = bytearray(demo().bytes())
    for bit in range(0, 64 * 8, 13):
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << (bit % 8)
        run(put(d, f"flip{bit}", bytes(flipped))).exits(0, 1, 3, 4)


@row(21)
def section_lies(run, d):
    run(put(d, "shoff", demo().header(e_shoff=MAX, e_shnum=0xffff, e_shstrndx=7).bytes())).exits(0, 1) \
        .threads(100, 101)


@row(22)
def note_sizes(run, d):
    for field in ("namesz", "descsz"):
        core = Core().thread(1).prpsinfo(1).note("CORE", 99, b"x", **{field: 0xffffffff}).thread(2)
        run(put(d, field, core.bytes())).exits(1).threads(1)


@row(23)
def short_prstatus(run, d):
    for size in (0, 8, 40, 111):
        r = run(put(d, f"prstatus{size}", Core().thread(1).thread(2, size=size).prpsinfo(1).bytes())).exits(1)
        if (r.report["threads"][0].get("registers") or {}) == {}:
            raise Wrong("the good thread lost its registers")


@row(24)
def zero_notes(run, d):
    path = put(d, "zeronotes", Core().thread(1).prpsinfo(1).raw_notes(bytes(100 << 20)).bytes())
    run(path, check_core=False).exits(0, 1, 4).threads(1)
    os.unlink(path)


@row(25)
def notes_filesz(run, d):
    run(put(d, "notes0", demo().notes_filesz(0).bytes())).exits(1, 3)
    for n in (1 << 32, MAX):
        run(put(d, f"notes{n}", demo().notes_filesz(n).bytes())).exits(1).has("threads.0.tid", 100)


@row(26)
def note_segments(run, d):
    run(put(d, "twonotes", Core().thread(1).prpsinfo(1).new_note_segment().thread(2).bytes())).exits(0, 1) \
        .threads(1, 2)
    run(put(d, "nonotes", Core().no_notes().load(0x1000, bytes(4096)).bytes())).exits(3).says("note")


@row(27)
def many_threads(run, d):
    path = put(d, "20000", Core().threads(20000).prpsinfo(1).bytes())
    r = run(path).exits(4).has("threads_total", 20000)
    if len(r.report["threads"]) > 4096:
        raise Wrong("more threads listed than the limit")
    path = put(d, "million", Core().threads(1000000).prpsinfo(1).bytes())
    run(path, check_core=False).exits(4).has("threads_total", 1000000)
    os.unlink(path)


@row(28)
def odd_tids(run, d):
    run(put(d, "tids", Core().thread(7).thread(7).thread(0).thread(-5).prpsinfo(7).bytes())).exits(1).gap("INQ-040")


@row(29)
def file_count(run, d):
    lines = [(0x400000, 0x401000, 0, "/opt/x/y")]
    for count in (0, 1 << 32, 1 << 61, MAX):
        run(put(d, f"count{count}", Core().thread(1).prpsinfo(1).file(lines, count=count).bytes())) \
            .exits(0, 1).threads(1)


@row(30)
def file_lines(run, d):
    lines = [(0x500000, 0x501000, 0, "/b"), (0x400000, 0x3ff000, 0, "/a"), (0x500800, 0x502000, 0, "/c")]
    for page in (0, 1 << 63, 4096):
        run(put(d, f"page{page}", Core().thread(1).prpsinfo(1).file(lines, page_size=page).bytes())) \
            .exits(0, 1).threads(1)


@row(31)
def file_strings(run, d):
    lines = [(0x400000, 0x401000, 0, "/a"), (0x500000, 0x501000, 0, "/b")]
    run(put(d, "nonul", Core().thread(1).prpsinfo(1).file(lines, terminate=False).bytes())).exits(1).threads(1)
    run(put(d, "fewer", Core().thread(1).prpsinfo(1).file(lines, names=["/a"]).bytes())).exits(1).threads(1)


@row(32)
def auxv(run, d):
    run(put(d, "nonull", Core().thread(1).prpsinfo(1).auxv({AT_PAGESZ: 4096}, end=False).bytes())).exits(0, 1)
    run(put(d, "wild", Core().thread(1).prpsinfo(1).auxv({AT_PHNUM: 1 << 32, AT_PHDR: 0x41414141, AT_PAGESZ: 0})
            .load(0x1000, bytes(4096)).bytes())).exits(0, 1).threads(1)


@row(33)
def siginfo(run, d):
    run(put(d, "nosiginfo", Core().thread(1, 11).prpsinfo(1).bytes())).exits(0, 1).has("signal.number", 11)
    run(put(d, "signo0", Core().thread(1, 11).prpsinfo(1).siginfo(0).bytes())).exits(0, 1)
    run(put(d, "signo1e9", Core().thread(1, 11).prpsinfo(1).siginfo(10 ** 9, 10 ** 6).bytes())).exits(0, 1) \
        .says("1000000000")
    run(put(d, "shortsiginfo", Core().thread(1, 11).prpsinfo(1).siginfo(11, 1, addr=1, size=9).bytes())).exits(1)


@row(34)
def prpsinfo(run, d):
    r = run(put(d, "fname", Core().thread(1).prpsinfo(1, b"\x1b[31mEVIL\r\n\xff\xfe\x07abc", b"A" * 80).bytes()))
    r.exits(0, 1)
    text = subprocess.run([INQUEST, "triage", "--no-store", r.path], stdout=subprocess.PIPE).stdout
    if any(b < 0x20 and b != 10 for b in text):
        raise Wrong("the text report holds a raw control byte")


@row(35)
def unknown_notes(run, d):
    core = demo().note("LINUX", 0x777, bytes(100)).note("GNU", 5, bytes(16)).note("LINUX", 0x202, bytes(100000))
    run(put(d, "unknown", core.bytes())).exits(0, 1).threads(100, 101)


@row(36)
def wraps(run, d):
    run(put(d, "wraps", demo().load(MAX - 4095, bytes(4096), memsz=1 << 20).bytes())).exits(1).gap("INQ-035")
    run(put(d, "wraps2", demo().phdr(1, 0, 1 << 63, 4096, 1 << 63).bytes())).exits(0, 1)


@row(37)
def overlaps(run, d):
    core = demo()
    for i in range(50):
        core.load(0x10000000 + (50 - i) * 0x800, bytes(4096))
    first, second = run(put(d, "overlaps", core.bytes())).exits(1), run(os.path.join(d, "overlaps"))
    first.gap("INQ-060")
    for report in (first.report, second.report):
        report.pop("timing", None)
    if first.report != second.report:
        raise Wrong("two runs differ")


@row(38)
def sizes(run, d):
    run(put(d, "memsz", demo().load(0x10000000, bytes(4096), memsz=16).bytes())).exits(0, 1).threads(100, 101)
    run(put(d, "filesz", demo().load(0x10000000, b"x", filesz=1 << 40, memsz=1 << 40, offset=4096).bytes())).exits(1)


@row(39)
def edge_reads(run, d):
    for rsp in (0, 8, MAX, MAX - 7, 0x7fffffff0000 - 4, 0x7ffffffef000 - 8):
        core = Core().thread(1, 11, rip=0x401000, rsp=rsp, rbp=rsp).prpsinfo(1).siginfo(11, 1, addr=MAX)
        core.load(0x7ffffffee000, b"A" * 0x1000).load(0x7fffffff0000 - 0x1000, b"A" * 0x1000)
        run(put(d, f"edge{rsp}", core.bytes())).exits(0, 1).threads(1)


HOSTILE = b"\x1b]0;owned\x07\x9b31m\xc2\x9b\xe2\x80\xae\rover\nINQUEST forged line\x00"


@row(101)
def hostile_strings(run, d):
    """Control bytes in comm, arguments, paths: on no output raw, in JSON lossless."""
    bad = HOSTILE.rstrip(b"\0")
    core = Core().thread(1, 6).prpsinfo(1, bad[:15], bad).siginfo(6, 0, pid=2, uid=3)
    core.file([(0x400000, 0x401000, 0, b"/opt/" + bad + b"/lib.so"), (0x401000, 0x402000, 0x1000, b"/opt/" + bad + b"/lib.so")])
    core.load(0x400000, b"\x7fELF\x02\x01\x01".ljust(4096, b"\0"), flags="rx")
    message = (0x1000).to_bytes(4, "little") + bad + b"\0"
    core.load(0x7f0000000000, message, filesz=0x1000, memsz=0x1000)
    path = put(d, "hostile", core.bytes())
    run(path).exits(0, 1)
    for arguments in (["triage"], ["triage", "-v"], ["triage", "--color=always"], ["scan"], ["scan", "-v"]):
        out = subprocess.run([INQUEST, *arguments, "--no-store", path], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT).stdout
        plain = out.replace(b"\x1b[", b"") if "--color=always" in arguments else out
        if b"\x1b]" in out or any(b < 0x20 and b != 10 or b == 0x7f for b in plain.replace(b"\x1b", b"")):
            raise Wrong(f"{arguments}: a raw control byte")
        if "--color=always" not in arguments and b"\x1b" in out:
            raise Wrong(f"{arguments}: a raw escape")
        text = out.decode("utf-8")
        if any(c in text for c in "\u202e\u009b\u2028"):
            raise Wrong(f"{arguments}: a raw bidi or C1 control")


@row(104)
def forged_lines(run, d):
    """A newline in a name makes no line of its own."""
    core = Core().thread(1, 11).prpsinfo(1, b"x\nforged: ok", b"x\nforged: ok").siginfo(11, 1, addr=0)
    folder = os.path.join(d, "forged")
    os.mkdir(folder)
    put(folder, "core.x\nforged: ok", core.bytes())
    for arguments in (["triage", os.path.join(folder, "core.x\nforged: ok")], ["scan", folder], ["scan", "-v", folder]):
        out = subprocess.run([INQUEST, arguments[0], "--no-store", *arguments[1:]], stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT).stdout
        if any(line.startswith(b"forged") for line in out.splitlines()):
            raise Wrong(f"{arguments[0]}: a forged line")


@row(107)
def terminals(run, d):
    path = put(d, "demo", demo().bytes())
    for env in ({"COLUMNS": "0"}, {"TERM": "dumb"}, {"LANG": "C", "LC_ALL": "C"}, {"NO_COLOR": "1"}, {"COLUMNS": "-5"},
                {"COLUMNS": "99999999999"}, {"COLUMNS": "3"}):
        done = subprocess.run([INQUEST, "triage", "--no-store", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={"PATH": os.environ["PATH"], "INQUEST_DB": "none", **env}, timeout=60)
        if done.returncode not in (0, 1) or b"\x1b" in done.stdout or b"SIGSEGV" not in done.stdout:
            raise Wrong(f"{env}: exit {done.returncode} {done.stdout[:100]!r}")


INQUEST = ""


def main():
    global INQUEST
    INQUEST = os.path.abspath(sys.argv[1])
    wanted = {int(n) for n in sys.argv[2:]}
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    failed = passed = 0
    for number, function in ROWS:
        if wanted and number not in wanted:
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                function(lambda path, *a, **k: Run(INQUEST, path, *a, **k), folder)
                passed += 1
            except (Wrong, KeyError, IndexError, TypeError) as error:
                print(f"row {number} ({function.__name__}): {type(error).__name__}: {error}")
                failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
