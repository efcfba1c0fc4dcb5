#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py INQUEST PROGRAMS [--regenerate] [CASE...]: the command line, one case a shell script.

cases/NAME.sh runs in a new directory ($PWD) with
    INQUEST   the program                     CORE   a real core of a program that read through NULL ($PROGRAM)
    TOP       the repository                  NOWORKER, HANGING   stand-ins for inquest-worker
Its standard output must fit cases/NAME.stdout.glob, its standard error cases/NAME.stderr.glob, its exit
status cases/NAME.exit; without such a file: no output, exit 0. In a glob file `*` and `?` are wild, `[` is
not, and a line `...` stands for any number of lines. The directory's own name is shown as $PWD, the
repository as $TOP. --regenerate writes what came; lines of the old file that still fit are kept.
"""
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
CASES = os.path.join(HERE, "cases")
TOP = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(TOP, "tests", "support"))
import zoo  # noqa: E402


def line_fits(pattern, line):
    parts = [{"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern]
    return re.fullmatch("".join(parts), line, re.S) is not None


def fits(patterns, lines):
    """Both lists of lines; `...` takes any number of lines."""
    reach = {0}
    for pattern in patterns:
        if pattern == "...":
            reach = set(range(min(reach), len(lines) + 1)) if reach else set()
        else:
            reach = {at + 1 for at in reach if at < len(lines) and line_fits(pattern, lines[at])}
    return len(lines) in reach


def read_lines(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return f.read().splitlines()


def executable(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="ascii") as f:
        f.write(text)
    os.chmod(path, stat.S_IRWXU)
    return path


def run(name, environment, work):
    env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "HOME": work, "TERM": "dumb",
           "INQUEST_DB": "none"}
    env.update(environment)
    for key in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "INQUEST_WORKER_STDERR"):
        if key in os.environ:
            env[key] = os.environ[key]
    done = subprocess.run(["sh", os.path.join(CASES, name + ".sh")], cwd=work, env=env, timeout=240,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output = {}
    for stream, data in (("stdout", done.stdout), ("stderr", done.stderr)):
        text = data.decode("utf-8", "surrogateescape").replace(work, "$PWD").replace(environment["NOWORKER"], "$NOWORKER")
        text = re.sub(r"(?<![\w.-])" + re.escape(TOP) + r"(?![\w.-])", "$TOP", text)  # which may be as short as /inquest
        output[stream] = text.encode("utf-8", "backslashreplace").decode("utf-8").split("\n")
        if output[stream][-1] == "":
            output[stream].pop()
    return output, done.returncode


def regenerate(name, output, status):
    for stream, lines in output.items():
        path = os.path.join(CASES, f"{name}.{stream}.glob")
        old = read_lines(path)
        if fits(old, lines):
            continue
        kept = [next((p for p in old if p != "..." and line_fits(p, line)), line) for line in lines]
        if kept:
            with open(path, "w", encoding="utf-8") as f:
                f.write("\n".join(kept) + "\n")
        elif os.path.exists(path):
            os.remove(path)
    path = os.path.join(CASES, f"{name}.exit")
    if status:
        with open(path, "w", encoding="utf-8") as f:
            f.write(f"{status}\n")
    elif os.path.exists(path):
        os.remove(path)


def check(name, output, status):
    for stream, lines in output.items():
        if not fits(read_lines(os.path.join(CASES, f"{name}.{stream}.glob")), lines):
            yield f"{stream} does not fit {name}.{stream}.glob:\n    | " + "\n    | ".join(lines)
    wanted = int((read_lines(os.path.join(CASES, f"{name}.exit")) or ["0"])[0])
    if status != wanted:
        yield f"exit {status}, want {wanted}"


def real_core(programs, folder):
    """(environment, None), or ({}, why there is none)"""
    case = {"id": "null-read-field"}
    try:
        os.makedirs(programs, exist_ok=True)
        program, core = zoo.make_core(case, programs, folder)
    except zoo.NoCores as why:
        return {}, str(why)
    return {"CORE": core, "PROGRAM": program}, None


def main():
    arguments = sys.argv[1:]
    renew = "--regenerate" in arguments
    arguments = [a for a in arguments if a != "--regenerate"]
    inquest, programs, wanted = os.path.abspath(arguments[0]), arguments[1], arguments[2:]
    names = sorted(n[:-3] for n in os.listdir(CASES) if n.endswith(".sh"))
    failed = 0
    with tempfile.TemporaryDirectory(prefix="inquest-cli.") as folder:
        environment, no_core = real_core(programs, folder)
        environment.update({
            "INQUEST": inquest, "TOP": TOP, "NOWORKER": os.path.join(folder, "none"),
            "HANGING": executable(folder, "hanging", "#!/bin/sh\nexec sleep 600\n")})
        for name in wanted or names:
            with open(os.path.join(CASES, name + ".sh"), encoding="utf-8") as f:
                if no_core and "$CORE" in f.read():
                    print(f"skipped: {name}: {no_core}")
                    continue
            work = os.path.join(folder, "work")
            os.mkdir(work)
            output, status = run(name, environment, work)
            if renew:
                regenerate(name, output, status)
            for problem in check(name, output, status):
                failed += 1
                print(f"{name}: {problem}")
            shutil.rmtree(work)
    print(f"{len(wanted or names)} cases, {failed} problems")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
