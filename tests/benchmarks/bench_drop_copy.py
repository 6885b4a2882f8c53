"""Fills of a drop copy: what one read brings, booked together with all checks, and one by one."""

import time
from datetime import UTC, datetime

from energyopti.accounts.actors import Actor
from energyopti.accounts.services.roles import synchronize_roles
from risk.services.snapshots import build_snapshot
from tests.factories.risk import curve, quote_history
from tests.factories.trades import TRADED_AT, make_desk
from tests.trading.fix.reports import fill
from tests.trading.fix.venues import make_venue, system
from trading.markets.fix import decode
from trading.services.drop_copy import receive_messages

from .runner import Bench, benchmark

FILLS, ALONE, TOGETHER = 600, 40, 100
RECEIVED = datetime(2026, 11, 20, 17, 30, 1, tzinfo=UTC)
MONTHS = ("202701", "202702", "202703", "202704", "202706", "202709")


@benchmark("drop_copy")
def drop_copy(bench: Bench) -> None:
    """Measure messages to committed trades with their risk."""
    synchronize_roles()
    desk = make_desk()
    quote_history(desk.market, days=501)
    curve(desk.market)
    build_snapshot(actor=Actor.system("bench"), valued_at=TRADED_AT)
    venue = make_venue(desk)
    messages = [
        decode(
            fill(
                n + 2, f"E{n}", t32=str(1 + n % 9), t31=f"{80 + n % 11}.{n % 100:02d}",
                t54="12"[n % 2], t200=MONTHS[n % len(MONTHS)],
            )
        )
        for n in range(FILLS + ALONE)
    ]  # fmt: skip

    def took(some, at_once):
        started, worked = time.perf_counter(), time.process_time()
        for first in range(0, len(some), at_once):
            taken = receive_messages(
                actor=system(), venue=venue, messages=some[first : first + at_once],
                received_at=RECEIVED, source="bench",
            )  # fmt: skip
            assert {t.state for t in taken} == {"BOOKED"}, taken[0]
        return time.perf_counter() - started, time.process_time() - worked

    took(messages[:1], 1)
    alone, _ = took(messages[1:ALONE], 1)
    whole, work = took(messages[ALONE:], TOGETHER)
    rate = FILLS / whole
    bench.record(
        f"fills booked {TOGETHER} at once (target: 50/s)",
        value=rate, unit="/s", reference="the target", reference_value=50, better="higher",
        target=1.0,
    )  # fmt: skip
    bench.record(
        "the same",
        value=rate, unit="/s", reference="one by one", reference_value=(ALONE - 1) / alone,
        better="higher",
    )  # fmt: skip
    bench.record(
        "of it, work of this process and not of the database",
        value=work, unit="s", reference="the whole", reference_value=whole, better="lower",
    )  # fmt: skip
