#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""directory_rows.py INQUEST PROGRAMS [--long] [ROW...]: rows of docs/robustness.md about folders that change or lie (68 to 73), many
processes at once (75, 77, 79), compressed bombs (62, 66) and the crash database (84, 85 and what is hostile in it)."""
import bz2
import gzip
import json
import lzma
import os
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from scan_store import Failure, distinct, expect, in_namespace, records, zoo  # noqa: E402

ROWS = []
SKIPPED = []
SLOW = (62, 71, 111)  # with --long, or by their number


def row(number):
    def add(function):
        ROWS.append((number, function))
        return function
    return add


class World:
    def __init__(self, inquest, core, program):
        self.inquest, self.core, self.program = inquest, core, program

    def run(self, *arguments, prefix=(), timeout=120, env=None, limits=None, stdin=None, stdout=subprocess.PIPE):
        def before():
            for which, value in (limits or {}).items():
                resource.setrlimit(which, (value, value))

        done = subprocess.run([*prefix, self.inquest, *arguments], stdin=stdin or subprocess.DEVNULL, stdout=stdout,
                              stderr=subprocess.PIPE, timeout=timeout, env=env, preexec_fn=before, check=False)
        expect(done.returncode >= 0, f"{arguments}: died of signal {-done.returncode}: {done.stderr[-300:]}")
        done.out, done.err = (done.stdout or b"").decode(errors="replace"), done.stderr.decode(errors="replace")
        expect(done.err.count("\n") <= 20, f"{arguments}: {done.err.count(chr(10))} lines on standard error")
        raw = [b for b in (done.stdout or b"") + done.stderr if b < 0x20 and b not in (0x0a, 0x0d) or b == 0x7f]
        expect(not raw, f"{arguments}: raw control bytes {raw[:5]} in the output")
        return done

    def scan(self, folder, *options, **more):
        done = self.run("scan", "--json", "--klog", "none", "--no-store", *options, folder, **more)
        lines = [json.loads(l) for l in done.out.splitlines()]
        done.crashes = [l for l in lines if l["format"] == "inquest-report"]
        done.skipped = {os.path.relpath(l["path"], folder): l["reason"] for l in lines if l["format"] == "inquest-skipped"}
        return done


def skip(why):
    SKIPPED.append(why)


# ---- H: the directory ---------------------------------------------------------------------------------------------


@row(68)
def links(w, d):
    """Links are shown and not followed, whatever they lead to."""
    shutil.copy(w.core, os.path.join(d, "core.real"))
    for name, target in (("core.link", "core.real"), ("dangling", "nowhere"), ("self", "self"), ("up", ".."), ("etc", "/etc"),
                         ("shadow", "/etc/shadow")):
        os.symlink(target, os.path.join(d, name))
    done = w.scan(d)
    expect(len(done.crashes) == 1 and done.returncode == 0, f"{done.returncode} {len(done.crashes)}")
    expect(len(done.skipped) == 6 and set(done.skipped.values()) == {"not a regular file: a symbolic link"},
           f"{done.skipped}")


@row(69)
def replaced(w, d):
    """Names that another process swaps all the time between a core, a FIFO, a link and nothing."""
    script = ('while :; do cp "$1" a.tmp; mv -f a.tmp core.a; mkfifo f; mv -f f core.a; ln -s /etc/shadow l; mv -f l core.a;'
              ' mkdir s; rm -f core.a; mv -T s core.a 2>/dev/null; rmdir core.a 2>/dev/null; rm -rf s; done')
    shutil.copy(w.core, os.path.join(d, "core.b"))
    swapper = subprocess.Popen(["sh", "-c", script, "sh", w.core], cwd=d, stderr=subprocess.DEVNULL)
    try:
        for _ in range(12):
            done = w.scan(d)
            expect(any(r["core"]["path"].endswith("core.b") for r in done.crashes), "core.b is missing")
            expect("root:" not in done.out, "/etc/shadow was read")
    finally:
        swapper.kill()
        swapper.wait()
    os.link(w.core, os.path.join(d, "core.hard"))
    expect(any(r["core"]["path"].endswith("core.hard") for r in w.scan(d).crashes), "a hard link is a file like others")


@row(70)
def deleted(w, d):
    """Files that vanish while the scan runs: what was open is finished, the rest is gone."""
    distinct(w.core, d, 30)
    child = subprocess.Popen([w.inquest, "scan", "--json", "--klog", "none", "--no-store", "-j1", d], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, bufsize=0)  # communicate() does not see what a buffer took
    child.stdout.readline()
    for name in os.listdir(d):
        os.unlink(os.path.join(d, name))
    out, err = child.communicate(timeout=60)
    lines = [json.loads(l) for l in out.splitlines()]
    expect(child.returncode in (0, 1) and len(lines) == 29, f"{child.returncode}, {len(lines)} lines: {err}")
    expect(any("gone" in l.get("reason", "") for l in lines), "nothing was found gone")


@row(71)
def many_and_deep(w, d):
    """100,000 entries in one folder; 50 levels, and more than are entered; a file system mounted inside."""
    for i in range(100000):
        os.mknod(os.path.join(d, f"n{i}"))
    shutil.copy(w.core, os.path.join(d, "core.1"))
    probe = ("import resource,subprocess,sys\n"
             "done=subprocess.run(sys.argv[1:],stdout=subprocess.DEVNULL,timeout=100)\n"
             "print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    done = subprocess.run([sys.executable, "-c", probe, w.inquest, "scan", "-q", "--klog", "none", "--no-store", d],
                          stdout=subprocess.PIPE, timeout=110, check=True)
    code, rss = map(int, done.stdout.split())
    expect(code == 0 and rss < 100 * 1024, f"exit {code}, {rss} KiB")
    shutil.rmtree(d)
    at = d
    os.mkdir(d)
    for i in range(80):
        at = os.path.join(at, f"l{i}")
        os.mkdir(at)
        if i in (0, 49):
            shutil.copy(w.core, os.path.join(at, "core.1"))
    done = w.scan(d)
    expect(len(done.crashes) == 2 and done.returncode == 0, f"{len(done.crashes)} crashes of 80 levels")
    expect([r for r in done.skipped.values() if "too deep" in r], f"{done.skipped}")
    done = in_namespace('mount -t tmpfs tmpfs "$2/l0" || exit 77; cp "$3" "$2/l0/core.2"\n'
                        '"$1" scan -v --klog none --no-store "$2"', w.inquest, d, w.core)
    if done is None or done.returncode == 77:
        return skip("71: a mounted file system: no mount namespaces")
    expect(b"a mounted file system" in done.stdout and b"core.2" not in done.stdout, done.stdout.decode())


@row(72)
def own_database(w, d):
    """The folder that is scanned holds the crash database: its files are not opened, and its locks hold."""
    database = os.path.join(d, "crashes.db")
    distinct(w.core, d, 4)
    for _ in range(2):
        done = w.run("scan", "-v", "--klog", "none", "--db", database, d)
        expect(done.out.count("the crash database itself") == 3, done.out)
    if not shutil.which("strace"):
        return skip("72: no strace")
    log = os.path.join(d, "..", "trace")
    w.run("scan", "-q", "--klog", "none", "--db", database, d, prefix=("strace", "-f", "-o", log, "-e", "trace=openat"))
    with open(log, encoding="utf-8", errors="replace") as f:
        lines = [l for l in f if "core.0" in l or re.search(r'openat\(\d+, "crashes', l)]
    expect(not lines, f"the second scan opened a core, or its own database as a file: {lines[:3]}")
    expect(records(database)[0] == (4, 4), "records")


@row(172)
def no_cores(w, d):
    """What is no core is opened once; a core put in its place is found, also with the size and the time of what it replaces."""
    folder, database = os.path.join(d, "cores"), os.path.join(d, "c.db")
    os.mkdir(folder)
    size = os.path.getsize(w.core)
    for i in range(50):
        with open(os.path.join(folder, f"text{i}"), "wb") as f:
            f.write(b"no core\n" * (size // 8) + b"." * (size % 8) if i < 4 else b"no core\n")
    os.mknod(os.path.join(folder, "empty"))
    shutil.copy(w.core, os.path.join(folder, "core.1"))
    expect(w.run("scan", "-q", "--klog", "none", "--db", database, folder).returncode == 0, "a scan of files of this moment")
    expect(records(database)[1] == {"done": 1}, f"what may still change is remembered: {records(database)[1]}")
    time.sleep(4)  # a change within the tick of a clock would not show
    w.run("scan", "-q", "--klog", "none", "--db", database, folder)
    expect(records(database)[1] == {"done": 1, "other": 51}, f"{records(database)[1]}")
    if shutil.which("strace"):
        log = os.path.join(d, "trace")
        w.run("scan", "-q", "--klog", "none", "--db", database, folder, prefix=("strace", "-f", "-o", log, "-e", "trace=openat"))
        with open(log, encoding="utf-8", errors="replace") as f:
            lines = [l for l in f if re.search('"(text|empty|core)', l)]
        expect(not lines, f"opened again: {lines[:3]}")
    else:
        skip("172: no strace")
    path = os.path.join(folder, "text0")  # in place, its times set back
    before = os.stat(path)
    shutil.copy(w.core, path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    path = os.path.join(folder, "text1")  # by another file
    shutil.copy2(w.core, path + ".new")
    os.utime(path + ".new", ns=(before.st_atime_ns, before.st_mtime_ns))
    os.rename(path + ".new", path)
    shutil.copy(w.core, os.path.join(folder, "empty"))
    done = w.run("scan", "--klog", "none", "--db", database, folder)
    expect(done.out.count("SIGSEGV ") >= 4 and records(database)[1] == {"done": 4, "other": 49}, f"{records(database)[1]}: {done.out}")


def wait_until(condition, words):
    end = time.monotonic() + 300
    while not condition():
        expect(time.monotonic() < end, words)
        time.sleep(0.05)


def watched_inodes(pid):
    text = ""
    for fd in os.listdir(f"/proc/{pid}/fdinfo"):
        with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii", errors="replace") as f:
            text += f.read()
    return {int(n, 16) for n in re.findall(r"inotify wd:\w+ ino:(\w+)", text)}


@row(111)
def watch(w, d):
    """A watch: hidden folders, a folder that goes and comes again, a scanner that was stopped; what fails is told once."""
    folder, pool, database = (os.path.join(d, name) for name in ("cores", "pool", "c.db"))
    os.makedirs(os.path.join(folder, ".hidden"))
    os.mkdir(pool)
    distinct(w.core, pool, 60)
    cores = iter(sorted(os.listdir(pool)))

    def put(*where):
        os.rename(os.path.join(pool, next(cores)), os.path.join(*where))

    def count():
        return os.path.exists(database) and records(database)[0][0]

    with open(os.path.join(d, "out"), "wb") as out:
        child = subprocess.Popen([w.inquest, "scan", "--watch", "--klog", "none", "--db", database, folder], stdout=out, stderr=out)
    try:
        hidden = os.stat(os.path.join(folder, ".hidden")).st_ino
        wait_until(lambda: hidden in watched_inodes(child.pid), "a hidden folder is scanned, but not watched")
        with open(os.path.join(folder, "core.cut"), "wb") as f, open(w.core, "rb") as whole:
            f.write(whole.read(40))
        put(folder, ".hidden", "core.1")
        wait_until(lambda: count() == 2, f"{count()} records of a core and a stub")  # the stub has one, too
        shutil.rmtree(folder)
        wait_until(lambda: "No such file" in open(os.path.join(d, "out"), errors="replace").read(), "that it went is not told")
        os.mkdir(folder)
        put(folder, "core.2")
        wait_until(lambda: count() == 3, "the folder that came again is not looked at")
        child.send_signal(signal.SIGSTOP)  # more events than its queue may hold on some machines
        for i in range(50):
            for _ in range(40):
                os.close(os.open(os.path.join(folder, "tmp"), os.O_CREAT | os.O_WRONLY))
                os.unlink(os.path.join(folder, "tmp"))
            put(folder, f"core.b{i}")
        child.send_signal(signal.SIGCONT)
        wait_until(lambda: count() == 53, "cores are missing after a burst")
        child.terminate()
        expect(child.wait(timeout=60) == 128 + signal.SIGTERM, f"exit {child.returncode}")
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    with open(os.path.join(d, "out"), errors="replace") as f:
        errors = [l for l in f if "ERROR" in l]
    expect(len([l for l in errors if "No such file" in l]) == 1 and len(errors) == 2, f"told again and again: {errors}")


@row(186)
def two_new(w, d):
    """Several --new at once: each crash is told by one of them; what a killed one reserved is told by the next."""
    folder, database = os.path.join(d, "cores"), os.path.join(d, "c.db")
    os.mkdir(folder)
    distinct(w.core, folder, 30)
    w.run("scan", "-q", "--klog", "none", "--db", database, folder)
    command = [w.inquest, "scan", "--json", "--new", "--klog", "none", "--db", database, folder]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)]
    told = []
    for child in running:
        out, err = child.communicate(timeout=60)
        expect(child.returncode == 0, f"exit {child.returncode}: {err}")
        told += [json.loads(l)["uid"] for l in out.splitlines()]
    expect(len(told) == len(set(told)) == 30, f"{len(told)} rows of {len(set(told))} crashes")
    with sqlite3.connect(database) as db:
        db.execute("UPDATE crash SET reported = 0")
    db.close()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    child.stdout.read(100)
    child.kill()
    child.communicate()
    done = w.run(*command[1:])
    expect(len(done.out.splitlines()) == 30, f"{len(done.out.splitlines())} after one was killed")
    expect(w.run(*command[1:]).out == "", "told twice")


@row(168)
def copies(w, d):
    """One dump under several names, linked and packed: one crash, in the database and in what the scan counts."""
    shutil.copy(w.core, os.path.join(d, "core.1"))
    shutil.copy(w.core, os.path.join(d, "core.2"))
    os.link(os.path.join(d, "core.1"), os.path.join(d, "core.3"))
    with open(w.core, "rb") as f, gzip.open(os.path.join(d, "core.4.gz"), "wb") as packed:
        packed.write(f.read())
    database = os.path.join(d, "..", "copies.db")
    for _ in range(2):
        done = w.run("scan", "--klog", "none", "--db", database, d)
        expect("4 files: 1 crash in 1 group" in done.out and "3 more copies" in done.out, done.out)
    expect(records(database)[0] == (1, 1), f"{records(database)}")
    expect(w.run("scan", "--json", "--klog", "none", "--no-store", d).out.count("inquest-report") == 4, "each file has its row")


@row(185)
def moved(w, d):
    """Export and import, twice: the same crashes under the same ids."""
    folder = os.path.join(d, "cores")
    os.mkdir(folder)
    distinct(w.core, folder, 5)
    w.run("scan", "-q", "--klog", "none", "--db", os.path.join(d, "a.db"), folder)
    with open(os.path.join(d, "all"), "w", encoding="utf-8") as f:
        f.write(w.run("export", "--db", os.path.join(d, "a.db")).out)
    for _ in range(2):
        w.run("import", "--db", os.path.join(d, "b.db"), os.path.join(d, "all"))
    first, second = (w.run("export", "--db", os.path.join(d, name)).out for name in ("a.db", "b.db"))
    expect(sorted(first.splitlines()) == sorted(second.splitlines()), "what was moved is not the same")


@row(73)
def in_the_middle(w, d):
    """A folder without rights is one row; a folder that vanishes is gone; the rest is scanned."""
    for name in ("a", "closed", "z"):
        os.mkdir(os.path.join(d, name))
        shutil.copy(w.core, os.path.join(d, name, "core.1"))
        os.chmod(os.path.join(d, name, "core.1"), 0o644)
    os.chmod(os.path.join(d, "closed"), 0)
    prefix = ()
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            return skip("73: no setpriv")
        prefix = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        for at in (os.path.dirname(d), d):
            os.chmod(at, 0o755)
    done = w.scan(d, prefix=prefix)
    errors = [r for r in done.crashes if "error" in r]
    expect(len(done.crashes) == 3 and len(errors) == 1 and done.returncode == 1, f"{done.returncode}: {done.out[:300]}")
    os.chmod(os.path.join(d, "closed"), 0o700)
    script = 'while :; do mkdir -p m/n; cp "$1" m/n/core.9; rm -rf m; done'
    swapper = subprocess.Popen(["sh", "-c", script, "sh", w.core], cwd=d, stderr=subprocess.DEVNULL)
    try:
        for _ in range(10):
            done = w.scan(d)
            expect(len([r for r in done.crashes if "/m/" not in r["core"]["path"]]) == 3, "a core beside it is missing")
    finally:
        swapper.kill()
        swapper.wait()


# ---- G: compressed ------------------------------------------------------------------------------------------------


def rss_of(w, path):
    probe = ("import resource,subprocess,sys\n"
             "done=subprocess.run(sys.argv[1:],stdout=subprocess.PIPE,stderr=subprocess.STDOUT,timeout=100)\n"
             "print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)\nprint(done.stdout[:2000])")
    done = subprocess.run([sys.executable, "-c", probe, w.inquest, "triage", "--no-store", "--klog", "none", "--timeout", "20",
                           path], stdout=subprocess.PIPE, timeout=110, check=True)
    first, rest = done.stdout.decode().split("\n", 1)
    return int(first.split()[0]), int(first.split()[1]), rest


@row(62)
def bombs(w, d):
    """A real core with 512 MiB of zeros behind it, in every packing: limits hold and memory is bounded."""
    with open(w.core, "rb") as f:
        core = f.read()
    zeros = bytes(1 << 20)
    for name, opener in (("gz", gzip.open), ("xz", lzma.open), ("bz2", bz2.open)):
        for head in (core, b""):
            path = os.path.join(d, f"core.{len(head)}.{name}")
            more = {"preset": 0} if name == "xz" else {"compresslevel": 1}
            with opener(path, "wb", **more) as f:
                f.write(head)
                for _ in range(512 if name != "bz2" else 128):
                    f.write(zeros)
            code, rss, text = rss_of(w, path)
            expect(code in ((0, 1, 4) if head else (3,)) and rss < 200 << 10, f"{path}: exit {code}, {rss} KiB: {text[:300]}")
            os.unlink(path)


@row(66)
def packings(w, d):
    """Each packing whole, cut and named as another: the bytes decide."""
    with open(w.core, "rb") as f:
        core = f.read()
    for name, data in (("gz", gzip.compress(core)), ("xz", lzma.compress(core)), ("bz2", bz2.compress(core))):
        for what, content in (("whole", data), ("cut", data[:len(data) // 2]), ("flipped", data[:4000] + b"\xa5" * 64 + data[4064:])):
            path = os.path.join(d, f"core.{what}.zst")
            with open(path, "wb") as f:
                f.write(content)
            done = w.run("triage", "--json", "--no-store", "--klog", "none", path)
            expect(done.returncode == 0 if what == "whole" else done.returncode in (1, 3),
                   f"{name}, {what}: exit {done.returncode}: {done.err}")
            expect(done.out or done.err, f"{name}, {what}: silent")


# ---- I: many at once, and what the system refuses ------------------------------------------------------------------


@row(75)
def eight(w, d):
    """Scans, questions and purges of one database by eight processes: nobody sees a lock, nothing is lost."""
    folder, database = os.path.join(d, "cores"), os.path.join(d, "c.db")
    os.mkdir(folder)
    distinct(w.core, folder, 24)
    w.run("scan", "-q", "--klog", "none", "--db", database, folder)
    commands = [["scan", "-q", "--again", "--klog", "none"]] * 2 + [["groups"], ["history"], ["export"],
                                                                   ["purge", "--until", "1990-01-01"],
                                                                   ["rejudge", "-q"], ["purge", "--program", "none-such"]]
    for _ in range(2):
        running = [subprocess.Popen([w.inquest, *c, "--db", database, *([folder] if c[0] == "scan" else [])],
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE) for c in commands]
        for command, child in zip(commands, running):
            _, err = child.communicate(timeout=120)
            expect(child.returncode in (0, 1) and b"locked" not in err and b"busy" not in err,
                   f"{command}: exit {child.returncode}: {err.decode()}")
    w.run("scan", "-q", "--klog", "none", "--db", database, folder)
    crashes, states = records(database)
    expect(crashes == (24, 24) and states == {"done": 24}, f"{crashes} {states}")


@row(77)
def outputs(w, d):
    """A reader that goes away and a full device: exit 6 or the signal's, no claim left, no worker left."""
    folder, database = os.path.join(d, "cores"), os.path.join(d, "c.db")
    os.mkdir(folder)
    distinct(w.core, folder, 30)
    child = subprocess.Popen([w.inquest, "scan", "--klog", "none", "--db", database, folder], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
    child.stdout.readline()
    child.stdout.close()
    err = child.stderr.read()
    expect(child.wait(timeout=60) == 6, f"exit {child.returncode} without a reader: {err}")
    with open("/dev/full", "wb") as full:
        done = w.run("scan", "--new", "--klog", "none", "--db", database, folder, stdout=full)
    expect(done.returncode == 6 and "No space" in done.err, f"exit {done.returncode}: {done.err}")
    expect("running" not in records(database)[1], "claims are left")
    done = w.run("scan", "--new", "--klog", "none", "--db", database, folder)
    expect(done.out.count("SIGSEGV ") >= 30, "crashes that nobody could read are no longer new")
    expect(w.run("scan", "--new", "--klog", "none", "--db", database, folder).out == "", "told twice")


@row(79)
def refused(w, d):
    """Few descriptors, few processes: an error or a slower scan, never a lost core."""
    folder = os.path.join(d, "cores")
    os.mkdir(folder)
    distinct(w.core, folder, 8)
    for files in (8, 12, 20, 40):
        database = os.path.join(d, f"{files}.db")
        done = w.run("scan", "-q", "-j8", "--klog", "none", "--db", database, folder, limits={resource.RLIMIT_NOFILE: files})
        expect(done.returncode in (0, 1, 5, 6), f"{files} descriptors: exit {done.returncode}")
        expect(done.returncode == 0 or done.err or done.out, f"{files} descriptors: silent")
        done = w.run("scan", "-q", "--klog", "none", "--db", database, folder)
        expect(records(database)[0] == (8, 8), f"{files} descriptors, then enough: {done.err}")
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            return skip("79: no setpriv")
        for at in (os.path.dirname(d), d, folder):
            os.chmod(at, 0o755)
        prefix = ("setpriv", "--reuid=65533", "--regid=65533", "--clear-groups")
    else:
        return skip("79: RLIMIT_NPROC needs a user of its own")
    done = w.run("scan", "-q", "--no-store", "--klog", "none", folder, prefix=prefix, limits={resource.RLIMIT_NPROC: 1})
    expect(done.returncode in (0, 1, 5, 6) and (done.returncode == 0 or done.err), f"NPROC: exit {done.returncode} {done.err}")


# ---- J: the database -----------------------------------------------------------------------------------------------


@row(84)
def versions(w, d):
    """A newer database is refused and left alone; an older one is brought up to date, with a copy beside it."""
    database, folder = os.path.join(d, "c.db"), os.path.join(d, "cores")
    os.mkdir(folder)
    distinct(w.core, folder, 3)
    w.run("scan", "-q", "--klog", "none", "--db", database, folder)
    with sqlite3.connect(database) as db:
        version = db.execute("PRAGMA user_version").fetchone()[0]
        db.execute(f"PRAGMA user_version = {version + 1}")
    db.close()
    for command in (["scan", "-q", "--klog", "none", folder], ["groups"], ["history"]):
        done = w.run(*command, "--db", database)
        expect(done.returncode == 6 and "newer" in done.err, f"{command}: exit {done.returncode}: {done.err}")
    with sqlite3.connect(database) as db:  # as the first release made it
        for trigger in ("add", "drop", "move"):
            db.execute(f"DROP TRIGGER tally_{trigger}")
        db.execute("DROP TABLE tally")
        db.execute("ALTER TABLE file DROP COLUMN ctime")
        db.execute("PRAGMA user_version = 1")
    db.close()
    done = w.run("groups", "--db", database)
    expect(done.returncode == 6 and "older" in done.err, f"exit {done.returncode}: {done.err}")
    done = w.run("scan", "--klog", "none", "--db", database, folder)
    expect(done.returncode == 0 and "3 known" in done.out, done.out + done.err)
    with sqlite3.connect(database) as db:
        expect(db.execute("SELECT sum(n) FROM tally").fetchone() == (3,), "the tally was not filled")
    with sqlite3.connect(database + ".1") as db:
        expect(db.execute("PRAGMA user_version").fetchone() == (1,), "the copy is no copy")
        expect(db.execute("SELECT count(*) FROM crash").fetchone() == (3,), "the copy lacks crashes")


@row(85)
def places(w, d):
    """Links, other owners, folders without rights: an error for a named database, silence for the default one."""
    real = os.path.join(d, "real.db")
    shutil.copy(w.core, os.path.join(d, "core.1"))
    w.run("scan", "-q", "--klog", "none", "--db", real, os.path.join(d, "core.1"))
    link = os.path.join(d, "link.db")
    os.symlink("real.db", link)
    done = w.run("scan", "-q", "--klog", "none", "--db", link, d)
    expect(done.returncode == 6 and "symbolic link" in done.err, f"exit {done.returncode}: {done.err}")
    os.mkfifo(os.path.join(d, "fifo.db"))
    for place in ("fifo.db", "."):
        done = w.run("groups", "--db", os.path.join(d, place))
        expect(done.returncode == 6, f"{place}: exit {done.returncode}: {done.err}")
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        return skip("85: another owner needs root and setpriv")
    os.chown(real, 65534, 65534)
    done = w.run("scan", "-q", "--klog", "none", "--db", real, d)
    expect(done.returncode == 6 and "another user" in done.err, f"exit {done.returncode}: {done.err}")
    home = os.path.join(d, "home")
    os.mkdir(home, 0o555)
    for at in (os.path.dirname(d), d):
        os.chmod(at, 0o755)
    prefix = ("setpriv", "--reuid=65533", "--regid=65533", "--clear-groups")
    env = {k: v for k, v in os.environ.items() if k not in ("INQUEST_DB", "XDG_STATE_HOME")}
    env["HOME"] = home
    core = os.path.join(d, "core.1")
    os.chmod(core, 0o644)
    done = w.run("scan", "-q", "--klog", "none", core, prefix=prefix, env=env)
    expect(done.returncode in (0, 1) and "database" not in done.err and "SIGSEGV" in done.out, f"{done.returncode}: {done.err}")
    done = w.run("scan", "-q", "--klog", "none", "--db", os.path.join(home, "x.db"), core, prefix=prefix, env=env)
    expect(done.returncode == 6 and "Permission denied" in done.err, f"exit {done.returncode}: {done.err}")
    expect(os.stat(real).st_mode & 0o077 == 0, "others may read the database")


@row(86)
def clock(w, d):
    """Crashes from the future and before 1970, and a clock that went back: nothing depends on an order of times."""
    folder, database = os.path.join(d, "cores"), os.path.join(d, "c.db")
    os.mkdir(folder)
    distinct(w.core, folder, 4)
    names = sorted(os.listdir(folder))
    for name, when in zip(names, (-86400, 0, 32503680000, 4)):
        os.utime(os.path.join(folder, name), (when, when))
    expect(w.run("scan", "-q", "--klog", "none", "--db", database, folder).returncode in (0, 1), "scan")
    with sqlite3.connect(database) as db:  # as if they were recorded tomorrow
        db.execute("UPDATE crash SET t_record = t_record + 86400")
    db.close()
    expect("4 known" in w.run("scan", "--klog", "none", "--db", database, folder).out, "done again")
    expect(len(w.run("history", "--db", database).out.splitlines()) == 4, "history")
    expect(w.run("groups", "--db", database).returncode == 0, "groups")


def zstd(data):
    return subprocess.run(["zstd", "-q", "--check", f"--stream-size={len(data)}", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


@row(196)
def hostile_import(w, d):
    """NDJSON of somebody else: long lines, deep nesting, wrong types, no JSON, escapes in every string."""
    database = os.path.join(d, "c.db")
    report = json.loads(w.run("triage", "--json", "--no-store", "--klog", "none", w.core).out)
    good = json.dumps(report)
    lines = [b"", b"[" * 100000, b'{"a":' * 5000 + b"1" + b"}" * 5000, b"\x00\x01\x02", b"\xff\xfe" * 100, b"null", b"7", b'"x"',
             b"[]", b"{}", b'{"format":"inquest-report","version":2}']
    for key in report:
        for wrong in (7, "x\x1b[31m", [], {}, [[]], [7], None, {"x": {"y": [1]}}):
            lines.append(json.dumps({**report, key: wrong}).encode())
    lines.append(good.replace('"comm": "', '"comm": "\\u001b[2J\\u202e').encode())
    path = os.path.join(d, "in.ndjson")
    with open(path, "wb") as f:
        f.write(b"\n".join(lines) + b"\n" + good.encode() + b"\n")
    done = w.run("import", "--db", database, path)
    expect(done.returncode == 1 and "kept" in done.out, f"exit {done.returncode}: {done.err}")
    for command in (["groups"], ["history"], ["history", "--json"], ["export"], ["rejudge", "--dry-run"]):
        done = w.run(*command, "--db", database)
        expect(done.returncode == 0, f"{command}: exit {done.returncode}: {done.err}")
    with sqlite3.connect(database) as db:
        uids = [u for (u,) in db.execute("SELECT uid FROM crash LIMIT 40")]
    for uid in uids:
        w.run("show", uid, "--db", database)
    # a line of 300 MiB takes no more memory than the longest that is taken
    probe = ("import resource,subprocess,sys\nc=subprocess.Popen(sys.argv[1:],stdin=subprocess.PIPE,stdout=subprocess.DEVNULL,"
             "stderr=subprocess.DEVNULL)\nfor _ in range(300): c.stdin.write(b'['*(1<<20))\nc.stdin.close()\nprint(c.wait(),"
             "resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    done = subprocess.run([sys.executable, "-c", probe, w.inquest, "import", "--db", database, "-"], stdout=subprocess.PIPE,
                          timeout=110, check=True)
    code, rss = map(int, done.stdout.split())
    expect(code == 1 and rss < 200 << 10, f"exit {code}, {rss} KiB")


@row(195)
def hostile_database(w, d):
    """A database of the right form whose rows are anything: told, escaped, never a crash."""
    folder, database = os.path.join(d, "cores"), os.path.join(d, "c.db")
    os.mkdir(folder)
    distinct(w.core, folder, 2)
    w.run("scan", "-q", "--klog", "none", "--db", database, folder)
    report = json.loads(w.run("export", "--db", database).out.splitlines()[0])
    documents = [b"", b"7", b"[]", b"null", b"{}", b"[" * 3000, b'{"verdicts":7,"group":[]}', b'{"process":{"comm":7}}', b"\xff",
                 json.dumps({**report, "group": {"bug": "\x1b[31m", "title": "\x07"}}).encode(),
                 json.dumps({**report, "verdicts": [{"signature": 7}]}).encode(),
                 json.dumps({**report, "verdicts": [[]], "threads": {}}).encode()]
    blobs = [zstd(x) for x in documents] + [b"", b"\x28\xb5\x2f\xfd" + b"\xff" * 40,
                                            zstd(json.dumps(report).encode())[:-5]]
    for blob in blobs:
        copy = os.path.join(d, "hostile.db")
        shutil.copy(database, copy)
        with sqlite3.connect(copy) as db:
            db.text_factory = bytes
            db.execute("UPDATE crash SET row = ?, doc = ?, comm = CAST(? AS TEXT), program = CAST(? AS TEXT), uid = uid || ?",
                       (blob, blob, b"\x1b[2J\xff", b"\xff\x00x", "\x1b[31m" + "u" * 200))
            db.execute("UPDATE grp SET key = CAST(? AS TEXT), title = CAST(? AS TEXT)", (b"\xffv1:\x1b[31m", b"\x1b]0;x\x07\xfe"))
            db.execute("UPDATE build SET build_id = CAST(id || ? AS TEXT)", (b"\x1b\xff",))
            db.execute("INSERT INTO issue (grp, link, expires) VALUES (CAST(? AS TEXT), CAST(? AS TEXT), 0)",
                       (b"\xffv1:\x1b[31m", b"\x1b[31m\xff"))
        db.close()
        for command in (["groups"], ["groups", "--json"], ["history"], ["history", "--json"], ["show", report["uid"]],
                        ["export"], ["rejudge"], ["scan", "--klog", "none", folder]):
            done = w.run(*command, "--db", copy, timeout=60)
            expect(done.returncode in (0, 1, 2 if command[0] == "show" else 6, 6), f"{command}: exit {done.returncode}: {done.err}")
    # facts of another release: told, and the cores are done again
    copy = os.path.join(d, "foreign.db")
    shutil.copy(database, copy)
    with sqlite3.connect(copy) as db:
        blob = zstd(json.dumps({**report, "fact_of_tomorrow": 7}).encode())
        db.execute("UPDATE crash SET row = ?, doc = ?", (blob, blob))
    db.close()
    expect("2 stored reports" in w.run("history", "--db", copy).err, "history does not tell")
    for _ in range(2):
        w.run("scan", "--klog", "none", "--db", copy, folder)
    expect(len(w.run("history", "--db", copy).out.splitlines()) == 2, "the cores were not done again")


@row(194)
def hostile_issues(w, d):
    """A list of known issues that is anything: FILE:LINE, exit 2, nothing is scanned."""
    shutil.copy(w.core, os.path.join(d, "core.1"))
    path = os.path.join(d, "known")
    for content, code in ((b"\x01\xff", 2), (b"group", 2), (b"group x y", 2), (b"signature a b not-a-day\n", 2), (b"x" * 10000000, 2),
                          (b"#" * 5000, 2), (b"\n" * 200000, 2), (b"", 0), (b"# c\n\n  \n", 0), (b"signature * \x1b[31mlink\n", 0),
                          (b"signature free-near-null \x1b[31mhttp://x\xff 2999-01-01\n", 0)):
        with open(path, "wb") as f:
            f.write(content)
        done = w.run("scan", "-q", "--no-store", "--klog", "none", "--known-issues", path, os.path.join(d, "core.1"))
        expect(done.returncode == code and (code == 0 or "known:" in done.err), f"{content[:20]}: {done.returncode}: {done.err}")


@row(102)
def markdown(w, d):
    """Names that mean something to a page: inert in Markdown."""
    folder = os.path.join(d, "cores")
    os.mkdir(folder)
    for name in ("core.<img src=x onerror=alert(1)>", "core.](javascript:alert(1))", "core.`x` | @everyone #123 !secret", "core.\n| x |"):
        shutil.copy(w.core, os.path.join(folder, name))
    done = w.run("scan", "-q", "--no-store", "--klog", "none", "--markdown", "-", folder)
    rows = [l for l in done.out.splitlines() if "core." in l]
    expect(len(rows) == 4 and done.returncode == 0, f"{len(rows)} rows: {done.out}")
    for line in rows:
        bare = re.sub(r"(`+)[^`].*?\1", "", line)  # what is not code
        expect("<img" not in bare and "](" not in bare.replace("\\]", "").replace("\\(", ""), line)
        expect(not re.search(r"(?<![\\&])[@#](everyone|123)", bare), line)
    expect(len({len(re.findall(r"(?<!\\)\|", l)) for l in rows}) == 1, "rows have different numbers of cells")


def main():
    os.umask(0o022)  # some rows are for another user
    inquest, programs = os.path.abspath(sys.argv[1]), sys.argv[2]
    wanted = {int(n) for n in sys.argv[3:] if n != "--long"}
    long = "--long" in sys.argv
    failed = passed = 0
    with tempfile.TemporaryDirectory() as work:
        os.chmod(work, 0o755)
        os.makedirs(programs, exist_ok=True)
        try:
            program, core = zoo.make_core(next(c for c in zoo.load_cases() if c["id"] == "free-seven"), programs, work)
        except zoo.NoCores as why:
            print(f"skipped: {why}")
            return 77
        world = World(inquest, core, program)
        for number, function in ROWS:
            if number not in wanted if wanted else number in SLOW and not long:
                continue
            place = tempfile.mkdtemp(dir=work)
            folder = os.path.join(place, "d")
            os.mkdir(folder)
            begin = time.monotonic()
            try:
                function(world, folder)
                passed += 1
                print(f"ok   {number} ({function.__name__}) {time.monotonic() - begin:.1f} s")
            except (Failure, subprocess.TimeoutExpired, ValueError, KeyError) as why:
                print(f"FAIL {number} ({function.__name__}): {type(why).__name__}: {why}")
                failed += 1
            shutil.rmtree(place, ignore_errors=True)
    for why in SKIPPED:
        print(f"skipped: {why}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
