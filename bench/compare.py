#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""compare.py INQUEST CORE [CORE.zst]: inquest against what a user would run instead, on one core.

Every command is run --runs times (default 7), in turns so that all see the same machine, after one warm-up.
Printed: median, minimum and maximum wall time, peak memory of the largest process, and the ratio of the medians
to a named peer. A core for it: `bench/big_process.py 2100 9` under `ulimit -c unlimited`.
"""
import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time


def once(command):
    start = time.perf_counter()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return (time.perf_counter() - start) * 1000, usage.ru_maxrss / 1024, child.returncode


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("inquest")
    parser.add_argument("core")
    parser.add_argument("packed", nargs="?", help="the same core, compressed with zstd")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--no-gdb", action="store_true")
    args = parser.parse_args()
    triage = [os.path.abspath(args.inquest), "triage", "--no-store", "--json"]
    commands = {"inquest triage": triage + [args.core],
                "inquest triage --stacks": triage + ["--stacks", args.core]}
    if shutil.which("eu-stack"):
        commands["eu-stack"] = ["eu-stack", "--core", args.core]
    program = json.loads(subprocess.run(triage + [args.core], stdout=subprocess.PIPE).stdout)["process"]["executable"]
    if shutil.which("gdb") and not args.no_gdb:
        # the limit keeps gdb from eating the machine on cores with very many segments
        commands["gdb bt"] = ["sh", "-c", "ulimit -v 8000000; exec gdb -nx -batch -iex 'set debuginfod enabled off' "
                              f"-ex 'thread apply all bt' '{program}' '{args.core}'"]
    if args.packed:
        commands["zstd -dc"] = ["sh", "-c", f"zstd -dc '{args.packed}' >/dev/null"]
        commands["inquest triage .zst"] = triage + [args.packed]

    times = {name: [] for name in commands}
    memory = dict.fromkeys(commands, 0.0)
    for turn in range(args.runs + 1):
        for name, command in commands.items():
            wall, rss, code = once(command)
            if turn:
                times[name].append(wall)
            memory[name] = max(memory[name], rss)
            if code not in (0, 1):
                print(f"{name}: exit {code}", file=sys.stderr)
    print(f"{platform.machine()}, {os.cpu_count()} CPUs, Linux {platform.release()}, {args.runs} runs, "
          f"{os.path.getsize(args.core) / 1e9:.2f} GB")
    median = {name: statistics.median(t) for name, t in times.items()}
    for name, t in times.items():
        print(f"{name:26} {median[name]:9.1f} ms  ({min(t):.1f} to {max(t):.1f})  {memory[name]:7.1f} MB")
    for name, peer in (("inquest triage", "eu-stack"), ("inquest triage --stacks", "eu-stack"),
                       ("inquest triage", "gdb bt"), ("inquest triage .zst", "zstd -dc")):
        if name in median and peer in median:
            print(f"{name} / {peer}: {median[name] / median[peer]:.3f}")


if __name__ == "__main__":
    main()
