#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py INQUEST CACHE: a Python environment of real wheels, in which psycopg2's libldap is bound to eckitlib's, and what
inquest says of its crash, of processes that have the same libraries and did not crash of it, and of the environment itself.

../shared/wheels/requirements-wavepy.txt is installed from the package index the first time (40 s, 0.9 GB) and kept in
CACHE; INQUEST_WHEELS names an environment that is there already (it is not changed)."""
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import zoo  # noqa: E402

SHARED = os.path.join(zoo.TOP, "..", "shared", "wheels")
REQUIREMENTS = os.path.join(SHARED, "requirements-wavepy.txt")
WAVE = os.path.join(SHARED, "wave.py")
ALL = ["numpy", "scipy.interpolate", "cfgrib", "rasterio", "psycopg2", "shapely", "pyproj", "PIL._imaging"]
CLAIMS = ("proven", "strong", "plausible")
CULPRITS = ["eccodes", "eccodeslib", "eckitlib", "fckitlib", "findlibs"]


class Skip(Exception):
    pass


class Run:
    def __init__(self, inquest, folder):
        self.inquest, self.folder, self.failed, self.passed = inquest, folder, 0, 0

    def check(self, good, what):
        self.passed, self.failed = self.passed + bool(good), self.failed + (not good)
        print(f"{'ok  ' if good else 'FAIL'} {what}", flush=True)
        return good


# ------------------------------------------------------------------------------------ environments

def pip(python, *arguments):
    return subprocess.run([python, "-m", "pip", "--disable-pip-version-check", "-q", *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=1500)


def install(folder, *what):
    """A virtual environment with these requirements; Skip when no package index answers."""
    if os.path.exists(os.path.join(folder, "complete")):
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    done = subprocess.run(["/usr/bin/python3", "-m", "venv", folder], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise Skip(f"no venv: {done.stdout.strip().splitlines()[-1] if done.stdout.strip() else '?'}")
    python = os.path.join(folder, "bin", "python")
    done = pip(python, "install", "--no-input", "--retries", "1", "--timeout", "20", "--only-binary", ":all:", *what)
    if done.returncode:
        lines = [line for line in done.stdout.splitlines() if line.startswith("ERROR")] or ["ERROR: ?"]
        unreachable = re.search(r"Connection|resolve|timed out|Temporary failure|No matching distribution|HTTP error",
                                done.stdout)
        if unreachable:
            raise Skip(f"no package index with these wheels: {lines[0]}")
        raise AssertionError(done.stdout[-2000:])
    with open(os.path.join(folder, "complete"), "w", encoding="ascii"):
        pass
    return folder


def copy(environment, folder):
    """The same environment once more, to be changed: directories are new, files are linked."""
    try:
        shutil.copytree(environment, folder, symlinks=True, copy_function=os.link)
    except OSError:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(environment, folder, symlinks=True)
    return folder


def pinned(*names):
    with open(REQUIREMENTS, encoding="utf-8") as f:
        return [line.strip() for line in f if line.split("==")[0] in names]


# ----------------------------------------------------------------------------------------- running

def wave(run, environment, modules, end):
    """Runs wave.py until it is dead; its core, None when it ended without."""
    where = tempfile.mkdtemp(dir=run.folder)

    def before():
        resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    variables = {k: v for k, v in os.environ.items() if k not in ("LD_PRELOAD", "LD_LIBRARY_PATH", "PYTHONPATH")}
    done = subprocess.run([os.path.join(environment, "bin", "python"), WAVE, ",".join(modules), end], cwd=where,
                          env={**variables, "PYTHONDONTWRITEBYTECODE": "1"}, preexec_fn=before, timeout=300,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    cores = [n for n in os.listdir(where) if n.startswith("core")]
    if done.returncode >= 0:
        return None, done
    if not cores:
        raise Skip(f"died of signal {-done.returncode} and left no core")
    return os.path.join(where, cores[0]), done


def triage(run, core, *options):
    started = time.monotonic()
    done = subprocess.run([run.inquest, "triage", "--json", "--no-store", *options, core], stdout=subprocess.PIPE,
                          timeout=120, check=False)
    report = json.loads(done.stdout)
    return report, (time.monotonic() - started) * 1000


def text_of(run, *arguments):
    done = subprocess.run([run.inquest, *arguments], stdout=subprocess.PIPE, timeout=120, check=False)
    return done.stdout.decode(), done.returncode


def module(report, index):
    modules = report["modules"]
    return modules[index] if isinstance(index, int) and 0 <= index < len(modules) else {}


def path(report, index):
    return module(report, index).get("path") or ""


def families(report, *names):
    return [c for c in report.get("collisions") or [] if c.get("family") in names]


def accused(report):
    return [v["signature"] for v in report.get("verdicts") or [] if v["grade"] in CLAIMS and re.match(
        "dup-|libldap|openblas|libopenjp2|symbol-name|libstdcxx|libpython|omp-|allocator", v["signature"])]


# ---------------------------------------------------------------------------------------- the crash

def founding_crash(run, environment):
    core, done = wave(run, environment, ALL, "exit")
    if not run.check(core, f"cfgrib before psycopg2 ends in a crash ({done.returncode})"):
        return
    report, milliseconds = triage(run, core)
    slots = (report.get("bindings") or {}).get("slots")
    print(f"     {len(report['modules'])} modules, {slots} slots, whole triage {milliseconds:.0f} ms, "
          f"collisions {(report.get('timing') or {}).get('stages')}")
    first = report["verdicts"][0]
    run.check(first["grade"] == "proven", f"the first verdict is proven: {first['signature']} {first['grade']}")
    run.check(first["signature"] in ("libldap-liblber-dup", "dup-cross-bound-data"), f"it is {first['signature']}")
    generic = [v for v in report["verdicts"] if v["signature"] == "dup-cross-bound-data"]
    run.check(generic and generic[0]["grade"] == "proven", "dup-cross-bound-data is proven without a name we know")
    ldap = families(report, "libldap")
    crash = (ldap[0].get("crash") or {}) if ldap else {}
    run.check("psycopg2_binary.libs/libldap" in path(report, crash.get("from")), "the slot is psycopg2's libldap's")
    run.check(crash.get("symbol") == "ldap_int_global_options", f"for {crash.get('symbol')}")
    run.check((crash.get("size_expected"), crash.get("size_actual")) == (544, 408),
              f"sizes {crash.get('size_expected')} and {crash.get('size_actual')}")
    run.check((crash.get("offset"), crash.get("value")) == ("0x1c0", "0x7"),
              f"at {crash.get('offset')} it found {crash.get('value')}")
    actual = module(report, crash.get("actual"))
    run.check("/eckitlib" in (actual.get("path") or ""), f"the object is {actual.get('path')}'s")
    run.check(actual.get("scope") == "global", f"whose scope is {actual.get('scope')}")
    owner = actual.get("owner") or {}
    run.check(owner.get("package") == "eckitlib", f"package {owner.get('package')} {owner.get('version')}")
    chains = owner.get("requested_by") or []
    run.check(any(re.search(r"eccodeslib.*eccodes.*cfgrib", c) for c in chains), f"required by {chains}")
    for family in ("blas", "libopenjp2"):
        found = families(report, family)
        run.check(found and all(c["foreign"]["strong"] == 0 and c["grade"] == "refuted" for c in found),
                  f"{family}: {[(c['grade'], c['foreign']['strong'], len(c['copies'])) for c in found]}")
    refuted = [v["signature"] for v in report["verdicts"] if v["grade"] == "refuted"]
    run.check({"openblas-ilp64-lp64", "libopenjp2-dup"} <= set(refuted), f"acquitted by name: {refuted}")
    fixes = json.dumps(first["fix"])
    run.check("import psycopg2 before" in fixes.lower() and "pip uninstall eccodes" in fixes, "the fixes are named")
    page, _ = text_of(run, "triage", "--no-store", core)
    wanted = ["PROVEN", "544", "408", "ldap_int_global_options", "eckitlib", "psycopg2", "cfgrib",
              "Libraries that are loaded more than once"]
    run.check(all(w in page for w in wanted), f"the text says it: {[w for w in wanted if w not in page]}")
    page, code = text_of(run, "libs", "--all", core)
    run.check(code == 1 and "libldap" in page, f"inquest libs exits with {code}")
    print(page if os.environ.get("INQUEST_SHOW") else "", end="")
    os.remove(core)


def innocent(run, environment):
    """The same libraries, another end: hazards are listed, nobody is accused."""
    first = ["psycopg2"] + [m for m in ALL if m != "psycopg2"]
    core, done = wave(run, environment, first, "exit")
    run.check(core is None and done.returncode == 0, f"psycopg2 first ends cleanly ({done.returncode})")
    for end in ("abort", "null"):
        for order in (first, ALL):
            core, done = wave(run, environment, order, end)
            label = f"{'psycopg2 first' if order is first else 'cfgrib first'}, {end}"
            if not run.check(core, f"{label}: a core ({done.returncode})"):
                continue
            report, _ = triage(run, core)
            run.check(not accused(report), f"{label}: accused are {accused(report)}")
            hazards = [c.get("family") for c in report.get("collisions") or [] if c["grade"] == "context"]
            run.check(hazards, f"{label}: hazards {hazards}")
            run.check((report["bindings"]["foreign"]["strong"] or 0) > 0,
                      f"{label}: {report['bindings']['foreign']}")
            os.remove(core)


def numpy_and_scipy(run, environment):
    core, _ = wave(run, environment, ["numpy", "scipy.linalg"], "abort")
    report, _ = triage(run, core)
    run.check(report["bindings"]["foreign"]["strong"] == 0, f"numpy + scipy: {report['bindings']['foreign']}")
    run.check(not accused(report), "numpy + scipy: nobody is accused")
    _, code = text_of(run, "libs", core)
    run.check(code == 0, f"numpy + scipy: inquest libs exits with {code}")
    os.remove(core)
    core, _ = wave(run, environment, ["global", "numpy", "scipy.linalg"], "abort")
    report, _ = triage(run, core)
    blas = sum(c["foreign"]["strong"] for c in families(report, "blas"))
    strong = report["bindings"]["foreign"]["strong"]
    run.check((strong, blas) == (956, 885), f"with RTLD_GLOBAL: {strong} strong, {blas} of OpenBLAS, want 956 and 885")
    run.check(not accused(report), f"with RTLD_GLOBAL: accused are {accused(report)}")
    os.remove(core)


# ------------------------------------------------------------------------------------ other crossings

CROSSING = ["numpy==2.4.6", "rasterio==1.4.4", "fiona==1.10.1", "PyQt5==5.15.11", "PyQt5-Qt5==5.15.19",
            "PySide6-Essentials==6.12.0", "netCDF4==1.7.5.1.post1", "tables==3.11.1"]
IMPORTS = """import sys, os
for m in sys.argv[1].split(","):
    if m == "global": sys.setdlopenflags(os.RTLD_NOW | os.RTLD_GLOBAL)
    else: __import__(m)
os.abort()
"""


def imported(run, environment, modules):
    """The report on a process that imported these, and aborted when that did not kill it."""
    where = tempfile.mkdtemp(dir=run.folder)
    core = zoo.crash([os.path.join(environment, "bin", "python"), "-c", IMPORTS, modules], where)
    report, _ = triage(run, core)
    os.remove(core)
    return report


def crossings(run, cache):
    """Wheels that nobody has tried together: what really crosses under RTLD_GLOBAL, and that nothing does without."""
    environment = install(os.path.join(cache, "crossing"), *CROSSING)
    for modules in ("rasterio,fiona", "PyQt5.QtCore,PySide6.QtCore", "netCDF4,tables"):
        report = imported(run, environment, modules)
        foreign = report["bindings"]["foreign"]["strong"]
        undecided = report["bindings"]["undecided"]
        run.check(foreign == 0 and not accused(report), f"{modules}: {foreign} strong, accused {accused(report)}")
        run.check(undecided == 0 and report["bindings"]["complete"], f"{modules}: {undecided} slots are undecided")
        run.check(not report["bindings"]["captures"], f"{modules}: captures {report['bindings']['captures']}")
    report = imported(run, environment, "global,fiona,rasterio")
    first = report["verdicts"][0]
    crash = [c for c in report["collisions"] if c.get("crash")]
    run.check((first["signature"], first["grade"]) == ("dup-cross-bound-call", "proven"),
              f"fiona before rasterio, RTLD_GLOBAL: {first['signature']} {first['grade']}")
    run.check(crash and crash[0]["family"] == "libproj", f"by {[c.get('family') for c in crash]}")
    report = imported(run, environment, "global,rasterio,fiona")
    crash = [c for c in report["collisions"] if c.get("crash")]
    run.check(crash and crash[0]["family"] == "libproj" and crash[0]["grade"] == "plausible",
              f"rasterio before fiona, std::bad_alloc: {[(c.get('family'), c['grade']) for c in crash]}")
    report = imported(run, environment, "global,PyQt5.QtCore,PySide6.QtCore")
    first = report["verdicts"][0]
    run.check((first["signature"], first["grade"]) == ("dup-cross-bound-call", "strong"),
              f"PyQt5 before PySide6, RTLD_GLOBAL: {first['signature']} {first['grade']}")
    core = [c for c in report["collisions"] if c.get("family") == "libQtCore"]
    run.check(core and core[0]["grade"] == "strong", f"libQtCore: {[c['grade'] for c in core]}")


# --------------------------------------------------------------------------------- the environment

def prefix(run, environment):
    done = subprocess.run([run.inquest, "libs", "--json", environment], stdout=subprocess.PIPE, timeout=120,
                          check=False)
    return json.loads(done.stdout), done.returncode


def environments(run, environment):
    report, code = prefix(run, environment)
    pairs = report.get("pairs") or []
    high = [p for p in pairs if p["hazard"] == "high"]
    run.check(code == 1, f"libs PREFIX exits with {code}")
    sharing = report["prefix"]["sharing"]
    run.check(sharing == 64, f"{sharing} pairs with 20 names in common, want 64; {len(pairs)} listed, {len(high)} high")
    ours = [p for p in high if any(re.search("/(eckitlib|fckitlib)[/.]", path(report, i)) for i in p["copies"])]
    run.check(ours and all("findlibs" in json.dumps(p) for p in ours), f"{len(ours)} high ones by findlibs")
    blas = [p for p in pairs if all("openblas" in path(report, i) for i in p["copies"])]
    run.check(len(blas) == 1 and blas[0]["hazard"] == "low" and blas[0]["common"] == 6195,
              f"OpenBLAS: {[(p['hazard'], p['common']) for p in blas]}")
    page, _ = text_of(run, "libs", environment)
    run.check("HIGH" in page and "findlibs" in page and "blas" not in page, "the page shows what is high")

    changed = copy(environment, os.path.join(run.folder, "changed"))
    done = pip(os.path.join(changed, "bin", "python"), "uninstall", "-y", *CULPRITS)
    run.check(done.returncode == 0, f"pip uninstall {' '.join(CULPRITS)}")
    report, code = prefix(run, changed)
    high = [p for p in report.get("pairs") or [] if p["hazard"] == "high"]
    run.check(code == 0 and not high, f"after it: exit {code}, {len(high)} high")
    page, _ = text_of(run, "libs", changed)
    run.check("✓" in page, "the page shows the clean state")


def healthy(run, cache):
    environment = install(os.path.join(cache, "small"), *pinned("numpy", "scipy", "pillow"))
    report, code = prefix(run, environment)
    run.check(code == 0, f"numpy + scipy + pillow: exit {code}, "
                         f"{[(p['family'], p['hazard']) for p in report.get('pairs') or []]}")


def main():
    run = Run(os.path.abspath(sys.argv[1]), None)
    cache = os.path.join(os.environ.get("INQUEST_CACHE") or os.path.abspath(sys.argv[2]), "wheels")
    only = sys.argv[3:]
    try:
        if not os.path.exists(REQUIREMENTS):
            raise Skip("no ../shared/wheels")
        zoo.check_cores_possible()
        os.makedirs(cache, exist_ok=True)
        environment = os.environ.get("INQUEST_WHEELS") or install(os.path.join(cache, "env"), "-r", REQUIREMENTS)
        with tempfile.TemporaryDirectory(dir=cache) as run.folder:
            for step in (founding_crash, innocent, numpy_and_scipy, environments):
                if not only or step.__name__ in only:
                    step(run, environment)
            if not only or "healthy" in only:
                healthy(run, cache)
            if not only or "crossings" in only:
                crossings(run, cache)
    except (Skip, zoo.NoCores) as why:
        print(f"skipped: {why}")
        return 77 if not run.failed else 1
    print(f"{run.passed} passed, {run.failed} failed")
    return 1 if run.failed or not run.passed else 0


if __name__ == "__main__":
    sys.exit(main())
