#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""symbol_rows.py INQUEST FOLDER [ROW...]: hostile symbol tables and debug information, rows 53 to 60 of the table in
docs/robustness.md. A real program crashes; then its file, or the debug file that goes with it, is replaced by a
hostile one with the right build-id.

For every run: exit 0, 1 or 4 with one JSON document, in time and memory, and no function name that the program does
not have."""
import json
import os
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import zoo  # noqa: E402

ROWS = []
SOURCE = """
__attribute__((noinline)) int reads_it(int *p) { return *p + 1; }
int main(int argc, char **argv) { return reads_it(argc > 9 ? &argc : 0) + 2; }
"""
REAL = {"reads_it", "main", "_start", "__libc_start_main", "__libc_start_call_main", "__libc_start_main_impl"}
MAX64 = (1 << 64) - 1


class Wrong(Exception):
    pass


def row(number, seconds=10.0, data=1 << 30):
    def add(function):
        ROWS.append((number, function, seconds, data))
        return function
    return add


# ---- a program, its core, and files to put in their place -------------------------------------------------------


def processor_seconds():
    """Of all that ran and ended: others on this machine do not make it slower."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Case:
    def __init__(self, inquest, folder, seconds, data):
        self.inquest, self.folder, self.seconds, self.data = inquest, folder, seconds, data
        self.program = os.path.join(folder, "victim")
        source = self.program + ".c"
        with open(source, "w", encoding="ascii") as f:
            f.write(SOURCE)
        subprocess.run(["cc", "-O1", source, "-o", self.program], check=True)
        self.core = zoo.crash([self.program], folder)
        with open(self.program, "rb") as f:
            self.bytes = f.read()
        note = self.bytes.index(b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0")
        self.build_id = self.bytes[note + 16:note + 36]
        self.tree = os.path.join(folder, "tree")

    def run(self, *options):
        def limits():
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        before = processor_seconds()
        done = subprocess.run([self.inquest, "triage", "--json", "--no-store", "--debug-dir", self.tree, *options,
                               self.core], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=180,
                              preexec_fn=limits)
        took = processor_seconds() - before
        if done.returncode not in (0, 1, 4):
            raise Wrong(f"exit {done.returncode}: {done.stderr[-300:]}")
        if took > self.seconds:
            raise Wrong(f"took {took:.1f} s of the processor")
        report = json.loads(done.stdout)
        for thread in report["threads"]:
            for frame in thread["frames"]:
                if frame.get("function") and frame["function"] not in REAL | self.allowed:
                    raise Wrong(f"a name out of nowhere: {str(frame)[:200]}")
        return report

    allowed = set()

    def replace(self, data):
        with open(self.program, "wb") as f:
            f.write(data)

    def debug_file(self, sections, tail=0):
        """A separate debug file by build-id, with these sections; `tail` more bytes of nothing in the last one."""
        hexes = self.build_id.hex()
        where = os.path.join(self.tree, ".build-id", hexes[:2])
        os.makedirs(where, exist_ok=True)
        path = os.path.join(where, hexes[2:] + ".debug")
        write_elf(path, self.build_id, sections, tail)
        return path


def functions(report):
    return [f.get("function") for f in next(t for t in report["threads"] if t["crashed"])["frames"]]


def expect_names(report, *names):
    have = functions(report)
    for name in names:
        if name not in have:
            raise Wrong(f"no {name} in {have}")


def gap(report, code):
    if not any(g["code"] == code for g in report["gaps"]):
        raise Wrong(f"no gap {code}: {json.dumps(report['gaps'])[:300]}")


def write_elf(path, build_id, sections, tail=0):
    """[(name, type, flags, bytes)]: ELF64, x86-64."""
    note = struct.pack("<III4s", 4, len(build_id), 3, b"GNU\0") + build_id
    sections = [(".note.gnu.build-id", 7, 2, note)] + list(sections)
    names, name_at = b"\0", []
    for name, *_ in sections + [(".shstrtab",)]:
        name_at.append(len(names))
        names += name.encode() + b"\0"
    body, headers = b"", [struct.pack("<IIQQQQIIQQ", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)]
    with open(path, "wb") as f:
        at = 64
        f.seek(at)
        for i, (name, kind, flags, data) in enumerate([(".shstrtab", 3, 0, names)] + sections):
            name_off = name_at[-1] if i == 0 else name_at[i - 1]
            size = len(data) + (tail if i == len(sections) else 0)
            headers.append(struct.pack("<IIQQQQIIQQ", name_off, kind, flags, 0, at, size, 0, 0, 1, 0))
            f.write(data)
            at += len(data)
        at = (at + tail + 7) & ~7
        f.seek(at)
        f.write(b"".join(headers))
        f.seek(0)
        f.write(b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 0, at, 0, 64, 56, 0, 64,
                                                          len(headers), 1))


def uleb(value):
    out = b""
    while True:
        byte = value & 0x7f
        value >>= 7
        out += bytes([byte | (0x80 if value else 0)])
        if not value:
            return out


def unit(dies, version=4):
    """A compilation unit of .debug_info around its DIEs; abbreviations at 0, 8-byte addresses."""
    head = struct.pack("<HIB", version, 0, 8)
    return struct.pack("<I", len(head) + len(dies)) + head + dies


def abbrev(*entries):
    """(code, tag, children, [(attribute, form)])"""
    out = b""
    for code, tag, children, attributes in entries:
        out += uleb(code) + uleb(tag) + bytes([children])
        for attribute, form in attributes:
            out += uleb(attribute) + uleb(form)
        out += b"\0\0"
    return out + b"\0"


UNIT, FUNCTION, BLOCK, INLINE, IMPORT = 0x11, 0x2e, 0x0b, 0x1d, 0x3d
NAME, STMT, LOW, HIGH, SIBLING, ORIGIN, IMPORTED, CALL_LINE = 0x03, 0x10, 0x11, 0x12, 0x01, 0x31, 0x18, 0x59
ADDR, DATA8, REF4, STRING, OFFSET, BLOCK_FORM, BLOCK4, DATA1 = 0x01, 0x07, 0x13, 0x08, 0x17, 0x09, 0x04, 0x0b
EVERYWHERE = struct.pack("<QQ", 0, 1 << 40)
HEADER = 11  # bytes of a unit before its first DIE


def dwarf(case, info, abbrevs, *more):
    case.debug_file([(".debug_info", 1, 0, info), (".debug_abbrev", 1, 0, abbrevs), *more])


# ---- the rows ----------------------------------------------------------------------------------------------------


@row(53)
def another_binary(case):
    other = SOURCE.replace("reads_it", "liar").replace("+ 2", "+ 3")
    with open(case.program + "2.c", "w", encoding="ascii") as f:
        f.write(other)
    for more in ((), ("-Wl,--build-id=none",)):
        subprocess.run(["cc", "-O1", "-g", *more, case.program + "2.c", "-o", case.program], check=True)
        report = case.run()
        gap(report, "INQ-071")
        if "liar" in functions(report) or "main" in functions(report):
            raise Wrong(f"names of another program: {functions(report)}")
    os.unlink(case.program)
    gap(case.run(), "INQ-070")


def section_of(data, wanted):
    """(offset of the header, off, size) of the first section of a type."""
    shoff, = struct.unpack_from("<Q", data, 40)
    shnum, = struct.unpack_from("<H", data, 60)
    for i in range(shnum):
        at = shoff + 64 * i
        kind, = struct.unpack_from("<I", data, at + 4)
        if kind == wanted:
            return at, *struct.unpack_from("<QQ", data, at + 24)
    raise Wrong(f"no section of type {wanted}")


@row(54)
def damaged_symbol_tables(case):
    data = case.bytes
    header, off, size = section_of(data, 2)
    for cut in (len(data) - 1, len(data) // 2, off + size // 2, 4096, 64, 1):
        case.replace(data[:cut])
        case.run()

    def patched(*patches):
        out = bytearray(data)
        for where, layout, value in patches:
            struct.pack_into(layout, out, where, value)
        case.replace(bytes(out))
        return case.run()
    patched((header + 56, "<Q", 0))  # sh_entsize
    patched((header + 56, "<Q", 1))
    patched((header + 56, "<Q", MAX64))
    patched((header + 32, "<Q", MAX64))  # sh_size
    patched((header + 24, "<Q", MAX64 - 8))  # sh_offset
    patched((header + 40, "<I", 0xffffffff))  # sh_link
    symbols = range(off, off + size, 24)
    patched(*[(at, "<I", 0x7fffffff) for at in symbols])  # st_name
    patched(*[(at + 16, "<Q", MAX64) for at in symbols])  # st_size
    report = patched(*[(at + 8, "<Q", MAX64) for at in symbols])  # st_value
    if "reads_it" in functions(report):
        raise Wrong("a name from a table without values")
    case.replace(data)
    expect_names(case.run(), "reads_it", "main")


@row(55, seconds=20)
def a_million_units(case):
    """Each with a function that is everywhere: the last one would be read before the steps end, or not."""
    one = unit(uleb(2) + struct.pack("<QQ", 1 << 50, 16))
    dwarf(case, one * 1000000 + unit(uleb(1) + EVERYWHERE + uleb(0)),
          abbrev((1, UNIT, 1, [(LOW, ADDR), (HIGH, DATA8)]), (2, UNIT, 0, [(LOW, ADDR), (HIGH, DATA8)])))
    report = case.run()
    expect_names(report, "reads_it", "main")
    gap(report, "INQ-096")
    # all of 2 GiB but a page, nothing in it
    case.debug_file([(".debug_abbrev", 1, 0, b"\0"), (".debug_info", 1, 0, b"\0")], tail=(2 << 30) - 8192)
    expect_names(case.run(), "reads_it", "main")
    # larger than is opened
    case.debug_file([(".debug_abbrev", 1, 0, b"\0"), (".debug_info", 1, 0, b"\0")], tail=2 << 30)
    expect_names(case.run(), "reads_it", "main")


TOP = uleb(1) + EVERYWHERE


@row(56)
def loops(case):
    function = (2, FUNCTION, 1, [(SIBLING, REF4), (LOW, ADDR), (HIGH, DATA8)])
    top = (1, UNIT, 1, [(LOW, ADDR), (HIGH, DATA8)])
    here = HEADER + len(TOP)
    # siblings: itself, backwards, and far away; around a function that covers nothing and one that does
    for target in (here, HEADER, 0, 1, 0xffffffff, here + 1):
        for low in (1 << 50, 0):
            dies = TOP + uleb(2) + struct.pack("<IQQ", target, low, 1 << 40) + b"\0\0\0"
            dwarf(case, unit(dies), abbrev(top, function))
            expect_names(case.run(), "reads_it", "main")
    # an inlined function that is its own origin; two that are each other's
    inline = (3, INLINE, 0, [(ORIGIN, REF4), (LOW, ADDR), (HIGH, DATA8), (CALL_LINE, DATA1)])
    plain = (2, FUNCTION, 1, [(LOW, ADDR), (HIGH, DATA8)])
    inner = here + 1 + 16
    for targets in ((inner,), (inner + 22, inner), (0,), (0xffffffff,)):
        dies = TOP + uleb(2) + EVERYWHERE
        for target in targets:
            dies += uleb(3) + struct.pack("<I", target) + EVERYWHERE + b"\7"
        dwarf(case, unit(dies + b"\0\0\0"), abbrev(top, plain, inline))
        expect_names(case.run(), "reads_it", "main")
    # a unit that imports itself
    dwarf(case, unit(TOP + uleb(2) + struct.pack("<I", HEADER) + b"\0"),
          abbrev(top, (2, IMPORT, 0, [(IMPORTED, REF4)])))
    expect_names(case.run(), "reads_it", "main")


@row(56)
def depth_and_width(case):
    top = (1, UNIT, 1, [(LOW, ADDR), (HIGH, DATA8)])
    plain = (2, FUNCTION, 1, [(LOW, ADDR), (HIGH, DATA8)])
    block = (3, BLOCK, 1, [(LOW, ADDR), (HIGH, DATA8)])
    namespace = (4, 0x39, 1, [])
    leaf = (5, 0x34, 0, [])
    # a million blocks inside each other, a million namespaces, five million variables
    for dies in (TOP + uleb(2) + EVERYWHERE + (uleb(3) + EVERYWHERE) * 1000000, TOP + uleb(4) * 1000000,
                 TOP + uleb(2) + EVERYWHERE + uleb(5) * 5000000 + b"\0\0",
                 TOP + (uleb(2) + struct.pack("<QQ", 1 << 50, 1)) * 1000000):
        dwarf(case, unit(dies), abbrev(top, plain, block, namespace, leaf))
        expect_names(case.run(), "reads_it", "main")


@row(56)
def abbreviations_and_forms(case):
    top = (1, UNIT, 1, [(LOW, ADDR), (HIGH, DATA8)])
    for table in (b"", b"\0", b"\1", b"\1\x11", b"\xff" * 64, abbrev(top) * 200000,
                  uleb(1) + uleb(UNIT) + b"\1" + (uleb(NAME) + uleb(0x16)) * 1000 + b"\0\0\0",  # DW_FORM_indirect
                  uleb(1) + uleb(UNIT) + b"\1" + (uleb(LOW) + uleb(ADDR)) * 100000 + b"\0\0\0"):
        dwarf(case, unit(TOP + b"\0"), table)
        expect_names(case.run(), "reads_it", "main")
    for size in (b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f", b"\xff" * 64, b"\x80" * 1000):
        dwarf(case, unit(TOP + uleb(2) + size), abbrev(top, (2, FUNCTION, 0, [(NAME, BLOCK_FORM)])))
        expect_names(case.run(), "reads_it", "main")
    # a loop of DW_FORM_indirect, and a name without an end
    dwarf(case, unit(TOP + uleb(2) + uleb(0x16) * 100000), abbrev(top, (2, FUNCTION, 0, [(NAME, 0x16)])))
    expect_names(case.run(), "reads_it", "main")
    dwarf(case, unit(TOP + uleb(2) + EVERYWHERE + b"a" * 100000),
          abbrev(top, (2, FUNCTION, 0, [(LOW, ADDR), (HIGH, DATA8), (NAME, STRING)])))
    expect_names(case.run(), "reads_it", "main")


def line_program(opcodes, unit_length=None):
    head = bytes([1, 1, 1, 0xfb, 14, 13]) + bytes([0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1]) + b"\0" + b"x.c\0\0\0\0\0"
    body = struct.pack("<HI", 4, len(head)) + head + opcodes
    return struct.pack("<I", unit_length if unit_length is not None else len(body)) + body


@row(56)
def line_tables(case):
    top = (1, UNIT, 1, [(LOW, ADDR), (HIGH, DATA8), (STMT, OFFSET)])
    info = unit(TOP + struct.pack("<I", 0) + b"\0")
    start = b"\0\x09\x02" + bytes(8)
    # a row a byte: two million, and forty; a gap says that the larger was left alone
    for count in (1500000, 40000000):
        dwarf(case, info, abbrev(top), (".debug_line", 1, 0, line_program(start + b"\x0d" * count)))
        report = case.run()
        expect_names(report, "reads_it", "main")
    gap(report, "INQ-096")
    # lengths that lie, extended opcodes without an end, advances that wrap
    for program in (line_program(start, 0xfffffff0), line_program(start, 0xffffffff), line_program(b"\0\xff\xff\xff\xff\x7f"),
                    line_program(start + b"\x02" + b"\xff" * 10 + b"\x01" + b"\x03" + b"\x80" * 2000),
                    line_program(start + (b"\x02\xff\xff\xff\xff\x0f\x01") * 10000), line_program(start)[:20], b"\xff" * 50):
        dwarf(case, info, abbrev(top), (".debug_line", 1, 0, program))
        expect_names(case.run(), "reads_it", "main")


@row(57, data=256 << 20)
def claims_of_compressed_sections(case):
    honest = zlib.compress(unit(TOP + b"\0"))
    table = abbrev((1, UNIT, 1, [(LOW, ADDR), (HIGH, DATA8)]))
    for method in (1, 2, 3, 0, 0xffffffff):
        for claim in (1 << 40, MAX64, 1 << 63, 300 << 20, 200 << 20, 0, 1):
            for packed in (honest, b"", b"\x28\xb5\x2f\xfd" + b"\0" * 40):
                dwarf_info = struct.pack("<IIQQ", method, 0, claim, 1) + packed
                case.debug_file([(".debug_info", 1, 0x800, dwarf_info), (".debug_abbrev", 1, 0, table)])
                if method < 3 or claim == 1 << 40:
                    expect_names(case.run(), "reads_it", "main")
    case.debug_file([(".debug_info", 1, 0x800, struct.pack("<IIQQ", 1, 0, 1 << 40, 1) + honest),
                     (".debug_abbrev", 1, 0, table)])
    gap(case.run(), "INQ-096")
    case.debug_file([(".zdebug_info", 1, 0, b"ZLIB" + struct.pack(">Q", 1 << 40) + honest),
                     (".zdebug_abbrev", 1, 0, b"ZLIB" + struct.pack(">Q", len(table)) + zlib.compress(table))])
    gap(case.run(), "INQ-096")
    # 64 MiB of zeroes are unpacked and are no DWARF
    zeroes = zlib.compress(bytes(64 << 20), 9)
    case.debug_file([(".debug_info", 1, 0x800, struct.pack("<IIQQ", 1, 0, 64 << 20, 1) + zeroes),
                     (".debug_abbrev", 1, 0, table)])
    expect_names(case.run(), "reads_it", "main")


def add_section(case, name, data):
    path = os.path.join(case.folder, "section")
    with open(path, "wb") as f:
        f.write(data)
    case.replace(case.bytes)
    subprocess.run(["objcopy", "--add-section", f"{name}={path}", case.program], check=True)


@row(58)
def links_that_lead_away(case):
    secret = os.path.join(case.folder, "secret.debug")
    write_elf(secret, case.build_id, [(".debug_info", 1, 0, b"\0")])
    os.chmod(secret, 0o600)
    os.mkdir(os.path.join(case.folder, ".debug"))
    for name in ("fifo.debug", ".debug/fifo.debug"):
        os.mkfifo(os.path.join(case.folder, name))
    os.symlink("/dev/zero", os.path.join(case.folder, "zero.debug"))
    os.symlink("/etc/shadow", os.path.join(case.folder, "shadow.debug"))
    names = (b"../../../../etc/shadow", b"/etc/shadow", b"/dev/zero", b"..", b".", b"", b"fifo.debug", b"zero.debug",
             b"shadow.debug", b"a" * 255, b"a" * 256, b"a" * 100000, b"x/../fifo.debug", b"\x1b[2J.debug", b"/proc/self/mem")
    for name in names:
        for kind, rest in ((".gnu_debuglink", bytes(4 + -(len(name) + 1) % 4)), (".gnu_debugaltlink", bytes(20)),
                           (".gnu_debugaltlink", b""), (".gnu_debugaltlink", bytes(3000))):
            add_section(case, kind, name + b"\0" + rest)
            report = case.run()
            expect_names(report, "reads_it", "main")
            if "root:" in json.dumps(report):
                raise Wrong("the content of /etc/shadow is in the report")
    for data in (b"", b"no end", b"a\0", b"a\0\0"):
        add_section(case, ".gnu_debuglink", data or b"\0")
        expect_names(case.run(), "reads_it", "main")


@row(59)
def names_that_explode(case):
    data = case.bytes
    header, off, size = section_of(data, 2)
    link, = struct.unpack_from("<I", data, header + 40)
    shoff, = struct.unpack_from("<Q", data, 40)
    strings = shoff + 64 * link
    doubling = b"_Z1fI1AIiiE" + b"".join(b"S_IS%cS%cE".replace(b"%c", bytes([c]) + b"_")
                                        for c in b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[:34]) + b"Evv"
    for name in (b"_Z" + b"1a" * 500000, b"_ZN" + b"1a" * 500000 + b"E", b"_Z1f" + b"P" * 8000 + b"i",
                 b"_ZN" + b"I" * 8000, doubling, b"_RNvC" + b"B_" * 4000, b"_RIC1a" + b"R" * 8000 + b"eE", b"a" * 1000000,
                 b"_Z3f\x1b[2Jv"):
        out = bytearray(data)
        old_off, old_size = struct.unpack_from("<QQ", out, strings + 24)
        table = bytes(out[old_off:old_off + old_size]) + name + b"\0"
        struct.pack_into("<QQ", out, strings + 24, len(out), len(table))
        for at in range(off, off + size, 24):
            text_at, = struct.unpack_from("<I", out, at)
            if bytes(out[old_off + text_at:]).startswith(b"reads_it\0"):
                struct.pack_into("<I", out, at, old_size)
        case.replace(bytes(out) + table)
        path = case.run_any()
        expect_names(path, "main")


@row(60)
def scripts(case):
    proof = os.path.join(case.folder, "proof")
    add_section(case, ".debug_gdb_scripts",
                b"\x04evil\nimport os; os.system('touch " + proof.encode() + b"')\0\x01" + proof.encode() + b"-gdb.py\0")
    with open(os.path.join(case.folder, ".gdbinit"), "w", encoding="ascii") as f:
        f.write(f"shell touch {proof}\n")
    with open(case.program + "-gdb.py", "w", encoding="ascii") as f:
        f.write(f"open({proof!r}, 'w')\n")
    before = os.getcwd()
    os.chdir(case.folder)
    try:
        expect_names(case.run(), "reads_it", "main")
    finally:
        os.chdir(before)
    if os.path.exists(proof):
        raise Wrong("a script was run")


def run_any(self):
    """run(), where the names are ours."""
    before = processor_seconds()
    done = subprocess.run([self.inquest, "triage", "--json", "--no-store", self.core], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=180)
    if done.returncode not in (0, 1, 4):
        raise Wrong(f"exit {done.returncode}: {done.stderr[-300:]}")
    if processor_seconds() - before > 5:
        raise Wrong("took more than 5 s of the processor")
    if re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", done.stdout):
        raise Wrong("a control byte in the output")
    return json.loads(done.stdout)


Case.run_any = run_any


def main():
    os.umask(0o022)  # as root, inquest reads only what all may read
    inquest = os.path.abspath(sys.argv[1])
    try:
        zoo.check_cores_possible()
    except zoo.NoCores as why:
        print(f"skipped: {why}")
        return 77
    passed = failed = 0
    for number, function, seconds, data in ROWS:
        if len(sys.argv) > 3 and str(number) not in sys.argv[3:]:
            continue
        folder = tempfile.mkdtemp(prefix="inquest-symbols-")
        try:
            function(Case(inquest, folder, seconds, data))
            print(f"ok   row {number} {function.__name__}")
            passed += 1
        except (Wrong, subprocess.TimeoutExpired) as why:
            print(f"FAIL row {number} {function.__name__}\n       {str(why)[:600]}")
            failed += 1
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
