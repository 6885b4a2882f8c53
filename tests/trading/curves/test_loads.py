"""Base, peak and off-peak: exact hours by market, and prices that agree with each other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.intervals import IntervalSet
from tests.trading.curves.factories import (
    BERLIN,
    EFA,
    NEW_YORK,
    UTC_DAYS,
    YEARS,
    eex_loads,
    efa_loads,
    nerc_loads,
    quote,
)
from trading.curves import (
    CurveDoesNotCover,
    CurveError,
    LoadHours,
    Weighting,
    bootstrap,
    contract_interval,
    contract_period,
)


@pytest.mark.parametrize(
    ("calendar", "loads", "load", "code", "hours"),
    [
        # 2027 has 261 working days of 12 peak hours
        (BERLIN, eex_loads(), "PEAK", "Cal27", 3132),
        (BERLIN, eex_loads(), "OFFPEAK", "Cal27", 5628),
        # March: 23 working days; the hour that the clock skips on Sunday 28 is off-peak
        (BERLIN, eex_loads(), "PEAK", "Mar27", 276),
        (BERLIN, eex_loads(), "OFFPEAK", "Mar27", 467),
        (BERLIN, eex_loads(), "OFFPEAK", "Oct27", 745 - 21 * 12),
        # July: 22 weekdays, of which NERC takes Independence Day (observed)
        (NEW_YORK, nerc_loads(), "5X16", "Jul27", 21 * 16),
        (NEW_YORK, nerc_loads(), "WRAP", "Jul27", 744 - 21 * 16),
        # EFA March 2027 starts on 28 February at 23:00
        (EFA, efa_loads(), "PEAK", "Mar27", 276),
        (EFA, efa_loads(), "OFFPEAK", "Mar27", 467),
    ],
)
def test_hours_of_a_load_count_clock_changes_and_holidays(calendar, loads, load, code, hours):
    curve = bootstrap([quote(code, 50.0, calendar)], calendar=calendar, loads=loads)

    assert curve.cells.hours(contract_interval(code, calendar), load) == hours


def test_off_peak_is_what_base_and_peak_leave():
    quotes = [quote("Mar27", 60.0), quote("Mar27", 75.0, load="PEAK")]

    curve = bootstrap(quotes, calendar=BERLIN, loads=eex_loads())

    march = contract_interval("Mar27", BERLIN)
    off_peak = (60.0 * 743 - 75.0 * 276) / 467
    assert curve.average(march, "OFFPEAK") == pytest.approx(off_peak, abs=1e-12)
    assert curve.average(march) == pytest.approx(60.0, abs=1e-12)
    noon, night = "2027-03-01T11:00", "2027-03-01T23:00"
    prices = curve.prices_at(np.array([noon, night], dtype="datetime64[s]"))
    assert prices == pytest.approx([75.0, off_peak], abs=1e-12)


def test_a_month_quoted_as_base_keeps_the_peak_spread_of_its_year():
    quotes = [
        quote("Cal27", 80.0),
        quote("Cal27", 95.0, load="PEAK"),
        quote("Jan27", 100.0),
    ]

    curve = bootstrap(quotes, calendar=BERLIN, loads=eex_loads())

    spreads = [
        curve.average(contract_interval(code, BERLIN), "PEAK")
        - curve.average(contract_interval(code, BERLIN), "OFFPEAK")
        for code in ("Jan27", "Feb27", "Oct27")
    ]
    assert spreads == pytest.approx([spreads[0]] * 3, abs=1e-9)
    assert spreads[0] == pytest.approx((95.0 - 80.0) * 8760 / 5628, rel=0.01)
    assert curve.average(contract_interval("Jan27", BERLIN)) == pytest.approx(100.0, abs=1e-10)


def test_calendar_days_weigh_a_short_march_like_any_other():
    by_days = bootstrap(
        [quote("Mar27", 60.0), quote("Q1-27", 70.0)],
        calendar=BERLIN,
        weighting=Weighting.CALENDAR_DAYS,
    )

    rest = (70.0 * 90 - 60.0 * 31) / 59
    assert by_days.average(contract_interval("Feb27", BERLIN)) == pytest.approx(rest, abs=1e-12)


def test_overlapping_days_weeks_weekends_and_months_are_all_met():
    codes = {"2027-03-28": 12.0, "W12-27": 55.0, "WkEnd12-27": 20.0, "Mar27": 60.0, "GY26": 71.0}
    quotes = [quote(code, price) for code, price in codes.items()]

    curve = bootstrap(quotes, calendar=BERLIN)

    assert curve.left_out == ()
    for item in quotes:
        assert curve.average(item.interval) == pytest.approx(item.price, abs=1e-9)
    # Sunday 28 March has 23 hours, Saturday 24
    saturday = (20.0 * 47 - 12.0 * 23) / 24
    assert curve.average(contract_interval("2027-03-27", BERLIN)) == pytest.approx(saturday)


def test_names_of_gas_years_and_weekends():
    assert contract_period("GasYear-2020") == DatePeriod.months(2020, 10, 12)
    assert contract_period("gy27") == DatePeriod.months(2027, 10, 12)
    assert contract_period("Win-2019") == DatePeriod.winter(2019)
    assert contract_interval("WkEnd12-27", BERLIN).hours == 47


def test_a_load_without_hours_is_refused_by_name():
    with pytest.raises(CurveError, match="PEAK were not given"):
        bootstrap([quote("Jan27", 70.0, load="PEAK")], calendar=BERLIN)
    with pytest.raises(CurveError, match=r"Cal31 PEAK.*known only"):
        bootstrap([quote("Cal31", 70.0, load="PEAK")], calendar=BERLIN, loads=eex_loads())
    with pytest.raises(CurveError, match="BASE delivers always"):
        LoadHours.of("BASE", IntervalSet(), covers=BERLIN.span(YEARS))


def test_a_load_with_no_delivery_is_refused():
    sunday = quote("2027-03-28", 10.0, load="PEAK")
    with pytest.raises(CurveError, match="no delivery"):
        bootstrap([quote("Mar27", 60.0), sunday], calendar=BERLIN, loads=eex_loads())


def test_peak_alone_has_no_price_of_base():
    curve = bootstrap([quote("Jan27", 90.0, load="PEAK")], calendar=BERLIN, loads=eex_loads())

    assert curve.average(contract_interval("2027-01-04", BERLIN), "PEAK") == pytest.approx(90.0)
    with pytest.raises(CurveDoesNotCover, match="BASE is not covered"):
        curve.average(contract_interval("Jan27", BERLIN))
    assert len(curve.base().prices) == 0


CODES = ["Jan27", "Feb27", "Mar27", "Q1-27", "Q2-27", "Sum27", "Win26", "Cal27", "W05-27"]
PRICES = st.floats(-500, 4000, allow_subnormal=False)


@settings(deadline=None, max_examples=40)
@given(
    st.dictionaries(
        st.tuples(st.sampled_from(CODES), st.sampled_from(["BASE", "PEAK", "OFFPEAK"])),
        PRICES,
        min_size=1,
        max_size=9,
    ),
    st.floats(-80, 80),
)
def test_laws_of_any_mix_of_loads(prices, shift):
    loads = eex_loads()
    quotes = [quote(code, price, load=load) for (code, load), price in prices.items()]

    curve = bootstrap(quotes, calendar=BERLIN, loads=loads)

    scale = max(1.0, *map(abs, prices.values()))
    # every quote taken is met, every quote is either taken or named
    for taken in curve.quotes:
        assert curve.average(taken.interval, taken.load) == pytest.approx(
            taken.price, abs=1e-9 * scale
        )
    assert len(curve.quotes) + len(curve.left_out) == len(quotes)
    # the left-out quotes' hedges deliver exactly what they do
    for left in curve.left_out:
        delivered = sum(
            leg.megawatts * curve.cells.hours(leg.quote.interval, leg.quote.load)
            for leg in left.replicated_by
        )
        assert delivered == pytest.approx(left.hours, rel=1e-7)
    # adding c to every quote adds c to every price
    moved = bootstrap(
        [quote(c, p + shift, load=load) for (c, load), p in prices.items()],
        calendar=BERLIN,
        loads=loads,
    )
    np.testing.assert_allclose(moved.prices, curve.prices + shift, atol=1e-8 * scale)
    # base is the weighted mean of peak and off-peak wherever both have a price
    for segment in curve.base().segments():
        interval, base = segment
        found, total = 0.0, 0.0
        for load in ("PEAK", "OFFPEAK"):
            hours = curve.cells.hours(interval, load)
            if hours:
                found += hours * curve.average(interval, load)
                total += hours
        assert found / total == pytest.approx(base, abs=1e-9 * scale)


@settings(deadline=None, max_examples=30)
@given(st.lists(PRICES, min_size=4, max_size=4))
def test_what_is_implied_already_changes_nothing(prices):
    quotes = [quote(f"Q{n}-27", price) for n, price in enumerate(prices, 1)]
    curve = bootstrap(quotes, calendar=BERLIN)
    implied = curve.average(contract_interval("Cal27", BERLIN))

    again = bootstrap([*quotes, quote("Cal27", implied)], calendar=BERLIN)

    np.testing.assert_array_equal(again.prices, curve.prices)
    (redundant,) = again.left_out
    assert not redundant.is_conflict


def test_sensitivities_are_the_finite_differences():
    loads = eex_loads()
    quotes = [
        quote("Cal27", 80.0),
        quote("Cal27", 95.0, load="PEAK"),
        quote("Q1-27", 99.0),
        quote("Jan27", -5.0, load="OFFPEAK"),
    ]
    curve = bootstrap(quotes, calendar=BERLIN, loads=loads)

    for column, bumped in enumerate(curve.quotes):
        moved = [
            quote(q.name.split()[0], q.price + (1.0 if q.name == bumped.name else 0), load=q.load)
            for q in quotes
        ]
        difference = bootstrap(moved, calendar=BERLIN, loads=loads).prices - curve.prices
        np.testing.assert_allclose(curve.sensitivities[:, column], difference, atol=1e-9)


def test_base_of_a_curve_without_loads_is_the_curve():
    curve = bootstrap([quote("2020-01", 19.05, UTC_DAYS)], calendar=UTC_DAYS)

    assert curve.base().prices.tolist() == [19.05]
