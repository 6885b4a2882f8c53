"""The event log: rows through a durable follower, and the way from commit to handler."""

import statistics
import threading
import time
from dataclasses import dataclass

import psycopg
from django.conf import settings
from django.db import connection, transaction

from energyopti.foundation.events.followers import Follower
from energyopti.foundation.events.models import Event
from energyopti.foundation.events.relay import advance, ensure_cursor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.events.workers import FollowerWorker

from .runner import Bench, benchmark

EVENTS = 20_000
ROUNDS = 150
COLUMNS = "event_id, key, number"


@dataclass(frozen=True)
class Writer:
    id: str = "user:bench"
    on_behalf_of: str = ""
    request_id: str = ""


def conninfo() -> str:
    database = connection.settings_dict
    return psycopg.conninfo.make_conninfo(
        host=database["HOST"],
        port=database["PORT"],
        user=database["USER"],
        password=database["PASSWORD"],
        dbname=database["NAME"],
    )


def record(number: int) -> None:
    with transaction.atomic():
        record_event(
            type="bench.happened",
            actor=Writer(),
            aggregate_type="bench",
            aggregate_id=number % 50,
            organization_id=None,
            payload={"number": number, "price": "41.37", "note": "x" * 100},
        )


def fill_log() -> None:
    """Append events by hand: their writing is not what is measured."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO events_event (uid, version, type, aggregate_type, aggregate_id, key,"
            " actor_id, on_behalf_of, request_id, payload, changes)"
            " SELECT gen_random_uuid(), 1, 'bench.happened', 'bench', mod(n, 50),"
            " 'bench:' || mod(n, 50), 'user:bench', '', '', "
            " jsonb_build_object('number', n, 'note', repeat('x', 100)), '{}'"
            " FROM generate_series(1, %s) AS n",
            [EVENTS],
        )


@benchmark("events_throughput")
def events_throughput(bench: Bench) -> None:
    """Compare reading the log, and one insert an event, with the same inserts by themselves."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE events_event CASCADE")
        cursor.execute("CREATE TABLE bench_applied (event_id bigint, key text, number int)")
    insert = f"INSERT INTO bench_applied ({COLUMNS}) VALUES (%s, %s, %s)"

    def apply(event: Event) -> None:
        with connection.cursor() as cursor:
            cursor.execute(insert, [event.pk, event.key, event.payload["number"]])

    fill_log()
    rows = [
        (event.pk, event.key, event.payload["number"])
        for event in Event.objects.order_by("id").iterator()
    ]
    started = time.perf_counter()
    for first in range(0, EVENTS, 500):
        with transaction.atomic(), connection.cursor() as cursor:
            for row in rows[first : first + 500]:
                cursor.execute(insert, row)
    plain = EVENTS / (time.perf_counter() - started)
    started = time.perf_counter()
    with psycopg.connect(conninfo()) as direct, direct.cursor() as cursor:
        with cursor.copy(f"COPY bench_applied ({COLUMNS}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        direct.commit()
        copied = EVENTS / (time.perf_counter() - started)
    rates = {
        name: relay(Follower(name, handle))
        for name, handle in (("bench-apply", apply), ("bench-read", lambda event: None))
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM bench_applied")
        assert cursor.fetchone() == (3 * EVENTS,)
        cursor.execute("DROP TABLE bench_applied")
    bench.record(
        "follower that inserts a row an event",
        value=rates["bench-apply"],
        unit="events/s",
        reference="the same INSERTs alone, 500 a transaction",
        reference_value=plain,
        target=0.25,  # reading costs no more than three inserts
    )
    bench.record(
        "follower that inserts a row an event",
        value=rates["bench-apply"],
        unit="events/s",
        reference="COPY of the same rows",
        reference_value=copied,
    )
    bench.record(
        "follower that does nothing",
        value=rates["bench-read"],
        unit="events/s",
        reference="the same INSERTs alone, 500 a transaction",
        reference_value=plain,
    )


def relay(follower: Follower) -> float:
    """Return the events per second of a follower that reads the whole log."""
    ensure_cursor(follower)
    count = 0
    started = time.perf_counter()
    while (step := advance(follower)).more:
        count += step.events
    count += step.events
    seconds = time.perf_counter() - started
    assert count == EVENTS
    return count / seconds


@benchmark("events_latency")
def events_latency(bench: Bench) -> None:
    """Compare commit to handler, woken by NOTIFY, with a poll every 100 ms."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE events_event CASCADE")
    settings.DATABASE_DIRECT_URL = conninfo()
    arrived = threading.Event()
    times = [0.0]

    def note(event: Event) -> None:
        times[0] = time.perf_counter()
        arrived.set()

    def measure() -> list[float]:
        delays = []
        for number in range(ROUNDS):
            arrived.clear()
            record(number)
            committed = time.perf_counter()
            assert arrived.wait(5)
            delays.append((times[0] - committed) * 1000)
            time.sleep(0.003 * (number % 7))  # no beat in common with the poll
        return sorted(delays)

    stop = threading.Event()
    worker = FollowerWorker(Follower("bench-woken", note), conninfo(), stop)
    worker.start()
    assert worker.leading.wait(10)
    woken = measure()
    stop.set()
    worker.join()
    polled_until = threading.Event()
    poller = threading.Thread(target=poll, args=(Follower("bench-polled", note), polled_until))
    poller.start()
    time.sleep(1)
    polled = measure()
    polled_until.set()
    poller.join()
    for name, value, reference in (
        ("p50", statistics.median(woken), statistics.median(polled)),
        ("p95", woken[int(0.95 * ROUNDS)], polled[int(0.95 * ROUNDS)]),
    ):
        bench.record(
            f"commit to handler, {name}",
            value=value,
            unit="ms",
            reference="the same follower polling every 100 ms",
            reference_value=reference,
            better="lower",
            target=0.5,
        )


def poll(follower: Follower, until: threading.Event) -> None:
    ensure_cursor(follower)
    while not until.wait(0.1):
        advance(follower)
    connection.close()
