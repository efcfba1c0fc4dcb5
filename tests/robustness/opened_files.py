#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""opened_files.py INQUEST PROGRAMS: strace over a triage of cores that name hostile paths: nothing that a core
names is opened for reading outside the policy. Robustness rows 50 to 53 and the architecture's rule that
nothing is executed."""
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import zoo  # noqa: E402

HOSTILE = ["/etc/shadow", "/etc/../etc/shadow", "/dev/zero", "/dev/stdin", "/dev/random", "/proc/self/mem",
           "/proc/kmsg", "/sys/kernel/notes"]


def rename_in_file_note(data, old, new):
    """The core with one NT_FILE name replaced; the new name is shorter and padded by repeating slashes."""
    old, new = old.encode(), new.encode()
    assert len(new) <= len(old), (old, new)
    padded = b"/" * (len(old) - len(new)) + new
    return data.replace(old + b"\0", padded + b"\0")


def traced(inquest, core, folder, arguments=()):
    """[(path, flags, result)] of every openat and openat2 of the whole process tree, and the exit code."""
    log = os.path.join(folder, "strace")
    done = subprocess.run(["strace", "-f", "-qq", "-y", "-e", "trace=openat,openat2,open,execve", "-s", "4096",
                           "-o", log, inquest, "triage", "--json", "--no-store", *arguments, core],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
    calls = []
    for line in open(log, encoding="utf-8", errors="replace"):
        match = re.search(r'(open\w*|execve)\((?:[^",]*, )?"((?:[^"\\]|\\.)*)"(.*)', line)
        if match:
            calls.append(match.groups())
    return calls, done


def reads(calls, path):
    """Calls that opened path itself, other than O_PATH looks that cannot read."""
    tidy = os.path.normpath(path)
    return [c for c in calls if os.path.normpath(re.sub("/+", "/", "/" + c[1])) == tidy and "O_PATH" not in c[2]
            and not re.search(r"= -1 E", c[2])]


def main():
    inquest, programs = os.path.abspath(sys.argv[1]), sys.argv[2]
    os.makedirs(programs, exist_ok=True)
    if not shutil.which("strace"):
        print("skipped: no strace")
        return 77
    failures = passed = 0
    with tempfile.TemporaryDirectory() as folder:
        try:
            case = next(c for c in zoo.load_cases() if c["id"] == "null-read-field")
            program = zoo.build(case, programs)
            long = os.path.join(folder, "a-program-with-a-name-long-enough-to-be-replaced-by-any-other")
            shutil.copy(program, long)
            core = zoo.crash([long], folder)
        except zoo.NoCores as why:
            print(f"skipped: {why}")
            return 77
        data = open(core, "rb").read()
        fifo = os.path.join(folder, "f")
        os.mkfifo(fifo)
        link = os.path.join(folder, "l")
        os.symlink("/etc/shadow", link)
        for path in HOSTILE + [fifo, link, folder]:
            hostile = os.path.join(folder, "hostile.core")
            with open(hostile, "wb") as f:
                f.write(rename_in_file_note(data, long, path))
            try:
                calls, done = traced(inquest, hostile, folder)
            except subprocess.TimeoutExpired:
                print(f"{path}: hangs")
                failures += 1
                continue
            bad = reads(calls, path)
            if os.path.islink(path) and not path.startswith("/dev/"):
                bad += reads(calls, os.path.realpath(path))
            started = [c[1] for c in calls if c[0] == "execve"
                       and os.path.basename(c[1]) not in ("inquest", "inquest-worker")]
            if done.returncode not in (0, 1):
                print(f"{path}: exit {done.returncode} {done.stderr[:200]!r}")
            elif bad:
                print(f"{path}: opened: {bad}")
            elif started:
                print(f"{path}: started {started}")
            elif b"root:" in done.stdout:
                print(f"{path}: content in the report")
            elif not calls:
                print(f"{path}: strace saw nothing")
            else:
                passed += 1
                continue
            failures += 1
        # the control: the honest core's program is opened and used
        calls, done = traced(inquest, core, folder)
        if reads(calls, long) or b"balance_of" in done.stdout:
            passed += 1
        else:
            print("control: the honest program was not used")
            failures += 1
    print(f"{passed} passed, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
