#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""rule_rows.py INQUEST FOLDER: hostile and faulty signature files, rows 97 to 100 of docs/robustness.md.

Whatever lies beside it, a good signature must go on giving its verdict, in a triage and in a scan, with a gap and
exit 1; `signatures check` names file, line and column and exits 2.
"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from corewriter import demo  # noqa: E402

GOOD = "- id: good\n  title: t\n  when: [signal.number is 11]\n  cause: c\n"
RULE = "- id: {}\n  title: t\n  when: [signal.number is 11]\n  cause: c\n"
BAD = {  # name: (bytes, where, words)
    "syntax": (b"- id: [\n", "2:1", "did not find expected node content"),
    "unknown-key": (RULE.format("a").encode() + b"  wehn: []\n", "5:3", 'did you mean "when"?'),
    "unknown-fact": (b"- id: a\n  title: t\n  when: [signal.numbr is 11]\n  cause: c\n", "3:10", '"signal.number"?'),
    "twice-in-file": ((RULE.format("a") + RULE.format("a")).encode(), "5:1", "used twice"),
    "shipped-id": (RULE.format("call-null").encode(), "1:1", "already used in"),
    "no-such-override": (RULE.format("a").encode() + b"  override: because\n", "1:1", "no signature"),
    "no-reason": (b"- disable: call-null\n", "1:3", 'needs a "reason"'),
    "nul": (b"- id: a\n  title: \0\n", "2:10", "not a text file"),
    "binary": (bytes(range(256)) * 16, "1:1", "not a text file"),
    "utf-16": (GOOD.encode("utf-16"), "1:1", "not a text file"),
    "laughs": (b"- &a [x,x]\n- *a\n", "1:3", "anchors"),
    "deep": (b"[" * 100000, "1:17", "nested deeper"),
    "long-text": (b"- id: " + b"a" * 5000 + b"\n", "1:7", "more than 4096 bytes"),
    "many-values": (b"[" + b"[]," * 500000 + b"]", "1:", "more than 400000 values"),
    "command": (GOOD.replace("good", "a").encode() + b"  fix: [{text: t, commands: ['gdb {process.comm}']}]\n",
                "5:", "text from the dead process"),
}
# of another tier than the files above: they are good
FINE = {"bom": b"\xef\xbb\xbf" + RULE.format("bom").encode(), "crlf": RULE.format("crlf").encode().replace(b"\n", b"\r\n")}


class Lab:
    def __init__(self, inquest, folder):
        self.inquest, self.folder, self.problems, self.checks = inquest, folder, 0, 0
        self.core = os.path.join(folder, "core")
        demo().write(self.core)

    def run(self, *arguments, timeout=60):
        env = {k: v for k, v in os.environ.items() if not k.startswith("XDG_")}
        return subprocess.run([self.inquest, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout,
                              env=dict(env, HOME=self.folder, INQUEST_DB="none"))

    def want(self, what, holds, detail=""):
        self.checks += 1
        if not holds:
            self.problems += 1
            print(f"FAIL {what}: {str(detail)[:300]}")

    def directory(self, name, files):
        path = os.path.join(self.folder, name)
        os.makedirs(path)
        for file, data in files.items():
            with open(os.path.join(path, file), "wb") as f:
                f.write(data)
            os.chmod(os.path.join(path, file), 0o644)
        return path

    def triage(self, what, signatures, good=("good",), gaps=1):
        done = self.run("triage", "--json", "--no-store", "--signatures", signatures, self.core)
        report = json.loads(done.stdout)
        names = [v["signature"] for v in report["verdicts"]]
        found = [g for g in report["gaps"] if g["code"] == "INQ-132"]
        self.want(f"{what}: triage exits {done.returncode}", done.returncode in (0, 1) and (not gaps or done.returncode))
        self.want(f"{what}: the good ones give verdicts", all(g in names for g in good), names)
        self.want(f"{what}: {gaps} gaps", len(found) == gaps, found)
        self.want(f"{what}: refused files are counted", report["signatures"]["refused"] == gaps, report["signatures"])
        return report


def row_97(lab):
    for name, (data, place, words) in BAD.items():
        path = lab.directory(name, {"bad.yaml": data, "good.yaml": GOOD.encode()})
        report = lab.triage(name, path)
        gap = [g for g in report["gaps"] if g["code"] == "INQ-132"][:1]
        lab.want(f"{name}: {place}", gap and f"bad.yaml:{place}" in gap[0]["where"] and words in gap[0]["why"], gap)
        done = lab.run("signatures", "check", os.path.join(path, "bad.yaml"))
        alone = name not in ("shipped-id", "no-such-override")  # those are about the other files
        lab.want(f"{name}: check exits {done.returncode}", done.returncode == (2 if alone else 0), done.stderr)
        lab.want(f"{name}: check names the place", not alone or f"bad.yaml:{place}".encode() in done.stderr, done.stderr)
        scan = lab.run("scan", "--json", "--no-store", "--signatures", path, lab.core)
        row = json.loads(scan.stdout.splitlines()[0])
        lab.want(f"{name}: scan goes on", scan.returncode == 1 and "good" in json.dumps(row.get("verdicts")), scan.stdout[:200])
    lab.triage("bom and crlf", lab.directory("fine", {n + ".yaml": d for n, d in FINE.items()}), tuple(FINE), gaps=0)
    big = lab.directory("big", {"good.yaml": GOOD.encode()})
    with open(os.path.join(big, "big.yaml"), "wb") as f:
        f.write(b"#")
        f.truncate(100 << 20)
    os.chmod(os.path.join(big, "big.yaml"), 0o644)
    lab.triage("100 MB", big)
    lab.triage("a hundred bad ones", lab.directory("hundred", dict(
        {f"{i}.yaml": b"- id: [\n" for i in range(100)}, **{"good.yaml": GOOD.encode()})), gaps=100)


def row_98(lab):
    """A glob that backtracks, and the longest name that a report can hold."""
    rule = "- id: glob\n  title: t\n  when: ['process.comm like \"" + "*a" * 200 + "*b\"']\n  cause: c\n"
    path = lab.directory("glob", {"r.yaml": rule.encode()})
    for size in (4096, 1 << 20):
        report = os.path.join(lab.folder, f"long-{size}.json")
        with open(report, "w", encoding="ascii") as f:
            json.dump({"format": "inquest-report", "version": 1, "process": {"comm": "a" * size}}, f)
        done = lab.run("signatures", "explain", "glob", report, "--signatures", path)
        lab.want(f"a glob over {size} bytes: exit {done.returncode}", done.returncode == (0 if size <= 4096 else 2), done.stderr)


def row_99(lab):
    if os.geteuid() != 0:
        print("skipped: row 99 is about root")
        return
    path = lab.directory("open", {"good.yaml": GOOD.encode(), "bad.yaml": RULE.format("a").encode()})
    bad = os.path.join(path, "bad.yaml")
    os.chmod(bad, 0o666)
    lab.triage("writable by others", path)
    lab.want("check: writable by others", lab.run("signatures", "check", bad).returncode == 2)
    os.chmod(bad, 0o644)
    os.chown(bad, 65534, -1)
    lab.triage("of another user", path)
    os.remove(bad)
    os.symlink("good.yaml", bad)
    lab.triage("a symbolic link", path)
    lab.want("check: a symbolic link", lab.run("signatures", "check", bad).returncode == 2)
    # sudo with the HOME of another user: that user's signatures are not root's
    own = os.path.join(lab.folder, ".config", "inquest", "signatures.d")
    os.makedirs(own)
    with open(os.path.join(own, "own.yaml"), "w", encoding="ascii") as f:
        f.write(RULE.format("from-home"))
    names = lab.run("signatures", "list").stdout
    lab.want("signatures of one's own home are read", b"from-home" in names, names)
    os.chown(own, 65534, -1)
    done = lab.run("signatures", "list")
    lab.want("those of another user's home are not", b"from-home" not in done.stdout and b"not used" in done.stderr,
             done.stderr)


def row_100(lab):
    """10,000 signatures over 1,000 frames: bench/rules.py has the figure, here it has to end."""
    rules = "".join(f"- id: r{n}\n  title: t\n  cause: c\n  when: [{{any frames: [frame.function like \"*x{n}*\"]}}]\n"
                    for n in range(10000))
    path = lab.directory("many", {"r.yaml": rules.encode()})
    report = os.path.join(lab.folder, "frames.json")
    frames = [{"index": i, "pc": hex(i), "trust": "cfi", "function": f"f{i}"} for i in range(1000)]
    with open(report, "w", encoding="ascii") as f:
        json.dump({"format": "inquest-report", "version": 1, "threads": [
            {"tid": 1, "crashed": True, "complete": True, "frames_total": 1000, "frames": frames}]}, f)
    done = lab.run("signatures", "explain", "r77", report, "--signatures", path, timeout=60)
    lab.want("10,000 signatures", done.returncode == 0 and b"It does not fit" in done.stdout, done.stderr)


def main():
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(os.path.abspath(sys.argv[1]), folder)
        for row in (row_97, row_98, row_99, row_100):
            before = lab.problems
            row(lab)
            print(f"{'FAIL' if lab.problems > before else 'ok  '} {row.__name__}")
    print(f"{lab.checks} checks, {lab.problems} failed")
    return 1 if lab.problems else 0


if __name__ == "__main__":
    sys.exit(main())
