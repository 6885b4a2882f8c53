"""What becomes of an option: the periods it is decided for, what it pays, what exercise makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from energyopti.foundation.intervals import Interval
from energyopti.foundation.money import Money, Side
from trading.deals._deals import Deal, ProductKind
from trading.deals._errors import DealError
from trading.deals._legs import (
    Delivery,
    Direction,
    Fixed,
    Floating,
    Option,
    OptionStyle,
    OptionType,
    Settlement,
    money_of,
)
from trading.deals._schedules import Schedule
from trading.deals._shapes import MonthPart
from trading.deals._volumes import Profile

_STRIPS = frozenset({OptionType.CAP, OptionType.FLOOR, OptionType.COLLAR})
_SWAPTIONS = frozenset({OptionType.PAYER_SWAPTION, OptionType.RECEIVER_SWAPTION})
# Those that gain with the price of their underlying.
_CALLS = frozenset({OptionType.CALL, OptionType.SPREAD_CALL, OptionType.PAYER_SWAPTION})


@dataclass(frozen=True, slots=True)
class OptionPeriod:
    """
    What one decision or fixing of an option is about.

    interval    the delivery, UTC
    amount      > 0, in the price unit of the option's area
    """

    interval: Interval
    amount: Fraction


def option_periods(leg: Option) -> tuple[OptionPeriod, ...]:
    """Return what an option is decided for: each month of a cap, floor or collar, or all of it."""
    schedule = leg.schedule
    unit = schedule.area.price_unit
    if leg.option_type not in _STRIPS:
        return (OptionPeriod(schedule.interval, schedule.amount(unit)),)
    return tuple(
        OptionPeriod(part.interval, amount) for part, amount in schedule.month_amounts(unit)
    )


def profile_volumes(schedule: Schedule) -> Iterator[tuple[MonthPart, tuple[Fraction, ...]]]:
    """Return the months of a profile with the MWh of each of their intervals, exact."""
    volume = schedule.volume
    assert isinstance(volume, Profile)
    first = 0
    for part in schedule.parts:
        after = first + int(part.interval.duration.total_seconds()) // (60 * volume.minutes)
        yield (
            part,
            tuple(
                Fraction(micro * volume.minutes, 60_000_000)
                for micro in volume.micro_mw[first:after].tolist()
            ),
        )
        first = after


def needs_notice(leg: Option) -> bool:
    """
    Say whether somebody has to declare the exercise: what delivers, and what has a choice of time.

    All else is fixed and paid by the clock.
    """
    if leg.option_type in _STRIPS or leg.style is OptionStyle.ASIAN:
        return False
    if leg.settlement is Settlement.PHYSICAL:
        return True
    return leg.style in (OptionStyle.AMERICAN, OptionStyle.BERMUDAN)


def payoff(leg: Option, prices: Sequence[Fraction]) -> Fraction:
    """
    Return what an option pays its holder per unit, at the prices of its underlyings.

    A collar's holder has bought the cap and written the floor, so it may be below zero; a
    swaption is paid as its swap is worth at par.

    prices      per unit of the option; the second of a spread per unit of its ratio
    """
    price = prices[0]
    if leg.is_spread:
        price -= leg.exact_ratio * prices[1] + Fraction(leg.cost)
    strikes = [Fraction(strike) for strike in leg.strikes]
    if leg.option_type is OptionType.COLLAR:
        return max(price - strikes[1], Fraction(0)) - max(strikes[0] - price, Fraction(0))
    if leg.option_type in _CALLS or leg.option_type is OptionType.CAP:
        return max(price - strikes[0], Fraction(0))
    return max(strikes[0] - price, Fraction(0))


def option_cash(leg: Option, amount: Fraction, per_unit: Fraction) -> Money:
    """Return what an option pays for an amount as our cash, received +, rounded once half up."""
    return money_of(leg.direction.sign * amount * per_unit, leg.currency)


def check_exercise(leg: Option, at: datetime) -> None:
    """
    Refuse an exercise that the style does not allow at a time.

    EUROPEAN: on the delivery point's day of the expiry, until the expiry. BERMUDAN: on a day of
    its dates, until that date's time. AMERICAN: until the expiry.

    :raises DealError: naming the field and the rule.
    """
    if not needs_notice(leg):
        raise DealError("option", "is fixed and paid without notice; there is nothing to exercise.")
    if at > leg.expiry:
        raise DealError("exercised_at", f"the option expired at {leg.expiry.isoformat()}.")
    calendar = leg.schedule.area.calendar
    if leg.style is OptionStyle.AMERICAN:
        return
    allowed = leg.exercises if leg.style is OptionStyle.BERMUDAN else (leg.expiry,)
    if not any(calendar.date_of(at) == calendar.date_of(one) and at <= one for one in allowed):
        days = ", ".join(f"{one.isoformat()}" for one in allowed)
        raise DealError("exercised_at", f"is no day of exercise; allowed until: {days}.")


def exercised_deal(leg: Option) -> Deal:
    """
    Return the deal that the exercise of an option makes, at its strike, from our side.

    The holder of a call buys the delivery and of a put sells it; the holder of a payer swaption
    pays the strike and receives the index.

    :raises DealError: for an option that is settled in cash, or on a spread, which would deliver
        twice.
    """
    if leg.settlement is not Settlement.PHYSICAL:
        raise DealError("settlement", "the option is settled in cash.")
    if leg.option_type in _STRIPS or len(leg.underlying) > 1:
        raise DealError("option_type", f"{leg.option_type.value} has no delivery of its own.")
    gains = leg.option_type in _CALLS
    is_bought = gains is (leg.direction is Direction.RECEIVE)
    side = Side.BUY if is_bought else Side.SELL
    gets = Direction.RECEIVE if is_bought else Direction.PAY
    schedule, strike = leg.schedule, leg.strikes[0]
    unit = schedule.area.price_unit
    paid = Fixed(gets.other, schedule, strike, leg.currency, unit)
    if leg.option_type in _SWAPTIONS:
        return Deal(ProductKind.SWAP, side, (Floating(gets, schedule, leg.underlying[0]), paid))
    kind = ProductKind.PHYSICAL_FORWARD
    if isinstance(schedule.volume, Profile):
        kind = ProductKind.PROFILE_FORWARD
    return Deal(kind, side, (Delivery(gets, schedule), paid))
