"""Intervals and their sets: laws by hypothesis, edges by table."""

from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energyopti.foundation.intervals import Interval, IntervalError, IntervalSet, Remainder, as_utc

EPOCH = datetime(2027, 3, 27, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def at(minutes: int) -> datetime:
    return EPOCH + minutes * MINUTE


def span(start: int, end: int) -> Interval:
    return Interval(at(start), at(end))


intervals = st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda p: span(p[0], sum(p)))
sets = st.lists(intervals, max_size=8).map(IntervalSet)


def minutes_of(found: IntervalSet) -> set[int]:
    """The slow twin: the minutes in a set, one by one."""
    return {m for m in range(-5, 100) if any(i.start <= at(m) < i.end for i in found)}


@given(sets, sets)
def test_set_algebra_agrees_with_sets_of_minutes(a, b):
    assert minutes_of(a | b) == minutes_of(a) | minutes_of(b)
    assert minutes_of(a & b) == minutes_of(a) & minutes_of(b)
    assert minutes_of(a - b) == minutes_of(a) - minutes_of(b)
    assert minutes_of(a ^ b) == minutes_of(a) ^ minutes_of(b)


@given(sets, sets)
def test_durations_obey_inclusion_and_exclusion(a, b):
    assert (a | b).hours + (a & b).hours == a.hours + b.hours


@given(sets, sets)
def test_difference_is_disjoint_from_what_was_taken_away(a, b):
    assert not (a - b).overlaps(b)
    assert (a - b) | (a & b) == a


@given(sets, sets, sets)
def test_union_and_intersection_commute_associate_and_distribute(a, b, c):
    assert a | b == b | a
    assert a & b == b & a
    assert (a | b) | c == a | (b | c)
    assert a & (b | c) == (a & b) | (a & c)
    assert a - (b | c) == (a - b) & (a - c)


@given(sets)
def test_union_and_intersection_are_idempotent(a):
    assert a | a == a
    assert a & a == a
    assert not a - a
    assert IntervalSet(a.intervals) == a


@given(sets)
def test_set_is_sorted_with_gaps_between(a):
    assert all(x.end < y.start for x, y in zip(a, list(a)[1:], strict=False))


@given(sets, intervals)
def test_gaps_complete_a_frame(a, frame):
    assert a.gaps(frame) | (a & IntervalSet((frame,))) == IntervalSet((frame,))


@given(intervals, st.integers(1, 25))
def test_merging_the_pieces_of_a_split_gives_the_whole(interval, minutes):
    pieces = interval.split(minutes * MINUTE, remainder=Remainder.SHORT_LAST)

    assert IntervalSet(pieces) == IntervalSet((interval,))
    assert sum(p.hours for p in pieces) == interval.hours
    assert all(p.duration == minutes * MINUTE for p in pieces[:-1])


@given(intervals, st.lists(st.integers(-5, 90)))
def test_merging_what_was_split_at_instants_gives_the_whole(interval, cuts):
    pieces = interval.split_at([at(m) for m in cuts])

    assert IntervalSet(pieces) == IntervalSet((interval,))
    assert len(pieces) == 1 + len({m for m in cuts if interval.start < at(m) < interval.end})


@given(intervals, intervals)
def test_interval_intersection_and_overlap_agree(a, b):
    both = a.intersection(b)

    assert (both is not None) == a.overlaps(b) == b.overlaps(a)
    if both is not None:
        assert a.covers(both) and b.covers(both)
    assert len(a.union(b)) == (1 if a.overlaps(b) or a.is_adjacent_to(b) else 2)
    assert a.difference(b).hours == a.hours - (both.hours if both else 0)


@pytest.mark.parametrize(
    ("start", "end", "field"),
    [
        (datetime(2027, 1, 1), at(0), "start"),
        (at(0), datetime(2028, 1, 1), "end"),
        (at(0), at(0), "end"),
        (at(1), at(0), "end"),
        ("2027-01-01", at(0), "start"),
    ],
)
def test_bounds_that_make_no_interval_are_refused_by_name(start, end, field):
    with pytest.raises(IntervalError, match=f"^{field}:"):
        Interval(start, end)


def test_bounds_of_one_zone_are_ordered_by_instant_not_by_wall_clock():
    berlin = ZoneInfo("Europe/Berlin")
    first_pass = datetime(2027, 10, 31, 2, 45, tzinfo=berlin, fold=0)
    second_pass = datetime(2027, 10, 31, 2, 15, tzinfo=berlin, fold=1)

    interval = Interval(first_pass, second_pass)

    assert interval.duration == timedelta(minutes=30)
    assert interval.start == datetime(2027, 10, 31, 0, 45, tzinfo=UTC)
    assert interval.start.tzinfo is UTC


def test_start_is_inside_and_end_is_not():
    interval = span(0, 10)

    assert interval.contains(at(0))
    assert not interval.contains(at(10))
    assert interval.contains(at(5).astimezone(timezone(timedelta(hours=9))))
    assert not span(0, 10).overlaps(span(10, 20))
    assert span(0, 10).is_adjacent_to(span(10, 20))


def test_hours_are_exact():
    third = Interval(at(0), at(0) + timedelta(minutes=20))
    microsecond = Interval(at(0), at(0) + timedelta(microseconds=1))

    assert third.hours * 3 == 1
    assert microsecond.hours == Fraction(1, 3_600_000_000)


def test_split_refuses_what_does_not_divide():
    with pytest.raises(IntervalError, match=r"^step: 0:07:00 does not divide"):
        span(0, 10).split(7 * MINUTE)
    with pytest.raises(IntervalError, match="must be positive"):
        span(0, 10).split(timedelta(0))


def test_split_of_a_set_starts_anew_in_each_interval():
    found = IntervalSet((span(0, 30), span(40, 55))).split(15 * MINUTE)

    assert found == (span(0, 15), span(15, 30), span(40, 55))


def test_shift_moves_along_utc():
    assert span(0, 10).shift(5 * MINUTE) == span(5, 15)


def test_empty_set_has_no_hull_no_gaps_and_no_hours():
    empty = IntervalSet()

    assert empty.hull is None
    assert empty.gaps() == empty
    assert empty.hours == 0
    assert str(empty) == "∅"
    assert not empty.contains(at(0))


def test_set_says_what_it_contains_covers_and_lacks():
    found = IntervalSet((span(0, 10), span(20, 30)))

    assert found.contains(at(25)) and not found.contains(at(15))
    assert found.gaps() == IntervalSet((span(10, 20),))
    assert found.hull == span(0, 30)
    assert found.covers(IntervalSet((span(2, 4), span(21, 30))))
    assert not found.covers(IntervalSet((span(5, 25),)))
    assert str(span(0, 10)) == "[2027-03-27T00:00:00+00:00, 2027-03-27T00:10:00+00:00)"
    assert str(found).count("∪") == 1


def test_naive_instant_is_refused():
    with pytest.raises(IntervalError, match=r"^received_at: .* is naive"):
        as_utc(datetime(2027, 1, 1), field="received_at")
