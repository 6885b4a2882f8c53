"""
True trades on an asset's output up: what was delivered counts as it was metered.

The terms stay as agreed. A version METER holds the difference in positions, so that values, risk
and reads of the past follow from it; a meter's correction is the next such version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import F

from energyopti.accounts.actors import Actor
from trading.checks import CHANGE_STEPS
from trading.deals import ASSET_KINDS, Deal, DealError, deltas_with, metered_share
from trading.models import Market, Trade, TradeEvent, TradeStatus, TradeVersion
from trading.queries.deals import deal_of, deals_of
from trading.queries.metering import Meters, NoMeter, months_json, said_until, true_ups
from trading.queries.positions import Position, difference, positions_of_trade, proposed_positions
from trading.queries.proposals import TradeInvalid

from .capture import Receipt
from .changes import ForeignOrganization
from .life import TRANSITIONS, check_words, may_follow
from .trade_sides import Side, add, change
from .trade_versions import add_version, lock_trades

_STATUSES = sorted({str(status) for status, event in TRANSITIONS if event == TradeEvent.METER})


@dataclass(frozen=True, slots=True)
class Refused:
    """A trade that could not be trued up, and why."""

    ref: str
    words: str


@dataclass(frozen=True, slots=True)
class TruedUp:
    """
    What an organization's meters changed.

    looked_at   trades on an asset's output with something delivered
    changed     of these, given another version
    unmetered   whose asset has no metering point; their expected volume holds
    """

    looked_at: int
    changed: int
    unmetered: int
    refused: tuple[Refused, ...]


def true_up_trade(
    *, actor: Actor, ref: str, expected_version: int, received_at: datetime, reason: str = ""
) -> Receipt:
    """
    Let a trade's deliveries until now count as they were metered; nothing new is no version.

    Intervals without a reading keep what is expected of them. The sides of an internal deal
    change together.

    :raises PermissionMissing: without `trading.amend_trade`.
    :raises TradeInvalid: for a deal whose volume is fixed, an asset without a metering point, and
        readings of another sort, of another market or in another unit.
    :raises UnknownTrade, StaleVersion, TransitionForbidden: as every verb.
    """
    actor.require("trading.amend_trade")
    check_words(reason=reason)

    def true_up(side: Side, _: int) -> Receipt:
        trade = side.trade
        deal = deal_of(side.held)
        if metered_share(deal) is None or trade.pk in _never_delivered([trade.pk]):
            raise TradeInvalid("volume", f"of {trade.ref} is fixed by its terms, not by a meter.")
        done = true_ups([trade.pk]).get(trade.pk)
        until = received_at if done is None else max(received_at, done.until)
        meters = Meters([(trade.organization_id, deal)], until=until)
        try:
            found = _found(side.held, deal, meters, until)
        except DealError as error:
            raise TradeInvalid(error.field, error.rule) from error
        if not found.moved:
            return Receipt(trade.ref, trade.pk, False, (), side.held.version, trade.status)
        return add(
            side, TradeEvent.METER, TradeStatus(trade.status), actor, until,
            positions=found.positions, reason=reason or found.words, payload=found.payload,
        )  # fmt: skip

    return change(actor, ref, expected_version, TradeEvent.METER, true_up)


def true_up_trades(*, actor: Actor, organization_id: UUID, as_of: datetime) -> TruedUp:
    """
    Do the same for all trades of an organization: deliveries that ended by an instant.

    What was trued up to a later instant before stays so. Each trade has a transaction of its own,
    with the other side of an internal deal; one that cannot be is told, and holds up no other.
    Meters and plants are read once, in three queries; each trade costs a few more.

    :raises PermissionMissing: without `trading.run_end_of_day`.
    :raises ForeignOrganization: for one that is not the actor's.
    """
    actor.require("trading.run_end_of_day")
    if organization_id not in actor.organization_ids:
        raise ForeignOrganization("organization: there is no such organization for you.")
    CHANGE_STEPS.verify()
    versions = list(
        TradeVersion.objects.filter(
            version=F("trade__latest_version"),
            trade__organization_id=organization_id,
            trade__status__in=_STATUSES,
            product_kind__in=[kind.value for kind in ASSET_KINDS],
            delivery_start__lt=as_of,
        )
        .select_related("trade")
        .order_by("trade_id")
    )
    gone = _never_delivered([version.trade_id for version in versions])
    deals = {
        version.trade_id: (version, deal)
        for version, deal in zip(versions, deals_of(versions), strict=True)
        if metered_share(deal) is not None and version.trade_id not in gone
    }
    done = true_ups(list(deals))
    until = {pk: max(as_of, done[pk].until) if pk in done else as_of for pk in deals}
    latest = max(until.values(), default=as_of)
    meters = Meters([(organization_id, deal) for _, deal in deals.values()], until=latest)
    moved: dict[int, _Found] = {}
    refused: list[Refused] = []
    unmetered = 0
    for pk, (version, deal) in deals.items():
        try:
            found = _found(version, deal, meters, until[pk])
        except NoMeter:
            unmetered += 1
            continue
        except DealError as error:
            refused.append(Refused(version.trade.ref, f"is not trued up: {error}"))
            continue
        if not found.moved:
            continue
        if not may_follow(version.trade.status, version.event, TradeEvent.METER):
            words = "is not trued up while an amendment waits."
            refused.append(Refused(version.trade.ref, words))
            continue
        moved[pk] = found
    changed = 0
    for pk in sorted(moved):
        sides = [pk, deals[pk][0].trade.mirror_id]
        if sides[1] is not None and sides[1] in moved and sides[1] < pk:
            continue  # with its other side, which came first
        both = [moved[side] for side in sides if side is not None and side in moved]
        changed += _write(actor, both, {found.version.trade_id: until[pk] for found in both})
    return TruedUp(len(deals), changed, unmetered, tuple(refused))


@dataclass(frozen=True, slots=True)
class _Found:
    """
    What a trade adds as it was metered, and how that differs from what it adds now.

    version     that holds, and has not changed as long as it is the latest
    """

    version: TradeVersion
    positions: Sequence[Position]
    moved: Sequence[Position]
    words: str
    payload: Mapping[str, object]


def _found(version: TradeVersion, deal: Deal, meters: Meters, until: datetime) -> _Found:
    months = meters.months(version.trade.organization_id, deal, version.market_id, until=until)
    deltas = deltas_with(deal, months)
    codes = {delta.market for delta in deltas}
    market_ids = dict(Market.objects.filter(code__in=codes).values_list("code", "id"))
    positions = proposed_positions(deltas, market_ids)
    moved = difference(positions, positions_of_trade(version.trade_id))
    changed = {position.month for position in moved}
    shown = [month for month in months if month.part.month in changed]
    words = f"metered until {said_until(until)}"
    return _Found(
        version, positions, moved, words,
        {"metered_until": until.isoformat(), "metered": months_json(shown)},
    )  # fmt: skip


def _write(actor: Actor, found: Sequence[_Found], until: Mapping[int, datetime]) -> int:
    """Add the versions of a trade, or of both sides of an internal deal; none if one has moved."""
    with transaction.atomic():
        paths = lock_trades(one.version.trade_id for one in found)
        ids = sorted(paths)
        rows = {row.pk: row for row in Trade.objects.select_for_update().filter(pk__in=ids)}
        if any(rows[o.version.trade_id].latest_version != o.version.version for o in found):
            return 0  # somebody changed it in the meantime; the next run sees what holds then
        for one in found:
            trade = rows[one.version.trade_id]
            one.version.trade = trade
            add_version(
                trade=trade, before=one.version, event=TradeEvent.METER, status=trade.status,
                actor=actor, book_path=paths[trade.pk], effective_at=until[trade.pk],
                positions=one.positions, reason=one.words, payload=one.payload,
            )  # fmt: skip
    return len(found)


def _never_delivered(trade_ids: Sequence[int]) -> set[int]:
    """Return those that were ended or handed over before any delivery; they add nothing."""
    ended = TradeVersion.objects.filter(
        trade_id__in=trade_ids, event__in=(TradeEvent.NOVATE, TradeEvent.TERMINATE),
        effective_at__lte=F("delivery_start"),
    )  # fmt: skip
    return set(ended.values_list("trade_id", flat=True))
