"""The similar-day naive: which day it repeats, clock changes, and the published benchmark error."""

import csv
from datetime import date, datetime, timedelta

import numpy as np
import pytest

from energyopti.foundation.calendars import Calendar, DatePeriod, period_starts
from trading.forecasting import (
    MissingHistory,
    PriceHistory,
    SimilarDayNaive,
    mean_absolute_error,
    score,
)

BERLIN = Calendar("Europe/Berlin")


def history(first, days, *, minutes=60, calendar=BERLIN, values=None):
    starts = period_starts(
        calendar, DatePeriod(first, first + timedelta(days=days)), minutes=minutes
    )
    filled = np.arange(starts.size, dtype=float) if values is None else values
    return PriceHistory(starts, filled, minutes, calendar)


@pytest.mark.parametrize(
    ("day", "back"),
    [("04", 7), ("05", 1), ("06", 1), ("07", 1), ("08", 1), ("09", 7), ("10", 7)],
)  # 4 January 2027 is a Monday
def test_looks_one_day_back_from_tuesday_to_friday_and_a_week_else(day, back):
    delivery = date(2027, 1, int(day))

    assert delivery - SimilarDayNaive.similar_day(delivery) == timedelta(days=back)


@pytest.mark.parametrize("minutes", [15, 30, 60])
def test_a_plain_day_is_repeated_period_by_period(minutes):
    past = history(date(2027, 1, 5), 1, minutes=minutes)

    forecast = SimilarDayNaive().forecast(past, date(2027, 1, 6))

    np.testing.assert_array_equal(forecast.values, past.values)
    assert forecast.starts[0] - past.starts[0] == np.timedelta64(1, "D")


def test_the_day_of_23_hours_skips_the_hour_that_it_lacks():
    past = history(date(2027, 3, 21), 1)

    forecast = SimilarDayNaive().forecast(past, date(2027, 3, 28))

    assert forecast.values.tolist() == [0, 1, *range(3, 24)]


def test_after_the_day_of_23_hours_the_skipped_hour_is_interpolated():
    past = history(date(2027, 3, 28), 1)  # hours 0, 1, 3, 4 … hold 0, 1, 2, 3 …

    forecast = SimilarDayNaive().forecast(past, date(2027, 4, 4))

    assert forecast.values[:4].tolist() == [0, 1, 1.5, 2]
    assert forecast.values.size == 24


def test_the_day_of_25_hours_gives_both_passes_the_one_value():
    past = history(date(2027, 10, 24), 1)

    forecast = SimilarDayNaive().forecast(past, date(2027, 10, 31))

    assert forecast.values[:5].tolist() == [0, 1, 2, 2, 3]
    assert forecast.values.size == 25


def test_after_the_day_of_25_hours_the_two_passes_are_averaged():
    past = history(date(2027, 10, 31), 1)

    forecast = SimilarDayNaive().forecast(past, date(2027, 11, 7))

    assert forecast.values[:4].tolist() == [0, 1, 2.5, 4]


def test_a_missing_hour_of_the_similar_day_is_named():
    whole = history(date(2027, 1, 5), 1)
    holed = PriceHistory(np.delete(whole.starts, 5), np.delete(whole.values, 5), 60, BERLIN)

    with pytest.raises(MissingHistory, match=r"1 of 24 prices of 2027-01-05.*04:00"):
        SimilarDayNaive().forecast(holed, date(2027, 1, 6))


@pytest.mark.parametrize(
    ("starts", "values", "word"),
    [
        (["2027-01-01T01", "2027-01-01T00"], [1.0, 2.0], "ascending"),
        (["2027-01-01T00", "2027-01-01T00"], [1.0, 2.0], "ascending"),
        (["2027-01-01T00"], [float("nan")], "finite"),
        (["2027-01-01T00"], [1.0, 2.0], "shape"),
    ],
)
def test_a_history_that_cannot_be_is_refused(starts, values, word):
    with pytest.raises(ValueError, match=word):
        PriceHistory(np.array(starts, dtype="datetime64[s]"), np.array(values), 60, BERLIN)


def test_the_hash_tells_histories_apart():
    past, other = history(date(2027, 1, 5), 1), history(date(2027, 1, 6), 1)

    assert past.content_hash() == history(date(2027, 1, 5), 1).content_hash()
    assert past.content_hash() != other.content_hash()


def test_scores_by_hand():
    result = score(np.array([1.0, -2.0, 3.0]), np.array([2.0, -2.0, 1.0]))

    assert (result.mean_absolute_error, result.periods) == (1.0, 3)
    assert result.bias == pytest.approx(1 / 3)
    assert result.weighted_accuracy == pytest.approx(1 - 3 / 5)
    assert score(np.array([1.0]), np.array([0.0])).weighted_accuracy is None


@pytest.mark.parametrize(
    ("forecast", "actual", "word"),
    [([1.0], [1.0, 2.0], "shape"), ([], [], "no period"), ([float("nan")], [1.0], "finite")],
)
def test_scores_refuse_what_cannot_be_scored(forecast, actual, word):
    with pytest.raises(ValueError, match=word):
        mean_absolute_error(np.array(forecast), np.array(actual))


@pytest.mark.parametrize(("market", "published"), [("NP", 3.165), ("PJM", 4.846)])
def test_equals_the_published_error_on_the_official_test_of_728_days(
    shared_data, market, published
):
    with (shared_data / "epf" / f"{market}.csv").open() as file:
        rows = list(csv.DictReader(file))
    # The benchmark counts 24 hours every day, as UTC does.
    days = Calendar("UTC")
    past = PriceHistory(
        np.array([row["Date"].replace(" ", "T") for row in rows], dtype="datetime64[s]"),
        np.array([float(row["Price"]) for row in rows]),
        60,
        days,
    )
    latest = datetime.fromisoformat(rows[-1]["Date"]).date()

    errors = [
        mean_absolute_error(SimilarDayNaive().forecast(past, day).values, past.day(day)[1])
        for day in (latest - timedelta(days=n) for n in range(728))
    ]

    assert np.mean(errors) == pytest.approx(published, abs=5e-4)
