#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py INQUEST [FOLDER]: `inquest libs PREFIX` on small environments that are made up here: what is high and why,
what is not, and that nothing outside the folder and nothing but regular files is opened."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

SITE = "lib/python3.11/site-packages"
problems = []


def check(good, what):
    if not good:
        problems.append(what)
        print("wrong:", what)
    return good


class Environment:
    def __init__(self, folder, name):
        self.top = os.path.join(folder, name)
        self.site = os.path.join(self.top, SITE)
        self.files = {}  # distribution: its files
        self.needs = {}
        os.makedirs(self.site)

    def path(self, name):
        path = os.path.join(self.site, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def library(self, dist, name, source, *options, soname=None):
        path = self.path(name)
        subprocess.run(["gcc", "-shared", "-fPIC", "-x", "c", "-", "-x", "none", "-o", path,
                        f"-Wl,-soname,{soname or os.path.basename(name)}", *options],
                       input=source.encode(), check=True)
        self.files.setdefault(dist, []).append(name)
        return path

    def script(self, dist, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        self.files.setdefault(dist, []).append(name)

    def install(self, dist, *needs):
        info = f"{dist}-1.0.dist-info"
        for name, text in (("RECORD", "".join(f"{f},,\n" for f in self.files.get(dist, []))),
                           ("METADATA", f"Metadata-Version: 2.1\nName: {dist}\nVersion: 1.0\n" +
                            "".join(f"Requires-Dist: {n}\n" for n in needs)),
                           ("INSTALLER", "pip\n")):
            with open(self.path(f"{info}/{name}"), "w", encoding="utf-8") as file:
                file.write(text)


def names(prefix, count, value):
    return "".join(f"int {prefix}_{i}(void) {{ return {value}; }}\n" for i in range(count))


def look(inquest, path, *options):
    done = subprocess.run([inquest, "libs", "--json", *options, path], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=60, check=False)
    try:
        return json.loads(done.stdout), done.returncode
    except ValueError:
        check(False, f"{path}: no JSON: {done.stdout[:200]} {done.stderr[:200]}")
        return {"pairs": [], "modules": []}, done.returncode


def pair_of(report, first, second):
    for pair in report.get("pairs") or []:
        found = sorted(report["modules"][i]["name"] for i in pair["copies"])
        if found == sorted([first, second]):
            return pair
    return None


def healthy(folder, name):
    """Two copies of one library, each under a name of its own, as numpy and scipy have them."""
    env = Environment(folder, name)
    env.library("alpha", "alpha.libs/libfoo-0123abcd.so.1.0", names("foo", 40, 1))
    env.library("beta", "beta.libs/libfoo-4567cdef.so.2.0", names("foo", 45, 2))
    env.install("alpha")
    env.install("beta")
    return env


def served(folder):
    """findlibs: a user of it asks for middlelib, which needs outerlib, whose libraries it preloads with what they need."""
    env = healthy(folder, "served")
    env.library("outerlib", "outerlib.libs/libfoo-89abcdef.so.3", names("foo", 40, 3))
    env.library("outerlib", "outerlib/lib64/libouter.so", "int foo_1(void); int outer(void) { return foo_1(); }\n",
                os.path.join(env.site, "outerlib.libs/libfoo-89abcdef.so.3"), "-Wl,-rpath,$ORIGIN/../../outerlib.libs")
    env.script("findlibs", "findlibs/__init__.py", "def f(p):\n    return CDLL(p, mode=RTLD_GLOBAL)\n")
    env.install("findlibs")
    env.install("outerlib")
    env.install("middlelib", "outerlib==1.0")
    env.install("user", "middlelib; platform_system != 'Windows'", "findlibs")
    env.install("top", "user")
    return env


def versioned(env):
    """The same names in another version are no rival, for whom was linked."""
    script = os.path.join(env.top, "v.map")
    for dist, version in (("old", "BAR_1"), ("new", "BAR_2")):
        with open(script, "w", encoding="utf-8") as file:
            file.write(f"{version} {{ global: bar_*; local: *; }};\n")
        env.library(dist, f"{dist}.libs/libbar-{'1' if dist == 'old' else '2'}1223344.so.1", names("bar", 30, 1),
                    f"-Wl,--version-script={script}")
        env.install(dist)


def main():
    inquest = os.path.abspath(sys.argv[1])
    folder = tempfile.mkdtemp(prefix="inquest-prefix-")
    try:
        # isolated by their names
        env = healthy(folder, "healthy")
        versioned(env)
        shutil.copy(env.path("alpha.libs/libfoo-0123abcd.so.1.0"), env.path("alpha.libs/libagain-0123abcd.so"))
        os.mkfifo(env.path("libpipe.so"))
        os.symlink("/etc/passwd", env.path("libpasswd.so"))
        os.symlink("/", env.path("everything"))
        with open(env.path("liblinker.so"), "w", encoding="utf-8") as file:
            file.write("GROUP ( libm.so.6 )\n")
        report, code = look(inquest, env.top)
        check(code == 0, f"healthy: exit {code}")
        check(report["prefix"]["kind"] == "venv" and report["prefix"]["packages"] == 4, f"{report['prefix']}")
        check(report["prefix"]["libraries"] == 4, f"the same file twice is one: {report['prefix']}")
        pair = pair_of(report, "libfoo-0123abcd.so.1.0", "libfoo-4567cdef.so.2.0") or \
            pair_of(report, "libagain-0123abcd.so", "libfoo-4567cdef.so.2.0")
        check(pair and pair["hazard"] == "low" and pair["common"] == 40 and pair["smaller"] == 40, f"healthy: {pair}")
        check(len(report["pairs"]) == 2, f"healthy: {len(report['pairs'])} pairs")
        pair = pair_of(report, "libbar-11223344.so.1", "libbar-21223344.so.1")
        check(pair and pair["common"] == 30 and pair["confusable"] == 0, f"versions: {pair}")
        owners = {m["name"]: (m.get("owner") or {}).get("package") for m in report["modules"]}
        check(owners.get("libfoo-4567cdef.so.2.0") == "beta", f"owners {owners}")
        check("libpasswd.so" not in owners and "libpipe.so" not in owners, f"{owners}")
        inside, code = look(inquest, env.site)
        check(code == 0 and inside["prefix"]["kind"] == "site-packages" and len(inside["pairs"]) == 2,
              f"site-packages itself: {code}, {inside['prefix']}")
        check([m.get("owner") for m in inside["modules"]] == [m.get("owner") for m in report["modules"]],
              "owners are the same from inside")

        # bounds: what is left out is told, and no list is longer than a report may have
        env = healthy(folder, "bounded")
        deep = os.path.join(env.top, *["d"] * 70)
        os.makedirs(deep)
        many = os.path.join(env.top, "many")
        os.mkdir(many)
        one = env.path("alpha.libs/libfoo-0123abcd.so.1.0")
        for number in range(5000):
            os.link(one, os.path.join(many, f"libcopy{number}.so"))
        report, code = look(inquest, env.top)
        check(code == 4 and len(report["modules"]) == 4096, f"bounded: exit {code}, {len(report['modules'])}")
        check(len(report["pairs"]) == 1 and all(c < 4096 for c in report["pairs"][0]["copies"]), f"{report['pairs']}")
        told = " ".join(f"{g['what']} {g.get('why')}" for g in report["gaps"])
        check("too deep" in told and "more than are listed" in told, f"bounded: {told}")
        shutil.rmtree(env.top)
        env = healthy(folder, "mounts")
        inside = os.path.join(env.top, "inside")
        os.mkdir(inside)
        script = f'mount -t tmpfs none "{inside}" && : >"{inside}/libx.so" && exec "$0" "$@"'
        done = subprocess.run(["unshare", "--mount", "sh", "-c", script, inquest, "libs", "--json", env.top],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
        if done.stdout:
            report = json.loads(done.stdout)
            told = [g["what"] for g in report["gaps"]]
            check(any("1 mounted file system" in t and inside in t for t in told), f"mounts: {told}")
            check(done.returncode == 0, f"mounts: exit {done.returncode}")
            text = subprocess.run(["unshare", "--mount", "sh", "-c", script, inquest, "libs", env.top],
                                  stdout=subprocess.PIPE, timeout=60, check=False).stdout.decode()
            check("mounted file system" in " ".join(text.split()), f"mounts, the page: {text[-300:]}")
        else:
            print("skipped: a file system cannot be mounted here")

        # loaded for everybody
        env = served(folder)
        report, code = look(inquest, env.top)
        check(code == 1, f"findlibs: exit {code}")
        high = [p for p in report["pairs"] if p["hazard"] == "high"]
        check(len(high) == 2 and all(p["loader"] == "findlibs" for p in high), f"findlibs: {report['pairs']}")
        check("libouter.so" in high[0]["reason"] and "libfoo-89abcdef.so.3" in high[0]["reason"], high[0]["reason"])
        owner = [m for m in report["modules"] if m["name"] == "libouter.so"][0]["owner"]
        check(owner["requested_by"] == ["middlelib \u2190 user \u2190 top"], f"{owner}")
        # the fix
        for name in os.listdir(env.site):
            if name.startswith(("findlibs", "outerlib", "middlelib", "user")):
                shutil.rmtree(env.path(name))
        report, code = look(inquest, env.top)
        check(code == 0 and len(report["pairs"]) == 1, f"after the fix: exit {code}, {report['pairs']}")

        # another package's own call; a mention is none
        env = healthy(folder, "call")
        env.script("alpha", "alpha/__init__.py", "import ctypes\n# RTLD_GLOBAL\nctypes.CDLL(x,\n  ctypes.RTLD_GLOBAL)\n")
        env.script("beta", "beta/__init__.py", "RTLD_GLOBAL = ctypes.RTLD_GLOBAL  # CDLL(mode=RTLD_GLOBAL)\n")
        env.install("alpha")
        env.install("beta")
        report, code = look(inquest, env.top)
        check(code == 0 and [p["hazard"] for p in report["pairs"]] == ["possible"], f"call: {code}, {report['pairs']}")
        check("alpha/__init__.py, line 4" in report["pairs"][0]["reason"], report["pairs"][0]["reason"])

        # a plain soname that a third one asks for
        env = healthy(folder, "plain")
        plain = env.library("gamma", "gamma/lib/libfoo.so.1", names("foo", 40, 4))
        env.library("delta", "delta/libuser.so", "int foo_1(void); int use(void) { return foo_1(); }\n", plain)
        env.install("gamma")
        env.install("delta")
        report, code = look(inquest, env.top)
        pair = pair_of(report, "libfoo.so.1", "libfoo-4567cdef.so.2.0")
        check(code == 1 and pair and pair["hazard"] == "high" and "libuser.so" in pair["reason"], f"plain: {code}, {pair}")
        text = subprocess.run([inquest, "libs", env.top], stdout=subprocess.PIPE, check=False).stdout.decode()
        check("HIGH" in text and "libfoo" in text, f"the page: {text[:300]}")

        # two libraries with other names: who asks for the one would not be content with the other
        env = healthy(folder, "unlike")
        env.library("gamma", "gamma/lib/libwhole.so.1", names("foo", 60, 4))
        env.install("gamma")
        report, code = look(inquest, env.top)
        pair = pair_of(report, "libwhole.so.1", "libfoo-4567cdef.so.2.0")
        check(code == 0 and pair and pair["hazard"] == "low", f"unlike: {code}, {pair}")
        env.library("gamma", "gamma/lib/libfoo.so.2", names("foo", 50, 5))
        env.install("gamma")
        report, code = look(inquest, env.top)
        pair = pair_of(report, "libfoo.so.2", "libfoo-4567cdef.so.2.0")
        check(code == 0 and pair and pair["hazard"] == "possible", f"alike: {code}, {pair}")

        # a wheel's file outside of its folder, as MKL's; a package of conda
        env = healthy(folder, "outside")
        env.library("mkl", "../../libfoo_rt.so.2", names("foo", 40, 4))
        env.install("mkl")
        report, code = look(inquest, env.top)
        owners = {m["name"]: m.get("owner") or {} for m in report["modules"]}
        check(owners["libfoo_rt.so.2"].get("package") == "mkl", f"outside: {owners['libfoo_rt.so.2']}")
        os.mkdir(os.path.join(env.top, "conda-meta"))
        with open(os.path.join(env.top, "conda-meta", "foo-2.1-0.json"), "w", encoding="utf-8") as file:
            json.dump({"name": "foo", "version": "2.1", "build": "0", "depends": [], "files": ["lib/libfoo_rt.so.2"]}, file)
        shutil.rmtree(env.path("mkl-1.0.dist-info"))
        report, code = look(inquest, env.top)
        owners = {m["name"]: m.get("owner") or {} for m in report["modules"]}
        check((owners["libfoo_rt.so.2"].get("kind"), owners["libfoo_rt.so.2"].get("package")) == ("conda", "foo"),
              f"conda: {owners['libfoo_rt.so.2']}")
        check(owners["libfoo-4567cdef.so.2.0"].get("kind") == "wheel", f"conda: {owners}")

        # what is no folder, and an empty one
        os.mkdir(os.path.join(folder, "empty"))
        report, code = look(inquest, os.path.join(folder, "empty"))
        check(code == 0 and report["pairs"] == [], f"empty: {code}")
    finally:
        shutil.rmtree(folder)
    print(f"prefix: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
