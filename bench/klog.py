#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""klog.py PROGRAM [MIB]: how long `inquest klog` takes over a journal of that size (default 1024), warm, beside grep.
On a machine that is busy otherwise, look at the processor's time.

The journal is ordinary lines with one crash in five thousand, made anew with the same seed each time.
"""
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

WORDS = ("systemd Started Session of user root kernel usb device descriptor read error audit CRON session opened "
         "pam_unix sshd Accepted publickey for admin from port nginx GET HTTP/1.1 200 kubelet pod volume mount "
         "succeeded docker container health check network interface up link ready").split()


def block(rng):
    lines = []
    for i in range(200000):
        when = f"Mar 01 {rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}"
        words = " ".join(rng.choice(WORDS) for _ in range(rng.randrange(6, 18)))
        lines.append(f"{when} host {rng.choice(WORDS)}[{rng.randrange(99999)}]: {words}")
        if i % 5000 == 0:
            ip = rng.randrange(1 << 20)
            lines.append(f"{when} host kernel: prog[{rng.randrange(1 << 22)}]: segfault at {rng.randrange(4096):x} "
                         f"ip 00007f{ip:010x} sp 00007ffd{rng.randrange(1 << 32):08x} error 4 in "
                         f"lib.so[7f{ip & ~0xfff:010x}+{1 << 20:x}] likely on CPU {rng.randrange(8)} (core 0, socket 0)")
    return ("\n".join(lines) + "\n").encode()


def seconds(command):
    """(wall, processor) time; through a pipe, since grep stops at the first line when nobody looks."""
    start = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.read()
        _, _, used = os.wait4(process.pid, 0)
        process.returncode = 0
    return time.monotonic() - start, used.ru_utime + used.ru_stime


def main():
    program, mib = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1024
    with tempfile.NamedTemporaryFile(prefix="klog-bench-") as file:
        piece = block(random.Random(7))
        while file.tell() < mib << 20:
            file.write(piece)
        file.flush()
        size = os.path.getsize(file.name)
        for name, command in (("inquest klog", [program, "klog", file.name]),
                              ("inquest klog --json", [program, "klog", "--json", file.name]),
                              ("grep -c segfault", ["grep", "-c", "segfault", file.name]),
                              ("grep -cE (6 words)", ["grep", "-cE", "segfault|oom-kill|Killed process|traps:|BUG:|Oops:",
                                                      file.name])):
            seconds(command)
            times = [seconds(command) for _ in range(5)]
            wall, cpu = (statistics.median(column) for column in zip(*times))
            print(f"{name:22} {wall:6.2f} s  processor {cpu:6.2f} s  {size / cpu / 1e6:7.0f} MB/s")


if __name__ == "__main__":
    main()
