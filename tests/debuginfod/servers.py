# SPDX-License-Identifier: Apache-2.0
"""Servers on 127.0.0.1 for the tests of --debuginfod: Debian's own, and one that misbehaves as it is told."""
import http.server
import os
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Debuginfod:
    """The program of Debian's package of that name, over one folder."""

    def __init__(self, folder, scratch):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = open(os.path.join(scratch, "debuginfod.log"), "wb")
        self.process = subprocess.Popen(
            ["debuginfod", "-d", os.path.join(scratch, "debuginfod.sqlite"), "-p", str(self.port), "-F", folder],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, cwd=scratch,
            env={k: v for k, v in os.environ.items() if k != "DEBUGINFOD_URLS"})

    def wait_for(self, build_id):
        """Until it has indexed the folder."""
        for _ in range(600):
            try:
                with urllib.request.urlopen(f"{self.url}/buildid/{build_id}/debuginfo", timeout=5) as answer:
                    answer.read()
                    return
            except (urllib.error.URLError, OSError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise AssertionError("debuginfod does not serve the file: " + open(self.log.name, errors="replace").read()[-800:])

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()


class Fake:
    """Answers every request by `answer(handler)`, and remembers the paths that were asked for."""

    def __init__(self, answer):
        paths = self.paths = []
        self.connections = connections = []
        self.stopping = stopping = threading.Event()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                connections.append(self.client_address)
                super().setup()

            def do_GET(self):
                paths.append(self.path)
                self.close_connection = True
                self.stopping = stopping
                try:
                    answer(self)
                except OSError:
                    pass

            do_HEAD = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def send(data, code=200, **headers):
    """An answer with these bytes."""
    def answer(handler):
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)
    return answer


def redirect(target):
    return send(b"", 302, Location=target)


def trickle(handler):
    """A byte now and then, for ever."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    while not handler.stopping.wait(0.2):
        handler.wfile.write(b"\x7f")
        handler.wfile.flush()


def silent(handler):
    handler.stopping.wait(120)


def announced_giant(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", str(10 << 30))
    handler.end_headers()
    pour(handler)


def unannounced_giant(handler):
    handler.send_response(200)
    handler.end_headers()
    pour(handler)


def pour(handler):
    block = bytes(1 << 20)
    for _ in range(10 << 10):
        handler.wfile.write(block)
