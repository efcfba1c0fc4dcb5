#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""replaced_library.py INQUEST FOLDER: after a crash in a shared library, the library or the program is replaced,
deleted or swapped for a file without a build-id. No function of another build may be named anywhere, and a gap
says which file differs, with both build-ids, and what would close it. Without the debug symbols of libc, its
inner functions have no name rather than that of an exported neighbour."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import zoo  # noqa: E402

# One text, two sets of names: the second build has other functions at the same offsets.
LIBRARY = """
__attribute__((noinline)) int {0}_inner(volatile int *p) {{ return *p + 1; }}
__attribute__((noinline)) int {0}_outer(volatile int *p) {{ return {0}_inner(p) + 2; }}
static __attribute__((noinline)) int {0}_way(volatile int *p) {{ return {0}_outer(p) + 3; }}
int {0}_enter(volatile int *p) {{ return {0}_way(p) + 4; }}
"""
PROGRAM = """
#include <stdio.h>
#include <unistd.h>
int {0}_enter(volatile int *p);
static __attribute__((noinline)) int {1}_start(volatile int *p) {{ return {0}_enter(p) + 5; }}
int main(int argc, char **argv)
{{
    int i;
    for (i = 1; i + 1 < argc; i += 2) /* an upgrade while it runs: the second takes the place of the first */
        if (argv[i + 1][0] ? rename(argv[i + 1], argv[i]) : unlink(argv[i]))
            return 3;
    return {1}_start(NULL) + 6;
}}
"""
RIGHT = {"real_inner", "real_outer", "real_way", "real_enter", "real_start", "main"}
WRONG = re.compile(r"other_(inner|outer|way|enter|start)")


def cc(folder, text, output, *options):
    """Compiles a text; the output's name ends in .so for a library."""
    source = os.path.join(folder, "source.c")
    with open(source, "w", encoding="ascii") as f:
        f.write(text)
    subprocess.run(["cc", "-g", "-O1", source, "-o", output, *options], check=True)
    return output


def build_id(path):
    notes = subprocess.run(["readelf", "-n", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    match = re.search(r"Build ID: ([0-9a-f]+)", notes)
    return match and match[1]


class World:
    """A program and its library in a folder of their own, and another build of each."""

    def __init__(self, folder, *link):
        self.folder = tempfile.mkdtemp(dir=folder)
        shared = ["-shared", "-fPIC"]
        place = ["-L" + self.folder, "-lvictim", "-Wl,-rpath," + self.folder]
        self.library = cc(self.folder, LIBRARY.format("real"), self.at("libvictim.so"), *shared, *link)
        self.program = cc(self.folder, PROGRAM.format("real", "real"), self.at("victim"), *place, *link)
        self.other_program = cc(self.folder, PROGRAM.format("real", "other"), self.at("victim.other"), *place)
        self.other_library = cc(self.folder, LIBRARY.format("other"), self.at("libvictim.so.other"), *shared)
        self.bare_library = cc(self.folder, LIBRARY.format("other"), self.at("libvictim.so.bare"), *shared,
                               "-Wl,--build-id=none")

    def at(self, name):
        return os.path.join(self.folder, name)

    def crash(self, *arguments):
        return zoo.crash([self.program, *arguments], self.folder)


def read(inquest, core, *options):
    """The report as JSON and as text."""
    command = [inquest, "triage", "--no-store", *options]
    document = subprocess.run(command + ["--json", core], stdout=subprocess.PIPE, timeout=60).stdout
    text = subprocess.run(command + ["-v", core], stdout=subprocess.PIPE, timeout=60).stdout
    return json.loads(document), text.decode("utf-8", "replace")


def frames_of(report):
    return next(t for t in report["threads"] if t["crashed"])["frames"]


def check(before, report, text, victim, ids=None):
    """Against the report that was made before anything was replaced. `victim` is the file that is not the right one
    any more, `ids` what the gap must name of it."""
    right = {f["pc"]: f.get("function") for f in frames_of(before)}
    for frame in frames_of(report):
        if frame.get("function") and frame["function"] != right.get(frame["pc"]):
            yield f"frame {frame['index']} is {frame['function']}, it is {right.get(frame['pc'])}"
        module = frame.get("module")
        if frame.get("function") and module is not None and report["modules"][module]["name"] == victim:
            yield f"frame {frame['index']} of {victim} has a name"
    for where, all_of_it in (("JSON", json.dumps(report)), ("text", text)):
        for match in WRONG.findall(all_of_it):
            yield f"other_{match} stands in the {where} report"
    gaps = [g for g in report.get("gaps") or [] if victim in str(g.get("where")) + str(g.get("what"))]
    if not gaps:
        yield f"no gap names {victim}: {[(g['code'], g.get('where')) for g in report.get('gaps') or []]}"
    for wanted in ids or []:
        if not any(wanted[:12] in json.dumps(g) for g in gaps):
            yield f"no gap names the build-id {wanted[:12]}: {gaps}"
    if not re.search(r"--sysroot|--executable|--debug-dir|debuginfod-find", text):
        yield "the text does not say what would close the gap"


def check_replacements(inquest, folder):
    """(name, problems) of each way to lose a file after the crash."""
    world = World(folder)
    core = world.crash()
    ids = {p: build_id(p) for p in (world.library, world.program, world.other_library, world.other_program)}
    before, _ = read(inquest, core)
    names = [f.get("function") for f in frames_of(before)]
    yield "the right files", [] if RIGHT <= set(names) else [f"frames are {names}"]

    def replaced(place, by, victim, wanted):
        kept = place + ".kept"
        os.rename(place, kept)
        if by:
            shutil.copy(by, place)
        try:
            for options in ([], ["--trust-paths"]):
                yield from check(before, *read(inquest, core, *options), victim, wanted)
        finally:
            os.replace(kept, place)

    yield "library replaced", list(replaced(world.library, world.other_library, "libvictim.so",
                                            [ids[world.library], ids[world.other_library]]))
    yield "library deleted", list(replaced(world.library, None, "libvictim.so", []))
    yield "library without a build-id", list(replaced(world.library, world.bare_library, "libvictim.so",
                                                      [ids[world.library]]))
    yield "program replaced", list(replaced(world.program, world.other_program, "victim",
                                            [ids[world.program], ids[world.other_program]]))
    yield "program deleted", list(replaced(world.program, None, "victim", []))


def check_upgrades(inquest, folder):
    """The file went away or was replaced while the process ran: NT_FILE says "(deleted)"."""
    for name, by in (("deleted while it ran", ""), ("upgraded while it ran", "libvictim.so.other")):
        world = World(folder)
        before, _ = read(inquest, world.crash())
        core = world.crash(world.library, by and world.at(by))
        right = {f["module_offset"]: f.get("function") for f in frames_of(before) if f.get("module_offset")}
        report, text = read(inquest, core)
        problems = []
        for frame in frames_of(report):
            if frame.get("function") and frame["function"] != right.get(frame["module_offset"]):
                problems.append(f"frame {frame['index']} is {frame['function']}")
        if WRONG.search(json.dumps(report) + text):
            problems.append("a name of the other build stands in the report")
        module = next((m for m in report["modules"] if m["name"] == "libvictim.so"), {})
        if module.get("deleted") is not True or module.get("on_disk") == "match":
            problems.append(f"the module is {module.get('on_disk')}, deleted {module.get('deleted')}")
        if not any("libvictim.so" in str(g.get("where")) for g in report["gaps"]):
            problems.append("no gap names libvictim.so")
        yield "library " + name, problems


def check_without_ids(inquest, folder):
    """Nothing tells one build from another: nothing of the file may be believed."""
    world = World(folder, "-Wl,--build-id=none")
    core = world.crash()
    for place, by in ((world.library, world.other_library), (world.program, world.other_program),
                      (world.library, world.bare_library)):
        shutil.copy(place, place + ".kept")
        shutil.copy(by, place)
        report, text = read(inquest, core)
        problems = [f"other_{m} stands in the report" for m in WRONG.findall(json.dumps(report) + text)]
        os.replace(place + ".kept", place)
        yield f"no build-id in the dump, {os.path.basename(place)} by {os.path.basename(by)}", problems


# What libc exports of the functions on the way to its abort(); all else in there has to stay without a name.
EXPORTED = {"raise", "gsignal", "abort", "free", "cfree", "__libc_free", "__libc_start_main", "pthread_kill",
            "__pthread_kill", "_start", "main", "drop"}


def loader_of(program):
    """(the dynamic linker, libc) that a program runs with."""
    listed = subprocess.run(["ldd", program], stdout=subprocess.PIPE, text=True, check=True).stdout
    libc = re.search(r"libc\.so\.6 => (\S+)", listed)
    loader = re.search(r"^\s*(/\S*ld-linux\S*)", listed, re.M)
    return loader and loader[1], libc and libc[1]


def check_without_debug(inquest, folder):
    """libc as most machines have it: its .dynsym alone. A copy with another build-id has no debug symbols anywhere."""
    case = next(c for c in zoo.load_cases() if c["id"] == "free-stack")
    home = tempfile.mkdtemp(dir=folder)
    loader, libc = loader_of(zoo.build(case, tempfile.mkdtemp(dir=folder)))
    if not loader or not libc:
        print("skipped: libc without its debug symbols: this program's libc was not found")
        return
    for path in (loader, libc):
        ident = bytes.fromhex(build_id(os.path.realpath(path)))
        with open(path, "rb") as f:
            content = f.read()
        assert content.count(ident) == 1
        copied = os.path.join(home, os.path.basename(path))
        with open(copied, "wb") as f:
            f.write(content.replace(ident, ident[::-1]))
        os.chmod(copied, 0o755)
    options = [f"-Wl,--dynamic-linker={home}/{os.path.basename(loader)}", f"-Wl,-rpath,{home}"]
    core = zoo.crash([zoo.build(dict(case, build=["-O1"] + options), home)], folder)
    report, _ = read(inquest, core)
    names = [f.get("function") for f in frames_of(report)]
    problems = [f"{n} is named, which libc does not export" for n in names if n and n not in EXPORTED]
    problems += [f"no {name} in {names}" for name in ("abort", "drop", "main", "_start") if name not in names]
    nameless = [f["index"] for f in frames_of(report)
                if not f.get("function") and report["modules"][f["module"]]["name"] == "libc.so.6"]
    if len(nameless) < 3:
        problems.append(f"libc has at least three inner functions on the way: {names}")
    if not any(m["name"] == "libc.so.6" and m.get("on_disk") == "match" for m in report["modules"]):
        problems.append("the copy of libc was not used")
    yield "libc without its debug symbols", problems


def main():
    inquest, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
    os.makedirs(folder, exist_ok=True)
    if not shutil.which("readelf"):
        print("skipped: no readelf")
        return 77
    failed = passed = 0
    with tempfile.TemporaryDirectory(dir=folder) as work:
        try:
            for checks in (check_replacements, check_upgrades, check_without_ids, check_without_debug):
                for name, problems in checks(inquest, os.path.realpath(work)):
                    print(f"{'FAIL' if problems else 'ok  '} {name}")
                    for problem in problems:
                        print(f"       {problem}")
                    failed, passed = failed + bool(problems), passed + (not problems)
        except zoo.NoCores as why:
            print(f"skipped: {why}")
            return 77
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
