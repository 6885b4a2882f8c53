import socket
from pathlib import Path

import pytest

from energyopti.embedded import ports
from energyopti.embedded.ports import free_port, is_free


def test_port_that_somebody_listens_on_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not is_free(server.getsockname()[1])


def test_port_whose_connections_only_linger_is_free() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)):
        accepted, _ = server.accept()
        accepted.close()  # the side that closes first keeps the connection in TIME_WAIT
    server.close()

    assert is_free(port)


def test_chosen_port_is_free_and_below_outgoing_connections() -> None:
    ephemeral_start = int(ports.EPHEMERAL_RANGE.read_text().split()[0])

    chosen = {free_port() for _ in range(20)}

    assert all(is_free(port) for port in chosen)
    if ephemeral_start > 11_240:
        assert max(chosen) < ephemeral_start
        assert len(chosen) > 1


@pytest.mark.parametrize("content", ["1024 65535", "", "no numbers"])
def test_kernel_chooses_where_outgoing_connections_leave_no_room(
    folder: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    (folder / "range").write_text(content)
    monkeypatch.setattr(ports, "EPHEMERAL_RANGE", folder / "range")

    assert is_free(free_port())


def test_kernel_chooses_where_there_is_no_proc(folder: Path, monkeypatch) -> None:
    monkeypatch.setattr(ports, "EPHEMERAL_RANGE", folder / "missing")

    assert is_free(free_port())
