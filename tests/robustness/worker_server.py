#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""worker_server.py WORKER CORE-PROGRAMS: inquest-worker --serve by its own protocol (src/evidence/start.h): every
process that it makes is sandboxed, holds the descriptors of its own order and no others, and lives and dies for
itself; the server ends with its socket, with its starter, and at a message that is none."""
import array
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import zoo  # noqa: E402

MAGIC = 0x31747372


class Failure(Exception):
    pass


def expect(condition, words):
    if not condition:
        raise Failure(words)


def until(condition, words, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        expect(time.monotonic() < end, words)
        time.sleep(0.01)


class Server:
    def __init__(self, worker, *options):
        self.socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        fd = theirs.fileno()

        def place():
            os.dup2(fd, 3)
            for at in (4, 5):
                os.dup2(os.open("/dev/null", os.O_RDONLY), at)
            os.setpgid(0, 0)
        self.process = subprocess.Popen([worker, "--serve", *options], preexec_fn=place, close_fds=False,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        env={"LD_BIND_NOW": "1"})
        theirs.close()
        self.socket.settimeout(120)

    def order(self, core, name="core"):
        """(pid, answer's pipe, broker's socket)"""
        result_in, result_out = os.pipe()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        message = struct.pack("=II", MAGIC, 20) + name.encode() + b"\0"
        fds = array.array("i", [core, result_out, theirs.fileno()])
        self.socket.sendmsg([message], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
        pid = struct.unpack("=i", self.socket.recv(4))[0]
        os.close(result_out)
        theirs.close()
        expect(pid > 0, f"the server answers {pid}")
        os.setpgid(pid, pid)  # refused for anything that is no child of this process
        return pid, result_in, ours


def read_all(fd):
    parts = []
    while True:
        expect(select.select([fd], [], [], 120)[0], "no answer within two minutes")
        part = os.read(fd, 65536)
        if not part:
            os.close(fd)
            return b"".join(parts)
        parts.append(part)


def refuse_files(broker):
    """Answers every question with "not here" until the worker is gone."""
    while True:
        question = broker.recv(65536)
        if not question:
            return
        seq = struct.unpack_from("=I", question, 4)[0]
        broker.send(struct.pack("=III", 0x31716e69, seq, 3) + b"not here".ljust(128, b"\0"))


def answered(pid, result, broker):
    refuse_files(broker)
    frame = read_all(result)
    status = os.waitpid(pid, 0)[1]
    expect(status == 0, f"wait status {status}")
    expect(frame.startswith(b"INQEVID1") and b'"signal"' in frame, f"answer: {frame[:80]}")


def sandboxed(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
        text = f.read()
    # builds with a sanitizer have no filter: there, that it has nothing left to do but to wait for its dump
    return "Seccomp:\t2" in text or ("NoNewPrivs:\t1" in text and "State:\tS" in text)


def held(pid):
    folder = f"/proc/{pid}/fd"
    return {int(name): os.readlink(f"{folder}/{name}") for name in os.listdir(folder)}


def own_descriptors(worker, core):
    """Two that wait for their dump, and one that is done between: what each of them holds."""
    server = Server(worker)
    with open(core, "rb") as f:
        answered(*server.order(f.fileno(), "it has started"))
    before = held(server.process.pid)
    pipes = [os.pipe() for _ in range(2)]
    first = server.order(pipes[0][0], "first")
    with open(core, "rb") as f:
        answered(*server.order(f.fileno(), "whole"))
    second = server.order(pipes[1][0], "second")
    for (pid, _, _), pipe in ((first, pipes[0]), (second, pipes[1])):
        until(lambda: sandboxed(pid), "no filter")  # pylint: disable=cell-var-from-loop
        try:
            have = held(pid)
        except PermissionError:
            print("     descriptors are not shown to this user: only root sees those of a worker")
            break
        expect(set(have) == {0, 1, 2, 3, 4, 5}, f"open in a worker: {have}")
        expect(have[3] == f"pipe:[{os.fstat(pipe[0]).st_ino}]", f"its dump is {have[3]}")
        expect({have[0], have[1]} == {"/dev/null"}, f"0 and 1: {have}")
    until(lambda: held(server.process.pid) == before, f"open in the server: {held(server.process.pid)}")
    os.kill(first[0], signal.SIGKILL)  # which is no matter to the others
    os.waitpid(first[0], 0)
    with open(core, "rb") as f:
        answered(*server.order(f.fileno(), "after"))
    os.kill(server.process.pid, signal.SIGKILL)  # nor is this
    server.process.wait()
    with open(core, "rb") as f:
        os.write(pipes[1][1], f.read(60000))
    for _, out in pipes:
        os.close(out)
    refuse_files(second[2])
    expect(read_all(second[1]).startswith(b"INQEVID1"), "no answer without its server")
    expect(os.waitpid(second[0], 0)[1] == 0, "it ended badly")


def ends(worker, core):
    server = Server(worker)
    server.socket.close()
    expect(server.process.wait(120) == 0, "closing its socket")
    for message in (b"x", struct.pack("=II", MAGIC, 20) + b"no end", struct.pack("=II", 1, 20) + b"name\0"):
        server = Server(worker)
        server.socket.send(message)
        expect(server.process.wait(120) == 1, f"exit {server.process.returncode} after {message}")
    server = Server(worker)
    server.socket.send(struct.pack("=II", MAGIC, 20) + b"name\0")  # no descriptors: an answer, and it goes on
    expect(struct.unpack("=i", server.socket.recv(4))[0] < 0, "an order without descriptors")
    with open(core, "rb") as f:
        answered(*server.order(f.fileno()))
    server.socket.close()
    server.process.wait(120)


def dies_with_starter(worker):
    """The starter is killed: neither the server nor what it made stays behind."""
    out_r, out_w = os.pipe()
    starter = os.fork()
    if starter == 0:
        server = Server(worker)
        made = server.order(os.pipe()[0])  # its other ends stay open
        pid = made[0]
        until(lambda: sandboxed(pid), "no filter")
        os.write(out_w, struct.pack("=ii", server.process.pid, pid))
        signal.pause()
        os._exit(0)
    os.close(out_w)
    pids = struct.unpack("=ii", os.read(out_r, 8))
    os.kill(starter, signal.SIGKILL)
    os.waitpid(starter, 0)

    def gone(pid):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
                return f.read().rsplit(")", 1)[1].split()[0] in "ZX"
        except (FileNotFoundError, ProcessLookupError):
            return True
    until(lambda: all(gone(pid) for pid in pids), "processes are left")


def main():
    worker, programs = os.path.abspath(sys.argv[1]), sys.argv[2]
    case = next(c for c in zoo.load_cases() if c["id"] == "free-seven")
    failures = 0
    with tempfile.TemporaryDirectory(prefix="inquest-server.") as work:
        core = zoo.make_core(case, programs, work)[1]
        tests = (("its own descriptors, and its own death", lambda: own_descriptors(worker, core)),
                 ("how a server ends", lambda: ends(worker, core)),
                 ("nothing outlives the starter", lambda: dies_with_starter(worker)))
        for name, test in tests:
            try:
                test()
                print(f"ok   {name}")
            except (Failure, OSError) as failure:
                print(f"FAIL {name}: {failure}")
                failures += 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
