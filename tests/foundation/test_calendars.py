"""Calendars on the awkward days: clock changes of every kind, skipped dates, shapes, vectors."""

import pickle
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energyopti.foundation.calendars import (
    Calendar,
    CalendarError,
    DatePeriod,
    HolidaySet,
    NoSuchLocalDay,
    PeriodsDoNotTile,
    UnknownZone,
    WeeklyShape,
    count_periods,
    offset_seconds,
    period_starts,
    periods,
    shape_mask,
    shaped_delivery,
    tzdata_version,
    zone,
)
from energyopti.foundation.intervals import Interval, IntervalSet, Remainder

BERLIN = Calendar("Europe/Berlin")
WORKDAYS = frozenset(range(5))
EEX_PEAK = WeeklyShape("EEX peak", "2027-1", WORKDAYS, 8 * 60, 20 * 60)
NERC_2027 = HolidaySet(
    name="NERC",
    version="2027-1",
    covers=DatePeriod.year(2027),
    dates=frozenset(
        date.fromisoformat(day)
        for day in (
            "2027-01-01", "2027-05-31", "2027-07-05", "2027-09-06", "2027-11-25", "2027-12-25",
        )
    ),
)  # fmt: skip
US_5X16 = WeeklyShape("5x16", "2027-1", WORKDAYS, 7 * 60, 23 * 60, NERC_2027)

ZONES = (
    "Europe/Berlin", "Europe/London", "America/New_York", "America/Havana", "Asia/Beirut",
    "America/Santiago", "Africa/Cairo", "Africa/Casablanca", "Asia/Kathmandu", "Asia/Tehran",
    "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia", "Pacific/Kiritimati", "UTC",
    "Pacific/Marquesas", "Antarctica/Troll", "America/Toronto",
)  # fmt: skip
calendars = st.builds(
    Calendar, st.sampled_from(ZONES), st.sampled_from([timedelta(hours=h) for h in (0, 6, 5, -1)])
)
dates = st.dates(date(1971, 1, 1), date(2040, 12, 31))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone_key", "day", "start", "hours"),
    [
        ("Europe/Berlin", "2027-03-28", "2027-03-27T23:00", 23),
        ("Europe/Berlin", "2027-10-31", "2027-10-30T22:00", 25),
        ("Europe/London", "2027-03-28", "2027-03-28T00:00", 23),
        ("America/New_York", "2027-03-14", "2027-03-14T05:00", 23),
        ("America/New_York", "2027-11-07", "2027-11-07T04:00", 25),
        # Clocks go from 00:00 to 01:00, so the day starts at 01:00.
        ("Asia/Beirut", "2027-03-28", "2027-03-27T22:00", 23),
        ("America/Santiago", "2026-09-06", "2026-09-06T04:00", 23),
        # Clocks go from 24:00 back to 23:00: the day before is the long one.
        ("America/Santiago", "2026-04-04", "2026-04-04T03:00", 25),
        # 01:00 back to 00:00: midnight occurs twice, the day starts at the first.
        ("America/Havana", "2020-11-01", "2020-11-01T04:00", 25),
        ("Australia/Lord_Howe", "2027-04-04", "2027-04-03T13:00", 24.5),
        ("Australia/Lord_Howe", "2027-10-03", "2027-10-02T13:30", 23.5),
        # The gap 23:30–00:30 swallows midnight: the day starts at 00:30.
        ("America/Toronto", "1919-03-31", "1919-03-31T04:30", 23.5),
        ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00", 24),
        ("Pacific/Apia", "2011-12-31", "2011-12-30T10:00", 24),
        # Two hours at once.
        ("Antarctica/Troll", "2026-03-29", "2026-03-29T00:00", 22),
        ("Asia/Kathmandu", "2027-03-28", "2027-03-27T18:15", 24),
    ],
)
def test_local_day_starts_and_lasts(zone_key, day, start, hours):
    delivery = Calendar(zone_key).day(date.fromisoformat(day))

    assert delivery.start == utc(start)
    assert delivery.hours == hours


@pytest.mark.parametrize(("day", "hours"), [("2027-03-27", 23), ("2027-10-30", 25)])
@pytest.mark.parametrize("zone_key", ["Europe/Berlin", "Europe/London"])
def test_gas_day_of_the_saturday_has_the_clock_change(zone_key, day, hours):
    gas = Calendar.gas(zone_key)

    assert gas.day(date.fromisoformat(day)).hours == hours
    assert gas.day(date.fromisoformat(day) + timedelta(days=1)).hours == 24


def test_gas_month_starts_at_six_local():
    assert Calendar.gas("Europe/Berlin").month(2027, 4) == Interval(
        utc("2027-04-01T04:00"), utc("2027-05-01T04:00")
    )
    assert Calendar.gas("Europe/Berlin").month(2027, 3).hours == 743
    assert Calendar.gas("Europe/Berlin").year(2027).start == utc("2027-01-01T05:00")
    assert Calendar.gas("Europe/London", start=timedelta(hours=5)).day(date(2027, 1, 5)) == (
        Interval(utc("2027-01-05T05:00"), utc("2027-01-06T05:00"))
    )


def test_efa_day_starts_at_23_of_the_day_before_and_its_first_block_changes_length():
    efa = Calendar.efa()
    spring, autumn = date(2027, 3, 28), date(2027, 10, 31)

    assert efa.day(spring) == Interval(utc("2027-03-27T23:00"), utc("2027-03-28T22:00"))
    assert efa.block(spring, timedelta(0), timedelta(hours=4)).hours == 3
    assert efa.block(autumn, timedelta(0), timedelta(hours=4)).hours == 5
    blocks = [
        efa.block(spring, timedelta(hours=4 * n), timedelta(hours=4 * n + 4)) for n in range(6)
    ]
    assert IntervalSet(blocks) == IntervalSet((efa.day(spring),))
    assert efa.month(2027, 4).start == utc("2027-03-31T22:00")


def test_block_outside_the_day_or_inside_a_gap_is_refused():
    with pytest.raises(CalendarError, match=r"^end:"):
        BERLIN.block(date(2027, 3, 28), timedelta(hours=4), timedelta(hours=4))
    with pytest.raises(NoSuchLocalDay, match=r"^block: 2027-03-28 02:00:00 was skipped"):
        BERLIN.block(date(2027, 3, 28), timedelta(hours=2), timedelta(hours=3))


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("mar27", 743), ("oct27", 745), ("2027-02", 672), ("q1_27", 2159), ("cal27", 8760),
        ("cal28", 8784), ("year2028", 8784), ("2028", 8784), ("2027-Q4", 2209),
        ("summer27", 4392), ("win27", 4392), ("Winter 27", 4392), ("win2028", 4368),
        ("w13_27", 168), ("2027-W12", 167), ("2027-10-31", 25), ("Oct-27", 745), ("Q4-27", 2209),
    ],
)  # fmt: skip
def test_named_periods_have_their_hours_in_germany(name, hours):
    # win2028 runs to March 2029; win27 holds 29 February 2028.
    assert BERLIN.span(DatePeriod.parse(name)).hours == hours


@pytest.mark.parametrize(
    "name", ["", "cal", "q5_27", "foo27", "2027-13", "2027-02-30", "w54_27", "cal127", "9999-12-31"]
)
def test_unknown_period_names_are_refused_with_examples(name):
    with pytest.raises(CalendarError, match=r"^period: .* write it like cal27"):
        DatePeriod.parse(name)


@pytest.mark.parametrize(
    "make",
    [
        lambda: DatePeriod(date(2027, 1, 1), date(2027, 1, 1)),
        lambda: DatePeriod.months(2027, 13),
        lambda: DatePeriod.months(2027, 1, 0),
        lambda: DatePeriod.quarter(2027, 0),
        lambda: DatePeriod.year(9999),
        lambda: DatePeriod.iso_week(2027, 60),
    ],
)
def test_periods_that_do_not_exist_are_refused(make):
    with pytest.raises(CalendarError):
        make()


def test_calendar_refuses_unknown_zones_and_impossible_starts():
    for key in ("Europe/Bonn", "", "../etc/passwd", "europe/berlin"):
        with pytest.raises(UnknownZone, match=f"database {tzdata_version()}"):
            Calendar(key)
    with pytest.raises(CalendarError, match=r"^day_start"):
        Calendar("UTC", timedelta(hours=24))
    with pytest.raises(CalendarError, match="must be naive"):
        BERLIN.instant(utc("2027-01-01T00:00"))
    with pytest.raises(CalendarError, match="outside the calendar"):
        Calendar("Asia/Tokyo").instant(datetime(1, 1, 1))


def test_skipped_date_has_no_day_and_empty_delivery():
    apia, skipped = Calendar("Pacific/Apia"), date(2011, 12, 30)

    with pytest.raises(NoSuchLocalDay, match="2011-12-30 never happened in Pacific/Apia"):
        apia.day(skipped)
    week = DatePeriod(date(2011, 12, 26), date(2012, 1, 2))
    assert not apia.delivered(DatePeriod.day(skipped))
    assert [day.day for day, _ in apia.days(week)] == [26, 27, 28, 29, 31, 1]
    assert count_periods(apia, week, minutes=15) == 6 * 96
    assert Calendar.gas("Pacific/Apia").day(date(2011, 12, 29)).hours == 24
    assert not len(period_starts(apia, DatePeriod.day(skipped), minutes=15))


def test_labels_tell_the_two_passes_of_the_repeated_hour_apart():
    first = BERLIN.label(utc("2027-10-31T00:30"))
    second = BERLIN.label(utc("2027-10-31T01:30"))

    assert first.wall == second.wall == datetime(2027, 10, 31, 2, 30)
    assert (first.fold, second.fold) == (0, 1)
    assert (str(first), str(second)) == ("2027-10-31T02:30+02:00", "2027-10-31T02:30+01:00")


def test_instants_whose_clock_disagrees_with_their_day_still_have_one():
    # 00:01 back to 23:01: an hour labelled 29 October lies inside the day of the 30th.
    newfoundland = Calendar("America/St_Johns")
    repeated = utc("2005-10-30T03:00")
    assert newfoundland.label(repeated).wall == datetime(2005, 10, 29, 23, 30)
    assert newfoundland.date_of(repeated) == date(2005, 10, 30)

    # The gas day of the 29th lasts until 06:00 on the 31st; the 30th never came.
    assert Calendar.gas("Pacific/Apia").date_of(utc("2011-12-30T12:00")) == date(2011, 12, 29)


@given(calendars, dates)
def test_days_tile_the_line_and_hold_their_own_dates(calendar, day):
    found = list(calendar.days(DatePeriod(day, day + timedelta(days=5))))

    assert all(a[1].end == b[1].start for a, b in pairwise(found))
    for date_, delivery in found:
        assert calendar.date_of(delivery.start) == date_
        assert calendar.date_of(delivery.end - timedelta(seconds=1)) == date_
        assert timedelta(hours=20) < delivery.duration < timedelta(hours=28)
        assert calendar.day(date_) == delivery


@given(calendars, st.datetimes(datetime(1971, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))
def test_label_and_instant_are_inverse_on_the_first_pass(calendar, instant):
    label = calendar.label(instant)

    assert label.wall - label.offset == instant.replace(tzinfo=None)
    if label.fold == 0:
        assert calendar.instant(label.wall) == instant


@given(calendars, dates, st.sampled_from([15, 30, 60]))
def test_vector_and_slow_periods_agree(calendar, day, minutes):
    week = DatePeriod(day, day + timedelta(days=7))

    slow = periods(calendar, week, minutes=minutes, remainder=Remainder.SHORT_LAST)
    fast = period_starts(calendar, week, minutes=minutes, remainder=Remainder.SHORT_LAST)

    assert fast.tolist() == [p.start.replace(tzinfo=None) for p in slow]
    assert len(slow) == count_periods(
        calendar, week, minutes=minutes, remainder=Remainder.SHORT_LAST
    )
    assert IntervalSet(slow) == calendar.delivered(week)


@pytest.mark.parametrize(
    ("day", "quarters", "halves", "hours"),
    [("2027-03-28", 92, 46, 23), ("2027-06-01", 96, 48, 24), ("2027-10-31", 100, 50, 25)],
)
def test_clock_changes_change_the_number_of_periods(day, quarters, halves, hours):
    one_day = DatePeriod.parse(day)

    assert [count_periods(BERLIN, one_day, minutes=m) for m in (15, 30, 60)] == [
        quarters,
        halves,
        hours,
    ]


def test_hours_do_not_tile_a_day_of_24_and_a_half():
    calendar, day = Calendar("Australia/Lord_Howe"), DatePeriod.parse("2027-04-04")

    for refused in (periods, count_periods, period_starts):
        with pytest.raises(PeriodsDoNotTile, match=r"2027-04-04 in Australia/Lord_Howe has 24.5 h"):
            refused(calendar, day, minutes=60)
    found = periods(calendar, day, minutes=60, remainder=Remainder.SHORT_LAST)
    assert [p.hours for p in found[-2:]] == [1, 0.5]
    assert count_periods(calendar, day, minutes=30) == 49

    week = DatePeriod(date(2027, 4, 1), date(2027, 4, 8))
    starts = period_starts(calendar, week, minutes=60, remainder=Remainder.SHORT_LAST)
    assert len(starts) == 6 * 24 + 25
    assert starts[4 * 24 + 1] == np.datetime64("2027-04-04T13:30")


@pytest.mark.parametrize("minutes", [0, -15, 15.0, True, 1441])
def test_period_lengths_that_make_no_grid_are_refused(minutes):
    with pytest.raises(CalendarError, match=r"^minutes:"):
        count_periods(BERLIN, DatePeriod.year(2027), minutes=minutes)


def test_ten_years_of_quarter_hours_are_one_array():
    decade = DatePeriod(date(2024, 1, 1), date(2034, 1, 1))
    zone("Europe/Berlin")

    starts = period_starts(BERLIN, decade, minutes=15)

    assert starts.shape == (350_688,)
    assert starts.dtype == np.dtype("datetime64[s]")


def test_offsets_agree_with_labels_one_by_one():
    for key in ("Europe/Berlin", "Australia/Lord_Howe", "Africa/Casablanca"):
        calendar = Calendar(key)
        starts = period_starts(calendar, DatePeriod.year(2026), minutes=30)[::7]

        labels = [calendar.label(s.replace(tzinfo=UTC)).offset.seconds for s in starts.tolist()]

        assert (offset_seconds(calendar, starts) % 86_400).tolist() == labels


def test_offsets_refuse_disorder_and_accept_nothing():
    starts = period_starts(BERLIN, DatePeriod.parse("2027-01-01"), minutes=60)

    with pytest.raises(CalendarError, match="ascending"):
        offset_seconds(BERLIN, starts[::-1])
    with pytest.raises(CalendarError, match="NaT"):
        offset_seconds(BERLIN, np.array(["NaT"], dtype="datetime64[s]"))
    assert offset_seconds(BERLIN, starts[:0]).size == 0


@pytest.mark.parametrize(
    ("zone_key", "shape"), [("Europe/Berlin", EEX_PEAK), ("America/New_York", US_5X16)]
)
def test_mask_and_exact_shape_agree_for_a_year(zone_key, shape):
    calendar, year = Calendar(zone_key), DatePeriod.year(2027)
    starts = period_starts(calendar, year, minutes=15)

    mask = shape_mask(calendar, starts, shape)
    exact = shaped_delivery(calendar, year, shape)

    assert mask.sum() / 4 == exact.hours
    inside = IntervalSet(
        Interval(s, s + timedelta(minutes=15))
        for s in (t.replace(tzinfo=UTC) for t in starts[mask].tolist())
    )
    assert inside == exact


def test_eex_peak_counts_holidays_and_us_peak_does_not():
    new_york, november = Calendar("America/New_York"), DatePeriod.parse("nov27")
    us_without = WeeklyShape("5x16", "1", WORKDAYS, 7 * 60, 23 * 60)

    assert shaped_delivery(BERLIN, DatePeriod.parse("jan27"), EEX_PEAK).hours == 252
    assert shaped_delivery(new_york, november, us_without).hours == 352
    assert shaped_delivery(new_york, november, US_5X16).hours == 336


def test_shape_of_an_efa_day_keeps_what_lies_inside():
    efa, monday = Calendar.efa(), DatePeriod.parse("2027-06-07")
    night = WeeklyShape("night", "1", frozenset(range(7)), 22 * 60, 24 * 60)

    assert shaped_delivery(efa, monday, night) == IntervalSet(
        (
            Interval(utc("2027-06-06T22:00"), utc("2027-06-06T23:00")),
            Interval(utc("2027-06-07T21:00"), utc("2027-06-07T22:00")),
        )
    )


def test_window_inside_the_skipped_hour_delivers_nothing_that_day():
    shape = WeeklyShape("02–03", "1", frozenset({6}), 120, 180)

    assert not shaped_delivery(BERLIN, DatePeriod.parse("2027-03-28"), shape)
    assert shaped_delivery(BERLIN, DatePeriod.parse("2027-10-31"), shape).hours == 2


def test_holidays_do_not_answer_for_years_they_do_not_cover():
    new_york = Calendar("America/New_York")

    with pytest.raises(CalendarError, match=r"^holidays: NERC 2027-1 covers 2027-01-01"):
        shaped_delivery(new_york, DatePeriod.parse("jan28"), US_5X16)
    with pytest.raises(CalendarError, match=r"^holidays:"):
        shape_mask(
            new_york, period_starts(new_york, DatePeriod.parse("jan28"), minutes=60), US_5X16
        )
    with pytest.raises(CalendarError, match=r"^dates: 2028-01-01 is outside"):
        HolidaySet("x", "1", DatePeriod.year(2027), frozenset({date(2028, 1, 1)}))


@pytest.mark.parametrize(
    ("weekdays", "first", "last"),
    [
        (frozenset(), 0, 60),
        (frozenset({7}), 0, 60),
        (WORKDAYS, 1200, 480),
        (WORKDAYS, 0, 1441),
        (WORKDAYS, -1, 60),
    ],
)
def test_shapes_out_of_range_are_refused(weekdays, first, last):
    with pytest.raises(CalendarError):
        WeeklyShape("x", "1", weekdays, first, last)


def test_zone_comes_from_the_pinned_package_and_survives_pickling():
    berlin = zone("Europe/Berlin")

    assert pickle.loads(pickle.dumps(berlin)) is berlin
    assert pickle.loads(pickle.dumps(BERLIN)) == BERLIN
    import tzdata

    assert tzdata_version() == tzdata.IANA_VERSION
