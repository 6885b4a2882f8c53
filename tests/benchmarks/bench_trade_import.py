"""Ten thousand trades from a file, with all checks, beside a plain COPY of the same cells."""

import os
import time
from datetime import timedelta
from pathlib import Path

from django.db import connection

from energyopti.accounts.actors import Actor
from energyopti.accounts.services.roles import synchronize_roles
from risk.services.snapshots import build_snapshot
from tests.factories.risk import curve, quote_history
from tests.factories.trades import RECEIVED_AT, TRADED_AT, make_desk
from trading.services.trade_files import RowState, import_trades

from .runner import Bench, benchmark

ROWS = 10_000
# A desk's year: months, quarters and years, base and peak.
PERIODS = ("Jan27", "Feb27", "Mar27", "Q1-27", "Q2-27", "Q3-27", "Cal27", "Cal28")
COLUMNS = (
    "basis", "book", "counterparty", "traded_at", "client_reference", "product", "side",
    "quantity", "unit", "market", "shape", "period", "price", "reason",
)  # fmt: skip


@benchmark("trade_import")
def trade_import(bench: Bench) -> None:
    """Measure reading, checking and writing in one transaction."""
    synchronize_roles()
    desk = make_desk()
    quote_history(desk.market, days=501)
    curve(desk.market)
    build_snapshot(actor=Actor.system("bench"), valued_at=TRADED_AT)
    rows = [cells(number) for number in range(ROWS)]
    content = "\n".join(",".join(row) for row in (COLUMNS, *rows)).encode()
    started, worked_before = time.perf_counter(), time.process_time() + database_seconds()
    found = import_trades(
        actor=desk.trader, name="deals.csv", content=content, received_at=RECEIVED_AT
    )
    taken = time.perf_counter() - started
    worked = time.process_time() + database_seconds() - worked_before
    assert found.count(RowState.NEW) == ROWS, found.refusals[:3]
    bench.record(
        "10,000 rows with all checks (target: 20 s)",
        value=taken, unit="s", reference="the target", reference_value=20, better="lower",
        target=1.0,
    )  # fmt: skip
    bench.record(
        "of it, processor time of this process and of its database connection",
        value=worked, unit="s", reference="the target", reference_value=20, better="lower",
        target=1.0,
    )  # fmt: skip
    bench.record(
        "the same",
        value=taken, unit="s", reference="COPY FROM STDIN of its cells",
        reference_value=plain_copy(rows), better="lower",
    )  # fmt: skip


def database_seconds() -> float:
    """Return the processor time of the connection's server process, which runs beside us."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    # Fields 14 and 15 of proc(5), counted from behind the name, which may hold anything.
    used = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return sum(map(int, used)) / os.sysconf("SC_CLK_TCK")


def cells(number: int) -> tuple[str, ...]:
    at = TRADED_AT - timedelta(minutes=number % 400)
    return (
        ("ORDER", "FILL")[number % 10 == 9], "EU", "ACME", at.isoformat(), f"bench-{number}",
        "PHYSICAL_FORWARD", ("BUY", "SELL")[number % 2], str(number % 7 + 1), "MW", "DE",
        ("BASE", "BASE", "BASE", "PEAK")[number % 4], PERIODS[number % len(PERIODS)],
        f"{80 + number % 500 / 50:.2f}", "agreed on the phone",
    )  # fmt: skip


def plain_copy(rows: list[tuple[str, ...]]) -> float:
    with connection.cursor() as cursor:
        names = ", ".join(f"{name} text" for name in COLUMNS)
        cursor.execute(f"CREATE TEMPORARY TABLE plain_rows ({names})")
        started = time.perf_counter()
        with cursor.copy("COPY plain_rows FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return time.perf_counter() - started
