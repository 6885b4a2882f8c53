"""What options and choices move by: Greeks by book and delivery month, of the latest run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Sum

from trading.models import OptionGreek, StructureValue, ValuationRun

from .month_deltas import hedge_delta, latest_runs

_SUMS = ("delta", "gamma", "vega", "theta")


@dataclass(frozen=True, slots=True)
class OptionPosition:
    """
    The Greeks of a book's options in a month, as `trading.models.OptionGreek`; books apart.

    trades      how many options it is of
    """

    book: str
    market: str
    month: date
    shape: str
    unit: str
    currency: str
    trades: int
    delta: Decimal
    gamma: Decimal
    vega: Decimal
    theta: Decimal

    @property
    def hedge(self) -> Decimal:
        """Return what to trade of the month so that its price moves nothing: bought +, sold −."""
        return -self.delta


@dataclass(frozen=True, slots=True)
class ChoicePosition:
    """What a book's contracts with choices gain with the price of a month: delta in `unit`."""

    book: str
    market: str
    month: date
    unit: str
    trades: int
    delta: Decimal

    @property
    def hedge(self) -> Decimal:
        """Return what to trade of the month so that its price moves nothing: bought +, sold −."""
        return -self.delta


@dataclass(frozen=True)
class OptionPositions:
    """Lines by book, market and month, and the runs that they are of, one an organization."""

    runs: tuple[ValuationRun, ...]
    lines: tuple[OptionPosition, ...]
    choices: tuple[ChoicePosition, ...]


def option_positions(book_ids: Collection[UUID]) -> OptionPositions:
    """Return the Greeks of books by the latest run of their organizations; three queries."""
    runs = latest_runs(book_ids)
    rows = (
        OptionGreek.objects.filter(run__in=runs, trade__book_id__in=book_ids)
        .values("trade__book__code", "market__code", "month", "shape", "unit", "currency")
        .annotate(
            trades=Count("trade_id", distinct=True),
            **{f"sum_{name}": Sum(name) for name in _SUMS},
        )
        .order_by("trade__book__code", "market__code", "month", "shape", "currency")
    )
    return OptionPositions(
        tuple(runs),
        tuple(
            OptionPosition(
                row["trade__book__code"], row["market__code"], row["month"], row["shape"],
                row["unit"], row["currency"], row["trades"], *(row[f"sum_{n}"] for n in _SUMS),
            )
            for row in rows
        ),
        _choices(runs, book_ids),
    )  # fmt: skip


def _choices(
    runs: Collection[ValuationRun], book_ids: Collection[UUID]
) -> tuple[ChoicePosition, ...]:
    rows = StructureValue.objects.filter(run__in=runs, trade__book_id__in=book_ids)
    sums: dict[tuple[str, str, date, str], Decimal] = defaultdict(Decimal)
    trades: dict[tuple[str, str, date, str], set[int]] = defaultdict(set)
    for book, trade_id, hedge in rows.values_list("trade__book__code", "trade_id", "hedge"):
        for row in hedge:
            key = (book, row["market"], date.fromisoformat(row["month"]), row["unit"])
            sums[key] += hedge_delta(row)
            trades[key].add(trade_id)
    return tuple(ChoicePosition(*key, len(trades[key]), sums[key]) for key in sorted(sums))
