#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py INQUEST PROGRAMS [CASE...]: crashes the programs of fixtures/zoo for real and holds inquest's reports
against the truth in cases.yaml; where gdb is installed, every thread's frames against gdb's."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import zoo  # noqa: E402

CLAIMS = ("proven", "strong", "plausible")
MISSING = object()


def fact(report, path):
    """The value at a path; crashed. and frame[N]. as in signatures."""
    at = report
    path = re.sub(r"^frame\[", "crashed.frames[", path)
    for part in re.findall(r"[^.\[\]]+", path):
        if part == "crashed" and at is report:
            at = next((t for t in report.get("threads") or [] if t.get("crashed")), MISSING)
        elif isinstance(at, list) and part.isdigit():
            at = at[int(part)] if int(part) < len(at) else MISSING
        else:
            at = at.get(part, MISSING) if isinstance(at, dict) else MISSING
        if at is MISSING or at is None:
            return MISSING
    return at


def check_frames(report, wanted):
    frames = fact(report, "crashed.frames")
    have = [] if frames is MISSING else [f.get("function") or "?" for f in physical(frames)]
    at = 0
    for name in wanted:
        plain = [h.lstrip("_") for h in have]
        try:
            at = plain.index(name.lstrip("_"), at) + 1
        except ValueError:
            yield f"frames: no {name} in order in {have[:12]}"
            return


def check(case, report, code):
    truth = case["truth"]
    if code not in truth.get("exit", [0, 1]):
        yield f"exit {code}"
    verdicts = report.get("verdicts") or []
    claims = [v for v in verdicts if v.get("grade") in CLAIMS]
    first = claims[0]["signature"] if claims else None
    if first != truth["verdict"]:
        yield f"first verdict {first}, want {truth['verdict']}"
    elif "grade" in truth and claims[0]["grade"] not in truth["grade"]:
        yield f"grade {claims[0]['grade']}, want {truth['grade']}"
    for name in truth.get("must_not_blame", []):
        if any(v["signature"] == name for v in claims):
            yield f"blames {name}"
    for path, want in truth.get("facts", {}).items():
        have = fact(report, path)
        if want == "absent":
            if have is not MISSING:
                yield f"{path} is {have!r}, want nothing"
        elif want == "exists":
            if have is MISSING:
                yield f"{path} is missing"
        elif isinstance(want, dict) and set(want) == {"starts"}:
            if not isinstance(have, str) or not have.startswith(want["starts"]):
                yield f"{path} is {'missing' if have is MISSING else repr(have)}, want {want['starts']!r} first"
        elif isinstance(want, dict) and set(want) == {"ends"}:
            if not isinstance(have, str) or not have.endswith(want["ends"]):
                yield f"{path} is {'missing' if have is MISSING else repr(have)}, want {want['ends']!r} last"
        elif have != want:
            yield f"{path} is {'missing' if have is MISSING else repr(have)}, want {want!r}"
    yield from check_frames(report, truth.get("frames", []))


def check_stack(report, core):
    """The stack's bounds against what the program wrote down itself: pthread_getattr_np(3)."""
    try:
        with open(os.path.join(os.path.dirname(core), "stack"), encoding="ascii") as f:
            low, size, guard = f.read().split()
    except FileNotFoundError:
        return
    stack = fact(report, "crashed.stack")
    main = fact(report, "crashed.tid") == fact(report, "process.pid")
    if main and stack.get("overflow_kind") != "recursion" or stack.get("source") == "signal-frame":
        return  # the main stack had not grown to its limit; a signal stack is another one
    if int(stack["start"], 16) != int(low, 16):
        yield f"stack starts at {stack['start']}, want {low}"
    # the limit counts what lies above the main stack; musl leaves its own share of the top page out
    if not main and -(-int(size) // 4096) * 4096 != stack["size_bytes"]:
        yield f"stack has {stack['size_bytes']} bytes, want {size}"
    if not main and stack.get("guard_bytes") != int(guard):
        yield f"guard has {stack.get('guard_bytes')} bytes, want {guard}"


TRAPS = {0: "divide-error", 1: "debug", 3: "breakpoint", 6: "invalid-opcode", 12: "stack-segment",
         13: "general-protection", 14: "page-fault", 16: "x87-error", 17: "alignment-check", 19: "simd-error"}


def check_cpu(case, program, report):
    """What is said of exception and error code against what the kernel tells a handler of the same fault."""
    if case.get("source") != "cpu_refuses" or fact(report, "fault") is MISSING or case["id"] == "cpu-undeliverable":
        return
    done = subprocess.run([program] + case["run"] + ["measure"], stdout=subprocess.PIPE, text=True, timeout=20)
    _, trap, code = (int(n) for n in done.stdout.split())
    have = fact(report, "fault.trap"), fact(report, "fault.error_code.value")
    if have[0] is not MISSING and have[0] != TRAPS.get(trap):
        yield f"exception {have[0]}, the CPU reported {trap}"
    if have[1] is not MISSING and have[1] != code:
        yield f"error code {have[1]}, the CPU reported {code}"


GDB_SCRIPT = """
import json, gdb
out = {}
for thread in gdb.selected_inferior().threads():
    thread.switch()
    frames, frame = [], gdb.newest_frame()
    while frame is not None and len(frames) < 60:
        # An inlined frame shares its pc with the one it was inlined into: a name, not a frame. A tail
        # call's frame is no longer on the stack: gdb infers it from DWARF.
        if frame.type() == gdb.TAILCALL_FRAME:
            pass
        else:
            if not frames or not frames[-1]["inline"]:
                frames.append({"pc": frame.pc(), "names": [], "places": [],
                               "signal": frame.type() == gdb.SIGTRAMP_FRAME})
            sal = frame.find_sal()
            frames[-1]["names"].append(frame.name())
            frames[-1]["places"].append([frame.name(), sal.symtab.filename if sal.symtab else None, sal.line])
            frames[-1]["inline"] = frame.type() == gdb.INLINE_FRAME
        frame = frame.older()
    for frame in frames:
        symbol = gdb.execute("info symbol %d" % frame["pc"], to_string=True).split()
        frame["names"].append(None if symbol[0] == "No" else symbol[0])
    out[thread.ptid[1]] = frames
print("FRAMES " + json.dumps(out))
"""


def gdb_frames(program, core, folder, options=()):
    """{tid: [{pc, names, signal}]}: the physical frames as gdb walks them, with every name it knows for each."""
    script = os.path.join(folder, "frames.py")
    with open(script, "w", encoding="ascii") as f:
        f.write(GDB_SCRIPT)
    out = subprocess.run(["gdb", "-nx", "-batch", "-iex", "set auto-load off", "-iex", "set debuginfod enabled off",
                          *options, "-ex", "set backtrace past-main on", "-ex", "set backtrace past-entry on",
                          "-ex", f"source {script}", program, core],
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=120,
                         errors="replace").stdout
    for line in out.splitlines():
        if line.startswith("FRAMES "):
            return {int(tid): frames for tid, frames in json.loads(line[7:]).items()}
    raise AssertionError(f"gdb gave no frames: {out[-300:]}")


def plain(name):
    """One spelling for the aliases of one function in libc."""
    if name is None:
        return None
    name = re.sub(r"\(.*\)$", "", name)  # of a C++ function gdb gives its parameters
    name = re.sub(r"(@.*|(_impl|\.(part|cold|isra|constprop)(\.\d+)?)+)$", "", name).lstrip("_")
    return re.sub(r"^((GI|libc|IO_new|IO)_+)+", "", name).lstrip("_")


def physical(frames):
    """Without the functions that were inlined: those are names for a part of another one's code."""
    return [f for f in frames or [] if not f.get("inlined")]


def places_against_gdb(tid, frames, theirs):
    """The functions that were inlined and the source lines, of each frame that gdb has them for. Where debug
    information was not read (libc's is compressed) there is nothing to compare."""
    for frame in theirs:
        own = [f for f in frames if int(f["pc"], 16) == frame["pc"]]
        if own:  # a recursion has the same pc again and again: one of them will do
            own = [f for f in own if f["index"] == own[0]["index"]]
        if not any(f.get("line") for f in own) or frame["signal"]:
            continue
        # At the very first instruction of an inlined function gdb shows the call instead.
        want = [(plain(n), os.path.basename(f or ""), line) for n, f, line in frame["places"]]
        have = [(plain(f.get("function")), os.path.basename(f.get("file") or ""), f.get("line")) for f in own]
        if have != want and have[len(have) - len(want):] != want:
            yield f"thread {tid} frame {own[0]['index']}: gdb {want} we {have}"


def against_gdb(report, theirs, limit=40):
    """Every thread's frames: the same pcs in the same order, and for each a name that gdb knows too."""
    ours = {t["tid"]: t.get("frames") or [] for t in report["threads"]}
    if sorted(theirs) != sorted(ours):
        yield f"gdb has threads {len(theirs)}, we have {len(ours)}"
        return
    for tid, frames in theirs.items():
        yield from places_against_gdb(tid, ours[tid], frames)
        mine = [f for f in physical(ours[tid]) if f["trust"] in ("context", "cfi", "rule", "frame-pointer")]
        want, have = [f["pc"] for f in frames[:limit]], [int(f["pc"], 16) for f in mine[:limit]]
        if want != have:
            yield (f"thread {tid}: gdb {[(hex(f['pc']), f['names'][0]) for f in frames[:limit]][-6:]} "
                   f"we {[(f['pc'], f.get('function')) for f in mine[:limit]][-6:]}")
            continue
        for frame, own in zip(frames, mine):
            names = {plain(n) for n in frame["names"]}
            if not frame["signal"] and plain(own.get("function")) not in names:
                yield f"thread {tid} frame {own['index']}: gdb {names} we {own.get('function')}"


def stacks_alone(inquest, core, report):
    """--stacks looks at fewer files, and has to find the same frames."""
    done = subprocess.run([inquest, "triage", "--json", "--stacks", "--no-store", core], stdout=subprocess.PIPE,
                          timeout=120)
    alone = {t["tid"]: t.get("frames") for t in json.loads(done.stdout).get("threads", [])}
    for thread in report.get("threads", []):
        frames = physical(thread.get("frames"))
        for one, other in zip(frames, alone.get(thread["tid"]) or []):
            for key in ("pc", "function", "trust", "kind"):
                if one.get(key) != other.get(key):
                    return [f"--stacks: thread {thread['tid']} frame {one['index']} {key}: {other.get(key)}, "
                            f"not {one.get(key)}"]
        if len(frames) != len(alone.get(thread["tid"]) or []):
            return [f"--stacks: thread {thread['tid']} has {len(alone.get(thread['tid']) or [])} frames"]
    return []


def against_schema(report, cache=[]):
    """What the installed JSON Schema has to say against the report."""
    if not cache:
        import jsonschema
        with open(os.path.join(zoo.TOP, "docs", "report.schema.json"), encoding="utf-8") as f:
            schema = json.load(f)
        cache.append(jsonschema.validators.validator_for(schema)(schema))
    for error in list(cache[0].iter_errors(report))[:5]:
        yield f"schema: {'/'.join(map(str, error.absolute_path))}: {error.message[:120]}"


def keep(case, report, programs):
    """For tests/accuracy, which asks the same reports another question."""
    os.makedirs(os.path.join(programs, "reports"), exist_ok=True)
    with open(os.path.join(programs, "reports", case["id"] + ".json"), "w", encoding="utf-8") as f:
        json.dump(report, f)


def run_case(inquest, case, programs, folder):
    program, core = zoo.make_core(case, programs, folder)
    # what the core alone tells: tests/join holds it against the kernel's log
    done = subprocess.run([inquest, "triage", "--json", "--no-store", "--klog", "none", core], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=120)
    try:
        report = json.loads(done.stdout)
    except ValueError:
        return [f"exit {done.returncode}, no JSON: {done.stderr[:200]!r}"]
    keep(case, report, programs)
    problems = list(check(case, report, done.returncode)) + stacks_alone(inquest, core, report)
    problems += check_stack(report, core)
    problems += check_cpu(case, program, report)
    problems += against_schema(report)
    if shutil.which("gdb") and case.get("gdb", True) and "cut" not in case:
        problems += against_gdb(report, gdb_frames(program, core, folder))
    shutil.rmtree(os.path.dirname(core), ignore_errors=True)
    return problems


def main():
    inquest, programs = os.path.abspath(sys.argv[1]), sys.argv[2]
    os.makedirs(programs, exist_ok=True)
    failed = passed = 0
    try:
        zoo.check_cores_possible()
    except zoo.NoCores as why:
        print(f"skipped: {why}")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        for case in zoo.load_cases():
            if len(sys.argv) > 3 and case["id"] not in sys.argv[3:]:
                continue
            why = zoo.why_skipped(case)
            if why:
                print(f"skipped: {case['id']}: {why}")
                continue
            try:
                problems = run_case(inquest, case, programs, folder)
            except zoo.CannotHere as why:
                if not case.get("may_skip"):
                    raise
                print(f"skipped: {case['id']}: {why}")
                continue
            print(f"{'FAIL' if problems else 'ok  '} {case['id']}")
            for problem in problems:
                print(f"       {problem}")
            failed, passed = failed + bool(problems), passed + (not problems)
    if not shutil.which("gdb"):
        print("skipped: no gdb: frames were not compared with it")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
