"""Figures as they stand on pages: expected texts are written out."""

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from energyopti.foundation.tables.templatetags import figures


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        (Decimal("1234567.891"), 2, "1,234,567.89"),
        (Decimal("-0.004"), 2, "0.00"),
        (-4, 0, "−4"),
        (0, 1, "0.0"),
        (float("nan"), 2, "–"),
        (float("inf"), 2, "–"),
        (Decimal("NaN"), 2, "–"),
        (None, 2, "–"),
        ("", 0, "–"),
        ("n/a", 0, "n/a"),
        (True, 0, True),
    ],
)
def test_figure(value: object, places: int, text: object) -> None:
    assert figures.figure(value, places) == text


@pytest.mark.parametrize(
    ("value", "text", "mark", "welcome_up", "welcome_down"),
    [
        (Decimal("2.5"), "+2.50", "▲", "up", "down"),
        (Decimal("-2.5"), "−2.50", "▼", "down", "up"),
        (Decimal("0.001"), "0.00", "▲", "up", "down"),
        (0, "0.00", "■", "", ""),
        (None, "–", "■", "", ""),
    ],
)
def test_change(value, text: str, mark: str, welcome_up: str, welcome_down: str) -> None:
    assert figures.signed(value, 2) == text
    assert figures.arrow(value) == mark
    assert figures.direction(value) == welcome_up
    assert figures.direction(value, "down") == welcome_down


def test_moment_names_the_zone_on_both_sides_of_the_clock_change() -> None:
    with timezone.override(ZoneInfo("Europe/Berlin")):
        before = figures.moment(datetime(2027, 3, 28, 0, 30, tzinfo=UTC))
        after = figures.moment(datetime(2027, 3, 28, 1, 30, tzinfo=UTC))

    assert before == "28 Mar 2027 01:30 CET"
    assert after == "28 Mar 2027 03:30 CEST"


def test_moment_of_a_day_and_of_nothing() -> None:
    assert figures.moment(date(2027, 2, 1)) == "1 Feb 2027"
    assert figures.moment(None) == "–"
    assert figures.moment("soon") == "soon"
    assert figures.moment(datetime(2027, 1, 1)) == datetime(2027, 1, 1)


def test_iso_is_for_machines() -> None:
    assert figures.iso(Decimal("-1234.5")) == "-1234.5"
    assert figures.iso(datetime(2027, 3, 28, 1, tzinfo=UTC)) == "2027-03-28T01:00:00+00:00"
    assert figures.iso(float("nan")) == ""
    assert figures.iso("x") == "x"
    assert figures.iso(None) == ""


def test_parts_of_a_whole() -> None:
    assert figures.share(31200, 52416) == "60 %"
    assert figures.share(1, 0) == "–"
    assert figures.share(None, 5) == "–"
    assert figures.portion(200, "0.75") == "150"
