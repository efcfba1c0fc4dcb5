#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A small FUSE file system, spoken over /dev/fuse without a library, that shows a folder and fails as its file names say:

  NAME.eio@N      reads that touch byte N or what lies behind it fail with EIO
  NAME.hang@N     such reads are never answered
  NAME.shrink@N   the file ends at byte N from the second read on, though its size stays
  NAME.noopen     opening it is never answered
  anything else   as it is

An empty file DEAD in the folder stops every answer; SIGSTOP of the server's process does the same.
serve(SOURCE, MOUNT) needs root and a mount namespace of its own (see faulty_rows.py)."""
import ctypes
import errno
import os
import re
import struct
import sys
import time

LIBC = ctypes.CDLL(None, use_errno=True)
LOOKUP, FORGET, GETATTR, READLINK, OPEN, READ, STATFS, RELEASE, GETXATTR, LISTXATTR = 1, 2, 3, 5, 14, 15, 17, 18, 22, 23
FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR, ACCESS, INTERRUPT, BATCH_FORGET = 25, 26, 27, 28, 29, 34, 36, 42


def mount(target):
    """The descriptor to serve."""
    fd = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={fd},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
    if LIBC.mount(b"faulty", os.fsencode(target), b"fuse.faulty", 6, options) != 0:  # nosuid, nodev
        raise OSError(ctypes.get_errno(), "mount")
    return fd


class Server:
    def __init__(self, fd, source):
        self.fd, self.source = fd, source
        self.nodes, self.numbers, self.reads = {1: ""}, {"": 1}, {}
        self.may_flush = True

    def path(self, node):
        return os.path.join(self.source, self.nodes[node])

    def number(self, relative):
        if relative not in self.numbers:
            self.numbers[relative] = len(self.nodes) + 1
            self.nodes[self.numbers[relative]] = relative
        return self.numbers[relative]

    def attributes(self, node):
        st = os.lstat(self.path(node))
        return struct.pack("<QQQQQQIIIIIIIIII", node, st.st_size, st.st_blocks, int(st.st_atime), int(st.st_mtime), int(st.st_ctime),
                           st.st_atime_ns % 10**9, st.st_mtime_ns % 10**9, st.st_ctime_ns % 10**9, st.st_mode, st.st_nlink, st.st_uid,
                           st.st_gid, 0, 4096, 0)

    def answer(self, unique, data=b"", error=0):
        try:
            os.write(self.fd, struct.pack("<IiQ", 16 + len(data), -error, unique) + data)
        except OSError as why:  # interrupted meanwhile
            if why.errno != errno.ENOENT:
                raise

    def fault(self, node):
        found = re.search(r"\.(eio|hang|shrink)@(\d+)$", self.nodes[node])
        return (found.group(1), int(found.group(2))) if found else (None, 0)

    def read(self, unique, node, body):
        _, off, size = struct.unpack_from("<QQI", body)
        what, at = self.fault(node)
        if what == "eio" and off + size > at:
            return self.answer(unique, error=errno.EIO)
        if what == "hang" and off + size > at:
            return None
        self.reads[node] = self.reads.get(node, 0) + 1
        with open(self.path(node), "rb") as f:
            data = os.pread(f.fileno(), size, off)
        if what == "shrink" and self.reads[node] > 1:
            data = data[:max(0, at - off)]
        return self.answer(unique, data)

    def readdir(self, unique, node, body):
        _, off, size = struct.unpack_from("<QQI", body)
        names, out = [".", ".."] + sorted(os.listdir(self.path(node))), b""
        for i, name in enumerate(names[off:], off):
            raw = os.fsencode(name)
            kind = 4 if name in (".", "..") or os.path.isdir(os.path.join(self.path(node), name)) else 8
            entry = struct.pack("<QQII", 1, i + 1, len(raw), kind) + raw
            entry += b"\0" * (-len(entry) % 8)
            if len(out) + len(entry) > size:
                break
            out += entry
        self.answer(unique, out)

    def handle(self, opcode, unique, node, body):
        if opcode == INIT:
            return self.answer(unique, struct.pack("<IIIIHHIIHHI28x", 7, 31, 65536, 0, 12, 10, 65536, 1, 0, 0, 0))
        if opcode in (FORGET, BATCH_FORGET, INTERRUPT):
            return None
        if os.path.exists(os.path.join(self.source, "DEAD")):
            return None
        if opcode == LOOKUP:
            child = os.path.join(self.nodes[node], os.fsdecode(body[:-1]))
            if not os.path.lexists(os.path.join(self.source, child)):
                return self.answer(unique, error=errno.ENOENT)
            number = self.number(child)
            return self.answer(unique, struct.pack("<QQQQII", number, 0, 0, 0, 0, 0) + self.attributes(number))
        if opcode == GETATTR:
            return self.answer(unique, struct.pack("<QII", 0, 0, 0) + self.attributes(node))
        if opcode == OPEN and self.nodes[node].endswith(".noopen"):
            return None
        if opcode in (OPEN, OPENDIR):
            return self.answer(unique, struct.pack("<QII", 0, 0, 0))
        if opcode == READ:
            return self.read(unique, node, body)
        if opcode == READDIR:
            return self.readdir(unique, node, body)
        if opcode in (RELEASE, RELEASEDIR) or opcode == FLUSH and self.may_flush:
            return self.answer(unique)
        if opcode == STATFS:
            return self.answer(unique, struct.pack("<QQQQQIIII24x", 1000, 500, 500, 1000, 500, 4096, 255, 4096, 0))
        return self.answer(unique, error=errno.ENOSYS)

    def loop(self):
        while True:
            try:
                request = os.read(self.fd, 1 << 17)
            except OSError as why:
                if why.errno in (errno.EINTR, errno.ENOENT):
                    continue
                return  # unmounted
            _, opcode, unique, node = struct.unpack_from("<IIQQ", request)
            self.handle(opcode, unique, node, request[40:])


def serve(source, target):
    """Mounts; the process id of the server. It ends with the mount."""
    fd = mount(target)
    pid = os.fork()
    if pid == 0:
        try:
            Server(fd, source).loop()
        finally:
            os._exit(0)
    os.close(fd)
    return pid


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2])
    time.sleep(float(sys.argv[3]) if len(sys.argv) > 3 else 3600)
