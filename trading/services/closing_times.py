"""When the clock closes an organization's days: a person sets it, Beat asks every few minutes."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.jobs.schedule import once_per_period
from trading.models import ClosingTime, EndOfDay, EndOfDayState, HolidayCalendar, Market
from trading.queries.closing_times import business_days, close_of, local_date

from .changes import ForeignOrganization
from .end_of_day import RUN, ClosingRefused, start_end_of_day
from .locks import lock_keys

logger = logging.getLogger(__name__)
# A day that nobody closed for so long is for a person to look at.
_LOOK_BACK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ClosingTerms:
    """When days close: `closes_at` on the clock of `market`, `holidays` a list's code or empty."""

    market: str
    closes_at: time
    holidays: str = ""
    is_active: bool = True


def set_closing_time(*, actor: Actor, organization_id: UUID, terms: ClosingTerms) -> ClosingTime:
    """
    Say when an organization's days are closed, and whether the clock does it.

    :raises PermissionMissing: without `trading.run_end_of_day`.
    :raises ForeignOrganization: for one that is not the actor's.
    :raises ClosingRefused: for a market or holidays that are not there.
    """
    actor.require(RUN)
    if organization_id not in actor.organization_ids:
        raise ForeignOrganization("organization: there is no such organization for you.")
    market = Market.objects.filter(code__iexact=terms.market).first()
    if market is None:
        raise ClosingRefused(f"market: there is no “{terms.market}”.")
    holidays = None
    if terms.holidays:
        holidays = HolidayCalendar.objects.filter(code__iexact=terms.holidays).first()
        if holidays is None:
            raise ClosingRefused(f"holidays: there is no list “{terms.holidays}”.")
    with transaction.atomic():
        lock_keys([f"closing_time:{organization_id}"])
        before = (
            ClosingTime.objects.filter(organization_id=organization_id)
            .select_related("market", "holidays")
            .first()
        )
        was = _told(before) if before else None
        row = before or ClosingTime(organization_id=organization_id)
        row.market, row.holidays = market, holidays
        row.closes_at, row.is_active = terms.closes_at, terms.is_active
        row.save()
        record_event(
            type="closing_time.set",
            actor=actor,
            aggregate_type="closing_time",
            aggregate_id=row.pk,
            organization_id=organization_id,
            payload={"before": was, "after": _told(row)},
        )
    return row


def start_due_closings(*, actor: Actor, now: datetime) -> list[EndOfDay]:
    """
    Start the earliest day that is due of each organization; twice at once starts it once.

    A day is due when its closing time has come and nobody has run it. One at a time: the next
    waits until the one before has ended, because it opens with it.
    """
    started = []
    for terms in ClosingTime.objects.filter(
        is_active=True, organization__is_active=True
    ).select_related("market", "holidays"):
        day = _due_day(terms, now)
        if day is None:
            continue
        try:
            with transaction.atomic():
                period = f"{terms.organization_id} {day.isoformat()}"
                if once_per_period(name="trading.end_of_day", period=period):
                    started.append(
                        start_end_of_day(
                            actor=actor,
                            organization_id=terms.organization_id,
                            day=day,
                            as_of=close_of(terms, day),
                            asked_at=now,
                        )
                    )
        except ClosingRefused as refusal:
            # One organization's day must not hold up the others'.
            logger.warning("%s: %s is not closed: %s", terms, day, refusal)
    return started


def _due_day(terms: ClosingTime, now: datetime) -> date | None:
    """Return the earliest business day since the last one run whose close has been."""
    ours = EndOfDay.objects.filter(organization_id=terms.organization_id)
    if ours.filter(state=EndOfDayState.RUNNING).exists():
        return None
    today = local_date(terms, now)
    days = business_days(terms, today - _LOOK_BACK, today)
    due = [day for day in days if close_of(terms, day) <= now]
    latest = ours.order_by("-day").values_list("day", flat=True).first()
    if latest is None:
        return due[-1] if due else None
    return next((day for day in due if day > latest), None)


def _told(row: ClosingTime) -> dict[str, object]:
    return {
        "market": row.market.code,
        "closes_at": row.closes_at.isoformat(),
        "holidays": row.holidays.code if row.holidays else "",
        "is_active": row.is_active,
    }
