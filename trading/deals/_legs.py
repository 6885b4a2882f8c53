"""The legs of a deal, as FpML has them: delivery, fixed, floating, option and fee.

Each is paid or received, seen from us. A leg is data; what it adds to positions is in `_deltas`,
what options are worth is the pricing packages'.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.money import Money, Rounding, minor_unit, round_exact
from trading.deals._areas import PriceIndex, check_currency
from trading.deals._errors import DealError
from trading.deals._numbers import PRICE_PLACES, checked, checked_price
from trading.deals._schedules import Schedule
from trading.deals._volumes import KNOWN_UNITS, Profile

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_./-]{0,39}")


class Direction(StrEnum):
    """Which way a leg goes, seen from us."""

    PAY = "PAY"
    RECEIVE = "RECEIVE"

    @property
    def other(self) -> Direction:
        """Return the direction that the other side sees."""
        return Direction.PAY if self is Direction.RECEIVE else Direction.RECEIVE

    @property
    def sign(self) -> int:
        """Return +1 for what we receive and −1 for what we pay."""
        return 1 if self is Direction.RECEIVE else -1


def check_name(field: str, name: str) -> None:
    """
    Refuse what cannot stand as a name in a line of text.

    :raises DealError: naming the field.
    """
    if NAME.fullmatch(name) is None:
        raise DealError(field, f"{name!r} must be 1 to 40 letters, digits, or _ . / - inside them.")


@dataclass(frozen=True, slots=True)
class AssetShare:
    """
    Say whose output a delivery is: as generated, so its volume is only expected.

    installed_mw    of the whole asset
    contracted_mw   our part of it
    """

    asset_id: str
    installed_mw: Decimal
    contracted_mw: Decimal

    def __post_init__(self) -> None:
        check_name("asset", self.asset_id)
        for field, value in (("installed_mw", self.installed_mw), ("share", self.contracted_mw)):
            if checked(field, value, places=6) <= 0:
                raise DealError(field, f"{value} must be above 0.")
        if self.contracted_mw > self.installed_mw:
            raise DealError(
                "share", f"{self.contracted_mw} MW is more than the {self.installed_mw} MW of "
                f"{self.asset_id}.",
            )  # fmt: skip

    @property
    def percent(self) -> Fraction:
        """Return our share in per cent, exact."""
        return 100 * Fraction(self.contracted_mw) / Fraction(self.installed_mw)


@dataclass(frozen=True, slots=True)
class CertificateTerms:
    """Say which certificates: the year in which they were earned, the registry; empty if any."""

    vintage: int | None = None
    registry: str = ""

    def __post_init__(self) -> None:
        if self.vintage is not None and not 2000 <= self.vintage <= 2100:
            raise DealError("vintage", f"{self.vintage} is no year from 2000 to 2100.")
        if self.registry:
            check_name("registry", self.registry)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A commodity that changes hands; with an asset its volume is what is expected."""

    direction: Direction
    schedule: Schedule
    asset: AssetShare | None = None
    certificate: CertificateTerms | None = None


@dataclass(frozen=True, slots=True)
class Fixed:
    """
    A fixed price for the schedule's volume.

    per     unit of the price, the area's if left empty
    """

    direction: Direction
    schedule: Schedule
    price: Decimal
    currency: str = ""
    per: str = ""

    def __post_init__(self) -> None:
        checked_price("price", self.price)
        object.__setattr__(self, "currency", self.currency or self.schedule.area.currency)
        object.__setattr__(self, "per", self.per or self.schedule.area.price_unit)
        check_currency(self.currency)
        if self.per not in KNOWN_UNITS:
            raise DealError("price_unit", f"{self.per!r} is no unit.")
        _check_convertible(self.schedule, self.per)


@dataclass(frozen=True, slots=True)
class Floating:
    """
    A published price for the schedule's volume: multiplier × index + spread.

    spread      in the index's currency and unit, any sign
    multiplier  above 0, at most 6 decimals (0.95 pays 95 % of the index)
    """

    direction: Direction
    schedule: Schedule
    index: PriceIndex
    spread: Decimal = Decimal(0)
    multiplier: Decimal = Decimal(1)

    def __post_init__(self) -> None:
        checked_price("spread", self.spread)
        if not 0 < checked("multiplier", self.multiplier, places=PRICE_PLACES) <= 1000:
            raise DealError("multiplier", f"{self.multiplier} must be above 0 and at most 1000.")
        _check_convertible(self.schedule, self.index.price_unit)

    @property
    def currency(self) -> str:
        """Return the index's currency."""
        return self.index.currency


def _check_convertible(schedule: Schedule, price_unit: str) -> None:
    if isinstance(schedule.volume, Profile) and price_unit != "MWh":
        raise DealError("price_unit", f"a profile in MW needs a price per MWh, not {price_unit}.")
    schedule.amount(price_unit)


class OptionStyle(StrEnum):
    """When an option may be exercised, or on what average it settles."""

    EUROPEAN = "EUROPEAN"
    AMERICAN = "AMERICAN"
    BERMUDAN = "BERMUDAN"
    ASIAN = "ASIAN"


class OptionType(StrEnum):
    """What an option pays on; spreads are of two indices, a swaption is of a swap."""

    CALL = "CALL"
    PUT = "PUT"
    CAP = "CAP"
    FLOOR = "FLOOR"
    COLLAR = "COLLAR"
    SPREAD_CALL = "SPREAD_CALL"
    SPREAD_PUT = "SPREAD_PUT"
    PAYER_SWAPTION = "PAYER_SWAPTION"
    RECEIVER_SWAPTION = "RECEIVER_SWAPTION"


class Settlement(StrEnum):
    """Whether exercise leads to delivery or to cash."""

    PHYSICAL = "PHYSICAL"
    CASH = "CASH"


_SPREADS = (OptionType.SPREAD_CALL, OptionType.SPREAD_PUT)
# Catches a slip of a few zeros.
MAXIMUM_RATIO = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class Option:
    """
    The full terms of an option; it adds nothing linear to positions.

    direction   RECEIVE: we hold it; PAY: we have written it
    schedule    volume and delivery of the underlying
    underlying  the price it is on; of a spread two: the first − ratio × the second − cost
    ratio       of a spread how much of the second goes with one unit of the first, > 0: a heat
                rate, tonnes per MWh, barrels per tonne; 1 of the option's unit if left out
    ratio_unit  what the ratio counts; the option's unit if left out where both markets have it
    second_period   of a spread the delivery of the second, if it is another than the first's
    cost        of a spread, known beforehand: operation, and emissions at an agreed price; per
                unit of the first, ≥ 0
    strikes     one; of a collar two, floor before cap; of a swaption the swap's fixed rate
    expiry      aware; the last instant of exercise, or of the last fixing
    exercises   aware, ascending, of a BERMUDAN; expiry is the last
    premium     per unit of the underlying's price unit, ≥ 0, paid by the holder

    :raises DealError: naming the field.
    """

    direction: Direction
    schedule: Schedule
    style: OptionStyle
    option_type: OptionType
    underlying: tuple[PriceIndex, ...]
    strikes: tuple[Decimal, ...]
    expiry: datetime
    currency: str = ""
    exercises: tuple[datetime, ...] = ()
    premium: Decimal = Decimal(0)
    premium_currency: str = ""
    premium_date: date | None = None
    settlement: Settlement = Settlement.CASH
    ratio: Decimal | None = None
    ratio_unit: str = ""
    second_period: DatePeriod | None = None
    cost: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        currency = self.currency or self.schedule.area.currency
        object.__setattr__(self, "currency", currency)
        object.__setattr__(self, "premium_currency", self.premium_currency or currency)
        check_currency(self.currency)
        check_currency(self.premium_currency, "premium_currency")
        wanted = 2 if self.option_type in _SPREADS else 1
        if len(self.underlying) != wanted:
            raise DealError("underlying", f"{self.option_type} is on {wanted} index(es).")
        strikes = 2 if self.option_type is OptionType.COLLAR else 1
        if len(self.strikes) != strikes:
            raise DealError("strike", f"{self.option_type} has {strikes} strike(s).")
        for strike in self.strikes:
            checked_price("strike", strike)
        if list(self.strikes) != sorted(self.strikes):
            raise DealError("strike", "the floor must not be above the cap.")
        if checked_price("premium", self.premium) < 0:
            raise DealError("premium", f"{self.premium} must not be negative; the holder pays it.")
        if self.is_spread:
            self._check_spread()
        else:
            said = {
                "ratio": self.ratio is not None, "ratio_unit": bool(self.ratio_unit),
                "second_period": self.second_period is not None, "cost": self.cost != 0,
            }  # fmt: skip
            for field in (field for field, is_said in said.items() if is_said):
                raise DealError(
                    field,
                    f"goes with a spread of two prices; a {self.option_type.value} is on one.",
                )
        self._check_exercise()

    def _check_spread(self) -> None:
        own, second = self.schedule.area.price_unit, self.underlying[1].area.price_unit
        if self.ratio is None:
            if self.ratio_unit:
                raise DealError("ratio", f"say how many {self.ratio_unit} go with one {own}.")
            object.__setattr__(self, "ratio", Decimal(1))
            object.__setattr__(self, "ratio_unit", own)
        elif not self.ratio_unit:
            if own != second:
                raise DealError(
                    "ratio_unit",
                    f"say what {self.ratio} counts, {second} or another: the option is per {own},"
                    f" {self.underlying[1].code} per {second}.",
                )
            object.__setattr__(self, "ratio_unit", own)
        if not 0 < checked("ratio", self.ratio, places=PRICE_PLACES) <= MAXIMUM_RATIO:
            raise DealError("ratio", f"{self.ratio} must be above 0 and at most {MAXIMUM_RATIO}.")
        if self.ratio_unit not in KNOWN_UNITS:
            raise DealError("ratio_unit", f"{self.ratio_unit!r} is no unit.")
        if checked_price("cost", self.cost) < 0:
            raise DealError("cost", f"{self.cost} must not be negative; it lowers the spread.")

    def _check_exercise(self) -> None:
        for instant in (self.expiry, *self.exercises):
            if instant.utcoffset() is None:
                raise DealError("expiry", f"{instant.isoformat()} needs a UTC offset.")
        if list(self.exercises) != sorted(set(self.exercises)):
            raise DealError("exercises", "must be in ascending order, each once.")
        if self.exercises and self.exercises[-1] != self.expiry:
            raise DealError("exercises", "the last one is the expiry.")
        if self.style is OptionStyle.BERMUDAN and len(self.exercises) < 2:
            raise DealError("exercises", "a Bermudan option has two or more dates of exercise.")
        # An Asian option fixes while it delivers; any other is decided before delivery ends.
        if self.expiry > self.schedule.interval.end and self.style is not OptionStyle.ASIAN:
            raise DealError("expiry", "must not be after the end of delivery.")

    @property
    def is_spread(self) -> bool:
        """Say whether it is on the difference of two prices."""
        return self.option_type in _SPREADS

    @property
    def exact_ratio(self) -> Fraction:
        """Return how many `ratio_unit` of the second go with one unit of the first."""
        return Fraction(1 if self.ratio is None else self.ratio)

    @property
    def second_schedule(self) -> Schedule:
        """
        Return the first's volume over the delivery of the second.

        :raises DealError: naming `second_period`, where it has no such hours or months.
        """
        if self.second_period is None:
            return self.schedule
        try:
            return replace(self.schedule, period=self.second_period)
        except DealError as error:
            raise DealError("second_period", error.rule) from error

    @property
    def premium_cash(self) -> Money:
        """Return the premium as our cash, rounded once: paid by the holder, so − if we hold it."""
        amount = self.schedule.amount(self.schedule.area.price_unit) * Fraction(self.premium)
        return money_of(-self.direction.sign * amount, self.premium_currency)


class FeeKind(StrEnum):
    """Who a fee is for."""

    BROKER = "BROKER"
    EXCHANGE = "EXCHANGE"
    CLEARING = "CLEARING"


class FeeBasis(StrEnum):
    """What a fee is per: the deal, a unit of the area's price unit, or a lot."""

    FLAT = "FLAT"
    PER_UNIT = "PER_UNIT"
    PER_LOT = "PER_LOT"


@dataclass(frozen=True, slots=True)
class Fee:
    """
    A fee; PAY: we bear it, RECEIVE: a rebate to us.

    amount      ≥ 0, at most 6 decimals, in `currency` per what the basis says
    payee       who it is for, as a code; empty if it is not said
    """

    direction: Direction
    kind: FeeKind
    amount: Decimal
    currency: str
    basis: FeeBasis = FeeBasis.FLAT
    payee: str = ""

    def __post_init__(self) -> None:
        if checked_price("fee", self.amount) < 0:
            raise DealError("fee", f"{self.amount} must not be negative; RECEIVE is a rebate.")
        check_currency(self.currency, "fee_currency")
        if self.payee:
            check_name("payee", self.payee)


def money_of(amount: Fraction, currency: str) -> Money:
    """Return an exact amount rounded once, half up, to the currency's minor unit."""
    rounded = round_exact(amount, quantum=minor_unit(currency), rounding=Rounding.HALF_UP)
    return Money(rounded, currency)
