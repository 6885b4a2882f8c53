"""
Write events until killed or told to stop; note in a file each that the database acknowledged.

Started by the kill test as `python -m tests.foundation.events.writer_process NAME FILE`.
"""

import contextlib
import os
import random
import signal
import sys
import threading
import time

import django

KEYS = 6


def main(name: str, path: str) -> None:
    django.setup()
    from django.db import DatabaseError, connection

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    print("ready", flush=True)
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    numbers: dict[str, int] = {}
    while not stop.is_set():
        try:
            if not numbers:
                numbers = next_numbers(name)
            written = write(name, numbers)
        except DatabaseError:
            # Whether the last transaction was committed is unknown: ask when the database is back.
            numbers = {}
            with contextlib.suppress(DatabaseError):
                connection.close()
            time.sleep(0.05)
        else:
            os.write(file, "".join(f"{key} {number}\n" for key, number in written).encode())


def next_numbers(name: str) -> dict[str, int]:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key, max((payload->>'number')::int) FROM events_event"
            " WHERE aggregate_type = 'kill' AND aggregate_id = %s GROUP BY key",
            [name],
        )
        latest = dict(cursor.fetchall())
    return {key: latest.get(key, -1) + 1 for key in (f"{name}-{i}" for i in range(KEYS))}


def write(name: str, numbers: dict[str, int]) -> list[tuple[str, int]]:
    """Commit one to three events; some transactions linger, so that ids commit out of order."""
    from django.db import transaction

    from energyopti.foundation.events.services import record_event

    from .conftest import Somebody

    written = []
    with transaction.atomic():
        for _ in range(random.randint(1, 3)):
            key = random.choice(list(numbers))
            record_event(
                type="kill.happened",
                actor=Somebody(),
                aggregate_type="kill",
                aggregate_id=name,
                organization_id=None,
                key=key,
                payload={"number": numbers[key]},
            )
            written.append((key, numbers[key]))
            numbers[key] += 1
        if random.random() < 0.1:
            time.sleep(random.random() * 0.02)
    return written


if __name__ == "__main__":
    main(*sys.argv[1:])
