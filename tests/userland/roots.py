# SPDX-License-Identifier: Apache-2.0
"""Other user lands: folders with another Debian, made once with debootstrap and kept in a cache.

Where the packages come from is whatever apt is set up with on this machine.
"""
import os
import shutil
import subprocess

PACKAGES = ["gcc", "g++", "libc6-dev", "libc6-dbg"]


class Missing(Exception):
    """This user land cannot be had here; the text says why."""


def _mirror():
    done = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "ORIGIN: Debian", "LABEL: Debian"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    uris = done.stdout.split()
    if not uris:
        raise Missing("apt knows no mirror of Debian here (apt-get update)")
    return uris[0]


def check_possible():
    """Raises Missing when this machine can make no such folder at all."""
    if os.geteuid() != 0:
        raise Missing("chroot and debootstrap need root")
    for tool in ("debootstrap", "apt-get"):
        if not shutil.which(tool):
            raise Missing(f"no {tool} here")


def debian(suite, cache):
    """The folder with that Debian in it: from the cache, or made now."""
    root = os.path.join(cache, suite)
    if os.path.exists(root + ".done"):
        return root
    check_possible()
    os.makedirs(cache, exist_ok=True)
    part = root + ".part"
    shutil.rmtree(part, ignore_errors=True)
    with open(root + ".log", "w", encoding="utf-8") as log:
        done = subprocess.run(["debootstrap", "--variant=minbase", "--include=" + ",".join(PACKAGES), suite, part,
                               _mirror()], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    if done.returncode:
        with open(root + ".log", encoding="utf-8", errors="replace") as log:
            last = (log.read().strip().splitlines() or ["no word"])[-1]
        raise Missing(f"debootstrap {suite}: {last}")
    shutil.rmtree(root, ignore_errors=True)
    os.rename(part, root)
    with open(root + ".done", "w", encoding="ascii"):
        pass
    return root


def glibc_version(root):
    """(2, 31) of the libc in there."""
    done = subprocess.run(["chroot", root, "ldd", "--version"], stdout=subprocess.PIPE, text=True, check=True)
    return tuple(int(part) for part in done.stdout.splitlines()[0].split()[-1].split("."))
