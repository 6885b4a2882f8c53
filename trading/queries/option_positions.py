"""What options add to positions: their deltas by book and delivery month, of the latest run."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Sum

from trading.models import Book, OptionGreek, ValuationRun

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


@dataclass(frozen=True)
class OptionPositions:
    """Lines by book, market and month, and the runs that they are of, one an organization."""

    runs: tuple[ValuationRun, ...]
    lines: tuple[OptionPosition, ...]


def option_positions(book_ids: Collection[UUID]) -> OptionPositions:
    """Return the Greeks of books' options by the latest run of their organizations; two queries."""
    organizations = Book.objects.filter(pk__in=book_ids).values("organization_id")
    runs = list(
        ValuationRun.objects.filter(organization_id__in=organizations)
        .order_by("organization_id", "-as_of", "-id")
        .distinct("organization_id")
    )
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
    )  # fmt: skip
