"""Hourly shape learnt from spot prices: robust, and overruled by quotes."""

import csv
from datetime import date

import numpy as np
import pytest

from energyopti.foundation.calendars import Calendar, DatePeriod, HolidaySet
from tests.trading.curves.factories import BERLIN, eex_loads, quote
from trading.curves import (
    CurveError,
    DayKinds,
    DeliveryGrid,
    ShapeKind,
    Smoothing,
    bootstrap,
    contract_interval,
    delivery_grid,
    learn_profile,
    shape_curve,
)

TWO_YEARS = DatePeriod(date(2024, 1, 1), date(2026, 1, 1))


@pytest.fixture(scope="module")
def history():
    return DeliveryGrid.over(BERLIN, TWO_YEARS, minutes=60)


def made(grid):
    """Prices with a month, a weekend and an hour in them, dearer in the second year."""
    season = np.where(grid.month < 6, 10.0, -10.0)
    hour = np.where(grid.minute == 18 * 60, 24.0, 0.0)
    level = np.where(grid.dates < np.datetime64("2025-01-01"), 50.0, 90.0)
    return level + season + hour - np.where(grid.weekday >= 5, 7.0, 0.0)


def test_an_hour_a_weekend_and_a_season_are_found(history):
    profile = learn_profile(history, made(history))

    january, august = profile.values[0], profile.values[7]
    assert january[0, 18] - january[0, 3] == pytest.approx(24.0)
    assert january[0, 3] - january[1, 3] == pytest.approx(7.0)
    # the means of months hold a different share of weekends each
    assert january[0, 3] - august[0, 3] == pytest.approx(20.0, abs=0.5)
    assert profile.samples.sum() == 17544


def test_a_spike_does_not_make_a_shape(history):
    prices = made(history)
    spiked = prices.copy()
    spiked[18 : 31 * 24 : 24 * 15] += 2500.0

    clean, robust = learn_profile(history, prices), learn_profile(history, spiked)

    # the month's level moves with its mean; hours against each other do not
    difference = robust.values[0, 0] - clean.values[0, 0]
    assert np.ptp(difference) < 1.0


def test_a_holiday_counts_as_a_day_off(history):
    holidays = HolidaySet("DE", "1", TWO_YEARS, frozenset({date(2024, 12, 25), date(2025, 12, 25)}))

    plain, off = (learn_profile(history, made(history), holidays=h) for h in (None, holidays))

    assert off.samples[11, 1, 0] == plain.samples[11, 1, 0] + 2
    assert off.samples[11, 0, 0] == plain.samples[11, 0, 0] - 2


def test_a_holiday_has_the_shape_of_a_sunday_and_a_saturday_its_own(history):
    holidays = HolidaySet("DE", "1", TWO_YEARS, frozenset({date(2024, 12, 25), date(2025, 12, 27)}))
    prices = made(history) - np.where(history.weekday == 6, 11.0, 0.0)
    prices -= np.where(history.is_holiday(holidays), 11.0 + 7.0 * (history.weekday < 5), 0.0)

    profile = learn_profile(history, prices, holidays=holidays, day_kinds=DayKinds.SUNDAY)

    working, saturday, sunday = profile.values[11]
    # levels of the two Decembers differ by their share of days off
    assert working[3] - saturday[3] == pytest.approx(7.0, abs=0.3)
    assert saturday[3] - sunday[3] == pytest.approx(11.0, abs=0.3)
    shape = profile.on(history)
    noon = {str(day): value for day, value in zip(
        history.dates[history.minute == 720], shape[history.minute == 720], strict=True
    )}  # fmt: skip
    # A Wednesday and a Saturday that are holidays, a Sunday, and the Saturday after.
    assert noon["2024-12-25"] == noon["2025-12-27"] == noon["2024-12-29"]
    assert noon["2024-12-28"] == pytest.approx(noon["2024-12-29"] + 11.0, abs=0.3)
    with pytest.raises(CurveError, match="none of a Saturday in Mar at 02:00"):
        gone = (history.month == 2) & (history.weekday == 5) & (history.minute == 120)
        learn_profile(history, np.where(gone, np.nan, prices), day_kinds=DayKinds.SUNDAY)


def test_factors_ask_for_positive_prices(history):
    prices = made(history)
    profile = learn_profile(history, prices, kind=ShapeKind.MULTIPLICATIVE)
    assert profile.values[0, 0, 18] / profile.values[0, 0, 3] > 1.2

    prices[5] = -0.01
    with pytest.raises(CurveError, match=r"-0\.01 at 2024-01-01T04:00:00Z; a multiplicative"):
        learn_profile(history, prices, kind=ShapeKind.MULTIPLICATIVE)
    assert np.isfinite(learn_profile(history, prices).values).all()


def test_a_history_without_an_hour_is_refused_by_name(history):
    prices = made(history)
    prices[(history.month == 2) & (history.weekday >= 5) & (history.minute == 120)] = np.nan
    with pytest.raises(CurveError, match="none of a day off in Mar at 02:00"):
        learn_profile(history, prices)
    with pytest.raises(CurveError, match="for each of 17544 periods"):
        learn_profile(history, prices[:5])
    with pytest.raises(CurveError, match="there is none"):
        learn_profile(history, prices * np.nan)
    with pytest.raises(CurveError, match="trim"):
        learn_profile(history, prices, trim=0.6)
    of_days = DeliveryGrid.over(BERLIN, TWO_YEARS, minutes=None)
    with pytest.raises(CurveError, match="say nothing about hours"):
        learn_profile(of_days, np.zeros(len(of_days)))


def test_half_a_year_teaches_hours_but_no_months():
    grid = DeliveryGrid.over(BERLIN, DatePeriod(date(2024, 1, 1), date(2024, 12, 1)), minutes=60)
    with pytest.raises(CurveError, match="in Dec"):
        learn_profile(grid, made(grid))


def test_hours_that_only_base_tells_of_keep_the_history_s_peak_spread(history):
    profile = learn_profile(history, np.where(history.minute // 60 % 24 >= 8, 70.0, 40.0))
    curve = bootstrap([quote("Cal27", 80.0)], calendar=BERLIN, loads=eex_loads())
    grid = delivery_grid(curve, calendar=BERLIN, minutes=15)

    shaped = shape_curve(curve, grid, additive=profile.on(grid))

    year = contract_interval("Cal27", BERLIN)
    spread = shaped.average(year, "PEAK") - shaped.average(year, "OFFPEAK")
    assert shaped.average(year) == pytest.approx(80.0, abs=1e-10)
    # all peak hours are among the dear ones, and of 5,628 others 2,708 are dear
    assert spread == pytest.approx(30.0 * (1 - 2708 / 5628), abs=0.2)


@pytest.mark.parametrize("smoothing", list(Smoothing))
@pytest.mark.parametrize("name", ["NP", "PJM"])
def test_real_prices_shape_a_curve_that_meets_its_quotes(shared_data, name, smoothing):
    path = shared_data / "epf" / f"{name}.csv"
    if not path.is_file():
        pytest.skip(f"{path} is not on this machine")
    with path.open(newline="") as lines:
        rows = [(row[0], float(row[1])) for row in list(csv.reader(lines))[1:]]
    # 24 rows a day, without clock changes: read as a zone that has none
    zone = Calendar("UTC")
    first = date.fromisoformat(rows[0][0][:10])
    period = DatePeriod(first, DatePeriod.day(date.fromisoformat(rows[-1][0][:10])).after)
    grid = DeliveryGrid.over(zone, period, minutes=60)
    prices = np.full(len(grid), np.nan)
    stamps = np.array([stamp.replace(" ", "T") for stamp, _ in rows], dtype="datetime64[s]")
    prices[np.searchsorted(grid.starts, stamps)] = [price for _, price in rows]

    profile = learn_profile(grid, prices)
    quotes = [
        quote("Cal27", 38.0, zone),
        quote("Cal27", 46.0, zone, load="PEAK"),
        quote("Q1-27", 51.0, zone),
        quote("Jan27", 57.0, zone),
        quote("Jan27", 66.5, zone, load="PEAK"),
        quote("W05-27", -3.0, zone),
    ]
    curve = bootstrap(quotes, calendar=zone, loads=eex_loads(zone))
    fine = delivery_grid(curve, calendar=zone, minutes=60)
    shaped = shape_curve(curve, fine, smoothing=smoothing, additive=profile.on(fine))

    for item in quotes:
        assert shaped.average(item.interval, item.load) == pytest.approx(item.price, abs=1e-9)
    working = fine.weekday < 5
    # the morning peak of a working day stands out against its night, as it did in the data
    by_hour = [
        shaped.prices[working & (fine.minute == hour * 60) & (fine.month == 10)].mean()
        for hour in (3, 8, 18)
    ]
    assert by_hour[0] < min(by_hour[1:])
