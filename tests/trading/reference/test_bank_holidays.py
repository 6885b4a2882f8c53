"""Bank holidays by rule, against the calendars that were published."""

import csv
from datetime import date

import pytest
from django.conf import settings

from trading.markets.bank_holidays import fed_holidays, target_holidays, uk_bank_holidays
from trading.markets.reference_catalogue import HOLIDAYS


def days(rule, year):
    return [f"{day:%m-%d}" for day, _ in rule(year, year)]


@pytest.mark.parametrize(
    ("year", "published"),
    [
        (2024, ["01-01", "03-29", "04-01", "05-01", "12-25", "12-26"]),
        (2025, ["01-01", "04-18", "04-21", "05-01", "12-25", "12-26"]),
        (2027, ["01-01", "03-26", "03-29", "05-01", "12-25", "12-26"]),  # none is moved
    ],
)
def test_target_closes_on_six_days(year, published):
    assert days(target_holidays, year) == published


@pytest.mark.parametrize(
    ("year", "published"),
    [
        (2021, ["01-01", "01-18", "02-15", "05-31", "07-05", "09-06", "10-11", "11-11", "11-25",
                "12-25"]),
        (2022, ["01-01", "01-17", "02-21", "05-30", "06-20", "07-04", "09-05", "10-10", "11-11",
                "11-24", "12-26"]),
        (2026, ["01-01", "01-19", "02-16", "05-25", "06-19", "07-04", "09-07", "10-12", "11-11",
                "11-26", "12-25"]),
    ],
)  # fmt: skip
def test_the_federal_reserve_moves_sundays_alone(year, published):
    assert days(fed_holidays, year) == published


@pytest.mark.parametrize(
    ("year", "published"),
    [
        (2024, ["01-01", "03-29", "04-01", "05-06", "05-27", "08-26", "12-25", "12-26"]),
        (2026, ["01-01", "04-03", "04-06", "05-04", "05-25", "08-31", "12-25", "12-28"]),
        (2027, ["01-01", "03-26", "03-29", "05-03", "05-31", "08-30", "12-27", "12-28"]),
        (2028, ["01-03", "04-14", "04-17", "05-01", "05-29", "08-28", "12-25", "12-26"]),
        (2033, ["01-03", "04-15", "04-18", "05-02", "05-30", "08-29", "12-26", "12-27"]),
    ],
)
def test_uk_bank_holidays_move_to_the_next_working_day(year, published):
    assert days(uk_bank_holidays, year) == published


@pytest.mark.parametrize("terms", HOLIDAYS, ids=lambda terms: terms.calendar)
def test_each_calendar_says_every_year_once(terms):
    dates = [day for day, _ in terms.holidays]

    assert len(set(dates)) == len(dates) and dates == sorted(dates)
    assert {day.year for day in dates} == set(
        range(terms.covers_first.year, terms.covers_last.year + 1)
    )
    assert date(terms.covers_first.year, 1, 1) == terms.covers_first


def test_the_documented_file_says_what_the_rule_says():
    path = settings.BASE_DIR / "docs" / "reference-data" / "europe" / "holidays.csv"
    with path.open(newline="") as file:
        lines = list(csv.DictReader(file))
    (terms,) = [terms for terms in HOLIDAYS if terms.calendar == "TARGET"]

    assert [(date.fromisoformat(line["date"]), line["name"]) for line in lines] == list(
        terms.holidays
    )
    assert {(line["calendar_name"], line["covers_first"], line["covers_last"], line["source"])
            for line in lines} == {
        (terms.calendar_name, str(terms.covers_first), str(terms.covers_last), terms.source)
    }  # fmt: skip
