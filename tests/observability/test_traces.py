"""Traces cost nothing until the environment names a collector, and reach it then."""

import http.server
import os
import subprocess
import sys
import threading

import pytest

pytestmark = pytest.mark.slow


def run(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "energyopti.settings.test", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def test_no_exporter_is_imported_without_a_collector() -> None:
    # redis-py imports the metrics part of the SDK by itself, wherever it is installed.
    code = (
        "import django, sys; django.setup();"
        "print(any(n.startswith(('opentelemetry.exporter', 'opentelemetry.instrumentation'))"
        " for n in sys.modules))"
    )

    assert run(code, OTEL_EXPORTER_OTLP_ENDPOINT="") == "False"


def test_request_reaches_the_collector_as_a_span() -> None:
    received: list[tuple[str, bytes]] = []

    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((self.path, body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    code = (
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "print(Client().get('/health/live').status_code)\n"
        "from opentelemetry import trace\n"
        "trace.get_tracer_provider().force_flush()\n"
    )
    try:
        output = run(code, OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    assert output.splitlines()[-1] == "200"
    assert any(path == "/v1/traces" and b"health/live" in body for path, body in received)
