"""
Deltas of options and contracts with choices as positions add them: by delivery month, of a run.

They are stored with the latest valuation run, so they are as old as it is; what ended since is
left out, and what was traded or changed since is counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from trading.deals import STRUCTURES, ProductKind
from trading.models import (
    Book,
    Leg,
    LegKind,
    Market,
    OptionGreek,
    StructureValue,
    TradeEvent,
    TradeVersion,
    ValuationRun,
)

from .grid_columns import Column

_PLACES = Decimal("0.000001")
_DAY = timedelta(days=1)
_ENDS = frozenset(
    {TradeEvent.EXERCISE, TradeEvent.EXPIRE, TradeEvent.CANCEL, TradeEvent.TERMINATE,
     TradeEvent.NOVATE}
)  # fmt: skip
_CHANGES = _ENDS | {
    TradeEvent.CAPTURE, TradeEvent.RELEASE, TradeEvent.AMEND, TradeEvent.APPROVE,
    TradeEvent.CORRECT,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class MonthDelta:
    """
    What options and choices of a book add to a delivery month: `delta` in `unit`, bought +.

    month   first day, in the market's calendar; a delta has no hours within it
    """

    book_id: UUID
    market_id: int
    unit: str
    month: date
    delta: Decimal


@dataclass(frozen=True, slots=True)
class DeltaBasis:
    """
    What deltas are of.

    runs        the latest valuation, one an organization; of a past moment that recorded by then
    ended       trades that were exercised, expired or ended since, which are left out
    changed     how many were traded or changed since; their deltas come with the next run
    """

    books: frozenset[UUID]
    runs: tuple[ValuationRun, ...]
    ended: frozenset[int]
    changed: int

    def old(self, now: datetime, *, cut: datetime | None = None) -> list[ValuationRun]:
        """Return the runs of more than a day ago; of a past moment, recorded a day before it."""
        if cut is not None:
            return [run for run in self.runs if cut - run.recorded_at > _DAY]
        return [run for run in self.runs if now - run.as_of > _DAY]

    @property
    def unvalued(self) -> int:
        """Return how many trades the runs have no value of, whatever they are."""
        return sum(run.unvalued for run in self.runs)


@dataclass(frozen=True, slots=True)
class Deltas:
    """Deltas of some books and months, and what they are of."""

    basis: DeltaBasis
    lines: tuple[MonthDelta, ...]


def latest_runs(books: Collection[UUID], *, cut: datetime | None = None) -> list[ValuationRun]:
    """Return the latest valuation of the books' organizations, or that recorded by an instant."""
    organizations = Book.objects.filter(pk__in=books).values("organization_id")
    rows = ValuationRun.objects.filter(organization_id__in=organizations)
    if cut is not None:
        rows = rows.filter(recorded_at__lte=cut)
    latest = rows.select_related("organization").order_by("organization_id", "-as_of", "-id")
    return list(latest.distinct("organization_id"))


def delta_basis(books: Iterable[UUID], *, cut: datetime | None = None) -> DeltaBasis:
    """Return what the deltas of some books are of; two queries."""
    books = frozenset(books)
    runs = latest_runs(books, cut=cut)
    if not runs:
        return DeltaBasis(books, (), frozenset(), 0)
    since = Q()
    for run in runs:
        since |= Q(trade__organization_id=run.organization_id, recorded_at__gt=run.known_at)
    bounded = Leg.objects.filter(
        version_id=Coalesce(OuterRef("terms_id"), OuterRef("pk")), kind=LegKind.OPTION
    )
    rows = TradeVersion.objects.filter(since, book_id__in=books, event__in=_CHANGES).filter(
        Q(product_kind__in={*STRUCTURES, ProductKind.OPTION.value})
        | Q(product_kind=ProductKind.PPA.value) & Exists(bounded)
    )
    if cut is not None:
        rows = rows.filter(recorded_at__lte=cut)
    found = list(
        rows.exclude(status__in=("DRAFT", "PENDING"))
        .order_by("trade_id", "-version")
        .distinct("trade_id")
        .values_list("trade_id", "event")
    )
    ended = frozenset(trade_id for trade_id, event in found if event in _ENDS)
    return DeltaBasis(books, tuple(runs), ended, len(found) - len(ended))


def month_deltas(
    books: Iterable[UUID], *, columns: Sequence[Column], cut: datetime | None = None
) -> Deltas:
    """
    Return what options and choices of some books add in the months of the columns.

    At most five queries; a book, market, unit and month is there once.
    """
    basis = delta_basis(books, cut=cut)
    first, after = columns[0].first.replace(day=1), columns[-1].after
    sums: dict[tuple[UUID, int, str, date], Decimal] = defaultdict(Decimal)
    by = ("trade__book_id", "market_id", "unit", "month")
    greeks = _greeks(basis).filter(month__gte=first, month__lt=after)
    for *key, delta in greeks.values_list(*by).annotate(sum=Sum("delta")):
        sums[tuple(key)] += delta
    hedges = [
        (book_id, row)
        for book_id, _, rows in _hedges(basis)
        for row in rows
        if first <= date.fromisoformat(row["month"]) < after
    ]
    markets = _market_ids({row["market"] for _, row in hedges})
    for book_id, row in hedges:
        month = date.fromisoformat(row["month"])
        sums[book_id, markets[row["market"]], row["unit"], month] += hedge_delta(row)
    found = (MonthDelta(*key, delta) for key, delta in sorted(sums.items()) if delta)
    return Deltas(basis, tuple(found))


def trade_deltas(
    basis: DeltaBasis, *, market: Market, unit: str, months: Collection[date]
) -> dict[int, Decimal]:
    """Return what each option and choice adds to some months of a market; two queries."""
    sums: dict[int, Decimal] = defaultdict(Decimal)
    greeks = _greeks(basis).filter(market=market, unit=unit, month__in=months)
    for trade_id, delta in greeks.values_list("trade_id").annotate(sum=Sum("delta")):
        sums[trade_id] += delta
    wanted = {month.isoformat() for month in months}
    for _, trade_id, rows in _hedges(basis):
        for row in rows:
            if (row["market"], row["unit"]) == (market.code, unit) and row["month"] in wanted:
                sums[trade_id] += hedge_delta(row)
    return {trade_id: delta for trade_id, delta in sums.items() if delta}


def _greeks(basis: DeltaBasis) -> QuerySet[OptionGreek]:
    rows = OptionGreek.objects.filter(run__in=basis.runs, trade__book_id__in=basis.books)
    return rows.exclude(trade_id__in=basis.ended).order_by()


def _hedges(basis: DeltaBasis) -> list[tuple[UUID, int, list[dict[str, Any]]]]:
    """Return the hedges of contracts with choices with book and trade; without their plans."""
    rows = StructureValue.objects.filter(run__in=basis.runs, trade__book_id__in=basis.books)
    kept = rows.exclude(trade_id__in=basis.ended)
    return list(kept.order_by("trade_id", "leg").values_list("trade__book_id", "trade_id", "hedge"))


def hedge_delta(row: dict[str, Any]) -> Decimal:
    """Return the delta of a row of `trading.models.StructureValue.hedge`, to six places."""
    return Decimal(repr(row["delta"])).quantize(_PLACES)


def _market_ids(codes: Collection[str]) -> dict[str, int]:
    if not codes:
        return {}
    return dict(Market.objects.filter(code__in=codes).values_list("code", "pk"))
