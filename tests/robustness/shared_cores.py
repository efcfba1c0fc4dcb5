#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""shared_cores.py INQUEST: public test cores with confirmed answers, where ../shared/cores is there. What this
version owes is listed here; the rest of expected.json is printed as not yet."""
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CORES = os.path.join(TOP, "..", "shared", "cores")

# Without NT_SIGINFO the fault's address must be worked out from the instruction.
NO_SIGINFO = {"elfutils-rtlib-ppc", "elfutils-testfile69", "elfutils-testfile70"}
# Fields that need source lines or the instruction decoder.
LATER = {"lines", "access", "instruction"}


def main():
    check = os.path.join(CORES, "check.py")
    if not os.path.exists(check):
        print("skipped: no ../shared/cores")
        return 77
    done = subprocess.run([sys.executable, check, "-v", "--min", "0", sys.argv[1], CORES,
                           os.path.join(CORES, "expected.json")], stdout=subprocess.PIPE, text=True, timeout=900)
    owed, later, case, cases = [], [], "", 0
    for line in done.stdout.splitlines():
        match = re.match(r"(FAIL|pass)  (\S+)", line)
        if match:
            case = match[2]
            cases += 1
            continue
        match = re.match(r"        (soft )?(\w+): (.*)", line)
        if match and not match[1]:
            waits = match[2] in LATER or case in NO_SIGINFO and match[2].startswith("fault_address")
            (later if waits else owed).append(f"{case}: {match[2]}: {match[3]}")
    for line in later:
        print(f"not yet: {line[:150]}")
    for line in owed:
        print(f"FAIL {line[:200]}")
    if not cases:
        print(done.stdout[-2000:])
        return 1
    wrong = len({line.split(":")[0] for line in owed})
    print(f"{cases - wrong} passed, {wrong} failed")
    return 1 if owed else 0


if __name__ == "__main__":
    sys.exit(main())
