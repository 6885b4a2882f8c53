"""Publish versions of holiday calendars and load shapes; what was published is never changed."""

from collections import Counter
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from trading.models import (
    Holiday,
    HolidayCalendar,
    HolidayCalendarVersion,
    HolidayRule,
    LoadShape,
    ShapeCalendar,
)
from trading.queries.reference import next_version
from trading.reference import HolidayTerms, ShapeTerms

from .changes import check_texts, found, require_manager, write_new


def publish_holidays(
    *, actor: Actor, terms: HolidayTerms, reason: str = ""
) -> HolidayCalendarVersion:
    """
    Publish the next version of a holiday calendar; the first opens the calendar.

    A version speaks for at least the dates that its predecessor speaks for, so that no delivery
    that could be counted before cannot be counted any more.

    reason      why it is published, kept with the event

    :raises PermissionMissing: without `trading.manage_reference_data` in an operating company.
    :raises ValidationError: naming the field.
    """
    require_manager(actor)
    check_texts(terms)
    with transaction.atomic():
        calendar = HolidayCalendar.objects.select_for_update().filter(
            code__iexact=terms.calendar
        ).first() or HolidayCalendar(code=terms.calendar, name=terms.calendar_name)
        earlier = HolidayCalendarVersion.objects.filter(calendar_id=calendar.pk)
        _check_next(earlier, terms.version, f"holiday calendar {terms.calendar}")
        _check_holidays(terms, earlier.order_by("-version").first())
        _save_calendar(calendar, terms.calendar_name)
        row = HolidayCalendarVersion(
            calendar=calendar,
            version=terms.version,
            covers_first=terms.covers_first,
            covers_after=terms.covers_last + timedelta(days=1),
            source=terms.source,
        )
        row.full_clean()
        row.save(force_insert=True)
        days = [Holiday(version=row, date=day, name=name) for day, name in terms.holidays]
        for day in days:
            # The version is the row above: to look it up for each of a century's days takes a
            # query each.
            day.clean_fields(exclude={"version"})
        Holiday.objects.bulk_create(days)
        record_event(
            type="holidays.published",
            actor=actor,
            aggregate_type="holiday_calendar",
            aggregate_id=calendar.code,
            organization_id=None,
            payload={
                "calendar": calendar.code,
                "version": terms.version,
                "covers_first": terms.covers_first.isoformat(),
                "covers_last": terms.covers_last.isoformat(),
                "source": terms.source,
                "reason": reason,
                "holidays": [day.isoformat() for day, _ in terms.holidays],
            },
        )
    return row


def publish_shape(*, actor: Actor, terms: ShapeTerms) -> LoadShape:
    """
    Publish the next version of a load shape; the first of a calendar opens the calendar.

    :raises PermissionMissing: without `trading.manage_reference_data` in an operating company.
    :raises ValidationError: naming the field.
    """
    require_manager(actor)
    with transaction.atomic():
        calendar = ShapeCalendar.objects.select_for_update().filter(
            code__iexact=terms.calendar
        ).first() or ShapeCalendar(
            code=terms.calendar, name=terms.calendar_name, day_start=terms.day_start
        )
        if calendar.day_start != terms.day_start:
            raise ValidationError(
                {"day_start": f"Days of the calendar {calendar.code} start at another time."}
            )
        earlier = LoadShape.objects.filter(calendar_id=calendar.pk, code=terms.shape)
        _check_next(earlier, terms.version, f"shape {terms.calendar} {terms.shape}")
        before = earlier.order_by("-version").first()
        if before is not None and terms.valid_from <= before.valid_from:
            raise ValidationError(
                {
                    "valid_from": f"Version {before.version} is valid from {before.valid_from}; "
                    "a later one starts later."
                }
            )
        row = LoadShape(
            code=terms.shape,
            version=terms.version,
            name=terms.name,
            valid_from=terms.valid_from,
            weekdays=terms.weekdays,
            from_minute=terms.from_minute,
            to_minute=terms.to_minute,
            holiday_rule=terms.holiday_rule,
            holiday_calendar=found(
                HolidayCalendar.objects,
                "holiday_calendar",
                terms.holiday_calendar,
                "holiday calendar",
            ),
            complement_of=_complement(calendar, terms),
        )
        _save_calendar(calendar, terms.calendar_name)
        row.calendar = calendar
        write_new(
            actor=actor,
            row=row,
            terms=terms,
            aggregate="load_shape",
            key=f"{calendar.code}:{row.code}",
            verb="published",
        )
    return row


def _check_next(earlier: Any, version: int, what: str) -> None:
    expected = next_version(earlier)
    if version == expected:
        return
    if version < expected:
        raise ValidationError(
            {
                "version": f"Version {version} of {what} is published and stays as it is;"
                f" publish version {expected}."
            }
        )
    raise ValidationError({"version": f"The next version of {what} is {expected}."})


def _check_holidays(terms: HolidayTerms, before: HolidayCalendarVersion | None) -> None:
    if terms.covers_last < terms.covers_first:
        raise ValidationError({"covers_last": "It lies before covers_first."})
    twice = [day for day, count in Counter(d for d, _ in terms.holidays).items() if count > 1]
    if twice:
        raise ValidationError({"date": f"{min(twice)} is there twice."})
    for day, _ in terms.holidays:
        if not terms.covers_first <= day <= terms.covers_last:
            raise ValidationError({"date": f"{day} lies outside the dates that are covered."})
    if before is None:
        return
    if terms.covers_first > before.covers_first:
        raise ValidationError(
            {"covers_first": f"Version {before.version} speaks from {before.covers_first} on."}
        )
    if terms.covers_last < before.covers_after - timedelta(days=1):
        raise ValidationError(
            {"covers_last": f"Version {before.version} speaks to before {before.covers_after}."}
        )


def _save_calendar(calendar: Any, name: str) -> None:
    """Save a calendar that is new, or under the name that its latest version gives it."""
    if calendar.pk is None or calendar.name != name:
        calendar.name = name
        calendar.full_clean()
        calendar.save()


def _complement(calendar: ShapeCalendar, terms: ShapeTerms) -> LoadShape | None:
    if not terms.complement_of:
        return None
    if terms.holiday_rule != HolidayRule.IGNORE:
        raise ValidationError(
            {"holiday_rule": "A complement follows the holidays of the shape it completes."}
        )
    of = (
        LoadShape.objects.filter(
            calendar_id=calendar.pk, code=terms.complement_of, valid_from__lte=terms.valid_from
        )
        .order_by("-valid_from")
        .first()
    )
    if of is None:
        raise ValidationError(
            {"complement_of": f"{calendar.code} has no shape “{terms.complement_of}” by then."}
        )
    if of.complement_of_id is not None or of.holiday_rule == HolidayRule.INCLUDE:
        raise ValidationError(
            {"complement_of": f"“{of.code}” is made from another shape; name that one."}
        )
    return of
