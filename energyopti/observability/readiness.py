"""
What this process needs in order to serve: probed when asked, each part in a second or two.

Higher apps may add parts (`READINESS.register("broker bridge", probe)`).
"""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor

from energyopti.foundation.registry import Registry

TIMEOUT_SECONDS: Final = 2.0


class NotReady(Exception):
    """A part does not answer; the message is for operators and names no address or secret."""


@dataclass(frozen=True)
class Part:
    """The answer of one part: `problem` is empty when it is ready."""

    name: str
    problem: str

    @property
    def is_ready(self) -> bool:
        return not self.problem


READINESS: Registry[Callable[[], None]] = Registry("readiness probes")


def probe_all() -> list[Part]:
    """Ask every part, in the order of their registration; one that fails does not stop the rest."""
    parts = []
    for name, probe in READINESS.items():
        try:
            probe()
        except NotReady as problem:
            parts.append(Part(name, str(problem)))
        else:
            parts.append(Part(name, ""))
    return parts


def database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError) as error:
        raise NotReady("The database does not answer.") from error


def migrations() -> None:
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except (DatabaseError, InterfaceError) as error:
        raise NotReady("The database does not answer.") from error
    if waiting:
        raise NotReady(f"{len(waiting)} migrations wait; run manage.py migrate.")


def redis() -> None:
    from redis import Redis
    from redis.exceptions import RedisError

    try:
        client = Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=TIMEOUT_SECONDS,
            socket_timeout=TIMEOUT_SECONDS,
        )
        try:
            client.ping()
        finally:
            client.close()
    except RedisError as error:
        raise NotReady("Redis does not answer.") from error


def mqtt() -> None:
    """Open and close a connection to the broker's port; whether it lets us in is the bridge's."""
    address = urlsplit(settings.MQTT_URL)
    port = address.port or (8883 if address.scheme == "mqtts" else 1883)
    try:
        with socket.create_connection((address.hostname or "", port), timeout=TIMEOUT_SECONDS):
            return
    except OSError as error:
        raise NotReady("The MQTT broker does not answer.") from error


def register_probes() -> None:
    for name, probe in (
        ("database", database),
        ("migrations", migrations),
        ("redis", redis),
        ("mqtt", mqtt),
    ):
        READINESS.register(name, probe)
