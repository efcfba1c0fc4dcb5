#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""cases.py INQUEST FOLDER [CASE...]: builds the programs of fixtures/duplicates, which have a library twice, crashes them
for real and holds inquest's reports against the truth in cases.yaml. --keep-reports DIR writes the reports there."""
import json
import os
import shlex
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), os.path.join(HERE, "..", "zoo")]
import run as zoo_run  # noqa: E402
import zoo  # noqa: E402

FIXTURES = os.path.join(zoo.TOP, "fixtures", "duplicates")
MISSING = zoo_run.MISSING

# Nothing may rest on a name: the same programs with every name another one.
RENAMED = {"session_options": "qx_table", "session_set_name": "qx_put", "session_version": "qx_which",
           "oid_lengths": "qx_rows", "forget": "qx_last", "transfer_run": "wq_go", "transfer_start": "wq_first",
           "transfer_unused": "wq_spare", "count": "wq_add", "ignore": "wq_nothing", "codec_open": "zz_in",
           "codec_release": "zz_number", "decode": "zz_read"}
FOLDERS = {"one": "aaa", "two.libs": "opt/private", "old": "elsewhere", "user": "plug", "user.libs": "plugged"}


def renamed_file(file):
    """Another file name without anything in common with the first."""
    folder, name = os.path.split(file)
    number = sum(name.encode()) % 97
    return os.path.join(FOLDERS.get(folder, folder), f"m{number}.so" if name.endswith(".so") else f"m{number}.so.0")


class Builder:
    def __init__(self, libraries, folder, renamed=False):
        self.libraries, self.folder, self.renamed = libraries, folder, renamed

    def path(self, name):
        file = self.libraries[name]["file"]
        return os.path.join(self.folder, renamed_file(file) if self.renamed else file)

    def compiler(self, source):
        if source.endswith(".cc"):
            command = [os.environ.get("CXX") or ("clang++" if "clang" in os.environ.get("CC", "") else "c++")]
        else:
            command = shlex.split(os.environ.get("CC", "cc"))
        names = [f"-D{old}={new}" for old, new in RENAMED.items()] if self.renamed else []
        return command + ["-g", "-O1", "-Wno-ignored-optimization-argument"] + names

    def flags(self, wanted):
        """With the soname that a captured library shares with the one it stands for."""
        for flag in wanted:
            if self.renamed and flag.startswith("-Wl,-soname,"):
                soname = flag.rsplit(",", 1)[1]
                flag = "-Wl,-soname," + renamed_file(soname)
            yield flag

    def library(self, name):
        wanted, path = self.libraries[name], self.path(name)
        source = os.path.join(FIXTURES, wanted["source"])
        if zoo.is_newer(path, source) and zoo.is_newer(path, os.path.join(FIXTURES, "cases.yaml")):
            return path
        os.makedirs(os.path.dirname(path), exist_ok=True)
        runpath = wanted.get("runpath", "$ORIGIN")
        if self.renamed:
            for old, new in FOLDERS.items():
                runpath = runpath.replace("../" + old, "../" + new) if runpath.endswith("/" + old) else runpath
        command = self.compiler(source) + ["-shared", "-fPIC", source, "-o", path]
        command += self.flags(wanted.get("build", []))
        command += [self.library(n) for n in wanted.get("needs", [])]
        subprocess.run(command + [f"-Wl,-rpath,{runpath}"], check=True)
        return path

    def program(self, wanted):
        source = os.path.join(FIXTURES, wanted["source"])
        path = os.path.join(self.folder, wanted.get("name") or wanted["source"].rsplit(".", 1)[0].replace("_", "-"))
        needs = [self.library(n) for n in wanted.get("needs", [])]
        if not zoo.is_newer(path, source):
            subprocess.run(self.compiler(source) + wanted.get("build", ["-O1"]) + [source, "-o", path] + needs +
                           ["-ldl", "-Wl,-rpath," + ":".join(["$ORIGIN"] + [os.path.dirname(n) for n in needs])],
                           check=True)
        return path

    def command(self, case):
        if "program" in case:
            return [self.program(case["program"])]
        steps = []
        for step in case["steps"]:
            what, _, name = step.partition(":")
            if what == "call":
                step = f"call:{RENAMED.get(name, name)}" if self.renamed else step
            elif name:
                step = f"{what}:{self.library(name)}"
            steps.append(step)
        linked = case.get("linked", [])
        return [self.program({"source": "host.c", "needs": linked, "build": ["-O1", "-Wl,--no-as-needed"],
                              "name": "-".join(["host"] + linked)})] + steps


def index_of(report, path):
    for module in report.get("modules") or []:
        if module.get("path") == path:
            return module["index"]
    return None


def below(value, path):
    for part in path.split("."):
        if isinstance(value, list):
            value = value[int(part)] if int(part) < len(value) else None
        else:
            value = value.get(part) if isinstance(value, dict) else None
    return value


def the_collision(report, indexes):
    for collision in report.get("collisions") or []:
        if set(indexes) <= set(collision.get("copies") or []):
            return collision
    return None


def check_collision(report, wanted, builder, libraries):
    indexes = [index_of(report, builder.path(n)) for n in wanted["copies"]]
    collision = the_collision(report, indexes)
    if None in indexes or collision is None:
        yield f"no collision of {wanted['copies']}: {report.get('collisions')}"
        return
    for path, want in wanted.items():
        if path == "copies":
            continue
        if want in libraries:
            want = index_of(report, builder.path(want))
        elif builder.renamed and want in RENAMED:
            want = RENAMED[want]
        if below(collision, path) != want:
            yield f"collision {path} is {below(collision, path)!r}, want {want!r}"


def check_acquitted(report, names, builder):
    indexes = [index_of(report, builder.path(n)) for n in names]
    if None in indexes:
        yield f"{names} are not all among the modules"
    for collision in report.get("collisions") or []:
        if set(indexes) & set(collision.get("copies") or []):
            if collision.get("grade") != "refuted" or collision["foreign"].get("strong"):
                yield f"collision of {names} is {collision.get('grade')} with {collision.get('foreign')}"
    for key in ("strong",):
        if zoo_run.fact(report, f"bindings.foreign.{key}") != 0:
            yield f"bindings.foreign.{key} is {zoo_run.fact(report, f'bindings.foreign.{key}')}, want 0"


def check(case, report, code, builder, libraries):
    truth = dict(case["truth"])
    if builder.renamed and "frames" in truth:
        truth["frames"] = [RENAMED.get(f, f) for f in truth["frames"]]
    yield from zoo_run.check({"truth": truth}, report, code)
    if "collision" in truth:
        yield from check_collision(report, truth["collision"], builder, libraries)
    if "acquitted" in truth:
        yield from check_acquitted(report, truth["acquitted"], builder)
    yield from zoo_run.against_schema(report)


def triage(inquest, core):
    done = subprocess.run([inquest, "triage", "--json", "--no-store", core], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=120)
    return json.loads(done.stdout), done.returncode


def run_case(inquest, case, builder, libraries, folder, keep):
    command = builder.command(case)
    if case.get("end") == "clean":
        done = subprocess.run(command, timeout=60, check=False)
        return [f"ended with {done.returncode}"] if done.returncode else []
    core = zoo.crash(command, folder, case.get("kill"))
    report, code = triage(inquest, core)
    if keep:
        with open(os.path.join(keep, case["id"] + ("-renamed" if builder.renamed else "") + ".json"), "w",
                  encoding="utf-8") as f:
            json.dump(report, f, indent=2)
    return list(check(case, report, code, builder, libraries))


def main():
    import yaml
    keep = None
    if "--keep-reports" in sys.argv:
        at = sys.argv.index("--keep-reports")
        keep = sys.argv[at + 1]
        del sys.argv[at:at + 2]
    inquest, programs, only = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[3:]
    try:
        zoo.check_cores_possible()
    except zoo.NoCores as why:
        print(f"skipped: {why}")
        return 77
    with open(os.path.join(FIXTURES, "cases.yaml"), encoding="utf-8") as f:
        fixtures = yaml.safe_load(f)
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for case in fixtures["cases"]:
            if only and case["id"] not in only:
                continue
            for renamed in (False, True) if case.get("renamed") else (False,):
                builder = Builder(fixtures["libraries"], os.path.join(programs, "renamed" if renamed else "plain"),
                                  renamed)
                os.makedirs(builder.folder, exist_ok=True)
                problems = run_case(inquest, case, builder, fixtures["libraries"], folder, keep)
                print(f"{'FAIL' if problems else 'ok  '} {case['id']}{' (renamed)' if renamed else ''}")
                for problem in problems:
                    print(f"       {problem}")
                failed, passed = failed + bool(problems), passed + (not problems)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
