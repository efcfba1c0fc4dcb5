#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py INQUEST PROGRAMS [--json]: how often the first verdict is right, over the programs of fixtures/zoo.

Prints top-1 accuracy (the first verdict that claims something is the one in cases.yaml, or there is none where none is
due) and false accusations: a verdict that is proven or strong and is not the truth, or stands in `must_not_blame`. A
symptom of the truth (`explained_by`) accuses nobody. Fails below 95 % or with one false accusation. Each miss is named,
with the `miss` that cases.yaml gives as its reason.

The reports are those that tests/zoo/run.py left in PROGRAMS/reports; what is missing there, or older than the program,
its worker or the signatures, is crashed again.
"""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import zoo  # noqa: E402

LEAST = 0.95
CLAIMS = ("proven", "strong", "plausible")
ACCUSES = ("proven", "strong")


def made_at(inquest):
    """When the youngest of what decides about a verdict was made."""
    files = [inquest, os.path.join(os.path.dirname(inquest), "inquest-worker"), os.path.join(zoo.ZOO, "cases.yaml")]
    files += glob.glob(os.path.join(zoo.TOP, "signatures", "*.yaml"))
    return max(os.path.getmtime(f) for f in files if os.path.exists(f))


def report_of(case, inquest, programs, folder, youngest):
    kept = os.path.join(programs, "reports", case["id"] + ".json")
    if os.path.exists(kept) and os.path.getmtime(kept) > max(youngest, os.path.getmtime(zoo.source_of(case))):
        with open(kept, encoding="utf-8") as f:
            return json.load(f)
    _, core = zoo.make_core(case, programs, folder)
    done = subprocess.run([inquest, "triage", "--json", "--no-store", core], stdout=subprocess.PIPE, timeout=120)
    shutil.rmtree(os.path.dirname(core), ignore_errors=True)
    return json.loads(done.stdout)


def judge(truth, report):
    """(is the first verdict right, what it is, who is accused falsely)"""
    verdicts = report.get("verdicts") or []
    claims = [v for v in verdicts if v.get("grade") in CLAIMS]
    first = claims[0] if claims else {}
    accused = []
    for verdict in verdicts:
        name = verdict["signature"]
        blamed = name in truth.get("must_not_blame", [])
        if verdict.get("grade") in ACCUSES and (blamed or name != truth["verdict"] and not verdict.get("explained_by")):
            accused.append(f"{name} ({verdict['grade']})")
    return first.get("signature") == truth["verdict"], first, accused


def self_test():
    """That it can fail: a wrong first verdict, a strong one that is not the truth, a symptom that is none."""
    def verdict(name, grade, **more):
        return {"signature": name, "grade": grade, **more}

    truth = {"verdict": "a", "must_not_blame": ["b"]}
    checks = [
        (truth, [verdict("a", "proven")], True, 0),
        (truth, [verdict("c", "plausible"), verdict("a", "plausible")], False, 0),
        (truth, [verdict("a", "proven"), verdict("c", "strong")], True, 1),
        (truth, [verdict("a", "proven"), verdict("c", "strong", explained_by="a")], True, 0),
        (truth, [verdict("a", "proven"), verdict("b", "strong", explained_by="a")], True, 1),
        (truth, [verdict("a", "inconclusive")], False, 0),
        ({"verdict": None}, [verdict("a", "context")], True, 0),
        ({"verdict": None}, [verdict("a", "strong")], False, 1),
    ]
    for truth, verdicts, right, accusations in checks:
        have = judge(truth, {"verdicts": verdicts})
        assert have[0] == right and len(have[2]) == accusations, (verdicts, have)


def main():
    inquest, programs = os.path.abspath(sys.argv[1]), sys.argv[2]
    self_test()
    try:
        zoo.check_cores_possible()
    except zoo.NoCores as why:
        print(f"skipped: {why}")
        return 77
    rows, youngest = [], made_at(inquest)
    os.makedirs(programs, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for case in zoo.load_cases():
            if zoo.why_skipped(case):
                print(f"skipped: {case['id']}: {zoo.why_skipped(case)}")
                continue
            try:
                report = report_of(case, inquest, programs, folder, youngest)
            except zoo.CannotHere as why:
                print(f"skipped: {case['id']}: {why}", file=sys.stderr)
                continue
            right, first, accused = judge(case["truth"], report)
            rows.append({"case": case["id"], "right": right, "first": first.get("signature"),
                         "grade": first.get("grade"), "truth": case["truth"]["verdict"], "accused": accused,
                         "why": case["truth"].get("miss")})
    right, accused = sum(r["right"] for r in rows), sum(len(r["accused"]) for r in rows)
    if "--json" in sys.argv:
        print(json.dumps({"programs": len(rows), "right": right, "accused": accused, "rows": rows}, indent=1))
    else:
        for row in rows:
            if not row["right"]:
                print(f"MISS {row['case']}: {row['first']} ({row['grade']}), truth {row['truth']}"
                      f"{': ' + row['why'] if row['why'] else ''}")
            for name in row["accused"]:
                print(f"FALSE {row['case']}: {name}, truth {row['truth']}")
        print(f"{len(rows)} programs: first verdict right {right} ({100 * right / max(len(rows), 1):.1f} %), "
              f"false accusations {accused}")
    return 0 if rows and right >= LEAST * len(rows) and accused == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
