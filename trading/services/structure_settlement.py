"""
Pay delivered days of contracts with choices, and contract years of swing contracts, once each.

A delivered day is paid in cash at its fixings, once all are published; what a contract year is
short of its minimum, or made up for earlier ones, with its end. Both are an `OptionOutcome`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
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
    year_ends,
)
from trading.models import (
    YEAR_ENDS,
    OptionOutcome,
    OptionOutcomeKind,
    Trade,
    TradeStatus,
    TradeVersion,
)
from trading.queries.books import book_path
from trading.queries.option_prices import Fixings
from trading.queries.payments import Agreed
from trading.queries.valuation.structures import nominated_days

from .locks import server_time
from .nominations import structure_leg
from .trade_versions import lock_books

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_UNIT = Decimal("0.000001")
_NONE = Fraction(0)
_OPEN = (TradeStatus.LIVE, TradeStatus.MATURED)
Said = dict[date, tuple[Decimal, ...]]


@dataclass(frozen=True, slots=True)
class Settled:
    """
    What of a delivered day is paid: our cash is `sign` × paid; prices are means of the day.

    amount      what moved; 0 where nothing did, and then nothing is paid
    """

    amount: Fraction
    paid: Fraction
    prices: tuple[Fraction, ...]


_NOTHING = Settled(_NONE, _NONE, ())


@dataclass(frozen=True, slots=True)
class _Owed:
    """
    What a contract owes by an instant and has not paid.

    rows        what can be paid now, not written
    waits       whether a day that moved something still lacks a price
    """

    rows: tuple[OptionOutcome, ...]
    waits: bool


def settle_nominations(*, actor: Actor, as_of: datetime) -> int:
    """
    Settle what is over of contracts with choices: days whose prices are all published, and contract
    years; return how many.

    The same again changes nothing. Each trade has a transaction of its own.

    :raises PermissionMissing: for anybody but the system; the clock alone does this.
    """
    if not actor.is_system:
        raise PermissionMissing("trading.settle_nominations")
    held = Trade.objects.filter(product_kind__in=STRUCTURES, status__in=_OPEN).order_by("pk")
    settled = 0
    for trade in held:
        with transaction.atomic():
            settled += _settle(actor, trade.pk, as_of)
    return settled


def unsettled_structures(versions: Sequence[Any], as_of: datetime) -> set[int]:
    """Return the trades, of some latest versions, that have something over and not paid."""
    found = set()
    agreed = Agreed({version.counterparty_id for version in versions})
    for version in versions:
        owed = _owed(version, agreed, as_of, server_time(), "")
        if owed.rows or owed.waits:
            found.add(version.trade_id)
    return found


def _settle(actor: Actor, trade_id: int, as_of: datetime) -> int:
    lock_books([book_path(Trade.objects.values_list("book_id", flat=True).get(pk=trade_id))])
    trade = Trade.objects.select_for_update().get(pk=trade_id)
    if trade.status not in _OPEN:
        return 0  # somebody was here in the meantime
    version = TradeVersion.objects.select_related("market", "trade").get(
        trade=trade, version=trade.latest_version
    )
    made = _owed(version, Agreed([version.counterparty_id]), as_of, server_time(), actor.id).rows
    OptionOutcome.objects.bulk_create(made)
    for row in made:
        record_event(
            type=f"structure.{'settled' if row.kind not in YEAR_ENDS else row.kind.lower()}",
            actor=actor,
            aggregate_type="trade",
            aggregate_id=trade.ref,
            organization_id=trade.organization_id,
            key=f"book:{trade.book_id}",
            payload={
                "ref": trade.ref,
                "leg": row.leg,
                "start": row.start.isoformat(),
                "end": row.end.isoformat(),
                "prices": row.prices,
                "amount": f"{row.amount} {row.unit}",
                "cash": f"{row.cash} {row.currency}",
                "due_date": row.due_date.isoformat() if row.due_date else None,
            },
        )
    return len(made)


def _owed(version: Any, agreed: Agreed, as_of: datetime, at: datetime, by: str) -> _Owed:
    """
    Look what is over and not paid.

    at      of the records: nothing recorded later counts
    by      who pays it
    """
    number, leg = structure_leg(version)
    done = OptionOutcome.objects.filter(trade_id=version.trade_id, leg=number)
    paid_days = set(done.exclude(kind__in=YEAR_ENDS).values_list("start", flat=True))
    days = list(_delivered(leg, as_of))
    if not days:
        return _Owed((), waits=False)
    said: Said = dict(
        nominated_days([version.trade_id], as_of=as_of, known_at=at).get(
            (version.trade_id, number), {}
        )
    )
    common = {
        "trade": version.trade, "version": version, "leg": number, "currency": leg.currency,
        "unit": leg.schedule.area.price_unit, "actor_id": by, "recorded_at": at,
    }  # fmt: skip
    rows, waits = [], False
    waiting = [(day, whole) for day, whole in days if whole.start not in paid_days]
    fixings = []
    if waiting:
        span = Interval(waiting[0][1].start, waiting[-1][1].end)
        fixings = [Fixings.of(index.area.code, span, as_of, at) for index in leg.underlying]
    for day, whole in waiting:
        # As it is found at the very first hour it has not been started by the holder.
        before = said.get(day - _DAY, ())
        was_on = day == leg.schedule.period.first or bool(before and before[-1])
        found = settled_day(leg, whole, said.get(day), was_on, fixings)
        if found is None:
            waits = True
        elif found.amount:
            source = f"{' and '.join(index.code for index in leg.underlying)} of the day"[:120]
            cash = _cash(leg, found.paid)
            rows.append(
                OptionOutcome(
                    **common, start=whole.start, end=whole.end, decided_at=whole.end,
                    kind=OptionOutcomeKind.FIXED, source=source, cash=cash,
                    prices=[str(_rounded(price)) for price in found.prices],
                    amount=_rounded(found.amount), payoff=_rounded(found.paid / found.amount),
                    due_date=agreed.day(version, day) if cash else None,
                )
            )  # fmt: skip
    settled = list(done.filter(kind__in=YEAR_ENDS).values_list("start", "end"))
    for span, short in _years(leg, said, as_of):
        if not short or any(start < span.end and span.start < end for start, end in settled):
            continue
        strike = Fraction(leg.terms.strike) if isinstance(leg.terms, SwingTerms) else _NONE
        cash = _cash(leg, -short * strike)
        last = leg.schedule.area.calendar.date_of(span.end - _HOUR)
        rows.append(
            OptionOutcome(
                **common, start=span.start, end=span.end, decided_at=span.end,
                kind=OptionOutcomeKind.SHORTFALL if short > 0 else OptionOutcomeKind.MADE_UP,
                source="strike, for the contract year", prices=[str(_rounded(strike))],
                amount=_rounded(abs(short)), cash=cash,
                payoff=_rounded(-strike if short > 0 else strike),
                due_date=agreed.day(version, last) if cash else None,
            )
        )  # fmt: skip
    return _Owed(tuple(rows), waits)


def _years(leg: Structure, said: Said, as_of: datetime) -> Iterator[tuple[Interval, Fraction]]:
    """
    Return the contract years of a swing contract that are over, and how much each was short.

    Only where make-up is agreed has a shortfall a price; else the minimum must be taken, and a
    contract that did not is told by its value.
    """
    terms = leg.terms
    if not isinstance(terms, SwingTerms) or not terms.make_up:
        return
    calendar, silent = leg.schedule.area.calendar, (terms.daily_minimum,)
    spans, taken = [], []
    for first, after in pairwise((*leg.contract_years, leg.schedule.period.after)):
        span = Interval(calendar.day(first).start, calendar.day(after - _DAY).end)
        if span.end > as_of:
            break
        spans.append(span)
        days = (first + n * _DAY for n in range((after - first).days))
        taken.append(sum((Fraction(said.get(day, silent)[0]) for day in days), _NONE))
    for span, end in zip(spans, year_ends(terms, taken), strict=True):
        yield span, end.short


def _cash(leg: Structure, paid: Fraction) -> Decimal:
    return round_exact(
        leg.direction.sign * paid, quantum=minor_unit(leg.currency), rounding=Rounding.HALF_UP
    )


def _delivered(leg: Structure, as_of: datetime) -> Iterator[tuple[date, Interval]]:
    calendar, period = leg.schedule.area.calendar, leg.schedule.period
    day = period.first
    while day < period.after:
        whole = calendar.day(day)
        if whole.end > as_of:
            return
        yield day, whole
        day += _DAY


def settled_day(
    leg: Structure, whole: Interval, said: tuple[Decimal, ...] | None, was_on: bool,
    fixings: Sequence[Fixings],
) -> Settled | None:  # fmt: skip
    """
    Return what a day pays the holder, None while a price of what moved is missing.

    said    what was nominated of it, as `StructureNomination`; None where nothing was
    was_on  whether a plant ran in the hour before
    """
    terms = leg.terms
    if isinstance(terms, SwingTerms | StorageTerms):
        silent = terms.daily_minimum if isinstance(terms, SwingTerms) else Decimal(0)
        quantity = Fraction(said[0] if said else silent)
        price = fixings[0].mean(IntervalSet((whole,))) if quantity else None
        if price is None:
            return None if quantity else _NOTHING
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
    raise TypeError(f"{type(terms).__name__} has no rule for its days")


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
        return _NOTHING
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
    return Settled(energy, paid, (value / energy,)) if energy else _NOTHING


def _right_day(
    leg: Structure, terms: TransmissionTerms, whole: Interval, hours: Sequence[Interval],
    fixings: Sequence[Fixings],
) -> Settled | None:  # fmt: skip
    inside = shape_intervals(leg.schedule.area.calendar, leg.schedule.shape, whole)
    firm = Fraction(leg.most) * Fraction(terms.firmness) / 100
    paid, energy, sums = Fraction(0), Fraction(0), [Fraction(0)] * 2
    for hour in hours:
        if not any(part.start <= hour.start and hour.end <= part.end for part in inside):
            continue
        source, sink = (one.mean(IntervalSet((hour,))) for one in fixings)
        if source is None or sink is None:
            return None
        quantity, spread = firm, sink - source
        paid += quantity * (max(spread, Fraction(0)) if terms.form is RightForm.OPTION else spread)
        energy += quantity
        sums = [sums[0] + quantity * source, sums[1] + quantity * sink]
    if not energy:
        return _NOTHING
    return Settled(energy, paid, tuple(total / energy for total in sums))


def _rounded(value: Fraction) -> Decimal:
    return round_exact(value, quantum=_UNIT, rounding=Rounding.HALF_UP)
