"""Products: constructors that make the legs of a deal, and refuse bad terms by field.

Where a price is given, buying receives the commodity (or its floating price) and pays the
price. All arguments are keywords; `shape` is a code of the area ("PEAK", "H08-H20").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.money import Side
from trading.deals._areas import DeliveryArea, PriceIndex
from trading.deals._deals import Deal, ProductKind, mirrored
from trading.deals._errors import DealError
from trading.deals._legs import (
    AssetShare,
    CertificateTerms,
    Delivery,
    Direction,
    Fee,
    FeeBasis,
    Fixed,
    Floating,
    Leg,
    Option,
    OptionStyle,
    OptionType,
    check_name,
)
from trading.deals._schedules import Schedule
from trading.deals._shapes import BASE
from trading.deals._volumes import MICRO, Frequency, Lot, Profile, Volume

_ZERO, _ONE = Decimal(0), Decimal(1)


def _directions(side: Side) -> tuple[Direction, Direction]:
    """Return the directions of what is bought and of what is paid for it."""
    bought = Direction.RECEIVE if side is Side.BUY else Direction.PAY
    return bought, bought.other


def _schedule(
    area: DeliveryArea, period: DatePeriod, volume: Volume | Profile, shape: str
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
    bought, paid = _directions(side)
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
    bought, paid = _directions(side)
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
    bought, paid = _directions(side)
    schedule = Schedule(area, period, profile)
    priced = _price_leg(paid, schedule, price, currency, index, spread, multiplier)
    return Deal(ProductKind.PROFILE_FORWARD, side, (Delivery(bought, schedule), priced, *fees))


def _price_leg(
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
    bought, paid = _directions(side)
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
    bought, paid = _directions(side)
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
    bought, paid = _directions(side)
    terms = CertificateTerms(vintage, registry)
    legs: tuple[Leg, ...] = (
        Delivery(bought, schedule, certificate=terms),
        Fixed(paid, schedule, price, currency),
        *fees,
    )
    return Deal(ProductKind.CERTIFICATE, side, legs)


@dataclass(frozen=True, slots=True)
class GeneratingAsset:
    """
    A plant whose output is sold as generated, with what is expected of it.

    capacity_factors    of January to December, 0 to 1, at most 6 decimals
    """

    asset_id: str
    area: DeliveryArea
    installed_mw: Decimal
    capacity_factors: tuple[Decimal, ...]

    def __post_init__(self) -> None:
        if len(self.capacity_factors) != 12 or not all(0 <= f <= 1 for f in self.capacity_factors):
            raise DealError("capacity_factors", "are twelve numbers from 0 to 1.")

    def share(self, contracted_mw: Decimal) -> AssetShare:
        """Return a part of the plant, in MW of what is installed."""
        return AssetShare(self.asset_id, self.installed_mw, contracted_mw)

    def expected(self, period: DatePeriod, contracted_mw: Decimal, *, minutes: int = 60) -> Profile:
        """Return the expected output of a part of the plant, each month flat, to the watt."""
        import numpy as np

        calendar, pieces, first = self.area.calendar, [], period.first
        while first < period.after:
            month_end = min(DatePeriod.months(first.year, first.month).after, period.after)
            count = calendar.span(DatePeriod(first, month_end)).hours * 60 / minutes
            if count.denominator != 1:
                raise DealError("minutes", f"{first:%Y-%m} is no whole number of {minutes} min.")
            factor = self.capacity_factors[first.month - 1]
            power = round(Fraction(contracted_mw) * Fraction(factor) * MICRO)
            pieces.append(np.full(int(count), power, dtype=np.int64))
            first = month_end
        return Profile(minutes, np.concatenate(pieces))


def asset_share(
    *,
    side: Side,
    area: DeliveryArea,
    period: DatePeriod,
    asset: AssetShare,
    expected: Profile | Volume,
    price: Decimal | None = None,
    currency: str = "",
    index: PriceIndex | None = None,
    spread: Decimal = _ZERO,
    multiplier: Decimal = _ONE,
    fees: Sequence[Fee] = (),
) -> Deal:
    """Return a share of what an asset generates, at a fixed or a published price."""
    bought, paid = _directions(side)
    schedule = Schedule(area, period, expected)
    priced = _price_leg(paid, schedule, price, currency, index, spread, multiplier)
    legs: tuple[Leg, ...] = (Delivery(bought, schedule, asset), priced, *fees)
    return Deal(ProductKind.AS_GENERATED, side, legs)


def ppa(
    *,
    side: Side,
    area: DeliveryArea,
    period: DatePeriod,
    asset: AssetShare,
    expected: Profile | Volume,
    price: Decimal | None = None,
    currency: str = "",
    index: PriceIndex | None = None,
    spread: Decimal = _ZERO,
    multiplier: Decimal = _ONE,
    floor: Decimal | None = None,
    cap: Decimal | None = None,
    fees: Sequence[Fee] = (),
) -> Deal:
    """
    Return a power purchase agreement: an asset's output at a fixed price, or at an index.

    floor, cap      bounds of the index price, in its currency: the buyer has written the floor
                    and holds the cap; both are option legs, settled period by period
    """
    shared = asset_share(
        side=side, area=area, period=period, asset=asset, expected=expected, price=price,
        currency=currency, index=index, spread=spread, multiplier=multiplier,
    )  # fmt: skip
    bounds: list[Leg] = []
    if floor is not None or cap is not None:
        if index is None:
            raise DealError(
                "floor" if floor is not None else "cap", "bounds an index, not a price."
            )
        if floor is not None and cap is not None and floor > cap:
            raise DealError("floor", f"{floor} is above the cap of {cap}.")
        bought, paid = _directions(side)
        schedule = shared.schedule
        bounds = [
            Option(
                direction, schedule, OptionStyle.EUROPEAN, kind, (index,), (strike,),
                expiry=schedule.interval.end, currency=index.currency,
            )
            for direction, kind, strike in (
                (paid, OptionType.FLOOR, floor), (bought, OptionType.CAP, cap),
            )
            if strike is not None
        ]  # fmt: skip
    return replace(shared, kind=ProductKind.PPA, legs=(*shared.legs, *bounds, *fees))


def option(*, terms: Option, fees: Sequence[Fee] = ()) -> Deal:
    """Return an option with its full terms: bought if we hold it, sold if we wrote it."""
    side = Side.BUY if terms.direction is Direction.RECEIVE else Side.SELL
    return Deal(ProductKind.OPTION, side, (terms, *fees))


def package(deals: Sequence[Deal], package_id: str) -> tuple[Deal, ...]:
    """
    Return deals as one package.

    :raises DealError: for an empty package, or one of another package.
    """
    check_name("package_id", package_id)
    if not deals:
        raise DealError("package_id", "a package has at least one deal.")
    for deal in deals:
        if deal.package_id not in ("", package_id):
            raise DealError("package_id", f"a deal is in package {deal.package_id} already.")
    return tuple(replace(deal, package_id=package_id) for deal in deals)


def strip(deal: Deal, package_id: str, *, months: int = 1) -> tuple[Deal, ...]:
    """
    Return a deal as a package of deals of so many delivery months each; together they are it.

    Months are counted from the first of the deal's first month. A share of an asset keeps its
    share, a profile is cut.

    :raises DealError: for a total, a flat fee or an option, which have no rule to be cut by.
    """
    if months < 1:
        raise DealError("months", f"{months} is no number of months.")
    whole = deal.schedule.period
    periods, first = [], whole.first
    while first < whole.after:
        after = min(DatePeriod.months(first.year, first.month, months).after, whole.after)
        periods.append(DatePeriod(first, after))
        first = after
    pieces = [
        replace(deal, legs=tuple(_cut(leg, period) for leg in deal.legs)) for period in periods
    ]
    return package(pieces, package_id)


def cut(deal: Deal, period: DatePeriod) -> Deal:
    """
    Return what a deal is about in a part of its period; flat fees stay with the whole.

    :raises DealError: for a period outside the deal's, a total, a part of a month's volume, or
        an option, which have no rule to be cut by.
    """
    whole = deal.schedule.period
    if not whole.first <= period.first < period.after <= whole.after:
        raise DealError("period", f"{period.first} to {period.after} is not within the deal.")
    if period == whole:
        return deal
    kept = [leg for leg in deal.legs if not (isinstance(leg, Fee) and leg.basis is FeeBasis.FLAT)]
    return replace(deal, legs=tuple(_cut(leg, period) for leg in kept))


def _cut(leg: Leg, period: DatePeriod) -> Leg:
    if isinstance(leg, Option):
        raise DealError("option", "has one exercise for all of it and cannot be cut.")
    if isinstance(leg, Fee):
        if leg.basis is FeeBasis.FLAT:
            raise DealError("fee", "is flat; give it to one deal of the package.")
        return leg
    schedule = leg.schedule
    volume = schedule.volume
    if isinstance(volume, Profile):
        calendar, minutes = schedule.area.calendar, volume.minutes
        origin, part = schedule.interval.start, calendar.span(period)
        start = int((part.start - origin).total_seconds()) // (60 * minutes)
        stop = int((part.end - origin).total_seconds()) // (60 * minutes)
        volume = volume.part(start, stop)
    elif volume.frequency is Frequency.TOTAL:
        raise DealError("volume", "a total has no rate to be cut by; give MW, a day or a month.")
    return replace(leg, schedule=replace(schedule, period=period, volume=volume))


def mirror(deal: Deal, package_id: str) -> tuple[Deal, Deal]:
    """
    Return an internal deal as two that cancel exactly: ours and the other book's.

    :raises DealError: if it has fees; between two books of one company nobody is paid them.
    """
    if deal.fees:
        raise DealError("fee", "an internal deal pays no broker, exchange or clearing house.")
    first, second = package((deal, mirrored(deal)), package_id)
    return first, second
