#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""agree.py INQUEST CORES.json [NAME...]: inquest, gdb, eu-stack and `inquest --engine ucd` over the same cores, frame
by frame. Every disagreement is printed once a core: who, how many threads, where, and what each has there.

CORES.json comes from agree_cores.py; any list of {name, core, program} will do. docs/folklore.md says who is right.
"""
import argparse
import collections
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests", "support"))
_spec = importlib.util.spec_from_file_location("zoo_run", os.path.join(TOP, "tests", "zoo", "run.py"))
zoo_run = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(zoo_run)

LIMIT = 50  # innermost frames that are compared


def physical(frames):
    """Frames with a place of their own; an inlined one gives its name to the frame it was inlined into."""
    out = []
    for frame in frames:
        if frame["inlined"] and out and out[-1]["pc"] == frame["pc"]:
            out[-1]["names"].append(frame["name"])
        elif out and out[-1]["open"] and out[-1]["pc"] == frame["pc"]:
            out[-1]["names"].append(frame["name"])
            out[-1]["open"] = frame["inlined"]
        else:
            out.append({"pc": frame["pc"], "names": [frame["name"]], "open": frame["inlined"],
                        "how": frame.get("how", "")})
    return out


def by_inquest(inquest, core, *options):
    """{tid: frames}, {tid: why the walk ended}"""
    done = subprocess.run([inquest, "triage", "--json", "--stacks", "--no-store", *options, core["core"]],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=300)
    report = json.loads(done.stdout)
    if "threads" not in report:
        raise ValueError(f"no stacks: {report.get('error')}")
    frames, ends = {}, {}
    for thread in report["threads"]:
        frames[thread["tid"]] = physical(
            [{"pc": int(f["pc"], 16), "name": f.get("function"), "inlined": bool(f.get("inlined")),
              "how": f["trust"]} for f in thread.get("frames") or []])
        ends[thread["tid"]] = "outermost" if thread.get("complete") else thread.get("stop")
    return frames, ends


def by_gdb(core):
    with tempfile.TemporaryDirectory() as folder:
        theirs = zoo_run.gdb_frames(core["program"], core["core"], folder)
    return {tid: [{"pc": f["pc"], "names": f["names"], "how": "signal" if f["signal"] else ""} for f in frames]
            for tid, frames in theirs.items()}


def by_eu_stack(core):
    done = subprocess.run(["eu-stack", "-n", str(LIMIT + 10), "--core", core["core"], "-e", core["program"]],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=300, errors="replace",
                          env={**os.environ, "DEBUGINFOD_URLS": ""})
    out, now = {}, None
    for line in done.stdout.splitlines():
        thread = re.match(r"TID (\d+):", line)
        frame = re.match(r"#\d+\s+0x([0-9a-f]+)\s*(.*)", line)
        if thread:
            now = out.setdefault(int(thread[1]), [])
        elif frame and now is not None:
            now.append({"pc": int(frame[1], 16), "names": [frame[2].strip() or None], "how": ""})
    return out


def show(frame):
    if not frame:
        return "the end"
    names = [n for n in frame["names"] if n]
    return f"{frame['pc']:#x} {'/'.join(dict.fromkeys(names)) or '?'}{' ' + frame['how'] if frame['how'] else ''}"


DEMANGLED = {}


def demangle_all(threads):
    """c++filt over all mangled names at once: gdb and eu-stack demangle by themselves, and not alike."""
    names = {n for frames in threads for f in frames for n in f["names"] if n and n.startswith(("_Z", "_R"))}
    names -= set(DEMANGLED)
    if names and shutil.which("c++filt"):
        ordered = sorted(names)
        done = subprocess.run(["c++filt"], input="\n".join(ordered), stdout=subprocess.PIPE, text=True)
        DEMANGLED.update(zip(ordered, done.stdout.splitlines()))


def base(name):
    """A name without parameters, template arguments, scopes, hashes and suffixes."""
    if not name:
        return None
    name = DEMANGLED.get(name, name)
    name = re.sub(r"( \[clone.*|::h[0-9a-f]{16}$)", "", name.replace("(anonymous namespace)", "anonymous"))
    name = re.sub(r"(\$u7b\$)+(.*?)(\$u7d\$)+", r"{\2}", name).replace("{closure_env#0}", "{closure}")
    while re.search(r"<[^<>]*>", name):
        name = re.sub(r"<[^<>]*>", "", name)
    name = re.sub(r"\(.*", "", name)
    name = re.sub(r"(\.abi0|\[.*)$", "", zoo_run.plain(name.strip()))
    name = re.sub(r"(\.(part|cold|isra|constprop|lto_priv)(\.\d+)?)+$", "", name)
    last = re.split(r"::|\.(?=[A-Za-z])", name)[-1].split(" ")[-1]
    return zoo_run.plain(last) or name


def compare(ours, ends, theirs):
    """[(kind, text, tid)]: where two lists of frames part, and names that differ."""
    demangle_all(list(ours.values()) + list(theirs.values()))
    for tid in sorted(set(ours) | set(theirs)):
        if tid not in ours or tid not in theirs:
            yield "threads", f"thread only in {'ours' if tid in ours else 'theirs'}", tid
            continue
        mine, other = ours[tid][:LIMIT], theirs[tid][:LIMIT]
        same = 0
        while same < min(len(mine), len(other)) and mine[same]["pc"] == other[same]["pc"]:
            same += 1
        for left, right in zip(mine[:same], other[:same]):
            if right["how"] == "signal":
                continue
            left_names = {base(n) for n in left["names"]} - {None}
            right_names = {base(n) for n in right["names"]} - {None}
            if left_names and right_names and not left_names & right_names:
                yield "name", f"we {show(left)}, they {show(right)}", tid
            elif left_names and not right_names:
                yield "only we name", f"{show(left)}", tid
            elif right_names and not left_names:
                yield "only they name", f"{show(right)} ({left['how']})", tid
        if same == len(mine) == len(other):
            continue
        if same == len(mine):
            kind = "they go on" if len(ours[tid]) <= LIMIT else None
        elif same == len(other):
            kind = "we go on" if len(theirs[tid]) <= LIMIT else None
        else:
            kind = "part"
        if kind:
            yield kind, (f"frame {same}: we {show(mine[same] if same < len(mine) else None)}, they "
                         f"{show(other[same] if same < len(other) else None)} (our walk: {ends.get(tid)})"), tid


def without_addresses(text):
    return re.sub(r"0x[0-9a-f]{6,}", "0x..", text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("inquest")
    parser.add_argument("cores")
    parser.add_argument("name", nargs="*")
    args = parser.parse_args()
    with open(args.cores, encoding="utf-8") as f:
        cores = json.load(f)
    inquest, totals = os.path.abspath(args.inquest), collections.Counter()
    for core in cores:
        if args.name and core["name"] not in args.name:
            continue
        totals["cores"] += 1
        try:
            ours, ends = by_inquest(inquest, core)
        except ValueError as why:
            print(f"{core['name']}: {why}")
            totals["inquest: no answer"] += 1
            continue
        totals["threads"] += len(ours)
        totals["frames"] += sum(len(f) for f in ours.values())
        print(f"{core['name']}: {len(ours)} threads, {sum(len(f) for f in ours.values())} frames")
        peers = {"ucd": lambda c: by_inquest(inquest, c, "--engine", "ucd")[0]}
        if shutil.which("gdb"):
            peers["gdb"] = by_gdb
        if shutil.which("eu-stack"):
            peers["eu-stack"] = by_eu_stack
        for peer, frames_by in peers.items():
            try:
                theirs = frames_by(core)
            except (AssertionError, subprocess.TimeoutExpired, ValueError) as why:
                print(f"  {peer}: nothing to compare: {str(why)[-120:]}")
                totals[f"{peer}: no answer"] += 1
                continue
            found = collections.defaultdict(list)
            for kind, text, tid in compare(ours, ends, theirs):
                found[(kind, without_addresses(text))].append((text, tid))
            for (kind, _), where in found.items():
                totals[f"{peer}: {kind}"] += 1
                print(f"  {peer}: {kind}: {where[0][0]} [{len(where)} threads, {where[0][1]}]")
            if not found:
                totals[f"{peer}: agrees"] += 1
    for what, count in sorted(totals.items()):
        print(f"{count:6} {what}")


if __name__ == "__main__":
    main()
