"""Reading price files: every clock on its awkward day, every defect by its line."""

# ruff: noqa: E501  # one defect a line reads as a table

from datetime import UTC

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energyopti.foundation.calendars import Calendar, DatePeriod, period_starts
from trading.markets.price_files import (
    Clock,
    FindingKind,
    GapPolicy,
    PriceFileRefused,
    read_price_file,
)

BERLIN = Calendar("Europe/Berlin")
SPRING, AUTUMN = "2027-03-28", "2027-10-31"


def text_of(times, *, column="Date", prices=None, extra=""):
    lines = [f"{column},Price{extra and ',' + extra}"]
    for index, time in enumerate(times):
        price = prices[index] if prices else index - 1
        lines.append(f"{time},{price}{extra and ',7.5'}")
    return "\n".join(lines) + "\n"


def hours_of(day, *, skip=(), repeat=()):
    found = []
    for hour in range(24):
        if hour in skip:
            continue
        found.append(f"{day} {hour:02d}:00:00")
        if hour in repeat:
            found.append(f"{day} {hour:02d}:00:00")
    return found


def read(text, clock=Clock.UTC, **options):
    content = text if isinstance(text, bytes) else text.encode()
    return read_price_file(content, calendar=BERLIN, clock=clock, **options)


def refusal(text, clock=Clock.UTC, **options):
    with pytest.raises(PriceFileRefused) as caught:
        read(text, clock, **options)
    return {(finding.line, finding.kind) for finding in caught.value.findings if finding.is_error}


@pytest.mark.parametrize(
    ("day", "times", "hours"),
    [
        (SPRING, hours_of(SPRING, skip={2}), 23),
        (AUTUMN, hours_of(AUTUMN, repeat={2}), 25),
        ("2027-06-01", hours_of("2027-06-01"), 24),
    ],
)
def test_wall_clock_days_tile_the_utc_line(day, times, hours):
    file = read(text_of(times), Clock.WALL)

    expected = period_starts(BERLIN, DatePeriod.parse(day), minutes=60)
    assert file.batch.starts.tolist() == expected.tolist()
    assert len(file.batch.starts) == hours


def test_wall_clock_gives_the_second_pass_its_own_value():
    prices = list(range(25))

    file = read(text_of(hours_of(AUTUMN, repeat={2}), prices=prices), Clock.WALL)

    assert [float(v) for v in file.batch.series["spot"]] == prices
    assert [f.kind for f in file.findings] == [FindingKind.CLOCK_CHANGE]


def test_day_of_24_hours_drops_the_invented_hour_and_says_so():
    file = read(text_of(hours_of(SPRING), prices=list(range(24))), Clock.DAY_OF_24)

    assert [float(v) for v in file.batch.series["spot"]] == [0, 1, *range(3, 24)]
    (finding,) = file.findings
    assert (finding.line, finding.kind, finding.is_error) == (4, FindingKind.CLOCK_CHANGE, False)
    assert "invented, dropped" in finding.message


def test_day_of_24_hours_uses_one_hour_for_both_and_says_so():
    file = read(text_of(hours_of(AUTUMN), prices=list(range(24))), Clock.DAY_OF_24)

    assert [float(v) for v in file.batch.series["spot"]] == [0, 1, 2, 2, *range(3, 24)]
    (finding,) = file.findings
    assert (finding.line, finding.message.endswith("one value used for both.")) == (4, True)


@pytest.mark.parametrize("minutes", [15, 30, 60])
@pytest.mark.parametrize("day", [SPRING, AUTUMN])
def test_timestamps_with_offset_are_read_at_every_granularity(minutes, day):
    starts = period_starts(BERLIN, DatePeriod.parse(day), minutes=minutes)

    file = read(text_of([f"{start}+00:00" for start in starts], column="timestamp"), None)

    assert file.batch.minutes == minutes
    assert file.batch.starts.tolist() == starts.tolist()
    assert file.clock is Clock.OFFSET


def test_values_stay_exact_negative_and_in_named_series():
    text = "Date,Price,Wind forecast\n2027-01-01 00:00,-12.345678901,1e3\n2027-01-01 01:00,0,-0.5\n"

    batch = read(text).batch

    assert [str(v) for v in batch.series["spot"]] == ["-12.345678901", "0"]
    assert [float(v) for v in batch.series["Wind forecast"]] == [1000, -0.5]


def test_a_mark_of_byte_order_and_blank_lines_at_the_end_change_nothing():
    text = text_of(hours_of("2027-01-05"))

    file = read(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode() + b"\r\n\r\n")

    assert file.batch.starts.tolist() == read(text).batch.starts.tolist()


def test_rows_in_any_order_are_sorted_where_the_time_is_unambiguous():
    times = hours_of("2027-01-05")

    file = read(text_of(times[::-1], prices=list(range(24))))

    assert [float(v) for v in file.batch.series["spot"]] == list(range(23, -1, -1))


DAY = hours_of("2027-01-05")


@pytest.mark.parametrize(
    ("name", "text", "clock", "expected"),
    [
        ("gap", text_of(DAY[:5] + DAY[7:]), Clock.UTC, {(7, FindingKind.GAP)}),
        ("duplicate", text_of([*DAY[:3], DAY[1], *DAY[3:]]), Clock.UTC, {(5, FindingKind.DUPLICATE)}),
        ("NaN", text_of(DAY, prices=["NaN", *range(23)]), Clock.UTC, {(2, FindingKind.MISSING_VALUE)}),
        ("empty", text_of(DAY, prices=["", *range(23)]), Clock.UTC, {(2, FindingKind.MISSING_VALUE)}),
        ("infinity", text_of(DAY, prices=["inf", *range(23)]), Clock.UTC, {(2, FindingKind.VALUE)}),
        ("words", text_of(DAY, prices=[*range(23), "12 EUR"]), Clock.UTC, {(25, FindingKind.VALUE)}),
        ("underscore", text_of(DAY, prices=[*range(23), "1_0"]), Clock.UTC, {(25, FindingKind.VALUE)}),
        ("comma", "Date,Price\n2027-01-05 00:00,12,5\n", Clock.UTC, {(2, FindingKind.FIELDS)}),
        ("short row", "Date,Price\n2027-01-05 00:00\n", Clock.UTC, {(2, FindingKind.FIELDS)}),
        ("bad date", text_of([*DAY[:2], "2027-13-01 00:00"]), Clock.UTC, {(4, FindingKind.TIMESTAMP)}),
        ("no time", text_of([*DAY[:2], "soon"]), Clock.UTC, {(4, FindingKind.TIMESTAMP)}),
        ("off grid", text_of([*DAY[:3], "2027-01-05 02:07"]), Clock.UTC, {(5, FindingKind.OFF_GRID)}),
        ("seconds", text_of([*DAY[:3], "2027-01-05 03:00:01"]), Clock.UTC, {(5, FindingKind.OFF_GRID)}),
        (
            "mixed",
            text_of([*DAY[:8], "2027-01-05 07:15", "2027-01-05 07:30", "2027-01-05 07:45"]),
            Clock.UTC,
            {(10, FindingKind.MIXED_GRANULARITY)},
        ),
        ("daily", text_of(["2027-01-05", "2027-01-06", "2027-01-07"]), Clock.UTC, {(2, FindingKind.MIXED_GRANULARITY)}),
        ("spring hour", text_of(hours_of(SPRING)), Clock.WALL, {(4, FindingKind.CLOCK_CHANGE)}),
        ("one pass of two", text_of(hours_of(AUTUMN)), Clock.WALL, {(5, FindingKind.GAP)}),
        ("wall unsorted", text_of([DAY[1], DAY[0], DAY[2]]), Clock.WALL, {(3, FindingKind.ORDER)}),
        ("naive offset", text_of(DAY, column="timestamp"), None, {(n, FindingKind.TIMESTAMP) for n in range(2, 26)}),
        ("offset in Date", text_of(["2027-01-05T00:00+01:00"]), Clock.UTC, {(2, FindingKind.TIMESTAMP)}),
        ("year", text_of(["1066-10-14 09:00"]), Clock.UTC, {(2, FindingKind.TIMESTAMP)}),
        ("one row", text_of(DAY[:1]), Clock.UTC, {(2, FindingKind.MIXED_GRANULARITY)}),
        ("no clock", text_of(DAY), None, {(1, FindingKind.COLUMNS)}),
        ("semicolons", "Date;Price\n2027-01-05 00:00;12,5\n", Clock.UTC, {(1, FindingKind.COLUMNS)}),
        ("no price", "Date,Value\n2027-01-05 00:00,1\n", Clock.UTC, {(1, FindingKind.COLUMNS)}),
        ("no time column", "Time,Price\n1,1\n", Clock.UTC, {(1, FindingKind.COLUMNS)}),
        ("both times", "Date,timestamp,Price\n1,1,1\n", Clock.UTC, {(1, FindingKind.COLUMNS)}),
        ("column twice", "Date,Price,Price\n1,1,1\n", Clock.UTC, {(1, FindingKind.COLUMNS)}),
        ("a column called spot", "Date,Price,Spot\n1,1,1\n", Clock.UTC, {(1, FindingKind.COLUMNS)}),
        ("no name", "Date,Price,\n1,1,1\n", Clock.UTC, {(1, FindingKind.COLUMNS)}),
        ("header only", "Date,Price\n", Clock.UTC, {(0, FindingKind.COLUMNS)}),
        ("nothing", "", Clock.UTC, {(1, FindingKind.COLUMNS)}),
        ("UTF-16", "Date,Price\n".encode("utf-16"), Clock.UTC, {(0, FindingKind.COLUMNS)}),
        ("zero bytes", b"Date,Price\n\0", Clock.UTC, {(0, FindingKind.COLUMNS)}),
        ("open quote", 'Date,Price\n"2027-01-05 00:00,1\n', Clock.UTC, {(2, FindingKind.COLUMNS)}),
        (
            "blank line inside",
            text_of(DAY[:2]) + "\n" + f"{DAY[2]},1\n",
            Clock.UTC,
            {(4, FindingKind.FIELDS)},
        ),
    ],
)  # fmt: skip
def test_defects_are_refused_by_line(name, text, clock, expected):
    assert refusal(text, clock) == expected


def test_every_defect_is_told_at_once():
    text = text_of([DAY[0], "never", DAY[2]], prices=["x", "1", "nan"])

    assert refusal(text) == {
        (2, FindingKind.VALUE),
        (3, FindingKind.TIMESTAMP),
        (4, FindingKind.MISSING_VALUE),
    }


def test_gaps_can_be_told_instead_of_refused():
    text = text_of(DAY[:5] + DAY[7:], prices=["", *range(21)])

    file = read(text, gaps=GapPolicy.TELL)

    assert file.batch.series["spot"][0] is None
    assert {(f.line, f.kind) for f in file.findings} == {
        (2, FindingKind.MISSING_VALUE),
        (7, FindingKind.GAP),
    }


def test_a_single_row_takes_the_length_that_the_market_has():
    assert read(text_of(DAY[:1]), expected_minutes=30).batch.minutes == 30


def test_half_hour_zones_have_hours_on_their_own_grid():
    kolkata = Calendar("Asia/Kolkata")

    file = read_price_file(text_of(DAY).encode(), calendar=kolkata, clock=Clock.WALL)

    assert str(file.batch.starts[0]) == "2027-01-04T18:30:00"


def test_a_clock_for_timestamps_with_offset_is_not_used_and_said_so():
    file = read(text_of([f"{t}Z" for t in DAY], column="timestamp"), Clock.WALL)

    assert "was not used" in file.findings[0].message


@given(
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Europe/London", "Asia/Kolkata"]),
    year=st.integers(2000, 2035),
    minutes=st.sampled_from([15, 30, 60]),
    month=st.integers(1, 12),
)
def test_reading_what_a_wall_clock_shows_gives_the_instants_back(zone, year, minutes, month):
    calendar = Calendar(zone)
    starts = period_starts(calendar, DatePeriod.months(year, month), minutes=minutes)
    walls = [calendar.label(s.replace(tzinfo=UTC)).wall for s in starts.tolist()]

    file = read_price_file(
        text_of(walls).encode(), calendar=calendar, clock=Clock.WALL, expected_minutes=minutes
    )

    np.testing.assert_array_equal(file.batch.starts, starts)
