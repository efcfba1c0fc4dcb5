#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""shared_cores.py INQUEST: public test cores with confirmed answers, where ../shared/cores is there."""
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CORES = os.path.join(TOP, "..", "shared", "cores")


def main():
    check = os.path.join(CORES, "check.py")
    if not os.path.exists(check):
        print("skipped: no ../shared/cores")
        return 77
    # a sanitizer build is slow: the limit is against hanging
    return subprocess.run([sys.executable, check, "--timeout", "60", sys.argv[1], CORES,
                           os.path.join(CORES, "expected.json")], timeout=900).returncode


if __name__ == "__main__":
    sys.exit(main())
