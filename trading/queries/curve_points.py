"""The means of a curve that are kept: by load, over stretches of at most a month."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from energyopti.foundation.calendars import Calendar
from energyopti.foundation.intervals import Interval

from .curve_terms import Point
from .quotes import BASE

if TYPE_CHECKING:
    from ..curves import LoadCurve, LoadHours, ShapedCurve

_DAY = timedelta(days=1)


def curve_points(
    calendar: Calendar,
    curve: LoadCurve,
    shaped: ShapedCurve | None,
    loads: Mapping[str, LoadHours],
    partners: Mapping[str, str],
    *,
    all_loads: bool,
) -> Iterator[Point]:
    """
    Yield the mean of each load over each segment, cut at months.

    A load has a price where a quote of it, or of what it is the complement of, delivers; under a
    history's shape everywhere.
    """
    from ..curves import CurveDoesNotCover, CurveError

    cells = curve.cells
    base = curve.base()
    segments = [interval for interval, _ in base.segments()]
    if shaped is None:
        for interval, price in base.segments():
            yield Point(BASE, interval, float(interval.hours), price)
    else:
        segments = list(_cut_at_months(calendar, segments))
        for interval in segments:
            yield Point(BASE, interval, float(interval.hours), shaped.average(interval))
    source = shaped or curve
    others = [
        interval
        for start, end in cells.bounds.tolist()
        for interval in _cut_at_months(calendar, [_interval(start, end)])
    ]
    for load in sorted(loads):
        related = {load, partners.get(load)} | {k for k, v in partners.items() if v == load}
        quoted = [quote.interval for quote in curve.quotes if quote.load in related]
        for interval in others:
            if not all_loads and not any(q.covers(interval) for q in quoted):
                continue
            try:
                price = source.average(interval, load)
            except (CurveDoesNotCover, CurveError):
                continue  # no hours of this load here, or no quote speaks of them
            yield Point(load, interval, cells.hours(interval, load), price)


def _interval(start: int, end: int) -> Interval:
    return Interval(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC))


def _cut_at_months(calendar: Calendar, segments: Iterable[Interval]) -> Iterator[Interval]:
    for segment in segments:
        month: date = calendar.date_of(segment.start).replace(day=1)
        cuts = []
        while (month := (month + 32 * _DAY).replace(day=1)) and (
            start := calendar.start_of(month)
        ) < segment.end:
            cuts.append(start)
        yield from segment.split_at(cuts)
