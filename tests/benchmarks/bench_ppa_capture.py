"""A ten-year PPA by the quarter hour: 350,688 intervals from terms to committed positions."""

import statistics
import time
from decimal import Decimal

import numpy as np
from django.db import connection

from energyopti.accounts.services.roles import synchronize_roles
from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.money import Side
from tests.factories.trades import RECEIVED_AT, Desk, make_desk
from trading import deals
from trading.deals import REFERENCE_MARKETS, AssetShare, Deal, Profile
from trading.services.lifecycle import cancel_trade

from .runner import Bench, benchmark

YEARS = DatePeriod(DatePeriod.year(2027).first, DatePeriod.year(2036).after)
ROUNDS = 5


@benchmark("ppa_capture")
def ppa_capture(bench: Bench) -> None:
    """Capture whole PPAs, each on top of the last, beside a COPY of their numbers alone."""
    synchronize_roles()
    desk = make_desk("PPA")
    agreed = ppa()
    intervals = agreed.schedule.volume.micro_mw.size
    captured, cancelled = [], []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        receipt = desk.deal(deal=agreed, reason="bench")
        captured.append(time.perf_counter() - started)
    started = time.perf_counter()
    cancel(desk, receipt.ref)
    cancelled.append(time.perf_counter() - started)
    reference = statistics.median(copy(agreed) for _ in range(ROUNDS))
    for what, values, target in (
        (f"capture of {intervals:,} intervals (target: 1 s)", captured, 3.0),
        ("its cancellation", cancelled, None),
    ):
        bench.record(
            what,
            value=statistics.median(values),
            unit="s",
            reference="COPY of the numbers alone",
            reference_value=reference,
            better="lower",
            target=target,
        )


def ppa() -> Deal:
    area = REFERENCE_MARKETS["DE"]
    count = int(area.calendar.span(YEARS).hours * 4)
    power = np.random.default_rng(3).uniform(0, 30, count)
    return deals.ppa(
        side=Side.BUY, area=area, period=YEARS,
        asset=AssetShare("WIND-7", Decimal(100), Decimal(30)),
        expected=Profile.of_floats(15, power), price=Decimal("57.25"),
    )  # fmt: skip


def cancel(desk: Desk, ref: str) -> None:
    cancel_trade(
        actor=desk.trader, ref=ref, expected_version=1, received_at=RECEIVED_AT, reason="bench"
    )


def copy(agreed: Deal) -> float:
    """Return the seconds of writing a row for each month with the same bytes."""
    row = agreed.schedule.volume.micro_mw.tobytes()
    size = len(row) // 120
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE bare (month int, micro_mw bytea)")
        started = time.perf_counter()
        with cursor.copy("COPY bare FROM STDIN") as stream:
            for month in range(120):
                stream.write_row((month, row[month * size : (month + 1) * size]))
        seconds = time.perf_counter() - started
        cursor.execute("DROP TABLE bare")
    return seconds
