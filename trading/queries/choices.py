"""What trades hold beside positions: legs that somebody chooses in, options and structures."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from trading.deals import STRUCTURES, Deal, Option, ProductKind, Structure
from trading.enums import Stage, TradeStatus
from trading.models import (
    InterestQuote,
    Leg,
    LegKind,
    PricingModel,
    StructureHedgeCheck,
    StructureValue,
    TradeEvent,
    TradeVersion,
    VolQuote,
)

from .deals import deals_of, proposed_deal_of
from .positions import (
    Position,
    difference,
    positions_of_trade,
    positions_of_version,
)

_OPTION, _PPA = ProductKind.OPTION.value, ProductKind.PPA.value
KINDS = frozenset({_OPTION, _PPA, *STRUCTURES})
# What an agreement delivers counts as long as its positions do; a right until it is decided.
_DELIVERS = ("LIVE", "NOVATED", "TERMINATED", "MATURED", "SETTLED")


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """
    A leg with choices, of a trade or of a deal that is not booked.

    trade_id, trade_ref, terms_id   None and empty of a deal; the version that has its terms
    number      of the leg, as outcomes and nominations name it
    count       +1; −1 of what a change takes away
    volume      what a floor or cap of a purchase agreement is on: the trade's positions with their
                delivery; None of all else
    """

    number: int
    leg: Option | Structure
    trade_id: int | None = None
    trade_ref: str = ""
    terms_id: int | None = None
    count: int = 1
    volume: tuple[Position, ...] | None = None

    @property
    def is_option(self) -> bool:
        return isinstance(self.leg, Option)

    def taken(self) -> Choice:
        """Return what takes it away."""
        return replace(self, count=-self.count)

    @property
    def key(self) -> tuple[object, ...] | None:
        """Return what tells booked choices apart; None of a deal, or where volume may differ."""
        if self.terms_id is None or self.volume is not None:
            return None
        return self.trade_id, self.terms_id, self.number


def choices_of_deal(deal: Deal, volume: Sequence[Position] = ()) -> list[Choice]:
    """
    Return the legs with choices of a deal that is not booked.

    volume      the positions that it would add, with their delivery
    """
    held = tuple(volume) if deal.kind.value == _PPA else None
    return [
        Choice(number, leg, volume=held)
        for number, leg in enumerate(deal.legs, start=1)
        if isinstance(leg, (Option, Structure))
    ]


def choices_of(
    book_ids: Iterable[UUID], *, stage: str = Stage.LIVE, cut: datetime | None = None
) -> list[Choice]:
    """
    Return what the trades of some books hold, in the order of trades.

    cut     their versions as recorded by then; None: the latest

    The queries do not grow with the trades, but with purchase agreements that have a bound.
    """
    return choices_in(Q(trade__book_id__in=list(book_ids)), stage=stage, cut=cut)


def choices_in(
    versions: Q, *, stage: str = Stage.LIVE, cut: datetime | None = None
) -> list[Choice]:
    """Return what versions of trades hold that a condition chooses, likewise."""
    version: Any = F("trade__latest_version")
    if cut is not None:
        known = TradeVersion.objects.filter(trade_id=OuterRef("trade_id"), recorded_at__lte=cut)
        version = Subquery(known.order_by("-version").values("version")[:1])
    latest = _with_choices().filter(versions, version=version)
    counts = Q(status=TradeStatus.PENDING) | Q(event=TradeEvent.PROPOSE)
    if stage == Stage.LIVE:
        counts = Q(status=TradeStatus.LIVE) | Q(product_kind=_PPA, status__in=_DELIVERS)
    return _of_versions(list(latest.filter(counts).order_by("trade_id")), stage)


def choices_of_trade(trade_id: int, *, stage: str = Stage.LIVE) -> list[Choice]:
    """Return what a trade holds as it is now; one query for one without choices."""
    versions = _with_choices().filter(trade_id=trade_id, version=F("trade__latest_version"))
    return _of_versions(list(versions), stage)


def choices_changed(
    after_id: int, before_id: int | None, *, stages: Collection[str] = tuple(Stage)
) -> dict[str, list[Choice]]:
    """
    Return by stage what the latest version of a trade changes: what is new, and what is gone.

    What both hold alike is left out. One query for a trade without choices.
    """
    rows = {row.pk: row for row in _with_choices().filter(pk__in=[after_id, before_id])}
    found: dict[str, list[Choice]] = {stage: [] for stage in stages}
    if not rows:
        return found
    after, before = rows.get(after_id), rows.get(before_id or 0)
    for stage in stages:
        new = _of_versions([after], stage) if after is not None else []
        old = []
        if before is not None:
            old = _of_versions([before], stage, without=after_id)
        same = {choice.key for choice in new} & {choice.key for choice in old} - {None}
        found[stage] = [one for one in new if one.key not in same]
        found[stage] += [one.taken() for one in old if one.key not in same]
    return found


def facts_beside_curves() -> list[str]:
    """Return marks that change with what choices are valued on beside curves and prices."""
    found = [
        f"{model.__name__} {model._default_manager.aggregate(latest=Max('pk'))['latest']}"
        for model in (VolQuote, InterestQuote, StructureValue, StructureHedgeCheck)
    ]
    return [*found, f"models {PricingModel.objects.aggregate(latest=Max('decided_at'))['latest']}"]


def _with_choices() -> QuerySet[TradeVersion]:
    # An agreement without a bound has no choices; its terms are long, so they are not read.
    bounded = Leg.objects.filter(
        version_id=Coalesce(OuterRef("terms_id"), OuterRef("pk")), kind=LegKind.OPTION
    )
    proposed = Leg.objects.filter(version_id=OuterRef("pk"), kind=LegKind.OPTION)
    return (
        TradeVersion.objects.filter(
            Q(product_kind__in=[_OPTION, *STRUCTURES])
            | Q(product_kind=_PPA) & (Exists(bounded) | Exists(proposed))
        )
        .select_related("trade")
        .only(*_READ_OF_VERSION)
    )


def _of_versions(
    versions: Sequence[TradeVersion], stage: str, *, without: int | None = None
) -> list[Choice]:
    """
    Return what versions hold in a stage.

    without     a version whose positions do not count yet
    """
    held = [one for one in versions if _counts(one, stage)]
    found: list[Choice] = []
    for version, legs in zip(held, _legs_of(held), strict=True):
        found += _booked(version, legs, version.terms_version_id, stage, without)
    if stage == Stage.PENDING:
        for version in versions:
            if version.event == TradeEvent.PROPOSE:
                found += _proposed(version)
    return found


def _counts(version: TradeVersion, stage: str) -> bool:
    if stage == Stage.PENDING:
        return version.status == TradeStatus.PENDING
    if version.product_kind == _PPA:
        return version.status in _DELIVERS
    return version.status == TradeStatus.LIVE


def _proposed(version: TradeVersion) -> list[Choice]:
    """Return what a proposal would hold, less what holds until it is decided."""
    whole: tuple[Position, ...] = ()
    if version.product_kind == _PPA:
        held = positions_of_trade(version.trade_id)
        reserved = positions_of_trade(version.trade_id, stage=Stage.PENDING)
        whole = tuple(difference(held, [p.negated() for p in reserved]))
    proposed = choices_of_deal(proposed_deal_of(version))
    new = _booked(version, proposed, version.pk, Stage.PENDING, None, whole)
    old = _of_versions([version], Stage.LIVE)
    return [*new, *(choice.taken() for choice in old)]


# A version is read for its terms; what it was checked by and said is long.
_READ_OF_VERSION = (
    "terms_id", "version", "status", "event", "product_kind", "side", "mic", "clearing_account",
    "trade__ref", "trade__package_id",
)  # fmt: skip
# Terms of a version never change: read once a process, as long as they are among the latest.
_READ: OrderedDict[int, list[Choice]] = OrderedDict()
_KEPT = 8192


def _legs_of(versions: Sequence[TradeVersion]) -> list[list[Choice]]:
    """Return the legs with choices of versions in their order; the terms of new ones are read."""
    ids = [one.terms_version_id for one in versions]
    found = {at: _READ[at] for at in ids if at in _READ}
    new = [one for one, at in zip(versions, ids, strict=True) if at not in found]
    if new:
        for version, deal in zip(new, deals_of(new), strict=True):
            found[version.terms_version_id] = _READ[version.terms_version_id] = choices_of_deal(
                deal
            )
    while len(_READ) > _KEPT:
        _READ.popitem(last=False)
    return [found[at] for at in ids]


def _booked(
    version: TradeVersion, legs: Sequence[Choice], terms_id: int, stage: str, without: int | None,
    volume: tuple[Position, ...] | None = None,
) -> list[Choice]:  # fmt: skip
    if volume is None and version.product_kind == _PPA and legs:
        volume = tuple(positions_of_trade(version.trade_id, stage=stage))
        if without is not None:
            later = positions_of_version(without, stage=stage, with_physical=True)
            volume = tuple(difference(volume, later))
    return [
        replace(
            choice, trade_id=version.trade_id, trade_ref=version.trade.ref, terms_id=terms_id,
            volume=volume if version.product_kind == _PPA else None,
        )
        for choice in legs
    ]  # fmt: skip
