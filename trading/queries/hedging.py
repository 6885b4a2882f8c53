"""Open volume against hedge targets: by book with those below it, market and delivery month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import F

from trading.deals import ProductKind
from trading.hedging import HedgeFigures, HedgeTerms
from trading.models import Book, HedgeTarget, Market

from .grid_columns import Bucket, Column
from .month_deltas import MonthDelta
from .position_grid import Grid, position_grid
from .position_lines import PeriodRefused, columns_between

VIEW = "trading.view_hedgetarget"
GENERATED = frozenset({ProductKind.AS_GENERATED.value, ProductKind.PPA.value})
UNIT = "MWh"
MOST_MONTHS = 120
_PLACES = Decimal("0.000001")
_NOTHING = Decimal(0)
_Key = tuple[UUID, int, date]


@dataclass(frozen=True, slots=True)
class HedgeLine:
    """
    One delivery month of a book with those below it, at a delivery point.

    target      the version that holds, also a withdrawn one; None if there never was any
    """

    book_id: UUID
    book: str
    market: str
    month: date
    figures: HedgeFigures
    target: HedgeTarget | None

    @property
    def revision(self) -> int:
        """Return what a change of the target must name."""
        return 0 if self.target is None else self.target.pk


@dataclass(frozen=True, slots=True)
class HedgeLines:
    """
    Lines by book, market and month; what they do not show is counted.

    elsewhere   positions in another unit than MWh
    unknown     positions in a shape that their market no longer knows
    """

    lines: tuple[HedgeLine, ...]
    elsewhere: int = 0
    unknown: int = 0


def terms_of(target: HedgeTarget | None) -> HedgeTerms | None:
    """Return what a target aims at; None where there is none or it is withdrawn."""
    if target is None or target.is_withdrawn:
        return None
    return HedgeTerms(target.own_volume_mwh, target.ratio_percent, target.tolerance_points)


def run_of_months(first: date, last: date) -> list[date]:
    """
    Return the first days of the months from one to another, both included.

    :raises ValidationError: for no months or more than 120, or a day that is no month's first.
    """
    for field, day in (("first_month", first), ("last_month", last)):
        if day.day != 1:
            raise ValidationError({field: "Is the first day of a month."})
        if not 1990 <= day.year <= 2198:
            raise ValidationError({field: "Is from 1990 to 2198."})
    count = 12 * (last.year - first.year) + last.month - first.month + 1
    if not 0 < count <= MOST_MONTHS:
        raise ValidationError({"last_month": f"Ends a run of 1 to {MOST_MONTHS} months."})
    number = 12 * first.year + first.month - 1
    return [date((number + n) // 12, (number + n) % 12 + 1, 1) for n in range(count)]


def month_columns(first: date, after: date) -> list[Column]:
    """
    Return the months that cover delivery dates from `first` until before `after`.

    :raises PeriodRefused: for none, or more than 120.
    """
    columns = columns_between(Bucket.MONTH, first, after)
    if len(columns) > MOST_MONTHS:
        raise PeriodRefused("to", f"at most {MOST_MONTHS} months at once.")
    return columns


def held_targets(
    books: Iterable[UUID],
    months: Collection[date],
    *,
    market_id: int | None = None,
    cut: datetime | None = None,
) -> list[HedgeTarget]:
    """Return the version that holds (at a cut) of each month's target, also withdrawn; a query."""
    rows = HedgeTarget.objects.filter(
        book_id__in=list(books), month__gte=min(months), month__lte=max(months)
    )
    if market_id is not None:
        rows = rows.filter(market_id=market_id)
    if cut is not None:
        rows = rows.filter(recorded_at__lte=cut)
    by = ("book_id", "market_id", "month")
    named = rows.annotate(book_code=F("book__code"), market_code=F("market__code"))
    return list(named.select_related("book", "market").order_by(*by, "-version").distinct(*by))


def target_versions(book_id: UUID, market_id: int, month: date) -> list[HedgeTarget]:
    """Return all versions of a month's target, the latest first."""
    rows = HedgeTarget.objects.filter(book_id=book_id, market_id=market_id, month=month)
    return list(rows.order_by("-version"))


def hedge_lines(
    books: Collection[UUID],
    *,
    columns: Sequence[Column],
    market: str | None = None,
    cut: datetime | None = None,
    deltas: Collection[MonthDelta] = (),
) -> HedgeLines:
    """
    Return what some books expect, hold and aim at, month by month; a fixed number of queries.

    There is a line for each book that has a target, and for each that stands above all others of
    `books`, where it holds something. A book's line holds what the books below it hold, so lines
    of a book and of one below it do not add up.

    books   with all that are below them
    deltas  of options and contracts with choices in these months: they count as hedges
    cut     as recorded by that instant: `services.as_of.settle_books` is called before
    """
    tree = {
        pk: (code, parent)
        for pk, code, parent in Book.objects.filter(pk__in=books).values_list(
            "pk", "code", "parent_id"
        )
    }
    months = [column.first for column in columns]
    targets = {(t.book_id, t.market_id, t.month): t for t in held_targets(tree, months, cut=cut)}
    whole = position_grid(tree, columns=columns, cut=cut)
    generated = position_grid(tree, columns=columns, kinds=GENERATED, cut=cut)
    above = {pk: _path(pk, tree) for pk in tree}
    held, made = _summed(whole, above), _summed(generated, above)
    moved = _summed_deltas(deltas, above)
    aimed = {(t.book_id, t.market_id) for t in targets.values() if not t.is_withdrawn}
    tops = {pk for pk, (_, parent) in tree.items() if parent not in tree}
    keys = {key for key in (*held, *made, *moved) if key[0] in tops or key[:2] in aimed}
    keys |= {key for key, target in targets.items() if not target.is_withdrawn}
    markets = Market.objects.in_bulk({market_id for _, market_id, _ in keys})
    lines = []
    for key in keys:
        book_id, market_id, month = key
        code = markets[market_id].code
        if market is not None and code.lower() != market.lower():
            continue
        target, bought = targets.get(key), made.get(key, _NOTHING)
        figures = HedgeFigures(
            bought, held.get(key, _NOTHING) - bought, terms_of(target), moved.get(key, _NOTHING)
        )  # fmt: skip
        lines.append(HedgeLine(book_id, tree[book_id][0], code, month, figures, target))
    lines.sort(key=lambda line: (line.book, line.market, line.month, str(line.book_id)))
    elsewhere = sum(row.unit != UNIT for row in whole.rows)
    elsewhere += len({(d.book_id, d.market_id, d.unit) for d in deltas if d.unit != UNIT})
    return HedgeLines(tuple(lines), elsewhere, whole.unknown)


def _path(book_id: UUID, tree: dict[UUID, tuple[str, UUID | None]]) -> list[UUID]:
    """Return a book and those above it, as far as the tree goes."""
    path: list[UUID] = []
    step: UUID | None = book_id
    while step in tree and step not in path:
        path.append(step)
        step = tree[step][1]
    return path


def _summed(grid: Grid, above: dict[UUID, list[UUID]]) -> dict[_Key, Decimal]:
    """Add each book's months to itself and to every book above it."""
    sums: dict[_Key, Decimal] = defaultdict(Decimal)
    for row in grid.rows:
        if row.unit != UNIT or row.book_id is None:
            continue
        for cell in row.cells:
            if cell.value is None:
                continue
            volume = Decimal(repr(cell.value)).quantize(_PLACES)
            for book_id in above[row.book_id]:
                sums[book_id, row.market_id, cell.column.first] += volume
    return sums


def _summed_deltas(
    deltas: Iterable[MonthDelta], above: dict[UUID, list[UUID]]
) -> dict[_Key, Decimal]:
    sums: dict[_Key, Decimal] = defaultdict(Decimal)
    for delta in deltas:
        if delta.unit == UNIT:
            for book_id in above[delta.book_id]:
                sums[book_id, delta.market_id, delta.month] += delta.delta
    return sums
