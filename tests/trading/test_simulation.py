"""The simulator writes the tables that files write, and its curve says what its quotes say."""

from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from energyopti.accounts.actors import Actor
from energyopti.foundation.intervals import Interval
from tests.factories.trading import make_market
from trading.models import CurvePoint, Market, Quote, QuoteQuality
from trading.queries.curves import NoCurve, latest_snapshot, market_curve
from trading.queries.prices import price_series
from trading.queries.quotes import quote_history, quotes_at
from trading.services.catalogue import ensure_catalogue
from trading.services.curves import NoQuotes, build_market_curve
from trading.services.quotes import QuoteDraft, QuoteRefused, book_quotes
from trading.services.simulation import NotSimulated, simulate_market

pytestmark = pytest.mark.django_db
RECEIVED = datetime(2026, 11, 21, 8, tzinfo=UTC)
SYSTEM = Actor.system("test")


def simulate(**changes):
    arguments = {
        "actor": SYSTEM,
        "code": "SIM",
        "trading_days": 20,
        "until": date(2026, 11, 21),
        "seed": 7,
        "received_at": RECEIVED,
    }
    return simulate_market(**{**arguments, **changes})


@pytest.mark.parametrize(
    ("options", "days", "prices_from", "hours", "quotes"),
    [
        (["--days", "60"], 61, date(2026, 8, 28), 86 * 24 + 1, "1,830"),
        pytest.param([], 501, date(2024, 12, 20), 702 * 24, "15,030", marks=pytest.mark.slow),
    ],
)
def test_days_are_there_for_prices_and_for_every_quote_kind(
    capsys, options, days, prices_from, hours, quotes
):
    call_command("simulate_market", "SIM", "--until", "2026-11-21", "--seed", "7", *options)

    market = Market.objects.get(code="SIM")
    end = datetime(2026, 11, 21, 23, tzinfo=UTC)
    history = quote_history(market, first=datetime(2024, 1, 1, tzinfo=UTC), latest=end)
    spot = price_series(market, Interval(market.calendar.start_of(prices_from), end))
    assert market.is_simulated
    assert len(history.days) == days
    assert (np.isfinite(history.values).sum(axis=1) == 15).all()
    assert np.isfinite(history.values[:, history.contracts.index("Cal27")]).all()
    assert len(spot.require_complete().starts) == hours
    assert 0 < (spot.values < 0).mean() < 0.1
    peaks = quote_history(market, first=datetime(2024, 1, 1, tzinfo=UTC), latest=end, load="PEAK")
    assert (peaks.days, peaks.contracts) == (history.days, history.contracts)
    assert (np.isfinite(peaks.values) == np.isfinite(history.values)).all()
    assert f"{quotes} new quotes" in capsys.readouterr().out


def test_asking_again_books_nothing_and_a_later_day_adds_to_the_same_world():
    first = simulate()
    again = simulate()
    longer = simulate(until=date(2026, 11, 24), trading_days=22)

    assert first.prices.values_new > 0 and first.quotes.new == 21 * 15
    assert (again.prices.values_new, again.prices.values_corrected, again.quotes.new) == (0, 0, 0)
    assert longer.prices.values_corrected == longer.quotes.corrected == 0
    assert longer.prices.values_new == 3 * 24
    assert longer.quotes.new == 2 * 15


def test_a_market_with_shapes_is_quoted_in_peak_too_and_its_curve_publishes_off_peak():
    ensure_catalogue(actor=SYSTEM)
    history = simulate()
    assert history.quotes.new == 21 * 30
    assert simulate().quotes.new == 0

    snapshot = build_market_curve(
        actor=SYSTEM, market=history.market, as_of=RECEIVED, known_at=datetime.now(UTC)
    )

    assert snapshot.versions.get().status == "PUBLISHED"
    by_load = {}
    for point in snapshot.points.filter(
        start__gte="2026-12-31T23:00Z", end__lte="2027-01-31T23:00Z"
    ):
        by_load.setdefault(point.load, []).append((point.hours, point.price))
    worth = {load: sum(h * p for h, p in rows) for load, rows in by_load.items()}
    assert worth["PEAK"] + worth["OFFPEAK"] == pytest.approx(worth["BASE"], rel=1e-9)


def test_another_seed_corrects_instead_of_overwriting():
    simulate()
    other = simulate(seed=8)

    assert other.prices.values_corrected > 0
    assert other.quotes.corrected > 0


def test_a_market_with_delivered_prices_is_not_mixed_with_invented_ones():
    make_market("REAL")

    with pytest.raises(NotSimulated, match="REAL"):
        simulate(code="REAL")
    simulate()
    with pytest.raises(NotSimulated, match="60 minutes"):
        simulate(period_minutes=15)
    with pytest.raises(ValueError, match="trading_days"):
        simulate(trading_days=0)
    with pytest.raises(CommandError, match="2018"):
        call_command("simulate_market", "OLD", "--until", "2018-01-01")


def test_curve_is_built_once_kept_and_reprices_its_quotes():
    market = simulate().market
    arguments = {"actor": SYSTEM, "market": market, "as_of": RECEIVED}
    known_at = datetime.now(UTC)

    snapshot = build_market_curve(**arguments, known_at=known_at)
    again = build_market_curve(**arguments, known_at=datetime.now(UTC))

    curve = market_curve(market, as_of=RECEIVED)
    points = CurvePoint.objects.filter(snapshot=snapshot).order_by("start")
    used = {quote.pk: quote for quote in Quote.objects.filter(pk__in=snapshot.quote_ids)}
    assert snapshot == again == latest_snapshot(market, as_of=RECEIVED)
    assert [p.price for p in points] == curve.prices.tolist()
    for key, taken in zip(snapshot.quote_ids, curve.quotes, strict=True):
        assert used[key].contract == taken.name
        assert curve.average(taken.interval) == pytest.approx(float(used[key].value), abs=1e-9)
    assert latest_snapshot(market, as_of=datetime(2020, 1, 1, tzinfo=UTC)) is None


def test_without_quotes_there_is_no_curve():
    market = make_market()

    with pytest.raises(NoQuotes, match="TEST"):
        build_market_curve(actor=SYSTEM, market=market, as_of=RECEIVED, known_at=RECEIVED)
    with pytest.raises(NoCurve, match="TEST"):
        market_curve(market, as_of=RECEIVED)


def test_quotes_as_known_earlier_do_not_show_the_correction():
    market = simulate().market
    before = datetime.now(UTC)
    simulate(seed=8)

    now = quotes_at(market, as_of=RECEIVED)
    then = quotes_at(market, as_of=RECEIVED, known_at=before)

    assert [q.contract for q in now] == [q.contract for q in then]
    assert [q.value for q in now] != [q.value for q in then]


@pytest.mark.parametrize(
    ("drafts", "word"),
    [
        ([], "no quote"),
        ([("Jan27", "NaN")], "Jan27"),
        ([("Jan27", "1"), ("Jan27", "2")], "twice"),
    ],
)
def test_quotes_that_cannot_be_are_refused(drafts, word):
    with pytest.raises(QuoteRefused, match=word):
        book_quotes(
            actor=SYSTEM,
            market=make_market(),
            drafts=[QuoteDraft(code, Decimal(value), RECEIVED) for code, value in drafts],
            source="test",
            quality=QuoteQuality.INDICATIVE,
        )
