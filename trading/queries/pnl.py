"""P&L as pages and the API show it: steps, who and what they came from, flash beside official."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from django.db.models import F, QuerySet, Sum
from django.db.models.functions import Abs

from energyopti.accounts.actors import Actor
from trading.models import (
    AdjustmentStatus,
    PnlAdjustment,
    PnlKind,
    PnlReport,
    PnlStep,
    PnlStepTotal,
    StructureValue,
    TradeValue,
)

from .books import chosen_books
from .value_parts import part_label, values_at_close

VIEW = "trading.view_pnlreport"
OFFICIAL, FLASH = str(PnlKind.OFFICIAL), str(PnlKind.FLASH)
ORDER = (
    "TIME", "PRICE", "INTEREST", "VOL", "TIME_VALUE", "FX", "FIXING", "VOLUME", "EXERCISE", "NEW",
    "AMENDMENT", "FEES", "RESIDUAL",
)  # fmt: skip
WORDS = {
    "TIME": "Time",
    "PRICE": "Prices",
    "INTEREST": "Interest rates",
    "VOL": "Volatility and models",
    "TIME_VALUE": "Time value of choices",
    "FX": "Exchange rates",
    "FIXING": "Fixings",
    "VOLUME": "Volumes",
    "EXERCISE": "Exercise",
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


class UnknownAdjustment(LookupError):
    """There is no such adjustment for this actor."""


class NoReport(LookupError):
    """There is no P&L of that day and kind for this actor."""


@dataclass(frozen=True, slots=True)
class StepTotal:
    """What a step added, in the reporting currency of the books."""

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
    label: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class TradePart:
    """
    What one trade added: `amount` in its own currency, of it `realised`, and `reporting` in the
    currency of the report.
    """

    ref: str
    book: str
    counterparty: str
    currency: str
    amount: Decimal
    realised: Decimal
    reporting: Decimal


class Period(StrEnum):
    """How far back a P&L is added up: the day, or since the month or the year began."""

    DAY = "DAY"
    MTD = "MTD"
    YTD = "YTD"

    @property
    def label(self) -> str:
        return {"DAY": "Day", "MTD": "Month to date", "YTD": "Year to date"}[self.value]

    def first_of(self, day: date) -> date:
        """Return the first day that counts."""
        if self is Period.DAY:
            return day
        return day.replace(day=1) if self is Period.MTD else day.replace(month=1, day=1)


@dataclass(frozen=True, slots=True)
class DayTotal:
    """What one day of a period made, and what it came to since the period began."""

    day: date
    amount: Decimal
    so_far: Decimal


@dataclass(frozen=True)
class DayOfPnl:
    """
    The P&L of some books over a day, or over the days of a period, in one currency.

    reports     the last of each book and day
    opening     where the first report of each book opened, `closing` where the last one closed
    steps       in the order of the waterfall; they sum to `total`
    breaks      closing − opening − total: what lies between a report and the next that does not
                open where it closed; nothing over one day
    adjusted    with the adjustments that were approved, which stand apart
    flash       the last flash totals of the same days, None without one
    time_value_error    standard error of the step of simulated time values: the errors of where
                        they opened and closed, as if these were independent; None without any
    """

    first: date
    day: date
    kind: str
    currency: str
    reports: tuple[PnlReport, ...]
    opening: Decimal
    closing: Decimal
    realised: Decimal
    unrealised: Decimal
    total: Decimal
    breaks: Decimal
    steps: tuple[StepTotal, ...]
    daily: tuple[DayTotal, ...]
    adjustments: tuple[PnlAdjustment, ...]
    flash: Decimal | None
    time_value_error: float | None = None

    @property
    def closes(self) -> list[PnlReport]:
        """Return the last report of each book: what the books are worth at the end."""
        return list({report.book_id: report for report in self.reports}.values())

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
    actor: Actor,
    *,
    day: date,
    kind: str = OFFICIAL,
    book: UUID | str | None = None,
    period: Period = Period.DAY,
) -> list[PnlReport]:
    """Return the report that holds of each of the actor's books and each day, by book and day."""
    actor.require(VIEW)
    first = period.first_of(day)
    return list(
        PnlReport.objects.filter(
            book_id__in=chosen_books(actor, book), day__gte=first, day__lte=day, kind=kind
        )
        .order_by("book_id", "day", "-number")
        .distinct("book_id", "day")
        .select_related("book", "closing")
        .defer("closing__inputs")
    )


def days_of_pnl(
    actor: Actor,
    *,
    day: date,
    kind: str = OFFICIAL,
    book: UUID | str | None = None,
    period: Period = Period.DAY,
) -> list[DayOfPnl]:
    """Return the P&L by reporting currency, which are never added; some six queries each."""
    reports = reports_of(actor, day=day, kind=kind, book=book, period=period)
    flashes = (
        reports_of(actor, day=day, kind=FLASH, book=book, period=period) if kind != FLASH else []
    )
    adjustments = list(
        PnlAdjustment.objects.filter(
            book_id__in=chosen_books(actor, book), day__gte=period.first_of(day), day__lte=day
        )
        .order_by("id")
        .select_related("book")
    )
    return [
        _day(period.first_of(day), day, kind, currency, reports, flashes, adjustments)
        for currency in sorted({report.currency for report in reports})
    ]


def _day(
    first: date,
    day: date,
    kind: str,
    currency: str,
    reports: list[PnlReport],
    flashes: list[PnlReport],
    adjustments: list[PnlAdjustment],
) -> DayOfPnl:
    mine = tuple(report for report in reports if report.currency == currency)
    early = [report for report in flashes if report.currency == currency]
    opens: dict[UUID, PnlReport] = {}
    closes: dict[UUID, PnlReport] = {}
    by_day: dict[date, Decimal] = {}
    for report in mine:  # by book and day
        opens.setdefault(report.book_id, report)
        closes[report.book_id] = report
        by_day[report.day] = by_day.get(report.day, NOTHING) + report.total
    opening = sum((report.opening_value for report in opens.values()), NOTHING)
    closing = sum((report.closing_value for report in closes.values()), NOTHING)
    total = sum(by_day.values(), NOTHING)
    values = values_at_close(closes.values()).aggregate(
        past=Sum("realised_reporting"), ahead=Sum("unrealised_reporting")
    )
    return DayOfPnl(
        first=first,
        day=day,
        kind=kind,
        currency=currency,
        reports=mine,
        opening=opening,
        closing=closing,
        realised=values["past"] or NOTHING,
        unrealised=values["ahead"] or NOTHING,
        total=total,
        breaks=closing - opening - total,
        steps=_step_totals(mine),
        daily=_daily(by_day),
        adjustments=tuple(a for a in adjustments if a.currency == currency),
        flash=sum((report.total for report in early), NOTHING) if early else None,
        time_value_error=_time_value_error(opens.values(), closes.values()),
    )


def _time_value_error(opens: Iterable[PnlReport], closes: Iterable[PnlReport]) -> float | None:
    """Return the error of the time value's change in the reporting currency; two queries."""
    books = {(report.opening_id, report.book_id) for report in opens}
    books |= {(report.closing_id, report.book_id) for report in closes}
    simulated = StructureValue.objects.filter(
        run_id__in={run for run, _ in books if run is not None}, simulation__isnull=False
    )
    rows = list(simulated.values_list("run_id", "trade_id", "currency", "standard_error"))
    if not rows:
        return None
    valued = TradeValue.objects.filter(
        run_id__in={run for run, *_ in rows}, trade_id__in={trade for _, trade, *_ in rows}
    ).values_list("run_id", "trade_id", "currency", "book_id", "rate")
    rates = {(run, trade, own): (book, float(rate)) for run, trade, own, book, rate in valued}
    squares = []
    for run, trade, currency, error in rows:
        book, rate = rates.get((run, trade, currency), (None, 0.0))
        if book is not None and (run, book) in books:
            squares.append((rate * (error or 0.0)) ** 2)
    return sum(squares) ** 0.5 if squares else None


def _step_totals(reports: Iterable[PnlReport]) -> tuple[StepTotal, ...]:
    """Return what each step added in order, also those that added nothing."""
    rows = PnlStepTotal.objects.filter(report__in=[report.pk for report in reports])
    steps = {
        (row["kind"], row["name"]): row["sum"]
        for row in rows.order_by().values("kind", "name").annotate(sum=Sum("amount"))
    }
    return tuple(
        StepTotal(key, name, steps.get((key, name), NOTHING))
        for key in ORDER
        for name in sorted({n for k, n in steps if k == key}) or [""]
    )


def _daily(by_day: Mapping[date, Decimal]) -> tuple[DayTotal, ...]:
    found, so_far = [], NOTHING
    for day in sorted(by_day):
        so_far += by_day[day]
        found.append(DayTotal(day, by_day[day], so_far))
    return tuple(found)


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
    found = [Part(row["of"], part_label(dimension, row["of"]), row["amount"]) for row in rows]
    return sorted(found, key=lambda part: (-abs(part.amount), part.name))


def trades_of(
    reports: Iterable[PnlReport],
    *,
    kind: str = "",
    name: str | None = None,
    dimension: str = "",
    value: str = "",
    limit: int = 200,
) -> list[TradePart]:
    """Return the trades that added most to some steps or a part, or to all: the largest first."""
    rows = steps_of(reports)
    if kind:
        rows = rows.filter(kind=kind)
    if name is not None:
        rows = rows.filter(name=name)
    if dimension:
        rows = rows.filter(**{DIMENSIONS[dimension]: value})
    found = (
        rows.values(
            "currency",
            ref=F("trade__ref"),
            book=F("report__book__code"),
            counterparty=F("trade__counterparty__code"),
        )
        .annotate(native=Sum("amount"), past=Sum("realised"), shown=Sum("reporting"))
        .order_by(Abs("shown").desc(), "ref", "currency")
    )
    return [
        TradePart(
            row["ref"], row["book"], row["counterparty"], row["currency"], row["native"],
            row["past"], row["shown"],
        )
        for row in found[:limit]
    ]  # fmt: skip


def adjustment_rows(actor: Actor) -> QuerySet[PnlAdjustment]:
    """Return the adjustments of the actor's books, those that wait and those that are decided."""
    rows = PnlAdjustment.objects.filter(book_id__in=chosen_books(actor, None))
    return rows.select_related("book")


def adjustment_for(actor: Actor, adjustment_id: int) -> PnlAdjustment:
    """
    Return one of them.

    :raises UnknownAdjustment: for one of a book that the actor does not reach.
    """
    row = adjustment_rows(actor).filter(pk=adjustment_id).first()
    if row is None:
        raise UnknownAdjustment("adjustment: there is no such adjustment for you.")
    return row
