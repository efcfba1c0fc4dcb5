#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""scan_store.py INQUEST PROGRAMS [--long]: scans that are killed, two at once, and a crash database that is locked,
damaged, on a full disk or on one that nobody may write to. Every core ends with exactly one record, and nothing that
was said to be kept is lost. --long: 200 kills instead of 10, and the waits of 30 seconds."""
import fcntl
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import zoo  # noqa: E402

CORES = 40


class Failure(Exception):
    pass


def expect(condition, words):
    if not condition:
        raise Failure(words)


def scan(inquest, folder, database, *options, wait=True, prefix=(), env=None):
    command = [*prefix, inquest, "scan", "-q", "--db", database, *options, folder]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
    if not wait:
        return child
    out, err = child.communicate(timeout=120)
    return child.returncode, out.decode(errors="replace"), err.decode(errors="replace")


def records(database):
    with sqlite3.connect(database) as db:
        expect(db.execute("PRAGMA integrity_check").fetchone() == ("ok",), "integrity_check")
        crashes = db.execute("SELECT count(*), count(DISTINCT identity) FROM crash").fetchone()
        counted = db.execute("SELECT grp, coalesce(host, ''), count(*) FROM crash WHERE grp NOT NULL GROUP BY 1, 2 ORDER BY 1, 2")
        tally = db.execute("SELECT grp, host, n FROM tally ORDER BY 1, 2").fetchall()
        expect(tally == counted.fetchall(), f"the tally has {tally}")
        states = dict(db.execute("SELECT state, count(*) FROM file GROUP BY state"))
        return crashes, states


def distinct(core, folder, count):
    """Copies of one core with another pid each in NT_PRSTATUS, so that they are different crashes."""
    with open(core, "rb") as f:
        data = bytearray(f.read())
    at = data.find(b"CORE\0\0\0\0") + 8 + 32  # the first note is the crashing thread's NT_PRSTATUS; pr_pid at 32
    for i in range(count):
        data[at:at + 4] = (100000 + i).to_bytes(4, "little")
        with open(os.path.join(folder, f"core.{i:04d}"), "wb") as f:
            f.write(data)


PIPE = 4096


class Rows:
    """A scan that goes on only as its rows are read: its output is a pipe that holds less than a row. What is done to it
    "after so many bytes" meets it at work on every machine, however fast, however busy."""

    def __init__(self, inquest, folder, database):
        ours, theirs = os.pipe()
        fcntl.fcntl(ours, fcntl.F_SETPIPE_SZ, PIPE)
        self.child = subprocess.Popen([inquest, "scan", "-q", "--json", "--again", "--db", database, folder], stdout=theirs,
                                      stderr=subprocess.DEVNULL)
        os.close(theirs)
        self.out = os.fdopen(ours, "rb", buffering=0)

    def read(self, count):
        """Whether so many bytes came before the end."""
        while count > 0:
            got = self.out.read(min(count, PIPE))
            if not got:
                return False
            count -= len(got)
        return True

    def end(self):
        total = 0
        while got := self.out.read(PIPE):
            total += len(got)
        self.out.close()
        self.child.wait(60)
        return total


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(word) for word in f.read().split() if alive(int(word))]
    except OSError:
        return []


def complete(inquest, folder, database):
    """Whatever happened before: another scan or two, and every core has its one record."""
    for _ in range(3):
        code, _, err = scan(inquest, folder, database)
        expect(code in (0, 1), f"the scan that follows exits with {code}: {err}")
        crashes, states = records(database)
        if states == {"done": CORES}:
            break
    expect(crashes == (CORES, CORES), f"{crashes} crashes instead of {CORES}")
    expect(states == {"done": CORES}, f"journal: {states}")


def killed(inquest, folder, work, rounds, whom):
    chance = random.Random(rounds)
    rows = Rows(inquest, folder, os.path.join(work, f"measure-{whom}.db"))
    begin = time.monotonic()
    total = rows.end()
    of_one = (time.monotonic() - begin) / CORES
    expect(total > CORES * PIPE, f"{total} bytes of rows are too few to stop a scan")
    database, hit = os.path.join(work, f"{whom}.db"), 0
    for i in range(rounds):
        if i % 5 == 0:
            for end in ("", "-wal", "-shm"):
                if os.path.exists(database + end):
                    os.unlink(database + end)
        rows = Rows(inquest, folder, database)
        # The last rows fit into the pipe: nothing of them need be left to do.
        expect(rows.read(chance.randrange(total - 4 * PIPE)), "fewer rows than before")
        time.sleep(chance.choice((0, chance.uniform(0, of_one))))
        if whom == "parent":
            hit += rows.child.poll() is None
            rows.child.kill()
        else:
            pids = children(rows.child.pid)
            for pid in chance.choice((pids, chance.sample(pids, min(1, len(pids))))):
                hit += 1
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        rows.end()
        if os.path.exists(database) and i % 5 == 4:
            complete(inquest, folder, database)
    expect(hit >= rounds, f"only {hit} hits in {rounds} rounds")


def two_at_once(inquest, folder, work):
    database = os.path.join(work, "two.db")
    running = [scan(inquest, folder, database, wait=False) for _ in range(3)]
    for child in running:
        out, err = child.communicate(timeout=120)
        expect(child.returncode in (0, 1), f"exit {child.returncode}: {err.decode()}")
    complete(inquest, folder, database)


def interrupted(inquest, folder, work):
    database = os.path.join(work, "signal.db")
    for number in (signal.SIGINT, signal.SIGTERM):
        rows = Rows(inquest, folder, database)
        expect(rows.read(3 * PIPE), "no rows")
        rows.child.send_signal(number)
        rows.end()
        expect(rows.child.returncode == 128 + number, f"exit {rows.child.returncode} after signal {number}")
        with sqlite3.connect(database) as db:
            states = dict(db.execute("SELECT state, count(*) FROM file GROUP BY state"))
        expect("running" not in states, f"claims are left: {states}")
    complete(inquest, folder, database)


def power(inquest, folder, work):
    """What a machine that lost its power could find: the database and its log as they were at some moment. Each copy is whole,
    no record is half there, and the next scan completes it."""
    database, copies = os.path.join(work, "power.db"), []
    rows = Rows(inquest, folder, database)
    while rows.read(2 * PIPE):
        copy = os.path.join(work, f"copy{len(copies)}.db")
        rows.child.send_signal(signal.SIGSTOP)  # both files of one moment
        state = os.waitid(os.P_PID, rows.child.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        if state.si_code == os.CLD_STOPPED:
            try:
                for end in ("", "-wal"):
                    shutil.copyfile(database + end, copy + end)
                copies.append(copy)
            except FileNotFoundError:
                pass
        rows.child.send_signal(signal.SIGCONT)
    rows.end()
    expect(len(copies) > 3, f"only {len(copies)} copies")
    for copy in copies:
        crashes, states = records(copy)
        expect(crashes[0] == crashes[1] == states.get("done", 0), f"{copy}: {crashes} crashes, journal {states}")
    for copy in (copies[len(copies) // 3], copies[-1]):
        complete(inquest, folder, copy)


def damaged(inquest, folder, work):
    database = os.path.join(work, "damaged.db")
    scan(inquest, folder, database)
    noise = random.Random(4096)
    with open(database, "r+b") as f:
        size = f.seek(0, 2)
        for offset in range(4096, size, 4096):
            f.seek(offset)
            f.write(noise.randbytes(512))
    with open(database, "rb") as f:
        before = f.read()
    code, _, err = scan(inquest, folder, database)
    expect(code == 6 and "damaged" in err, f"exit {code}: {err}")
    with open(database, "rb") as f:
        expect(f.read() == before, "the damaged file was changed")
    for name, content in (("empty", b""), ("text", b"no database at all\n" * 100)):
        database = os.path.join(work, name)
        with open(database, "wb") as f:
            f.write(content)
        code, _, err = scan(inquest, folder, database)
        expect(code == 6 and len(err.splitlines()) <= 2, f"{name}: exit {code}: {err}")
        with open(database, "rb") as f:
            expect(f.read() == content, f"{name} was changed")


def in_namespace(script, *arguments):
    """Runs shell lines in mount namespaces of their own; None where that is not allowed."""
    probe = subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL)
    if os.geteuid() != 0 or probe.returncode != 0:
        return None
    return subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=120)


def full_disk(inquest, folder, work):
    """The database grows until a file system of 1 MiB is full; with room again, the rest is done."""
    mount = os.path.join(work, "small")
    os.makedirs(mount)
    done = in_namespace('mount -t tmpfs -o size=400k tmpfs "$3" || exit 77\n'
                        '"$1" scan -q --db "$3/a.db" "$2" >"$4" 2>"$5"; echo "$?"\n'
                        'cp "$3"/a.db* "$6"/ 2>/dev/null\n'
                        'mount -o remount,size=40m "$3"\n'
                        '"$1" scan -q --db "$3/a.db" "$2" >/dev/null 2>&1; echo "$?"\n'
                        '"$1" export --db "$3/a.db" | wc -l\n',
                        inquest, folder, mount, work + "/out", work + "/err", work)
    if done is None or done.returncode == 77:
        return "skipped: no mount namespaces"
    codes = done.stdout.decode().split()
    with open(work + "/err") as f:
        err = f.read()
    expect(codes[0] == "6" and "no space" in err, f"exit {codes}: {err}")
    with open(work + "/out") as f:
        expect(len(f.read().splitlines()) >= CORES, "rows are missing from the output of the scan on a full disk")
    expect(codes[1] in ("0", "1") and codes[2] == str(CORES), f"afterwards: {codes}")
    return None


def read_only(inquest, folder, work):
    mount = os.path.join(work, "readonly")
    os.makedirs(mount)
    done = in_namespace('mount -t tmpfs tmpfs "$3" || exit 77\n'
                        '"$1" scan -q --db "$3/a.db" "$2" >/dev/null 2>&1\n'
                        'mount -o remount,ro "$3"\n'
                        '"$1" scan -q --db "$3/a.db" "$2" 2>"$4" | wc -l\n'
                        '"$1" scan -q --db "$3/b.db" "$2" >/dev/null 2>>"$4"; echo "$?"\n',
                        inquest, folder, mount, work + "/err")
    if done is None or done.returncode == 77:
        return "skipped: no mount namespaces"
    words = done.stdout.decode().split()
    with open(work + "/err") as f:
        err = f.read()
    expect(words[1] == "6", f"exit {words[1]}: {err}")
    expect(err and "Traceback" not in err, err)
    return None


def locked(inquest, folder, work):
    database = os.path.join(work, "locked.db")
    scan(inquest, folder, database)
    db = sqlite3.connect(database, isolation_level=None)
    db.execute("BEGIN IMMEDIATE")
    begin = time.monotonic()
    code, out, err = scan(inquest, folder, database, "--again")
    expect(code == 6 and str(os.getpid()) in err, f"exit {code}: {err}")
    expect(time.monotonic() - begin > 20, "it did not wait")
    expect(len(out.splitlines()) >= CORES, "rows are missing")
    db.execute("ROLLBACK")
    db.close()
    complete(inquest, folder, database)


def main():
    inquest, programs = os.path.abspath(sys.argv[1]), sys.argv[2]
    long = "--long" in sys.argv
    rounds = 200 if long else 10
    failed = passed = 0
    with tempfile.TemporaryDirectory() as work:
        try:
            case = next(c for c in zoo.load_cases() if c["id"] == "free-seven")
            core = zoo.make_core(case, programs, work)[1]
        except zoo.NoCores as why:
            print(f"skipped: {why}")
            return 77
        folder = os.path.join(work, "cores")
        os.makedirs(folder)
        distinct(core, folder, CORES)
        checks = [("kill -9 of the scan", lambda w: killed(inquest, folder, w, rounds, "parent")),
                  ("kill -9 of workers", lambda w: killed(inquest, folder, w, rounds, "worker")),
                  ("three scans at once", lambda w: two_at_once(inquest, folder, w)),
                  ("SIGINT and SIGTERM", lambda w: interrupted(inquest, folder, w)),
                  ("power loss", lambda w: power(inquest, folder, w)),
                  ("damaged, empty, something else", lambda w: damaged(inquest, folder, w)),
                  ("disk full", lambda w: full_disk(inquest, folder, w)),
                  ("read-only", lambda w: read_only(inquest, folder, w))]
        if long:
            checks.append(("locked", lambda w: locked(inquest, folder, w)))
        for name, check in checks:
            place = tempfile.mkdtemp(dir=work)
            try:
                note = check(place)
                print(f"{'ok  ' if not note else note} {name}")
                passed += not note
            except Failure as why:
                print(f"FAIL {name}: {why}")
                failed += 1
            shutil.rmtree(place, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
