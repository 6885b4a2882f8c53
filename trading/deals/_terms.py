"""What a linear power deal delivers, month by month, and what it costs: exact to the cent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from energyopti.foundation.calendars import DatePeriod, shaped_delivery
from energyopti.foundation.intervals import Interval, IntervalSet
from energyopti.foundation.money import Money, Rounding, Side, UnitPrice
from energyopti.foundation.units import Quantity, energy_mwh, exact_decimal
from trading.deals._areas import LoadType, PowerArea

# Bounds of the columns that hold them; a typing slip of a few zeros is refused, not stored.
MAXIMUM_MW = Decimal(100_000)
MAXIMUM_PRICE = Decimal(1_000_000)
MAXIMUM_YEARS = 30


class DealError(ValueError):
    """Raised for terms that make no deal; `field` names the one at fault."""

    def __init__(self, field: str, message: str) -> None:
        self.field = field
        super().__init__(f"{field}: {message}")


@dataclass(frozen=True, slots=True)
class PowerForward:
    """
    Hold the terms of a forward: a constant MW in the hours of a shape, at one price.

    quantity_mw     > 0; the side says which way it goes; at most 3 decimals
    price           currency/MWh, any sign, at most 6 decimals
    period          run of delivery days in the area's calendar

    :raises DealError: naming the field.
    """

    side: Side
    quantity_mw: Decimal
    area: PowerArea
    load_type: LoadType
    period: DatePeriod
    price: Decimal
    currency: str

    def __post_init__(self) -> None:
        for name, value, places in (("quantity", self.quantity_mw, 3), ("price", self.price, 6)):
            if not isinstance(value, Decimal) or not value.is_finite():
                raise DealError(name, f"{value} must be a finite decimal number.")
            if value.normalize().as_tuple().exponent < -places:  # type: ignore[operator]
                raise DealError(name, f"{value} has more than {places} decimals.")
        if not 0 < self.quantity_mw <= MAXIMUM_MW:
            raise DealError(
                "quantity", f"{self.quantity_mw} MW must be above 0 and at most {MAXIMUM_MW}."
            )
        if abs(self.price) > MAXIMUM_PRICE:
            raise DealError("price", f"{self.price} is beyond ±{MAXIMUM_PRICE} per MWh.")
        if self.period.after.year - self.period.first.year > MAXIMUM_YEARS:
            raise DealError("period", f"is longer than {MAXIMUM_YEARS} years.")
        if not shape_hours(self.area, self.load_type, self.interval):
            raise DealError("period", f"has no {self.load_type.value.lower()} hours.")

    @property
    def interval(self) -> Interval:
        """Return the delivery, from the first day's start to the end of the last."""
        return self.area.calendar.span(self.period)

    @property
    def signed_mw(self) -> Decimal:
        """Return the MW with our sign: bought +, sold −."""
        return self.quantity_mw if self.side is Side.BUY else -self.quantity_mw


@dataclass(frozen=True, slots=True)
class MonthDelivery:
    """
    One delivery month of a deal, or the part of it that the deal covers.

    month       first day of the month in the area's calendar
    interval    of this month's delivery, UTC; the shape's hours lie within it
    hours       that the shape delivers in it, exact
    """

    month: date
    interval: Interval
    hours: Fraction


@dataclass(frozen=True, slots=True)
class DealTotals:
    """
    The sum of a deal.

    hours       of delivery, exact
    energy_mwh  without sign
    notional    energy × price, rounded half up to the currency's minor unit
    """

    hours: Decimal
    energy_mwh: Decimal
    notional: Money


def shape_hours(area: PowerArea, load_type: LoadType, interval: Interval) -> Fraction:
    """
    Return how many hours a shape delivers in an interval of an area, exact.

    :raises NoPeakDefinition: for a peak where none is defined.
    """
    shape = area.shape(load_type)
    if shape is None:
        return interval.hours
    calendar = area.calendar
    days = DatePeriod(
        calendar.date_of(interval.start),
        date.fromordinal(calendar.date_of(interval.end).toordinal() + 1),
    )
    return (shaped_delivery(calendar, days, shape) & IntervalSet((interval,))).hours


def month_deliveries(deal: PowerForward) -> tuple[MonthDelivery, ...]:
    """Return the deal's delivery by month of its calendar; months without hours are absent."""
    calendar, found = deal.area.calendar, []
    for part in _months(deal.period):
        interval = calendar.span(part)
        if hours := shape_hours(deal.area, deal.load_type, interval):
            found.append(MonthDelivery(part.first.replace(day=1), interval, hours))
    return tuple(found)


def _months(period: DatePeriod) -> Iterator[DatePeriod]:
    first = period.first
    while first < period.after:
        month_end = DatePeriod.months(first.year, first.month).after
        yield DatePeriod(first, min(month_end, period.after))
        first = month_end


def totals(deal: PowerForward) -> DealTotals:
    """Return hours, energy and notional of a deal; exact until the notional's one rounding."""
    hours = shape_hours(deal.area, deal.load_type, deal.interval)
    energy = exact_decimal(energy_mwh(deal.quantity_mw, hours))
    notional = UnitPrice.of(deal.price, deal.currency, "MWh").value_of(
        Quantity.of(energy, "MWh"), rounding=Rounding.HALF_UP
    )
    return DealTotals(exact_decimal(hours), energy, notional)
