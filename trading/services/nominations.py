"""
Nominate days of contracts with choices, and settle them once their prices are published.

A nomination is a fact that is only added; the last one of a day holds, and none comes after the
day has begun. A delivered day is settled in cash at its fixings, once (`OptionOutcome`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.db import transaction

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.foundation.events.services import record_event
from energyopti.foundation.intervals import Interval, IntervalSet
from energyopti.foundation.money import Rounding, minor_unit, round_exact
from trading.deals import (
    STRUCTURES,
    BatteryTerms,
    RightForm,
    StorageTerms,
    Structure,
    SwingTerms,
    TollingTerms,
    TransmissionTerms,
    shape_intervals,
)
from trading.models import (
    OptionOutcome,
    OptionOutcomeKind,
    StructureNomination,
    Trade,
    TradeStatus,
    TradeVersion,
)
from trading.queries.books import book_path
from trading.queries.deals import deal_of
from trading.queries.option_prices import Fixings
from trading.queries.payments import Agreed
from trading.queries.proposals import TradeInvalid
from trading.queries.trade_page import may_deal_in
from trading.queries.trades import UnknownTrade, trade_by_ref
from trading.queries.valuation.structures import DAILY, nominated_days, structure_holding

from .locks import server_time
from .trade_versions import lock_books

NOMINATE = "trading.nominate_structure"
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_UNIT = Decimal("0.000001")
_PLACES = 3


@dataclass(frozen=True, slots=True)
class Settled:
    """What of a delivered day is paid: our cash is `sign` × paid; prices are means of the day."""

    amount: Fraction
    paid: Fraction
    prices: tuple[Fraction, ...]


def nominate_structure(
    *, actor: Actor, ref: str, day: date, quantities: Sequence[Decimal], received_at: datetime
) -> StructureNomination:
    """
    Say what is taken, injected, withdrawn or made on a delivery day that has not begun.

    quantities  one of the day: taken or withdrawn +, injected −, in the contract's unit; of a
                plant the MW of each hour, 23 to 25

    :raises PermissionMissing: without `trading.nominate_structure`.
    :raises UnknownTrade: for a trade in no book that the actor deals in.
    :raises TradeInvalid: naming the field and the rule: another product or status, a day beyond
        the delivery or begun, or quantities that break the terms with what was nominated so far.
    """
    from trading.valuation import NOMINATED, PlanRefused, check_nominations, seconds

    actor.require(NOMINATE)
    version = trade_by_ref(actor, ref)
    if not may_deal_in(actor, version):
        raise UnknownTrade("trade: there is no such trade for you.")
    with transaction.atomic():
        trades = _locked(version.trade)
        held = TradeVersion.objects.select_related("market", "trade").get(
            trade_id=version.trade_id, version=trades[version.trade_id].latest_version
        )
        number, leg = _structure(held)
        if leg.kind not in NOMINATED:
            raise TradeInvalid("trade", f"{leg.kind.value.replace('_', ' ').lower()} has no days"
                               " that are nominated.")  # fmt: skip
        if held.trade.status != TradeStatus.LIVE:
            raise TradeInvalid("trade", "is not live.")
        whole = _day_of(leg, day)
        if whole.start <= received_at:
            raise TradeInvalid("day", f"{day} has begun; nominations closed with its start.")
        count = 1 if leg.kind in DAILY else int(whole.duration / _HOUR)
        _check(quantities, count)
        at = server_time()
        said = nominated_days([held.trade_id], as_of=received_at, known_at=at)
        days = {**said.get((held.trade_id, number), {}), day: tuple(quantities)}
        try:
            check_nominations(structure_holding(0, leg, (), days), seconds(received_at))
        except PlanRefused as error:
            raise TradeInvalid("quantities", str(error)) from error
        made = None
        for trade_id, trade in trades.items():
            row = StructureNomination.objects.create(
                trade_id=trade_id,
                version=TradeVersion.objects.get(trade_id=trade_id, version=trade.latest_version),
                leg=number, day=day, quantities=[str(one) for one in quantities],
                nominated_at=received_at, actor_id=actor.id, recorded_at=at,
            )  # fmt: skip
            record_event(
                type="structure.nominated",
                actor=actor,
                aggregate_type="trade",
                aggregate_id=trade.ref,
                organization_id=trade.organization_id,
                key=f"book:{trade.book_id}",
                payload={
                    "ref": trade.ref,
                    "leg": number,
                    "day": day.isoformat(),
                    "quantities": row.quantities,
                },
            )
            made = row if trade_id == held.trade_id else made
    assert made is not None
    return made


def _locked(trade: Trade) -> dict[int, Trade]:
    """Lock a trade, and the other side of an internal deal, with their books."""
    ids = [trade.pk, *([trade.mirror_id] if trade.mirror_id is not None else [])]
    books = Trade.objects.filter(pk__in=ids).values_list("book_id", flat=True)
    lock_books([book_path(book_id) for book_id in books])
    return {row.pk: row for row in Trade.objects.select_for_update().filter(pk__in=sorted(ids))}


def _structure(version: Any) -> tuple[int, Structure]:
    if version.product_kind in STRUCTURES:
        for number, leg in enumerate(deal_of(version).legs, start=1):
            if isinstance(leg, Structure):
                return number, leg
    raise TradeInvalid("trade", "is no contract with choices.")


def _day_of(leg: Structure, day: date) -> Interval:
    period = leg.schedule.period
    if not period.first <= day < period.after:
        raise TradeInvalid("day", f"{day} is not from {period.first} to {period.after - _DAY}.")
    return leg.schedule.area.calendar.day(day)


def _check(quantities: Sequence[Decimal], count: int) -> None:
    if len(quantities) != count:
        wanted = "one number" if count == 1 else f"{count} numbers, one an hour"
        raise TradeInvalid("quantities", f"are {wanted}, not {len(quantities)}.")
    for n, one in enumerate(quantities):
        exponent = one.as_tuple().exponent
        if not one.is_finite() or not isinstance(exponent, int) or exponent < -_PLACES:
            raise TradeInvalid(f"quantities[{n}]", f"{one} has more than {_PLACES} decimals.")


def settle_nominations(*, actor: Actor, as_of: datetime) -> int:
    """
    Settle delivered days of contracts with choices whose prices are all published; return how many.

    The same again changes nothing. Each trade has a transaction of its own.

    :raises PermissionMissing: for anybody but the system; the clock alone does this.
    """
    if not actor.is_system:
        raise PermissionMissing("trading.settle_nominations")
    held = Trade.objects.filter(
        product_kind__in=STRUCTURES, status__in=(TradeStatus.LIVE, TradeStatus.MATURED)
    ).order_by("pk")
    settled = 0
    for trade in held:
        with transaction.atomic():
            settled += _settle(actor, trade.pk, as_of)
    return settled


def _settle(actor: Actor, trade_id: int, as_of: datetime) -> int:
    lock_books([book_path(Trade.objects.values_list("book_id", flat=True).get(pk=trade_id))])
    trade = Trade.objects.select_for_update().get(pk=trade_id)
    version = TradeVersion.objects.select_related("market", "trade").get(
        trade=trade, version=trade.latest_version
    )
    number, leg = _structure(version)
    at = server_time()
    days = list(_delivered(leg, as_of))
    done = set(
        OptionOutcome.objects.filter(trade=trade, leg=number).values_list("start", flat=True)
    )
    waiting = [(day, whole) for day, whole in days if whole.start not in done]
    if not waiting:
        return 0
    said = nominated_days([trade_id], as_of=as_of, known_at=at).get((trade_id, number), {})
    span = Interval(waiting[0][1].start, waiting[-1][1].end)
    fixings = [Fixings.of(index.area.code, span, as_of, at) for index in leg.underlying]
    agreed = Agreed([version.counterparty_id])
    made = []
    for day, whole in waiting:
        before = said.get(day - _DAY, ())
        found = _paid(leg, whole, said.get(day), bool(before and before[-1]), fixings)
        if found is None or not found.amount:
            continue
        cash = round_exact(
            leg.direction.sign * found.paid, quantum=minor_unit(leg.currency),
            rounding=Rounding.HALF_UP,
        )  # fmt: skip
        made.append(
            OptionOutcome(
                trade=trade, version=version, leg=number, start=whole.start, end=whole.end,
                kind=OptionOutcomeKind.FIXED, decided_at=whole.end,
                prices=[str(_rounded(price)) for price in found.prices],
                source=f"{' and '.join(index.code for index in leg.underlying)} of the day"[:120],
                amount=_rounded(found.amount), unit=leg.schedule.area.price_unit,
                payoff=_rounded(found.paid / found.amount), cash=cash, currency=leg.currency,
                due_date=agreed.day(version, day) if cash else None, actor_id=actor.id,
                recorded_at=at,
            )
        )  # fmt: skip
    OptionOutcome.objects.bulk_create(made)
    for row in made:
        record_event(
            type="structure.settled",
            actor=actor,
            aggregate_type="trade",
            aggregate_id=trade.ref,
            organization_id=trade.organization_id,
            key=f"book:{trade.book_id}",
            payload={
                "ref": trade.ref,
                "leg": number,
                "start": row.start.isoformat(),
                "end": row.end.isoformat(),
                "prices": row.prices,
                "amount": f"{row.amount} {row.unit}",
                "cash": f"{row.cash} {row.currency}",
                "due_date": row.due_date.isoformat() if row.due_date else None,
            },
        )
    return len(made)


def _delivered(leg: Structure, as_of: datetime) -> Iterator[tuple[date, Interval]]:
    calendar, period = leg.schedule.area.calendar, leg.schedule.period
    day = period.first
    while day < period.after:
        whole = calendar.day(day)
        if whole.end > as_of:
            return
        yield day, whole
        day += _DAY


def _paid(
    leg: Structure, whole: Interval, said: tuple[Decimal, ...] | None, was_on: bool,
    fixings: Sequence[Fixings],
) -> Settled | None:  # fmt: skip
    """Return what a day pays the holder, None while a price is missing or nothing moved."""
    terms = leg.terms
    if isinstance(terms, SwingTerms | StorageTerms):
        silent = terms.daily_minimum if isinstance(terms, SwingTerms) else Decimal(0)
        quantity = Fraction(said[0] if said else silent)
        price = fixings[0].mean(IntervalSet((whole,)))
        if not quantity or price is None:
            return None
        if isinstance(terms, SwingTerms):
            paid = quantity * (price - Fraction(terms.strike))
        elif quantity > 0:
            burnt = 1 - Fraction(terms.withdrawal_fuel) / 100
            paid = quantity * (price * burnt - Fraction(terms.withdrawal_cost))
        else:
            burnt = 1 + Fraction(terms.injection_fuel) / 100
            paid = quantity * (price * burnt + Fraction(terms.injection_cost))
        return Settled(abs(quantity), paid, (price,))
    hours = [
        Interval(whole.start + n * _HOUR, whole.start + (n + 1) * _HOUR)
        for n in range(int(whole.duration / _HOUR))
    ]
    if isinstance(terms, TollingTerms):
        return _plant_day(terms, hours, said or (), was_on, fixings)
    if isinstance(terms, BatteryTerms):
        return _battery_day(terms, hours, said or (), fixings[0])
    if isinstance(terms, TransmissionTerms):
        return _right_day(leg, terms, whole, hours, fixings)
    return None


def _plant_day(
    terms: TollingTerms, hours: Sequence[Interval], said: Sequence[Decimal], was_on: bool,
    fixings: Sequence[Fixings],
) -> Settled | None:  # fmt: skip
    paid, energy, sums, on = Fraction(0), Fraction(0), [Fraction(0)] * len(fixings), was_on
    for hour, quantity in zip(hours, map(Fraction, said), strict=False):
        if quantity:
            prices = [one.mean(IntervalSet((hour,))) for one in fixings]
            known = [price for price in prices if price is not None]
            if len(known) < len(prices):
                return None
            fuel = known[1] + Fraction(terms.fuel_addon)
            if len(known) > 2:
                fuel += known[2] * Fraction(terms.carbon_intensity)
            burnt = quantity * Fraction(terms.heat_rate)
            if not on:
                burnt += Fraction(terms.start_fuel)
                paid -= Fraction(terms.start_cost)
            paid += quantity * (known[0] - Fraction(terms.output_cost)) - burnt * fuel
            energy += quantity
            sums = [total + quantity * price for total, price in zip(sums, known, strict=True)]
        on = quantity > 0
    if not energy:
        return None
    return Settled(energy, paid, tuple(total / energy for total in sums))


def _battery_day(
    terms: BatteryTerms, hours: Sequence[Interval], said: Sequence[Decimal], fixings: Fixings
) -> Settled | None:
    paid, energy, value = Fraction(0), Fraction(0), Fraction(0)
    for hour, quantity in zip(hours, map(Fraction, said), strict=False):
        if quantity:
            price = fixings.mean(IntervalSet((hour,)))
            if price is None:
                return None
            paid += quantity * price - max(quantity, Fraction(0)) * Fraction(terms.cycle_cost)
            energy, value = energy + abs(quantity), value + abs(quantity) * price
    return Settled(energy, paid, (value / energy,)) if energy else None


def _right_day(
    leg: Structure, terms: TransmissionTerms, whole: Interval, hours: Sequence[Interval],
    fixings: Sequence[Fixings],
) -> Settled | None:  # fmt: skip
    inside = shape_intervals(leg.schedule.area.calendar, leg.schedule.shape, whole)
    quantity = Fraction(leg.most) * Fraction(terms.firmness) / 100
    paid, energy, sums = Fraction(0), Fraction(0), [Fraction(0)] * 2
    for hour in hours:
        if not any(part.start <= hour.start and hour.end <= part.end for part in inside):
            continue
        source, sink = (one.mean(IntervalSet((hour,))) for one in fixings)
        if source is None or sink is None:
            return None
        spread = sink - source
        paid += quantity * (max(spread, Fraction(0)) if terms.form is RightForm.OPTION else spread)
        energy += quantity
        sums = [sums[0] + quantity * source, sums[1] + quantity * sink]
    if not energy:
        return None
    return Settled(energy, paid, tuple(total / energy for total in sums))


def _rounded(value: Fraction) -> Decimal:
    return round_exact(value, quantum=_UNIT, rounding=Rounding.HALF_UP)
