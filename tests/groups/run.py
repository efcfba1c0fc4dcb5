#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py INQUEST FOLDER: group keys of real crashes. One program crashes under different circumstances; which of
them must give the same `group.bug` and `group.exact`, and which must not, stands beside each."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import zoo  # noqa: E402

# argv[1]: what to do; argv[2]: how many threads stand around, in front of the one that crashes or behind it
SOURCE = r"""
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef OTHER_BUILD
int padding(int x) { return x * 3 + 1; } /* moves all that follows */
#endif

static char *volatile nowhere;
static volatile int depth;
static volatile long seven = 7;

__attribute__((noinline)) static void copy_from(size_t size)
{
    static char to[8192];
    memcpy(to, nowhere, size); /* which memcpy that is, the CPU decides */
    depth += to[0];
}
__attribute__((noinline)) static int descend(int n)
{
    volatile char room[512];
    room[n & 511] = (char)n;
    return descend(n + 1) + room[7];
}
static int odd(int n);
__attribute__((noinline)) static int even(int n)
{
    char room[300];
    snprintf(room, sizeof(room), "%d", n); /* at times the stack ends in here */
    return odd(n + room[0]) + room[1];
}
__attribute__((noinline)) static int odd(int n)
{
    volatile char room[700];
    room[n & 511] = (char)n;
    return even(n + 1) + room[7];
}
__attribute__((noinline)) static void at_exit(void) { free((void *)seven); }
__attribute__((noinline)) static void give_up(void *at)
{
    fprintf(stderr, "at %p\n", at);
    abort();
}
__attribute__((noinline)) static void write_to(int *p) { *p = 1; }

static void *crash(void *what)
{
    const char *how = what;
    if (strcmp(how, "copy") == 0)
        copy_from(4096);
    if (strcmp(how, "recurse") == 0)
        depth = descend(0);
    if (strcmp(how, "alternate") == 0)
        depth = depth ? even(0) : odd(0);
    if (strcmp(how, "abort") == 0)
        give_up(what);
    if (strcmp(how, "exit") == 0) {
        atexit(at_exit);
        exit(0);
    }
    write_to((int *)(long)depth);
    return NULL;
}

static void *wait_for_ever(void *unused)
{
    for (;;)
        pause();
    return unused;
}

int main(int argc, char **argv)
{
    int before = argc > 2 ? atoi(argv[2]) : 0, after = argc > 3 ? atoi(argv[3]) : 0;
    pthread_t thread;
    for (int i = 0; i < before; i++)
        pthread_create(&thread, NULL, wait_for_ever, NULL);
    if (before + after == 0)
        crash(argv[1]);
    pthread_create(&thread, NULL, crash, argv[1]);
    for (int i = 0; i < after; i++)
        pthread_create(&thread, NULL, wait_for_ever, NULL);
    pthread_join(thread, NULL);
    return 0;
}
"""


class Lab:
    def __init__(self, inquest, folder):
        self.inquest, self.folder, self.problems, self.count = inquest, folder, 0, 0

    def build(self, name, *options):
        where = os.path.join(self.folder, name)
        os.makedirs(where)
        source, program = os.path.join(where, "victim.c"), os.path.join(where, "victim")
        with open(source, "w", encoding="ascii") as f:
            f.write(SOURCE)
        subprocess.run([os.environ.get("CC", "cc").split()[0], "-g", *options, source, "-o", program, "-pthread"],
                       check=True)
        return program

    def group(self, program, *arguments, env=None):
        core = zoo.crash([program, *arguments], self.folder, env=dict(os.environ, **env) if env else None)
        done = subprocess.run([self.inquest, "triage", "--json", "--no-store", core], stdout=subprocess.PIPE,
                              timeout=120)
        report = json.loads(done.stdout)
        shutil.rmtree(os.path.dirname(core), ignore_errors=True)
        text = json.dumps(report["group"])
        for thread in report["threads"]:
            for frame in thread["frames"]:
                if frame["pc"][2:] in text:
                    self.complain("an address is in the key", report["group"], report["group"])
        return report["group"]

    def complain(self, what, one, other):
        self.problems += 1
        print(f"FAIL {what}\n     {one['title']} {one['frames']}\n     {other['title']} {other['frames']}")

    def expect(self, what, one, other, bug, exact):
        self.count += 1
        if (one["bug"] == other["bug"]) != bug:
            self.complain(f"{what}: bug is {'not ' if bug else ''}the same", one, other)
        elif (one["exact"] == other["exact"]) != exact:
            self.complain(f"{what}: exact is {'not ' if exact else ''}the same", one, other)
        else:
            print(f"ok   {what}")


def main():
    try:
        zoo.check_cores_possible()
    except zoo.NoCores as why:
        print(f"skipped: {why}")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(os.path.abspath(sys.argv[1]), folder)
        one, other = lab.build("one", "-O1"), lab.build("other", "-O1", "-DOTHER_BUILD")
        copied = os.path.join(folder, "elsewhere-1.2")
        os.makedirs(copied)
        copied = shutil.copy(one, os.path.join(copied, "victim"))
        for how in ("write", "copy", "recurse", "abort", "exit"):
            base = lab.group(one, how)
            lab.expect(f"{how}: again, loaded elsewhere", base, lab.group(one, how), True, True)
            lab.expect(f"{how}: the program lies in another folder", base, lab.group(copied, how), True, True)
            lab.expect(f"{how}: another build", base, lab.group(other, how), True, False)
            first = lab.group(one, how, "0", "3")
            lab.expect(f"{how}: other threads were started before", first, lab.group(one, how, "3", "0"), True, True)
        for how in ("recurse", "alternate"):  # where the stack begins is drawn by lot, and so where it ends
            groups = [lab.group(one, how, env={"PADDING": "x" * (n * 37)}) for n in range(8)]
            for other_group in groups[1:]:
                lab.expect(f"{how}: with another environment", groups[0], other_group, True, True)
        lab.expect("copy: a CPU without AVX", lab.group(one, "copy"),
                   lab.group(one, "copy", env={"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-AVX512F,-AVX512VL,-ERMS,"
                                                                 "-AVX_Fast_Unaligned_Load"}), True, True)
        lab.expect("two bugs of one program", lab.group(one, "write"), lab.group(one, "copy"), False, False)
        for how, tag in (("exit", "free"), ("recurse", "descend"), ("abort", "give_up"), ("write", "write_to")):
            group = lab.group(one, how)
            place = {"exit": "at_exit"}.get(how, tag)
            if not group["frames"][0].endswith("!" + place):
                lab.complain(f"{how}: the first frame is not {place}", group, group)
        print(f"{lab.count} pairs, {lab.problems} problems")
        return 1 if lab.problems else 0


if __name__ == "__main__":
    sys.exit(main())
