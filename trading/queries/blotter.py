"""The blotter's rows, now and as of a past instant: the same model from another source."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import (
    Case,
    Count,
    DecimalField,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    When,
)
from django.db.models.sql.datastructures import BaseTable

from energyopti.accounts.actors import Actor
from trading.models import BlotterRow, Book

from .books import book_ids, chosen_books
from .exchange import Rates, Reported, reported
from .positions import positions_of_trades
from .valued import value_positions


class _RowsAt(BaseTable):
    """`trading_blotter_and_replaced(cut)` in the place of the table, for all that reads it."""

    def __init__(self, table_name: str, alias: str, cut: datetime) -> None:
        super().__init__(table_name, alias)
        self.cut = cut

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, list[Any]]:
        name = compiler.quote_name_unless_alias(self.table_alias)
        return f"trading_blotter_and_replaced(%s) {name}", [self.cut]

    def relabeled_clone(self, change_map: Mapping[str, str]) -> "_RowsAt":
        alias = change_map.get(self.table_alias, self.table_alias)
        return _RowsAt(self.table_name, alias, self.cut)

    @property
    def identity(self) -> tuple[Any, ...]:
        return (*super().identity, self.cut)


def blotter_rows(
    actor: Actor, *, book: UUID | str | None = None, cut: datetime | None = None
) -> QuerySet[Any]:
    """
    Return one row a trade in the actor's books, with what a line of the blotter shows.

    book    one of them, with those below it; None for all
    cut     as recorded by that instant: `services.as_of.settle_books` is called before; tags,
            basis and the codes of what is named are as they are now
    """
    rows = BlotterRow.objects.filter(book_id__in=chosen_books(actor, book))
    if cut is not None:
        rows = rows.filter(recorded_at__lte=cut)
        query = rows.query
        alias = query.get_initial_alias()
        query.alias_map[alias] = _RowsAt(query.alias_map[alias].table_name, alias, cut)
    return rows


@dataclass(frozen=True, slots=True)
class SelectionSums:
    """
    What some trades add up to; bought +, sold −. Cancelled trades and drafts are left out.

    counted     how many were added, of `selected`
    mw          of those that are a power
    notionals   (currency, amount)
    values      (currency, mark-to-market) of what has a curve; None where it was not asked for
    reported    notionals and values in the books' currency at the spot, where they are in others
                and the books report in one
    """

    selected: int
    counted: int
    mw: Decimal
    energy_mwh: Decimal
    notionals: tuple[tuple[str, Decimal], ...]
    values: tuple[tuple[str, float], ...] | None = None
    unvalued: int = 0
    reported: tuple[tuple[str, Reported], ...] = ()


def selection_sums(
    actor: Actor,
    trade_ids: Collection[int],
    *,
    valued_at: datetime | None = None,
    spot_at: datetime | None = None,
) -> SelectionSums:
    """
    Add up some of the actor's trades, exact; two queries, and four more for the value.

    spot_at     of the exchange rates by which other currencies than the books' are added, one
                query each; None leaves them apart
    """
    mine = BlotterRow.objects.filter(book_id__in=book_ids(actor), trade_id__in=list(trade_ids))
    counts = mine.exclude(status__in=("CANCELLED", "DRAFT"))
    selected = mine.count()
    rows = list(
        counts.values("currency", reporting=F("book__reporting_currency"))
        .annotate(
            n=Count("pk"), mw=_signed("quantity_mw"), mwh=_signed("energy_mwh"),
            amount=_signed("notional"),
        )
        .order_by("currency", "reporting")
    )  # fmt: skip
    notionals: dict[str, Decimal] = {}
    for row in rows:
        amount = row["amount"] or Decimal(0)
        notionals[row["currency"]] = notionals.get(row["currency"], Decimal(0)) + amount
    sums = SelectionSums(
        selected=selected,
        counted=sum(row["n"] for row in rows),
        mw=sum((row["mw"] or Decimal(0) for row in rows), Decimal(0)),
        energy_mwh=sum((row["mwh"] or Decimal(0) for row in rows), Decimal(0)),
        notionals=tuple(notionals.items()),
    )
    currencies = {row["reporting"] for row in rows}
    said: list[tuple[str, Reported | None]] = []
    if spot_at is not None and len(currencies) == 1:
        (currency,), rates = currencies, Rates(spot_at)
        said.append(("Notional", reported(sums.notionals, currency, rates)))
    if valued_at is None:
        return replace(sums, reported=_known(said))
    held = positions_of_trades(list(mine.values_list("trade_id", flat=True)))
    valued = value_positions(held, valued_at=valued_at)
    if said:
        said.append(("Mark-to-market", reported(valued.values, currency, rates)))
    return replace(sums, values=valued.values, unvalued=valued.unvalued, reported=_known(said))


def _known(said: Iterable[tuple[str, Reported | None]]) -> tuple[tuple[str, Reported], ...]:
    return tuple((what, one) for what, one in said if one is not None)


def _signed(name: str) -> Sum:
    return Sum(
        Case(
            When(side="SELL", then=-F(name)),
            default=F(name),
            output_field=DecimalField(max_digits=40, decimal_places=6),
        )
    )


def latest_changes(books: Iterable[UUID]) -> dict[UUID, datetime]:
    """Return when each book's latest version was recorded; books without trades are absent."""
    latest = (
        BlotterRow.objects.filter(book_id=OuterRef("pk"))
        .order_by("-recorded_at")
        .values("recorded_at")[:1]
    )
    rows = Book.objects.filter(pk__in=list(books)).annotate(latest=Subquery(latest))
    return {
        pk: at
        for pk, at in rows.order_by("pk").values_list("pk", "latest")
        if at is not None
    }  # fmt: skip


def changed_since(known: Mapping[UUID, datetime | None]) -> Q:
    """Return the rows that were written after what a reader knows of each of some books."""
    changed = Q(pk__in=[])
    for book_id, at in known.items():
        changed |= Q(book_id=book_id) if at is None else Q(book_id=book_id, recorded_at__gt=at)
    return changed
