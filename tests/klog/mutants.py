#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""mutants.py PROGRAM [LINES]: lines of public.txt and quiet.txt, changed at random, through inquest klog.

Default: ten million lines, in logs of a million. Nothing may end the program but its exit, nothing raw may come out,
and the number of lines that it says it read has to be right.
"""
import json
import pathlib
import random
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SPLICES = [b" ", b"[", b"]", b"(", b")", b"<", b">", b":", b"0x", b"ffffffffffffffff", b"99999999999999999999", b"-1",
           b"\x00", b"\xff", b"\x1b[31m", b"\r", b"\xe2\x80\xae", b"=", b",", b"+", b"(null)", b"{", b"\"MESSAGE\":[1]"]


def originals():
    lines = []
    for name in ("public.txt", "quiet.txt"):
        for line in (HERE / name).read_bytes().split(b"\n"):
            if line and not line.startswith((b"== ", b"-> ", b"# ")):
                lines.append(line)
    return lines


def mutate(rng, line, lines):
    kind = rng.randrange(6)
    at = rng.randrange(len(line) + 1)
    if kind == 0:
        return line[:at]
    if kind == 1:
        return line[at:]
    if kind == 2:
        return line[:at] + rng.choice(SPLICES) + line[at:]
    if kind == 3:
        return line[:at] + bytes([rng.randrange(256)]).replace(b"\n", b" ") + line[at + 1:]
    if kind == 4:
        other = rng.choice(lines)
        return line[:at] + other[rng.randrange(len(other)):]
    return line


def block(seed, count, lines):
    rng = random.Random(seed)
    pool = [mutate(rng, mutate(rng, rng.choice(lines), lines) or b"x", lines) for _ in range(100000)]
    return b"\n".join(rng.choice(pool) for _ in range(count)) + b"\n"


def run(program, data, *options):
    done = subprocess.run([program, "klog", *options, "-"], input=data, capture_output=True, timeout=600, check=False)
    if done.returncode not in (0, 4):
        raise SystemExit(f"exit {done.returncode}: {done.stderr[:2000]!r}")
    if re.search(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", done.stdout):
        raise SystemExit("raw bytes in the output")
    return done.stdout


def main():
    program = sys.argv[1]
    total = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000_000
    lines = originals()
    done = events = 0
    while done < total:
        count = min(1_000_000, total - done)
        data = block(done + 7, count, lines)
        document = json.loads(run(program, data, "--json"))
        source, = document["sources"]
        if source["lines"] != data.count(b"\n") or source["bytes"] != len(data):
            raise SystemExit(f"{source} of a log with {data.count(bytes([10]))} lines, {len(data)} bytes")
        events += source["events"]
        if done == 0:
            run(program, data, "-v")
        done += count
    print(f"{done} lines, {events} events")


if __name__ == "__main__":
    main()
