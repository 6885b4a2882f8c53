"""The simulated market: one world a seed, quotes that agree, and days like real ones."""

from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from energyopti.foundation.calendars import Calendar, DatePeriod
from trading.curves import CurveQuote, build_curve, contract_interval
from trading.deals import EEX_SHAPES, shape_delivery, shape_seconds
from trading.markets.simulator import MarketWorld, WorldError, simulate_quotes, simulate_spot

BERLIN = Calendar("Europe/Berlin")
_, PEAK, _ = EEX_SHAPES


def spot(seed=7, first=date(2026, 1, 1), latest=date(2026, 12, 31), **options):
    return simulate_spot(
        MarketWorld(seed=seed), first=first, latest=latest, calendar=BERLIN, **options
    )


def test_a_seed_is_a_world_that_every_window_shows_alike():
    year, march = spot(), spot(first=date(2026, 3, 20), latest=date(2026, 4, 2))

    inside = np.isin(year.starts, march.starts)
    np.testing.assert_array_equal(year.prices[inside], march.prices)
    assert not np.array_equal(spot(seed=8).prices, year.prices)


def test_another_end_changes_no_quote():
    world = MarketWorld(seed=7)
    short = list(
        simulate_quotes(world, first=date(2026, 3, 2), latest=date(2026, 3, 6), calendar=BERLIN)
    )
    long = list(
        simulate_quotes(world, first=date(2026, 3, 2), latest=date(2026, 9, 1), calendar=BERLIN)
    )

    assert long[:5] == short


@pytest.mark.parametrize("seed", range(6))
def test_a_year_has_what_real_years_have(seed):
    year = spot(seed=seed)

    local_hour = (year.starts.astype("datetime64[h]").astype(int) + 1) % 24
    summer = (year.starts >= np.datetime64("2026-05-01")) & (
        year.starts < np.datetime64("2026-08-31")
    )
    noon = year.prices[summer & (local_hour == 12)].mean()
    evening = year.prices[summer & (local_hour == 19)].mean()
    weekend = (year.starts.astype("datetime64[D]").astype(int) + 3) % 7 >= 5
    assert len(year.prices) == 8760
    assert 0 < (year.prices < 0).mean() < 0.15
    assert noon + 20 < evening
    assert year.prices[weekend].mean() < year.prices[~weekend].mean()
    assert year.prices.max() > 2.5 * year.prices.mean()


@pytest.mark.parametrize("minutes", [15, 30, 60])
def test_clock_changes_have_their_length_at_every_granularity(minutes):
    day = spot(first=date(2026, 10, 25), latest=date(2026, 10, 25), minutes=minutes)

    assert len(day.prices) == 25 * 60 // minutes


def test_a_days_quotes_agree_so_that_a_curve_of_all_has_no_conflict():
    for day in simulate_quotes(
        MarketWorld(seed=3), first=date(2026, 2, 2), latest=date(2026, 2, 13), calendar=BERLIN
    ):
        quotes = [
            CurveQuote(code, contract_interval(code, BERLIN), float(value))
            for code, value in day.values.items()
        ]

        curve = build_curve(quotes, calendar=BERLIN, tolerance=0.011)

        assert curve.conflicts == ()
        assert len(day.values) == 15


def test_peak_changes_no_base_quote_and_a_longer_contract_is_its_months_by_peak_hours():
    window = {"first": date(2026, 11, 16), "latest": date(2026, 11, 20), "calendar": BERLIN}
    plain = list(simulate_quotes(MarketWorld(seed=3), **window))
    both = list(simulate_quotes(MarketWorld(seed=3), peak=PEAK, **window))

    assert [(d.closes_at, d.values) for d in plain] == [(d.closes_at, d.values) for d in both]
    assert all(not day.peaks for day in plain)
    for day in both:
        assert set(day.peaks) == set(day.values)
        months = {code: float(day.peaks[code]) for code in ("Jan27", "Feb27", "Mar27")}
        # 21, 20 and 23 working days of twelve hours: holidays are peak days on the exchange.
        mean = (21 * months["Jan27"] + 20 * months["Feb27"] + 23 * months["Mar27"]) / 64
        assert float(day.peaks["Q1-27"]) == pytest.approx(mean, abs=0.011)


@pytest.mark.parametrize("seed", range(4))
def test_peak_is_dear_in_winter_cheap_under_the_sun_and_off_peak_is_sensible(seed):
    (day,) = simulate_quotes(
        MarketWorld(seed=seed), first=date(2026, 11, 20), latest=date(2026, 11, 20),
        calendar=BERLIN, peak=PEAK,
    )  # fmt: skip
    ratio = {code: float(day.peaks[code]) / float(day.values[code]) for code in day.values}
    assert 1.0 < ratio["Jan27"] < 1.3
    assert 0.8 < ratio["May27"] < ratio["Dec26"] - 0.05
    for code, value in day.values.items():
        period = contract_interval(code, BERLIN)
        days = DatePeriod(BERLIN.date_of(period.start), BERLIN.date_of(period.end))
        share = shape_delivery(BERLIN, PEAK, days).hours / period.hours
        off_peak = (float(value) - float(share) * float(day.peaks[code])) / (1 - float(share))
        assert 0.7 * float(value) < off_peak < 1.2 * float(value)


def test_quoted_peak_is_what_spot_pays_for_it_on_average_of_many_worlds():
    """The premium's season against the simulated spot itself: years of hours, not the formula."""
    quoted: dict[int, list[float]] = {1: [], 6: []}
    paid: dict[int, list[float]] = {1: [], 6: []}
    for seed in range(12):
        year = spot(seed=seed)
        mask = shape_seconds(BERLIN, PEAK, year.starts, minutes=60) > 0
        month = (year.starts + np.timedelta64(1, "h")).astype("datetime64[M]").astype(int) % 12 + 1
        (day,) = simulate_quotes(
            MarketWorld(seed=seed), first=date(2025, 12, 1), latest=date(2025, 12, 1),
            calendar=BERLIN, peak=PEAK,
        )  # fmt: skip
        for number, code in ((1, "Jan26"), (6, "Q2-26")):
            here = month == number if number == 1 else (month >= 4) & (month <= 6)
            base = year.prices[here].mean()
            paid[number].append(year.prices[here & mask].mean() / base - 1)
            quoted[number].append(float(day.peaks[code]) / float(day.values[code]) - 1)

    for number in quoted:
        assert np.mean(quoted[number]) == pytest.approx(np.mean(paid[number]), abs=0.06)


def test_months_move_more_than_years_and_spot_moves_with_them():
    world = MarketWorld(seed=5)
    days = list(
        simulate_quotes(world, first=date(2025, 1, 1), latest=date(2026, 12, 31), calendar=BERLIN)
    )
    year = np.array([float(d.values["Cal28"]) for d in days if "Cal28" in d.values])
    front = np.array(
        [
            np.log(float(b.values[code]) / float(a.values[code]))
            for a, b in pairwise(days)
            if (code := next(iter(b.values))) in a.values
        ]
    )
    months = [DatePeriod.months(y, m) for y in (2023, 2024, 2025, 2026) for m in range(1, 13)]
    prices = spot(seed=5, first=date(2023, 1, 1))
    means = []
    for month in months:
        span = BERLIN.span(month)
        inside = (prices.starts >= np.datetime64(int(span.start.timestamp()), "s")) & (
            prices.starts < np.datetime64(int(span.end.timestamp()), "s")
        )
        means.append(prices.prices[inside].mean())
    worth = world.month_prices(2600)
    middles = [(m.first - date(2020, 1, 1)).days + 14 for m in months]
    indexes = [(m.first.year - 2020) * 12 + m.first.month - 1 for m in months]

    assert np.std(front) > 1.3 * np.std(np.diff(np.log(year)))
    assert np.corrcoef(means, worth[middles, indexes])[0, 1] > 0.8


@pytest.mark.parametrize("latest", [date(2019, 12, 31), date(2050, 1, 1)])
def test_days_outside_the_world_are_refused(latest):
    with pytest.raises(WorldError, match="day"):
        spot(first=date(2026, 1, 1), latest=latest)


@pytest.mark.parametrize(("field", "value"), [("seed", -1), ("level", 0.0)])
def test_impossible_parameters_are_refused_by_name(field, value):
    with pytest.raises(WorldError, match=field):
        MarketWorld(**{"seed": 1, field: value})
