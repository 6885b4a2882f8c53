"""A ten-year PPA by the quarter hour: 350,688 intervals captured, and valued."""

import statistics
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
from django.db import connection

from energyopti.accounts.services.roles import synchronize_roles
from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.money import Side
from tests.factories.curves import SYSTEM
from tests.factories.trades import RECEIVED_AT, Desk, make_desk
from trading import deals
from trading.deals import REFERENCE_MARKETS, AssetShare, Deal, Profile
from trading.models import PublicationPolicy, QuoteQuality
from trading.services.curve_definitions import define_curve
from trading.services.curves import build_version
from trading.services.lifecycle import cancel_trade
from trading.services.quotes import QuoteDraft, book_quotes
from trading.services.valuation import value_organization

from .runner import Bench, benchmark

YEARS = DatePeriod(DatePeriod.year(2027).first, DatePeriod.year(2036).after)
CLOSE = datetime(2026, 11, 20, 17, tzinfo=UTC)
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


@benchmark("ppa_value")
def ppa_value(bench: Bench) -> None:
    """Value one PPA on a curve of ten years: the arrays alone, and from rows to stored values."""
    from trading.queries.valuation import Universe, books_of, cut_facts, market_facts
    from trading.valuation import value_holdings

    synchronize_roles()
    desk = make_desk("PPA value")
    agreed = ppa()
    desk.deal(deal=agreed, reason="bench")
    define_curve(
        actor=SYSTEM, market=desk.market, code="MARK",
        policy=PublicationPolicy(PublicationPolicy.AUTOMATIC),
    )  # fmt: skip
    drafts = [
        QuoteDraft(f"Cal{year}", Decimal(95 - year // 2), CLOSE, "BASE") for year in range(27, 37)
    ]
    book_quotes(
        actor=SYSTEM, market=desk.market, drafts=drafts, source="bench",
        quality=QuoteQuality(QuoteQuality.SETTLEMENT),
    )  # fmt: skip
    build_version(actor=SYSTEM, definition=desk.market.curve_definitions.get(), as_of=CLOSE)
    organization = desk.organization.pk
    stored = []
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        run = value_organization(
            actor=SYSTEM, organization_id=organization, as_of=CLOSE + timedelta(hours=1)
        )
        stored.append(time.perf_counter() - started)
    assert (run.trades, run.unvalued, run.findings) == (1, 0, [])
    universe = Universe()
    cut = {"as_of": run.as_of, "known_at": run.known_at}
    facts = cut_facts(universe, books_of(organization), **cut)
    state = market_facts(universe, **cut).state
    holdings = facts.holdings(len(universe.lines))
    intervals = sum(row.megawatts.size for row in holdings.profiles)
    assert intervals == agreed.schedule.volume.micro_mw.size
    seconds = []
    for _ in range(5 * ROUNDS):
        started = time.perf_counter()
        valued = value_holdings(universe.contracts, holdings, state)
        seconds.append(time.perf_counter() - started)
    total = Decimal(valued.total[0]).quantize(Decimal("0.01"))
    assert abs(run.values.get().unrealised - total) <= Decimal("0.01")
    for what, value, reference, limit, target in (
        (f"value of {intervals:,} intervals", statistics.median(seconds), "20 ms", 0.020, 1.0),
        ("from rows to stored values", statistics.median(stored[1:]), "one second", 1.0, 1.0),
        ("the same, first run of a process: builds the curve", stored[0], "one second", 1.0, None),
    ):
        bench.record(
            what, value=value, unit="s", reference=reference, reference_value=limit,
            better="lower", target=target,
        )  # fmt: skip


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
