#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""fault_rows.py INQUEST PROGRAMS [--long] [NAME...]: rows 9, 10, 51 and 71 of docs/robustness.md for real: disks that fail in the
middle of a file, files that are cut short while they are mapped, and mounts whose server is gone. The file system is a small one
of FUSE (support/faulty_fs.py), in namespaces of its own."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from scan_store import Failure, expect, records, zoo  # noqa: E402
import faulty_fs  # noqa: E402  (support/, by way of scan_store)

ROWS = []
SLOW = ("dead_root", "hanging_read")  # they wait for time limits


def row(function):
    ROWS.append(function)
    return function


class World:
    def __init__(self, inquest, core, program, work):
        self.inquest, self.core, self.program, self.work = inquest, core, program, work
        self.size = os.path.getsize(core)

    def mount(self, place):
        """(the folder that is shown, where)"""
        source, target = os.path.join(place, "source"), os.path.join(place, "mount")
        os.mkdir(source)
        os.mkdir(target)
        faulty_fs.serve(source, target)
        return source, target

    def run(self, *arguments, timeout=100):
        done = subprocess.run([self.inquest, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=timeout, check=False)
        done.out, done.err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        expect(done.returncode >= 0, f"{arguments}: died of signal {-done.returncode}")
        return done

    def triage(self, path, *options):
        done = self.run("triage", "--json", "--no-store", "--klog", "none", *options, path)
        return done, json.loads(done.out) if done.out else None

    def scan(self, *arguments):
        done = self.run("scan", "--json", "--klog", "none", "--no-store", *arguments)
        lines = [json.loads(line) for line in done.out.splitlines()]
        done.reports = {os.path.basename(l["core"]["path"]): l for l in lines if l["format"] == "inquest-report"}
        done.skipped = {os.path.basename(l["path"]): l["reason"] for l in lines if l["format"] == "inquest-skipped"}
        return done


def gaps(report):
    return {gap["code"] for gap in report.get("gaps", [])}


@row
def read_errors(w, d):
    """EIO at every eighth page of a plain core, and inside a compressed one: what can be read is there, and the gap is told."""
    source, mount = w.mount(d)
    places = [0, 100] + [p * 4096 for p in range(1, w.size // 4096, 8)]
    for place in places:
        os.link(w.core, os.path.join(source, f"core.eio@{place}"))
    database = os.path.join(d, "c.db")
    done = w.run("scan", "--json", "--klog", "none", "--db", database, mount)
    reports = {r["core"]["path"]: r for r in map(json.loads, done.out.splitlines())}
    expect(done.returncode == 6 and len(reports) == len(places), f"exit {done.returncode}, {len(reports)} reports")
    useful = 0
    for place in places:
        report = reports[os.path.join(mount, f"core.eio@{place}")]
        if "error" in report:
            expect(report["error"]["code"] == "INQ-004" and place < 4096, f"{place}: {report['error']}")
            continue
        expect("INQ-015" in gaps(report), f"{place}: no gap for the read error: {gaps(report)}")
        expect(report["signal"]["name"] == "SIGSEGV", f"{place}: {report['signal']}")
        useful += bool(report["verdicts"])
    expect(useful > len(places) // 2, f"{useful} of {len(places)} with an answer")
    # read again by the next scan: a bad day of a disk is no answer
    expect(set(records(database)[1]) == {"seen"}, f"journal: {records(database)[1]}")
    for place in places:
        os.rename(os.path.join(source, f"core.eio@{place}"), os.path.join(source, f"core.{place}"))
    done = w.run("scan", "-q", "--klog", "none", "--db", database, mount)
    expect(done.returncode == 0 and records(database)[1].get("done") == len(places), f"{done.returncode}: {records(database)[1]}: {done.err}")
    packed = os.path.join(source, "core.zst.eio@131072")
    subprocess.run(["zstd", "-q", "-1", "--no-check", w.core, "-o", packed], check=True)
    with open(packed, "ab") as f:
        f.truncate(262144)
    done, report = w.triage(os.path.join(mount, os.path.basename(packed)))
    expect(done.returncode in (0, 1, 6) and report["signal"]["name"] == "SIGSEGV", f"packed: {done.returncode}: {done.err}")


@row
def cut_while_mapped(w, d):
    """A core that somebody truncates while its worker reads it: never the end of the worker, and told."""
    path, faults = os.path.join(d, "core"), 0
    for i in range(24):
        shutil.copy(w.core, path)
        child = subprocess.Popen([w.inquest, "triage", "--json", "--no-store", "--klog", "none", path], stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        time.sleep(0.001 * i)
        with open(path, "r+b") as f:
            f.truncate(w.size // 3 // 4096 * 4096 if i % 2 else 8192)
        out, err = child.communicate(timeout=60)
        expect(child.returncode in (0, 1, 3), f"after {i} ms: exit {child.returncode}: {err}")
        report = json.loads(out) if out else {}
        faults += bool(gaps(report))
    expect(faults > 0, "no round met the truncation")


@row
def bad_library(w, d):
    """The program's file, with a page that the disk does not give (or somebody replaces it in place): its names are missing."""
    source, mount = w.mount(d)
    program = os.path.join(d, "program.eio@8192")
    shutil.copy(w.program, program)
    core = os.path.join(d, "core")
    if not make_core_of(program, d, core):
        return "no core"
    os.makedirs(source + d)
    shutil.move(program, source + program)
    done, report = w.triage(core, "--sysroot", mount)
    expect(done.returncode in (0, 1) and report["signal"]["name"] == "SIGSEGV", f"exit {done.returncode}: {done.err}")
    return None


@row
def dead_below(w, d):
    """A mount whose server says nothing, inside the folder: not asked for anything; everything beside it is scanned."""
    source, mount = w.mount(d)
    for name in ("a", "z"):
        os.mkdir(os.path.join(d, name))
        shutil.copy(w.core, os.path.join(d, name, f"core.{name}"))
    open(os.path.join(source, "DEAD"), "w").close()
    done = w.scan(d)
    expect({"core.a", "core.z"} <= set(done.reports) and done.returncode == 0, f"{done.returncode}: {done.err}")
    expect(done.skipped.get("mount") == "not a regular file: a mounted file system", f"{done.skipped}")
    os.unlink(os.path.join(source, "DEAD"))


@row
def dead_module(w, d):
    """A core whose program lies on a mount that is dead by now (a home on NFS): refused, not waited for."""
    source, mount = w.mount(d)
    program = os.path.join(mount, os.path.basename(w.program))
    shutil.copy(w.program, source)
    core = os.path.join(d, "core")
    if not make_core_of(program, d, core):
        return "no core of a program on FUSE"
    os.symlink(mount, os.path.join(d, "link"))
    open(os.path.join(source, "DEAD"), "w").close()
    done, report = w.triage(core)
    os.unlink(os.path.join(source, "DEAD"))
    module = next(m for m in report["modules"] if m["path"] == program)
    expect(done.returncode in (0, 1) and module["on_disk"] == "refused", f"exit {done.returncode}: {module}")
    expect(any("FUSE" in str(gap) for gap in report["gaps"]) or "FUSE" in str(module), "it is not told why")
    return None


def make_core_of(program, folder, core):
    place = os.path.join(folder, "run")
    os.mkdir(place)
    subprocess.run(f"ulimit -c unlimited; exec {program}", shell=True, cwd=place, check=False, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    names = os.listdir(place)
    if names:
        shutil.move(os.path.join(place, names[0]), core)
    return bool(names)


@row
def dead_root(w, d):
    """A folder that was asked for, on a mount that is dead: its row says so after 10 s, the others are scanned, exit 6."""
    source, mount = w.mount(d)
    for name in ("a", "z"):
        os.mkdir(os.path.join(d, name))
        shutil.copy(w.core, os.path.join(d, name, f"core.{name}"))
    shutil.copy(w.core, os.path.join(source, "core.1"))
    open(os.path.join(source, "DEAD"), "w").close()
    done = w.scan(os.path.join(d, "a"), mount, os.path.join(d, "z"))
    expect({"core.a", "core.z"} <= set(done.reports) and done.returncode == 6, f"{done.returncode}: {done.err}")
    expect("does not answer" in done.reports["mount"]["error"]["message"], f"{done.reports['mount']['error']}")
    done = w.run("triage", "--no-store", "--klog", "none", os.path.join(mount, "core.1"))
    expect(done.returncode == 6 and "does not answer" in done.err, f"{done.returncode}: {done.err}")
    os.unlink(os.path.join(source, "DEAD"))


@row
def hanging_read(w, d):
    """A read that never ends: its worker cannot even be killed; the scan goes on, says so, and ends."""
    source, mount = w.mount(d)
    shutil.copy(w.core, os.path.join(source, f"core.b.hang@{w.size // 8192 * 4096}"))
    for name in ("a", "c"):
        shutil.copy(w.core, os.path.join(source, f"core.{name}"))
    done = w.scan("--timeout", "2", mount)
    expect(done.returncode == 5 and {"core.a", "core.c"} <= set(done.reports), f"{done.returncode}: {done.err}")
    stub = next(r for n, r in done.reports.items() if n.startswith("core.b"))
    expect(stub["error"]["code"] == "INQ-151", f"{stub['error']}")


def in_namespaces():
    """Runs this again in a mount and a process namespace; None when that is so already."""
    if os.environ.get("FAULT_ROWS") == "inside":
        return None
    flags = ["unshare", "-mpf", "--mount-proc", "--kill-child"]
    probe = subprocess.run([*flags, "true"], stderr=subprocess.DEVNULL, check=False) if os.geteuid() == 0 else None
    if not probe or probe.returncode or not os.path.exists("/dev/fuse"):
        print("skipped: needs root, namespaces and /dev/fuse")
        return 77
    return subprocess.run([*flags, sys.executable, *sys.argv], env={**os.environ, "FAULT_ROWS": "inside"}, check=False).returncode


def main():
    code = in_namespaces()
    if code is not None:
        return code
    inquest, programs = os.path.abspath(sys.argv[1]), sys.argv[2]
    wanted, long = [a for a in sys.argv[3:] if a != "--long"], "--long" in sys.argv
    failed = passed = 0
    with tempfile.TemporaryDirectory() as work:
        os.chmod(work, 0o755)
        os.makedirs(programs, exist_ok=True)
        try:
            program, core = zoo.make_core(next(c for c in zoo.load_cases() if c["id"] == "free-seven"), programs, work)
        except zoo.NoCores as why:
            print(f"skipped: {why}")
            return 77
        shutil.move(core, os.path.join(work, "the-core"))
        world = World(inquest, os.path.join(work, "the-core"), program, work)
        for function in ROWS:
            if function.__name__ not in wanted if wanted else function.__name__ in SLOW and not long:
                continue
            place = tempfile.mkdtemp(dir=work)
            begin = time.monotonic()
            try:
                note = function(world, place)
                passed += not note
                print(f"skipped: {note}" if note else f"ok   {function.__name__} {time.monotonic() - begin:.1f} s", flush=True)
            except (Failure, subprocess.TimeoutExpired, ValueError, KeyError, StopIteration) as why:
                print(f"FAIL {function.__name__}: {type(why).__name__}: {why}", flush=True)
                failed += 1
            subprocess.run(["umount", "-l", os.path.join(place, "mount")], stderr=subprocess.DEVNULL, check=False)
        print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
