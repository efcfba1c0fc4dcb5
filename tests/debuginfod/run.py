#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""run.py INQUEST: --debuginfod against Debian's own server and against servers that misbehave, all on 127.0.0.1.
Robustness row 61: nothing is fetched without the option; time and size are capped; a file with another build-id
is refused; what fails is a gap, and the rest of the report comes."""
import glob
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.path.insert(0, HERE)
import servers  # noqa: E402
import zoo  # noqa: E402

SECONDS = 3  # --timeout, and so the budget for fetching, where a server is slow
CASES = []


def case(function):
    CASES.append(function)
    return function


def build_id_of(path):
    notes = subprocess.run(["readelf", "-n", path], stdout=subprocess.PIPE, check=True, text=True).stdout
    return re.search(r"Build ID: ([0-9a-f]+)", notes)[1]


class Setup:
    """A stripped program, its debug file in a folder of its own, and a core of it."""

    def __init__(self, inquest, folder):
        self.inquest, self.folder = inquest, folder
        self.program = os.path.join(folder, "hidden")
        self.served = os.path.join(folder, "served")
        os.mkdir(self.served)
        compiler = os.environ.get("CC", "cc").split()
        subprocess.run(compiler + ["-g", "-O1", "-fno-optimize-sibling-calls", "-Wl,--build-id",
                                   os.path.join(HERE, "hidden.c"), "-o", self.program], check=True)
        self.whole = os.path.join(folder, "whole")
        shutil.copy(self.program, self.whole)
        self.debug = os.path.join(self.served, "hidden.debug")
        subprocess.run(["objcopy", "--only-keep-debug", self.program, self.debug], check=True)
        subprocess.run(["strip", self.program], check=True)
        self.build_id = build_id_of(self.program)
        self.core = zoo.crash([self.program], folder)
        self.caches = 0

    def new_cache(self):
        self.caches += 1
        path = os.path.join(self.folder, f"cache{self.caches}")
        os.mkdir(path)
        return path

    def triage(self, *arguments, urls=None, cache=None, prefix=(), core=None, text=False, env=None):
        env = dict(os.environ, XDG_CACHE_HOME=cache or self.new_cache(), **(env or {}))
        env.pop("DEBUGINFOD_URLS", None)
        if urls is not None:
            env["DEBUGINFOD_URLS"] = urls
        started = time.monotonic()
        done = subprocess.run([*prefix, self.inquest, "triage", "--no-store", *([] if text else ["--json"]),
                               *arguments, core or self.core], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, env=env, timeout=120)
        return Result(done, time.monotonic() - started, env["XDG_CACHE_HOME"], text)


class Result:
    def __init__(self, done, seconds, cache, text):
        self.code, self.seconds, self.cache = done.returncode, seconds, cache
        self.out, self.err = done.stdout.decode(), done.stderr.decode("utf-8", "replace")
        self.report = None if text else json.loads(self.out)

    def names(self):
        thread = next(t for t in self.report["threads"] if t["crashed"])
        return [f.get("function") for f in thread["frames"]]

    def fetch_gaps(self):
        return [g for g in self.report["gaps"] if g["code"] == "INQ-079"]

    def kept(self):
        """Files in the cache, by name."""
        return sorted(os.path.basename(p) for p in glob.glob(self.cache + "/inquest/debuginfod/*"))

    def expect_gap(self, *words, where="hidden"):
        gaps = self.fetch_gaps()
        assert gaps, f"no gap INQ-079: {self.report['gaps']} {self.err}"
        assert any(all(w in g["why"] for w in words) and g["where"] == where for g in gaps), (words, gaps)
        assert self.code == 1, f"exit {self.code}"
        assert "hidden_step" not in self.names(), self.names()
        assert self.report["signal"]["name"] == "SIGSEGV" and len(self.names()) >= 3, "the rest of the report"
        assert not self.leftovers(), self.leftovers()
        return self

    def leftovers(self):
        return [name for name in self.kept() if name.startswith("fetch.") or name.startswith(".")]


@case
def off_by_default(s):
    with servers.Fake(servers.send(b"", 404)) as fake:
        result = s.triage(urls=fake.url)
        assert not fake.connections and not fake.paths, fake.paths
    assert "hidden_step" not in result.names() and not result.fetch_gaps()
    assert not os.listdir(result.cache), "a cache was made without the option"


@case
def real_server(s):
    if not shutil.which("debuginfod"):
        return "debuginfod is not installed (scripts/setup --all)"
    server = servers.Debuginfod(s.served, tempfile.mkdtemp(dir=s.folder))
    try:
        server.wait_for(s.build_id)
        result = s.triage("--debuginfod", urls=server.url)
    finally:
        server.stop()
    assert result.names()[:3] == ["hidden_step", "hidden_caller", "main"], result.names()
    assert not [g for g in result.fetch_gaps() if g["where"] == "hidden"], result.fetch_gaps()
    # Kept, for this user alone, and used when the server is gone.
    name = s.build_id + ".debug"
    assert name in result.kept() and not result.leftovers(), result.kept()
    folder = result.cache + "/inquest/debuginfod"
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(f"{folder}/{name}").st_mode) == 0o600
    assert os.stat(f"{folder}/{name}").st_uid == os.geteuid()
    again = s.triage("--debuginfod", urls=server.url, cache=result.cache)
    assert again.names()[:2] == ["hidden_step", "hidden_caller"], again.names()
    # A cache with something else under that name: asked for again, and the server is gone.
    shutil.copy("/bin/true", f"{folder}/{name}")
    s.triage("--debuginfod", urls=server.url, cache=result.cache).expect_gap("can be reached")
    return None


@case
def paths_asked_for(s):
    """Build-ids and nothing else go into a URL; the server is asked once for each."""
    with servers.Fake(servers.send(b"", 404)) as fake:
        s.triage("--debuginfod", urls=fake.url).expect_gap("do not have it")
    assert fake.paths, "nothing was asked for"
    for path in fake.paths:
        assert re.fullmatch(r"/buildid/[0-9a-f]{16,64}/(debuginfo|executable)", path), path
    assert fake.paths.count(f"/buildid/{s.build_id}/debuginfo") == 1, fake.paths
    assert f"/buildid/{s.build_id}/executable" not in fake.paths, "the program is here"


@case
def local_file_first(s):
    """What --debug-dir has is not fetched."""
    tree = os.path.join(s.folder, "tree", ".build-id", s.build_id[:2])
    os.makedirs(tree)
    shutil.copy(s.debug, os.path.join(tree, s.build_id[2:] + ".debug"))
    with servers.Fake(servers.send(b"", 404)) as fake:
        result = s.triage("--debuginfod", "--debug-dir", os.path.join(s.folder, "tree"), urls=fake.url)
    assert "hidden_step" in result.names(), result.names()
    assert not [p for p in fake.paths if s.build_id in p], fake.paths


@case
def missing_program(s):
    """The program itself is gone: its own file is fetched, too; on_disk stays what was found here."""
    away = s.program + ".away"
    whole, debug = open(away if os.path.exists(away) else s.program, "rb").read(), open(s.debug, "rb").read()

    def answer(handler):
        if s.build_id not in handler.path:
            return servers.send(b"", 404)(handler)
        return servers.send(whole if handler.path.endswith("/executable") else debug)(handler)

    os.rename(s.program, away)
    try:
        with servers.Fake(answer) as fake:
            without = s.triage()
            result = s.triage("--debuginfod", urls=fake.url)
    finally:
        os.rename(away, s.program)
    for one in (without, result):
        module = next(m for m in one.report["modules"] if m["name"] == "hidden")
        assert module["on_disk"] == "missing", module
    assert "hidden_step" not in without.names()
    assert result.names()[:3] == ["hidden_step", "hidden_caller", "main"], result.names()
    assert {s.build_id + ".debug", s.build_id + ".module"} <= set(result.kept()), result.kept()


@case
def wrong_build_id(s):
    other = os.path.join(s.folder, "other")
    subprocess.run(["cc", "-g", "-x", "c", "-", "-o", other], input=b"int hidden_step(void){return 1;}"
                   b"int main(void){return 0;}", check=True)
    with servers.Fake(servers.send(open(other, "rb").read())) as fake:
        result = s.triage("--debuginfod", urls=fake.url).expect_gap("another build-id")
    assert result.kept() == [], result.kept()


@case
def garbage(s):
    for data in (b"", b"<html>hello</html>", b"\x7fELF" + bytes(5000), os.urandom(100000)):
        with servers.Fake(servers.send(data)) as fake:
            result = s.triage("--debuginfod", urls=fake.url).expect_gap("debuginfod server")
        assert result.kept() == [], result.kept()

    def no_http(handler):
        handler.wfile.write(os.urandom(4000))

    with servers.Fake(no_http) as fake:
        s.triage("--debuginfod", urls=fake.url).expect_gap("debuginfod server")


@case
def slow(s):
    for answer in (servers.trickle, servers.silent):
        with servers.Fake(answer) as fake:
            result = s.triage("--debuginfod", "--timeout", str(SECONDS), urls=fake.url)
            result.expect_gap("too slow")
        assert result.seconds < 3 * SECONDS, f"{result.seconds:.1f} s"


@case
def giant(s):
    """10 GB, announced or not: cut at 512 MiB."""
    for answer in (servers.announced_giant, servers.unannounced_giant):
        with servers.Fake(answer) as fake:
            result = s.triage("--debuginfod", urls=fake.url)
            result.expect_gap("larger than 512 MiB")
        assert result.kept() == [], result.kept()


@case
def redirects(s):
    """Not to a file, not to another scheme, not to http on another machine; and within the rules it is followed."""
    for target in (f"file://{s.debug}", f"ftp://127.0.0.1/{s.build_id}", "gopher://127.0.0.1/", "//",
                   "http://127.0.0.1.nip.invalid/x"):
        with servers.Fake(servers.redirect(target)) as fake:
            result = s.triage("--debuginfod", urls=fake.url).expect_gap("debuginfod server")
        assert result.kept() == [], (target, result.kept())
    data = open(s.debug, "rb").read()
    with servers.Fake(servers.send(data)) as end:
        # 0.0.0.0 is this machine, but no loopback address: what it serves is not used
        away = end.url.replace("127.0.0.1", "0.0.0.0")
        with servers.Fake(servers.redirect(away + f"/buildid/{s.build_id}/debuginfo")) as fake:
            s.triage("--debuginfod", urls=fake.url).expect_gap("not used")
        with servers.Fake(servers.redirect(end.url + f"/buildid/{s.build_id}/debuginfo")) as fake:
            result = s.triage("--debuginfod", urls=fake.url)
        assert "hidden_step" in result.names(), result.names()


@case
def servers_that_are_not_asked(s):
    with servers.Fake(servers.send(open(s.debug, "rb").read())) as fake:
        port = fake.url.rsplit(":", 1)[1]
        for urls in (f"file://{s.served}", f"http://0.0.0.0:{port}", f"http://127.0.0.1.example.invalid:{port}",
                     f"http://127.0.0.1@127.0.0.1:{port}", f"ftp://127.0.0.1:{port}", "nonsense"):
            s.triage("--debuginfod", urls=urls).expect_gap("names no server by https", where="debuginfod")
        assert not fake.connections
        for urls in (None, "", "  "):
            s.triage("--debuginfod", urls=urls).expect_gap("names no server", where="debuginfod")
        # Of several only those that are allowed.
        result = s.triage("--debuginfod", urls=f"file:///etc {fake.url}  ftp://x")
        assert "hidden_step" in result.names(), result.names()
        # A proxy for http would be another machine.
        result = s.triage("--debuginfod", urls=fake.url, env={"http_proxy": "http://127.0.0.1:9"})
        assert "hidden_step" in result.names(), result.names()


@case
def nobody_there(s):
    result = s.triage("--debuginfod", urls=f"http://127.0.0.1:{servers.free_port()}")
    result.expect_gap("can be reached")


@case
def no_cache_folder(s):
    file = os.path.join(s.folder, "a-file")
    open(file, "w").close()
    with servers.Fake(servers.send(open(s.debug, "rb").read())) as fake:
        s.triage("--debuginfod", urls=fake.url, cache=file).expect_gap("cannot be made", where="debuginfod")
        # A link in place of the folder is not followed.
        cache = s.new_cache()
        target = tempfile.mkdtemp(dir=s.folder)
        os.makedirs(cache + "/inquest")
        os.symlink(target, cache + "/inquest/debuginfod")
        s.triage("--debuginfod", urls=fake.url, cache=cache).expect_gap("cannot be made", where="debuginfod")
        assert not os.listdir(target) and not fake.connections


@case
def scan_with_many(s):
    """Two workers at once; one file is fetched, and an absent one asked for once."""
    folder = tempfile.mkdtemp(dir=s.folder)
    for i in range(4):
        shutil.copy(s.core, os.path.join(folder, f"core.{i}"))
        old = time.time() - 60
        os.utime(os.path.join(folder, f"core.{i}"), (old, old))
    debug = open(s.debug, "rb").read()

    def answer(handler):
        servers.send(debug if s.build_id in handler.path else b"", 200 if s.build_id in handler.path else 404)(handler)

    with servers.Fake(answer) as fake:
        env = dict(os.environ, XDG_CACHE_HOME=s.new_cache(), DEBUGINFOD_URLS=fake.url)
        done = subprocess.run([s.inquest, "scan", "--json", "--no-store", "--klog", "none", "--debuginfod", "-j", "2",
                               folder], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) == 4, done.stderr
    for report in rows:
        thread = next(t for t in report["threads"] if t["crashed"])
        assert thread["frames"][0]["function"] == "hidden_step", thread["frames"][0]
    # Two may have asked before the first had it.
    assert 1 <= fake.paths.count(f"/buildid/{s.build_id}/debuginfo") <= 2, fake.paths


@case
def interrupted(s):
    """SIGINT while a server keeps us waiting: over at once, and nothing is left behind."""
    with servers.Fake(servers.silent) as fake:
        cache = s.new_cache()
        env = dict(os.environ, XDG_CACHE_HOME=cache, DEBUGINFOD_URLS=fake.url)
        child = subprocess.Popen([s.inquest, "triage", "--no-store", "--debuginfod", s.core], env=env,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not fake.paths:
            assert child.poll() is None
            time.sleep(0.01)
        started = time.monotonic()
        child.send_signal(signal.SIGINT)
        assert child.wait(timeout=20) == 130, child.returncode
        assert time.monotonic() - started < 5
    assert not os.listdir(cache + "/inquest/debuginfod"), os.listdir(cache + "/inquest/debuginfod")


@case
def who_has_sockets(s):
    """Only inquest-fetch makes one that leads anywhere, and it inherits no descriptor of a core."""
    if not shutil.which("strace"):
        return "strace is not installed"
    log = os.path.join(s.folder, "strace")
    with servers.Fake(servers.send(open(s.debug, "rb").read())) as fake:
        result = s.triage("--debuginfod", urls=fake.url, prefix=[
            "strace", "-f", "-qq", "-e", "trace=execve,socket,socketpair,connect,clone,clone3,vfork,fork,"
            "close_range,setresuid", "-o", log])
    assert "hidden_step" in result.names(), result.names()
    program, sockets = {}, {}
    parents = {}
    for line in open(log, errors="replace"):
        pid, call = line.split(None, 1)
        made = re.match(r"(?:clone3?|v?fork)\(.*= (\d+)$", call) or \
            re.match(r"<\.\.\. (?:clone3?|v?fork) resumed>.*= (\d+)$", call)
        if made:
            parents[made[1]] = pid
        started = re.match(r'execve\("([^"]+)"', call)
        if started:
            program[pid] = os.path.basename(started[1])
        if re.match(r"(socket|connect)\(", call):
            at = pid
            while at not in program and at in parents:
                at = parents[at]
            sockets.setdefault(program.get(at, "?"), []).append(call.strip())
    assert "inquest-worker" in program.values() and "inquest-fetch" in program.values(), program
    assert set(sockets) == {"inquest-fetch"}, sockets
    if os.geteuid() == 0:  # for others the memory of what is not dumpable is closed to strace
        assert any("127.0.0.1" in call for call in sockets["inquest-fetch"]), sockets
        assert re.search(r"setresuid\(65534, 65534, 65534\) += 0", open(log).read()), open(log).read()[-3000:]
    return None


@case
def open_descriptors(s):
    """/proc of the process that fetches: /dev/null, a pipe, and its own download."""
    with servers.Fake(servers.silent) as fake:
        env = dict(os.environ, XDG_CACHE_HOME=s.new_cache(), DEBUGINFOD_URLS=fake.url)
        child = subprocess.Popen([s.inquest, "triage", "--no-store", "--debuginfod", "--timeout", str(SECONDS), s.core],
                                 env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            while not fake.paths:
                assert child.poll() is None
                time.sleep(0.01)
            children = open(f"/proc/{child.pid}/task/{child.pid}/children").read().split()
            looked = set()
            for pid in children:
                name = open(f"/proc/{pid}/comm").read().strip()
                links = [os.readlink(p) for p in glob.glob(f"/proc/{pid}/fd/*")]
                if not links:
                    continue  # not dumpable: only root may look
                looked.add(name)
                if name == "inquest-fetch":
                    assert not [x for x in links if s.core in x or x.startswith("/") and x != "/dev/null"
                                and "/fetch." not in x and not x.startswith("/etc/")], links
                elif name == "inquest-worker":
                    assert len([x for x in links if x.startswith("socket:")]) == 1, links
            if os.geteuid() == 0:
                assert {"inquest-fetch", "inquest-worker"} <= looked, (looked, children)
        finally:
            child.wait(timeout=60)


@case
def text_says_how(s):
    """The text report names the ways to the missing names."""
    out = s.triage(text=True).out
    assert "--debuginfod" in out and s.build_id in out, out


def has_feature(inquest):
    out = subprocess.run([inquest, "--version"], stdout=subprocess.PIPE, check=True, text=True).stdout
    return "inquest-fetch: libdebuginfod" in out


def without_feature(s):
    """A build without it: the option is taken, and the report says what that means."""
    with servers.Fake(servers.send(open(s.debug, "rb").read())) as fake:
        result = s.triage("--debuginfod", urls=fake.url)
        result.expect_gap("without debuginfod", where="debuginfod")
        assert not fake.connections


def main():
    inquest = os.path.abspath(sys.argv[1])
    wanted = sys.argv[2:]
    try:
        zoo.check_cores_possible()
    except zoo.NoCores as why:
        print(f"skipped: {why}")
        return 77
    failed = skipped = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        setup = Setup(inquest, folder)
        cases = CASES if has_feature(inquest) else [off_by_default, without_feature]
        for function in cases:
            if wanted and function.__name__ not in wanted:
                continue
            try:
                why = function(setup)
            except (AssertionError, subprocess.TimeoutExpired) as error:
                failed += 1
                print(f"{function.__name__}: {error}")
                continue
            if why:
                skipped += 1
                print(f"skipped: {function.__name__}: {why}")
    print(f"debuginfod: {len(cases)} cases, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
