#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""scan_pattern.py INQUEST PROGRAMS: twenty different real crashes in one folder, under the names that the core_pattern
core_%e.%p.%h.%t gives, scanned with the log of this machine's kernel: every name is decoded, and every crash that the kernel
has a line for is joined to that line and no other.

core_pattern itself is left as it is: the cores are renamed, from what the crash itself was (comm, pid, host, second).
Needs the right to read the kernel's log.
"""
import collections
import json
import os
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "join"))
import run as join  # noqa: E402
import zoo  # noqa: E402

PATTERN = "core_%e.%p.%h.%t"
WANTED = 20
# Deaths by a signal that the process sent itself: the kernel says nothing about them.
UNLOGGED = ["raise-segv", "abort-plain", "assert-fails", "double-free"]
PACE = 0.6  # the kernel drops lines beyond ten in five seconds, and others crash here, too
ROUNDS = 8


def log_lines():
    done = subprocess.run(["dmesg"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return done.stdout.decode(errors="replace").splitlines()


def make_one(case, programs, work, dumps, inquest):
    """Crashes a case and files its core as the kernel would have; what is then true of it."""
    _, core = zoo.make_core(case, programs, work)
    done = subprocess.run([inquest, "triage", "--json", "--no-store", "--klog", "none", core], stdout=subprocess.PIPE,
                          timeout=60, check=False)
    report = json.loads(done.stdout)
    ip, sp = join.registers(report)
    comm, pid = report["process"]["comm"], report["process"]["pid"]
    when = int(os.path.getmtime(core))
    name = f"core_{comm.replace('/', '!')}.{pid}.{os.uname().nodename}.{when}"
    os.rename(core, os.path.join(dumps, name))
    return {"name": name, "comm": comm, "pid": pid, "when": when, "ip": ip, "sp": sp,
            "logged": report["signal"]["name"] != "SIGABRT" and case["id"] not in UNLOGGED,
            "tid": next(t["tid"] for t in report["threads"] if t["crashed"])}


def line_of(lines, truth):
    """The kernel's own line, by numbers that only one crash has."""
    for line in lines:
        found = re.search(r"ip[: ]([0-9a-f]+) sp[: ]([0-9a-f]+)", line)
        if found and (int(found[1], 16), int(found[2], 16)) == (truth["ip"], truth["sp"]):
            return line
    return None


def crash_all(inquest, waiting, programs, work, dumps):
    """Each case once with its line in the log; a crash whose line was dropped is made again."""
    truths = []
    for attempt in range(ROUNDS):
        again = []
        for case in waiting:
            truth = {**make_one(case, programs, work, dumps, inquest), "case": case["id"]}
            time.sleep(PACE)
            if not truth["logged"] or attempt + 1 == ROUNDS or line_of(log_lines(), truth):
                truths.append(truth)
            else:
                os.unlink(os.path.join(dumps, truth["name"]))
                again.append(case)
        waiting = again
        time.sleep(2 if waiting else 0)
    return truths


def check(report, truth, line, problems):
    name, facts = truth["name"], report.get("name_facts") or {}
    want = {"comm": truth["comm"], "pid": truth["pid"], "hostname": os.uname().nodename}
    have = {k: facts.get(k) for k in want}
    if have != want or facts.get("pattern") != PATTERN or facts.get("contradictions"):
        problems.append(f"{name}: name decoded as {facts}")
    if report["process"].get("hostname") != want["hostname"] or report["process"]["pid"] != truth["pid"]:
        problems.append(f"{name}: {report['process'].get('hostname')} {report['process']['pid']}")
    joined = report.get("kernel_log") or []
    if line and [l["tid"] for l in joined] != [truth["tid"]]:
        problems.append(f"{name}: the kernel wrote {line!r}, joined is {joined}")
    if not line and joined:
        problems.append(f"{name}: joined to a line that is not its own: {joined}")
    return bool(line and joined)


def main():
    inquest, programs = os.path.abspath(sys.argv[1]), sys.argv[2]
    try:
        zoo.check_cores_possible()
    except zoo.NoCores as why:
        print(f"skipped: {why}")
        return 77
    if os.uname().machine != "x86_64" or not log_lines():
        print("skipped: no kernel log of an x86-64 machine to be read")
        return 77
    os.makedirs(programs, exist_ok=True)
    cases = {c["id"]: c for c in zoo.load_cases()}
    names = [n for n in join.LOGGED[:WANTED - len(UNLOGGED)] if n in cases] + [n for n in UNLOGGED if n in cases]
    problems = []
    with tempfile.TemporaryDirectory(prefix="inquest-pattern.") as work:
        dumps = os.path.join(work, "dumps")
        os.makedirs(dumps)
        truths = crash_all(inquest, [cases[n] for n in names], programs, work, dumps)
        done = subprocess.run([inquest, "scan", "--json", "--db", os.path.join(work, "c.db"), "--pattern", PATTERN, dumps],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False)
        rows = [json.loads(l) for l in done.stdout.splitlines()]
        reports = {os.path.basename(r["core"]["path"]): r for r in rows if r["format"] == "inquest-report"}
        lines = log_lines()
        tally = collections.Counter()
        for truth in truths:
            line = line_of(lines, truth)
            if truth["name"] not in reports:
                problems.append(f"{truth['name']}: no row")
                continue
            if check(reports[truth["name"]], truth, line, problems):
                tally["joined"] += 1
            elif not truth["logged"]:
                tally["without a line, as expected"] += 1
            else:
                tally["without a line: dropped by the kernel"] += 1
                print(f"dropped: {truth['case']} {truth['comm']}[{truth['tid']}] ip {truth['ip']:x} sp {truth['sp']:x}")
        again = subprocess.run([inquest, "scan", "--db", os.path.join(work, "c.db"), "--pattern", PATTERN, dumps],
                               stdout=subprocess.PIPE, timeout=60, check=False).stdout.decode()
        if f"{len(truths)} known" not in again:
            problems.append(f"the second scan knows others: {again[-300:]}")
    for problem in problems:
        print(problem)
    print(f"{len(truths)} crashes: " + ", ".join(f"{n} {what}" for what, n in sorted(tally.items())))
    if tally["joined"] < (len(names) - len(UNLOGGED)) // 2 and not problems:
        print("skipped: most of the lines were dropped by the kernel; nothing is wrong with those that were not")
        return 77
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
