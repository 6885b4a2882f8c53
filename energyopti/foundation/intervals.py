"""UTC half-open intervals ``[start, end)`` and their algebra.

Zones, days and months live in `calendars`; here time is a line of UTC instants.
An `Interval` is never empty: emptiness is an empty `IntervalSet` (or `None` where one
interval was asked for), so that nothing downstream divides by a zero duration.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

_MICROSECONDS_PER_HOUR = 3_600_000_000


class IntervalError(ValueError):
    """Raised when bounds or steps cannot make an interval; names the field and the rule."""


class Remainder(StrEnum):
    """What `split` does with a last piece shorter than the step."""

    REFUSE = "REFUSE"
    SHORT_LAST = "SHORT_LAST"


def as_utc(instant: datetime, *, field: str = "instant") -> datetime:
    """
    Return the same instant in UTC.

    :raises IntervalError: if the datetime is naive, naming `field`.
    """
    if not isinstance(instant, datetime):
        raise IntervalError(f"{field}: {instant!r} is not a datetime.")
    if instant.utcoffset() is None:
        raise IntervalError(f"{field}: {instant.isoformat()} is naive; give it a UTC offset.")
    return instant.astimezone(UTC)


def exact_hours(duration: timedelta) -> Fraction:
    """Return a duration in hours, exact to the microsecond."""
    microseconds = (duration.days * 86_400 + duration.seconds) * 1_000_000 + duration.microseconds
    return Fraction(microseconds, _MICROSECONDS_PER_HOUR)


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """
    Hold the instants t with ``start <= t < end``, both aware and stored in UTC.

    Any aware datetime is accepted and turned into UTC. Order is by start, then end.

    :raises IntervalError: for a naive bound, or an end that is not after the start.
    """

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        # Into UTC first: two datetimes of one zone compare by wall clock, which is wrong
        # in the repeated hour.
        object.__setattr__(self, "start", as_utc(self.start, field="start"))
        object.__setattr__(self, "end", as_utc(self.end, field="end"))
        if self.end <= self.start:
            raise IntervalError(
                f"end: {self.end.isoformat()} must be after start {self.start.isoformat()}; "
                "an interval is half-open and never empty."
            )

    def __str__(self) -> str:
        return f"[{self.start.isoformat()}, {self.end.isoformat()})"

    @property
    def duration(self) -> timedelta:
        """Return the length as a timedelta."""
        return self.end - self.start

    @property
    def hours(self) -> Fraction:
        """Return the length in hours, exact."""
        return exact_hours(self.duration)

    def contains(self, instant: datetime) -> bool:
        """Say whether an aware instant lies in the interval; the end does not."""
        return self.start <= as_utc(instant) < self.end

    def covers(self, other: Interval) -> bool:
        """Say whether the whole of the other interval lies inside this one."""
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: Interval) -> bool:
        """Say whether the two share at least one instant."""
        return self.start < other.end and other.start < self.end

    def is_adjacent_to(self, other: Interval) -> bool:
        """Say whether one ends exactly where the other starts."""
        return self.end == other.start or other.end == self.start

    def intersection(self, other: Interval) -> Interval | None:
        """Return the shared part, or None if there is none."""
        if not self.overlaps(other):
            return None
        return Interval(max(self.start, other.start), min(self.end, other.end))

    def union(self, other: Interval) -> IntervalSet:
        """Return both as a set: one interval if they overlap or touch, else two."""
        return IntervalSet((self, other))

    def difference(self, other: Interval) -> IntervalSet:
        """Return what is in this interval and not in the other."""
        return IntervalSet((self,)) - IntervalSet((other,))

    def shift(self, by: timedelta) -> Interval:
        """Return the interval moved along the UTC line; not a move of the wall clock."""
        return Interval(self.start + by, self.end + by)

    def split(
        self, step: timedelta, *, remainder: Remainder = Remainder.REFUSE
    ) -> tuple[Interval, ...]:
        """
        Cut into pieces of `step`, counted from the start.

        `Remainder.SHORT_LAST` keeps a shorter last piece instead of refusing.

        :raises IntervalError: if the step is not positive, or does not divide the length.
        """
        if step <= timedelta(0):
            raise IntervalError(f"step: {step} must be positive.")
        count, left_over = divmod(self.duration, step)
        if left_over and remainder is Remainder.REFUSE:
            raise IntervalError(f"step: {step} does not divide {self} of {self.hours} h.")
        edges = [self.start + i * step for i in range(count + 1)]
        if left_over:
            edges.append(self.end)
        return tuple(Interval(a, b) for a, b in pairwise(edges))

    def split_at(self, instants: Iterable[datetime]) -> tuple[Interval, ...]:
        """Cut at the given aware instants; those outside or on a bound change nothing."""
        inside = {t for t in map(as_utc, instants) if self.start < t < self.end}
        edges = [self.start, *sorted(inside), self.end]
        return tuple(Interval(a, b) for a, b in pairwise(edges))


@dataclass(frozen=True, slots=True)
class IntervalSet:
    """
    Hold a normalized set of instants: sorted intervals that neither overlap nor touch.

    Any iterable of intervals is accepted; overlapping and adjacent ones are merged, so
    two sets are equal exactly when they hold the same instants. ``|  &  -  ^`` are union,
    intersection, difference and symmetric difference, each linear in the intervals.
    """

    intervals: tuple[Interval, ...] = ()

    def __init__(self, intervals: Iterable[Interval] = ()) -> None:
        object.__setattr__(self, "intervals", tuple(_merged(intervals)))

    def __iter__(self) -> Iterator[Interval]:
        return iter(self.intervals)

    def __len__(self) -> int:
        return len(self.intervals)

    def __str__(self) -> str:
        return " ∪ ".join(map(str, self.intervals)) or "∅"

    @property
    def duration(self) -> timedelta:
        """Return the summed length; zero for the empty set."""
        return sum((i.duration for i in self.intervals), timedelta(0))

    @property
    def hours(self) -> Fraction:
        """Return the summed length in hours, exact."""
        return exact_hours(self.duration)

    @property
    def hull(self) -> Interval | None:
        """Return the smallest interval that covers the set, or None for the empty set."""
        if not self.intervals:
            return None
        return Interval(self.intervals[0].start, self.intervals[-1].end)

    def contains(self, instant: datetime) -> bool:
        """Say whether an aware instant lies in the set."""
        utc = as_utc(instant)
        return any(i.start <= utc < i.end for i in self.intervals)

    def covers(self, other: IntervalSet) -> bool:
        """Say whether every instant of the other set lies in this one."""
        return not other - self

    def overlaps(self, other: IntervalSet) -> bool:
        """Say whether the two sets share at least one instant."""
        return bool(self & other)

    def gaps(self, span: Interval | None = None) -> IntervalSet:
        """Return what is missing inside `span` (by default inside the hull)."""
        frame = span if span is not None else self.hull
        return IntervalSet() if frame is None else IntervalSet((frame,)) - self

    def split(
        self, step: timedelta, *, remainder: Remainder = Remainder.REFUSE
    ) -> tuple[Interval, ...]:
        """Cut every interval by `Interval.split`, counted from its own start."""
        return tuple(p for i in self.intervals for p in i.split(step, remainder=remainder))

    def __or__(self, other: IntervalSet) -> IntervalSet:
        return IntervalSet((*self.intervals, *other.intervals))

    def __and__(self, other: IntervalSet) -> IntervalSet:
        return IntervalSet(_shared(self.intervals, other.intervals))

    def __sub__(self, other: IntervalSet) -> IntervalSet:
        return IntervalSet(_remaining(self.intervals, other.intervals))

    def __xor__(self, other: IntervalSet) -> IntervalSet:
        return (self - other) | (other - self)


def _merged(intervals: Iterable[Interval]) -> Iterator[Interval]:
    current: Interval | None = None
    for interval in sorted(intervals):
        if current is None:
            current = interval
        elif interval.start <= current.end:
            current = Interval(current.start, max(current.end, interval.end))
        else:
            yield current
            current = interval
    if current is not None:
        yield current


def _shared(left: tuple[Interval, ...], right: tuple[Interval, ...]) -> Iterator[Interval]:
    i = j = 0
    while i < len(left) and j < len(right):
        both = left[i].intersection(right[j])
        if both is not None:
            yield both
        if left[i].end <= right[j].end:
            i += 1
        else:
            j += 1


def _remaining(left: tuple[Interval, ...], holes: tuple[Interval, ...]) -> Iterator[Interval]:
    j = 0
    for interval in left:
        start = interval.start
        while j < len(holes) and holes[j].end <= start:
            j += 1
        # A hole may reach into the next interval, so `j` itself stays where it is.
        for hole in holes[j:]:
            if hole.start >= interval.end:
                break
            if hole.start > start:
                yield Interval(start, hole.start)
            start = hole.end
            if start >= interval.end:
                break
        if start < interval.end:
            yield Interval(start, interval.end)
