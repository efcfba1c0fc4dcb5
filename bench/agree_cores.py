#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""agree_cores.py FOLDER: makes the cores that agree.py compares: the zoo's, and those of real runtimes and programs.

Writes FOLDER/cores.json, a list of {name, core, program}. What this machine lacks is left out, with the reason.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TOP, "tests", "support"))
import zoo  # noqa: E402

PYTHON_THREADS = """
import ctypes, threading, time
for i in range(5):
    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
def inner():
    ctypes.string_at(16)
time.sleep(0.2)
inner()
"""

JAVA = """
import java.lang.reflect.Field;
public class Crash {
    static void write(sun.misc.Unsafe unsafe) { unsafe.putAddress(8L, 1L); }
    public static void main(String[] arguments) throws Exception {
        Field field = sun.misc.Unsafe.class.getDeclaredField("theUnsafe");
        field.setAccessible(true);
        if (arguments.length > 0) { System.out.println("ready"); Thread.sleep(1000000); }
        write((sun.misc.Unsafe) field.get(null));
    }
}
"""

GO_CGO = """
package main
// static int poke(int *p) { *p = 1; return 0; }
import "C"
func inner() { C.poke(nil) }
func main() { inner() }
"""

GO_NIL = """
package main
type node struct { next *node; value int }
//go:noinline
func walk(n *node) int { return n.next.value }
func main() { go func() { select {} }(); println(walk(&node{})) }
"""

RUST_PANIC = """
#[inline(never)]
fn third(v: &[u32], at: usize) -> u32 { v[at] }
fn main() { let v = vec![1, 2, 3]; println!("{}", third(&v, std::env::args().count() + 7)); }
"""

RUST_NULL = """
#[inline(never)]
fn read(p: *const u32) -> u32 { unsafe { std::ptr::read_volatile(p) } }
fn main() { std::thread::spawn(|| println!("{}", read(std::ptr::null()))).join().unwrap(); }
"""

CXX_THROW = """
#include <stdexcept>
#include <string>
#include <vector>
struct Guard { std::vector<int> v{1, 2}; ~Guard() { v.clear(); } };
__attribute__((noinline)) static int parse(const std::string &text) {
    Guard guard; if (text.empty()) throw std::runtime_error("no text"); return (int)text.size(); }
int main(int argc, char **) noexcept { return parse(argc > 5 ? "x" : ""); }
"""

CXX_CATCH = """
#include <map>
#include <stdexcept>
#include <string>
__attribute__((noinline)) static int use(const std::map<std::string, int *> &m) {
    int sum = 0; for (auto &e : m) sum += *e.second; return sum; }
__attribute__((noinline)) static int again(int depth) {
    try { if (depth == 0) throw std::out_of_range("deep"); return again(depth - 1) + 1; }
    catch (const std::out_of_range &) { std::map<std::string, int *> m{{"a", nullptr}}; return use(m); } }
int main() { return again(4); }
"""

TAIL_CALLS = """
#include <stdlib.h>
typedef int walk(volatile int *p, int n);
walk one, two, three;
__attribute__((noinline)) int three(volatile int *p, int n) { return p[n]; }
__attribute__((noinline)) int two(volatile int *p, int n) { return three(p, n + 1); }
__attribute__((noinline)) int one(volatile int *p, int n) { return two(p, n * 2); }
__attribute__((noinline)) static int keep(volatile int *p) { int r = one(p, 3); return r + 1; }
int main(void) { return keep(NULL) + 2; }
"""

NORETURN = """
#include <stdlib.h>
__attribute__((noinline, noreturn)) static void give_up(int code) { if (code) abort(); for (;;) ; }
__attribute__((noinline, noreturn)) static void fail(int code) { give_up(code + 1); }
__attribute__((noinline)) int next_function(int x) { return x * 3; }
int main(int argc, char **argv) { (void)argv; if (argc) fail(argc); return next_function(argc); }
"""

ALTSTACK = """
#include <signal.h>
#include <stdlib.h>
static char stack[65536];
static volatile int *none;
static void handler(int s) { (void)s; *none = 1; }
__attribute__((noinline)) static void poke(void) { *(volatile int *)16 = 2; }
int main(void) {
    stack_t alt = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction sa = {.sa_handler = handler, .sa_flags = SA_ONSTACK | SA_NODEFER | SA_RESETHAND};
    sigaltstack(&alt, NULL); sigaction(SIGSEGV, &sa, NULL); poke(); return 0; }
"""

RERAISE = """
#include <signal.h>
static void handler(int s) { signal(s, SIG_DFL); raise(s); }
__attribute__((noinline)) static void poke(void) { *(volatile int *)16 = 2; }
int main(void) { signal(SIGSEGV, handler); poke(); return 0; }
"""

QSORT = """
#include <stdlib.h>
static int compare(const void *a, const void *b) { return *(volatile int *)((long)a & (long)b & 0xff) ? 1 : -1; }
int main(void) { int v[64] = {3, 2, 1}; qsort(v, 64, sizeof *v, compare); return v[0]; }
"""

VLA = """
#include <alloca.h>
#include <string.h>
__attribute__((noinline)) static int use(volatile int *p) { return *p; }
__attribute__((noinline)) static int work(int n) {
    char *room = alloca((size_t)n * 100); memset(room, 1, 10); return use((int *)(long)n) + room[3]; }
int main(int argc, char **argv) { (void)argv; return work(argc); }
"""


class Skip(Exception):
    """This core cannot be made here; the text says why."""


class Maker:
    def __init__(self, folder):
        self.folder, self.cores = folder, []

    def path(self, name):
        return os.path.join(self.folder, name)

    def source(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as f:
            f.write(text)
        return self.path(name)

    def run(self, *command, **options):
        if not shutil.which(command[0]):
            raise Skip(f"no {command[0]} here")
        done = subprocess.run(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=300, **options)
        if done.returncode:
            raise Skip(f"{command[0]}: {done.stdout.strip()[-150:]}")

    def add(self, name, command, program=None, kill=None, env=None):
        """Runs the command until it dies; with kill= by that signal once it sleeps."""
        program = program or shutil.which(command[0]) or command[0]
        if not os.path.exists(program):
            raise Skip(f"no {command[0]} here")
        if not kill:
            core = zoo.crash(command, self.folder, env={**os.environ, **(env or {})})
        else:
            core = self._killed(command, kill)
        self.cores.append({"name": name, "core": core, "program": os.path.realpath(program)})

    def _killed(self, command, kill):
        where = self.path(f"killed-{len(self.cores)}")
        os.makedirs(where)
        child = subprocess.Popen(command, cwd=where, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, preexec_fn=zoo._allow_cores)
        time.sleep(1.5)
        child.send_signal(getattr(signal, kill))
        child.wait(60)
        child.stdin.close()
        left = os.listdir(where)
        cores = [n for n in left if n.startswith("core")]
        if not cores:
            raise Skip(f"{command[0]} left no core")
        return os.path.join(where, cores[0])

    def compiled(self, name, text, *options, compiler="cc", suffix=".c", env=None):
        source = self.source(name + suffix, text)
        self.run(*compiler.split(), "-g", source, "-o", self.path(name), *options)
        self.add(name, [self.path(name)], env=env)


def make_zoo(maker):
    for case in zoo.load_cases():
        if "cut" in case:
            continue
        program, core = zoo.make_core(case, maker.path("zoo"), maker.folder)
        maker.cores.append({"name": "zoo/" + case["id"], "core": core, "program": program})


def c_programs(maker):
    for name, text, options in (
            ("tail-calls", TAIL_CALLS, ["-O2"]), ("noreturn", NORETURN, ["-O2"]), ("altstack", ALTSTACK, ["-O1"]),
            ("reraise", RERAISE, ["-O1"]), ("qsort", QSORT, ["-O1"]), ("alloca", VLA, ["-O2"])):
        yield lambda n=name, t=text, o=options: maker.compiled(n, t, *o)
    read = open(os.path.join(zoo.ZOO, "null_read_field.c"), encoding="ascii").read()
    threads = open(os.path.join(zoo.ZOO, "four_threads.c"), encoding="ascii").read()
    idle = open(os.path.join(TOP, "tests", "userland", "idle64.c"), encoding="ascii").read()
    for name, text, options, compiler in (
            ("o3-omit", read, ["-O3", "-fomit-frame-pointer"], "cc"), ("o0", read, ["-O0"], "cc"),
            ("clang-o2", read, ["-O2"], "clang"), ("clang-threads", threads, ["-O2", "-pthread"], "clang"),
            ("static", read, ["-O1", "-static"], "cc"), ("static-threads", threads, ["-O1", "-static", "-pthread"], "cc"),
            ("idle64", idle, ["-O1", "-pthread"], "cc"),
            ("no-cfi", read, ["-O1", "-fno-asynchronous-unwind-tables", "-fno-omit-frame-pointer"], "cc"),
            ("debug-frame", read, ["-O1", "-fno-asynchronous-unwind-tables"], "cc"),
            ("musl", read, ["-O1", "-Wl,--build-id"], "musl-gcc"),
            ("musl-threads", threads, ["-O1", "-pthread", "-Wl,--build-id"], "musl-gcc"),
            ("musl-static", read, ["-O1", "-static", "-Wl,--build-id"], "musl-gcc")):
        yield lambda n=name, t=text, o=options, c=compiler: maker.compiled(n, t, *o, compiler=c)


def runtimes(maker):
    yield lambda: maker.add("python-threads", ["/usr/bin/python3", "-c", PYTHON_THREADS])
    yield lambda: maker.add("python-faulthandler", ["/usr/bin/python3", "-X", "faulthandler", "-c", PYTHON_THREADS])
    yield lambda: maker.add("python-sleeps", ["/usr/bin/python3", "-c", "import time; time.sleep(1000)"], kill="SIGQUIT")

    def java(name, *arguments, kill=None):
        if not os.path.exists(maker.path("Crash.class")):
            maker.source("Crash.java", JAVA)
            maker.run("javac", "Crash.java")
        maker.add(name, ["java", "-Xmx64m", "-XX:+CreateCoredumpOnCrash", "-cp", maker.folder, "Crash", *arguments],
                  kill=kill)
    yield lambda: java("jvm-unsafe")
    yield lambda: java("jvm-sleeps", "wait", kill="SIGABRT")

    def go(name, text, **env):
        maker.source(name + ".go", text)
        maker.run("go", "build", "-o", maker.path(name), name + ".go",
                  env={**os.environ, "GO111MODULE": "off", "GOFLAGS": "-p=1"})
        maker.add(name, [maker.path(name)], env={"GOTRACEBACK": "crash", **env})
    yield lambda: go("go-cgo", GO_CGO)
    yield lambda: go("go-nil", GO_NIL)

    def rust(name, text, *options):
        maker.run("rustc", "-g", *options, "-o", maker.path(name), maker.source(name.replace("-", "_") + ".rs", text))
        maker.add(name, [maker.path(name)])
    yield lambda: rust("rust-panic-abort", RUST_PANIC, "-O", "-C", "panic=abort")
    yield lambda: rust("rust-null", RUST_NULL)
    yield lambda: maker.compiled("cxx-throw", CXX_THROW, "-O2", compiler="g++", suffix=".cc")
    yield lambda: maker.compiled("cxx-catch", CXX_CATCH, "-O2", compiler="g++", suffix=".cc")
    yield lambda: maker.compiled("cxx-o3-lto", CXX_CATCH, "-O3", "-flto", compiler="g++", suffix=".cc")
    yield lambda: maker.add("node-abort", ["node", "-e", "setTimeout(() => process.abort(), 300)"])
    yield lambda: maker.add("node-waits", ["node", "-e", "setTimeout(() => 0, 1000000)"], kill="SIGSEGV")


def programs(maker):
    for name, command, kill in (
            ("bash", ["bash", "-c", "read x"], "SIGSEGV"), ("perl", ["perl", "-e", "sleep 1000"], "SIGABRT"),
            ("sleep", ["sleep", "1000"], "SIGBUS"), ("cat", ["cat"], "SIGILL"), ("sort", ["sort", "--parallel=2"], "SIGSEGV"),
            ("gdb", ["gdb", "-nx"], "SIGABRT"), ("awk", ["awk", "{print}"], "SIGQUIT")):
        yield lambda n=name, c=command, k=kill: maker.add(n, c, kill=k)

    def gcore():
        child = subprocess.Popen(
            ["/usr/bin/python3", "-c", "import threading, time\n"
             "threading.Thread(target=time.sleep, args=(100,), daemon=True).start()\ntime.sleep(100)"])
        try:
            time.sleep(0.7)
            maker.run("gdb", "-nx", "-batch", "-p", str(child.pid), "-ex", "generate-core-file " + maker.path("gcore"))
        finally:
            child.kill()
            child.wait()
        maker.cores.append({"name": "gcore-python", "core": maker.path("gcore"),
                            "program": os.path.realpath("/usr/bin/python3")})
    yield gcore


def main():
    folder = os.path.abspath(sys.argv[1])
    os.makedirs(os.path.join(folder, "zoo"), exist_ok=True)
    maker = Maker(folder)
    make_zoo(maker)
    for group in (c_programs, runtimes, programs):
        for make in group(maker):
            try:
                make()
            except (Skip, zoo.NoCores, AssertionError, subprocess.TimeoutExpired) as why:
                print(f"left out: {why}")
    with open(os.path.join(folder, "cores.json"), "w", encoding="utf-8") as f:
        json.dump(maker.cores, f, indent=1)
    print(f"{len(maker.cores)} cores")


if __name__ == "__main__":
    main()
