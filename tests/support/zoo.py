# SPDX-License-Identifier: Apache-2.0
"""Building the programs of fixtures/zoo and making them crash.

A core is wanted in a folder of our own: that needs a core_pattern with a relative name (the kernel's
default). Where it is a pipe or an absolute path, NoCores says so; the setting is not touched.
"""
import ctypes
import functools
import os
import resource
import shlex
import shutil
import signal
import subprocess
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ZOO = os.path.join(TOP, "fixtures", "zoo")


class NoCores(Exception):
    """No core dump can be had on this machine; the text says why."""


class CannotHere(NoCores):
    """The program itself says that it cannot be done here (exit status 3): no huge pages, no such CPU."""


def load_cases():
    import yaml
    with open(os.path.join(ZOO, "cases.yaml"), encoding="utf-8") as f:
        return yaml.safe_load(f)


def check_cores_possible():
    with open("/proc/sys/kernel/core_pattern", encoding="utf-8", errors="replace") as f:
        pattern = f.read().strip()
    if pattern.startswith("|"):
        raise NoCores(f"core_pattern is a pipe to {pattern[1:].split()[0]}")
    if "/" in pattern:
        raise NoCores(f"core_pattern writes to {os.path.dirname(pattern)}")
    if not pattern:
        raise NoCores("core_pattern is empty: the kernel writes no cores")
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    if hard not in (resource.RLIM_INFINITY,) and hard < 64 << 20:
        raise NoCores(f"ulimit -Hc is {hard} bytes")


def source_of(case):
    name = os.path.join(ZOO, case.get("source", case["id"].replace("-", "_")))
    return next((name + end for end in (".cpp", ".rs") if os.path.exists(name + end)), name + ".c")


@functools.lru_cache(maxsize=None)
def why_no_compiler(name):
    """Why this compiler cannot be had; None when it can. One that is there may be a stand-in for none (rustup's)."""
    if not shutil.which(name):
        return f"no {name}"
    done = subprocess.run([name, "--version"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, errors="replace")
    return f"{name} does not run: {done.stderr.strip()[:120]}" if done.returncode else None


def why_skipped(case):
    """Why a case cannot be had on this machine; None when it can."""
    if "compiler" in case and why_no_compiler(case["compiler"]):
        return why_no_compiler(case["compiler"])
    if "needs" in case:
        try:
            ctypes.CDLL(case["needs"])
        except OSError:
            return f"no {case['needs']}"
    return None


def is_newer(made, source):
    """Whether `made` is there and younger than its source."""
    return os.path.exists(made) and os.path.getmtime(made) > os.path.getmtime(source)


def _compile(command, made):
    """Under another name until it is whole: tests that run at once share these folders."""
    os.makedirs(os.path.dirname(made), exist_ok=True)
    part = f"{made}.part{os.getpid()}"
    subprocess.run(command + ["-o", part], check=True)
    os.replace(part, made)


def build(case, folder, compiler=None):
    """Builds the program of a case into folder and returns its path."""
    of_language = os.environ.get("CXX", "c++") if source_of(case).endswith(".cpp") else os.environ.get("CC", "cc")
    compiler = shlex.split(compiler or case.get("compiler") or of_language)
    program = os.path.join(folder, case.get("program", case["id"]))
    libraries = []
    for name in [case[kind] for kind in ("library", "plugin") if kind in case]:
        source, made = os.path.join(ZOO, name + ".c"), os.path.join(folder, f"lib{name}.so")
        if not is_newer(made, source):
            _compile(compiler + ["-g", "-O1", "-shared", "-fPIC", source], made)
        if name == case.get("library"):
            libraries = [f"-L{folder}", f"-l{name}", "-Wl,-rpath,$ORIGIN"]
    if not is_newer(program, source_of(case)):
        _compile(compiler + ["-g"] + case.get("build", ["-O1"]) + [source_of(case)] + libraries + case.get("link", []), program)
    return program


def _allow_cores():
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def wait_until_asleep(pid):
    """Until the process waits in pause(): it has said "ready" a moment before."""
    for _ in range(1000):
        with open(f"/proc/{pid}/syscall", encoding="ascii") as f:
            if f.read().split()[0] == "34":  # __NR_pause on x86-64
                return
        time.sleep(0.005)
    raise AssertionError("the program never came to rest")


def crash(command, folder, kill=None, env=None, timeout=60, root=None, stack_kib=None):
    """Runs command in a new folder below `folder` until it dies, and returns the path of its core.

    With root= the process sees that folder as its file system; `folder` lies in there, and the command's name is
    as the process sees it.
    """
    check_cores_possible()
    if env is None:  # meson sets MALLOC_PERTURB_, others may set more: programs die as they do elsewhere
        env = {name: value for name, value in os.environ.items()
               if name != "GLIBC_TUNABLES" and not name.startswith("MALLOC_")}
    where = tempfile.mkdtemp(dir=folder)

    def before():
        _allow_cores()
        for ignored in (signal.SIGINT, signal.SIGQUIT):  # by shells, in what runs in the background
            signal.signal(ignored, signal.SIG_DFL)
        if stack_kib:
            resource.setrlimit(resource.RLIMIT_STACK, (stack_kib * 1024, resource.RLIM_INFINITY))
        if root:
            os.chroot(root)
            os.chdir("/" + os.path.relpath(where, root))

    child = subprocess.Popen(command, cwd=where, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.DEVNULL, env=env, preexec_fn=before)
    try:
        if kill:
            assert child.stdout.readline().strip() == b"ready"
            wait_until_asleep(child.pid)
            os.kill(child.pid, getattr(signal, kill))
        child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        child.kill()
        child.communicate()
        raise
    left = os.listdir(where)
    cores = [n for n in left if n.startswith("core")] or [n for n in left if str(child.pid) in n]
    if child.returncode == 3:
        raise CannotHere(f"{os.path.basename(command[0])} says that this cannot be done here")
    if child.returncode >= 0:
        raise AssertionError(f"{command[0]} did not crash: exit {child.returncode}")
    if not cores:
        raise NoCores(f"{os.path.basename(command[0])} died of signal {-child.returncode} and left no core")
    return os.path.join(where, cores[0])


def cut(core, left):
    size = os.path.getsize(core)
    os.truncate(core, int(size * left) if left < 1 else int(left))


def make_core(case, programs, folder):
    """The core of a case, crashed for real and cut when the case wants it."""
    program = build(case, programs)
    core = crash([program] + case.get("run", []), folder, case.get("kill"), stack_kib=case.get("stack_kib"))
    if "cut" in case:
        cut(core, case["cut"])
    return program, core
