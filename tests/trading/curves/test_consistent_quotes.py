"""Any consistent set of overlapping contracts makes a curve that meets each of them."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trading.curves.factories import BERLIN, eex_loads, quote
from trading.curves import (
    Compounding,
    CurveDoesNotCover,
    DiscountCurve,
    FxForwardCurve,
    Smoothing,
    SplineEnd,
    SpreadRule,
    bootstrap,
    bootstrap_within_bands,
    contract_interval,
    delivery_grid,
    shape_curve,
)

LOADS = eex_loads()
MONTHS = ("Jan27", "Feb27", "Mar27", "Apr27", "May27", "Jun27", "Jul27", "Aug27", "Sep27", "Oct27",
          "Nov27", "Dec27")  # fmt: skip
CONTRACTS = (*MONTHS, "Q1-27", "Q2-27", "Q3-27", "Q4-27", "Sum-27", "Cal27")
PRICES = st.floats(-500, 3000, allow_subnormal=False)
NOTHING_TO_SAY = 1e-6


def truth(prices):
    """A curve in which base and peak of every month are known: what all else is an average of."""
    pairs = zip(MONTHS, prices, strict=True)
    return bootstrap(
        [
            quote(month, price, load=load)
            for month, both in pairs
            for load, price in zip(("BASE", "PEAK"), both, strict=True)
        ],
        calendar=BERLIN,
        loads=LOADS,
    )


@settings(deadline=None, max_examples=20)
@given(
    st.lists(st.tuples(PRICES, PRICES), min_size=12, max_size=12),
    st.sets(
        st.tuples(st.sampled_from(CONTRACTS), st.sampled_from(["BASE", "PEAK", "OFFPEAK"])),
        min_size=1,
        max_size=25,
    ),
    st.sampled_from(list(SplineEnd)),
    st.sampled_from(list(SpreadRule)),
)
def test_each_quote_is_met_and_none_conflicts(prices, quoted, end, spread):
    known = truth(prices)
    quotes = [
        quote(code, known.average(contract_interval(code, BERLIN), load), load=load)
        for code, load in sorted(quoted)
    ]
    size = max(1.0, max(abs(item.price) for item in quotes))

    curve = bootstrap(quotes, calendar=BERLIN, loads=LOADS, tolerance=NOTHING_TO_SAY, spread=spread)

    assert curve.conflicts == ()
    assert len(curve.quotes) + len(curve.left_out) == len(quotes)
    for item in quotes:
        met = curve.average(item.interval, item.load)
        assert met == pytest.approx(item.price, abs=1e-9 * size), item.name
    covered = any(item.load != "PEAK" for item in quotes)
    if covered and all(curve.cells.bounds[1:, 0] == curve.cells.bounds[:-1, 1]):
        try:
            grid = delivery_grid(curve, calendar=BERLIN, minutes=60)
            smooth = shape_curve(curve, grid, smoothing=Smoothing.MAXIMUM_SMOOTHNESS, end=end)
        except CurveDoesNotCover:
            return  # no quote speaks of off-peak hours, or of peak, somewhere
        for item in quotes:
            met = smooth.average(item.interval, item.load)
            assert met == pytest.approx(item.price, abs=1e-9 * size), item.name


@settings(deadline=None, max_examples=20)
@given(
    st.lists(st.tuples(PRICES, PRICES), min_size=12, max_size=12),
    st.sets(st.sampled_from(CONTRACTS), min_size=2, max_size=12),
    st.lists(st.floats(-1, 1), min_size=12, max_size=12),
)
def test_bands_that_hold_a_consistent_price_are_all_met(prices, quoted, shifts):
    known = truth(prices)
    quotes = []
    for code, shift in zip(sorted(quoted), shifts, strict=False):
        price = known.average(contract_interval(code, BERLIN)) + shift
        quotes.append(quote(code, price, bid=price - 1.0, ask=price + 1.0))

    banded = bootstrap_within_bands(quotes, calendar=BERLIN)

    assert banded.conflicts == ()
    for item in quotes:
        assert item.bid - 0.011 <= banded.curve.average(item.interval) <= item.ask + 0.011
    for _, after in banded.moved:
        assert banded.curve.average(after.interval) == pytest.approx(after.price, abs=1e-5)


def test_quarters_of_base_alone_keep_the_peak_premium_of_their_year():
    """Their year's base is implied by them or quoted besides: the same, and never upside down."""
    base = {"Q1-27": 98.2, "Q2-27": 76.1, "Q3-27": 80.4, "Q4-27": 101.3}
    quotes = [quote(code, price) for code, price in base.items()]
    quotes += [quote("Cal27", 99.8, load="PEAK"), quote("Q1-27", 119.6, load="PEAK")]
    curves = [
        bootstrap(given, calendar=BERLIN, loads=LOADS, spread=SpreadRule.PREMIUM, tolerance=1.0)
        for given in (quotes, [*quotes, quote("Cal27", 88.5)])
    ]

    for curve in curves:
        spreads = [
            curve.average(contract_interval(code, BERLIN), "PEAK")
            - curve.average(contract_interval(code, BERLIN), "OFFPEAK")
            for code in ("Q2-27", "Q3-27", "Q4-27")
        ]
        assert spreads == pytest.approx([spreads[0]] * 3) and spreads[0] > 5
    assert curves[0].prices == pytest.approx(curves[1].prices)


TODAY = date(2026, 11, 20)
DATES = st.dates(date(2026, 11, 24), date(2046, 12, 31))


@given(
    st.dictionaries(DATES, st.floats(-0.04, 0.3), min_size=1, max_size=12),
    st.sampled_from(list(Compounding)),
)
def test_each_zero_rate_comes_back_from_its_factor(rates, compounding):
    curve = DiscountCurve.from_rates("EUR", valued_on=TODAY, rates=rates, compounding=compounding)

    for day, rate in rates.items():
        years, factor = (day - TODAY).days / 365, curve.factor(day)
        back = {
            Compounding.SIMPLE: lambda f, t: (1 / f - 1) / t,
            Compounding.ANNUAL: lambda f, t: f ** (-1 / t) - 1,
            Compounding.CONTINUOUS: lambda f, t: -np.log(f) / t,
        }[compounding](factor, years)
        assert back == pytest.approx(rate, abs=1e-9)


@given(
    st.floats(1e-3, 500),
    st.dictionaries(DATES, st.floats(-0.3, 0.3), max_size=12),
)
def test_each_forward_comes_back_from_its_points_and_from_the_other_side(spot, moves):
    spot_date = date(2026, 11, 23)
    points = {day: move * spot * 10_000 for day, move in moves.items()}
    curve = FxForwardCurve.from_points("EUR", "USD", spot=spot, spot_date=spot_date, points=points)

    for day, move in {spot_date: 0.0, **moves}.items():
        assert curve.rate(day) == pytest.approx(spot * (1 + move), rel=1e-12)
        assert curve.inverted().rate(day) == pytest.approx(1 / (spot * (1 + move)), rel=1e-12)
