#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""mutants.py INQUEST PROGRAMS [COUNT]: damages a real core in COUNT (default 320) deterministic ways and holds
inquest against the bar: the parent never dies of a signal and never hangs, standard output is one JSON document,
and exit code 0 or 1 means that there is an answer.

useful: signal and at least one thread with its registers; full: every thread that the undamaged core has, with
the crashing thread's frames down to its outermost one.
"""
import concurrent.futures
import hashlib
import json
import os
import resource
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import zoo  # noqa: E402

SECONDS = 120  # a hang, not a speed limit: sanitizer builds are slow
LYING = [0, 1, 2, 0x7f, 0xff, 0x7fffffff, 0x80000000, 0xffffffff, 1 << 61, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]


class Random:
    """xorshift64*: the same mutants on every machine."""

    def __init__(self, seed):
        self.state = seed

    def next(self, bound):
        x = self.state
        x ^= x >> 12
        x ^= (x << 25) & 0xffffffffffffffff
        x ^= x >> 27
        self.state = x
        return ((x * 0x2545F4914F6CDD1D) & 0xffffffffffffffff) % bound


def layout(data):
    """(phoff, phnum, notes offset, notes size) of a 64-bit little-endian core."""
    phoff, = struct.unpack_from("<Q", data, 32)
    phnum, = struct.unpack_from("<H", data, 56)
    for i in range(phnum):
        kind, _, off, _, _, size = struct.unpack_from("<IIQQQQ", data, phoff + i * 56)
        if kind == 4:
            return phoff, phnum, off, size
    raise AssertionError("a core without notes")


def note_heads(data, off, size):
    at, end = off, off + size
    while at + 12 <= end:
        namesz, descsz, _ = struct.unpack_from("<III", data, at)
        yield at, descsz
        at += 12 + (namesz + 3 & ~3) + (descsz + 3 & ~3)


def mutants(data, count):
    rnd = Random(0x9e3779b97f4a7c15)
    phoff, phnum, notes, notes_size = layout(data)
    heads = list(note_heads(data, notes, notes_size))
    kinds = ["cut", "header", "phdr", "note-head", "note-body", "memory", "zero-run", "lie"]
    for n in range(count):
        kind = kinds[n % len(kinds)]
        if kind == "cut":
            # a third inside headers and notes, the rest anywhere
            limit = notes + notes_size if n % 3 == 0 else len(data)
            yield kind, data[:rnd.next(limit)]
            continue
        new = bytearray(data)
        if kind == "header":
            for _ in range(1 + rnd.next(3)):
                new[rnd.next(64)] ^= 1 << rnd.next(8)
        elif kind == "phdr":
            for _ in range(1 + rnd.next(3)):
                new[phoff + rnd.next(phnum * 56)] ^= 1 << rnd.next(8)
        elif kind == "note-head":
            at, _ = heads[rnd.next(len(heads))]
            struct.pack_into("<I", new, at + 4 * rnd.next(3), LYING[rnd.next(len(LYING))] & 0xffffffff)
        elif kind == "note-body":
            for _ in range(1 + rnd.next(8)):
                new[notes + rnd.next(notes_size)] = rnd.next(256)
        elif kind == "memory":
            for _ in range(64):
                new[notes + notes_size + rnd.next(len(data) - notes - notes_size)] = rnd.next(256)
        elif kind == "zero-run":
            at = rnd.next(len(data))
            new[at:at + 4096] = bytes(len(new[at:at + 4096]))
        else:
            at = phoff + rnd.next(phnum) * 56 + 8 * (1 + rnd.next(6))
            struct.pack_into("<Q", new, at, LYING[rnd.next(len(LYING))])
        yield kind, bytes(new)


def limits():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def judge(inquest, path, tids):
    """(problem or None, exit code, useful, full)"""
    before = hashlib.sha256(open(path, "rb").read()).digest()
    try:
        done = subprocess.run([inquest, "triage", "--json", "--no-store", path], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS, preexec_fn=limits)
    except subprocess.TimeoutExpired:
        return "hangs", None, False, False
    code = done.returncode
    if code < 0:
        return f"the parent died of signal {-code}", code, False, False
    if code not in (0, 1, 3, 4, 5):
        return f"exit {code}: {done.stderr[:200]!r}", code, False, False
    if done.stderr.count(b"\n") > 20:
        return "more than 20 lines on standard error", code, False, False
    try:
        report = json.loads(done.stdout)
    except ValueError:
        return f"exit {code} without a JSON document", code, False, False
    if hashlib.sha256(open(path, "rb").read()).digest() != before:
        return "the core was changed", code, False, False
    threads = report.get("threads") or []
    signal = (report.get("signal") or {}).get("number")
    useful = code in (0, 1, 4) and signal is not None and any(t.get("registers") for t in threads)
    crashed = next((t for t in threads if t.get("crashed")), None)
    full = bool(useful and sorted(t["tid"] for t in threads) == tids and crashed and crashed.get("complete"))
    if code == 0 and not useful:
        return "exit 0 without an answer", code, useful, full
    if code in (3, 5) and not done.stderr.strip() and not report.get("error"):
        return f"silent failure: exit {code}", code, useful, full
    return None, code, useful, full


def main():
    inquest, programs = os.path.abspath(sys.argv[1]), sys.argv[2]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 320
    os.makedirs(programs, exist_ok=True)
    case = next(c for c in zoo.load_cases() if c["id"] == "four-threads")
    with tempfile.TemporaryDirectory() as folder:
        try:
            _, core = zoo.make_core(case, programs, folder)
        except zoo.NoCores as why:
            print(f"skipped: {why}")
            return 77
        # a sparse 25 MB of thread stacks would only be zeros to damage
        data = open(core, "rb").read()
        report = json.loads(subprocess.run([inquest, "triage", "--json", "--no-store", core],
                                           stdout=subprocess.PIPE).stdout)
        tids = sorted(t["tid"] for t in report["threads"])
        assert len(tids) == 4, "the undamaged core has four threads"

        def one(item):
            n, (kind, bytes_) = item
            path = os.path.join(folder, f"mutant.{n}")
            with open(path, "wb") as f:
                f.write(bytes_)
            result = judge(inquest, path, tids)
            if not result[0]:
                os.unlink(path)
            return n, kind, result

        codes, useful, full, died, problems = {}, 0, 0, 0, []
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for n, kind, (problem, code, is_useful, is_full) in pool.map(one, enumerate(mutants(data, count))):
                codes[code] = codes.get(code, 0) + 1
                useful, full, died = useful + is_useful, full + is_full, died + (code == 5)
                if problem:
                    problems.append(f"mutant {n} ({kind}): {problem}")
        for problem in problems:
            print(problem)
        print(f"{count} mutants: {full} full, {useful} useful, worker died {died}, exit codes {codes}")
        # the bar of the design for 300: 160 full and 235 useful
        if useful * 300 < 235 * count or full * 300 < 160 * count:
            problems.append("below the bar")
            print("below the bar: 160 full and 235 useful of 300")
        print(f"{count - len(problems)} passed, {len(problems)} failed")
        return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
