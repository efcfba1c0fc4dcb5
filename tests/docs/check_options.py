#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""check_options.py INQUEST TOP: the options and commands of --help, of the man page, and of the completion are the same."""
import pathlib
import re
import subprocess
import sys

QUIET_ONES = {"--heap"}  # taken, and does nothing yet: not in --help
WORD = r"--[a-z][a-z-]*"


def told(program, *arguments):
    return subprocess.run([program, *arguments, "--help"], check=True, capture_output=True, text=True).stdout


def main():
    program, top = sys.argv[1], pathlib.Path(sys.argv[2])
    general = told(program)
    commands = re.findall(r"^  ([a-z]+) ", general.split("Options")[0], re.M)
    assert len(commands) > 10, general
    options = set()
    for page in [general] + [told(program, c) for c in commands]:
        assert not re.search(r"[ \t]$", page, re.M), "a blank at the end of a line"
        options |= set(re.findall(r"^ .*?(" + WORD + ")", page, re.M))
    assert len(options) > 30, options
    manual = (top / "docs" / "inquest.1").read_text().replace("\\-", "-")
    completion = (top / "docs" / "inquest.bash").read_text()
    for name, text in (("the man page", manual), ("the completion", completion)):
        have = set(re.findall(WORD, text))
        assert options <= have, f"{name} lacks {sorted(options - have)}"
        assert have <= options | QUIET_ONES, f"{name} has {sorted(have - options - QUIET_ONES)}, which --help has not"
        for command in commands:
            assert re.search(rf"\b{command}\b", text), f"{name} lacks {command}"


if __name__ == "__main__":
    main()
