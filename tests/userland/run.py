#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py INQUEST FOLDER [--only USERLAND] [CASE...]: cores of other user lands.

The programs of the zoo, and a few more, are built and crashed inside Debian 11, 13 and sid (chroot) and against
musl. Each core is read three times: with --sysroot (every frame of every thread, the truth of cases.yaml, gdb's
names), without it (fewer frames, but no name that the first reading does not have, no claim that it does not
make, one gap that asks for --sysroot), and with another user land's folder (no wrong name).

The user lands are kept in $INQUEST_CACHE, or in FOLDER.
"""
import argparse
import copy
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]
import roots  # noqa: E402
import zoo  # noqa: E402

_spec = importlib.util.spec_from_file_location("zoo_run", os.path.join(HERE, "..", "zoo", "run.py"))
zoo_run = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(zoo_run)

DEBIANS = ["bullseye", "trixie", "sid"]
INSIDE = "/inquest-zoo"
OUTERMOST = {"_start", "clone", "clone3", "__clone", "__clone3"}
G_FOREIGN, G_CUT_STACK = "INQ-075", "INQ-091"


def load_yaml():
    import yaml
    with open(os.path.join(HERE, "cases.yaml"), encoding="utf-8") as f:
        return yaml.safe_load(f)


# ---- the truth, there -----------------------------------------------------------------------------------------

def applies(row, case, libc):
    """libc: a glibc version (2, 31), or "musl"."""
    if "case" in row and case["id"] not in row["case"]:
        return False
    if "libc" in row:
        return row["libc"] == libc
    if libc == "musl":
        return "glibc" not in row
    low, high = (v and tuple(int(p) for p in v.split(".")) for v in row.get("glibc", [None, None]))
    return (low is None or libc >= low) and (high is None or libc <= high)


def truth_there(case, differences, libc):
    """The case with what is different with that libc; and why."""
    case, whys = copy.deepcopy(case), []
    for row in differences:
        if not applies(row, case, libc):
            continue
        if "why" in row:
            whys.append(row["why"])
        for key, value in row.get("truth", {}).items():
            if key == "facts":
                gone = tuple(k[:-1] for k in value if k.endswith("*"))
                facts = {k: v for k, v in case["truth"].get("facts", {}).items() if not gone or not k.startswith(gone)}
                facts.update(value)
                case["truth"]["facts"] = {k: v for k, v in facts.items() if v is not None}
            else:
                case["truth"][key] = value
        case.update({k: row[k] for k in ("gdb", "outermost", "guessed", "skip") if k in row})
    return case, whys


# ---- programs -------------------------------------------------------------------------------------------------

class Debian:
    """A folder with a Debian in it, its compiler, and where programs of it crash."""
    compiler = "gcc"

    def __init__(self, name, cache):
        self.name, self.root = name, roots.debian(name, cache)
        self.libc = roots.glibc_version(self.root)
        self.sysroot = ["--sysroot", self.root]
        self.gdb = ["-iex", f"set sysroot {self.root}", "-iex",
                    f"set debug-file-directory {self.root}/usr/lib/debug"]
        home = self.root + INSIDE
        shutil.rmtree(home, ignore_errors=True)
        for part in ("src", "bin", "work"):
            os.makedirs(os.path.join(home, part))
        for folder in (zoo.ZOO, HERE):
            for source in os.listdir(folder):
                if source.endswith((".c", ".cpp")):
                    shutil.copy(os.path.join(folder, source), home + "/src")

    def has(self, compiler):
        return os.path.exists(os.path.join(self.root, "usr/bin", compiler))

    def compile(self, arguments, compiler="gcc"):
        return subprocess.run(["chroot", self.root, compiler] + arguments, stderr=subprocess.PIPE, text=True)

    def place(self, part, name):
        return f"{INSIDE}/{part}/{name}"

    def program_here(self, name):
        return self.root + self.place("bin", name)

    def crash(self, command, kill, stack_kib):
        return zoo.crash(command, self.root + INSIDE + "/work", kill, root=self.root, stack_kib=stack_kib)

    def close(self):
        shutil.rmtree(self.root + INSIDE, ignore_errors=True)


class Musl:
    """Programs against musl, on this machine."""
    compiler = "musl-gcc"

    def __init__(self, name, _cache):
        if not shutil.which("musl-gcc"):
            raise roots.Missing("no musl-gcc here")
        self.name, self.libc, self.sysroot, self.gdb = name, "musl", [], []
        self.folder = tempfile.mkdtemp(prefix="inquest-musl-")

    def has(self, compiler):
        return compiler == "gcc" # there is no C++ library for it

    def compile(self, arguments, compiler="gcc"):
        # Its spec file asks for no build-id.
        return subprocess.run(["musl-gcc", "-Wl,--build-id"] + arguments, stderr=subprocess.PIPE, text=True)

    def place(self, part, name):
        if part == "src":
            here = os.path.join(HERE, name)
            return here if os.path.exists(here) else os.path.join(zoo.ZOO, name)
        return os.path.join(self.folder, name)

    def program_here(self, name):
        return self.place("bin", name)

    def crash(self, command, kill, stack_kib):
        return zoo.crash(command, self.folder, kill, stack_kib=stack_kib)

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def source_of(case):
    """Of the zoo, or of this folder."""
    own = os.path.join(HERE, case.get("source", case["id"].replace("-", "_")) + ".c")
    return own if os.path.exists(own) else zoo.source_of(case)


def compiler_of(case):
    return "g++" if source_of(case).endswith(".cpp") else "gcc"


def program_of(case):
    return case.get("program", case["id"])


def build(land, case):
    """Builds a case's program in there; None, or what the compiler said."""
    libraries = []
    for name in [case[kind] for kind in ("library", "plugin") if kind in case]:
        done = land.compile(["-g", "-O1", "-shared", "-fPIC", land.place("src", name + ".c"), "-o",
                             land.place("bin", f"lib{name}.so")])
        if done.returncode:
            return done.stderr
        if name == case.get("library"):
            libraries = ["-L" + os.path.dirname(land.place("bin", "x")), f"-l{name}", "-Wl,-rpath," + os.path.dirname(land.place("bin", "x"))]
    source = os.path.basename(source_of(case))
    done = land.compile(["-g"] + case.get("build", ["-O1"]) + [land.place("src", source), "-o",
                                                                land.place("bin", program_of(case))]
                        + libraries + case.get("link", []), compiler_of(case))
    return done.stderr if done.returncode else None


# ---- readings -------------------------------------------------------------------------------------------------

def triage(inquest, core, options):
    done = subprocess.run([inquest, "triage", "--json", "--no-store", "--klog", "none"] + options + [core], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=300)
    try:
        report = json.loads(done.stdout)
    except ValueError:
        raise AssertionError(f"exit {done.returncode}, no JSON: {done.stderr[:200]!r}") from None
    if "threads" not in report:
        raise AssertionError(f"{options}: exit {done.returncode}, {report.get('error')}")
    return done.returncode, report


def names_by_pc(report):
    """{pc: names}; an inlined frame shares its pc with the one it was inlined into."""
    names = {}
    for thread in report["threads"]:
        for frame in thread.get("frames") or []:
            if frame.get("function"):
                names.setdefault(frame["pc"], set()).add(frame["function"])
    return names


def firm(report):
    """What it claims as more than possible."""
    return {v["signature"] for v in report.get("verdicts") or [] if v.get("grade") in ("proven", "strong")}


def check_whole(case, report, code):
    """Read with the right files: the truth, and every thread to its outermost frame."""
    truth = {"verdict": "any", **case["truth"]}
    for problem in zoo_run.check(dict(case, truth=truth), report, code):
        if truth["verdict"] != "any" or not problem.startswith("first verdict"):
            yield problem
    if not case.get("outermost", True):
        return
    for thread in report["threads"]:
        frames = thread.get("frames") or [{}]
        last = frames[-1].get("function")
        if not thread.get("complete"):
            yield f"thread {thread['tid']} ends at {last or frames[-1].get('pc')}: {thread.get('stop')}"
        elif last not in OUTERMOST and "-s" not in case.get("build", []):
            yield f"thread {thread['tid']} has the outermost frame {last}"
        guessed = [f for f in frames if f.get("trust") not in ("context", "cfi", "rule")]
        if guessed and not case.get("guessed"):
            yield f"thread {thread['tid']}: frame {guessed[0].get('index')} by {guessed[0].get('trust')}"
    for gap in report.get("gaps") or []:
        if gap["code"] in (G_FOREIGN, G_CUT_STACK):
            yield f"gap {gap['code']} {gap.get('where')}: {gap.get('why')}"


def check_part(whole, part, foreign, static):
    """Read without the right files: never more than with them."""
    right, threads = names_by_pc(whole), {t["tid"]: t for t in whole["threads"]}
    for thread in part["threads"]:
        most = len(threads[thread["tid"]].get("frames") or [])
        frames = [f for f in thread.get("frames") or [] if f.get("trust") != "scan"]
        if len(frames) > most:
            yield f"thread {thread['tid']} has {len(frames)} frames, {most} with the files"
        for frame in thread.get("frames") or []:
            name = frame.get("function")
            if name and name not in right.get(frame["pc"], ()):
                yield f"wrong name at {frame['pc']}: {name}, it is {sorted(right.get(frame['pc'], ['?']))}"
    for signature in firm(part) - firm(whole):
        yield f"claims {signature}, not claimed with the files"
    have, want = zoo_run.fact(part, "fault.function"), zoo_run.fact(whole, "fault.function")
    if have is not zoo_run.MISSING and have != want:
        yield f"fault.function is {have}"
    gaps = [g for g in part.get("gaps") or [] if g["code"] == G_FOREIGN]
    if foreign and (len(gaps) != 1 or "--sysroot" not in json.dumps(gaps)):
        yield f"gaps that ask for --sysroot: {gaps}"
    if foreign and not static and not part["core"].get("foreign_root"):
        yield "core.foreign_root is not true"


def against_gdb(land, case, report, core):
    program = land.program_here(program_of(case))
    theirs = zoo_run.gdb_frames(program, core, os.path.dirname(core), land.gdb)
    for problem in zoo_run.against_gdb(report, theirs):
        yield "gdb: " + problem


def run_case(inquest, land, case, other_root, empty):
    """(problems, what was read)"""
    failure = build(land, case)
    if failure:
        return [f"does not build: {failure.strip().splitlines()[-1][:150]}"]
    core = land.crash([land.place("bin", program_of(case))] + case.get("run", []), case.get("kill"),
                      case.get("stack_kib"))
    if "cut" in case:
        zoo.cut(core, case["cut"])
    try:
        code, whole = triage(inquest, core, land.sysroot)
        problems = list(check_whole(case, whole, code))
        if case.get("gdb", True) and "cut" not in case and shutil.which("gdb"):
            problems += against_gdb(land, case, whole, core)
        static = any(o.startswith("-static") for o in case.get("build", []))
        readings = [("no sysroot", [] if land.sysroot else ["--sysroot", empty], True)]
        if other_root:
            readings.append(("wrong sysroot", ["--sysroot", other_root], False))
        for name, options, foreign in readings:
            _, part = triage(inquest, core, options)
            problems += [f"{name}: {p}" for p in check_part(whole, part, foreign, static)]
        return problems
    finally:
        if not os.environ.get("INQUEST_KEEP_CORES"):
            shutil.rmtree(os.path.dirname(core), ignore_errors=True)


def run_land(inquest, land, cases, differences, other_root, chosen):
    failed = passed = 0
    with tempfile.TemporaryDirectory() as empty:
        for case in cases:
            if chosen and case["id"] not in chosen:
                continue
            case, whys = truth_there(case, differences, land.libc)
            if case.get("skip"):
                continue
            if case.get("compiler", land.compiler) != land.compiler or "needs" in case:
                continue
            if not land.has(compiler_of(case)):
                continue
            try:
                problems = run_case(inquest, land, case, other_root, empty)
            except zoo.CannotHere:
                continue
            except (AssertionError, subprocess.SubprocessError) as why:
                problems = [str(why)]
            if problems:
                print(f"FAIL {land.name} {case['id']}")
                for line in problems[:12] + [f"(here: {w})" for w in whys]:
                    print(f"       {line}")
            failed, passed = failed + bool(problems), passed + (not problems)
    print(f"{land.name}: {passed} right, {failed} wrong", flush=True)
    return passed, failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("inquest")
    parser.add_argument("folder")
    parser.add_argument("--only")
    parser.add_argument("case", nargs="*")
    args = parser.parse_args()
    inquest, extra = os.path.abspath(args.inquest), load_yaml()
    cache = os.environ.get("INQUEST_CACHE") or os.path.join(os.path.abspath(args.folder), "userlands")
    cases = zoo.load_cases() + extra["extra"]
    try:
        zoo.check_cores_possible()
    except zoo.NoCores as why:
        print(f"skipped: {why}")
        return 77
    passed = failed = 0
    previous = None
    for name in DEBIANS + ["musl"]:
        if args.only and name != args.only:
            continue
        try:
            land = (Musl if name == "musl" else Debian)(name, cache)
        except roots.Missing as why:
            print(f"skipped: {name}: {why}")
            continue
        try:
            done = run_land(inquest, land, cases, extra["differences"], previous, args.case)
        finally:
            # The programs of one user land stay until the next has been read with them as the wrong files.
            if not os.environ.get("INQUEST_KEEP_CORES"):
                shutil.rmtree(land.root + INSIDE + "/work" if name != "musl" else land.folder, ignore_errors=True)
        previous = getattr(land, "root", previous)
        passed, failed = passed + done[0], failed + done[1]
    print(f"{passed} passed, {failed} failed")
    if not passed and not failed:
        return 77
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
