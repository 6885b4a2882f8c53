"""
An option as a strip of optionlets, each decided once: what pricing values one by one.

The months of a CAP, FLOOR or COLLAR are decided one by one; any other option is one decision on the
volume-weighted price of its whole delivery. What expires before the delivery begins is decided on
the forward of then, all else on the mean of what is published for the delivery (`_exercise`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from energyopti.foundation.calendars import DatePeriod
from trading.deals._areas import PriceIndex
from trading.deals._deltas import Delta, scalar_deltas
from trading.deals._errors import DealError
from trading.deals._exercise import needs_notice
from trading.deals._legs import (
    Direction,
    Floating,
    Option,
    OptionStyle,
    OptionType,
)
from trading.deals._payments import CASH_SETTLED, PHYSICAL
from trading.deals._volumes import Profile

_INSTANT = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_CALLS = frozenset(
    {OptionType.CALL, OptionType.CAP, OptionType.SPREAD_CALL, OptionType.PAYER_SWAPTION}
)
_STRIPS = frozenset({OptionType.CAP, OptionType.FLOOR, OptionType.COLLAR})
_SWAPTIONS = frozenset({OptionType.PAYER_SWAPTION, OptionType.RECEIVER_SWAPTION})


class OptionletKind(StrEnum):
    """What an optionlet is on: a forward, the difference of two, or an average of fixings."""

    VANILLA = "VANILLA"
    SPREAD = "SPREAD"
    AVERAGE = "AVERAGE"


@dataclass(frozen=True, slots=True)
class OptionletPart:
    """
    A month of an underlying.

    side        0 for the first underlying, 1 for what a spread subtracts
    delta       what a purchase at the index would add to positions
    amount      of the month, > 0, in the price unit
    pays_on     local date of the payment for it
    """

    side: int
    delta: Delta
    amount: Fraction
    pays_on: date


@dataclass(frozen=True, slots=True)
class Optionlet:
    """
    One right, decided once on the amount-weighted price of its parts.

    sign        +1 a call, −1 a put
    quantity    in the price unit, of the first underlying; held +, written −
    expires_at  when it is decided; of an average the end of its last fixing
    delivery    local dates of the underlying
    delivers    exercise leads to delivery, not to cash
    """

    kind: OptionletKind
    sign: int
    strike: Decimal
    quantity: Fraction
    expires_at: datetime
    delivery: DatePeriod
    delivers: bool
    parts: tuple[OptionletPart, ...]

    @property
    def start(self) -> datetime:
        """Return when the delivery that it is decided for begins, as `OptionPeriod` has it."""
        return self.parts[0].delta.interval.start


def optionlets(leg: Option) -> tuple[Optionlet, ...]:
    """
    Return the optionlets of an option leg, by month.

    Cash is taken as paid 5 business days after the decision (of an average, after its last day), a
    swap 5 business days after each month, and what is delivered on the 20th after it: the custom
    of the product, so that a value does not depend on which agreements are signed later.

    :raises DealError: naming the field, for what has no formula here: American and Bermudan
        styles, profiles, averages of spreads and swaps, other currencies and units.
    """
    _check(leg)
    sides = [_deltas(leg, index) for index in leg.underlying]
    months = len(sides[0])
    by_month = leg.option_type in _STRIPS
    groups = [range(n, n + 1) for n in range(months)] if by_month else [range(months)]
    return tuple(found for group in groups for found in _group(leg, sides, group))


def _check(leg: Option) -> None:
    area = leg.schedule.area
    if leg.style in (OptionStyle.AMERICAN, OptionStyle.BERMUDAN):
        raise DealError(
            "style", f"{leg.style.value.title()}: early exercise has no formula here yet."
        )
    if isinstance(leg.schedule.volume, Profile):
        raise DealError("volume", "an option on a profile has no formula here yet.")
    for index in leg.underlying:
        if (index.currency, index.price_unit) != (leg.currency, area.price_unit):
            raise DealError(
                "underlying",
                f"{index.code} is in {index.currency}/{index.price_unit}, the option in"
                f" {leg.currency}/{area.price_unit}.",
            )
    if len(leg.exercises) > 1:
        raise DealError("exercises", "several dates of a European option have no formula here.")


def _deltas(leg: Option, index: PriceIndex) -> tuple[Delta, ...]:
    return tuple(scalar_deltas(Floating(Direction.RECEIVE, leg.schedule, index)))


def _group(leg: Option, sides: Sequence[Sequence[Delta]], months: range) -> Iterator[Optionlet]:
    """Return what one decision on some months is made of: two rights of a collar, else one."""
    calendar = leg.schedule.area.calendar
    first, last = sides[0][months[0]], sides[0][months[-1]]
    is_average = leg.style is OptionStyle.ASIAN or leg.expiry > first.interval.start
    expires_at = last.interval.end if is_average else leg.expiry
    is_swaption, delivers = leg.option_type in _SWAPTIONS, needs_notice(leg)
    if is_average and (is_swaption or len(sides) > 1):
        raise DealError("expiry", f"{leg.option_type} on an average has no formula here.")
    if is_average and delivers:
        raise DealError("expiry", "what delivers is decided before its delivery begins.")
    decided_on = calendar.date_of(expires_at - _INSTANT)
    parts = []
    for side, found in enumerate(sides):
        for delta in found[months.start : months.stop]:
            if not delivers:
                pays_on = CASH_SETTLED.due(decided_on)
            else:
                rule = CASH_SETTLED if is_swaption else PHYSICAL
                pays_on = rule.due(_delivery(leg, delta, delta).after - _DAY)
            parts.append(
                OptionletPart(side, delta, delta.count * Fraction(delta.exposure), pays_on)
            )
    quantity = sum((part.amount for part in parts if part.side == 0), Fraction(0))
    kind = OptionletKind.SPREAD if len(sides) > 1 else OptionletKind.VANILLA
    held = leg.direction.sign
    rights = [(1 if leg.option_type in _CALLS else -1, leg.strikes[0], held)]
    if leg.option_type is OptionType.COLLAR:
        # Who holds a collar has the cap and has written the floor.
        rights = [(1, leg.strikes[1], held), (-1, leg.strikes[0], -held)]
    for sign, strike, ours in rights:
        yield Optionlet(
            OptionletKind.AVERAGE if is_average else kind, sign, strike, ours * quantity,
            expires_at, _delivery(leg, first, last), delivers, tuple(parts),
        )  # fmt: skip


def _delivery(leg: Option, first: Delta, last: Delta) -> DatePeriod:
    """Return the dates of some months of the schedule, without asking the clock of each."""
    whole = leg.schedule.period
    after = DatePeriod.months(last.month.year, last.month.month).after
    return DatePeriod(max(first.month, whole.first), min(after, whole.after))
