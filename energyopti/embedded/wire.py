"""The three smallest questions that only a living server answers: one per protocol."""

import socket
import struct

TIMEOUT_SECONDS = 2.0


def _ask(port: int, question: bytes, *, enough: int) -> bytes:
    """Return the first bytes of the answer on 127.0.0.1:`port`, empty when there is none."""
    answer = b""
    try:
        with socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS) as connection:
            connection.sendall(question)
            while len(answer) < enough and (chunk := connection.recv(enough)):
                answer += chunk
    except OSError:
        return b""
    return answer


def postgres_answers(port: int, *, user: str, database: str) -> bool:
    """
    Tell whether PostgreSQL lets `user` begin to sign in.

    While it starts, recovers or stops it sends an error instead of an authentication request.
    """
    names = f"user\0{user}\0database\0{database}\0\0".encode()
    startup = struct.pack("!II", 8 + len(names), 3 << 16) + names
    return _ask(port, startup, enough=1) == b"R"


def valkey_answers(port: int, *, password: str) -> bool:
    """Tell whether Valkey takes the password and commands; it refuses them while it loads."""
    secret = password.encode()
    question = b"*2\r\n$4\r\nAUTH\r\n$%d\r\n%s\r\n*1\r\n$4\r\nPING\r\n" % (len(secret), secret)
    return _ask(port, question, enough=12) == b"+OK\r\n+PONG\r\n"


def mqtt_answers(port: int) -> bool:
    """Tell whether an MQTT broker accepts a client (3.1.1, clean session, name of its choice)."""
    connect = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x05\x00\x00"
    # DISCONNECT in the same breath: the broker answers CONNECT first, and forgets us.
    return _ask(port, connect + b"\xe0\x00", enough=4)[:4] == b"\x20\x02\x00\x00"
