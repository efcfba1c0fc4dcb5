#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py INQUEST FOLDER [--only CPU] [CASE...]: cores of other CPUs, by cross compilers and qemu-user.

Each core is read twice: completed with the two notes that a kernel would have written (support/guest.py), against the
truth of cases.yaml; and as qemu wrote it, when nothing may be claimed as proven but what the completed core proves.
"""
import argparse
import copy
import importlib.util
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support")]
import guest  # noqa: E402
import zoo  # noqa: E402

_spec = importlib.util.spec_from_file_location("zoo_run", os.path.join(HERE, "..", "zoo", "run.py"))
zoo_run = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(zoo_run)

CPUS = ["aarch64", "arm", "ppc64le", "s390x"]
G_SIGINFO = "INQ-037"


def truth_of(row, cpu):
    truth, here = copy.deepcopy(row["truth"]), row.get("cpus", {}).get(cpu, {})
    for key, value in here.items():
        if key != "facts":
            truth[key] = value
            continue
        gone = tuple(k[:-1] for k in value if k.endswith("*"))
        facts = {k: v for k, v in truth.get("facts", {}).items() if not gone or not k.startswith(gone)}
        facts.update(value)
        truth["facts"] = {k: v for k, v in facts.items() if v is not None}
    return truth


def triage(inquest, core, root):
    done = subprocess.run([inquest, "triage", "--json", "--no-store", "--sysroot", root, core], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=120)
    return done.returncode, json.loads(done.stdout)


def claims(report):
    return {v["signature"] for v in report.get("verdicts") or [] if v.get("grade") in ("proven", "strong")}


def run_case(inquest, cpu, case, truth):
    code, whole = triage(inquest, cpu.crash(case), cpu.root)
    for problem in zoo_run.check({"truth": {"verdict": "any", **truth}}, whole, code):
        if truth["verdict"] != "any" or not problem.startswith("first verdict"):
            yield problem
    yield from zoo_run.against_schema(whole)
    _, bare = triage(inquest, cpu.crash(case, whole=False), cpu.root)
    if not any(gap["code"] == G_SIGINFO for gap in bare.get("gaps") or []):
        yield "as qemu wrote it: no gap says that NT_SIGINFO is missing"
    for signature in claims(bare) - claims(whole):
        yield f"as qemu wrote it: claims {signature}"


def main():
    import yaml
    parser = argparse.ArgumentParser()
    parser.add_argument("inquest")
    parser.add_argument("folder")
    parser.add_argument("--only")
    parser.add_argument("case", nargs="*")
    args = parser.parse_args()
    inquest, folder = os.path.abspath(args.inquest), os.path.join(os.path.abspath(args.folder), "guests")
    with open(os.path.join(HERE, "cases.yaml"), encoding="utf-8") as f:
        rows = yaml.safe_load(f)
    programs = {case["id"]: case for case in zoo.load_cases()}
    passed = failed = 0
    for name in CPUS:
        if args.only and name != args.only:
            continue
        try:
            cpu = guest.Guest(name, folder)
            for row in rows:
                truth = truth_of(row, name)
                if (args.case and row["case"] not in args.case) or "skip" in truth:
                    continue
                problems = list(run_case(inquest, cpu, programs[row["case"]], truth))
                print(f"{'FAIL' if problems else 'ok  '} {name} {row['case']}", flush=True)
                for problem in problems:
                    print(f"       {problem}")
                failed, passed = failed + bool(problems), passed + (not problems)
        except guest.Missing as why:
            print(f"skipped: {name}: {why}")
        shutil.rmtree(os.path.join(folder, name, "work"), ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    if not passed and not failed:
        return 77
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
