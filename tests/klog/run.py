#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py PROGRAM: inquest klog over the lines of public.txt, those of quiet.txt, and the seed's log.

"""
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def klog(program, data, *options):
    run = subprocess.run([program, "klog", "--json", *options, "-"], input=data, capture_output=True, timeout=60,
                         check=False)
    if run.returncode not in (0, 4) or run.stderr:
        raise AssertionError(f"exit {run.returncode}, {run.stderr.decode(errors='replace')}")
    if re.search(rb"[\x00-\x09\x0b-\x1f\x7f-\xff]", run.stdout):
        raise AssertionError("raw bytes in the JSON")
    return json.loads(run.stdout)


def cases(name):
    """[(source, log, [expected])]"""
    result = []
    for line in (HERE / name).read_text(encoding="utf-8").split("\n"):
        if line.startswith("== "):
            result.append([line[3:], [], []])
        elif line.startswith("-> "):
            result[-1][2].append(line[3:])
        elif result and not line.startswith("# "):
            result[-1][1].append(line)
    return result


def instructions(document):
    """Of the groups, by the line they show: what a list entry's instruction is."""
    return {g["example_line"]: g.get("instruction") or {} for g in document["kernel_groups"]}


def value_of(event, key, instruction):
    if key == "instruction":
        return instruction.get("text")
    if key == "base_value":
        return instruction.get("base_value")
    value = event.get(key)
    return ",".join(value) if isinstance(value, list) else value


def check_case(program, source, log, expected):
    document = klog(program, ("\n".join(log) + "\n").encode())
    events = document["kernel_log"]
    expected = [e for e in expected if e != "none"]
    if len(events) != len(expected):
        yield f"{source}: {len(events)} events, expected {len(expected)}: {[e['line'] for e in events]}"
        return
    decoded = instructions(document)
    for event, line in zip(events, expected):
        for item in shlex.split(line):
            key, want = item.split("=", 1)
            got = value_of(event, key, decoded.get(event["line_number"], {}))
            if str(got) != want:
                yield f"{source}: {key} is {got!r}, expected {want!r}, in {event['line']!r}"


def check_quiet(program):
    """Lines that only look like crashes: alone, and all together."""
    lines = [line for line in (HERE / "quiet.txt").read_text(encoding="utf-8").split("\n")
             if line and not line.startswith("# ")]
    for line in lines:
        for event in klog(program, line.encode() + b"\n")["kernel_log"]:
            yield f"not quiet: {line!r} is {event['kind']}"
    for event in klog(program, "\n".join(lines).encode())["kernel_log"]:
        yield f"not quiet among others: {event['line']!r} is {event['kind']}"
    if len(lines) < 100:
        yield f"only {len(lines)} lines that have to stay quiet"


def check_public(program):
    table = cases("public.txt")
    count = 0
    for source, log, expected in table:
        count += len([e for e in expected if e != "none"])
        try:
            yield from check_case(program, source, log, expected)
        except AssertionError as error:
            yield f"{source}: {error}"
    print(f"{len(table)} public reports, {count} events in them")
    if count < 300:
        yield f"only {count} events in public.txt"


def check_seed(program):
    """The log that the project began with, as mangled as it was published."""
    seed = HERE.parents[2] / "shared" / "seeds" / "wavepy.txt"
    if not seed.exists():
        print("skipped: the seed's log is not here")
        return
    document = klog(program, seed.read_bytes())
    faults = [g for g in document["kernel_groups"] if g["kind"] == "fault"]
    want = [
        (21, "fault|page-fault|read|neg-errno|libc.so.6", "libc.so.6"),
        (1, "fault|page-fault|execute|unmapped|wavepy ip ...605", None),
        (1, "fault|page-fault|read|null-page|libopenjp2.so.7+text+0x2a2c3", "libopenjp2.so.7"),
    ]
    if [(g["count"], g["key"], g.get("module")) for g in faults] != want:
        yield f"groups: {[(g['count'], g['key']) for g in faults]}"
    kernel = " ".join(g["title"] for g in document["kernel_groups"] if g["kind"] == "kernel")
    if "UBSAN: shift-out-of-bounds" not in kernel or "BUG: unable to handle page fault" not in kernel:
        yield f"the kernel's own trouble: {kernel}"
    grades = {r["id"]: r["grade"] for r in document["readings"]}
    for reading, grade in {"oom-killer": "refuted", "bound-to-cores": "refuted", "random-hardware": "refuted",
                           "one-cause": "inconclusive", "kernel-suspect": "plausible"}.items():
        if grades.get(reading) != grade:
            yield f"{reading} is {grades.get(reading)}, expected {grade}"
    if {"proven", "strong"} & set(grades.values()):
        yield f"more than plausible from a log alone: {grades}"
    if document["processors"]["judgement"] != "scheduling" or document["processors"]["lines"] != 23:
        yield f"processors: {document['processors']}"
    codes = {g["key"]: (g["error_code"], g["error_bits"]) for g in faults}
    if codes[want[0][1]] != (5, ["protection", "read", "user"]):
        yield f"error 5: {codes[want[0][1]]}"
    if codes[want[1][1]] != (0x14, ["not-present", "user", "instruction-fetch"]):
        yield f"error 14 is hex: {codes[want[1][1]]}"
    text = subprocess.run([program, "klog", str(seed)], capture_output=True, check=True).stdout.decode()
    named = set(re.findall(r"\b(?:lib\w+\.so|numpy|scipy|openblas|OpenBLAS|ldap|psycopg2?)\b[\w.]*", text))
    if named - {"libc.so.6", "libopenjp2.so.7"}:
        yield f"libraries that the lines do not name: {named}"
    if "0x14" not in text or "OOM killer" not in text:
        yield "the text does not decode"


def more_forms(body):
    """Loggers, viewers, phones' kernels, pages and tickets that came later."""
    return {
        "short-precise": f"Mar 01 14:58:06.123456 host kernel: {body}",
        "iso-precise": f"2026-03-01T14:58:06.123456+0100 host kernel: {body}",
        "short-unix": f"1772373486.123456 host kernel: {body}",
        "short-delta": f"[  712.123456 <    0.000003 >] host kernel: {body}",
        "dmesg -x -d": f"[ 4711.815000 <    2.205738>] {body}",
        "verbose": f"Sun 2026-03-01 14:58:06.123456 UTC [s=abc;i=1;b=def]\n    _TRANSPORT=kernel\n    MESSAGE={body}",
        "export": f"__REALTIME_TIMESTAMP=1772373486000000\n_TRANSPORT=kernel\nMESSAGE={body}\n_HOSTNAME=host",
        "json-seq": "\x1e" + json.dumps({"MESSAGE": body, "_TRANSPORT": "kernel"}),
        "json-sse": "data: " + json.dumps({"MESSAGE": body, "_TRANSPORT": "kernel"}),
        "html": f"<p>[ 4711.815000] {body}<br>",
        "html code": f"<code>Mar 01 14:58:06 host kernel: {body}</code>",
        "entities": f"[ 4711.815000]&nbsp;{body}".replace(" in ", " in&nbsp;"),
        "bullet": f"\u2022 [ 4711.815000] {body}",
        "numbered": f"1. [ 4711.815000] {body}",
        "quotes": f"\u201c[ 4711.815000] {body}\u201d",
        "no-break": f"[ 4711.815000] {body}".replace(" ", "\u00a0"),
        "mark": f"\ufeff[ 4711.815000] {body}",
        "grep --color": f"[ 4711.815000] {body}".replace("segfault", "\x1b[01;31m\x1b[Ksegfault\x1b[m\x1b[K"),
        "escaped": f"\\[ 4711.815000\\] {body}",
        "netconsole": f"6,416,4711815000,-,caller=T4711;{body}",
        "phone": f"<6>[ 4711.815000,0] {body}",
        "phone, caller": f"<4>[ 4711.815000] c2   4711 {body}",
        "phone, name": f"<6>[ 4711.815000]  [2:     some prog: 4711] {body}",
        "phone, both": f"[ 4711.815000]<2>.(2)[4711:some prog]{body}",
        "phone, round": f"<6>[ 4711.815000] (2)[4711:some prog]{body}",
        "set-top box": f"[ 4711.815000@2]  {body}",
        "logcat": f"03-01 14:58:06.123     0     0 I         : {body}",
        "logcat, named": f"03-01 14:58:06.123  root     0     0 I kernel: {body}",
        "date in brackets": f"[2026-03-01 14:58:06] {body}",
        "facility first": f"Mar  1 14:58:06 kern.warning host kernel: {body}",
        "structured": f"<6>1 2026-03-01T14:58:06.003Z host kernel 1 ID1 [a@1 b=\"c\"] {body}",
        "hypervisor": f"(XEN) [ 4711.815000] {body}",
        "table": f"| 12 | [ 4711.815000] {body} |",
        "serial": f"\r[ 4711.815000] {body}\r\r",
    }


def check_forms(program):
    """One crash, written by every logger: it is the same event each time."""
    body = "some prog[4711]: segfault at 10 ip 000055d0f0001234 sp 00007ffd00001000 error 6 in lib x.so[1234,55d0f0000000+2000]"
    forms = {
        "short": f"Mar 01 14:58:06 host kernel: {body}",
        "short-iso": f"2026-03-01T14:58:06+01:00 host kernel: {body}",
        "short-monotonic": f"[ 4711.815000] host kernel: {body}",
        "short-full": f"Sun 2026-03-01 14:58:06 UTC host kernel: {body}",
        "with printk time": f"Mar  1 14:58:06 host kernel: [ 4711.815000] {body}",
        "dmesg": f"[ 4711.815000] {body}",
        "dmesg -T": f"[Sun Mar  1 14:58:06 2026] {body}",
        "dmesg -e": f"[Mar 1 14:58] {body}",
        "dmesg -d": f"[  +2.205738] {body}",
        "dmesg -x": f"kern  :info  : [ 4711.815000] {body}",
        "dmesg --time-format iso": f"2026-03-01T14:58:06,815000+01:00 {body}",
        "dmesg with caller": f"[ 4711.815000][ T4711] {body}",
        "dmesg --color": f"\033[32m[ 4711.815000] \033[0m\033[33msome prog[4711]: \033[0m{body.split(': ', 1)[1]}",
        "raw": f"<6>[ 4711.815000] {body}",
        "kmsg": f"6,1234,4711815000,-;{body}",
        "rfc3164": f"<6>Mar  1 14:58:06 host kernel: {body}",
        "rfc5424": f"<6>1 2026-03-01T14:58:06.003Z host kernel - - - {body}",
        "no host": f"Mar  1 14:58:06 kernel: {body}",
        "openwrt": f"Sun Mar  1 14:58:06 2026 kern.info kernel: [ 4711.815000] {body}",
        "busybox": f"Mar  1 14:58:06 (none) kern.info kernel: {body}",
        "german": f"M\u00e4r 01 14:58:06 host kernel: {body}",
        "japanese": f"3\u6708 01 14:58:06 host kernel: {body}",
        "quoted": f"> > [ 4711.815000] {body}",
        "grep": f"/var/log/kern.log.1:Mar  1 14:58:06 host kernel: {body}",
        "kubernetes": f"2026-03-01T14:58:06.123456789Z stdout F [ 4711.815000] {body}",
        "compose": f"node_1  | [ 4711.815000] {body}",
        "console": f"host login: [ 4711.815000] {body}",
        "crlf": f"[ 4711.815000] {body}\r",
        "json": json.dumps({"MESSAGE": body, "_TRANSPORT": "kernel", "SYSLOG_IDENTIFIER": "kernel", "_HOSTNAME": "host",
                            "__REALTIME_TIMESTAMP": "1772373486000000"}),
        "json bytes": json.dumps({"_TRANSPORT": "kernel", "MESSAGE": list(body.encode())}, separators=(",", ":")),
        "docker json": json.dumps({"log": f"[ 4711.815000] {body}\n", "stream": "stdout", "time": "2026-03-01T14:58:06Z"}),
        "json-pretty": f'\t"MESSAGE" : "{body}",',
        **more_forms(body),
    }
    for form, line in forms.items():
        events = klog(program, line.encode() + b"\n")["kernel_log"]
        if len(events) != 1:
            yield f"{form}: {len(events)} events"
            continue
        event = events[0]
        # without the kernel's name and without a time of its own, a name with a blank is cut
        comm = "some prog"
        if (event["comm"], event["tid"], event["file_offset"], event["module"], event["access"]) != (
                comm, 4711, "0x1234", "lib x.so", "write"):
            yield f"{form}: {event}"


def check_hostile(program):
    """Nothing raw reaches a terminal, and no number of them is too much."""
    evil = b"[ 1.000000] \x1b[2J\x9b\xe2\x80\xae\xff[1]: segfault at 0 ip 0 sp 0 error 4 in \x1b]0;x\x07[0+1]\n" \
           b"[ 2.000000] x[99999999999999999999]: segfault at 0 ip 0 sp 0 error 4\n" \
           b"[ 3.000000] x[1]: segfault at fffffffffffffffff ip 0 sp 0 error 4\n" \
           b"{\"MESSAGE\":[27,91,50,74,256,-1,1.5],\"_TRANSPORT\":\"kernel\"}\n" + b"{" * 5000 + b"segfault\n" + \
           b"[" * 70000 + b"segfault at 0\n" + b"a" * 3000000 + b" segfault at \n"
    for options in ([], ["-v"], ["--json"], ["--color=always"]):
        run = subprocess.run([program, "klog", *options, "-"], input=evil, capture_output=True, timeout=60, check=False)
        plain = re.sub(rb"\x1b\[[0-9;]*m", b"", run.stdout) if "--color=always" in options else run.stdout
        if re.search(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", plain) or b"\xe2\x80\xae" in plain:
            yield f"{options}: raw bytes"
        if run.returncode not in (0, 4):
            yield f"{options}: exit {run.returncode} {run.stderr!r}"


def main():
    program = sys.argv[1]
    os.environ["TZ"] = "UTC"
    problems = []
    for check in (check_public, check_quiet, check_forms, check_hostile, check_seed):
        problems += check(program)
    for problem in problems:
        print(problem)
    print(f"klog: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
