#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""written_by_gdb.py INQUEST PROGRAMS: a core of gdb's generate-core-file. It leaves out what is the same in the
files (text has no segment at all), counts NT_FILE's offsets in bytes, and writes its notes at the end."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import zoo  # noqa: E402


def gdb_core(program, folder):
    """The core of a sleeping process, or None where gdb may not look into another process."""
    child = subprocess.Popen([program], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    core = os.path.join(folder, "core.gdb")
    try:
        assert child.stdout.readline().strip() == b"ready"
        zoo.wait_until_asleep(child.pid)
        subprocess.run(["gdb", "-nx", "-batch", "-iex", "set debuginfod enabled off", "-p", str(child.pid), "-ex",
                        f"generate-core-file {core}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       stdin=subprocess.DEVNULL, timeout=120)
    finally:
        child.kill()
        child.communicate()
    return core if os.path.exists(core) else None


def check(report, program):
    frames = [f.get("function") for f in report["threads"][0].get("frames") or []]
    if not report["threads"][0].get("complete"):
        yield f"the stack ends early: {report['threads'][0].get('stop')}"
    if "pause" not in [str(f).lstrip("_") for f in frames] or "main" not in frames or frames[-1] != "_start":
        yield f"frames are {frames}"
    for name in (os.path.basename(program), "libc.so.6"):
        module = next((m for m in report["modules"] if m["name"] == name), None)
        if not module or module.get("on_disk") != "match":
            yield f"module {name}: {module and module.get('on_disk')}"
    for gap in report.get("gaps") or []:
        if gap.get("where") == "NT_FILE":
            yield f"gap {gap}"


def main():
    inquest, programs = os.path.abspath(sys.argv[1]), sys.argv[2]
    if not shutil.which("gdb"):
        print("skipped: no gdb")
        return 77
    os.makedirs(programs, exist_ok=True)
    case = next(c for c in zoo.load_cases() if c["id"] == "killed-segv")
    with tempfile.TemporaryDirectory() as folder:
        program = zoo.build(case, programs)
        core = gdb_core(program, folder)
        if not core:
            print("skipped: gdb may not attach to a process here")
            return 77
        done = subprocess.run([inquest, "triage", "--json", "--no-store", core], stdout=subprocess.PIPE, timeout=60)
        problems = list(check(json.loads(done.stdout), program))
    for problem in problems:
        print(f"FAIL {problem}")
    print(f"{int(not problems)} passed, {int(bool(problems))} failed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
