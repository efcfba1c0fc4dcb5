#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py INQUEST FOLDER: names, source lines and inlined functions of real crashes, compiled in many ways and
stripped in many ways: against what gdb says of the unstripped program, and against what is written here."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import zoo  # noqa: E402

TESTS = []


class Skip(Exception):
    pass


class Wrong(Exception):
    pass


def test(function):
    TESTS.append(function)
    return function


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skip(f"no {program}")


def run(*command, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
                          timeout=120, **more)
    if done.returncode:
        raise Wrong(f"{' '.join(command)}: {done.stderr[-400:]}")
    return done.stdout


class Case:
    """A folder with a program in it, its core, and what inquest says of it."""

    def __init__(self, inquest, folder):
        self.inquest, self.folder = inquest, folder
        self.program = os.path.join(folder, "crash")
        self.core = None

    def compile(self, *command):
        run(*command, "-o", self.program, cwd=self.folder)

    def crash(self):
        self.core = zoo.crash([self.program], self.folder)

    def report(self, *options):
        done = subprocess.run([self.inquest, "triage", "--json", "--no-store", *options, self.core],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        if done.returncode not in (0, 1, 4):
            raise Wrong(f"exit {done.returncode}: {done.stderr[-300:]}")
        return json.loads(done.stdout)

    def frames(self, *options):
        """[(function, file, line)] up to main, innermost first."""
        report = self.report(*options)
        thread = next(t for t in report["threads"] if t["crashed"])
        out = []
        for f in thread["frames"]:
            out.append((f.get("function"), os.path.basename(f.get("file") or "") or None, f.get("line")))
            if f.get("function") == "main" or len(out) == 20:
                break
        return out

    def gdb(self):
        script = os.path.join(self.folder, "frames.py")
        with open(script, "w", encoding="ascii") as f:
            f.write("""
import json, gdb
out, frame = [], gdb.newest_frame()
while frame is not None and len(out) < 20:
    sal = frame.find_sal()
    out.append([frame.name(), sal.symtab.filename if sal.symtab else None, sal.line])
    if frame.name() in ("main", "crash::main"):
        break
    frame = frame.older()
print("FRAMES " + json.dumps(out))
""")
        out = subprocess.run(["gdb", "-nx", "-batch", "-iex", "set auto-load off", "-iex", "set debuginfod enabled off",
                              "-ex", f"source {script}", self.program, self.core], stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, text=True, timeout=120).stdout
        for line in out.splitlines():
            if line.startswith("FRAMES "):
                return [(re.sub(r"\(\)\([^()]*\)( const)?$", "()", n), os.path.basename(f) if f else None, number)
                        for n, f, number in json.loads(line[7:])]
        raise Wrong("gdb gave no frames")


def same(have, want, what):
    if have != want:
        raise Wrong(f"{what}: {have}\n            want {want}")


CXX = os.path.join(HERE, "crash.cc")
DEEP = ["ns::sum", "ns::(anonymous namespace)::hidden", "ns::outer<ns::Box>(ns::Box, int)::{lambda(int)#1}::operator()",
        "ns::outer<ns::Box>", "main"]
PHYSICAL = ["ns::(anonymous namespace)::hidden", "ns::outer<ns::Box>", "main"]


def cxx_program(case, *flags, compiler="g++"):
    need(compiler)
    case.compile(compiler, "-O2", "-g", *flags, CXX)
    case.crash()


def matrix(compiler, *flags):
    def compiled(case):
        need("gdb")
        cxx_program(case, *flags, compiler=compiler)
        have = case.frames()
        same(have, case.gdb(), "gdb")
        functions = [f[0] for f in have]
        same([f for f in functions if f in DEEP], DEEP, "functions")
        if not all(f[2] for f in have):
            raise Wrong(f"a line is missing: {have}")
    compiled.__name__ = " ".join([compiler, *flags])
    TESTS.append(compiled)


for one in ("g++", "clang++"):
    for more in ((), ("-gdwarf-4",), ("-gdwarf-3",), ("-gz",), ("-gz=zlib-gnu",), ("-O3", "-flto"),
                 ("-ffunction-sections", "-static-pie"), ("-fdebug-types-section",)):
        if one == "clang++" and more and more[0] in ("-gz=zlib-gnu", "-O3"):
            continue
        matrix(one, *more)


@test
def rust_legacy_and_v0(case):
    need("rustc")
    for scheme in ("legacy", "v0"):
        try:
            run("rustc", "--edition", "2021", "-g", "-O", "-C", f"symbol-mangling-version={scheme}",
                *(["-Z", "unstable-options"] if scheme == "legacy" else []), "--crate-name", "crash",
                os.path.join(HERE, "crash.rs"), "-o", case.program)
        except Wrong as why:
            if scheme == "legacy":  # the old way has to be asked for, and only a nightly compiler takes it
                try:
                    run("rustc", "--edition", "2021", "-g", "-O", "--crate-name", "crash",
                        os.path.join(HERE, "crash.rs"), "-o", case.program)
                except Wrong:
                    raise Skip(f"rustc does not work here: {str(why)[:60]}") from None
            else:
                raise
        case.crash()
        thread = next(t for t in case.report()["threads"] if t["crashed"])
        frames = thread["frames"]
        names = [f.get("function") for f in frames]
        for name in ("crash::deep::add", "crash::main"):
            if not any(n and n.split("::<")[0].split("<")[0] == name for n in names):
                raise Wrong(f"{scheme}: no {name} in {names[:8]}")
        if not any(n and n.endswith("::read") or n and "Reader" in n for n in names):
            raise Wrong(f"{scheme}: the inlined function is missing: {names[:8]}")
        raw = [f["symbol"] for f in frames if f.get("symbol")]
        if not any(r.startswith("_R" if scheme == "v0" else "_ZN") for r in raw):
            raise Wrong(f"{scheme}: raw names {raw}")
        at = next(f for f in frames if f.get("file", "").endswith("crash.rs"))
        if at["line"] < 9:
            raise Wrong(f"{scheme}: {at}")


def strip_to(case, *options):
    run("objcopy", "--only-keep-debug", case.program, case.program + ".debug")
    run("objcopy", *(options or ("--strip-all",)), case.program)


@test
def stripped(case):
    """No names but those of .dynsym: nothing is made up."""
    cxx_program(case)
    run("strip", case.program)
    have = [f[0] for f in case.frames()]
    if any(f in DEEP for f in have[:3]):
        raise Wrong(f"names out of nowhere: {have}")


@test
def debug_file_by_build_id(case):
    cxx_program(case)
    want = case.frames()
    strip_to(case)
    build_id = re.search(r"Build ID: ([0-9a-f]+)", run("readelf", "-n", case.program))[1]
    tree = os.path.join(case.folder, "tree", ".build-id", build_id[:2])
    os.makedirs(tree)
    os.rename(case.program + ".debug", os.path.join(tree, build_id[2:] + ".debug"))
    same(case.frames("--debug-dir", os.path.join(case.folder, "tree")), want, "by build-id")
    if case.frames() == want:
        raise Wrong("found without --debug-dir")


@test
def debug_files_that_are_closed_to_others(case):
    """With umask 077 a debug file is its owner's alone. Root reads it where the user named its folder; elsewhere a gap
    says that it is there and what to do. What a link in the named folder leads to elsewhere stays closed."""
    cxx_program(case)
    want = case.frames()
    strip_to(case, "--strip-all", f"--add-gnu-debuglink={case.program}.debug")
    debug = case.program + ".debug"
    os.chmod(debug, 0o600)

    def told():
        return [g for g in case.report()["gaps"] if g["code"] == "INQ-072" and "debug file" in g["what"]]

    if os.geteuid() == 0:
        if case.frames() == want:
            raise Wrong("root read what is closed to others")
        if len(told()) != 1 or "--debug-dir" not in told()[0]["why"]:
            raise Wrong(f"the gap: {case.report()['gaps']}")
    else:
        same(case.frames(), want, "its own file")
    os.chmod(debug, 0o644)
    same(case.frames(), want, "readable by everyone")
    if told():
        raise Wrong("a gap about a file that was read")
    os.chmod(debug, 0o600)
    build_id = re.search(r"Build ID: ([0-9a-f]+)", run("readelf", "-n", case.program))[1]
    tree = os.path.join(case.folder, "tree")
    place = os.path.join(tree, ".build-id", build_id[:2])
    named = os.path.join(place, build_id[2:] + ".debug")
    os.makedirs(place)
    if os.geteuid() == 0:
        os.symlink(debug, named)
        if case.frames("--debug-dir", tree) == want:
            raise Wrong("root followed a link out of the folder to a file that is closed to others")
        os.unlink(named)
    os.rename(debug, named)
    same(case.frames("--debug-dir", tree), want, "in a folder that was named")


@test
def debug_file_by_link(case):
    """Beside the program, in .debug there, in a tree; and one whose sum is not the right one."""
    cxx_program(case, "-Wl,--build-id=none")
    want = case.frames("--trust-paths")
    same([f[0] for f in want if f[0] in DEEP], DEEP, "before")
    strip_to(case)
    run("objcopy", f"--add-gnu-debuglink={case.program}.debug", case.program)
    same(case.frames("--trust-paths"), want, "beside it")
    hidden = os.path.join(case.folder, ".debug")
    os.mkdir(hidden)
    os.rename(case.program + ".debug", os.path.join(hidden, "crash.debug"))
    same(case.frames("--trust-paths"), want, "in .debug")
    tree = os.path.join(case.folder, "tree") + case.folder
    os.makedirs(tree)
    os.rename(os.path.join(hidden, "crash.debug"), os.path.join(tree, "crash.debug"))
    same(case.frames("--trust-paths", "--debug-dir", os.path.join(case.folder, "tree")), want, "in a tree")
    path = os.path.join(tree, "crash.debug")
    with open(path, "r+b") as f:
        f.seek(os.path.getsize(path) - 1)
        last = f.read(1)
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([last[0] ^ 1]))
    have = case.frames("--trust-paths", "--debug-dir", os.path.join(case.folder, "tree"))
    if any(f[0] in DEEP[:4] for f in have):
        raise Wrong(f"a debug file with another sum was used: {have}")


@test
def debug_link_with_another_build_id(case):
    """The sum is right and the build-id is another program's: it is not used."""
    cxx_program(case)
    strip_to(case)
    other = os.path.join(case.folder, "other")
    run("g++", "-O1", "-g", CXX, "-o", other)
    run("objcopy", "--only-keep-debug", other, case.program + ".debug")
    run("objcopy", f"--add-gnu-debuglink={case.program}.debug", case.program)
    have = case.frames()
    if any(f[0] in DEEP[:4] for f in have):
        raise Wrong(f"used: {have}")


@test
def dwz_alternate(case):
    """Two programs share what dwz took out of both; without that file no name is wrong."""
    need("dwz")
    cxx_program(case)
    want = case.frames()
    other = os.path.join(case.folder, "other")
    source = os.path.join(case.folder, "other.cc")
    with open(CXX, encoding="ascii") as f, open(source, "w", encoding="ascii") as out:
        out.write(f.read().replace("+ 3", "+ 4"))
    run("g++", "-O2", "-g", source, "-o", other)
    tree = os.path.join(case.folder, "tree")
    os.makedirs(os.path.join(tree, ".dwz"))
    common = os.path.join(tree, ".dwz", "common.debug")
    run("dwz", "-m", common, "-M", "../../.dwz/common.debug", case.program, other)
    if "gnu_debugaltlink" not in run("readelf", "-SW", case.program):
        raise Skip("dwz moved nothing")
    same(case.frames("--debug-dir", tree), want, "with the alternate")
    build_id = re.search(r"Build ID: ([0-9a-f]+)", run("readelf", "-n", common))[1]
    os.makedirs(os.path.join(tree, ".build-id", build_id[:2]))
    os.rename(common, os.path.join(tree, ".build-id", build_id[:2], build_id[2:] + ".debug"))
    same(case.frames("--debug-dir", tree), want, "by build-id")
    without = case.report()
    wanted = {f[0] for f in want}
    for f in next(t for t in without["threads"] if t["crashed"])["frames"]:
        if f.get("function") and f["function"] not in wanted and not f["function"].startswith(("_", "main")):
            raise Wrong(f"without the alternate: {f}")
    if not any(g["code"] == "INQ-093" and "altlink" in (g.get("why") or "") for g in without["gaps"]):
        raise Wrong(f"no gap: {without['gaps']}")


@test
def mini_debug_info(case):
    """As Fedora builds it: functions' symbols in an xz file inside of the program."""
    need("xz")
    cxx_program(case)
    mini, names = os.path.join(case.folder, "mini"), os.path.join(case.folder, "names")
    with open(names, "w", encoding="ascii") as f:
        f.writelines(line.split()[-1] + "\n" for line in run("nm", case.program).splitlines()
                     if re.search(" [tTwW] ", line))
    run("objcopy", "-S", f"--keep-symbols={names}", "--remove-section", ".comment", case.program, mini)
    run("strip", case.program)
    run("xz", mini)
    run("objcopy", "--add-section", f".gnu_debugdata={mini}.xz", case.program)
    same([f[0] for f in case.frames()], PHYSICAL, "names")
    # damaged: a gap, and no names
    with open(mini + ".xz", "r+b") as f:
        f.seek(200)
        f.write(b"\xff" * 64)
    run("objcopy", "--update-section", f".gnu_debugdata={mini}.xz", case.program)
    report = case.report()
    if not any(g["code"] == "INQ-095" for g in report["gaps"]):
        raise Wrong(f"no gap: {report['gaps']}")


@test
def keys_do_not_depend_on_debug_information(case):
    cxx_program(case)
    full = case.report()["group"]
    run("objcopy", "--strip-debug", case.program)
    bare = case.report()["group"]
    for key in ("exact", "bug", "frames"):
        if full[key] != bare[key]:
            raise Wrong(f"{key}: {full[key]} and {bare[key]}")


@test
def compressed_with_zstd(case):
    """binutils 2.40 writes it, elfutils 0.188 does not read it: we unpack it ourselves."""
    cxx_program(case)
    want = case.frames()
    try:
        run("objcopy", "--compress-debug-sections=zstd", case.program)
    except Wrong as why:
        raise Skip(f"objcopy does not: {str(why)[:80]}") from None
    same(case.frames(), want, "zstd")


def main():
    inquest, programs = os.path.abspath(sys.argv[1]), sys.argv[2]
    os.makedirs(programs, exist_ok=True)
    try:
        zoo.check_cores_possible()
    except zoo.NoCores as why:
        print(f"skipped: {why}")
        return 77
    passed = failed = 0
    for function in TESTS:
        if len(sys.argv) > 3 and function.__name__ not in sys.argv[3:]:
            continue
        folder = tempfile.mkdtemp(prefix="inquest-names-")
        try:
            function(Case(inquest, folder))
            print(f"ok   {function.__name__}")
            passed += 1
        except (Skip, zoo.NoCores) as why:
            print(f"skipped: {function.__name__}: {why}")
        except Wrong as why:
            print(f"FAIL {function.__name__}\n       {why}")
            failed += 1
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
