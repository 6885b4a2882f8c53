"""Days that were closed, as pages and the API show them: how far, what was found, restatements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    F,
    IntegerField,
    JSONField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Organization
from energyopti.foundation.jobs.models import Job
from trading.closing import About
from trading.models import (
    CurveDefinition,
    EndOfDay,
    EndOfDayProof,
    EndOfDayState,
    PnlKind,
    PnlReport,
    Trade,
    TradeEvent,
    TradeVersion,
    ValuationRun,
)

from .books import book_ids
from .closing_times import business_days, close_of, closing_times, local_date

VIEW = "trading.view_endofday"
DAY_STATES = {
    "OPEN": "Open",
    "RUNNING": "Running",
    "FAILED": "Failed",
    "FINDINGS": "Checks failed",
    "READY": "Awaiting sign-off",
    "SIGNED": "Signed off",
    "RESTATED": "Restated",
}
_CLOSED = (EndOfDayState.READY, EndOfDayState.SIGNED)
_LOOK_BACK = timedelta(days=14)
# Nobody restates a close because a trade ran out or was paid, nor because meters were read after
# it, as they are after every close: the next day explains that as volumes.
_NO_NEWS = (TradeEvent.MATURE, TradeEvent.SETTLE, TradeEvent.METER)


class UnknownEndOfDay(LookupError):
    """There is no such closed day for this actor."""


@dataclass(frozen=True, slots=True)
class OpenDay:
    """A business day whose end nobody has run; `closes_at` may still be to come."""

    organization: Organization
    day: date
    closes_at: datetime
    is_due: bool


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding; `key` and `text` name no trade that the reader does not reach."""

    step: str
    text: str
    about: str
    key: str
    figures: dict[str, str]


@dataclass(frozen=True, slots=True)
class BookDifference:
    """What a book was worth, and made, in the official close and in a restatement of it."""

    book: str
    currency: str
    official_value: Decimal
    restated_value: Decimal
    official_pnl: Decimal
    restated_pnl: Decimal

    @property
    def value_difference(self) -> Decimal:
        return self.restated_value - self.official_value

    @property
    def pnl_difference(self) -> Decimal:
        return self.restated_pnl - self.official_pnl


@dataclass(frozen=True, slots=True)
class LateChange:
    """A deal or change that was recorded after a close that it would have counted in."""

    ref: str
    event: str
    book: str
    traded_at: datetime
    recorded_at: datetime


def closed_before(organization_id: UUID, day: date) -> EndOfDay | None:
    """Return the last closing of the last day closed before this one; restatements aside."""
    return (
        EndOfDay.objects.filter(
            organization_id=organization_id, day__lt=day, is_restatement=False, state__in=_CLOSED
        )
        .order_by("-day", "-number")
        .select_related("run")
        .first()
    )


def opening_of(organization_id: UUID, day: date) -> ValuationRun | None:
    """Return the run that the last day closed before this one ended with; restatements aside."""
    row = closed_before(organization_id, day)
    return None if row is None else row.run


def closed_days(actor: Actor) -> QuerySet[EndOfDay]:
    """
    Return the last official run of each day of the actor's organizations, with `shown_state`.

    shown_state     a key of `DAY_STATES`; `findings` and `restatements` count them

    :raises PermissionMissing: without `trading.view_endofday`, as all readers here.
    """
    actor.require(VIEW)
    same_day = EndOfDay.objects.filter(organization=OuterRef("organization"), day=OuterRef("day"))
    restated = same_day.filter(is_restatement=True, state__in=_CLOSED).order_by()
    return (
        EndOfDay.objects.filter(organization_id__in=actor.organization_ids, is_restatement=False)
        .filter(~Exists(same_day.filter(is_restatement=False, number__gt=OuterRef("number"))))
        .annotate(
            restatements=Coalesce(
                Subquery(
                    restated.values("day").annotate(rows=Count("pk")).values("rows"),
                    output_field=IntegerField(),
                ),
                0,
            ),
            shown_state=Case(
                When(state=EndOfDayState.SIGNED, restatements__gt=0, then=Value("RESTATED")),
                When(
                    Q(state=EndOfDayState.READY) & ~Q(checks=Value([], JSONField())),
                    then=Value("FINDINGS"),
                ),
                default=F("state"),
                output_field=CharField(),
            ),
        )
        .select_related("organization", "run", "opening")
    )


def end_of_day_for(actor: Actor, end_of_day_id: int) -> EndOfDay:
    """
    Return one run of a day.

    :raises UnknownEndOfDay: for one that is not the actor's.
    """
    actor.require(VIEW)
    row = (
        EndOfDay.objects.filter(pk=end_of_day_id, organization_id__in=actor.organization_ids)
        .select_related("organization", "run", "opening")
        .first()
    )
    if row is None:
        raise UnknownEndOfDay("end_of_day: there is no such day for you.")
    return row


def runs_of_day(row: EndOfDay) -> list[EndOfDay]:
    """Return every run of a day at hand, the latest first."""
    rows = EndOfDay.objects.filter(organization_id=row.organization_id, day=row.day)
    return list(rows.order_by("-number").select_related("run"))


def open_days(actor: Actor, *, now: datetime) -> list[OpenDay]:
    """
    Return the business days since the last one run, today's included, the latest first.

    Only of organizations that said when they close; at most two weeks back. Three queries, and
    one more an organization with holidays.
    """
    actor.require(VIEW)
    terms = closing_times(actor.organization_ids)
    if not terms:
        return []
    latest = dict(
        EndOfDay.objects.filter(organization_id__in=terms)
        .order_by("organization_id", "-day")
        .distinct("organization_id")
        .values_list("organization_id", "day")
    )
    organizations = Organization.objects.in_bulk(terms)
    found = []
    for organization_id, rule in terms.items():
        today = local_date(rule, now)
        first = max(latest.get(organization_id, today - timedelta(days=1)), today - _LOOK_BACK)
        for day in business_days(rule, first + timedelta(days=1), today):
            closes_at = close_of(rule, day)
            found.append(OpenDay(organizations[organization_id], day, closes_at, closes_at <= now))
    return sorted(found, key=lambda row: (row.day, row.organization.name), reverse=True)


def findings_of(actor: Actor, row: EndOfDay) -> list[ShownFinding]:
    """Return what a closing found; trades that the actor does not reach stay unnamed."""
    found = [ShownFinding(**finding) for finding in row.checks]
    refs = [one.key for one in found if one.about == About.TRADE]
    if not refs:
        return found
    reached = set(
        Trade.objects.filter(ref__in=refs, book_id__in=book_ids(actor)).values_list(
            "ref", flat=True
        )
    )
    return [
        ShownFinding(one.step, "A trade of a book that you do not see.", one.about, "", {})
        if one.about == About.TRADE and one.key not in reached
        else one
        for one in found
    ]


def mark_codes(market_codes: Iterable[str]) -> dict[str, str]:
    """Return the code of the curve that each market is valued on, by the market's code."""
    rows = CurveDefinition.objects.filter(is_mark=True, market__code__in=list(market_codes))
    return dict(rows.values_list("market__code", "code"))


def proofs_of(row: EndOfDay) -> list[EndOfDayProof]:
    """Return when a closing was computed again and what came out, the latest first."""
    return list(EndOfDayProof.objects.filter(end_of_day=row).order_by("-id")[:20])


def job_of(row: EndOfDay) -> Job | None:
    """Return the job that runs a closing at hand."""
    return Job.objects.filter(pk=row.job_id).first() if row.job_id else None


def differences_of(actor: Actor, official: EndOfDay, restated: EndOfDay) -> list[BookDifference]:
    """Return what a restatement says otherwise than the official close, by book of the actor."""
    ours = book_ids(actor)
    then = _reports(official, PnlKind(PnlKind.OFFICIAL), ours)
    now = _reports(restated, PnlKind(PnlKind.RESTATED), ours)
    nothing = Decimal("0.00")
    found = []
    for book_id in {**then, **now}:
        one, other = then.get(book_id), now.get(book_id)
        named = one or other
        assert named is not None
        found.append(
            BookDifference(
                named.book.code,
                named.currency,
                one.closing_value if one else nothing,
                other.closing_value if other else nothing,
                one.total if one else nothing,
                other.total if other else nothing,
            )
        )
    return sorted(found, key=lambda row: row.book)


def _reports(row: EndOfDay, kind: PnlKind, books: Iterable[UUID]) -> dict[UUID, PnlReport]:
    reports = PnlReport.objects.filter(closing=row.run, kind=kind, book_id__in=list(books))
    return {report.book_id: report for report in reports.select_related("book").order_by("number")}


def late_changes(actor: Actor, row: EndOfDay, *, limit: int = 50) -> list[LateChange]:
    """
    Return what was recorded in the actor's books since a close was valued and speaks of before it:
    deals agreed by then, and changes of such deals. A restatement would hold them.
    """
    if row.run is None:
        return []
    rows = (
        TradeVersion.objects.filter(
            trade__organization_id=row.organization_id,
            book_id__in=book_ids(actor),
            recorded_at__gt=row.run.known_at,
            traded_at__lte=row.as_of,
        )
        .exclude(event__in=_NO_NEWS)
        .order_by("-recorded_at", "-id")
        .select_related("trade", "book")[:limit]
    )
    return [
        LateChange(
            version.trade.ref, version.event, version.book.code, version.traded_at,
            version.recorded_at,
        )
        for version in rows
    ]  # fmt: skip
