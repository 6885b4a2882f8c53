"""Metered energy × price, interval by interval and exact."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from energyopti.foundation.intervals import Interval
from energyopti.foundation.money import Money, UnitPrice
from energyopti.foundation.units import Quantity


class RatingError(ValueError):
    """Raised when inputs cannot be rated; names the field and the rule."""


class MeterGap(RatingError):
    """Raised when a meter's intervals do not tile the period, naming where."""


class PriceGap(RatingError):
    """Raised when a metered interval has no price, naming the interval."""


class PriceRule(StrEnum):
    """How energy is priced: each interval at its spot price, or all at one agreed price."""

    SPOT = "SPOT"
    FIXED = "FIXED"


class LineKind(StrEnum):
    """What a line of a bill is for."""

    ENERGY = "ENERGY"
    ADDER = "ADDER"
    STANDING = "STANDING"
    ROUNDING = "ROUNDING"


@dataclass(frozen=True, slots=True)
class MeterReading:
    """
    Energy taken from the grid in one interval, in kWh and not negative.

    :raises RatingError: for a negative or non-finite energy.
    """

    interval: Interval
    energy_kwh: Decimal

    def __post_init__(self) -> None:
        if not self.energy_kwh.is_finite() or self.energy_kwh < 0:
            raise RatingError(
                f"energy_kwh: {self.energy_kwh} in {self.interval} must be zero or more."
            )


@dataclass(frozen=True, slots=True)
class MeterSeries:
    """The readings of one meter, with the name of the place that the bill shows."""

    meter: str
    place: str
    readings: tuple[MeterReading, ...]


@dataclass(frozen=True, slots=True)
class IntervalPrice:
    """The price of one interval per MWh; negative is normal."""

    interval: Interval
    price_per_mwh: Decimal


@dataclass(frozen=True, slots=True)
class RatingTerms:
    """
    What the contract says about price.

    adder_per_kwh            on every kWh, beside either rule
    fixed_price_per_kwh      given exactly when the rule is FIXED
    standing_charge_per_day  for each local day of the period

    :raises RatingError: if the rule and the fixed price do not go together.
    """

    rule: PriceRule
    currency: str
    adder_per_kwh: Decimal = Decimal(0)
    fixed_price_per_kwh: Decimal | None = None
    standing_charge_per_day: Decimal = Decimal(0)

    def __post_init__(self) -> None:
        if (self.rule is PriceRule.FIXED) != (self.fixed_price_per_kwh is not None):
            raise RatingError(
                "fixed_price_per_kwh: give it with the rule FIXED, and only with that one."
            )


@dataclass(frozen=True, slots=True)
class RatedLine:
    """
    One exact line: `quantity` in `unit`, worth `amount` before rounding.

    unit_price    per unit where there is one price; None where each interval has its own
    """

    kind: LineKind
    description: str
    quantity: Decimal
    unit: str
    unit_price: Decimal | None
    amount: Money


def rate_energy(
    *,
    meters: Sequence[MeterSeries],
    prices: Sequence[IntervalPrice],
    terms: RatingTerms,
    period: Interval,
) -> tuple[RatedLine, ...]:
    """
    Rate what meters counted in a period: per place one line of energy and one of the adder.

    meters    each tiles the period: sorted, no gap, no overlap
    prices    for the rule SPOT: sorted; each metered interval lies within one of them

    The energy line of a place is Σ kWh·price over its meters and intervals, exact; a place
    without an adder has no such line.

    :raises MeterGap: if there is no meter, or one does not tile the period.
    :raises PriceGap: if a metered interval lies in no priced one.
    """
    if not meters:
        raise MeterGap(f"meters: nothing was metered in {period}.")
    energy: dict[str, Decimal] = {}
    value: dict[str, Money] = {}
    for series in meters:
        _check_tiling(series, period)
        energy.setdefault(series.place, Decimal(0))
        value.setdefault(series.place, Money(Decimal(0), terms.currency))
        for reading, price_per_mwh in _priced(series, prices, terms):
            price = UnitPrice.of(price_per_mwh, terms.currency, "MWh")
            cost = price.exact_value_of(Quantity.of(reading.energy_kwh, "kWh"))
            energy[series.place] += reading.energy_kwh
            value[series.place] = value[series.place] + cost
    lines = []
    for place, kwh in energy.items():
        how = "at the spot price" if terms.rule is PriceRule.SPOT else "at the fixed price"
        lines.append(
            RatedLine(
                kind=LineKind.ENERGY,
                description=f"{place}: energy {how}",
                quantity=kwh,
                unit="kWh",
                unit_price=terms.fixed_price_per_kwh,
                amount=value[place],
            )
        )
        if terms.adder_per_kwh:
            adder = UnitPrice.of(terms.adder_per_kwh, terms.currency, "kWh")
            lines.append(
                RatedLine(
                    kind=LineKind.ADDER,
                    description=f"{place}: supply charge",
                    quantity=kwh,
                    unit="kWh",
                    unit_price=terms.adder_per_kwh,
                    amount=adder.exact_value_of(Quantity.of(kwh, "kWh")),
                )
            )
    return tuple(lines)


def standing_charge(*, terms: RatingTerms, days: int) -> tuple[RatedLine, ...]:
    """
    Return the line of the daily charge, or none where the contract has none.

    days    local days, so a day of 23 or 25 hours is one

    :raises RatingError: for less than one day.
    """
    if days < 1:
        raise RatingError(f"days: {days} is not a period.")
    if not terms.standing_charge_per_day:
        return ()
    return (
        RatedLine(
            kind=LineKind.STANDING,
            description="Standing charge",
            quantity=Decimal(days),
            unit="day",
            unit_price=terms.standing_charge_per_day,
            amount=Money(terms.standing_charge_per_day, terms.currency) * days,
        ),
    )


def _check_tiling(series: MeterSeries, period: Interval) -> None:
    expected = period.start
    for reading in series.readings:
        if reading.interval.start > expected:
            raise MeterGap(
                f"meters: {series.meter} has no reading for "
                f"{Interval(expected, reading.interval.start)}."
            )
        if reading.interval.start < expected:
            at = reading.interval.start.isoformat()
            raise MeterGap(
                f"meters: {series.meter} has two readings at {at}, or one outside {period}."
            )
        expected = reading.interval.end
    if expected < period.end:
        raise MeterGap(
            f"meters: {series.meter} has no reading for {Interval(expected, period.end)}."
        )
    if expected > period.end:
        raise MeterGap(f"meters: {series.meter} has a reading across the end of {period}.")


def _priced(
    series: MeterSeries, prices: Sequence[IntervalPrice], terms: RatingTerms
) -> list[tuple[MeterReading, Decimal]]:
    if terms.fixed_price_per_kwh is not None:
        # A price per kWh is a thousand times that per MWh; `scaleb` keeps it exact.
        per_mwh = terms.fixed_price_per_kwh.scaleb(3)
        return [(reading, per_mwh) for reading in series.readings]
    starts = [price.interval.start for price in prices]
    priced = []
    for reading in series.readings:
        index = bisect_right(starts, reading.interval.start) - 1
        if index < 0 or not prices[index].interval.covers(reading.interval):
            raise PriceGap(f"prices: no price covers {reading.interval} metered by {series.meter}.")
        priced.append((reading, prices[index].price_per_mwh))
    return priced
