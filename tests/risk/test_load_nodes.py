"""Peak beside base in the scenarios: own moves, and off-peak as what base leaves."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import numpy as np
import pytest

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.money import Side
from risk.models import ScenarioShocks, SnapshotCurve
from risk.queries.bases import basis, load_shocks
from risk.queries.valuation import value_positions
from risk.services.snapshots import build_snapshot
from tests.factories.curves import three_markets
from trading import deals
from trading.deals import Profile, Volume, shape_intervals
from trading.models import PublicationPolicy, QuoteQuality
from trading.queries.areas import delivery_areas
from trading.queries.marks import month_marks
from trading.queries.positions import proposed_positions
from trading.services.curve_definitions import define_curve
from trading.services.curves import build_version
from trading.services.quotes import QuoteDraft, book_quotes

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system("test")
LAST = date(2026, 11, 20)


def quoted_market(loads):
    """DE with 120 days of Cal27 and Cal28 quotes, each load on a walk of its own."""
    market = three_markets()["DE"]
    generator = np.random.default_rng(4)
    days, day = [], LAST
    while len(days) < 121:
        if day.weekday() < 5:
            days.append(day)
        day -= timedelta(days=1)
    days.reverse()
    drafts = []
    for load, level in loads.items():
        for contract in ("Cal27", "Cal28"):
            walk = level + np.cumsum(generator.normal(0, 1, len(days)))
            drafts += [
                QuoteDraft(
                    contract,
                    Decimal(f"{value:.4f}"),
                    market.calendar.instant(datetime.combine(on, time(18))),
                    load,
                )
                for on, value in zip(days, walk.tolist(), strict=True)
            ]
    book_quotes(
        actor=SYSTEM, market=market, drafts=drafts, source="test",
        quality=QuoteQuality(QuoteQuality.SETTLEMENT),
    )  # fmt: skip
    definition = define_curve(
        actor=SYSTEM, market=market, code="MARK",
        policy=PublicationPolicy(PublicationPolicy.AUTOMATIC),
    )  # fmt: skip
    at = market.calendar.instant(datetime.combine(LAST, time(19)))
    build_version(actor=SYSTEM, definition=definition, as_of=at)
    return market, at


def test_peak_has_moves_of_its_own_and_off_peak_takes_what_base_leaves():
    market, at = quoted_market({"BASE": 85.0, "PEAK": 100.0})

    built = build_snapshot(actor=SYSTEM, valued_at=at)

    held = basis(built.snapshot_id).markets[market.pk]
    peak, off = held.load("PEAK"), held.load("OFFPEAK")
    marks = month_marks(as_of=at)[market.pk]
    assert sorted(ScenarioShocks.objects.values_list("load", flat=True)) == ["BASE", "PEAK"]
    assert sorted(SnapshotCurve.objects.values_list("load", flat=True)) == [
        "BASE", "OFFPEAK", "PEAK",
    ]  # fmt: skip
    assert not np.allclose(peak.shocks, held.shocks)
    for tenor, month in ((2, date(2027, 1, 1)), (13, date(2027, 12, 1)), (20, date(2028, 7, 1))):
        hours = {load: marks.hours[load][month] for load in ("BASE", "PEAK", "OFFPEAK")}
        left = hours["BASE"] * held.shocks[:, tenor] - hours["PEAK"] * peak.shocks[:, tenor]
        np.testing.assert_allclose(off.shocks[:, tenor], left / hours["OFFPEAK"], atol=1e-12)
        assert peak.curve.prices[tenor] == marks.price(month, "PEAK")
        assert off.curve.prices[tenor] == marks.price(month, "OFFPEAK")
    # What Cal27 peak did on the last day is what each of its months does in the last scenario.
    assert peak.shocks[-1, 2] == pytest.approx(peak.shocks[-1, 13], abs=1e-9)
    assert held.load("EFA1") is None and held.load("BASE") is held


def test_off_peak_quoted_beside_peak_is_not_a_third_node():
    _, at = quoted_market({"BASE": 85.0, "PEAK": 100.0, "OFFPEAK": 75.0})

    build_snapshot(actor=SYSTEM, valued_at=at)

    assert sorted(ScenarioShocks.objects.values_list("load", flat=True)) == ["BASE", "PEAK"]


def test_base_alone_makes_no_other_node():
    market, at = quoted_market({"BASE": 85.0})

    built = build_snapshot(actor=SYSTEM, valued_at=at)

    assert basis(built.snapshot_id).markets[market.pk].shapes == {}
    assert ScenarioShocks.objects.get().load == "BASE"


def test_a_load_that_is_no_rest_of_a_node_moves_with_base():
    base, peak = np.ones((3, 2)), np.full((3, 2), 4.0)
    hours = {"BASE": np.array([744.0, 672.0]), "PEAK": np.array([252.0, 240.0])}

    moved = load_shocks(
        "EFA1", {"BASE": base, "PEAK": peak}, hours | {"EFA1": np.array([124.0, 112.0])}
    )

    assert moved is base


def test_a_profile_moves_with_the_nodes_of_its_hours_and_is_worth_the_curves_own_intervals():
    market, at = quoted_market({"BASE": 80.0, "PEAK": 100.0})
    built = build_snapshot(actor=SYSTEM, valued_at=at)
    on = basis(built.snapshot_id)
    area = delivery_areas({"DE"})["DE"]
    march = DatePeriod.months(2027, 3, 1)
    span = area.calendar.span(march)
    count = int(span.duration / timedelta(minutes=15))
    peak = np.zeros(count, dtype=np.int64)
    for part in shape_intervals(area.calendar, area.shape("PEAK"), span):
        first, after = ((x - span.start) // timedelta(minutes=15) for x in (part.start, part.end))
        peak[first:after] = 10_000_000
    flat = np.full(count, 10_000_000, dtype=np.int64)

    def worth(power=None, shape="PEAK"):
        if power is None:
            deal = deals.physical_forward(side=Side.BUY, area=area, period=march,
                                          volume=Volume.mw(Decimal(10)), shape=shape,
                                          price=Decimal(90))  # fmt: skip
        else:
            deal = deals.profile_forward(side=Side.BUY, area=area, period=march,
                                         profile=Profile(15, power), price=Decimal(90))  # fmt: skip
        held = proposed_positions(deals.deltas(deal), {"DE": market.pk})
        found = value_positions(held, on, currency="EUR")
        assert not found.unvalued
        return found

    for profile, shape in ((peak, "PEAK"), (flat - peak, "OFFPEAK"), (flat, "BASE")):
        found, same = worth(profile), worth(shape=shape)
        assert found.pnl == pytest.approx(same.pnl, rel=1e-9, abs=1e-6), shape
        assert found.base_value == pytest.approx(same.base_value, rel=1e-6), shape
    assert not np.allclose(worth(peak).pnl / 276, worth(flat - peak).pnl / 467)
