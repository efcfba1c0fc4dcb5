#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py INQUEST: crashes of real runtimes that have a handler for faults of their own. The fault that counts is
the one in their signal frames, if there was one at all. What is not installed is skipped; Go needs cgo."""
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import zoo  # noqa: E402

sys.path.insert(0, HERE)
import stacks  # noqa: E402

JAVA = """
import java.lang.reflect.Field;
public class Crash {
    static void poke(sun.misc.Unsafe unsafe) { unsafe.putAddress(0, 1); }
    public static void main(String[] arguments) throws Exception {
        Field field = sun.misc.Unsafe.class.getDeclaredField("theUnsafe");
        field.setAccessible(true);
        if (arguments.length > 0) {
            System.out.println("ready");
            Thread.sleep(100000);
        }
        poke((sun.misc.Unsafe) field.get(null));
    }
}
"""
GO = """
package main

/*
static void poke(volatile int *p) { p[4] = 1; }
static void crash(void) { poke(0); }
*/
import "C"
import "os"

type node struct {
	pad [8]int
	v   int
}

//go:noinline
func deref(n *node) int { return n.v }

func main() {
	if len(os.Args) > 1 {
		var n *node
		os.Exit(deref(n))
	}
	C.crash()
}
"""


class Wrong(Exception):
    pass


class Skip(Exception):
    pass


def limits():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def crash(folder, command, kill=None, **environment):
    """Runs a command until it is dead; the core it leaves."""
    child = subprocess.Popen(command, cwd=folder, preexec_fn=limits, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                             env={**os.environ, **environment})
    if kill:
        child.stdout.readline()
        time.sleep(0.1)
        child.send_signal(kill)
    child.communicate(timeout=120)
    cores = [f for f in os.listdir(folder) if f.startswith("core")]
    if len(cores) != 1:
        raise Wrong(f"{len(cores)} cores of {command[0]}, exit {child.returncode}")
    return os.path.join(folder, cores[0])


def triage(core, *arguments):
    done = subprocess.run([INQUEST, "triage", "--json", "--no-store", *arguments, core], stdout=subprocess.PIPE,
                          timeout=120)
    if done.returncode not in (0, 1, 4):
        raise Wrong(f"exit {done.returncode}")
    return json.loads(done.stdout)


def functions(report):
    return [f.get("function") or "?" for f in next(t for t in report["threads"] if t["crashed"])["frames"]]


def in_order(report, *names):
    have, at = functions(report), 0
    for name in names:
        found = [i for i in range(at, len(have)) if name in have[i]]
        if not found:
            raise Wrong(f"no {name} in order in {have}")
        at = found[0] + 1


def fault(report, **facts):
    have = report.get("fault") or {}
    for name, value in {"source": "signal-frame", "signal": "SIGSEGV", **facts}.items():
        if have.get(name) != value:
            raise Wrong(f"fault.{name} is {have.get(name)!r}, want {value!r}; {functions(report)[:16]}")


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            raise Skip(f"no {program}")


def engines_agree(core):
    """The two engines find the same frames, in every thread."""
    stacks = [[[(f["pc"], f["trust"]) for f in t["frames"]] for t in triage(core, "--stacks", "--engine", e)["threads"]]
              for e in ("libunwind", "dwfl")]
    different = [i for i, (a, b) in enumerate(zip(*stacks)) if a != b]
    if different:
        raise Wrong(f"the engines differ in threads {different[:5]}")


def faulthandler(folder):
    core = crash(folder, [sys.executable, "-X", "faulthandler", "-c", "import ctypes; ctypes.string_at(0)"])
    report = triage(core)
    fault(report, address="0x0", access="read")
    in_order(report, "raise", "str", "main")
    engines_agree(core)


def java_class(folder):
    need("java", "javac")
    with open(os.path.join(folder, "Crash.java"), "w", encoding="ascii") as f:
        f.write(JAVA)
    subprocess.run(["javac", "Crash.java"], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    return ["java", "-Xmx64m", "-cp", ".", "Crash"]


def java(folder):
    core = crash(folder, java_class(folder))
    report = triage(core)
    if report["signal"]["name"] != "SIGABRT":
        raise Wrong(f"signal {report['signal']}")
    fault(report, address="0x0", access="write")
    in_order(report, "abort", "Unsafe_Put", "JavaMain", "start_thread")
    runtime(report, "jvm")
    engines_agree(core)


def java_killed(folder):
    """The JVM takes a SIGSEGV that was sent for a fault; it is none."""
    report = triage(crash(folder, [*java_class(folder), "wait"], kill=signal.SIGSEGV))
    if (report.get("fault") or {}).get("address"):
        raise Wrong(f"a fault where there was none: {report['fault']}")


def go_program(folder, source=GO):
    need("go", "cc")
    for name, text in {"main.go": source, "go.mod": "module crash\n\ngo 1.19\n"}.items():
        with open(os.path.join(folder, name), "w", encoding="ascii") as f:
            f.write(text)
    done = subprocess.run(["go", "build", "-o", "program", "."], cwd=folder, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE,
                          env={**os.environ, "CGO_ENABLED": "1", "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local",
                               "GOCACHE": os.path.join(tempfile.gettempdir(), "inquest-gocache")})
    if done.returncode:
        raise Skip(f"go build: {done.stderr[:200]!r}")
    return os.path.join(folder, "program")


def go_c_code(folder):
    core = crash(folder, [go_program(folder)], GOTRACEBACK="crash")
    report = triage(core)
    fault(report, address="0x10", access="write")
    frames = next(t for t in report["threads"] if t["crashed"])["frames"]
    kinds = [f["kind"] for f in frames]
    if kinds.count("signal") < 2 or kinds.index("signal") == report["fault"]["frame"] - 1:
        raise Wrong(f"the innermost signal frame should be SIGABRT's: {functions(report)}")
    in_order(report, "raise", "sigtramp", "sighandler", "crash", "asmcgocall")
    go = subprocess.run(["go", "version"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()[2]
    runtime(report, "go", go[2:])
    engines_agree(core)


def go_nil(folder):
    """sigpanic() seems to be called by the instruction that failed: the first one of deref()."""
    core = crash(folder, [go_program(folder), "nil"], GOTRACEBACK="crash")
    report = triage(core)
    if (report.get("fault") or {}).get("address"):
        raise Wrong(f"no signal frame of the fault is left: {report['fault']}")
    in_order(report, "gopanic", "sigpanic", "main.deref", "main.main", "runtime.main")
    engines_agree(core)


def runtime(report, name, version=None):
    """What the report says of one runtime; its version begins with `version`."""
    found = [r for r in report.get("runtimes") or [] if r["name"] == name]
    if not found or not found[0]["message_in"]:
        raise Wrong(f"no {name} in {report.get('runtimes')}, {(report.get('unknown') or {}).get('runtimes')}")
    if version and not (found[0].get("version") or "").startswith(version):
        raise Wrong(f"{name} {found[0].get('version')}, want {version}")


STEAL = """package main
/*
#define _GNU_SOURCE
#include <signal.h>
static void steal(void)
{
    struct sigaction action;
    sigaction(SIGUSR1, 0, &action);
    action.sa_flags &= ~SA_ONSTACK;
    sigaction(SIGUSR1, &action, 0);
}
*/
import "C"
import "syscall"

func main() {
    C.steal()
    syscall.Kill(syscall.Getpid(), syscall.SIGUSR1)
    select {}
}
"""


def go_wrong_stack(folder):
    """C code took SA_ONSTACK off Go's handler: the next signal comes in on a goroutine's stack."""
    core = crash(folder, [go_program(folder, STEAL)], GOTRACEBACK="crash")
    first = triage(core)["verdicts"][0]
    if (first["signature"], first["grade"]) != ("cgo-altstack", "proven"):
        raise Wrong(f"first verdict {first['signature']} {first['grade']}")


def which_runtimes(folder):
    """Each is told by what it is, under another name, and nothing else is."""
    import platform
    commands = {"python": [sys.executable, "-c", "import os; os.abort()"],
                "node": ["node", "-e", "process.abort()"], "perl": ["perl", "-e", "kill ABRT, $$"],
                "ruby": ["ruby", "-e", "Process.kill(:ABRT, $$)"]}
    seen = []
    for name, command in commands.items():
        if not shutil.which(command[0]):
            continue
        where = os.path.join(folder, name)
        os.mkdir(where)
        other = os.path.join(where, "other-name")
        shutil.copy(os.path.realpath(shutil.which(command[0])), other)
        environment = {"PYTHONHOME": sys.base_prefix} if name == "python" else {}
        report = triage(crash(where, [other] + command[1:], **environment))
        runtime(report, name, platform.python_version() if name == "python" else None)
        others = [r["name"] for r in report["runtimes"] if r["name"] != name]
        if others:
            raise Wrong(f"{others} in {name}")
        seen.append(name)
    if not seen:
        raise Skip("none is installed")


def rust(folder):
    need("rustc")
    with open(os.path.join(folder, "panics.rs"), "w", encoding="ascii") as f:
        f.write('fn main() { let n: Vec<u8> = std::env::args().map(|_| 1).collect(); println!("{}", n[7]); }')
    done = subprocess.run(["rustc", "-C", "panic=abort", "panics.rs", "-o", "program"], cwd=folder,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    if done.returncode:
        raise Skip(f"rustc: {done.stderr[:200]!r}")
    version = subprocess.run(["rustc", "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout.split()[1]
    runtime(triage(crash(folder, ["./program"])), "rust", version)


def python_finalizing(folder):
    """A crash inside Py_FinalizeEx(), and the same crash before it."""
    crashing = "import ctypes\nclass Late:\n    def __del__(self): ctypes.string_at(0)\nlate = Late()\n"
    for name, code, want in (("at", "", True), ("before", "del late\n", False)):
        where = os.path.join(folder, name)
        os.mkdir(where)
        report = triage(crash(where, [sys.executable, "-c", crashing + code]))
        have = (report.get("state") or {}).get("finalizing"), (report.get("python") or {}).get("finalizing")
        if have != (want, want):
            raise Wrong(f"finalizing {name}: {have}, {report.get('unknown')}")


def crashed(report):
    return next(t for t in report["threads"] if t["crashed"])


def overflow(report, verdict, **facts):
    """The stack of the crashing thread, and the answer."""
    stack = crashed(report).get("stack") or {}
    for name, value in {"overflow": True, "source": "pthread", **facts}.items():
        if stack.get(name) != value:
            raise Wrong(f"stack.{name} is {stack.get(name)!r}, want {value!r}: {stack} {functions(report)[:8]}")
    first = report["verdicts"][0] if report["verdicts"] else {}
    if (first.get("signature"), first.get("grade")) != (verdict, "proven"):
        raise Wrong(f"verdict {first.get('signature')} {first.get('grade')}, want {verdict}")


def bounds(report, folder):
    """To the page, as pthread_getattr_np() has them. A JVM's zones at the low end of its threads' stacks may not be
    used: they are guard."""
    stack, (low, size) = crashed(report)["stack"], stacks.said(folder)
    end = int(stack["start"], 16) + stack["size_bytes"]
    if end != low + size or int(stack["start"], 16) - low not in (0, *range(4096, 256 << 10, 4096)):
        raise Wrong(f"stack {stack['start']} + {stack['size_bytes']}, the thread itself says {low:#x} + {size}")
    if int(stack["guard_start"], 16) > low:
        raise Wrong(f"guard {stack['guard_start']}, the stack begins at {low:#x}")


def java_recursion(folder):
    """No room for the signal's frame: no address, no hs_err file, no line in the kernel's log."""
    core = crash(folder, [*stacks.build_java(folder, Skip), "recurse", "512"])
    report = triage(core)
    if report["signal"]["code_name"] != "SI_KERNEL":
        raise Wrong(f"signal {report['signal']}")
    overflow(report, "stack-overflow-recursion", overflow_kind="recursion", made_by="java")
    fault(report, source="registers", reason="undeliverable-signal", access="write", address_class="stack-guard")
    if report["fault"]["at"]["kind"] != "stack-guard" or report["fault"]["at"]["thread"] != crashed(report)["tid"]:
        raise Wrong(f"at {report['fault']['at']}")
    bounds(report, folder)
    in_order(report, "level", "level")


def java_big_frame(folder):
    core = crash(folder, [*stacks.build_java(folder, Skip), "big", "512"])
    report = triage(core)
    overflow(report, "jvm-thread-xss", overflow_kind="big-frame")
    if "-Xss4m" not in json.dumps(report["verdicts"][0]["fix"]):
        raise Wrong(f"fix {report['verdicts'][0]['fix']}")
    frame = crashed(report)["stack"]["biggest_frame"]
    if frame["function"] != "big_frame" or abs(frame["bytes"] - (3 << 20)) > 4096:
        raise Wrong(f"frame {frame}")
    bounds(report, folder)


def python_lu(folder):
    """dgetrf_parallel() of OpenBLAS calls itself, with more than 512 KiB a level (NUM_THREADS of 64)."""
    python = stacks.scipy_python()
    if not python:
        raise Skip("no Python with scipy (INQUEST_SCIPY_PYTHON names one)")
    with open(os.path.join(folder, "lu.py"), "w", encoding="ascii") as f:
        f.write(stacks.LU)
    for kib, size in ((256, "256 KiB"), (512, "512 KiB"), (1024, "1 MiB"), (2048, "2 MiB")):
        for left in os.listdir(folder):
            if left.startswith("core"):
                os.unlink(os.path.join(folder, left))
        try:
            core = crash(folder, [python, "lu.py", str(kib)], OPENBLAS_NUM_THREADS="2")
        except Wrong as why:
            raise Skip(f"LU in {size} did not crash: another BLAS, or one built for few threads ({why})") from None
        report = triage(core)
        overflow(report, "openblas-getrf-stack", overflow_kind="big-frame", size=size, size_bytes=kib * 1024,
                 made_by="python")
        frame = crashed(report)["stack"]["biggest_frame"]
        if "getrf_parallel" not in frame["function"] or not frame["size"].startswith("528."):
            raise Wrong(f"frame {frame}")
        if kib == 2048 and frame["levels"] < 3:
            raise Wrong(f"levels {frame['levels']}")
        cause = report["verdicts"][0]["cause"]
        for words in (f"had a stack of {size}", "getrf_parallel", f"needs {frame['size']} a level",
                      "did not crash"):
            if words not in cause:
                raise Wrong(f"the cause does not say {words!r}: {cause}")
        if "threading.stack_size" not in json.dumps(report["verdicts"][0]["fix"]):
            raise Wrong("the fix does not name threading.stack_size()")
        fault(report, source="registers", access="write")
        if report["fault"]["address_class"] not in ("stack-near", "stack-guard", "unmapped"):  # as chance has mapped it
            raise Wrong(f"class {report['fault']['address_class']}")
    os.unlink(core)
    # with a handler, whose frame finds no room: no address from the kernel
    report = triage(crash(folder, [python, "-X", "faulthandler", "lu.py", "512"], OPENBLAS_NUM_THREADS="2"))
    overflow(report, "openblas-getrf-stack", size="512 KiB", made_by="python")
    fault(report, source="registers", reason="undeliverable-signal", access="write")
    if report["signal"]["code_name"] != "SI_KERNEL" or report["fault"]["error_code"]["value"] != 6:
        raise Wrong(f"{report['signal']} {report['fault']['error_code']}")


INQUEST = ""


def main():
    global INQUEST
    INQUEST = os.path.abspath(sys.argv[1])
    try:
        zoo.check_cores_possible()
    except zoo.NoCores as why:
        print(f"skipped: {why}")
        return 77
    failed = passed = 0
    for test in (faulthandler, java, java_killed, java_recursion, java_big_frame, go_c_code, go_nil, go_wrong_stack,
                 which_runtimes, rust, python_finalizing, python_lu):
        if len(sys.argv) > 2 and test.__name__ not in sys.argv[2:]:
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                test(folder)
                passed += 1
                print(f"ok   {test.__name__}")
            except Skip as why:
                print(f"skipped: {test.__name__}: {why}")
            except (Wrong, KeyError, TypeError) as error:
                print(f"FAIL {test.__name__}: {type(error).__name__}: {error}")
                failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0 if passed else 77


if __name__ == "__main__":
    sys.exit(main())
