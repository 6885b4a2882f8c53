"""Which days are business days, and when each of them closes."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from energyopti.foundation.calendars import Calendar
from trading.models import ClosingTime, Holiday, HolidayCalendarVersion

_SATURDAY = 5


def closing_times(organization_ids: frozenset[UUID]) -> dict[UUID, ClosingTime]:
    """Return when organizations close their days, by organization; some have not said it."""
    rows = ClosingTime.objects.filter(organization_id__in=organization_ids)
    return {row.organization_id: row for row in rows.select_related("market", "holidays")}


def close_of(terms: ClosingTime, day: date) -> datetime:
    """Return the instant at which a day closes, UTC; a time that the clock skips is later."""
    return Calendar(terms.market.time_zone).instant(datetime.combine(day, terms.closes_at))


def local_date(terms: ClosingTime, at: datetime) -> date:
    """Return the date that the clock of the market shows."""
    return Calendar(terms.market.time_zone).label(at).wall.date()


def business_days(terms: ClosingTime, first: date, last: date) -> list[date]:
    """Return the Mondays to Fridays from `first` to `last` that the holidays leave, ascending."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    holidays = _holidays(terms, first, last) if terms.holidays_id else frozenset()
    return [day for day in days if day.weekday() < _SATURDAY and day not in holidays]


def _holidays(terms: ClosingTime, first: date, last: date) -> frozenset[date]:
    """Return the dates that the list's latest version names, none outside what it covers."""
    version = (
        HolidayCalendarVersion.objects.filter(calendar_id=terms.holidays_id)
        .order_by("-version")
        .first()
    )
    found = Holiday.objects.filter(version=version, date__gte=first, date__lte=last)
    return frozenset(found.values_list("date", flat=True))
