#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py INQUEST: what `inquest doctor` says of machines that have something wrong with them.

No setting of this machine is touched. Most machines are folders with the files of /proc and /etc that the doctor
reads (--sysroot); limits, filters and full disks are real ones of a process, or of a mount namespace, of our own.
"""
import json
import os
import resource
import shutil
import socket
import stat
import subprocess
import sys
import tempfile

GOOD = "/var/crash/core.%e.%p.%h.%t"
UNLIMITED = "unlimited"
KIB, GIB = 1 << 10, 1 << 30


def limits(soft=UNLIMITED, hard=UNLIMITED, fsize=UNLIMITED):
    row = "{:<25} {:<20} {:<20} {:<10}\n"
    return (row.format("Limit", "Soft Limit", "Hard Limit", "Units")
            + row.format("Max cpu time", UNLIMITED, UNLIMITED, "seconds")
            + row.format("Max file size", fsize, UNLIMITED, "bytes")
            + row.format("Max core file size", soft, hard, "bytes"))


def status(name="sh", uid=1000, anon=2000, caught=0):
    return (f"Name:\t{name}\nUmask:\t0022\nState:\tS (sleeping)\nPid:\t77\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n"
            f"Gid:\t{uid}\t{uid}\t{uid}\t{uid}\nGroups:\t\nVmRSS:\t {anon + 900} kB\nRssAnon:\t {anon} kB\n"
            f"RssFile:\t 900 kB\nRssShmem:\t 0 kB\nVmSwap:\t 0 kB\nSigIgn:\t0000000000000000\n"
            f"SigCgt:\t{caught:016x}\nNoNewPrivs:\t0\nSeccomp:\t0\n")


class Machine:
    """A folder that looks like a machine in order; the tests break it."""

    def __init__(self, folder):
        self.root = tempfile.mkdtemp(dir=folder)
        kernel = {"core_pattern": GOOD, "core_uses_pid": 0, "core_pipe_limit": 0, "dmesg_restrict": 0,
                  "osrelease": "6.8.0-test", "print-fatal-signals": 0, "printk_ratelimit": 5,
                  "printk_ratelimit_burst": 10, "core_modes": "file\npipe\nsocket",
                  "seccomp/actions_avail": "kill_process errno allow"}
        for name, value in kernel.items():
            self.put(f"proc/sys/kernel/{name}", f"{value}\n")
        self.put("proc/sys/fs/suid_dumpable", "2\n")
        self.put("proc/sys/debug/exception-trace", "1\n")
        self.put("proc/self/limits", limits())
        self.put("proc/self/status", status())
        self.put("proc/self/coredump_filter", "00000033\n")
        self.link("proc/self/ns/pid", "pid:[4026531836]")
        self.link("proc/self/cwd", "/home/user")
        self.put("proc/1/comm", "systemd\n")
        self.put("proc/1/limits", limits())
        self.put("proc/1/status", status("systemd", 0))
        self.put("proc/1/coredump_filter", "00000033\n")
        self.put("proc/900/status", status("database", 0, 3 * GIB // KIB))
        self.put("bin/sh", "", 0o755)
        self.folder("var/crash", 0o1777)
        self.folder("home/user", 0o755)

    def path(self, name):
        return os.path.join(self.root, name)

    def put(self, name, text, mode=0o644):
        if mode & 0o111 and not text:
            text = "\x7fELF"
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        if os.path.lexists(self.path(name)):
            os.unlink(self.path(name))
        with open(self.path(name), "w", encoding="utf-8", errors="surrogateescape") as f:
            f.write(text)
        os.chmod(self.path(name), mode)

    def link(self, name, target):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        if os.path.lexists(self.path(name)):
            os.unlink(self.path(name))
        os.symlink(target, self.path(name))

    def folder(self, name, mode):
        os.makedirs(self.path(name), exist_ok=True)
        os.chmod(self.path(name), mode)

    def pattern(self, text):
        self.put("proc/sys/kernel/core_pattern", text + "\n")


class Tests:
    def __init__(self, inquest, folder):
        self.inquest, self.folder, self.checks, self.problems, self.skipped = inquest, folder, 0, [], []

    def doctor(self, *arguments, prefix=(), **options):
        """(exit code, {id: check})"""
        done = subprocess.run([*prefix, self.inquest, "doctor", "--json", *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=120, stdin=subprocess.DEVNULL, **options)
        if done.returncode not in (0, 1):
            raise AssertionError(f"exit {done.returncode}: {done.stderr.decode(errors='replace')}")
        document = json.loads(done.stdout)
        assert document["format"] == "inquest-doctor" and document["version"] == 1
        found = {c["id"]: c for c in document["checks"]}
        mend = sum(c["verdict"] == "mend" for c in document["checks"])
        assert document["summary"]["mend"] == mend and done.returncode == (1 if mend else 0), document["summary"]
        return done.returncode, found

    def expect(self, name, found, check, verdict, words="", command=""):
        self.checks += 1
        have = found.get(check)
        if not have:
            self.problems.append(f"{name}: there is no {check}")
        elif have["verdict"] != verdict or words not in have["why"] or \
                (command and not any(command in c for c in have["commands"])):
            self.problems.append(f"{name}: {check} should be {verdict}, {words!r}, {command!r}; it is {have}")
        elif verdict == "mend" and not have["commands"] and not check.startswith("try-"):
            self.problems.append(f"{name}: {check} has nothing that mends it")

    def machine(self, name, change, *wanted, arguments=(), only=False):
        """Breaks a machine with change(machine) and expects (check, verdict, words, command); with only=True
        nothing else is to mend."""
        machine = Machine(self.folder)
        change(machine)
        _, found = self.doctor("--sysroot", machine.root, *arguments)
        for row in wanted:
            self.expect(name, found, *row)
        if only:
            more = [c for c in found.values() if c["verdict"] == "mend" and c["id"] not in [w[0] for w in wanted]]
            if more:
                self.problems.append(f"{name}: to mend besides: {more}")


def in_order(t):
    code, found = t.doctor("--sysroot", Machine(t.folder).root)
    worse = [c for c in found.values() if c["verdict"] == "mend"]
    if code or worse:
        t.problems.append(f"a machine in order: exit {code}, {worse}")
    if list(found) != sorted(found):
        t.problems.append("the checks are not sorted")
    t.expect("in order", found, "core-pattern", "ok", "absolute")
    t.expect("in order", found, "core-folder", "ok", "Everybody")
    t.expect("in order", found, "container", "ok")


def limit_cases(t):
    def own(**k):
        return lambda m: m.put("proc/self/limits", limits(**k))

    t.machine("ulimit 0", own(soft="0"), ("core-limit", "mend", "there is none", "ulimit -c unlimited"), only=True)
    t.machine("hard 0", own(soft="0", hard="0"), ("core-limit", "mend", "", "limits.d"), only=True)
    t.machine("a star is not root", own(soft="0", hard="0"), ("core-limit", "mend", "", "'*' root"), only=True)
    t.machine("one page less", own(soft="4095"), ("core-limit", "mend", "there is none"))
    t.machine("1 GiB", own(soft=str(GIB)), ("core-limit", "mend", "database (900), needs 3.0 GiB"), only=True)
    t.machine("4 GiB", own(soft=str(4 * GIB)), ("core-limit", "ok"))
    t.machine("fsize", own(fsize=str(GIB)), ("file-limit", "mend", "database", "ulimit -f"), only=True)

    def piped(soft, program):
        def change(m):
            m.put("usr/bin/taker", "", 0o755)
            m.put("usr/lib/systemd/systemd-coredump", "", 0o755)
            m.folder("var/lib/systemd/coredump", 0o755)
            m.pattern(f"|{program} %p")
            m.put("proc/self/limits", limits(soft=soft))
            m.put("etc/systemd/coredump.conf", "[Coredump]\nExternalSizeMax=32G\n")
        return change

    t.machine("a pipe does not heed 0", piped("0", "/usr/bin/taker"), ("core-limit", "ok", "does not apply"))
    t.machine("but 1", piped("1", "/usr/bin/taker"), ("core-limit", "mend", "exactly 1"))
    t.machine("systemd heeds 0", piped("0", "/usr/lib/systemd/systemd-coredump"), ("core-limit", "mend"))

    def services(text, name="etc/systemd/system.conf"):
        return lambda m: m.put(name, text)

    t.machine("services 0", services("[Manager]\nDefaultLimitCORE=0\n"),
              ("systemd-limit", "mend", "A service", "DefaultLimitCORE=infinity"), only=True)
    t.machine("soft 0", services("[Manager]\n DefaultLimitCORE = 0:infinity \n"), ("systemd-limit", "mend"))
    t.machine("services 64G", services("[Manager]\nDefaultLimitCORE=64G\n"), ("systemd-limit", "ok"))
    t.machine("another section", services("[Other]\nDefaultLimitCORE=0\n"), ("systemd-limit", "ok"))
    t.machine("a comment", services("[Manager]\n#DefaultLimitCORE=0\n"), ("systemd-limit", "ok"))

    def drop_ins(m):
        m.put("etc/systemd/system.conf", "[Manager]\nDefaultLimitCORE=infinity\n")
        m.put("usr/lib/systemd/system.conf.d/50-a.conf", "[Manager]\nDefaultLimitCORE=0\n")
    t.machine("drop-in", drop_ins, ("systemd-limit", "mend"))

    def masked(m):
        drop_ins(m)
        m.put("etc/systemd/system.conf.d/50-a.conf", "")
    t.machine("drop-in of the same name in /etc", masked, ("systemd-limit", "ok"))

    def later(m):
        drop_ins(m)
        m.put("run/systemd/system.conf.d/60-b.conf", "[Manager]\nDefaultLimitCORE=\n")
    t.machine("taken back", later, ("systemd-limit", "ok", "A service may leave"))

    def unit(text):
        return lambda m: m.put("usr/lib/systemd/system/web.service", text)
    arguments = ("--unit", "web.service")
    t.machine("unit 0", unit("[Service]\nLimitCORE=0\n"),
              ("systemd-limit", "mend", "web.service", "/etc/systemd/system/web.service.d/60-core.conf"), arguments=arguments)
    t.machine("unit says nothing", unit("[Service]\n"), ("systemd-limit", "ok"), arguments=arguments)
    t.machine("no such unit", lambda m: None, ("systemd-limit", "unknown", "no file"), arguments=arguments)
    t.machine("unit filter", unit("[Service]\nCoredumpFilter=elf-headers shared-anonymous private-huge\n"),
              ("core-filter", "mend", "Bit 0"), arguments=arguments)


def pattern_cases(t):
    def pattern(text, *more):
        def change(m):
            m.pattern(text)
            for one in more:
                one(m)
        return change

    def program(name, mode=0o755):
        return lambda m: m.put(name, "#!/bin/sh\n", mode)

    t.machine("relative", pattern("core.%p"), ("core-pattern", "mend", "relative", "kernel.core_pattern=/"))
    t.machine("relative, folder not ours", pattern("core.%p"), ("core-folder", "mend", "User 1000 may not"))
    t.machine("empty", pattern(""), ("core-pattern", "mend", "writes no cores"))
    t.machine("missing folder", pattern("/var/none/core.%p"),
              ("core-folder", "mend", "not there", "install -d -m 1777 /var/none"), only=True)
    t.machine("a file for a folder", pattern("/etc/x/core.%p", program("etc/x")), ("core-folder", "mend", "not a dir"))
    t.machine("not for all", lambda m: m.folder("var/crash", 0o755),
              ("core-folder", "mend", "all others", "chmod 1777 /var/crash"), only=True)
    t.machine("no sticky bit", lambda m: m.folder("var/crash", 0o777), ("core-folder", "advice", "replace"))
    t.machine("folders of %u", pattern("/var/%u/core.%p"), ("core-folder", "unknown", "another folder"))
    t.machine("one name for all", pattern("/var/crash/core"), ("core-name", "mend", "replaces"), only=True)
    t.machine("only the program", pattern("/var/crash/%e.core"), ("core-name", "mend"))
    t.machine("%%p is no pid", pattern("/var/crash/%%p.core"), ("core-name", "mend"))

    def uses_pid(m):
        m.put("proc/sys/kernel/core_uses_pid", "1\n")
    t.machine("core_uses_pid", pattern("/var/crash/core", uses_pid), ("core-name", "ok"), only=True)
    t.machine("pipe to a missing program", pattern("|/usr/bin/gone %p"),
              ("core-pattern", "mend", "not there: they are lost", "kernel.core_pattern="), only=True)
    t.machine("pipe to one that cannot start", pattern("|/usr/bin/taker %p", program("usr/bin/taker", 0o644)),
              ("core-pattern", "mend", "not a program", "chmod 755"), only=True)
    t.machine("pipe to one", pattern("|/usr/bin/taker %p", program("usr/bin/taker")), ("core-pattern", "ok"))
    t.machine("pipe, from the root", pattern("|usr/bin/taker", program("usr/bin/taker")), ("core-pattern", "ok"))
    t.machine("pipe to nothing", pattern("|"), ("core-pattern", "mend", "no program"))
    t.machine("pipe to false", pattern("|/bin/false", program("bin/false")), ("core-pattern", "mend", "throws"))

    def script(text):
        return lambda m: m.put("usr/bin/taker", text, 0o755)
    t.machine("pipe to a script without #!", pattern("|/usr/bin/taker", script("cat >/var/crash/core\n")),
              ("core-pattern", "mend", "nor with #!", "kernel.core_pattern="), only=True)
    t.machine("pipe to a script of nothing", pattern("|/usr/bin/taker", script("#! /opt/python3 -u\n")),
              ("core-pattern", "mend", "interpreter /opt/python3 is not there", "kernel.core_pattern="), only=True)
    t.machine("pipe to a program of its own", pattern("|/usr/bin/%e %p"), ("core-pattern", "unknown", "another program"))
    t.machine("thrown away", pattern("/dev/null", lambda m: os.makedirs(m.path("dev/null"))),
              ("core-pattern", "mend", "no regular file", "kernel.core_pattern=/var/crash"))
    t.machine("a missing system folder", pattern("/dev/cores/core.%p"),
              ("core-folder", "mend", "not there", "kernel.core_pattern=/var/crash"), only=True)

    def root_folder(m):
        m.pattern("/core.%p")
        os.chmod(m.root, 0o755)
    t.machine("the root folder is not opened to all", root_folder,
              ("core-folder", "mend", "Only root may write to /:", "kernel.core_pattern=/var/crash"), only=True)

    def absolute_link(m):
        m.link("usr/bin/taker", "/opt/taker")
        m.put("opt/taker", "", 0o755)
    t.machine("a link stays in the machine", pattern("|/usr/bin/taker", absolute_link), ("core-pattern", "ok"))
    t.machine("few at once", pattern("|/usr/bin/taker", program("usr/bin/taker"),
                                     lambda m: m.put("proc/sys/kernel/core_pipe_limit", "1\n")),
              ("core-pipe-limit", "advice", "dropped"))
    t.machine("hostile pattern", pattern("/var/crash/\x1b[31m$(reboot)'/core.%p"), ("core-folder", "mend"))

    def listening(m):
        m.pattern("@/run/core.sock")
        os.makedirs(m.path("run"), exist_ok=True)
        here = os.getcwd()
        os.chdir(m.path("run"))  # names of sockets are short
        s = socket.socket(socket.AF_UNIX)
        s.bind("core.sock")
        s.close()
        os.chdir(here)
        m.put("proc/net/unix", "Num       RefCount Protocol Flags    Type St Inode Path\n"
                               "0000000000000000: 00000002 00000000 00010000 0001 01 12 /run/core.sock\n")

    def deaf(m):
        listening(m)
        m.put("proc/net/unix", "Num       RefCount Protocol Flags    Type St Inode Path\n"
                               "0000000000000000: 00000002 00000000 00010000 0001 01 12 /run/core.sock2\n")

    def old(m):
        listening(m)
        os.unlink(m.path("proc/sys/kernel/core_modes"))
    t.machine("socket", listening, ("core-pattern", "ok", "socket"))
    t.machine("socket, nobody there", deaf, ("core-pattern", "mend", "nobody listens"))
    t.machine("socket on an old kernel", old, ("core-pattern", "mend", "6.16"))
    t.machine("no socket", pattern("@/run/none.sock"), ("core-pattern", "mend", "not there"))

    def contained(m):
        m.link("proc/self/ns/pid", "pid:[4026532999]")
    t.machine("container", contained, ("container", "advice", "machine that runs it"))
    t.machine("pipe of a container's host", pattern("|/usr/bin/gone", contained), ("core-pattern", "unknown"), only=True)


def memory_cases(t):
    def own_filter(text):
        return lambda m: m.put("proc/self/coredump_filter", text + "\n")

    t.machine("filter 0", own_filter("00000000"), ("core-filter", "mend", "stacks and the heap", "echo 0x33"), only=True)
    t.machine("no headers", own_filter("00000023"), ("core-filter", "mend", "build-ids"))
    t.machine("no shared memory", own_filter("00000031"), ("core-filter", "advice", "Bit 1"))
    t.machine("everything", own_filter("000001ff"), ("core-filter", "ok"))

    def big(m):
        m.put("proc/900/status", status("huge", 0, 1 << 50))
    t.machine("no room", big, ("core-space", "mend", "want of room"), only=True)

    def dumpable(value, pattern=GOOD):
        def change(m):
            m.put("proc/sys/fs/suid_dumpable", f"{value}\n")
            m.pattern(pattern)
        return change
    t.machine("suid 0", dumpable(0), ("setuid", "advice", "leave no core", "fs.suid_dumpable=2"), only=True)
    t.machine("suid 1", dumpable(1), ("setuid", "advice", "secrets"))
    t.machine("suid 2, relative", dumpable(2, "core.%p"), ("setuid", "mend", "absolute"))


def collector_cases(t):
    def coredump(text, name="etc/systemd/coredump.conf", release=None, taker="systemd-coredump"):
        def change(m):
            m.put(f"usr/lib/systemd/{taker}", "", 0o755)
            m.folder("var/lib/systemd/coredump", 0o755)
            m.pattern(f"|/usr/lib/systemd/{taker} %P %u %g %s %t %c %h")
            m.put(name, text)
            if release:
                m.put(f"usr/lib/systemd/libsystemd-shared-{release}.so", "")
        return change

    t.machine("Storage=none", coredump("[Coredump]\nStorage=none\n"),
              ("systemd-coredump", "mend", "journal", "Storage=external"), only=True)
    t.machine("too small", coredump("[Coredump]\nExternalSizeMax=1G\n"),
              ("systemd-coredump", "mend", "database (900), needs 3.0 GiB", "ExternalSizeMax=infinity"), only=True)
    t.machine("2 GiB were the default", coredump("", release=247), ("systemd-coredump", "mend", "2.0 GiB"))
    t.machine("32 GiB are", coredump("", release=252), ("systemd-coredump", "ok", "32 GiB"))
    t.machine("journal", coredump("[Coredump]\nStorage=journal\n", release=252), ("systemd-coredump", "mend", "767"))
    t.machine("drop-in of /usr", coredump("[Coredump]\nStorage=none\n",
                                          "usr/lib/systemd/coredump.conf.d/10-vendor.conf"),
              ("systemd-coredump", "mend"))
    t.machine("little use", coredump("[Coredump]\nMaxUse=1G\n", release=252), ("systemd-coredump", "advice", "MaxUse"))

    def apport(m):
        m.put("usr/share/apport/apport", "", 0o755)
        m.put("etc/default/apport", "# comment\nenabled=1\n")
        m.pattern("|/usr/share/apport/apport -p%p -s%s -c%c -d%d -P%P -u%u -g%g -- %E")
    t.machine("apport", apport, ("apport", "mend", "package", "disable --now apport"), ("core-pattern", "ok"))


def log_cases(t):
    def kernel(name, value):
        return lambda m: m.put(f"proc/sys/{name}", f"{value}\n")

    t.machine("no lines", kernel("debug/exception-trace", 0),
              ("log-lines", "mend", "no line", "debug.exception-trace=1"), only=True)
    t.machine("log closed", kernel("kernel/dmesg_restrict", 1), ("log-readable", "mend", "", "dmesg_restrict=0"), only=True)

    def root(m):
        kernel("kernel/dmesg_restrict", 1)(m)
        m.put("proc/self/status", status(uid=0))
    t.machine("root reads it", root, ("log-readable", "ok"))
    t.machine("one at a time", kernel("kernel/printk_ratelimit_burst", 1), ("log-rate", "advice", "", "burst=10"))
    t.machine("not at all", kernel("kernel/printk_ratelimit_burst", 0), ("log-rate", "mend"))
    t.machine("no limit", kernel("kernel/printk_ratelimit", 0), ("log-rate", "ok", "No line is dropped"))

    def handled(m):
        for name in ("limits", "coredump_filter"):
            shutil.copy(m.path(f"proc/self/{name}"), m.path(f"proc/900/{name}"))
        m.put("proc/900/status", status("java", 1000, 2000, 1 << 10 | 1 << 6))
        m.link("proc/900/ns/pid", "pid:[4026531836]")
    t.machine("handlers", handled, ("handlers", "advice", "SIGBUS, SIGSEGV"), ("core-folder", "ok", "User 1000"),
              arguments=("--pid", "900"))

    def nothing(m):
        shutil.rmtree(m.path("proc"))
        os.mkdir(m.path("proc"))
    t.machine("nothing can be read", nothing, ("core-pattern", "unknown"), ("core-limit", "unknown"),
              ("core-filter", "unknown"), ("log-lines", "unknown"), ("container", "unknown"),
              ("core-space", "unknown"), ("setuid", "unknown"), only=True)


def servers(t):
    for urls, verdict in (("https://a.example https://b.example", "ok"), ("http://a.example", "mend"), ("", "ok")):
        environment = dict(os.environ, DEBUGINFOD_URLS=urls)
        _, found = t.doctor("--sysroot", Machine(t.folder).root, env=environment)
        t.expect(f"servers {urls!r}", found, "debuginfod", verdict)


def own_processes(t):
    """Real limits and a real filter, inherited by the doctor."""
    def no_cores():
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))

    def no_filter():
        with open("/proc/self/coredump_filter", "w", encoding="ascii") as f:
            f.write("0")

    _, found = t.doctor(preexec_fn=no_cores)
    t.expect("real ulimit 0", found, "core-limit", "mend", "there is none", "ulimit")
    _, found = t.doctor(preexec_fn=no_filter)
    t.expect("real filter 0", found, "core-filter", "mend", "stacks and the heap")
    with subprocess.Popen(["sleep", "60"], preexec_fn=no_cores) as sleeper:
        _, found = t.doctor("--pid", str(sleeper.pid))
        sleeper.kill()
    t.expect("a running process", found, "core-limit", "mend", "The process", f"prlimit --pid {sleeper.pid}")
    t.expect("a running process", found, "handlers", "ok")
    try:
        t.doctor("--pid", "4194304")
        t.problems.append("a process that is not there was found")
    except AssertionError as why:
        t.checks += 1
        if "no process 4194304" not in str(why):
            t.problems.append(f"a process that is not there: {why}")


def allow_cores():
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def trials(t):
    """Real crashes: core_pattern must be a plain relative name, as the kernel has it by default."""
    with open("/proc/sys/kernel/core_pattern", encoding="utf-8", errors="replace") as f:
        pattern = f.read().strip()
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    if not pattern or pattern[0] in "|@" or "/" in pattern or (hard != resource.RLIM_INFINITY and hard < 64 << 20):
        t.skipped.append(f"trials: core_pattern is {pattern}, or ulimit -Hc is low")
        return
    tmp = tempfile.mkdtemp(dir=t.folder)
    environment = dict(os.environ, TMPDIR=tmp)

    _, found = t.doctor("--try", env=environment, preexec_fn=allow_cores)
    t.expect("a crash", found, "try-core", "ok", "wrote the core")
    t.expect("a crash", found, "try-triage", "ok", "address, the function and the stack")
    if os.listdir(tmp):
        t.problems.append(f"the trial left {os.listdir(tmp)}")

    def no_filter():
        allow_cores()
        with open("/proc/self/coredump_filter", "w", encoding="ascii") as f:
            f.write("0")
    _, found = t.doctor("--try", env=environment, preexec_fn=no_filter)
    t.expect("a crash with filter 0", found, "try-core", "ok")
    t.expect("a crash with filter 0", found, "try-triage", "mend", "left out")

    def small_cores():
        resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 10, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    _, found = t.doctor("--try", env=environment, preexec_fn=small_cores)
    t.expect("files of 64 KiB", found, "try-triage", "mend", "is cut")
    t.expect("files of 64 KiB", found, "file-limit", "mend")

    _, found = t.doctor("--try", env=dict(environment, DEBUGINFOD_URLS="http://127.0.0.1:1"))
    t.expect("no server there", found, "try-debuginfod", "mend", "no debuginfod server can be reached")
    if os.listdir(tmp):
        t.problems.append(f"a trial left {os.listdir(tmp)}")
    full_disk(t)


def full_disk(t):
    if os.geteuid() != 0:
        t.skipped.append("full disk: needs root for a mount namespace")
        return
    inside = os.path.join(t.folder, "tiny")
    os.mkdir(inside)
    script = 'mount -t tmpfs -o size=128k,mode=1777 none "$0" && head -c 100000 /dev/zero >"$0/fill"; exec "$@"'
    prefix = ["unshare", "-m", "sh", "-c", script, inside]
    if subprocess.run(prefix + ["true"], stderr=subprocess.DEVNULL, check=False).returncode:
        t.skipped.append("full disk: no mount namespace can be made here")
        return
    _, found = t.doctor("--try", prefix=prefix, env=dict(os.environ, TMPDIR=inside), preexec_fn=allow_cores)
    t.expect("full disk", found, "try-triage", "mend", "is cut", "df -h")
    machine = Machine(t.folder)
    shutil.rmtree(machine.path("var/crash"))
    os.mkdir(machine.path("var/crash"))
    prefix[-1] = machine.path("var/crash")
    _, found = t.doctor("--sysroot", machine.root, prefix=prefix)
    t.expect("full disk of a machine", found, "core-space", "mend")
    t.expect("memory as disk", found, "core-folder", "advice", "kept in memory")
    for name, options, check, words, never in (
            ("read-only", "ro,size=1m", "core-folder", "mounted read-only", "may write"),
            ("no inodes", "nr_inodes=1,size=1g,mode=1777", "core-space", "no inodes left", "room for")):
        prefix[4] = f'mount -t tmpfs -o {options} none "$0"; exec "$@"'
        _, found = t.doctor("--sysroot", machine.root, prefix=prefix)
        t.expect(name, found, check, "mend", words)
        if never in found[check]["why"]:
            t.problems.append(f"{name}: contradicts itself: {found[check]['why']}")


def text(t):
    machine = Machine(t.folder)
    machine.pattern("/var/crash/\x1b[31mred/core.%p")
    done = subprocess.run([t.inquest, "doctor", "-v", "--sysroot", machine.root], stdout=subprocess.PIPE, check=False)
    lines = done.stdout.decode().splitlines()
    t.checks += 1
    if "\x1b" in done.stdout.decode() or not lines[0].startswith("mend     core-folder") or done.returncode != 1:
        t.problems.append(f"text: {lines[:4]}, exit {done.returncode}")
    if max(map(len, [l for l in lines if "sudo" not in l])) > 100:
        t.problems.append("text: lines of more than 100 columns")


def main():
    inquest = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="inquest-doctor.") as folder:
        os.chmod(folder, stat.S_IRWXU | stat.S_IXGRP | stat.S_IXOTH)
        t = Tests(inquest, folder)
        for part in (in_order, limit_cases, pattern_cases, memory_cases, collector_cases, log_cases, servers,
                     own_processes, trials, text):
            part(t)
    for why in t.skipped:
        print(f"skipped: {why}")
    for problem in t.problems:
        print(problem)
    print(f"doctor: {t.checks} checks, {len(t.problems)} problems")
    return 1 if t.problems else 0


if __name__ == "__main__":
    sys.exit(main())
