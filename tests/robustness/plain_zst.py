#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""plain_zst.py INQUEST PROGRAMS [CORE...]: the report of a core is the same for the plain file, for .zst files of
several makes, gzip, xz, bzip2 and lz4, and through a pipe, but for path, compression and timing. Without CORE: zoo programs and a Python
process."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import zoo  # noqa: E402

CASES = ["free-seven", "threads64", "plugin-host", "recursion", "double-free", "deep-legal", "cut-core"]
PYTHON = ("import ctypes, threading, json, decimal, ssl, sqlite3\n"
          "for _ in range(6): threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
          "keep = [{str(i): [i] * 10} for i in range(50000)]\n"
          "ctypes.CDLL(None).free(ctypes.c_void_p(7))\n")


def comparable(report):
    for key in ("timing", "name_facts", "tool"):
        report.pop(key, None)
    core = report.get("core") or {}
    for key in ("path", "name", "compression", "size_bytes"):
        core.pop(key, None)
    process = report.get("process") or {}
    if process.get("crashed_at_source") in ("file-time", "file-name", None):
        process.pop("crashed_at", None)
        process.pop("crashed_at_source", None)
    return report


def triage(inquest, core, data=None):
    done = subprocess.run([inquest, "triage", "--json", "--no-store", core], stdin=data, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=300)
    return done.returncode, comparable(json.loads(done.stdout))


def differences(a, b, path=""):
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(set(a) | set(b)):
            yield from differences(a.get(key), b.get(key), f"{path}.{key}")
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b)):
            yield from differences(x, y, f"{path}[{i}]")
    elif a != b:
        yield f"{path}: {str(a)[:80]!r} {str(b)[:80]!r}"


def compare(inquest, name, core, folder, big):
    want_code, want = triage(inquest, core)
    packed = os.path.join(folder, "packed")
    makes = {"zst": ["zstd", "-q", "-f", core, "-o", packed]}
    for program in ("gzip", "xz", "bzip2", "lz4"):
        if not big and shutil.which(program):
            makes[program] = ["sh", "-c", f"{program} -1 -c < '{core}' > '{packed}'"]
    if not big:
        makes["zst from a pipe, no size"] = ["sh", "-c", f"zstd -q -c < '{core}' > '{packed}'"]
        makes["two frames and a skippable one"] = [
            "sh", "-c", f"head -c 100000 '{core}' | zstd -q -c > '{packed}'; "
            f"printf 'P*M\\030\\004\\000\\000\\000junk' >> '{packed}'; tail -c +100001 '{core}' | zstd -q -c >> '{packed}'"]
    problems = []
    for make, command in makes.items():
        subprocess.run(command, check=True)
        code, have = triage(inquest, packed)
        problems += [f"{name}, {make}: {d}" for d in differences(want, have)]
        if code != want_code:
            problems.append(f"{name}, {make}: exit {code}, plain {want_code}")
    if not big:
        with open(core, "rb") as f:
            feeder = subprocess.Popen(["cat"], stdin=f, stdout=subprocess.PIPE)
            code, have = triage(inquest, "-", feeder.stdout)
            feeder.stdout.close()
            feeder.wait()
        problems += [f"{name}, pipe: {d}" for d in differences(want, have)]
    return problems


def main():
    inquest, programs = os.path.abspath(sys.argv[1]), sys.argv[2]
    os.makedirs(programs, exist_ok=True)
    if not shutil.which("zstd"):
        print("skipped: no zstd")
        return 77
    failed = passed = 0
    with tempfile.TemporaryDirectory() as folder:
        cores = [(path, path) for path in sys.argv[3:]]
        if not cores:
            try:
                for case in zoo.load_cases():
                    if case["id"] in CASES:
                        cores.append((case["id"], zoo.make_core(case, programs, folder)[1]))
                cores.append(("python", zoo.crash(["/usr/bin/python3", "-c", PYTHON], folder)))
            except zoo.NoCores as why:
                print(f"skipped: {why}")
                return 77
        for name, core in cores:
            problems = compare(inquest, name, core, folder, big=bool(sys.argv[3:]))
            print(f"{'FAIL' if problems else 'ok  '} {name}")
            for problem in problems[:20]:
                print(f"       {problem}")
            failed, passed = failed + bool(problems), passed + (not problems)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
