"""The simulated market: one world a seed, quotes that agree, and days like real ones."""

from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from energyopti.foundation.calendars import Calendar, DatePeriod
from trading.curves import CurveQuote, build_curve, contract_interval
from trading.markets.simulator import MarketWorld, WorldError, simulate_quotes, simulate_spot

BERLIN = Calendar("Europe/Berlin")


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
