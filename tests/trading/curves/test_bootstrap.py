"""Forward curves reprice what they are built from, name what contradicts, and are linear."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energyopti.foundation.calendars import Calendar
from energyopti.foundation.intervals import Interval
from trading.curves import (
    CurveDoesNotCover,
    CurveError,
    CurveQuote,
    build_curve,
    contract_code,
    contract_interval,
)

BERLIN = Calendar("Europe/Berlin")
UTC_DAYS = Calendar("UTC")


def quote(code, price, calendar=BERLIN):
    return CurveQuote(code, contract_interval(code, calendar), price)


def test_january_and_quarter_leave_the_published_rest():
    # given the leap-year example of a public curve library, weighted by days
    quotes = [quote("2020-01", 19.05, UTC_DAYS), quote("Q1-20", 17.22, UTC_DAYS)]

    curve = build_curve(quotes, calendar=UTC_DAYS)

    assert curve.prices == pytest.approx([19.05, 16.2745, 16.2745], abs=5e-6)


def test_hours_weigh_so_that_clock_changes_count():
    curve = build_curve([quote("Mar27", 60.0), quote("Q1-27", 70.0)], calendar=BERLIN)

    rest = (70.0 * (744 + 672 + 743) - 60.0 * 743) / (744 + 672)
    assert curve.average(contract_interval("Feb27", BERLIN)) == pytest.approx(rest, abs=1e-12)


def test_a_contradicting_year_is_named_with_what_its_quarters_imply():
    quarters = [quote(f"Q{n}-27", price) for n, price in enumerate((90.0, 60.0, 62.0, 88.0), 1)]

    curve = build_curve([*quarters, quote("Cal27", 76.0)], calendar=BERLIN)

    (conflict,) = curve.conflicts
    hours = np.array([2159, 2184, 2208, 2209])
    assert conflict.quote.name == "Cal27"
    assert conflict.implied == pytest.approx(np.average([90, 60, 62, 88], weights=hours))
    assert str(conflict).startswith("Cal27: quoted 76, Q1-27, Q2-27, Q3-27, Q4-27 imply 74.9")
    assert [q.name for q in curve.quotes] == ["Q1-27", "Q2-27", "Q3-27", "Q4-27"]


def test_an_agreeing_year_is_left_out_without_a_conflict():
    quarters = [quote(f"Q{n}-27", 70.0) for n in range(1, 5)]

    curve = build_curve([*quarters, quote("Cal27", 70.004)], calendar=BERLIN)

    assert curve.conflicts == ()
    assert [item.quote.name for item in curve.left_out] == ["Cal27"]


def test_overlaps_that_flatness_alone_cannot_meet_are_met():
    # given three contracts over three months, none inside another's remainder
    def months(first, last, price):
        start, end = contract_interval(first, UTC_DAYS), contract_interval(last, UTC_DAYS)
        return CurveQuote(f"{first}-{last}", Interval(start.start, end.end), price)

    quotes = [
        months("Jan27", "Feb27", 50.0),
        months("Feb27", "Mar27", 60.0),
        months("Jan27", "Mar27", 58.0),
    ]

    curve = build_curve(quotes, calendar=UTC_DAYS)

    assert curve.left_out == ()
    assert [curve.average(q.interval) for q in quotes] == pytest.approx([50, 60, 58], abs=1e-9)


def test_what_no_quote_covers_has_no_price():
    curve = build_curve([quote("Jan27", 80.0), quote("Mar27", 70.0)], calendar=BERLIN)

    february = contract_interval("Feb27", BERLIN)
    with pytest.raises(CurveDoesNotCover, match="covered"):
        curve.average(february)
    with pytest.raises(CurveDoesNotCover, match="2027-02-10"):
        curve.prices_at(np.array(["2027-01-10", "2027-02-10"], dtype="datetime64[s]"))
    assert curve.prices_at(np.array(["2027-01-10"], dtype="datetime64[s]")) == [80.0]


@pytest.mark.parametrize("price", [float("nan"), float("inf")])
def test_what_is_no_price_is_refused_by_name(price):
    with pytest.raises(CurveError, match="Jan27"):
        quote("Jan27", price)


def test_no_quote_makes_no_curve():
    with pytest.raises(CurveError, match="at least one"):
        build_curve([], calendar=BERLIN)


def test_codes_and_intervals_match():
    from datetime import date

    assert contract_code(date(2027, 1, 1), 12) == "Cal27"
    assert contract_code(date(2027, 7, 1), 3) == "Q3-27"
    assert contract_code(date(2027, 7, 1), 1) == "Jul27"
    assert contract_interval("Mar27", BERLIN).hours == 743
    with pytest.raises(ValueError, match="months"):
        contract_code(date(2027, 2, 1), 3)


CODES = [
    *("Jan27", "Feb27", "Mar27", "Apr27", "Oct27", "Q1-27", "Q2-27", "Q3-27", "Q4-27"),
    *("Win26", "Sum27", "Win27", "Cal27", "Cal28", "Q1-28"),
]


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from(CODES), st.floats(-500, 4000, allow_subnormal=False), min_size=1
    ),
    st.floats(-50, 50),
)
def test_every_quote_taken_is_repriced_and_prices_are_linear_in_quotes(prices, shift):
    quotes = [quote(code, price) for code, price in prices.items()]

    curve = build_curve(quotes, calendar=BERLIN)
    shifted = build_curve([quote(c, p + shift) for c, p in prices.items()], calendar=BERLIN)

    scale = max(1.0, *map(abs, prices.values()))
    for taken in curve.quotes:
        assert curve.average(taken.interval) == pytest.approx(taken.price, abs=1e-9 * scale)
    assert len(curve.quotes) + len(curve.left_out) == len(quotes)
    quoted = np.array([q.price for q in curve.quotes])
    np.testing.assert_allclose(curve.sensitivities @ quoted, curve.prices, atol=1e-8 * scale)
    np.testing.assert_allclose(shifted.prices, curve.prices + shift, atol=1e-7 * scale)
