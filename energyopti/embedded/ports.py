"""Ports on 127.0.0.1 for servers whose address is nobody's habit."""

import random
import socket
from pathlib import Path

EPHEMERAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
LOWEST_PORT = 10_240


def is_free(port: int) -> bool:
    """Tell whether a server could listen on 127.0.0.1:`port` now."""
    with socket.socket() as probe:
        # As the servers do: connections of a dead predecessor in TIME_WAIT are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """
    Return a port on which nothing listens, below the range of outgoing connections.

    A port the kernel would hand out itself could be taken, while its server restarts, by the very
    clients that try to reach it again (a loopback connection may even connect to itself).
    """
    try:
        ephemeral_start = int(EPHEMERAL_RANGE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        ephemeral_start = 0
    if ephemeral_start - LOWEST_PORT >= 1_000:
        for port in random.SystemRandom().sample(range(LOWEST_PORT, ephemeral_start), 200):
            if is_free(port):
                return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
