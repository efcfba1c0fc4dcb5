#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""scan.py INQUEST PROGRAMS [CORES]: `inquest scan` over many small cores (default 1000) that are all different crashes,
two workers, every one kept in a fresh crash database; beside `eu-stack --core` in a loop. Then the same again, and a
folder of 10,000 entries that are mostly no cores.

PROGRAMS is a folder for the crashing program (the build's fixtures/zoo). Figures are medians; on a machine that is busy
otherwise look at the ratio and at the processor's time.
"""
import os
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))
import zoo  # noqa: E402

ROUNDS = 3


def distinct(core, folder, count):
    """Copies of one core with another pid each in the crashing thread's NT_PRSTATUS: crashes of their own."""
    with open(core, "rb") as f:
        data = bytearray(f.read())
    at = data.find(b"CORE\0\0\0\0") + 8 + 32
    for i in range(count):
        data[at:at + 4] = (100000 + i).to_bytes(4, "little")
        with open(os.path.join(folder, f"core.{i:05d}"), "wb") as f:
            f.write(data)
    return len(data)


def measure(command):
    """(wall, processor, peak of the process itself in MiB)"""
    begin = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        peak = 0
        while True:
            pid, _, used = os.wait4(child.pid, os.WNOHANG)
            if pid:
                child.returncode = 0
                break
            try:
                with open(f"/proc/{child.pid}/status", encoding="ascii", errors="replace") as f:
                    peak = max([peak] + [int(l.split()[1]) for l in f if l.startswith("VmHWM")])
            except (OSError, ValueError):
                pass
            time.sleep(0.002)
    return time.monotonic() - begin, used.ru_utime + used.ru_stime, peak / 1024


def forget(database):
    for end in ("", "-wal", "-shm"):
        if os.path.exists(database + end):
            os.unlink(database + end)


def median(rows):
    return [statistics.median(column) for column in zip(*rows)]


def small_cores(inquest, folder, database, count, program):
    scan = [inquest, "scan", "-q", "-j", "2", "--klog", "none", "--db", database, folder]
    eu = ["sh", "-c", 'for c in "$1"/*; do eu-stack --core "$c" -e "$2"; done', "sh", folder, program]
    ours, theirs = [], []
    for _ in range(ROUNDS):  # by turns: the machine's other work falls on both
        forget(database)
        ours.append(measure(scan))
        theirs.append(measure(eu))
    again = median([measure(scan) for _ in range(ROUNDS)])
    ours, theirs = median(ours), median(theirs)
    per = 1000 / count
    print(f"{count} cores, first scan: {ours[0]:.2f} s wall ({ours[0] * per:.2f} ms a core), {ours[1] * per:.2f} ms of "
          f"processor a core, parent {ours[2]:.0f} MiB at most")
    print(f"eu-stack in a loop:    {theirs[0]:.2f} s wall ({theirs[0] * per:.2f} ms a core), {theirs[1] * per:.2f} ms of "
          f"processor a core; scan takes {ours[0] / theirs[0]:.2f} of its wall")
    print(f"second scan:           {again[0]:.3f} s wall, {again[1]:.3f} s of processor, parent {again[2]:.0f} MiB")


def main():
    inquest, programs = os.path.abspath(sys.argv[1]), sys.argv[2]
    count = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
    os.makedirs(programs, exist_ok=True)
    case = next(c for c in zoo.load_cases() if c["id"] == "free-seven")
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="inquest-bench.") as work:
        program, core = zoo.make_core(case, programs, work)
        for n in (count // 10, count):
            folder = tempfile.mkdtemp(dir=work)
            size = distinct(core, folder, n)
            print(f"-- {n} cores of {size >> 10} KiB")
            small_cores(inquest, folder, os.path.join(work, f"{n}.db"), n, program)
        mixed = tempfile.mkdtemp(dir=work)
        for i in range(10000):
            with open(os.path.join(mixed, f"file.{i:05d}.txt"), "w", encoding="ascii") as f:
                f.write(f"entry {i}\n" * 20)
        distinct(core, mixed, 20)
        database = os.path.join(work, "mixed.db")
        scan = [inquest, "scan", "-q", "-j", "2", "--klog", "none", "--db", database, mixed]
        first, second = measure(scan), median([measure(scan) for _ in range(ROUNDS)])
        print(f"-- 10,000 entries that are no cores, 20 that are: {first[0]:.2f} s, again {second[0]:.3f} s "
              f"({second[1]:.3f} s of processor), parent {first[2]:.0f} MiB")
    print(f"load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
