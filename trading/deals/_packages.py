"""Deals that belong together: packages, strips, parts of a deal, and internal mirrors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from energyopti.foundation.calendars import DatePeriod
from trading.deals._deals import Deal, Leg, mirrored
from trading.deals._errors import DealError
from trading.deals._legs import (
    Fee,
    FeeBasis,
    Option,
    check_name,
)
from trading.deals._structures import Structure
from trading.deals._volumes import Frequency, Profile


def package(deals: Sequence[Deal], package_id: str) -> tuple[Deal, ...]:
    """
    Return deals as one package.

    :raises DealError: for an empty package, or one of another package.
    """
    check_name("package_id", package_id)
    if not deals:
        raise DealError("package_id", "a package has at least one deal.")
    for deal in deals:
        if deal.package_id not in ("", package_id):
            raise DealError("package_id", f"a deal is in package {deal.package_id} already.")
    return tuple(replace(deal, package_id=package_id) for deal in deals)


def strip(deal: Deal, package_id: str, *, months: int = 1) -> tuple[Deal, ...]:
    """
    Return a deal as a package of deals of so many delivery months each; together they are it.

    Months are counted from the first of the deal's first month. A share of an asset keeps its
    share, a profile is cut.

    :raises DealError: for a total, a flat fee or an option, which have no rule to be cut by.
    """
    if months < 1:
        raise DealError("months", f"{months} is no number of months.")
    whole = deal.schedule.period
    periods, first = [], whole.first
    while first < whole.after:
        after = min(DatePeriod.months(first.year, first.month, months).after, whole.after)
        periods.append(DatePeriod(first, after))
        first = after
    pieces = [
        replace(deal, legs=tuple(_cut(leg, period) for leg in deal.legs)) for period in periods
    ]
    return package(pieces, package_id)


def cut(deal: Deal, period: DatePeriod) -> Deal:
    """
    Return what a deal is about in a part of its period; flat fees stay with the whole.

    :raises DealError: for a period outside the deal's, a total, a part of a month's volume, or
        an option, which have no rule to be cut by.
    """
    whole = deal.schedule.period
    if not whole.first <= period.first < period.after <= whole.after:
        raise DealError("period", f"{period.first} to {period.after} is not within the deal.")
    if period == whole:
        return deal
    kept = [leg for leg in deal.legs if not (isinstance(leg, Fee) and leg.basis is FeeBasis.FLAT)]
    return replace(deal, legs=tuple(_cut(leg, period) for leg in kept))


def _cut(leg: Leg, period: DatePeriod) -> Leg:
    if isinstance(leg, Option):
        raise DealError("option", "has one exercise for all of it and cannot be cut.")
    if isinstance(leg, Structure):
        raise DealError("structure", "has choices over all of it and cannot be cut.")
    if isinstance(leg, Fee):
        if leg.basis is FeeBasis.FLAT:
            raise DealError("fee", "is flat; give it to one deal of the package.")
        return leg
    schedule = leg.schedule
    volume = schedule.volume
    if isinstance(volume, Profile):
        calendar, minutes = schedule.area.calendar, volume.minutes
        origin, part = schedule.interval.start, calendar.span(period)
        start = int((part.start - origin).total_seconds()) // (60 * minutes)
        stop = int((part.end - origin).total_seconds()) // (60 * minutes)
        volume = volume.part(start, stop)
    elif volume.frequency is Frequency.TOTAL:
        raise DealError("volume", "a total has no rate to be cut by; give MW, a day or a month.")
    return replace(leg, schedule=replace(schedule, period=period, volume=volume))


def mirror(deal: Deal, package_id: str) -> tuple[Deal, Deal]:
    """
    Return an internal deal as two that cancel exactly: ours and the other book's.

    :raises DealError: if it has fees; between two books of one company nobody is paid them.
    """
    if deal.fees:
        raise DealError("fee", "an internal deal pays no broker, exchange or clearing house.")
    first, second = package((deal, mirrored(deal)), package_id)
    return first, second
