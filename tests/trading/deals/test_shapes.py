"""Hours of shapes on the awkward days, written out; and the laws that tie shapes together."""

from datetime import date, timedelta
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energyopti.foundation.calendars import CalendarError, DatePeriod, period_starts
from energyopti.foundation.intervals import Interval
from trading.deals import (
    BASE,
    DealError,
    HolidayRule,
    LoadShape,
    NoSuchShape,
    block_shape,
    complement,
    month_parts,
    shape_intervals,
    shape_seconds,
)

from .markets import DE, LORD_HOWE, MARKETS, NERC_2027, PJM, period


def hours(area, code, name):
    shape = area.shape(code)
    return shape_intervals(area.calendar, shape, area.calendar.span(period(name))).hours


@pytest.mark.parametrize(
    ("area", "code", "name", "expected"),
    [
        ("DE", "PEAK", "cal27", 3132),
        ("DE", "OFFPEAK", "cal27", 5628),
        ("DE", "PEAK", "2027-03-28", 0),
        ("DE", "OFFPEAK", "2027-03-28", 23),
        ("DE", "OFFPEAK", "2027-10-31", 25),
        ("DE", "PEAK", "2027-01-01", 12),  # a holiday counts like other days
        ("DE", "H08-H20", "mar27", 372),
        ("DE", "HE09-HE20", "mar27", 372),
        ("DE", "H22-H06", "mar27", 247),
        ("DE", "H22-H06", "oct27", 249),
        ("DE", "H02-H03", "2027-03-28", 0),
        ("DE", "H02-H03", "2027-10-31", 2),
        ("DE", "H00-H24", "2027-10-31", 25),
        # EFA days run from 23:00 to 23:00; the clock changes in block 1 of the Sunday.
        ("GB-EFA", "EFA1", "2027-03-28", 3),
        ("GB-EFA", "EFA1", "2027-10-31", 5),
        ("GB-EFA", "EFA2", "2027-10-31", 4),
        ("GB-EFA", "PEAK", "oct27", 252),
        ("GB-EFA", "EXTPEAK", "oct27", 336),
        ("GB-EFA", "EFA6", "cal27", 1460),
        ("GB-EFA", "H23-H03", "2027-10-31", 5),
        ("GB-EFA", "H22-H24", "2027-06-01", 2),
        # The gas day that is short or long starts on the Saturday.
        ("TTF", "BASE", "2027-03-27", 23),
        ("TTF", "BASE", "2027-03-28", 24),
        ("TTF", "BASE", "2027-10-30", 25),
        ("NBP", "BASE", "2027-10-30", 25),
        ("HH", "BASE", "2027-03-13", 23),
        # NERC: 256 working days, 104 weekend days and 5 holidays on working days.
        ("PJM-W", "5X16", "cal27", 4096),
        ("PJM-W", "2X16", "cal27", 1744),
        ("PJM-W", "7X8", "cal27", 2920),
        ("PJM-W", "OFFPEAK", "cal27", 4664),
        ("PJM-W", "5X16", "2027-11-25", 0),
        ("PJM-W", "2X16", "2027-11-25", 16),
        ("PJM-W", "7X8", "2027-03-14", 7),
        ("PJM-W", "7X8", "2027-11-07", 9),
        # Lord Howe moves its clock by half an hour.
        ("LHI", "BASE", "2027-04-04", Fraction(49, 2)),
        ("LHI", "H00-H06", "2027-04-04", Fraction(13, 2)),
        ("LHI", "H00-H06", "2027-10-03", Fraction(11, 2)),
        ("LHI", "H06-H24", "2027-10-03", 18),
    ],
)
def test_hours_of_a_shape(area, code, name, expected):
    assert hours(MARKETS[area], code, name) == expected


def test_a_block_by_hours_ending_is_the_same_block():
    assert block_shape("HE09-HE20") == block_shape("H08-H20")
    assert block_shape("h08-h20").code == "H08-H20"


@pytest.mark.parametrize("code", ["H08-H08", "H25-H26", "HE00-HE05", "H24-H06", "H08-H25"])
def test_hours_that_are_not_on_the_clock_are_refused(code):
    with pytest.raises(DealError, match=r"product: .*names no hours"):
        block_shape(code)


@pytest.mark.parametrize("code", ["PEAKY", "H08-HE20", "EFA1"])
def test_an_area_knows_only_its_own_products(code):
    with pytest.raises(NoSuchShape, match="product: DE has no"):
        DE.shape(code)


def test_holidays_are_not_guessed_beyond_what_the_list_covers():
    with pytest.raises(CalendarError, match="covers 2027-01-01"):
        hours(PJM, "5X16", "jan28")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"weekdays": "0"}, "weekdays"),
        ({"weekdays": "21"}, "weekdays"),
        ({"from_minute": 600, "to_minute": 600}, "to_minute"),
        ({"to_minute": 1441}, "to_minute"),
        ({"holiday_rule": HolidayRule.EXCLUDE}, "holidays"),
        ({"holidays": NERC_2027}, "holidays"),
    ],
)
def test_a_shape_without_sense_is_refused(changes, field):
    with pytest.raises(DealError) as refused:
        LoadShape("X", **changes)
    assert refused.value.field == field


def test_of_two_versions_the_one_of_the_delivery_date_holds_and_an_old_one_stays_reachable():
    old = LoadShape("PEAK", 1, "12345", 480, 1200)
    new = LoadShape("PEAK", 2, "12345", 540, 1260, valid_from=date(2028, 1, 1))
    area = type(DE)("XX", "Europe/Berlin", "EUR", shapes=(new, old))

    assert area.shape("PEAK", on=date(2027, 12, 31)) == old
    assert area.shape("peak", on=date(2028, 1, 1)) == new
    assert area.shape("PEAK", version=1) == old
    with pytest.raises(NoSuchShape):
        area.shape("PEAK", version=3)


SHAPES = [
    (area, shape)
    for area in (DE, MARKETS["GB-EFA"], PJM)
    for shape in (*area.shapes, block_shape("H22-H06", area.day_start))
] + [(LORD_HOWE, block_shape("H01-H05"))]
days_of_2027 = st.integers(0, 340).map(lambda n: date(2027, 1, 1) + timedelta(days=n))
runs = st.builds(
    lambda first, n: DatePeriod(first, min(first + timedelta(days=n), date(2028, 1, 1))),
    days_of_2027, st.integers(1, 60),
)  # fmt: skip


@given(st.sampled_from(SHAPES), runs)
def test_a_shape_and_its_complement_are_base(pair, run):
    area, shape = pair
    frame = area.calendar.span(run)
    inside = shape_intervals(area.calendar, shape, frame)
    outside = shape_intervals(area.calendar, complement(shape), frame)

    assert not inside & outside
    assert inside | outside == shape_intervals(area.calendar, BASE, frame)


@given(st.sampled_from(SHAPES), runs, st.integers(1, 59))
def test_hours_of_two_parts_are_those_of_the_whole(pair, run, cut):
    area, shape = pair
    middle = run.first + timedelta(days=cut)
    if middle >= run.after:
        return
    whole = sum(p.hours for p in month_parts(area.calendar, shape, run))

    parts = [DatePeriod(run.first, middle), DatePeriod(middle, run.after)]
    found = [p for part in parts for p in month_parts(area.calendar, shape, part)]

    assert sum(p.hours for p in found) == whole
    assert sum(p.days for p in found) == sum(p.days for p in month_parts(area.calendar, shape, run))


def test_the_blocks_of_an_efa_day_are_the_day():
    area = MARKETS["GB-EFA"]
    for name in ("2027-03-28", "2027-10-31", "oct27"):
        assert sum(hours(area, f"EFA{n}", name) for n in range(1, 7)) == hours(area, "BASE", name)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SHAPES), st.sampled_from(["mar27", "oct27", "nov27", "2027-04-04"]),
       st.sampled_from([15, 30]))  # fmt: skip
def test_seconds_on_a_grid_equal_asking_each_period_for_itself(pair, name, minutes):
    area, shape = pair
    starts = period_starts(area.calendar, period(name), minutes=minutes)

    fast = shape_seconds(area.calendar, shape, starts, minutes=minutes)

    step = timedelta(minutes=minutes)
    first = area.calendar.span(period(name)).start
    delivered = shape_intervals(area.calendar, shape, area.calendar.span(period(name)))
    for index in range(0, len(starts), 7):
        piece = Interval(first + index * step, first + (index + 1) * step)
        slow = sum(
            (shared.duration for one in delivered if (shared := one.intersection(piece))),
            timedelta(0),
        )
        assert fast[index] == slow.total_seconds()
    assert int(fast.sum()) == delivered.hours * 3600
    assert fast.dtype == np.int64


def test_a_period_that_a_shape_cuts_has_its_part():
    shape = LoadShape("ODD", from_minute=8 * 60 + 10, to_minute=9 * 60)
    starts = period_starts(DE.calendar, period("2027-06-01"), minutes=30)

    seconds = shape_seconds(DE.calendar, shape, starts, minutes=30)

    assert seconds[15:19].tolist() == [0, 1200, 1800, 0]
