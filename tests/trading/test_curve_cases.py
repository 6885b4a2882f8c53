"""Reference cases of curves: contract names, weightings, frequencies, and the published ones."""

from pathlib import Path

import pytest

from energyopti.foundation.validation.cases import read_cases
from energyopti.foundation.validation.registry import Question, Unsupported, adapters
from energyopti.foundation.validation.runner import Status, run_case


def ask(topic, named_dates=(), **inputs):
    return adapters.answer(Question("q", topic, inputs, (), Path(), named_dates))


JANUARY_AND_QUARTER = [["2019-01", 60.0], ["Q1-2019", 50.0]]


@pytest.mark.parametrize(
    ("conventions", "hours_left"),
    [
        ({}, (31, 59)),
        ({"weights": "calendar days", "tz": "Europe/Berlin"}, (31, 59)),
        # March 2019 has 743 hours in Berlin
        ({"weights": "hours", "tz": "Europe/Berlin"}, (744, 672 + 743)),
        ({"weights": "hours (Europe/Berlin)"}, (744, 672 + 743)),
        ({"weights": "hours"}, (744, 1416)),
    ],
)
def test_weights_are_calendar_days_or_hours_of_a_zone(conventions, hours_left):
    own, left = hours_left
    rest = (50.0 * (own + left) - 60.0 * own) / left

    answer = ask("curve_bootstrap", contracts=JANUARY_AND_QUARTER, **conventions)

    assert answer["curve"] == pytest.approx([60.0, rest, rest], abs=1e-10)


@pytest.mark.parametrize(
    ("freq", "count"), [("M", 3), ("D", 90), ("h", 2159), ("30min", 4318), ("15min", 8636)]
)
def test_a_frequency_gives_that_many_prices(freq, count):
    answer = ask(
        "curve_bootstrap",
        contracts=JANUARY_AND_QUARTER,
        weights="hours",
        tz="Europe/Berlin",
        freq=freq,
    )

    assert len(answer["curve"]) == count
    assert answer["curve"][0] == pytest.approx(60.0)


def test_names_of_all_kinds_of_contracts_round_trip_through_clock_changes():
    contracts = [
        ["2019-03-30", "2019-04-05", 41.0],
        ["2019-10-27", "2019-10-27", -3.0],
        *(["Q2-2019", 38.0], ["Sum-2019", 36.0], ["Win-2019", 52.0], ["Sum-2020", 40.0]),
        *(["GasYear-2020", 46.0], ["Cal-2022", 44.0], ["Feb-2022", 55.0], ["2022-W10", 51.0]),
    ]

    answer = ask(
        "curve_roundtrip_property",
        contracts=contracts,
        freqs=["D", "H", "30min", "15min"],
        weights="hours",
        tz="Europe/Berlin",
    )

    assert answer["max_abs_average_error"] <= 1e-10


def test_smooth_prices_are_given_on_the_dates_asked_for():
    contracts = [["2019-07-01", "2019-07-31", 70.0], ["2019-08-01", "2019-08-31", 76.2]]

    every = ask("curve_max_smoothness", contracts=contracts)
    by_input = ask("curve_max_smoothness", contracts=contracts, dates=["2019-07-01", "2019-08-31"])
    by_source = ask("curve_max_smoothness", named_dates=("2019-08-31",), contracts=contracts)

    # two means and least curvature: a straight line of 6.2 in 31 days
    assert every["values"] == pytest.approx([67.0 + 0.2 * day for day in range(62)])
    assert by_input["values"] == [every["values"][0], every["values"][-1]]
    assert by_source["values"] == [every["values"][-1]]


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({"contracts": [["Moon-2019", 4.0]]}, "moon-2019"),
        ({"contracts": JANUARY_AND_QUARTER, "weights": "business days"}, "neither hours nor"),
        ({"contracts": JANUARY_AND_QUARTER, "weights": [1, 2]}, "must be named"),
        ({"contracts": JANUARY_AND_QUARTER, "freq": "fortnight"}, "frequency 'fortnight'"),
        ({}, "inputs have no contracts"),
    ],
)
def test_what_is_not_understood_is_declined_with_the_reason(inputs, reason):
    with pytest.raises(Unsupported, match="(?i)" + reason):
        ask("curve_bootstrap", **inputs)


def test_published_cases_pass(shared_data):
    path = shared_data / "oracles" / "trading_risk.json"
    if not path.is_file():
        pytest.skip(f"{path} is not on this machine")
    cases = [case for case in read_cases(path) if case.question.topic.startswith("curve_")]

    results = {case.question.id: run_case(case, adapters=adapters).status for case in cases}

    assert results
    assert set(results.values()) == {Status.PASS}
