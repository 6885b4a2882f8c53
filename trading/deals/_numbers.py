"""Exact numbers of deals: checks of what is written, and the one place that rounds quantities."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation
from fractions import Fraction

from energyopti.foundation.units import exact_decimal
from trading.deals._errors import DealError

MAXIMUM_PRICE = Decimal(1_000_000)
QUANTITY_PLACES = 6
PRICE_PLACES = 6
# What has no end in decimals (a therm in MWh, a third of a month) is rounded here, far below the
# smallest amount of money that it can make.
ROUNDED_PLACES = 9
# Sums and products are exact or refused; the thread's own context has no say.
_EXACT = Context(prec=80, traps=[Inexact, InvalidOperation])


def checked(field: str, value: object, *, places: int) -> Decimal:
    """
    Return a finite decimal of at most so many places.

    :raises DealError: naming the field.
    """
    if not isinstance(value, Decimal) or not value.is_finite():
        raise DealError(field, f"{value} must be a finite decimal number.")
    if places_of(value) > places:
        raise DealError(field, f"{value} has more than {places} decimals.")
    return value


def places_of(value: Decimal) -> int:
    """Return how many decimals a finite number needs: 2 for 85.190, 0 for 1E+3."""
    _, digits, exponent = value.as_tuple()
    if not isinstance(exponent, int) or not any(digits):
        return 0
    zeros = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    return max(-(exponent + zeros), 0)


def checked_price(field: str, value: object) -> Decimal:
    """Return a price of any sign, within what a price can be."""
    price = checked(field, value, places=PRICE_PLACES)
    if abs(price) > MAXIMUM_PRICE:
        raise DealError(field, f"{price} is beyond ±{MAXIMUM_PRICE}.")
    return price


def decimal_of(value: Fraction) -> Decimal:
    """Return a fraction as the same Decimal or, without an end, to nine places, half to even."""
    rest = value.denominator
    while rest % 2 == 0:
        rest //= 2
    while rest % 5 == 0:
        rest //= 5
    if rest == 1:
        return exact_decimal(value)
    return rounded(value, places=ROUNDED_PLACES)


def rounded(value: Fraction, *, places: int) -> Decimal:
    """Return a fraction as a Decimal of so many places, half to even."""
    return Decimal(round(value * 10**places)).scaleb(-places, context=_EXACT)


def add(left: Decimal, right: Decimal) -> Decimal:
    """Return the exact sum."""
    return _EXACT.add(left, right)


def multiply(left: Decimal, right: Decimal) -> Decimal:
    """Return the exact product."""
    return _EXACT.multiply(left, right)


def scaled_integer(value: Decimal, places: int) -> int:
    """Return a decimal of at most so many places in units of its last one."""
    return int(value.scaleb(places, context=_EXACT).to_integral_exact(ROUND_HALF_EVEN, _EXACT))


def allocated(total: Decimal, weights: Sequence[Fraction]) -> tuple[Decimal, ...]:
    """
    Share out a total by weights in steps of 10⁻⁶, so that the parts add up to it exactly.

    Largest remainder: what is left over after rounding down goes to the largest remainders, the
    earlier of equals first.
    """
    units, whole = scaled_integer(total, QUANTITY_PLACES), sum(weights, Fraction(0))
    shares = [units * weight / whole for weight in weights]
    counts = [int(share) for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda i: counts[i] - shares[i])
    for index in by_remainder[: units - sum(counts)]:
        counts[index] += 1
    return tuple(Decimal(n).scaleb(-QUANTITY_PLACES, context=_EXACT) for n in counts)
