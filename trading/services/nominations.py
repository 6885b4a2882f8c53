"""
Nominate days of contracts with choices; `structure_settlement` pays what was delivered.

A nomination is a fact that is only added; the last one of a day holds, and none comes after the
day has begun.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.intervals import Interval
from trading.deals import (
    STRUCTURES,
    Structure,
)
from trading.models import (
    StructureNomination,
    Trade,
    TradeStatus,
    TradeVersion,
)
from trading.queries.deals import deal_of
from trading.queries.proposals import TradeInvalid
from trading.queries.trade_page import may_deal_in
from trading.queries.trades import UnknownTrade, trade_by_ref
from trading.queries.valuation.structures import DAILY, nominated_days, structure_holding

from .locks import server_time
from .trade_versions import lock_trades

NOMINATE = "trading.nominate_structure"
_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_PLACES = 3
Days = Mapping[date, tuple[Decimal, ...]]


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

    def said(leg: Structure, whole: Interval, _: Days) -> tuple[Decimal, ...]:
        _check(quantities, 1 if leg.kind in DAILY else int(whole.duration / _HOUR))
        return tuple(quantities)

    return _say(actor, ref, day, received_at, "structure.nominated", said)


def withdraw_nomination(
    *, actor: Actor, ref: str, day: date, received_at: datetime
) -> StructureNomination:
    """
    Take back what was said of a delivery day that has not begun: it counts as silent again.

    :raises PermissionMissing, UnknownTrade: as `nominate_structure`.
    :raises TradeInvalid: likewise; and for a day of which nothing was said.
    """

    def nothing(_: Structure, __: Interval, days: Days) -> tuple[Decimal, ...]:
        if day not in days:
            raise TradeInvalid("day", f"of {day} nothing is nominated.")
        return ()

    return _say(actor, ref, day, received_at, "structure.nomination_withdrawn", nothing)


def _say(
    actor: Actor, ref: str, day: date, received_at: datetime, event: str,
    word: Callable[[Structure, Interval, Days], tuple[Decimal, ...]],
) -> StructureNomination:  # fmt: skip
    """Add the last word on a day, once it is known to keep the terms with all others."""
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
        number, leg = structure_leg(held)
        if leg.kind not in NOMINATED:
            raise TradeInvalid("trade", f"{leg.kind.value.replace('_', ' ').lower()} has no days"
                               " that are nominated.")  # fmt: skip
        if held.trade.status != TradeStatus.LIVE:
            raise TradeInvalid("trade", "is not live.")
        whole = _day_of(leg, day)
        if whole.start <= received_at:
            raise TradeInvalid("day", f"{day} has begun; nominations closed with its start.")
        at = server_time()
        said = nominated_days([held.trade_id], as_of=received_at, known_at=at)
        days = dict(said.get((held.trade_id, number), {}))
        quantities = word(leg, whole, days)
        days.pop(day, None)
        if quantities:
            days[day] = quantities
        try:
            check_nominations(structure_holding(0, leg, (), days), seconds(received_at))
        except PlanRefused as error:
            raise TradeInvalid("quantities" if quantities else "day", str(error)) from error
        made = None
        for trade_id, trade in trades.items():
            row = StructureNomination.objects.create(
                trade_id=trade_id,
                version=TradeVersion.objects.get(trade_id=trade_id, version=trade.latest_version),
                leg=number, day=day, quantities=[str(one) for one in quantities],
                nominated_at=received_at, actor_id=actor.id, recorded_at=at,
            )  # fmt: skip
            record_event(
                type=event,
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
    lock_trades(ids)
    return {row.pk: row for row in Trade.objects.select_for_update().filter(pk__in=sorted(ids))}


def structure_leg(version: Any) -> tuple[int, Structure]:
    """
    Return the number and terms of a trade's contract with choices.

    :raises TradeInvalid: for another product.
    """
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
