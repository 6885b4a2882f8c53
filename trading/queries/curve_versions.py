"""Versions of forward curves: as stored, as built again, and beside yesterday's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.db.models import QuerySet

from energyopti.accounts.actors import Actor

from ..models import CurveDefinition, CurveSnapshot, CurveVersion, Market
from .curve_building import BuiltCurve, known_curve
from .curve_terms import CurveTerms, NodeEdit

VIEW = "trading.view_quote"


class UnknownCurve(LookupError):
    """There is no such curve or version."""


@dataclass(frozen=True, slots=True)
class RebuildProof:
    """What a version's hash was, and what building it again from its cut gives."""

    stored: str
    rebuilt: str
    tzdata_then: str
    code_then: str

    @property
    def is_same(self) -> bool:
        return self.stored == self.rebuilt


def definitions(*, actor: Actor) -> QuerySet[CurveDefinition]:
    """
    Return how curves are made, by market.

    :raises PermissionMissing: without `trading.view_quote`, as all readers here.
    """
    actor.require(VIEW)
    return CurveDefinition.objects.select_related("market", "owner", "holiday_calendar").order_by(
        "market__code", "code"
    )


def definition_of(*, actor: Actor, market: str, code: str) -> CurveDefinition:
    """
    Return how a curve is made.

    :raises UnknownCurve: if there is none.
    """
    row = definitions(actor=actor).filter(market__code=market, code__iexact=code).first()
    if row is None:
        raise UnknownCurve(f"curve: {market} has no curve “{code}”.")
    return row


def version_of(*, actor: Actor, market: str, code: str, number: int) -> CurveVersion:
    """
    Return one version with its definition and snapshot.

    :raises UnknownCurve: if there is none.
    """
    actor.require(VIEW)
    row = (
        CurveVersion.objects.filter(
            definition__market__code=market, definition__code__iexact=code, number=number
        )
        .select_related("definition__market", "snapshot")
        .first()
    )
    if row is None:
        raise UnknownCurve(f"version: {market} {code} has no version {number}.")
    return row


def history_of(definition: CurveDefinition, *, limit: int = 50) -> Sequence[CurveVersion]:
    """Return the versions of a curve, the latest first."""
    return list(definition.versions.select_related("snapshot").order_by("-number")[:limit])


def prove(version: CurveVersion) -> RebuildProof:
    """Build a version again from its cut, and say whether it is the same."""
    snapshot = version.snapshot
    return RebuildProof(
        stored=snapshot.content_hash,
        rebuilt=rebuilt(snapshot).content_hash,
        tzdata_then=snapshot.tzdata,
        code_then=snapshot.code,
    )


def rebuilt(snapshot: CurveSnapshot) -> BuiltCurve:
    """
    Return a curve built again from the cut and the parameters that were stored with it.

    :raises NoCurve: if the quotes of the cut are gone, which they never should be.
    """
    market: Market = snapshot.market
    return known_curve(
        market,
        CurveTerms(**snapshot.parameters),
        as_of=snapshot.as_of,
        known_at=snapshot.known_at,
        edits=tuple(NodeEdit(**edit) for edit in snapshot.edits),
    )


@lru_cache(maxsize=8)
def stored_curve(snapshot_id: int, content_hash: str) -> BuiltCurve:
    """Return a stored curve, which never changes, built again; the hash tells databases apart."""
    return rebuilt(
        CurveSnapshot.objects.select_related("market").get(
            pk=snapshot_id, content_hash=content_hash
        )
    )


def published_before(definition: CurveDefinition, as_of: datetime) -> CurveVersion | None:
    """Return the version published last of an earlier time: yesterday's curve."""
    return (
        definition.versions.filter(published_at__isnull=False, snapshot__as_of__lt=as_of)
        .select_related("snapshot")
        .order_by("-snapshot__as_of", "-published_at", "-id")
        .first()
    )
