"""What a deal delivers and costs in all: exact until the one rounding of money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from energyopti.foundation.money import Money
from energyopti.foundation.units import Dimension, unit
from trading.deals._deals import Deal
from trading.deals._errors import DealError
from trading.deals._legs import Direction, Fee, FeeBasis, money_of
from trading.deals._numbers import decimal_of, rounded
from trading.deals._volumes import CERTIFICATE_UNIT, Profile, converted


@dataclass(frozen=True, slots=True)
class Totals:
    """
    The sum of a deal; nothing has a sign but cash.

    hours           of delivery; None for what comes in whole units
    volume, unit    in the contract's own unit of amount (MWh for MW); of a contract with choices
                    its size
    energy_mwh      None for what is no energy
    notional        volume × fixed price, rounded half up once; None where no leg is fixed
    average_price   volume-weighted fixed price per unit of it, to 6 decimals; None likewise
    fees, premiums  our cash, paid −, rounded once each, in the order of the legs
    """

    hours: Decimal | None
    volume: Decimal
    unit: str
    energy_mwh: Decimal | None
    notional: Money | None
    average_price: Decimal | None
    fees: tuple[Money, ...] = ()
    premiums: tuple[Money, ...] = ()


def deal_totals(deal: Deal) -> Totals:
    """Return the totals of one deal."""
    return package_totals((deal,))


def package_totals(deals: Sequence[Deal]) -> Totals:
    """
    Return the totals of deals together; the notional is summed exactly and rounded once.

    :raises DealError: if they are not in one unit and one currency, or there are none.
    """
    if not deals:
        raise DealError("package_id", "a package has at least one deal.")
    schedules = [deal.schedule for deal in deals]
    unit_ = schedules[0].amount_unit
    if any(schedule.amount_unit != unit_ for schedule in schedules):
        raise DealError("unit", "deals in different units have no volume together.")
    fixed = [leg for deal in deals for leg in deal.fixed_legs]
    if len({(leg.currency, leg.per) for leg in fixed}) > 1:
        raise DealError("currency", "deals at prices of different kinds have no notional together.")
    notional = average = None
    if fixed:
        priced = [leg.schedule.amount(leg.per) for leg in fixed]
        value = sum(
            (amount * Fraction(leg.price) for amount, leg in zip(priced, fixed, strict=True)),
            Fraction(0),
        )
        notional = money_of(value, fixed[0].currency)
        average = rounded(value / sum(priced, Fraction(0)), places=6)
    flows = schedules[0].area.commodity.flows
    volume = sum((_size(deal, unit_) for deal in deals), Fraction(0))
    return Totals(
        hours=decimal_of(sum((s.hours for s in schedules), Fraction(0))) if flows else None,
        volume=decimal_of(volume),
        unit=unit_,
        energy_mwh=_energy(deals),
        notional=notional,
        average_price=average,
        fees=tuple(fee_cash(deal, fee) for deal in deals for fee in deal.fees),
        premiums=tuple(leg.premium_cash for deal in deals for leg in deal.choices),
    )


def _energy(deals: Sequence[Deal]) -> Decimal | None:
    code = deals[0].schedule.amount_unit
    if code == CERTIFICATE_UNIT or unit(code).dimension is not Dimension.ENERGY:
        return None
    return decimal_of(sum((_size(deal, "MWh") for deal in deals), Fraction(0)))


def _size(deal: Deal, target: str) -> Fraction:
    """Return what a deal delivers, or may at most, in a unit."""
    schedule = deal.schedule
    if not deal.structures:
        return schedule.amount(target)
    amount = sum((leg.amount for leg in deal.structures), Fraction(0))
    return converted(amount, schedule.amount_unit, target, schedule.area.context)


def fee_cash(deal: Deal, fee: Fee) -> Money:
    """Return a fee as our cash, rounded half up once: paid −, a rebate +."""
    schedule = deal.schedule
    count = Fraction(1)
    if fee.basis is FeeBasis.PER_UNIT:
        count = schedule.amount(schedule.area.price_unit)
    elif fee.basis is FeeBasis.PER_LOT:
        volume = schedule.volume
        if isinstance(volume, Profile) or volume.lots is None:
            raise DealError("fee", "is per lot, and the deal is not in lots.")
        count = Fraction(volume.lots)
    amount = money_of(count * Fraction(fee.amount), fee.currency)
    return -amount if fee.direction is Direction.PAY else amount
