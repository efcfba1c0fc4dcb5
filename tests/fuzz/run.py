#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py TARGET SECONDS [LIBFUZZER-OPTION...]: builds the fuzz target with clang (once, beside the build that
INQ_BUILD_ROOT names) and runs it on the kept seeds. What it finds is kept in BUILD/fuzz/artifacts-TARGET; the
corpus it grows in BUILD/fuzz/corpus-TARGET. Exit 77, saying why, when this machine cannot fuzz."""
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
BUILD = os.path.join(os.environ.get("INQ_BUILD_ROOT", os.path.join(TOP, "build")), "fuzz")
DICTIONARY = {"core": "elf", "stream": "elf", "rules": "rules", "evidence": "evidence", "klog": "klog"}
MAX_BYTES = {"core": 65536, "stream": 65536, "rules": 8192, "evidence": 32768, "klog": 8192}


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def find_compiler():
    for name in ("clang-14", "clang"):
        if not shutil.which(name):
            continue
        runtime = subprocess.run([name, "-print-file-name=libclang_rt.fuzzer-x86_64.a"], capture_output=True,
                                 text=True).stdout.strip()
        resources = subprocess.run([name, "-print-resource-dir"], capture_output=True, text=True).stdout.strip()
        if os.path.exists(runtime) or any(
                file.startswith("libclang_rt.fuzzer") for _, _, files in os.walk(resources) for file in files):
            return name
        skip(f"{name} has no fuzzer runtime (Debian: libclang-rt-14-dev)")
    return skip("no clang")


def build(target):
    compiler = find_compiler()
    if not os.path.exists(os.path.join(BUILD, "build.ninja")):
        subprocess.run(["meson", "setup", BUILD, TOP, "-Dfuzz=true", "-Db_lundef=false"], check=True,
                       env=dict(os.environ, CC=compiler), stdout=subprocess.DEVNULL)
    program = f"tests/fuzz/fuzz-{target}"
    done = subprocess.run(["ninja", "-C", BUILD, program], capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return os.path.join(BUILD, program)


def unpack_seeds(target, folder):
    """libFuzzer wants the seeds as they are; the kept ones are compressed."""
    os.makedirs(folder, exist_ok=True)
    seeds = os.path.join(HERE, "seeds", target)
    for name in sorted(os.listdir(seeds)):
        to = os.path.join(folder, name.removesuffix(".zst"))
        if name.endswith(".zst"):
            subprocess.run(["zstd", "-qdf", os.path.join(seeds, name), "-o", to], check=True)
        else:
            shutil.copyfile(os.path.join(seeds, name), to)


def main():
    target, seconds = sys.argv[1], sys.argv[2]
    if not shutil.which("zstd"):
        skip("no zstd, which unpacks the seeds")
    program = build(target)
    seeds, corpus = os.path.join(BUILD, "seeds-" + target), os.path.join(BUILD, "corpus-" + target)
    artifacts = os.path.join(BUILD, "artifacts-" + target)
    unpack_seeds(target, seeds)
    os.makedirs(corpus, exist_ok=True)
    os.makedirs(artifacts, exist_ok=True)
    return subprocess.run([
        program, f"-max_total_time={seconds}", "-rss_limit_mb=2048", "-timeout=10", "-report_slow_units=1",
        f"-max_len={MAX_BYTES[target]}", f"-dict={HERE}/{DICTIONARY[target]}.dict", f"-artifact_prefix={artifacts}/",
        "-print_final_stats=1", *sys.argv[3:], corpus, seeds]).returncode


if __name__ == "__main__":
    sys.exit(main())
