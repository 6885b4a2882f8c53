"""P&L as pages and the API show it: steps, who and what they came from, flash beside official."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db.models import F, QuerySet, Sum

from energyopti.accounts.actors import Actor
from trading.models import AdjustmentStatus, PnlAdjustment, PnlKind, PnlReport, PnlStep

from .books import chosen_books
from .value_parts import values_at_close

VIEW = "trading.view_pnlreport"
OFFICIAL, FLASH = str(PnlKind.OFFICIAL), str(PnlKind.FLASH)
ORDER = (
    "TIME", "PRICE", "VOL", "FX", "FIXING", "NEW", "AMENDMENT", "FEES", "RESIDUAL",
)  # fmt: skip
WORDS = {
    "TIME": "Time",
    "PRICE": "Prices",
    "VOL": "Volatility",
    "FX": "Exchange rates",
    "FIXING": "Fixings and volumes",
    "NEW": "New deals",
    "AMENDMENT": "Amendments",
    "FEES": "Fees",
    "RESIDUAL": "Residual",
}
DIMENSIONS = {
    "book": "report__book__code",
    "product": "trade__product_kind",
    "counterparty": "trade__counterparty__code",
    "currency": "currency",
}
NOTHING = Decimal("0.00")


class NoReport(LookupError):
    """There is no P&L of that day and kind for this actor."""


@dataclass(frozen=True, slots=True)
class StepTotal:
    """What a step added, of it to realised, in the reporting currency of the books."""

    kind: str
    name: str
    amount: Decimal

    @property
    def label(self) -> str:
        return f"{WORDS[self.kind]} {self.name}".strip()


@dataclass(frozen=True, slots=True)
class Part:
    """What one value of a dimension (a book, a product …) added."""

    name: str
    amount: Decimal


@dataclass(frozen=True)
class DayOfPnl:
    """
    The P&L of some books over a day in one currency.

    steps       in the order of the waterfall; they sum to `total`, which is closing − opening
    adjusted    with the adjustments that were approved, which stand apart
    flash       the last flash total of the same books, None without one
    """

    day: date
    kind: str
    currency: str
    reports: tuple[PnlReport, ...]
    opening: Decimal
    closing: Decimal
    realised: Decimal
    unrealised: Decimal
    total: Decimal
    steps: tuple[StepTotal, ...]
    adjustments: tuple[PnlAdjustment, ...]
    flash: Decimal | None

    @property
    def adjustment(self) -> Decimal:
        """Return the sum of what was approved."""
        approved = AdjustmentStatus.APPROVED
        return sum((a.amount for a in self.adjustments if a.status == approved), NOTHING)

    @property
    def adjusted(self) -> Decimal:
        return self.total + self.adjustment

    @property
    def against_flash(self) -> Decimal | None:
        """Return how far the report is from the flash."""
        return None if self.flash is None else self.total - self.flash


def report_days(actor: Actor, *, book: UUID | str | None = None, limit: int = 60) -> list[date]:
    """
    Return the days with a report in the actor's books, the latest first.

    :raises PermissionMissing: without `trading.view_pnlreport`, as all readers here.
    """
    actor.require(VIEW)
    rows = PnlReport.objects.filter(book_id__in=chosen_books(actor, book))
    return list(rows.order_by("-day").values_list("day", flat=True).distinct()[:limit])


def reports_of(
    actor: Actor, *, day: date, kind: str = OFFICIAL, book: UUID | str | None = None
) -> list[PnlReport]:
    """Return the report that holds of each of the actor's books on a day."""
    actor.require(VIEW)
    return list(
        PnlReport.objects.filter(book_id__in=chosen_books(actor, book), day=day, kind=kind)
        .order_by("book_id", "-number")
        .distinct("book_id")
        .select_related("book", "opening", "closing")
    )


def days_of_pnl(
    actor: Actor, *, day: date, kind: str = OFFICIAL, book: UUID | str | None = None
) -> list[DayOfPnl]:
    """Return a day's P&L by reporting currency, which are never added; some six queries each."""
    reports = reports_of(actor, day=day, kind=kind, book=book)
    flashes = reports_of(actor, day=day, kind=FLASH, book=book) if kind != FLASH else []
    asked = PnlAdjustment.objects.filter(book_id__in=chosen_books(actor, book), day=day)
    adjustments = list(asked.order_by("id").select_related("book"))
    return [
        _day(day, kind, currency, reports, flashes, adjustments)
        for currency in sorted({report.currency for report in reports})
    ]


def _day(
    day: date,
    kind: str,
    currency: str,
    reports: list[PnlReport],
    flashes: list[PnlReport],
    adjustments: list[PnlAdjustment],
) -> DayOfPnl:
    mine = tuple(report for report in reports if report.currency == currency)
    early = [report for report in flashes if report.currency == currency]
    steps = {
        (row["kind"], row["name"]): row["amount"]
        for row in steps_of(mine).values("kind", "name").annotate(amount=Sum("reporting"))
    }
    shown = [
        StepTotal(key, name, steps.get((key, name), NOTHING))
        for key in ORDER
        for name in sorted({n for k, n in steps if k == key}) or [""]
    ]
    values = values_at_close(mine).aggregate(
        past=Sum("realised_reporting"), ahead=Sum("unrealised_reporting")
    )
    return DayOfPnl(
        day=day,
        kind=kind,
        currency=currency,
        reports=mine,
        opening=sum((report.opening_value for report in mine), NOTHING),
        closing=sum((report.closing_value for report in mine), NOTHING),
        realised=values["past"] or NOTHING,
        unrealised=values["ahead"] or NOTHING,
        total=sum((report.total for report in mine), NOTHING),
        steps=tuple(shown),
        adjustments=tuple(a for a in adjustments if a.currency == currency),
        flash=sum((report.total for report in early), NOTHING) if early else None,
    )


def steps_of(reports: Iterable[PnlReport]) -> QuerySet[PnlStep]:
    """Return the steps of reports at hand."""
    return PnlStep.objects.filter(report__in=[report.pk for report in reports]).order_by()


def parts_of(reports: Iterable[PnlReport], dimension: str) -> list[Part]:
    """
    Return what each value of a dimension added, the largest amount first.

    :raises KeyError: for a dimension that is not in `DIMENSIONS`.
    """
    rows = (
        steps_of(reports)
        .values(of=F(DIMENSIONS[dimension]))
        .annotate(amount=Sum("reporting"))
        .order_by("of")
    )
    found = [Part(row["of"], row["amount"]) for row in rows]
    return sorted(found, key=lambda part: (-abs(part.amount), part.name))


def trades_of(
    reports: Iterable[PnlReport],
    *,
    kind: str = "",
    name: str | None = None,
    dimension: str = "",
    value: str = "",
) -> QuerySet[PnlStep]:
    """Return steps by trade, the largest amount first, of one step or one part, or all."""
    rows = steps_of(reports)
    if kind:
        rows = rows.filter(kind=kind)
    if name is not None:
        rows = rows.filter(name=name)
    if dimension:
        rows = rows.filter(**{DIMENSIONS[dimension]: value})
    return rows.select_related("trade__book", "trade__counterparty", "report").order_by("-id")
