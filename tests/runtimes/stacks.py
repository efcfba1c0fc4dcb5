# SPDX-License-Identifier: Apache-2.0
"""Stacks that runtimes make for their threads, used up by native code: a JVM's through JNI, and Python's through
scipy's LU decomposition. The programs say themselves how large the stack is (pthread_getattr_np)."""
import glob
import os
import shutil
import subprocess

JAVA = """
public class Deep {
    static native void recurse();
    static native void bigFrame();
    static native void handled();
    public static void main(String[] arguments) throws Exception {
        System.load(System.getProperty("user.dir") + "/libdeep.so");
        Thread thread = new Thread(null, () -> {
            if (arguments[0].equals("recurse")) recurse(); else bigFrame();
        }, "deep", Long.parseLong(arguments[1]) * 1024);
        thread.start();
        thread.join();
    }
}
"""
NATIVE = """
#define _GNU_SOURCE
#include <jni.h>
#include <pthread.h>
#include <stdio.h>
static volatile char sink;
static void write_down(void)
{
    pthread_attr_t attr;
    void *start;
    size_t size;
    FILE *file = fopen("stack", "w");
    pthread_getattr_np(pthread_self(), &attr);
    pthread_attr_getstack(&attr, &start, &size);
    fprintf(file, "%lx %zu\\n", (unsigned long)start, size);
    fclose(file);
}
__attribute__((noinline)) int level(volatile char *outer, int n)
{
    volatile char room[1000];
    room[n % 1000] = *outer;
    return level(room, n + 1) + room[1];
}
__attribute__((noinline)) void big_frame(void)
{
    volatile char room[3 << 20];
    room[0] = 1;
    sink = room[1 << 20];
}
JNIEXPORT void JNICALL Java_Deep_recurse(JNIEnv *env, jclass class)
{
    char c = 0;
    write_down();
    sink = (char)level(&c, 0);
}
JNIEXPORT void JNICALL Java_Deep_bigFrame(JNIEnv *env, jclass class)
{
    write_down();
    big_frame();
    sink = 2;
}
"""
LU = """
import sys, threading
import numpy, scipy.linalg
def work():
    scipy.linalg.lu_factor(numpy.random.default_rng(1).random((200, 200)))
threading.stack_size(int(sys.argv[1]) * 1024)
thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


def java_home():
    """Of the first JDK with headers; None without one."""
    for header in sorted(glob.glob("/usr/lib/jvm/*/include/jni.h")):
        home = os.path.dirname(os.path.dirname(header))
        if os.path.exists(os.path.join(home, "bin", "javac")) and not os.path.islink(home):
            return home
    return None


def build_java(folder, skip):
    home = java_home()
    if not home or not shutil.which("cc"):
        raise skip("no JDK with jni.h, or no cc")
    for name, text in {"Deep.java": JAVA, "deep.c": NATIVE}.items():
        with open(os.path.join(folder, name), "w", encoding="ascii") as f:
            f.write(text)
    subprocess.run([home + "/bin/javac", "Deep.java"], cwd=folder, check=True)
    subprocess.run(["cc", "-O1", "-g", "-shared", "-fPIC", "-fno-optimize-sibling-calls", f"-I{home}/include",
                    f"-I{home}/include/linux", "deep.c", "-o", "libdeep.so"], cwd=folder, check=True)
    return [home + "/bin/java", "-Xmx64m", "-cp", ".", "Deep"]


def scipy_python():
    """An interpreter that has scipy with an OpenBLAS: INQUEST_SCIPY_PYTHON, else the distribution's; None without."""
    for python in (os.environ.get("INQUEST_SCIPY_PYTHON"), "/usr/bin/python3"):
        if python and subprocess.run([python, "-c", "import scipy.linalg"], stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL).returncode == 0:
            return python
    return None


def said(folder):
    """(lowest address, size) as the program wrote it down."""
    with open(os.path.join(folder, "stack"), encoding="ascii") as f:
        low, size = f.read().split()
    return int(low, 16), int(size)
