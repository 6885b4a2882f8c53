"""What books are worth at a day's close, realised and unrealised, by what they hold."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, F, Q, QuerySet, Sum

from trading.models import PnlReport, ProductKind, TradeValue

DIMENSIONS = {
    "book": "book__code",
    "product": "product_kind",
    "counterparty": "counterparty__code",
    "currency": "currency",
}


@dataclass(frozen=True, slots=True)
class ValuePart:
    """
    The value of one book, product, counterparty or currency in one currency, undiscounted.

    realised            delivered, and fees; since the deals began
    unrealised          still to come, at the mark
    *_reporting         the same in the books' reporting currency, which sums never mix
    trades, unvalued    how many, and of them those whose number is not the whole of their value
    """

    name: str
    label: str
    currency: str
    realised: Decimal
    unrealised: Decimal
    fees: Decimal
    reporting_currency: str
    realised_reporting: Decimal
    unrealised_reporting: Decimal
    trades: int
    unvalued: int


def part_label(dimension: str, name: str) -> str:
    """Return a value of a dimension as people read it: a kind of product in words."""
    return str(ProductKind(name).label) if dimension == "product" else name


def values_at_close(reports: Iterable[PnlReport]) -> QuerySet[TradeValue]:
    """Return the stored values that some reports close with, of each book in its own run."""
    books: dict[int, list[UUID]] = defaultdict(list)
    for report in reports:
        books[report.closing_id].append(report.book_id)
    chosen = Q(pk__in=[])
    for run_id, book_ids in books.items():
        chosen |= Q(run_id=run_id, book_id__in=book_ids)
    return TradeValue.objects.filter(chosen)


def value_parts(reports: Iterable[PnlReport], dimension: str) -> list[ValuePart]:
    """
    Return the value at the close by one dimension and currency, by name; one query.

    :raises KeyError: for a dimension that is not in `DIMENSIONS`.
    """
    amounts = ("realised", "unrealised", "fees", "realised_reporting", "unrealised_reporting")
    rows = (
        values_at_close(reports)
        .order_by()
        .values("reporting_currency", of=F(DIMENSIONS[dimension]), own=F("currency"))
        .annotate(
            trades=Count("trade_id", distinct=True),
            unvalued=Count("trade_id", distinct=True, filter=Q(is_valued=False)),
            **{f"sum_{name}": Sum(name) for name in amounts},
        )
        .order_by("of", "own", "reporting_currency")
    )
    return [
        ValuePart(
            name=row["of"],
            label=part_label(dimension, row["of"]),
            currency=row["own"],
            reporting_currency=row["reporting_currency"],
            trades=row["trades"],
            unvalued=row["unvalued"],
            **{name: row[f"sum_{name}"] for name in amounts},
        )
        for row in rows
    ]
