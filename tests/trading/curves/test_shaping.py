"""Shaped curves: smooth, exact on every quote, linear in the quotes, true to clock changes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energyopti.foundation.calendars import Calendar, DatePeriod
from tests.trading.curves.factories import BERLIN, UTC_DAYS, eex_loads, quote
from trading.curves import (
    CurveDoesNotCover,
    CurveError,
    CurveQuote,
    Smoothing,
    SplineEnd,
    Weighting,
    bootstrap,
    contract_interval,
    day_of_week_factors,
    delivery_grid,
    shape_curve,
)

SMOOTH = Smoothing.MAXIMUM_SMOOTHNESS
WEEK = [0.95, 0.99, 1.05, 1.01, 0.98, 0.92, 0.91]


def days(first, last, price, calendar=UTC_DAYS):
    period = DatePeriod(DatePeriod.parse(first).first, DatePeriod.parse(last).after)
    return CurveQuote(f"{first} {last}", calendar.span(period), price)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/New_York"])
def test_published_daily_spline_with_day_of_week_factors(zone):
    # cmdty/curves, README: spline example, weighted by calendar days
    calendar = Calendar(zone)
    quotes = [
        days("2019-07-01", "2019-07-31", 77.98, calendar),
        days("2019-08-01", "2019-08-31", 76.01, calendar),
        days("2019-09-01", "2019-09-30", 78.74, calendar),
        days("2019-10-01", "2019-12-31", 85.58, calendar),
        days("2020-01-01", "2020-03-31", 87.01, calendar),
    ]
    curve = bootstrap(quotes, calendar=calendar, weighting=Weighting.CALENDAR_DAYS)
    grid = delivery_grid(curve, calendar=calendar, minutes=None)

    shaped = shape_curve(
        curve, grid, smoothing=SMOOTH, multiplicative=day_of_week_factors(grid, WEEK)
    )

    assert shaped.prices[:4] == pytest.approx([77.68539, 80.83184, 85.59869, 82.21079], abs=1e-5)
    assert shaped.prices[-4:] == pytest.approx([81.21869, 80.30742, 83.80771, 87.3055], abs=1e-5)
    for item in quotes:
        assert shaped.average(item.interval) == pytest.approx(item.price, abs=1e-10)


def dense_quartics(segments, factors, additions, arrival):
    """
    Solve the same problem the slow way: five coefficients of each contract's own polynomial, all
    continuity conditions as constraints, one dense Karush-Kuhn-Tucker system.
    """
    count = len(segments)
    size = 5 * count

    def powers(t, derivative=0):
        row = np.zeros(5)
        for power in range(derivative, 5):
            row[power] = np.prod(np.arange(power - derivative + 1, power + 1)) * t ** (
                power - derivative
            )
        return row

    objective = np.zeros((size, size))
    rows, targets = [], []
    for index, (start, end, price) in enumerate(segments):
        length = (end - start) / 100
        block = slice(5 * index, 5 * index + 5)
        for i in range(2, 5):
            for j in range(2, 5):
                objective[5 * index + i, 5 * index + j] = (
                    i * (i - 1) * j * (j - 1) * length ** (i + j - 3) / (i + j - 3)
                )
        row = np.zeros(size)
        for day in range(start, end):
            row[block] += factors[day] * powers((day - start) / 100) / (end - start)
        rows.append(row)
        targets.append(price - np.mean(factors[start:end] * additions[start:end]))
        for derivative in range(3 if index + 1 < count else 0):
            row = np.zeros(size)
            row[block] = powers(length, derivative)
            row[5 * index + 5 : 5 * index + 10] = -powers(0.0, derivative)
            rows.append(row)
            targets.append(0.0)
    if arrival is SplineEnd.FLAT and count > 1:
        row = np.zeros(size)
        row[-5:] = powers((segments[-1][1] - segments[-1][0]) / 100, 1)
        rows.append(row)
        targets.append(0.0)
    constraints = np.array(rows)
    system = np.block([[objective, constraints.T], [constraints, np.zeros((len(rows), len(rows)))]])
    solution = np.linalg.solve(system, np.concatenate([np.zeros(size), targets]))[:size]
    prices = [
        factors[day] * (solution[5 * i : 5 * i + 5] @ powers((day - start) / 100) + additions[day])
        for i, (start, end, _) in enumerate(segments)
        for day in range(start, end)
    ]
    return np.array(prices)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(3, 40), st.floats(-100, 300, allow_subnormal=False)),
        min_size=2,
        max_size=7,
    ),
    st.integers(0, 2**32 - 1),
    st.sampled_from(list(SplineEnd)),
)
def test_banded_b_splines_equal_dense_quartics(contracts, seed, end):
    random = np.random.default_rng(seed)
    first = np.datetime64("2021-02-03")
    edges = np.concatenate([[0], np.cumsum([length for length, _ in contracts])]).tolist()
    segments = [
        (a, b, price) for a, b, (_, price) in zip(edges[:-1], edges[1:], contracts, strict=True)
    ]
    quotes = [days(str(first + a), str(first + b - 1), price) for a, b, price in segments]
    factors, additions = random.uniform(0.8, 1.2, edges[-1]), random.normal(0, 5, edges[-1])
    curve = bootstrap(quotes, calendar=UTC_DAYS)
    grid = delivery_grid(curve, calendar=UTC_DAYS, minutes=None)

    shaped = shape_curve(
        curve, grid, smoothing=SMOOTH, end=end, multiplicative=factors, additive=additions
    )

    slow = dense_quartics(segments, factors, additions, end)
    np.testing.assert_allclose(shaped.prices, slow, atol=1e-7 * max(1, np.abs(slow).max()))


def test_the_long_end_is_flat_where_a_free_one_runs_off():
    codes = {"Dec26": 104.2, "Jan27": 101.75, "Q1-27": 98.2, "Q2-27": 76.1, "Q3-27": 80.4}
    codes |= {"Cal27": 88.5, "Cal28": 82.35, "Cal29": 78.1}
    curve = bootstrap([quote(code, price) for code, price in codes.items()], calendar=BERLIN)
    grid = delivery_grid(curve, calendar=BERLIN, minutes=None)

    free, flat = (shape_curve(curve, grid, smoothing=SMOOTH, end=end).prices for end in SplineEnd)

    # The last day is looked at half a day off the end, where the slope is nearly gone.
    assert abs(flat[-1] - flat[-2]) < 0.002 < abs(free[-1] - free[-2])
    assert abs(flat[-1] - 78.1) < 10 < abs(free[-1] - 78.1)
    assert np.abs(flat[:365] - free[:365]).max() < 0.5, "near deliveries stay as they are"


def test_a_gap_between_contracts_is_bridged_and_said_to_be_unquoted():
    quotes = [days("2021-01-01", "2021-01-31", 40.0), days("2021-03-01", "2021-03-31", 60.0)]
    curve = bootstrap(quotes, calendar=UTC_DAYS)
    grid = delivery_grid(curve, calendar=UTC_DAYS, minutes=None)

    smooth = shape_curve(curve, grid, smoothing=SMOOTH)

    # two means and least curvature make a straight line, here of 20 in 59 days
    np.testing.assert_allclose(np.diff(smooth.prices), 20 / 59, atol=1e-9)
    assert smooth.is_quoted.sum() == 62
    with pytest.raises(CurveDoesNotCover, match="2021-02-01"):
        shape_curve(curve, grid)


def test_one_contract_alone_is_flat():
    curve = bootstrap([quote("Mar27", 61.5)], calendar=BERLIN)
    grid = delivery_grid(curve, calendar=BERLIN, minutes=15)

    shaped = shape_curve(curve, grid, smoothing=SMOOTH)

    assert len(shaped.prices) == 743 * 4
    np.testing.assert_allclose(shaped.prices, 61.5, atol=1e-12)


@pytest.mark.parametrize("minutes", [60, 30, 15])
@pytest.mark.parametrize("smoothing", list(Smoothing))
def test_base_peak_and_off_peak_are_met_across_clock_changes(minutes, smoothing):
    quotes = [
        quote("Cal27", 80.0),
        quote("Cal27", 95.0, load="PEAK"),
        quote("Q1-27", 99.0),
        quote("Q4-27", 120.0, load="PEAK"),
        quote("Mar27", -12.0, load="OFFPEAK"),
        quote("2027-03-28", -40.0),
        quote("2027-10-31", 0.0),
    ]
    curve = bootstrap(quotes, calendar=BERLIN, loads=eex_loads())
    grid = delivery_grid(curve, calendar=BERLIN, minutes=minutes)
    hours = np.sin(grid.minute / 1440 * 2 * np.pi) * 20

    shaped = shape_curve(curve, grid, smoothing=smoothing, additive=hours)

    assert len(shaped.prices) == 8760 * 60 // minutes
    for item in quotes:
        assert shaped.average(item.interval, item.load) == pytest.approx(item.price, abs=1e-9)
    daily = shaped.daily()
    assert len(daily.prices) == 365
    assert daily.prices[86] == pytest.approx(-40.0, abs=1e-9)
    assert daily.average(contract_interval("Cal27", BERLIN)) == pytest.approx(80.0, abs=1e-9)


@pytest.mark.parametrize("smoothing", list(Smoothing))
def test_a_times_x_its_transpose_and_finite_differences_agree(smoothing):
    loads = eex_loads()
    base = {("Cal27", "BASE"): 80.0, ("Cal27", "PEAK"): 95.0, ("Q2-27", "BASE"): 50.0}

    def shaped(prices):
        quotes = [quote(code, price, load=load) for (code, load), price in prices.items()]
        curve = bootstrap(quotes, calendar=BERLIN, loads=loads)
        grid = delivery_grid(curve, calendar=BERLIN, minutes=60)
        return shape_curve(
            curve, grid, smoothing=smoothing, additive=np.cos(grid.minute / 229.2) * 9
        )

    curve = shaped(base)
    quoted = np.array([item.price for item in curve.quotes])
    np.testing.assert_allclose(curve.apply(quoted) + curve.constant, curve.prices, atol=1e-9)
    for column, item in enumerate(curve.quotes):
        bumped = dict(base)
        bumped[item.name.split()[0], item.load] += 1.0
        unit = np.eye(len(curve.quotes))[column]
        np.testing.assert_allclose(
            curve.apply(unit), shaped(bumped).prices - curve.prices, atol=1e-8
        )
    random = np.random.default_rng(7)
    values = random.normal(size=len(curve.prices))
    moves = random.normal(size=len(quoted))
    assert values @ curve.apply(moves) == pytest.approx(curve.project(values) @ moves)
    # the hedge of a contract that is quoted is that contract
    interval = contract_interval("Q2-27", BERLIN)
    hedge = curve.sensitivities_of(interval)
    names = [item.name for item in curve.quotes]
    assert dict(zip(names, hedge, strict=True)) == pytest.approx(
        {"Q2-27": 1.0, "Cal27": 0.0, "Cal27 PEAK": 0.0}, abs=1e-10
    )


@settings(deadline=None, max_examples=20)
@given(
    st.dictionaries(
        st.tuples(
            st.sampled_from(["Jan27", "Feb27", "Q1-27", "Q2-27", "Cal27", "W20-27"]),
            st.sampled_from(["BASE", "PEAK"]),
        ),
        st.floats(-500, 4000, allow_subnormal=False),
        max_size=6,
    ),
    st.floats(-60, 60),
    st.sampled_from(list(Smoothing)),
)
def test_additive_shapes_move_with_the_quotes(prices, shift, smoothing):
    loads = eex_loads()
    prices = {("Cal27", "BASE"): 70.0} | prices

    def shaped(by):
        quotes = [quote(code, p + by, load=load) for (code, load), p in prices.items()]
        curve = bootstrap(quotes, calendar=BERLIN, loads=loads)
        grid = delivery_grid(curve, calendar=BERLIN, minutes=60)
        hours = np.where(grid.minute < 480, -11.0, 4.0)
        return shape_curve(curve, grid, smoothing=smoothing, additive=hours)

    here, there = shaped(0.0), shaped(shift)

    scale = max(1.0, *(abs(price) for price in prices.values()))
    np.testing.assert_allclose(there.prices, here.prices + shift, atol=1e-6 * scale)
    for item in here.quotes:
        assert here.average(item.interval, item.load) == pytest.approx(item.price, abs=1e-9 * scale)


def test_multiplicative_shapes_meet_quotes_and_refuse_negative_ones():
    quotes = [quote("Q1-27", 90.0), quote("Q1-27", 110.0, load="PEAK"), quote("Jan27", 95.0)]
    curve = bootstrap(quotes, calendar=BERLIN, loads=eex_loads())
    grid = delivery_grid(curve, calendar=BERLIN, minutes=60)
    factors = day_of_week_factors(grid, WEEK)

    shaped = shape_curve(curve, grid, multiplicative=factors)

    for item in quotes:
        assert shaped.average(item.interval, item.load) == pytest.approx(item.price, abs=1e-9)
    negative = bootstrap([quote("Q1-27", -1.0)], calendar=BERLIN)
    with pytest.raises(CurveError, match="Q1-27 is -1; a multiplicative shape needs positive"):
        shape_curve(negative, grid, multiplicative=factors)
    with pytest.raises(CurveError, match=r"multiplicative: 0 is not above zero"):
        shape_curve(curve, grid, multiplicative=factors * 0)
    with pytest.raises(CurveError, match="additive: give one finite number for each of 2159"):
        shape_curve(curve, grid, additive=np.zeros(3))


def test_a_grid_too_coarse_or_too_short_is_refused():
    curve = bootstrap([quote("Mar27", 75.0, load="PEAK")], calendar=BERLIN, loads=eex_loads())
    with pytest.raises(CurveError, match="within a period; take a finer grid"):
        shape_curve(curve, delivery_grid(curve, calendar=BERLIN, minutes=None))
    year = bootstrap([quote("Cal27", 75.0)], calendar=BERLIN)
    month = bootstrap([quote("Mar27", 75.0)], calendar=BERLIN)
    with pytest.raises(CurveError, match="does not hold all of the curve"):
        shape_curve(year, delivery_grid(month, calendar=BERLIN))


def test_a_shaped_curve_answers_only_what_its_grid_tells_apart():
    curve = bootstrap([quote("Mar27", 75.0)], calendar=BERLIN, loads=eex_loads())
    shaped = shape_curve(curve, delivery_grid(curve, calendar=BERLIN, minutes=60))

    assert shaped.average(contract_interval("Mar27", BERLIN), "PEAK") == pytest.approx(75.0)
    with pytest.raises(CurveDoesNotCover):
        shaped.average(contract_interval("Apr27", BERLIN))
    with pytest.raises(CurveError, match="EFA1 were not given"):
        shaped.average(contract_interval("Mar27", BERLIN), "EFA1")
    with pytest.raises(CurveError, match="bounds within a period"):
        shaped.daily().average(contract_interval("Mar27", BERLIN), "PEAK")
    noon = np.array(["2027-03-28T11:00", "2027-04-02T11:00"], dtype="datetime64[s]")
    assert shaped.prices_at(noon[:1]).tolist() == pytest.approx([75.0])
    with pytest.raises(CurveDoesNotCover, match="2027-04-02"):
        shaped.prices_at(noon)


def test_seven_factors_are_asked_for():
    curve = bootstrap([quote("Mar27", 75.0)], calendar=BERLIN)
    with pytest.raises(CurveError, match="seven finite numbers"):
        day_of_week_factors(delivery_grid(curve, calendar=BERLIN), [1.0] * 6)
