#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py INQUEST PROGRAMS [--all]: real crashes, and the lines that this machine's kernel logged about them.

Needs the right to read the kernel's log. The programs are those of fixtures/zoo; each core must get its own line and
no other, here and in a pid namespace, and the CPU's error code must be what the core alone leads to.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import zoo  # noqa: E402

# Deaths that the kernel has no line for, and why; all others of the zoo that are killed by a fault have one.
UNLOGGED = {
    "a handler": ["handler-aborts-handled", "handler-reraises", "handler-reraises-altstack"],
    "was sent": ["raise-segv", "abort-plain", "assert-fails", "double-free"],
    "SIGBUS": ["bus-past-eof"],
    "no room on the stack": ["stack-undeliverable"],
}
LOGGED = [
    "null-read-field", "null-write", "near-null-index", "wild-read", "noncanonical-read", "kernel-half-read",
    "map-failed-read", "call-null", "call-unmapped", "call-data", "free-seven", "realloc-small", "free-stack", "divide",
    "illegal", "write-constant", "recursion", "static-null", "stripped-null", "four-threads", "handler-crashes", "handler-altstack",
    "cpu-kernel-write", "cpu-impossible-write", "cpu-halt", "cpu-breakpoint", "cpu-read-only-exchange", "cpu-no-rights",
]
IN_NAMESPACE = ["null-read-field", "divide", "call-null", "noncanonical-read"]
QUICK = 6  # crashes without --all
BURST = 8  # the kernel drops lines beyond ten in five seconds: others crash here, too


class Join:
    def __init__(self, inquest, programs, folder, everything):
        self.everything = everything
        self.inquest, self.programs, self.folder = inquest, programs, folder
        self.cases = {c["id"]: c for c in zoo.load_cases()}
        self.problems, self.joined, self.skipped, self.checks = [], {}, [], 0

    def triage(self, core, *arguments):
        done = subprocess.run([self.inquest, "triage", "--json", "--no-store", *arguments, core], timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return json.loads(done.stdout)

    def check(self, name, truth, what):
        self.checks += 1
        if not truth:
            self.problems.append(f"{name}: {what}")
        return truth


def log_has(tid_or_text):
    done = subprocess.run(["dmesg"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return [l for l in done.stdout.decode(errors="replace").splitlines() if tid_or_text in l]


def registers(report):
    crashed = next(t for t in report["threads"] if t["crashed"])
    return int(crashed["registers"]["rip"], 16), int(crashed["registers"]["rsp"], 16)


def check_joined(j, name, report, alone, namespace=False):
    """The report against the line's own numbers, and against what the core alone led to."""
    ip, sp = registers(report)
    lines = report["kernel_log"]
    if not lines:
        # it was dropped, when the log has none with this sp at all
        if not j.check(name, not log_has(f"{sp:x}"), f"the log has its line, and it was not joined: {sp:x}"):
            return False
        j.skipped.append(f"{name}: the kernel dropped its line")
        return False
    line = lines[0]
    j.check(name, len(lines) == 1 and line["matched_by"] == "ip-sp" and not line["likely"], f"{lines}")
    found = re.search(r"ip[: ]([0-9a-f]+) sp[: ]([0-9a-f]+) error[: ]([0-9a-f]+)", line["line"])
    j.check(name, found and (int(found[1], 16), int(found[2], 16)) == (ip, sp), f"another's line: {line['line']}")
    error = int(found[3], 16)
    code = report["fault"]["error_code"]
    j.check(name, line["error_code"] == error, f"error code of {line}")
    if report["fault"]["source"] == "registers":
        j.check(name, code["value"] == error and code["source"] == "kernel-log", f"{code}, the line has {error:x}")
        inferred = (alone["fault"].get("error_code") or {}).get("value")
        j.check(name, inferred in (None, error), f"the core alone led to {inferred}, the CPU said {error}")
        j.check(name, not line["contradictions"], f"{line['contradictions']}")
    crashed = next(t for t in report["threads"] if t["crashed"])
    j.check(name, (line["tid"] == crashed["tid"]) != namespace, f"tid {line['tid']} and {crashed['tid']}")
    j.check(name, report["process"]["crashed_at_source"] == "kernel-log", report["process"]["crashed_at_source"])
    apart = abs(os.path.getmtime(report["core"]["path"])
                - time.mktime(time.strptime(report["process"]["crashed_at"], "%Y-%m-%dT%H:%M:%SZ")) + time.timezone)
    j.check(name, apart < 60, f"crashed at {report['process']['crashed_at']}, {apart} s from the file's time")
    return True


def real_crashes(j):
    # a breath between bursts, and a second chance for those whose line was dropped
    wanted = 20 if j.everything else 1
    waiting = [n for n in LOGGED if n in j.cases][:None if j.everything else QUICK]
    for attempt in range(3):
        again = []
        for number, name in enumerate(waiting):
            if number and number % BURST == 0:
                time.sleep(5.2)
            try:
                _, core = zoo.make_core(j.cases[name], j.programs, j.folder)
            except (zoo.NoCores, OSError, subprocess.CalledProcessError) as why:
                j.skipped.append(f"{name}: {why}")
                continue
            report, alone = j.triage(core), j.triage(core, "--klog", "none")
            j.check(name, "kernel_log" not in alone or not alone["kernel_log"], "--klog none has a line")
            if check_joined(j, name, report, alone):
                j.joined[name] = core
            else:
                again.append(name)
        waiting = again
        if len(j.joined) >= wanted or not waiting:
            break
        time.sleep(5.2)
    j.check("joined", len(j.joined) >= wanted, f"only {len(j.joined)} of {wanted}: {sorted(j.joined)}")


def unlogged(j):
    for why, names in UNLOGGED.items():
        for name in names:
            try:
                _, core = zoo.make_core(j.cases[name], j.programs, j.folder)
            except (zoo.NoCores, OSError, subprocess.CalledProcessError, KeyError) as problem:
                j.skipped.append(f"{name}: {problem}")
                continue
            report = j.triage(core)
            absence = report.get("kernel_log_absence") or {}
            j.check(name, report.get("kernel_log") == [] and absence.get("expected") is True
                    and why in absence.get("why", ""), f"{report.get('kernel_log')} {absence}")
            shown = subprocess.run([j.inquest, "triage", core], stdout=subprocess.PIPE, check=False).stdout.decode()
            if why == "a handler":
                j.check(name, "no line about this crash" in shown, "the report does not say why there is no line")


def in_namespace(j):
    """Other process ids inside than the kernel prints."""
    if subprocess.run(["unshare", "-pf", "--mount-proc", "true"], stderr=subprocess.DEVNULL, check=False).returncode:
        j.skipped.append("pid namespace: cannot be made here")
        return
    joined = 0
    if j.everything:
        time.sleep(5.2)
    for name in IN_NAMESPACE if j.everything else IN_NAMESPACE[:1]:
        program = zoo.build(j.cases[name], j.programs)
        core = namespace_core(program, j.folder)
        if core is None:
            j.skipped.append(f"{name} in a pid namespace: no core")
            continue
        if check_joined(j, f"{name} in a pid namespace", j.triage(core), j.triage(core, "--klog", "none"), True):
            joined += 1
    j.check("pid namespace", joined >= (1 if j.everything else 0), "none was joined")


def namespace_core(program, folder):
    where = tempfile.mkdtemp(dir=folder)
    subprocess.run(["unshare", "-pf", "--mount-proc", "sh", "-c", f"ulimit -c unlimited; '{program}'; :"], cwd=where,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    cores = [n for n in os.listdir(where) if n.startswith("core")]
    return os.path.join(where, cores[0]) if cores else None


def foreign_lines(j):
    """Lines of others that have the core's thread id: none may be joined."""
    name = "null-read-field" if "null-read-field" in j.joined else next(iter(j.joined))
    core = j.joined[name]
    report = j.triage(core, "--klog", "none")
    tid, comm = report["threads"][0]["tid"], report["process"]["comm"]
    ip, sp = registers(report)
    address = int(report["fault"]["address"], 16)
    now = time.strftime("%b %d %H:%M:%S", time.gmtime(os.path.getmtime(core)))
    iso = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(os.path.getmtime(core)))
    log = os.path.join(j.folder, "foreign.log")

    def joined(*lines):
        with open(log, "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
        return j.triage(core, "--klog", log)["kernel_log"]

    def line(prefix=f"{iso} host kernel: ", comm=comm, tid=tid, address=address, ip=ip, sp=sp):
        return f"{prefix}{comm}[{tid}]: segfault at {address:x} ip {ip:016x} sp {sp:016x} error 4 in {comm}[400000+1000]"

    j.check("own line", [l["matched_by"] for l in joined(line())] == ["ip-sp"], "not joined from a file")
    j.check("own line among others", [l["tid"] for l in joined(line(tid=1), line(tid=2, sp=sp - 64), line(), line(tid=3))]
            == [tid], "another's was chosen")
    j.check("same tid, other ip", joined(line(ip=ip + 16)) == [], "joined by tid")
    j.check("same tid, other sp", joined(line(sp=sp - 16)) == [], "joined by tid")
    j.check("same tid, all else of another", joined(line(comm="other", ip=0x4000, sp=0x7000)) == [], "joined by tid")
    # mangled lines, without ip and sp, as in a blog
    mangled = f"{comm}[{tid}]: segfault at {address:x} in {comm}[...+1000] error 4"
    if address < 0x10000: # the kernel may have dropped the line of the case that has such a one
        j.check("mangled, no time", joined(mangled) == [], "a small address and a tid are too little")
    found = joined(f"{iso} host kernel: {mangled}")
    j.check("mangled, the same second", found and found[0]["likely"] and found[0]["matched_by"] == "tid-address-time",
            f"{found}")
    year_before = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(os.path.getmtime(core) - 86400))
    j.check("mangled, a day before", joined(f"{year_before} host kernel: {mangled}") == [], "joined")
    j.check("mangled, another program", joined(f"{iso} host kernel: other[{tid}]: segfault at {address:x}") == [], "joined")
    # a core that says it is from elsewhere, with a line of this machine's log: by name of the file
    foreign = os.path.join(j.folder, f"core.{comm}.{tid}.elsewhere.{int(os.path.getmtime(core))}")
    shutil.copy(core, foreign)
    with open(log, "w", encoding="utf-8") as f:
        f.write(f"{now} here kernel: {mangled}\n{iso} here kernel: {mangled}\n")
    report = j.triage(foreign, "--klog", log, "--pattern", "core.%e.%p.%h.%t")
    j.check("another host", report["process"]["hostname"] == "elsewhere" and report["kernel_log"] == [],
            f"{report['kernel_log']}")
    same = foreign.replace("elsewhere", "here")
    shutil.copy(core, same)
    report = j.triage(same, "--klog", log, "--pattern", "core.%e.%p.%h.%t")
    j.check("the same host", len(report["kernel_log"]) == 1 and report["kernel_log"][0]["likely"], f"{report['kernel_log']}")
    # the error code of a line that is not surely the core's changes nothing
    j.check("likely only", report["fault"]["error_code"]["source"] == "inferred", report["fault"]["error_code"])
    # one that surely is, and does not agree, is shown
    with open(log, "w", encoding="utf-8") as f:
        f.write(line().replace("error 4", "error 7") + "\n")
    report = j.triage(core, "--klog", log)
    j.check("disagreement", report["fault"]["error_code"]["value"] == 7
            and "error code" in report["kernel_log"][0]["contradictions"][0], f"{report['kernel_log']}")


def without_core(j):
    """A scan tells of deaths in the log that left no core there."""
    where = tempfile.mkdtemp(dir=j.folder)
    name, core = next(iter(j.joined.items()))
    shutil.copy(core, os.path.join(where, "core.1"))
    ip, sp = registers(j.triage(core, "--klog", "none"))
    log = os.path.join(j.folder, "scan.log")
    with open(log, "w", encoding="utf-8") as f:
        f.write(f"Mar 01 14:58:06 h kernel: x[5]: segfault at 8 ip {ip:016x} sp {sp:016x} error 4 in x[400000+1000]\n"
                "Mar 01 15:58:06 h kernel: gone\x1b[2J[6]: segfault at 8 ip 0000000000400800 sp 00007ffc00000000 error 4 "
                "in gone[400000+1000]\n")
    done = subprocess.run([j.inquest, "scan", "--json", "--klog", log, where], stdout=subprocess.PIPE, check=False)
    rows = [json.loads(l) for l in done.stdout.splitlines()]
    left = [r for r in rows if r["format"] == "inquest-kernel-log"]
    j.check(name, len(left) == 1 and left[0]["tid"] == 6 and left[0]["kind"] == "fault", f"{left}")
    done = subprocess.run([j.inquest, "scan", "--klog", log, where], stdout=subprocess.PIPE, check=False)
    shown = done.stdout.decode()
    j.check(name, "1 death in the kernel log without a core here" in shown and "[6]: segfault" in shown
            and "\x1b" not in shown, shown)
    done = subprocess.run([j.inquest, "triage", "--klog", "/nowhere/log", core], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)
    j.check("no such log", done.returncode == 6 and b"/nowhere/log" in done.stderr, f"{done}")


def main():
    inquest, programs = os.path.abspath(sys.argv[1]), sys.argv[2]
    try:
        zoo.check_cores_possible()
    except zoo.NoCores as why:
        print(f"skipped: {why}")
        return 0
    if os.uname().machine != "x86_64":
        print("skipped: the lines that are compared are those of x86-64")
        return 0
    if not log_has("") or open("/proc/sys/debug/exception-trace", encoding="ascii").read().strip() == "0":
        print("skipped: the kernel's log cannot be read here, or has no lines about faults")
        return 0
    os.makedirs(programs, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="inquest-join.") as folder:
        j = Join(inquest, programs, folder, "--all" in sys.argv)
        real_crashes(j)
        unlogged(j)
        in_namespace(j)
        if j.joined:
            foreign_lines(j)
            without_core(j)
    for why in j.skipped:
        print(f"skipped: {why}")
    for problem in j.problems:
        print(problem)
    print(f"join: {len(j.joined)} crashes with their lines, {j.checks} checks, {len(j.problems)} problems")
    return 1 if j.problems else 0


if __name__ == "__main__":
    sys.exit(main())
