"""
Contracts with choices in them: swing, storage, tolling, batteries, transmission rights.

The terms of each kind are one dataclass; forms, files and the API are made from its fields, so a
term is added here and nowhere else. What a contract is worth is `trading.pricing.structures`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from fractions import Fraction
from functools import cache
from typing import Annotated, Any, ClassVar, get_type_hints

from energyopti.foundation.money import Money
from trading.deals._areas import PriceIndex
from trading.deals._errors import DealError
from trading.deals._legs import Direction, money_of
from trading.deals._numbers import QUANTITY_PLACES, checked, checked_price
from trading.deals._schedules import Schedule
from trading.deals._volumes import Frequency, Profile

_ZERO, _ONE = Decimal(0), Decimal(1)
_HUNDRED = Decimal(100)
_MOST_POINTS = 20


class StructureKind(StrEnum):
    """What sort of choices a contract has."""

    SWING = "SWING"
    STORAGE = "STORAGE"
    TOLLING = "TOLLING"
    BATTERY_TOLLING = "BATTERY_TOLLING"
    TRANSMISSION_RIGHT = "TRANSMISSION_RIGHT"


class RightForm(StrEnum):
    """Whether a transmission right pays a negative spread too (obligation) or never (option)."""

    OPTION = "OPTION"
    OBLIGATION = "OBLIGATION"


@dataclass(frozen=True, slots=True)
class Term:
    """
    What people read of a field.

    unit    of the number; {unit} stands for the schedule's amount, {currency} for the area's
    least, most     bounds of a number, both allowed; None for none
    """

    label: str
    unit: str = ""
    least: Decimal | None = _ZERO
    most: Decimal | None = None


Ratchets = tuple[tuple[Decimal, Decimal], ...]


@dataclass(frozen=True, slots=True)
class SwingTerms:
    """
    A right to take between bounds each day; the schedule's volume is the most.

    strike              currency per unit, paid for what is taken
    daily_minimum       per day that must be taken
    minimum, maximum    of a contract year that starts with the delivery
    make_up             of what was taken below the minimum and paid for, that later years may take
    carry_forward       of what was taken above the minimum, that lowers later minima
    """

    roles: ClassVar[tuple[str, ...]] = ("index",)

    strike: Annotated[Decimal, Term("Strike", "{currency}/{unit}", least=None)]
    maximum: Annotated[Decimal, Term("Most in a contract year", "{unit}")]
    minimum: Annotated[Decimal, Term("Least in a contract year", "{unit}")] = _ZERO
    daily_minimum: Annotated[Decimal, Term("Least in a day", "{unit}")] = _ZERO
    make_up: Annotated[Decimal, Term("Make-up", "{unit}")] = _ZERO
    carry_forward: Annotated[Decimal, Term("Carry-forward", "{unit}")] = _ZERO

    def check(self, daily: Decimal) -> None:
        """Refuse bounds that contradict each other; `daily` is the most in a day."""
        if self.minimum > self.maximum:
            raise DealError(
                "minimum", f"{_plain(self.minimum)} is above the maximum of {_plain(self.maximum)}."
            )
        if self.daily_minimum > daily:
            raise DealError(
                "daily_minimum",
                f"{_plain(self.daily_minimum)} is above the {_plain(daily)} of a day.",
            )


@dataclass(frozen=True, slots=True)
class YearEnd:
    """
    What a contract year of a swing contract ends with.

    short       newly short of the minimum +, made up for earlier years −; paid at the strike
    balance     after it: carried forward +, still to be made up −
    """

    short: Fraction
    balance: Fraction


def year_ends(terms: SwingTerms, taken: Sequence[Fraction]) -> tuple[YearEnd, ...]:
    """
    Return how contract years end, in their order, from what was taken in each.

    What is above the minimum first makes up for earlier years, then is carried forward; what is
    short first uses up what was carried. `trading.pricing.structures.Swing.settle` values the same.
    """
    found, balance, least = [], Fraction(0), Fraction(terms.minimum)
    for total in taken:
        after = balance + total - least
        short = max(-after, Fraction(0)) - max(-balance, Fraction(0))
        balance = min(max(after, -Fraction(terms.make_up)), Fraction(terms.carry_forward))
        found.append(YearEnd(short, balance))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class StorageTerms:
    """
    A right to inject, keep and withdraw; the schedule's volume is the most withdrawn in a day.

    working_volume      between empty and full
    injection_rate      most injected in a day
    *_ratchets          per cent of the working volume → per cent of the rate, straight between;
                        empty: the rate at any inventory
    *_cost              currency per unit that enters or leaves
    *_fuel              per cent of it that is burnt
    """

    roles: ClassVar[tuple[str, ...]] = ("index",)

    working_volume: Annotated[Decimal, Term("Working volume", "{unit}")]
    injection_rate: Annotated[Decimal, Term("Injection rate", "{unit}/day")]
    start_inventory: Annotated[Decimal, Term("Inventory at the start", "{unit}")] = _ZERO
    end_inventory: Annotated[Decimal, Term("Inventory at the end, at least", "{unit}")] = _ZERO
    injection_cost: Annotated[Decimal, Term("Injection cost", "{currency}/{unit}")] = _ZERO
    withdrawal_cost: Annotated[Decimal, Term("Withdrawal cost", "{currency}/{unit}")] = _ZERO
    injection_fuel: Annotated[Decimal, Term("Injection fuel", "%", most=_HUNDRED)] = _ZERO
    withdrawal_fuel: Annotated[Decimal, Term("Withdrawal fuel", "%", most=_HUNDRED)] = _ZERO
    injection_ratchets: Annotated[Ratchets, Term("Injection ratchets", "% inventory:% rate")] = ()
    withdrawal_ratchets: Annotated[Ratchets, Term("Withdrawal ratchets", "% inventory:% rate")] = ()

    def check(self, daily: Decimal) -> None:
        """Refuse an inventory beyond the store, and ratchets that do not cover it."""
        if not self.working_volume:
            raise DealError("working_volume", "must be above 0.")
        for name in ("start_inventory", "end_inventory"):
            if getattr(self, name) > self.working_volume:
                raise DealError(name, f"{_plain(getattr(self, name))} is above the working volume.")
        for name in ("injection_ratchets", "withdrawal_ratchets"):
            points = getattr(self, name)
            levels = [level for level, _ in points]
            if points and (levels[0] != 0 or levels[-1] != _HUNDRED):
                raise DealError(name, "go from 0 to 100 per cent of the working volume.")
            if levels != sorted(set(levels)):
                raise DealError(name, "rise in inventory, each level once.")


@dataclass(frozen=True, slots=True)
class TollingTerms:
    """
    A right to run a power plant; the schedule's volume is its most output, in MW.

    heat_rate       MWh of fuel per MWh of power
    start_fuel      MWh of fuel a start
    """

    roles: ClassVar[tuple[str, ...]] = ("power", "fuel", "carbon")

    heat_rate: Annotated[Decimal, Term("Heat rate", "MWh fuel/MWh power")]
    minimum_mw: Annotated[Decimal, Term("Least stable output", "MW")]
    minimum_up_hours: Annotated[Decimal, Term("Least time on", "h", least=_ONE)] = _ONE
    minimum_down_hours: Annotated[Decimal, Term("Least time off", "h", least=_ONE)] = _ONE
    start_fuel: Annotated[Decimal, Term("Fuel a start", "MWh")] = _ZERO
    start_cost: Annotated[Decimal, Term("Cost a start", "{currency}")] = _ZERO
    output_cost: Annotated[Decimal, Term("Cost of output", "{currency}/MWh")] = _ZERO
    fuel_addon: Annotated[Decimal, Term("Fuel add-on", "{currency}/MWh", least=None)] = _ZERO
    carbon_intensity: Annotated[Decimal, Term("Carbon intensity", "tCO2/MWh fuel")] = _ZERO

    def check(self, daily: Decimal) -> None:
        """Refuse a plant without a heat rate, or with broken hours on or off."""
        if not self.heat_rate:
            raise DealError("heat_rate", "must be above 0.")
        if not self.minimum_mw:
            raise DealError("minimum_mw", "must be above 0.")
        for name in ("minimum_up_hours", "minimum_down_hours"):
            if getattr(self, name) % 1:
                raise DealError(name, "is a whole number of hours.")


@dataclass(frozen=True, slots=True)
class BatteryTerms:
    """
    A right to charge and discharge a battery; the schedule's volume is its power, in MW.

    efficiency      per cent of what is charged that comes out again
    cycle_cost      currency per MWh discharged: wear
    daily_cycles    most discharged in a day, in energies; 0 for no limit
    """

    roles: ClassVar[tuple[str, ...]] = ("index",)

    energy_mwh: Annotated[Decimal, Term("Energy", "MWh")]
    efficiency: Annotated[Decimal, Term("Round-trip efficiency", "%", most=_HUNDRED)] = Decimal(90)
    cycle_cost: Annotated[Decimal, Term("Wear", "{currency}/MWh")] = _ZERO
    daily_cycles: Annotated[Decimal, Term("Cycles a day, at most")] = _ZERO
    start_energy_mwh: Annotated[Decimal, Term("Energy at the start", "MWh")] = _ZERO

    def check(self, daily: Decimal) -> None:
        """Refuse a battery that keeps nothing."""
        for name in ("energy_mwh", "efficiency"):
            if not getattr(self, name):
                raise DealError(name, "must be above 0.")
        if self.start_energy_mwh > self.energy_mwh:
            raise DealError(
                "start_energy_mwh", f"{_plain(self.start_energy_mwh)} is above the energy."
            )


@dataclass(frozen=True, slots=True)
class TransmissionTerms:
    """
    A right to the price of a sink less that of a source, for the schedule's MW.

    firmness    per cent of the volume that is paid: curtailment is the rest
    """

    roles: ClassVar[tuple[str, ...]] = ("source", "sink")

    form: Annotated[RightForm, Term("Form")] = RightForm.OPTION
    firmness: Annotated[Decimal, Term("Firmness", "%", most=_HUNDRED)] = _HUNDRED

    def check(self, daily: Decimal) -> None:
        """Nothing beyond the bounds of each term."""


StructureTerms = SwingTerms | StorageTerms | TollingTerms | BatteryTerms | TransmissionTerms
TERMS_OF_STRUCTURE: Mapping[StructureKind, type[StructureTerms]] = {
    StructureKind.SWING: SwingTerms,
    StructureKind.STORAGE: StorageTerms,
    StructureKind.TOLLING: TollingTerms,
    StructureKind.BATTERY_TOLLING: BatteryTerms,
    StructureKind.TRANSMISSION_RIGHT: TransmissionTerms,
}
# The product kinds of such contracts have the same names.
STRUCTURES = frozenset(kind.value for kind in StructureKind)
# What has a power by the hour, and what has a volume by the day.
_BY_POWER = frozenset(
    {StructureKind.TOLLING, StructureKind.BATTERY_TOLLING, StructureKind.TRANSMISSION_RIGHT}
)


@dataclass(frozen=True, slots=True)
class Structure:
    """
    The full terms of a contract with choices; it adds nothing linear to positions.

    direction   RECEIVE: the choices are ours; PAY: we have granted them
    schedule    delivery, and the most per day or hour
    underlying  the prices it is on, in the order of its terms' `roles`
    premium     what the holder pays for it in all, ≥ 0, in the area's currency

    :raises DealError: naming the field.
    """

    direction: Direction
    schedule: Schedule
    kind: StructureKind
    underlying: tuple[PriceIndex, ...]
    terms: StructureTerms
    premium: Decimal = _ZERO
    premium_date: date | None = None

    def __post_init__(self) -> None:
        wanted = TERMS_OF_STRUCTURE[self.kind]
        if not isinstance(self.terms, wanted):
            raise DealError("kind", f"{self.kind.value} has terms of its own.")
        needed = [role for role in wanted.roles if role != "carbon"]
        if not len(needed) <= len(self.underlying) <= len(wanted.roles):
            raise DealError(needed[min(len(self.underlying), len(needed) - 1)], "names an index.")
        if any(index.currency != self.currency for index in self.underlying):
            raise DealError(
                "underlying", f"is priced in {self.currency}; hedge the exchange rate apart."
            )
        self._check_volume()
        _check_terms(self.kind, self.terms)
        if isinstance(self.terms, TollingTerms):
            if self.terms.carbon_intensity and len(self.underlying) < len(wanted.roles):
                raise DealError("carbon", "names an index, or the carbon intensity is 0.")
            if self.terms.minimum_mw > self.most:
                raise DealError(
                    "minimum_mw",
                    f"{_plain(self.terms.minimum_mw)} is above {_plain(self.most)} MW.",
                )
        if isinstance(self.terms, TransmissionTerms) and len(
            {index.area.code for index in self.underlying}
        ) < len(self.underlying):
            raise DealError("sink", "is another area than the source.")
        self.terms.check(self.most)
        if checked_price("premium", self.premium) < 0:
            raise DealError("premium", f"{self.premium} must not be negative; the holder pays it.")

    def _check_volume(self) -> None:
        volume = self.schedule.volume
        if isinstance(volume, Profile):
            raise DealError("volume", "is one number for the whole delivery, not a profile.")
        if not self.schedule.shape.is_all_hours and self.kind is not (
            StructureKind.TRANSMISSION_RIGHT
        ):
            raise DealError("shape", f"{self.kind.value} is for all hours.")
        if self.kind in _BY_POWER:
            if volume.frequency is not Frequency.HOUR or volume.amount_unit != "MWh":
                raise DealError("unit", f"{self.kind.value} has a power in MW.")
        elif volume.frequency is not Frequency.DAY:
            raise DealError("unit", f"{self.kind.value} has a volume a day, like MWh/d.")

    @property
    def currency(self) -> str:
        """Return the currency of its prices and of the premium."""
        return self.schedule.area.currency

    @property
    def most(self) -> Decimal:
        """Return the schedule's number: the most in a day, or the power in MW."""
        volume = self.schedule.volume
        assert not isinstance(volume, Profile)
        return volume.quantity

    @property
    def amount(self) -> Fraction:
        """
        Return the contract's size, exact, in the schedule's unit: the most that it moves in all.

        A store and a battery are as large as what they keep, however often it is turned over.
        """
        terms, most = self.terms, self.schedule.amount()
        if isinstance(terms, StorageTerms):
            return Fraction(terms.working_volume)
        if isinstance(terms, BatteryTerms):
            return Fraction(terms.energy_mwh)
        if isinstance(terms, SwingTerms):
            return min(most, len(self.contract_years) * Fraction(terms.maximum))
        return most

    @property
    def contract_years(self) -> tuple[date, ...]:
        """Return the first day of each contract year; the first starts with the delivery."""
        first, after = self.schedule.period.first, self.schedule.period.after
        found, year = [first], first.year
        while True:
            year += 1
            # A contract from a 29th of February goes on from the 28th.
            day = date(year, first.month, min(first.day, 28) if first.month == 2 else first.day)
            if day >= after:
                return tuple(found)
            found.append(day)

    @property
    def by_role(self) -> dict[str, PriceIndex]:
        """Return the underlying prices by what they are for."""
        return dict(zip(type(self.terms).roles, self.underlying, strict=False))

    @property
    def premium_cash(self) -> Money:
        """Return the premium as our cash: paid by the holder, so − if the choices are ours."""
        return money_of(-self.direction.sign * Fraction(self.premium), self.currency)


def structure_terms(kind: StructureKind, said: Mapping[str, Any]) -> StructureTerms:
    """
    Return terms from what a form, file or program says by name: numbers, text or pairs.

    :raises DealError: naming the term: unknown, missing, or not what it must be.
    """
    wanted = TERMS_OF_STRUCTURE[kind]
    known = {one.name: one for one in fields(wanted)}
    for name in said:
        if name not in known:
            raise DealError(name, f"does not go with {kind.value}.")
    found: dict[str, Any] = {}
    for name, one in known.items():
        value = said.get(name)
        if value in (None, ""):
            if one.default is MISSING:
                raise DealError(name, f"is missing; {kind.value} needs it.")
            continue
        if name.endswith("_ratchets"):
            found[name] = _ratchets(name, value)
        elif name == "form":
            found[name] = _right_form(value)
        else:
            found[name] = _decimal(name, value)
    return wanted(**found)


def terms_said(terms: StructureTerms) -> dict[str, Any]:
    """Return all terms by name as text, as `structure_terms` reads them."""
    found: dict[str, Any] = {}
    for one in fields(terms):
        value = getattr(terms, one.name)
        if one.name.endswith("_ratchets"):
            found[one.name] = " ".join(f"{_plain(level)}:{_plain(rate)}" for level, rate in value)
        else:
            found[one.name] = value.value if isinstance(value, RightForm) else _plain(value)
    return found


@cache
def terms_of(kind: StructureKind) -> Mapping[str, Term]:
    """Return the terms of a kind by name, as people read them."""
    hints = get_type_hints(TERMS_OF_STRUCTURE[kind], include_extras=True)
    return {one.name: hints[one.name].__metadata__[0] for one in fields(TERMS_OF_STRUCTURE[kind])}


def required_terms(kind: StructureKind) -> frozenset[str]:
    """Return the terms of a kind that have no default."""
    return frozenset(one.name for one in fields(TERMS_OF_STRUCTURE[kind]) if one.default is MISSING)


def _check_terms(kind: StructureKind, terms: StructureTerms) -> None:
    for name, term in terms_of(kind).items():
        value = getattr(terms, name)
        if not isinstance(value, Decimal):
            continue
        checked(name, value, places=QUANTITY_PLACES)
        if term.least is not None and value < term.least:
            raise DealError(name, f"{value} must be at least {term.least}.")
        if term.most is not None and value > term.most:
            raise DealError(name, f"{value} must be at most {term.most}.")


def _decimal(name: str, value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, (int, str)) and not isinstance(value, bool):
        try:
            return Decimal(value)
        except InvalidOperation:
            pass
    raise DealError(name, f"“{value}” must be a decimal number.")


def _right_form(value: Any) -> RightForm:
    try:
        return RightForm(str(value).upper())
    except ValueError:
        raise DealError("form", f"“{value}” is neither OPTION nor OBLIGATION.") from None


def _ratchets(name: str, value: Any) -> Ratchets:
    """Return points of "0:100 50:100 100:40", or of pairs."""
    pairs = [str(word).split(":") for word in value.split()] if isinstance(value, str) else value
    if len(pairs) > _MOST_POINTS or any(len(pair) != 2 for pair in pairs):
        raise DealError(name, f"are at most {_MOST_POINTS} points like 0:100 50:100 100:40.")
    found = tuple((_decimal(name, level), _decimal(name, rate)) for level, rate in pairs)
    for point in found:
        for number in point:
            if not 0 <= checked(name, number, places=QUANTITY_PLACES) <= _HUNDRED:
                raise DealError(name, f"{number} is no per cent from 0 to 100.")
    return found


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
