"""Attacks 21 and 23 on real servers: huge, endless and ambiguous bodies over WSGI and ASGI."""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PATH = "/api/v1/sample/open/"
SERVERS = {
    "asgi": ["-m", "uvicorn", "tests.security.api_server:asgi", "--log-level=warning"],
    "wsgi": [
        "-m",
        "granian",
        "--interface=wsgi",
        "--log-level=warning",
        "tests.security.api_server:wsgi",
    ],
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A real server process with the sample API, and what it used of memory."""

    def __init__(self, kind):
        self.port = free_port()
        arguments = [sys.executable, *SERVERS[kind], "--host=127.0.0.1", f"--port={self.port}"]
        self.process = subprocess.Popen(
            arguments,
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.security.api_settings"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline:
            try:
                status, _ = self.send("GET", b"")
            except OSError:
                time.sleep(0.1)
                continue
            assert status == 200
            return
        raise AssertionError(f"the {kind} server did not start")

    def send(self, method, body, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, PATH, body, {"Content-Type": "application/json", **headers})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def memory_mb(self):
        """Resident memory of the process and its children, at their highest."""
        children = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True
        ).stdout.split()
        peak_kb = 0
        for pid in [str(self.process.pid), *children]:
            status = Path(f"/proc/{pid}/status").read_text()
            peak_kb += int(status.split("VmHWM:")[1].split()[0])
        return peak_kb / 1024

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture(scope="module", params=SERVERS)
def server(request):
    server = Server(request.param)
    yield server
    server.stop()


pytestmark = pytest.mark.slow


def test_fifty_megabytes_are_refused_by_their_length(server):
    before_mb = server.memory_mb()

    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as peer:
        peer.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "Content-Length: 52428800\r\nConnection: close\r\n\r\n".encode()
        )
        # The server may answer and close before it has read it all.
        feeder = threading.Thread(target=feed, args=(peer, 52_428_800), daemon=True)
        feeder.start()
        answer = read_answer(peer)

    assert answer.startswith(b"HTTP/1.1 413")
    assert b'"code": "body_too_large"' in answer or b'"code":"body_too_large"' in answer
    assert server.memory_mb() - before_mb < 100


def feed(peer, size):
    piece = b" " * 65536
    try:
        for _ in range(size // len(piece)):
            peer.sendall(piece)
    except OSError:
        return  # it has been told no


def read_answer(peer):
    answer = b""
    try:
        while piece := peer.recv(65536):
            answer += piece
            if b"\r\n\r\n" in answer and b"}" in answer:
                break
    except ConnectionResetError:
        pass
    return answer


@pytest.mark.parametrize("pieces", [160, 1600], ids=["10 MB", "100 MB"])
def test_a_body_without_a_length_is_refused(server, pieces):
    before_mb = server.memory_mb()

    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as peer:
        peer.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n".encode()
        )
        feeder = threading.Thread(target=feed_chunks, args=(peer, pieces), daemon=True)
        feeder.start()
        answer = read_answer(peer)

    assert answer.startswith(b"HTTP/1.1 413"), answer[:300]
    assert server.memory_mb() - before_mb < 100
    assert server.send("GET", b"")[0] == 200


def feed_chunks(peer, pieces):
    piece = b" " * 65536
    try:
        for _ in range(pieces):
            peer.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        peer.sendall(b"0\r\n\r\n")
    except OSError:
        return  # it has been told no


def test_a_small_chunked_body_is_read_and_not_taken_for_empty(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as peer:
        peer.sendall(
            f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
            '8\r\n{"a": 1}\r\n0\r\n\r\n'.encode()
        )
        answer = read_answer(peer)

    assert b'{"received":{"a":1}}' in answer


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'{"a": 1, "a": 2}',
        b'{"a": 1e400}',
        b'{"a": ' + b"9" * 10_000 + b"}",
        b'{"a": "\\ud800"}',
        b'{"a": "\\u0000"}',
        b"\xff\xfe\x00",
    ],
    ids=["arrays", "objects", "twice", "1e400", "integer", "surrogate", "nul", "bytes"],
)
def test_an_ambiguous_body_is_refused_and_the_server_lives(server, body):
    status, problem = server.send("POST", body)

    assert status == 400 and problem["code"] != "internal_error"
    assert server.send("GET", b"")[0] == 200
