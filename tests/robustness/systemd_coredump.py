#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""systemd_coredump.py INQUEST PROGRAMS: Debian's systemd-coredump stores a real core, with nobody but this script in the place of
pid 1 and of the journal; then a scan of its folder has to take from the name and the attributes what they say."""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from scan_store import Failure, expect, records, zoo  # noqa: E402

STORE = "/var/lib/systemd/coredump"
WHEN = 1763737000


def fetch(work):
    """systemd-coredump's program, from its package; None where that cannot be had."""
    here = "/lib/systemd/systemd-coredump"
    if os.path.exists(here):
        return here
    done = subprocess.run(["apt-get", "-q", "download", "systemd-coredump"], cwd=work, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, check=False)
    packages = [name for name in os.listdir(work) if name.endswith(".deb")]
    if done.returncode or not packages:
        return None
    subprocess.run(["dpkg", "-x", packages[0], os.path.join(work, "package")], cwd=work, check=True)
    program = os.path.join(work, "package" + here)
    linked = subprocess.run(["ldd", program], stdout=subprocess.PIPE, check=False).stdout
    return None if b"not found" in linked else program


def crash(program, pid, core):
    """As the kernel calls it; the unit that its socket would start is started by hand."""
    os.makedirs("/run/systemd/journal")
    journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    journal.bind("/run/systemd/journal/socket")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind("/run/systemd/coredump")
    listener.listen(1)
    with open(core, "rb") as f:
        client = subprocess.Popen([program, str(pid), "0", "0", "11", str(WHEN), "9223372036854775808", "crashhost", "1"], stdin=f)
    listener.settimeout(30)
    connection, _ = listener.accept()

    def before():
        os.dup2(connection.fileno(), 3)
        os.set_inheritable(3, True)
        os.environ["LISTEN_FDS"], os.environ["LISTEN_PID"] = "1", str(os.getpid())

    unit = subprocess.Popen([program], preexec_fn=before, close_fds=False)
    expect(client.wait(timeout=60) == 0 and unit.wait(timeout=60) == 0, "systemd-coredump failed")


def main():
    if os.environ.get("SYSTEMD_COREDUMP") != "inside":
        flags = ["unshare", "-m"]
        if os.geteuid() != 0 or subprocess.run([*flags, "true"], stderr=subprocess.DEVNULL, check=False).returncode:
            print("skipped: needs root and mount namespaces")
            return 77
        os.makedirs(STORE, exist_ok=True)
        os.makedirs("/run/systemd", exist_ok=True)
        environment = {**os.environ, "SYSTEMD_COREDUMP": "inside"}
        return subprocess.run([*flags, sys.executable, *sys.argv], env=environment, check=False).returncode
    inquest, programs = os.path.abspath(sys.argv[1]), sys.argv[2]
    with tempfile.TemporaryDirectory() as work:
        os.chmod(work, 0o755)
        os.makedirs(programs, exist_ok=True)
        program = fetch(work)
        if not program:
            print("skipped: systemd-coredump is not here and cannot be fetched, or its libraries are missing")
            return 77
        try:
            core = zoo.make_core(next(c for c in zoo.load_cases() if c["id"] == "free-seven"), programs, work)[1]
        except zoo.NoCores as why:
            print(f"skipped: {why}")
            return 77
        for place in (STORE, "/run/systemd"):
            subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], check=True)
        victim = os.path.join(work, "free-seven")  # what /proc says of the process that died
        shutil.copy("/bin/sleep", victim)
        with subprocess.Popen([victim, "600"]) as process:
            try:
                crash(program, process.pid, core)
            finally:
                process.kill()
        names = os.listdir(STORE)
        expect(len(names) == 1 and names[0].startswith("core.free-seven.0."), f"{names}")
        database = os.path.join(work, "c.db")
        done = subprocess.run([inquest, "scan", "--json", "--klog", "none", "--db", database, STORE], stdout=subprocess.PIPE, check=False)
        report = json.loads(done.stdout)
        facts, host = report["name_facts"], report["process"]
        expect(done.returncode in (0, 1) and records(database)[0] == (1, 1), f"exit {done.returncode}")
        expect(facts["pattern"] == "systemd-coredump" and facts["hostname"] == "crashhost" and facts["path"] == victim, f"{facts}")
        expect(facts["time"] == WHEN and facts["signal"] == 11 and facts["comm"] == "free-seven", f"{facts}")
        expect(host["hostname"] == "crashhost" and host["crashed_at"] == "2025-11-21T14:56:40Z", f"{host}")
        expect(report["core"]["compression"] in ("zstd", "lz4", "xz") and report["signal"]["name"] == "SIGSEGV", f"{report['core']}")
    print("1 passed, 0 failed")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        print(f"FAIL: {failure}")
        sys.exit(1)
