"""The shapes of markets as deals, quotes and curves know them, made from the tables."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet

from energyopti.foundation.calendars import DatePeriod, HolidaySet
from trading import deals
from trading.models import Holiday, HolidayCalendarVersion, LoadShape, Market


def shapes_of_market(
    market: Market, *, on: date, known_at: datetime | None = None
) -> dict[str, deals.LoadShape]:
    """
    Return the shapes of a market by code, in the versions that hold for a delivery date.

    At most three queries, however many shapes. known_at: only versions of shapes and holidays
    recorded by then count; None is now.
    """
    if market.shape_calendar_id is None:
        return {}
    rows = LoadShape.objects.filter(calendar_id=market.shape_calendar_id, valid_from__lte=on)
    if known_at is not None:
        rows = rows.filter(recorded_at__lte=known_at)
    latest = rows.order_by("code", "-valid_from").distinct("code").select_related("complement_of")
    return {row.code: shape for row, shape in load_shapes(latest, known_at)}


def load_shapes(
    rows: Iterable[LoadShape], known_at: datetime | None = None
) -> list[tuple[LoadShape, deals.LoadShape]]:
    """
    Return rows (with what they are the complement of) beside the hours that they mean.

    A shape whose holidays nobody had entered by then delivers no known hours, and is left away.
    """
    found = list(rows)
    wanted = {
        key
        for row in found
        for each in (row, row.complement_of)
        if each is not None and (key := each.holiday_calendar_id)
    }
    holidays = holiday_sets(wanted, known_at)
    return [
        (row, _shape(row, holidays))
        for row in found
        if all(
            each is None or each.holiday_calendar_id in {None, *holidays}
            for each in (row, row.complement_of)
        )
    ]


def holiday_sets(calendar_ids: set[int], known_at: datetime | None = None) -> dict[int, HolidaySet]:
    """Return the latest version of holiday calendars by their id, as known at a time."""
    if not calendar_ids:
        return {}
    versions = HolidayCalendarVersion.objects.filter(calendar_id__in=calendar_ids)
    if known_at is not None:
        versions = versions.filter(recorded_at__lte=known_at)
    return dict(_latest(versions))


def holidays_of(code: str) -> HolidaySet | None:
    """Return a holiday calendar by its code in its latest version, None without one; a query."""
    found = _latest(HolidayCalendarVersion.objects.filter(calendar__code=code))
    return next((holidays for _, holidays in found), None)


def _latest(versions: QuerySet[Any]) -> Iterator[tuple[int, HolidaySet]]:
    dates = Holiday.objects.filter(version=OuterRef("pk")).values("date")
    latest = versions.order_by("calendar_id", "-version").distinct("calendar_id")
    for version in latest.select_related("calendar").annotate(dates=ArraySubquery(dates)):
        yield (
            version.calendar_id,
            HolidaySet(
                version.calendar.code,
                str(version.version),
                DatePeriod(version.covers_first, version.covers_after),
                frozenset(version.dates),
            ),
        )


def _shape(row: LoadShape, holidays: dict[int, HolidaySet]) -> deals.LoadShape:
    other = row.complement_of
    return deals.LoadShape(
        code=row.code,
        version=row.version,
        weekdays=row.weekdays,
        from_minute=row.from_minute,
        to_minute=row.to_minute,
        holiday_rule=deals.HolidayRule(row.holiday_rule),
        holidays=holidays[row.holiday_calendar_id] if row.holiday_calendar_id else None,
        complement_of=None if other is None else _shape(other, holidays),
        valid_from=row.valid_from,
        name=row.name,
    )
