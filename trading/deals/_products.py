"""Products: constructors that make the legs of a deal, and refuse bad terms by field.

Where a price is given, buying receives the commodity (or its floating price) and pays the
price. All arguments are keywords; `shape` is a code of the area ("PEAK", "H08-H20").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache

from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.money import Side
from trading.deals._areas import DeliveryArea, PriceIndex
from trading.deals._deals import Deal, Leg, ProductKind
from trading.deals._errors import DealError
from trading.deals._legs import (
    CertificateTerms,
    Delivery,
    Direction,
    Fee,
    Fixed,
    Floating,
    Option,
)
from trading.deals._schedules import Schedule
from trading.deals._shapes import BASE
from trading.deals._structures import Structure
from trading.deals._volumes import Frequency, Lot, Profile, Volume

_ZERO, _ONE = Decimal(0), Decimal(1)


def directions(side: Side) -> tuple[Direction, Direction]:
    """Return the directions of what is bought and of what is paid for it."""
    bought = Direction.RECEIVE if side is Side.BUY else Direction.PAY
    return bought, bought.other


def _schedule(
    area: DeliveryArea, period: DatePeriod, volume: Volume | Profile, shape: str
) -> Schedule:
    if isinstance(volume, Volume):
        # 10 and 10.0 are equal, but each is shown as it was written.
        return _flat_schedule(area, period, volume, str(volume.quantity), shape)
    return Schedule(area, period, volume, area.shape(shape, on=period.first))


# Deals of a file, a strip or a day's screen share areas, periods and sizes. Profiles are left out:
# they are large, and seldom the same.
@lru_cache(maxsize=2048)
def _flat_schedule(
    area: DeliveryArea, period: DatePeriod, volume: Volume, written: str, shape: str
) -> Schedule:
    return Schedule(area, period, volume, area.shape(shape, on=period.first))


def _at_index(schedule: Schedule, index: PriceIndex) -> Schedule:
    """Return the schedule in the days and hours of the index's own area."""
    if index.area.code == schedule.area.code:
        return schedule
    if index.area.calendar == schedule.area.calendar:
        return replace(schedule, area=index.area)
    if isinstance(schedule.volume, Profile):
        raise DealError("index", f"{index.code} has other delivery days than the profile.")
    return _schedule(index.area, schedule.period, schedule.volume, schedule.shape.code)


def _floating(
    direction: Direction,
    schedule: Schedule,
    index: PriceIndex,
    spread: Decimal,
    multiplier: Decimal,
) -> Floating:
    return Floating(direction, _at_index(schedule, index), index, spread, multiplier)


def physical_forward(
    *,
    side: Side,
    area: DeliveryArea,
    period: DatePeriod,
    volume: Volume,
    price: Decimal,
    shape: str = "BASE",
    currency: str = "",
    fees: Sequence[Fee] = (),
) -> Deal:
    """Return delivery against a fixed price."""
    bought, paid = directions(side)
    schedule = _schedule(area, period, volume, shape)
    legs: tuple[Leg, ...] = (
        Delivery(bought, schedule),
        Fixed(paid, schedule, price, currency),
        *fees,
    )
    return Deal(ProductKind.PHYSICAL_FORWARD, side, legs)


def index_forward(
    *,
    side: Side,
    area: DeliveryArea,
    period: DatePeriod,
    volume: Volume,
    index: PriceIndex,
    spread: Decimal = _ZERO,
    multiplier: Decimal = _ONE,
    shape: str = "BASE",
    fees: Sequence[Fee] = (),
) -> Deal:
    """Return delivery against a published price."""
    bought, paid = directions(side)
    schedule = _schedule(area, period, volume, shape)
    priced = _floating(paid, schedule, index, spread, multiplier)
    return Deal(ProductKind.INDEX_FORWARD, side, (Delivery(bought, schedule), priced, *fees))


def profile_forward(
    *,
    side: Side,
    area: DeliveryArea,
    period: DatePeriod,
    profile: Profile,
    price: Decimal | None = None,
    currency: str = "",
    index: PriceIndex | None = None,
    spread: Decimal = _ZERO,
    multiplier: Decimal = _ONE,
    fees: Sequence[Fee] = (),
) -> Deal:
    """Return delivery of a power for each interval, at one price or a published one."""
    bought, paid = directions(side)
    schedule = Schedule(area, period, profile)
    priced = price_leg(paid, schedule, price, currency, index, spread, multiplier)
    return Deal(ProductKind.PROFILE_FORWARD, side, (Delivery(bought, schedule), priced, *fees))


def price_leg(
    paid: Direction,
    schedule: Schedule,
    price: Decimal | None,
    currency: str,
    index: PriceIndex | None,
    spread: Decimal,
    multiplier: Decimal,
) -> Fixed | Floating:
    if (price is None) is (index is None):
        raise DealError("price", "give a fixed price or an index, one of them.")
    if index is not None:
        return _floating(paid, schedule, index, spread, multiplier)
    if spread or multiplier != 1:
        raise DealError("spread", "belongs to an index, not to a fixed price.")
    assert price is not None
    return Fixed(paid, schedule, price, currency)


def settlement_index(area: DeliveryArea, mic: str) -> PriceIndex:
    """Return the exchange's own settlement price of an area, which its futures float on."""
    return PriceIndex(f"{mic}-{area.code}-SETTLE", area)


def future(
    *,
    side: Side,
    area: DeliveryArea,
    period: DatePeriod,
    lots: Decimal,
    price: Decimal,
    mic: str,
    clearing_account: str = "",
    lot: Lot | None = None,
    index: PriceIndex | None = None,
    shape: str = "BASE",
    currency: str = "",
    fees: Sequence[Fee] = (),
) -> Deal:
    """
    Return lots of an exchange's contract, settled in cash against its settlement price.

    lot     the area's if left out
    index   the exchange's settlement price if left out
    """
    return _financial(
        ProductKind.FUTURE, side, area, period, _lots(area, lots, lot), price, currency,
        index or settlement_index(area, mic), shape, fees, mic, clearing_account,
    )  # fmt: skip


def _lots(area: DeliveryArea, lots: Decimal, lot: Lot | None) -> Volume:
    size = lot or area.lot
    if size is None:
        raise DealError("lot_size", f"{area.code} has no lot; say its size.")
    return Volume.of_lots(lots, size)


def financial_forward(
    *,
    side: Side,
    area: DeliveryArea,
    period: DatePeriod,
    volume: Volume,
    price: Decimal,
    index: PriceIndex,
    shape: str = "BASE",
    currency: str = "",
    fees: Sequence[Fee] = (),
) -> Deal:
    """Return a forward that settles in cash: the buyer pays the price and gets the index."""
    return _financial(
        ProductKind.FINANCIAL_FORWARD, side, area, period, volume, price, currency, index, shape,
        fees,
    )  # fmt: skip


def fixed_float_swap(
    *,
    side: Side,
    area: DeliveryArea,
    period: DatePeriod,
    volume: Volume,
    price: Decimal,
    index: PriceIndex,
    shape: str = "BASE",
    currency: str = "",
    fees: Sequence[Fee] = (),
) -> Deal:
    """Return a swap: the buyer pays fixed and receives floating."""
    return _financial(
        ProductKind.SWAP, side, area, period, volume, price, currency, index, shape, fees
    )


def _financial(
    kind: ProductKind,
    side: Side,
    area: DeliveryArea,
    period: DatePeriod,
    volume: Volume,
    price: Decimal,
    currency: str,
    index: PriceIndex,
    shape: str,
    fees: Sequence[Fee],
    mic: str = "",
    clearing_account: str = "",
) -> Deal:
    bought, paid = directions(side)
    schedule = _schedule(area, period, volume, shape)
    legs: tuple[Leg, ...] = (
        _floating(bought, schedule, index, _ZERO, _ONE),
        Fixed(paid, schedule, price, currency),
        *fees,
    )
    return Deal(kind, side, legs, mic=mic, clearing_account=clearing_account)


def basis_swap(
    *,
    side: Side,
    area: DeliveryArea,
    period: DatePeriod,
    volume: Volume,
    receive_index: PriceIndex,
    pay_index: PriceIndex,
    spread: Decimal = _ZERO,
    shape: str = "BASE",
    fees: Sequence[Fee] = (),
) -> Deal:
    """
    Return a swap of two published prices; selling swaps the directions.

    spread      added to `pay_index`
    """
    if receive_index.code == pay_index.code:
        raise DealError("index", f"{pay_index.code} against itself is no basis.")
    bought, paid = directions(side)
    schedule = _schedule(area, period, volume, shape)
    legs: tuple[Leg, ...] = (
        _floating(bought, schedule, receive_index, _ZERO, _ONE),
        _floating(paid, schedule, pay_index, spread, _ONE),
        *fees,
    )
    return Deal(ProductKind.BASIS_SWAP, side, legs)


def certificate(
    *,
    side: Side,
    area: DeliveryArea,
    delivery: DatePeriod,
    price: Decimal,
    quantity: Decimal | None = None,
    lots: Decimal | None = None,
    vintage: int | None = None,
    registry: str = "",
    currency: str = "",
    fees: Sequence[Fee] = (),
) -> Deal:
    """
    Return whole certificates or allowances, delivered to a registry on a date.

    delivery    the date, or the month in which it lies
    quantity    in the area's price unit, whole; or `lots` of the area's lot
    """
    if area.commodity.flows:
        raise DealError("area", f"{area.code} is no market of certificates or allowances.")
    if (quantity is None) is (lots is None):
        raise DealError("quantity", "give a quantity or lots, one of them.")
    volume = (
        _lots(area, lots, None)
        if lots is not None
        else Volume(quantity or _ZERO, area.price_unit, Frequency.TOTAL)
    )
    if volume.frequency is not Frequency.TOTAL or volume.quantity % 1:
        raise DealError("quantity", f"{area.code} comes in a whole number of {area.price_unit}.")
    schedule = Schedule(area, delivery, volume, BASE)
    if len(schedule.parts) > 1:
        raise DealError("period", "certificates are delivered on a date, or in one month.")
    bought, paid = directions(side)
    terms = CertificateTerms(vintage, registry)
    legs: tuple[Leg, ...] = (
        Delivery(bought, schedule, certificate=terms),
        Fixed(paid, schedule, price, currency),
        *fees,
    )
    return Deal(ProductKind.CERTIFICATE, side, legs)


def structure(*, terms: Structure, fees: Sequence[Fee] = ()) -> Deal:
    """Return a contract with choices: bought if they are ours, sold if we granted them."""
    side = Side.BUY if terms.direction is Direction.RECEIVE else Side.SELL
    return Deal(ProductKind(terms.kind.value), side, (terms, *fees))


def option(*, terms: Option, fees: Sequence[Fee] = ()) -> Deal:
    """Return an option with its full terms: bought if we hold it, sold if we wrote it."""
    side = Side.BUY if terms.direction is Direction.RECEIVE else Side.SELL
    return Deal(ProductKind.OPTION, side, (terms, *fees))
