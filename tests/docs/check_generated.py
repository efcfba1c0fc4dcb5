#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The generated documents are those that the tables give now, and the schema is a good one: it takes
the golden reports and refuses what is not in the dictionary."""
import json
import pathlib
import subprocess
import sys

import jsonschema

FILES = {
    "facts": "facts.md",
    "report": "report.md",
    "codes": "codes.md",
    "schema": "report.schema.json",
}


def check_up_to_date(program, root):
    stale = []
    for what, name in FILES.items():
        now = subprocess.run([program, what], check=True, capture_output=True, text=True).stdout
        if (root / "docs" / name).read_text() != now:
            stale.append(name)
    assert not stale, f"run scripts/generate-docs: {', '.join(stale)} are not up to date"


def check_schema(root):
    schema = json.loads((root / "docs" / "report.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    reports = sorted((root / "tests" / "golden").glob("*.json"))
    assert reports
    for path in reports:
        report = json.loads(path.read_text())
        errors = [f"{path.name}: {list(e.path)}: {e.message}" for e in validator.iter_errors(report)]
        assert not errors, errors
    good = json.loads((root / "tests" / "golden" / "free-near-null.json").read_text())
    for damage in (
        {"surprise": 1},
        {"version": "1"},
        {"fault": {"access": "look"}},
        {"fault": {"address": 7}},
        {"threads": [{"frames": [{"pc": "7f"}]}]},
        {"threads": [{"tid": 1, "odd": None}]},
        {"environment": {"A": 1}},
    ):
        assert list(validator.iter_errors({**good, **damage})), damage


def main():
    program, root = sys.argv[1], pathlib.Path(sys.argv[2])
    check_up_to_date(program, root)
    check_schema(root)


if __name__ == "__main__":
    main()
