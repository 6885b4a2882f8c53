"""Decimal money with its currency, the named rounding rules, and the sign of cash.

Every rounding in the product is `round_exact` under a `Rounding` that a contract names; no
float becomes money. Prices per unit keep their own decimals (`UnitPrice`) until a line is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from enum import StrEnum
from fractions import Fraction
from typing import Self

from energyopti.foundation.units import Exact, Quantity, Unit, exact, exact_decimal, unit

# Sums and products of money are exact or refused; the thread's own context, which anybody may
# have changed, has no say.
_EXACT = Context(prec=200, traps=[Inexact, InvalidOperation, DivisionByZero, Overflow])


class MoneyError(ValueError):
    """Raised when an amount, a currency or a rule does not fit; names the field and the rule."""


class CurrencyMismatch(MoneyError):
    """Raised when amounts of two currencies meet; convert by a stated rate first."""


class Rounding(StrEnum):
    """How a number between two representable ones is rounded; half means exactly between."""

    HALF_UP = "HALF_UP"
    HALF_DOWN = "HALF_DOWN"
    HALF_EVEN = "HALF_EVEN"
    UP = "UP"
    DOWN = "DOWN"
    CEILING = "CEILING"
    FLOOR = "FLOOR"


class RoundingScope(StrEnum):
    """Whether a document rounds each line and adds, or adds exactly and rounds the sum."""

    PER_LINE = "PER_LINE"
    ON_TOTAL = "ON_TOTAL"


class Side(StrEnum):
    """Which side of a deal we are on."""

    BUY = "BUY"
    SELL = "SELL"


_MINOR_UNITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN "
        "BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP "
        "GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT "
        "LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN "
        "NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE "
        "SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES "
        "WST XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
MINOR_UNITS: dict[str, int] = {
    code: places for places, codes in _MINOR_UNITS.items() for code in codes.split()
}
"""Decimal places by ISO 4217 code; BGN, withdrawn in 2026, stays for documents of its time."""


def currency(code: str) -> str:
    """
    Return a currency's code if ISO 4217 has it.

    :raises MoneyError: for anything else, lower case included.
    """
    if code not in MINOR_UNITS:
        raise MoneyError(f"currency: {code!r} is not an ISO 4217 code such as EUR.")
    return code


def minor_unit(code: str) -> Decimal:
    """Return the smallest amount of a currency: 0.01 EUR, 1 JPY, 0.001 KWD."""
    return Decimal(1).scaleb(-MINOR_UNITS[currency(code)])


def round_exact(value: Exact, *, quantum: Decimal, rounding: Rounding) -> Decimal:
    """
    Round an exact number to a multiple of `quantum`, with the quantum's decimals.

    quantum     0.01 for cents, 0.05 for Swiss cash, 0.00001 for a price

    :raises MoneyError: if quantum is not a positive finite Decimal.
    :raises UnitError: for float, NaN or infinity.
    """
    if not isinstance(quantum, Decimal) or not quantum.is_finite() or quantum <= 0:
        raise MoneyError(f"quantum: {quantum!r} must be a positive Decimal.")
    steps = exact(value) / Fraction(quantum)
    floor, rest = divmod(steps.numerator, steps.denominator)
    double = 2 * rest
    ceiling_wins = {
        Rounding.FLOOR: False,
        Rounding.CEILING: rest > 0,
        Rounding.DOWN: rest > 0 and floor < 0,
        Rounding.UP: rest > 0 and floor >= 0,
        Rounding.HALF_UP: double > steps.denominator
        or (double == steps.denominator and floor >= 0),
        Rounding.HALF_DOWN: double > steps.denominator
        or (double == steps.denominator and floor < 0),
        Rounding.HALF_EVEN: double > steps.denominator
        or (double == steps.denominator and floor % 2 == 1),
    }[rounding]
    return _EXACT.multiply(Decimal(floor + ceiling_wins), quantum)


def _decimal(value: object, field: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise MoneyError(f"{field}: {value!r} must be Decimal or int; a float is not money.")
    if isinstance(value, Decimal) and not value.is_finite():
        raise MoneyError(f"{field}: {value} is not a finite number.")
    return Decimal(value)


@dataclass(frozen=True, slots=True)
class Money:
    """
    Hold an exact amount in one currency, rounded or not yet.

    Adding, subtracting and comparing need the same currency; a product with an exact number
    is exact. `rounded` makes an amount that can be paid.

    :raises MoneyError: for float, NaN, infinity, or a currency outside ISO 4217.
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        amount = _decimal(self.amount, "amount")
        # A minus before nothing would be printed on invoices.
        object.__setattr__(self, "amount", amount if amount else amount.copy_abs())
        currency(self.currency)

    @classmethod
    def zero(cls, code: str) -> Self:
        """Return nothing, in a currency, with its decimals."""
        return cls(Decimal(0).quantize(minor_unit(code)), code)

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}"

    @property
    def is_payable(self) -> bool:
        """Say whether the amount is a whole number of the currency's minor units."""
        return Fraction(self.amount) % Fraction(minor_unit(self.currency)) == 0

    def rounded(self, rounding: Rounding, *, quantum: Decimal | None = None) -> Money:
        """Return the amount rounded to the minor unit, or to another quantum."""
        step = minor_unit(self.currency) if quantum is None else quantum
        rounded = round_exact(self.amount, quantum=step, rounding=rounding)
        return Money(rounded, self.currency)

    def _same(self, other: object) -> Decimal:
        if not isinstance(other, Money):
            raise MoneyError(f"amount: {other!r} is not Money; give it a currency.")
        if other.currency != self.currency:
            raise CurrencyMismatch(
                f"currency: {self.currency} and {other.currency} do not mix; convert first."
            )
        return other.amount

    def __add__(self, other: Money) -> Money:
        return Money(_EXACT.add(self.amount, self._same(other)), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(_EXACT.subtract(self.amount, self._same(other)), self.currency)

    def __neg__(self) -> Money:
        return Money(self.amount.copy_negate(), self.currency)

    def __abs__(self) -> Money:
        return Money(self.amount.copy_abs(), self.currency)

    def __mul__(self, number: Decimal | int) -> Money:
        return Money(_EXACT.multiply(self.amount, _decimal(number, "factor")), self.currency)

    __rmul__ = __mul__

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other)

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._same(other)

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._same(other)


@dataclass(frozen=True, slots=True)
class RoundingRule:
    """
    Hold what a contract says about rounding: how, when, and to what.

    quantum     None for the currency's minor unit
    """

    rounding: Rounding = Rounding.HALF_UP
    scope: RoundingScope = RoundingScope.PER_LINE
    quantum: Decimal | None = None

    def line(self, amount: Money) -> Money:
        """Return a line as the document shows it: rounded only if lines are."""
        if self.scope is RoundingScope.ON_TOTAL:
            return amount
        return amount.rounded(self.rounding, quantum=self.quantum)

    def total(self, lines: Iterable[Money], *, code: str) -> Money:
        """
        Return the total of exact lines under the rule.

        :raises CurrencyMismatch: if a line is in another currency than `code`.
        """
        total = Money.zero(code)
        for line in lines:
            total = total + self.line(line)
        return total.rounded(self.rounding, quantum=self.quantum)


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """
    Hold a price per unit of quantity, with as many decimals as the contract gives it.

    :raises MoneyError: for float, NaN, infinity or an unknown currency.
    """

    amount: Decimal
    currency: str
    per: Unit

    def __post_init__(self) -> None:
        object.__setattr__(self, "amount", _decimal(self.amount, "amount"))
        currency(self.currency)

    @classmethod
    def of(cls, amount: Decimal | int, code: str, per: str) -> Self:
        """Return a price from an amount, a currency and a unit's code (``EUR`` per ``MWh``)."""
        return cls(_decimal(amount, "amount"), code, unit(per))

    def __str__(self) -> str:
        return f"{self.amount:f} {self.currency}/{self.per}"

    def exact_value_of(self, quantity: Quantity) -> Money:
        """
        Return quantity × price unrounded, for a total that is rounded once.

        :raises DimensionMismatch: if the quantity is not what the price is per.
        :raises UnitError: if the product has no finite decimal form (thirds of an hour).
        """
        product = quantity.to(self.per).value * Fraction(self.amount)
        return Money(exact_decimal(product), self.currency)

    def value_of(
        self, quantity: Quantity, *, rounding: Rounding, quantum: Decimal | None = None
    ) -> Money:
        """
        Return quantity × price, rounded once, from the exact product.

        Both signs pass through: a negative price times a volume is negative.

        :raises DimensionMismatch: if the quantity is not what the price is per.
        """
        step = minor_unit(self.currency) if quantum is None else quantum
        product = quantity.to(self.per).value * Fraction(self.amount)
        return Money(round_exact(product, quantum=step, rounding=rounding), self.currency)


def allocate(total: Money, weights: Sequence[Exact]) -> tuple[Money, ...]:
    """
    Share out an amount by weights so that the parts add up to it to the last minor unit.

    Largest remainder: each part is its exact share rounded toward zero, and the units left
    over go to the largest remainders, the earlier of equals first.

    :raises MoneyError: if the total has fractions of a minor unit, a weight is negative, or
        the weights do not add up to more than zero.
    """
    if not total.is_payable:
        raise MoneyError(f"total: {total} has fractions of a minor unit; round it first.")
    shares = [exact(weight, field="weights") for weight in weights]
    whole = sum(shares, Fraction(0))
    if whole <= 0 or min(shares) < 0:
        raise MoneyError("weights: give weights of zero or more with a sum above zero.")
    step = minor_unit(total.currency)
    units = int(Fraction(abs(total).amount) / Fraction(step))
    exact_counts = [units * share / whole for share in shares]
    counts = [int(count) for count in exact_counts]
    by_remainder = sorted(range(len(shares)), key=lambda i: counts[i] - exact_counts[i])
    for index in by_remainder[: units - sum(counts)]:
        counts[index] += 1
    sign = -1 if total.amount < 0 else 1
    return tuple(
        Money(_EXACT.multiply(Decimal(sign * count), step), total.currency) for count in counts
    )


# The sign convention of the whole product, in one place: volume bought is positive, sold
# negative; cash received is positive, paid negative.


def signed_volume(side: Side, volume: Quantity) -> Quantity:
    """
    Return a volume with the sign of our side: bought +, sold −.

    :raises MoneyError: for a negative volume; the side says which way it goes.
    """
    if volume.value < 0:
        raise MoneyError(f"volume: {volume} must not be negative; say SELL instead.")
    return volume if side is Side.BUY else -volume


def cash_of(side: Side, value: Money) -> Money:
    """
    Return the cash of a deal worth volume × price, seen from us: received +, paid −.

    Buying at a negative price is received: the value is then negative.
    """
    return -value if side is Side.BUY else value


def paid(amount: Money) -> Money:
    """
    Return a payment that we make as cash, negative.

    :raises MoneyError: for a negative amount.
    """
    return -_magnitude(amount)


def received(amount: Money) -> Money:
    """
    Return a payment that we get as cash, positive.

    :raises MoneyError: for a negative amount.
    """
    return _magnitude(amount)


def _magnitude(amount: Money) -> Money:
    if amount.amount < 0:
        raise MoneyError(f"amount: {amount} must not be negative; `paid` and `received` sign it.")
    return amount
