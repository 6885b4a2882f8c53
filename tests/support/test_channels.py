"""Messaging addresses: everything that leads inward is refused, at save and at send."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.channels import (
    AddressRefused,
    ChannelRefused,
    check_channel,
    check_public_host,
    send_message,
)

# apprise imports a module of the standard library that Python 3.13 no longer has.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")

INWARD = [
    "127.0.0.1",
    "localhost",
    "[::1]",
    "169.254.169.254",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.1",
    "::ffff:127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "fe80::1%eth0",
    "fc00::1",
    "",
]


@pytest.mark.parametrize("host", INWARD)
def test_inward_host_is_refused(host: str) -> None:
    with pytest.raises(AddressRefused, match="host"):
        check_public_host(host, allow_private=False)


@given(st.ip_addresses(v=4, network="10.0.0.0/8") | st.ip_addresses(v=6, network="fc00::/7"))
def test_no_private_address_passes(address: object) -> None:
    with pytest.raises(AddressRefused):
        check_public_host(str(address), allow_private=False)


def test_one_private_address_of_a_name_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(2, 1, 6, "", ("93.184.216.34", 0)), (2, 1, 6, "", ("10.0.0.7", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    with pytest.raises(AddressRefused, match=r"10\.0\.0\.7"):
        check_public_host("rebind.example", allow_private=False)


def test_public_address_passes() -> None:
    assert check_public_host("93.184.216.34", allow_private=False) == ["93.184.216.34"]


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://10.0.0.1",
        "http://93.184.216.34/",
        "syslog://",
        "json://127.0.0.1/hook",
        "jsons://[::1]/hook",
        "jsons://93.184.216.34/hook?redirect=yes",
        "slack://short",
        "ntfy://10.0.0.1/topic",
    ],
)
def test_address_that_may_not_be_used_is_refused(url: str) -> None:
    with pytest.raises(ChannelRefused, match="channel_url"):
        check_channel(url)


class _Hook(BaseHTTPRequestHandler):
    status = 200
    bodies: list[bytes] = []

    def do_POST(self) -> None:
        type(self).bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(type(self).status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        return None


@pytest.fixture
def hook(settings: Any) -> Any:
    settings.SUPPORT_ALLOW_PRIVATE_CHANNELS = True
    _Hook.status, _Hook.bodies = 200, []
    server = HTTPServer(("127.0.0.1", 0), _Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_message_arrives(hook: HTTPServer) -> None:
    send_message(f"json://127.0.0.1:{hook.server_port}/hook", subject="Peak", body="312.5 > 150")

    assert len(_Hook.bodies) == 1
    assert b"312.5 > 150" in _Hook.bodies[0]


@pytest.mark.parametrize("status", [302, 307, 500])
def test_redirect_and_error_are_failures_and_not_followed(hook: HTTPServer, status: int) -> None:
    _Hook.status = status

    with pytest.raises(ConnectionError, match="did not take"):
        send_message(f"json://127.0.0.1:{hook.server_port}/hook", subject="Peak", body="x")
    assert len(_Hook.bodies) == 1


def test_address_is_checked_again_when_sent() -> None:
    with pytest.raises(ChannelRefused):
        send_message("json://127.0.0.1:1/hook", subject="Peak", body="x")
