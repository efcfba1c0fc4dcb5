#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""rules.py INQUEST [RULES] [FRAMES]: how long judging one report takes with many signatures.

Writes RULES (10,000) signatures, each with quantifiers over the frames, modules and threads of a report with FRAMES
(1,000) frames, and times `inquest signatures explain`, which reads all of them, judges the report by all of them, and
explains one. The bar of docs/performance: below one second for all of it. Prints the best of five runs, and the same
with two signatures, which is what starting the program costs.
"""
import json
import os
import subprocess
import sys
import tempfile
import time

KINDS = [
    # a name that is never there, so that every frame is looked at
    ["any frames: [frame.function like \"*needle_{n}*\", frame.trust is cfi]"],
    ["any frames: [frame.function is needle_{n}, frame.trust is cfi]", "any modules: [module.name is lib{n}.so]"],
    ["count frames > 2000: [frame.function is f{m}]", "any threads: [{{any thread.frames: [frame.function is x{n}]}}]"],
    ["all frames: ['frame.index >= 0']", "any modules: [module.name is lib{n}.so, module.deleted is true]"],
]


def rule(n):
    lines = ["signal.name is SIGSEGV"] + [k.format(n=n, m=n % 100) for k in KINDS[n % len(KINDS)]]
    # the cheap line does not settle it: the quantifiers have to run
    text = "".join(f"    - {line}\n" if ":" not in line else f"    - {{{line}}}\n" for line in lines)
    return f"- id: bench-{n}\n  title: Number {n}\n  when:\n{text}  proof: [fault.address is {n}]\n  cause: 'It is {{signal.name}}.'\n"


def report(frames):
    stack = [{"index": i, "pc": hex(0x400000 + 16 * i), "trust": "cfi", "function": f"f{i % 100}", "module": i % 50}
             for i in range(frames)]
    modules = [{"index": i, "name": f"libm{i}.so", "path": f"/usr/lib/libm{i}.so", "deleted": False} for i in range(50)]
    threads = [{"tid": 1, "crashed": True, "complete": True, "frames_total": frames, "frames": stack}]
    return {"format": "inquest-report", "version": 1, "core": {"complete": True},
            "signal": {"number": 11, "name": "SIGSEGV", "code": 1, "sent_by": "kernel"},
            "fault": {"signal": "SIGSEGV", "address": "0x8"}, "threads_total": 1, "threads": threads,
            "modules": modules}


def best(command, runs=5):
    times = []
    for _ in range(runs):
        start = time.monotonic()
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        times.append(time.monotonic() - start)
        if done.returncode:
            sys.exit(f"{command}: exit {done.returncode}: {done.stderr.decode()[:300]}")
    return min(times)


def main():
    inquest = os.path.abspath(sys.argv[1])
    rules = int(sys.argv[2]) if len(sys.argv) > 2 else 10000
    frames = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
    with tempfile.TemporaryDirectory() as folder:
        def directory(name, count):
            path = os.path.join(folder, name)
            os.makedirs(path)
            for first in range(0, count, 5000):  # a file holds 4 MiB
                with open(os.path.join(path, f"{first}.yaml"), "w", encoding="ascii") as f:
                    f.write("".join(rule(n) for n in range(first, min(first + 5000, count))))
            return path

        file = os.path.join(folder, "report.json")
        with open(file, "w", encoding="ascii") as f:
            json.dump(report(frames), f)
        command = [inquest, "signatures", "explain", "bench-0", file, "--signatures"]
        many, few = best(command + [directory("many", rules)]), best(command + [directory("few", 2)])
        check = best([inquest, "signatures", "check", "-q"] +
                     [os.path.join(folder, "many", n) for n in os.listdir(os.path.join(folder, "many"))])
        print(f"{rules} signatures x {frames} frames: {many:.3f} s in all; reading the files alone {check:.3f} s; "
              f"2 signatures {few:.3f} s")


if __name__ == "__main__":
    main()
