#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""real.py INQUEST FOLDER: Debian's OpenBLAS with 32-bit and with 64-bit integers, and its OpenJPEG three times, laid out as
wheels have them. Loaded RTLD_LOCAL no slot may be called foreign; RTLD_GLOBAL thousands must be, the right ones; and a
product that went to the BLAS with the other integers must be what the crash in there came of."""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "support"), HERE]
import zoo  # noqa: E402
import cases as duplicates  # noqa: E402

SYSTEM = "/usr/lib/x86_64-linux-gnu"
FIXTURES = os.path.join(zoo.TOP, "fixtures", "duplicates")
# laid out as: from Debian's file
LIBRARIES = {
    "numpy.libs/libscipy_openblas64_-fdde5778.so": "openblas64-pthread/libopenblas64.so.0",
    "scipy.libs/libscipy_openblas-6cdc3b4a.so": "openblas-pthread/libopenblas.so.0",
    "eccodeslib/lib64/libopenjp2.so.7": "libopenjp2.so.7",
    "rasterio.libs/libopenjp2-rasterio-a166e295.so.2.4.0": "libopenjp2.so.7",
    "pillow.libs/libopenjp2-94e588ba.so.2.5.4": "libopenjp2.so.7",
}
# extension: source, arguments, library
EXTENSIONS = {
    "numpy/np_core.so": ("blas_user.c", ["-DILP64"], "numpy.libs/libscipy_openblas64_-fdde5778.so"),
    "scipy/sp_linalg.so": ("blas_user.c", [], "scipy.libs/libscipy_openblas-6cdc3b4a.so"),
    "eccodes/ec_jpeg.so": ("image_user.c", ["-DPART=decode_grib"], "eccodeslib/lib64/libopenjp2.so.7"),
    "rasterio/ra_jpeg.so": ("image_user.c", ["-DPART=decode_raster"], "rasterio.libs/libopenjp2-rasterio-a166e295.so.2.4.0"),
    "PIL/pi_jpeg.so": ("image_user.c", ["-DPART=decode_picture"], "pillow.libs/libopenjp2-94e588ba.so.2.5.4"),
}


def another_build(path, number):
    """The same library as another build of it: build-id and soname (of the same length) are other ones."""
    notes = subprocess.run(["readelf", "-n", path], stdout=subprocess.PIPE, text=True, check=True).stdout
    build_id = bytes.fromhex(notes.split("Build ID:")[1].split()[0])
    with open(path, "r+b") as f:
        data = f.read()
        f.seek(data.index(build_id))
        f.write(bytes([number]) * 4)
        if b"\0libopenjp2.so.7\0" in data:
            f.seek(data.index(b"\0libopenjp2.so.7\0") + 1)
            f.write(b"libopenjp2-%d.so" % number)


def lay_out(folder):
    """The libraries under the wheels' names, and modules that want them by those names."""
    for number, (name, original) in enumerate(LIBRARIES.items()):
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        shutil.copyfile(os.path.join(SYSTEM, original), path)
        if number > 2:
            another_build(path, number)
    for name, (source, arguments, library) in EXTENSIONS.items():
        path, stub = os.path.join(folder, name), os.path.join(folder, "stub.so")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        # What is asked for at run time is the soname of what was linked: a stub has the wheel's.
        subprocess.run(["cc", "-shared", "-nostdlib", "-x", "c", "/dev/null", "-o", stub,
                        f"-Wl,-soname,{os.path.basename(library)}"], check=True)
        subprocess.run(["cc", "-g", "-O1", "-shared", "-fPIC", *arguments, os.path.join(FIXTURES, source), "-o", path,
                        "-Wl,--no-as-needed", stub, f"-Wl,-rpath,$ORIGIN/../{os.path.dirname(library)}"], check=True)


def crash(host, folder, mode, work, environment=None, multiply=True):
    steps = []
    for name in EXTENSIONS:
        steps.append(f"{mode}:{os.path.join(folder, name)}")
        if multiply and "linalg" in name:
            steps.append("call:multiply")
    return zoo.crash([host, *steps, "abort"], work, env={**os.environ, "OPENBLAS_NUM_THREADS": "2",
                                                         **(environment or {})})


def strong(report):
    return duplicates.below(report, "bindings.foreign.strong")


def no_blame(report):
    for verdict in report["verdicts"]:
        if verdict["grade"] in ("proven", "strong", "plausible") and verdict["signature"] != "abort-plain":
            yield f"blames {verdict['signature']}"


def check_local(report):
    if strong(report) != 0:
        yield f"{strong(report)} strong foreign slots, want 0"
    for family, copies in (("blas", 2), ("libopenjp2", 3)):
        found = [c for c in report["collisions"] if c.get("family") == family]
        if len(found) != 1 or len(found[0]["copies"]) != copies or found[0]["grade"] != "refuted":
            yield f"{family}: {found}"
    refuted = [v["signature"] for v in report["verdicts"] if v["grade"] == "refuted"]
    if not {"openblas-ilp64-lp64", "libopenjp2-dup"} <= set(refuted):
        yield f"refuted are only {refuted}"
    yield from no_blame(report)


def check_crossings(report, folder):
    """The slots of scipy's half that have numpy's BLAS, and no others."""
    paths = {os.path.join(folder, n): n for n in [*LIBRARIES, *EXTENSIONS]}
    name = {m["index"]: paths.get(m.get("path")) for m in report["modules"]}
    first, second = list(LIBRARIES)[:2]
    found = [c for c in report["collisions"] if c.get("family") == "blas"]
    if len(found) != 1 or found[0]["foreign"]["strong"] < 5000:
        yield f"blas: {[c.get('foreign') for c in found]}"
        return
    wrong = [b for b in found[0]["bindings"] if name[b["expected"]] != second or name[b["actual"]] != first or
             name[b["from"]] not in ("scipy/sp_linalg.so", second)]
    if wrong or not found[0]["bindings"]:
        yield f"slots that are not scipy's, bound to numpy's: {wrong[:3]}"


def blas(report):
    return next(c for c in report["collisions"] if c.get("family") == "blas")


def check_global(report, folder):
    yield from check_crossings(report, folder)
    if blas(report)["grade"] != "context":
        yield f"blas is {blas(report)['grade']}: it had no part in this"
    yield from no_blame(report)


def check_called(report, folder):
    """scipy's product of 32-bit integers went to numpy's BLAS, which takes 64 bits, and ended there."""
    yield from check_crossings(report, folder)
    names = {m["index"]: m.get("path", "") for m in report["modules"]}
    link = blas(report).get("crash", {})
    told = (blas(report)["grade"], link.get("how"), link.get("symbol"), os.path.basename(names[link.get("from", 0)]))
    if told != ("proven", "call", "dgemm_", "sp_linalg.so"):
        yield f"the call is {told}"
    first = report["verdicts"][0]
    if (first["signature"], first["grade"]) != ("openblas-ilp64-lp64", "proven"):
        yield f"first verdict: {first['signature']}, {first['grade']}"
    causes = [v["signature"] for v in report["verdicts"]
              if v["grade"] in ("proven", "strong", "plausible") and not v.get("explained_by")]
    if causes != ["openblas-ilp64-lp64"]:
        yield f"taken for causes: {causes}"


def main():
    inquest, folder = os.path.abspath(sys.argv[1]), sys.argv[2]
    missing = [f for f in LIBRARIES.values() if not os.path.exists(os.path.join(SYSTEM, f))]
    try:
        zoo.check_cores_possible()
    except zoo.NoCores as why:
        missing = missing or [str(why)]
    if missing:
        print(f"skipped: {missing[0]} (scripts/setup --all)")
        return 77
    failed = 0
    os.makedirs(folder, exist_ok=True)
    lay_out(folder)
    host = duplicates.Builder({}, folder).program({"source": "host.c"})
    with tempfile.TemporaryDirectory() as work:
        for label, mode, environment, multiply in (
                ("local", "local", None, True), ("local, lazy", "local", {"LAZY": "1"}, True),
                ("global", "global", None, False), ("global, called", "global", None, True)):
            report, _ = duplicates.triage(inquest, crash(host, folder, mode, work, environment, multiply))
            problems = list(check_local(report) if mode == "local" else
                            (check_called if multiply else check_global)(report, folder))
            print(f"{'FAIL' if problems else 'ok  '} {label}: {duplicates.below(report, 'bindings.foreign')}")
            for problem in problems:
                print(f"       {problem}")
            failed += bool(problems)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
