"""Verbs on several trades at once: all of them, or none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from energyopti.accounts.actors import Actor
from trading.models import Trade
from trading.queries.trades import UnknownTrade, trade_by_ref

from .capture import Receipt
from .lifecycle import cancel_trade, reject_trade, release_trade
from .trade_versions import lock_trades


@dataclass(frozen=True, slots=True)
class Seen:
    """A trade and the version of it that the caller has seen."""

    ref: str
    version: int


def cancel_trades(
    *, actor: Actor, trades: Sequence[Seen], received_at: datetime, reason: str
) -> list[Receipt]:
    """
    Cancel several trades; the first that cannot be leaves all as they were.

    The other side of an internal deal is cancelled with its mirror, also if both are named.

    :raises PermissionMissing, TradeInvalid, UnknownTrade, StaleVersion, TransitionForbidden: as
        `cancel_trade`.
    """
    return _each(
        trades,
        lambda seen: cancel_trade(
            actor=actor, ref=seen.ref, expected_version=seen.version, received_at=received_at,
            reason=reason,
        ),
    )  # fmt: skip


def release_trades(
    *, actor: Actor, trades: Sequence[Seen], received_at: datetime, reason: str = ""
) -> list[Receipt]:
    """
    Let several pending trades go live; the first that cannot leaves all as they were.

    :raises PermissionMissing, UnknownTrade, StaleVersion, TransitionForbidden, SecondPersonNeeded,
        TradeStopped, ReasonNeeded: as `release_trade`.
    """
    return _each(
        trades,
        lambda seen: release_trade(
            actor=actor, ref=seen.ref, expected_version=seen.version, received_at=received_at,
            reason=reason,
        ),
    )  # fmt: skip


class PackageChanged(ValueError):
    """The package has other waiting trades than those that the caller has seen."""


def release_package(
    *,
    actor: Actor,
    ref: str,
    trades: Sequence[Seen],
    received_at: datetime,
    reason: str = "",
    override_reason: str = "",
) -> list[Receipt]:
    """
    Let all waiting trades of a trade's package go live in one step: all of them, or none.

    trades  all that wait, as the caller has seen them

    :raises PackageChanged: if more of them wait by now, or others.
    :raises PermissionMissing, UnknownTrade, StaleVersion, TransitionForbidden, SecondPersonNeeded,
        TradeStopped, ReasonNeeded: as `release_trade`.
    """
    return _whole_package(
        actor, ref, trades,
        lambda seen: release_trade(
            actor=actor, ref=seen.ref, expected_version=seen.version, received_at=received_at,
            reason=reason, override_reason=override_reason,
        ),
    )  # fmt: skip


def reject_package(
    *, actor: Actor, ref: str, trades: Sequence[Seen], received_at: datetime, reason: str
) -> list[Receipt]:
    """
    Send all waiting trades of a trade's package back as drafts: all of them, or none.

    :raises PackageChanged: as `release_package`.
    :raises PermissionMissing, UnknownTrade, StaleVersion, TransitionForbidden, TradeInvalid: as
        `reject_trade`.
    """
    return _whole_package(
        actor, ref, trades,
        lambda seen: reject_trade(
            actor=actor, ref=seen.ref, expected_version=seen.version, received_at=received_at,
            reason=reason,
        ),
    )  # fmt: skip


@transaction.atomic
def _whole_package(
    actor: Actor, ref: str, trades: Sequence[Seen], verb: Callable[[Seen], Receipt]
) -> list[Receipt]:
    actor.require("trading.release_trade")
    one = trade_by_ref(actor, ref).trade
    # Whoever changes a trade of the package waits for this one, and is seen or sees it.
    waiting = (
        Trade.objects.filter(
            organization_id=one.organization_id, package_id=one.package_id, status="PENDING"
        )
        if one.package_id
        else Trade.objects.none()
    )
    lock_trades(waiting.values_list("id", flat=True))
    refs = set(waiting.values_list("ref", flat=True))
    if not refs or refs != {seen.ref for seen in trades}:
        raise PackageChanged(
            f"package: {one.package_id or 'none'} has other trades that wait than you have seen."
        )
    return _each(trades, verb)


@transaction.atomic
def _each(trades: Sequence[Seen], verb: Callable[[Seen], Receipt]) -> list[Receipt]:
    refs = [seen.ref for seen in trades]
    found = {trade.ref: trade for trade in Trade.objects.filter(ref__in=refs)}
    if len(found) != len(set(refs)):
        raise UnknownTrade("trade: there is no such trade for you.")
    mirrors = {trade.mirror_id for trade in found.values() if trade.mirror_id}
    # All locks at once: taken trade by trade, two callers could wait for each other in a circle.
    lock_trades({trade.pk for trade in found.values()} | mirrors)
    done: set[int] = set()
    receipts = []
    for seen in trades:
        if found[seen.ref].pk in done:
            continue
        receipts.append(verb(seen))
        done |= {found[seen.ref].pk, found[seen.ref].mirror_id or 0}
    return receipts
