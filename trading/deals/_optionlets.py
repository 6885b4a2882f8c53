"""
An option as a strip of optionlets, each decided once: what pricing values one by one.

The months of a CAP, FLOOR or COLLAR are decided one by one; any other option is one decision on the
volume-weighted price of its whole delivery. What expires before the delivery begins is decided on
the forward of then, all else on the mean of what is published for the delivery (`_exercise`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from energyopti.foundation.calendars import DatePeriod
from trading.deals._deltas import Delta, scalar_deltas
from trading.deals._errors import DealError
from trading.deals._exercise import needs_notice
from trading.deals._legs import (
    Direction,
    Floating,
    Option,
    OptionStyle,
    OptionType,
    Settlement,
)
from trading.deals._numbers import QUANTITY_PLACES, add, rounded
from trading.deals._option_checks import check_option
from trading.deals._option_units import second_factor, unit_factors
from trading.deals._payments import CASH_SETTLED, PHYSICAL
from trading.deals._volumes import Frequency, Volume

_INSTANT = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_CALLS = frozenset(
    {OptionType.CALL, OptionType.CAP, OptionType.SPREAD_CALL, OptionType.PAYER_SWAPTION}
)
_EARLY = frozenset({OptionStyle.AMERICAN, OptionStyle.BERMUDAN})
_STRIPS = frozenset({OptionType.CAP, OptionType.FLOOR, OptionType.COLLAR})
_SWAPTIONS = frozenset({OptionType.PAYER_SWAPTION, OptionType.RECEIVER_SWAPTION})


class OptionletKind(StrEnum):
    """What an optionlet is on: a forward or an average of fixings, or the difference of two."""

    VANILLA = "VANILLA"
    SPREAD = "SPREAD"
    AVERAGE = "AVERAGE"
    SPREAD_AVERAGE = "SPREAD_AVERAGE"

    @property
    def is_average(self) -> bool:
        """Say whether it is on fixings."""
        return self in (OptionletKind.AVERAGE, OptionletKind.SPREAD_AVERAGE)

    @property
    def is_spread(self) -> bool:
        """Say whether it is on the difference of two prices."""
        return self in (OptionletKind.SPREAD, OptionletKind.SPREAD_AVERAGE)


# By whether it is on an average, and on a difference.
_KINDS = {
    (False, False): OptionletKind.VANILLA, (False, True): OptionletKind.SPREAD,
    (True, False): OptionletKind.AVERAGE, (True, True): OptionletKind.SPREAD_AVERAGE,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class OptionletPart:
    """
    A month of an underlying.

    side        0 for the first underlying, 1 for what a spread subtracts
    delta       what a purchase at the price of the index's market would add to positions
    amount      of the month, > 0, in the price unit of that market
    pays_on     local date of the payment for it
    """

    side: int
    delta: Delta
    amount: Fraction
    pays_on: date


@dataclass(frozen=True, slots=True)
class ExerciseDate:
    """
    A date on which a right may be exercised: from when its local day begins until an instant.

    pays_on     local date of the payment for it; None where exercise does not move the payments
    """

    opens_at: datetime
    at: datetime
    pays_on: date | None


@dataclass(frozen=True, slots=True)
class Optionlet:
    """
    One right, decided once on the amount-weighted price of its parts.

    sign        +1 a call, −1 a put
    strike      of a spread with the cost that lowers it
    quantity    in `unit`, the option's price unit; held +, written −
    expires_at  when it is decided at the latest; of an average the end of its last fixing
    delivery    local dates of the underlying
    second_delivery     of what a spread subtracts, if it is another
    delivers    exercised by notice: once expired it is nothing, and exercise makes a trade or cash
    factors     of each side: turns the price of its market into one per `unit`, exact; the
                second has the ratio in it
    style       when it may be exercised; an average is European here
    physical    payments follow the delivery, and not the day of exercise
    exercises   of a Bermudan, ascending; the last is its expiry
    """

    kind: OptionletKind
    sign: int
    strike: Decimal
    quantity: Fraction
    expires_at: datetime
    delivery: DatePeriod
    delivers: bool
    parts: tuple[OptionletPart, ...]
    unit: str
    factors: tuple[Fraction, ...]
    style: OptionStyle = OptionStyle.EUROPEAN
    physical: bool = False
    exercises: tuple[ExerciseDate, ...] = ()
    second_delivery: DatePeriod | None = None

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

    :raises DealError: as `check_option`.
    """
    check_option(leg)
    sides = [_deltas(leg, side) for side in range(len(leg.underlying))]
    if leg.option_type not in _STRIPS:
        return tuple(_group(leg, sides))
    return tuple(found for month in sides[0] for found in _group(leg, [[month]]))


def _deltas(leg: Option, side: int) -> tuple[Delta, ...]:
    # What counts is the price of the index's market, whichever unit the index is said in.
    index = leg.underlying[side]
    priced = replace(index, price_unit=index.area.price_unit)
    schedule = leg.schedule if side == 0 else leg.second_schedule
    try:
        schedule.amount(priced.price_unit)
    except DealError:
        # Tonnes beside MWh have no volume but the ratio's, spread over the hours.
        whole = leg.schedule.amount(leg.schedule.area.price_unit) * leg.exact_ratio
        amount = rounded(whole * second_factor(leg), places=QUANTITY_PLACES)
        volume = Volume(amount, priced.price_unit, Frequency.TOTAL)
        schedule = replace(schedule, volume=volume)
    return tuple(scalar_deltas(Floating(Direction.RECEIVE, schedule, priced)))


def _group(leg: Option, sides: Sequence[Sequence[Delta]]) -> Iterator[Optionlet]:
    """Return what one decision on some months is made of: two rights of a collar, else one."""
    calendar, unit = leg.schedule.area.calendar, leg.schedule.area.price_unit
    first, last = sides[0][0], sides[0][-1]
    is_average = leg.style is OptionStyle.ASIAN or leg.expiry > first.interval.start
    expires_at = last.interval.end if is_average else leg.expiry
    is_swaption, delivers = leg.option_type in _SWAPTIONS, needs_notice(leg)
    decided_on = calendar.date_of(expires_at - _INSTANT)
    is_physical = delivers and leg.settlement is Settlement.PHYSICAL
    parts = []
    for side, found in enumerate(sides):
        for delta in found:
            if not is_physical:
                pays_on = CASH_SETTLED.due(decided_on)
            else:
                rule = CASH_SETTLED if is_swaption else PHYSICAL
                pays_on = rule.due(_delivery(leg, delta, delta).after - _DAY)
            parts.append(
                OptionletPart(side, delta, delta.count * Fraction(delta.exposure), pays_on)
            )
    wanted = {delta.month for delta in sides[0]}
    quantity = sum(
        (amount for part, amount in leg.schedule.month_amounts(unit) if part.month in wanted),
        Fraction(0),
    )
    factors = unit_factors(leg)
    if leg.is_spread:
        factors = (factors[0], factors[1] * leg.exact_ratio)
    kind = _KINDS[is_average, leg.is_spread]
    held = leg.direction.sign
    rights = [(1 if leg.option_type in _CALLS else -1, add(leg.strikes[0], leg.cost), held)]
    if leg.option_type is OptionType.COLLAR:
        # Who holds a collar has the cap and has written the floor.
        rights = [(1, leg.strikes[1], held), (-1, leg.strikes[0], -held)]
    for sign, strike, ours in rights:
        yield Optionlet(
            kind, sign, strike, ours * quantity, expires_at, _delivery(leg, first, last), delivers,
            tuple(parts), unit, factors,
            style=leg.style if leg.style in _EARLY else OptionStyle.EUROPEAN, physical=is_physical,
            exercises=_exercises(leg), second_delivery=leg.second_period,
        )  # fmt: skip


def _exercises(leg: Option) -> tuple[ExerciseDate, ...]:
    if leg.style is not OptionStyle.BERMUDAN:
        return ()
    calendar, found = leg.schedule.area.calendar, []
    for at in leg.exercises:
        on = calendar.date_of(at)
        is_cash = leg.settlement is Settlement.CASH
        pays_on = CASH_SETTLED.due(calendar.date_of(at - _INSTANT)) if is_cash else None
        found.append(ExerciseDate(calendar.day(on).start, at, pays_on))
    return tuple(found)


def _delivery(leg: Option, first: Delta, last: Delta) -> DatePeriod:
    """Return the dates of some months of the schedule, without asking the clock of each."""
    whole = leg.schedule.period
    after = DatePeriod.months(last.month.year, last.month.month).after
    return DatePeriod(max(first.month, whole.first), min(after, whole.after))
