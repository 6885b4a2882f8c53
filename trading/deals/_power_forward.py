"""The one product that the tables of trades hold today: a power forward in base or peak MW.

It is a `physical_forward` with its terms by name; when trades are stored by their legs, this
module has no more users.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import overload

from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.intervals import Interval
from energyopti.foundation.money import Money, Side
from trading.deals._areas import DeliveryArea, LoadType
from trading.deals._deals import Deal, ProductKind
from trading.deals._errors import DealError
from trading.deals._numbers import checked, checked_price
from trading.deals._products import physical_forward
from trading.deals._quick_text import parse_with_positions
from trading.deals._quick_words import QuickTextError
from trading.deals._shapes import shape_intervals
from trading.deals._totals import Totals, deal_totals
from trading.deals._volumes import Volume
from trading.deals._written_deals import DealText, render_deal_text

PRODUCT_WORDS = {"base": LoadType.BASE, "peak": LoadType.PEAK}


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
    area: DeliveryArea
    load_type: LoadType
    period: DatePeriod
    price: Decimal
    currency: str

    def __post_init__(self) -> None:
        checked("quantity", self.quantity_mw, places=3)
        checked_price("price", self.price)
        _ = self.deal

    @property
    def deal(self) -> Deal:
        """Return the forward as legs."""
        return physical_forward(
            side=self.side, area=self.area, period=self.period,
            volume=Volume.mw(self.quantity_mw), price=self.price, shape=self.load_type.value,
            currency=self.currency,
        )  # fmt: skip

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
    The sum of a forward.

    hours       of delivery, exact
    energy_mwh  without sign
    notional    energy × price, rounded half up to the currency's minor unit
    """

    hours: Decimal
    energy_mwh: Decimal
    notional: Money


@dataclass(frozen=True, slots=True)
class QuickDeal:
    """A forward as written: its terms, and the codes that the text names (empty if it does not)."""

    terms: PowerForward
    counterparty_code: str = ""
    book_code: str = ""
    tags: tuple[str, ...] = ()


def shape_hours(area: DeliveryArea, code: str, interval: Interval) -> Fraction:
    """
    Return how many hours a shape delivers in an interval of an area, exact.

    :raises NoSuchShape: for a product that the area does not define.
    """
    return shape_intervals(area.calendar, area.shape(code), interval).hours


def month_deliveries(deal: PowerForward) -> tuple[MonthDelivery, ...]:
    """Return the deal's delivery by month of its calendar; months without hours are absent."""
    return tuple(
        MonthDelivery(part.month, part.interval, part.hours) for part in deal.deal.schedule.parts
    )


@overload
def totals(deal: PowerForward) -> DealTotals: ...
@overload
def totals(deal: Deal) -> Totals: ...
def totals(deal: PowerForward | Deal) -> DealTotals | Totals:
    """Return hours, volume and notional of a deal; exact until the notional's one rounding."""
    if isinstance(deal, Deal):
        return deal_totals(deal)
    sums = deal_totals(deal.deal)
    assert sums.hours is not None and sums.energy_mwh is not None and sums.notional is not None
    return DealTotals(sums.hours, sums.energy_mwh, sums.notional)


def parse_quick_text(
    text: str,
    *,
    areas: Mapping[str, DeliveryArea],
    traded_at: datetime,
    counterparties: Collection[str] | None = None,
    books: Collection[str] | None = None,
) -> QuickDeal:
    """
    Read a power forward from one line of text, and refuse what the tables do not hold yet.

    :raises QuickTextError: pointing at the first word that cannot stand where it does.
    """
    parsed, refuse = parse_with_positions(
        text, areas=areas, traded_at=traded_at, counterparties=counterparties, books=books
    )
    deal = parsed.deal
    volume = deal.schedule.volume
    if not isinstance(volume, Volume) or volume.unit != "MW" or volume.lots is not None:
        refuse("quantity", "is no quantity of a forward here; give the power in MW.", "MW")
    if deal.kind is not ProductKind.PHYSICAL_FORWARD or deal.package_id:
        refuse("kind", "stands for a product that cannot be booked here yet.", "")
    if deal.schedule.shape.code not in set(LoadType):
        refuse("product", "cannot be booked here yet; base and peak can.", "")
    assert isinstance(volume, Volume)
    (fixed,) = deal.fixed_legs
    try:
        terms = PowerForward(
            deal.side, volume.quantity, deal.schedule.area, LoadType(deal.schedule.shape.code),
            deal.schedule.period, fixed.price, fixed.currency,
        )  # fmt: skip
    except DealError as error:
        refuse(error.field, error.rule, "")
    return QuickDeal(terms, parsed.counterparty_code, parsed.book_code, parsed.tags)


def render_quick_text(deal: QuickDeal) -> str:
    """Write a power forward as the line that reads back as the same forward."""
    return render_deal_text(
        DealText(deal.terms.deal, deal.counterparty_code, deal.book_code, deal.tags)
    )


__all__ = [
    "PRODUCT_WORDS",
    "DealTotals",
    "MonthDelivery",
    "PowerForward",
    "QuickDeal",
    "QuickTextError",
    "month_deliveries",
    "parse_quick_text",
    "render_quick_text",
    "shape_hours",
    "totals",
]
