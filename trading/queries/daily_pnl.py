"""The official P&L of a book day by day, and what of it the markets made of what was held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Sum

from energyopti.accounts.actors import Actor
from trading.models import PnlReport, PnlStepTotal

from .books import chosen_books
from .pnl import NOTHING, OFFICIAL, VIEW

# Not of new deals, changed terms, deliveries that came out otherwise, decisions and fees.
CLEAN = frozenset({"TIME", "PRICE", "INTEREST", "VOL", "TIME_VALUE", "FX", "FIXING"})


@dataclass(frozen=True, slots=True)
class BookDay:
    """
    What a book with those below it made in a day, in their reporting currency.

    opened_at   business time that the first of the reports opened on; None where nothing was
                valued before
    clean       of the total, what markets and time made of the positions that the day began with
    """

    day: date
    opened_at: datetime | None
    total: Decimal
    clean: Decimal


def book_days(actor: Actor, book: UUID | str, *, count: int) -> list[BookDay]:
    """
    Return the latest days of a book with an official report, the earliest first; three queries.

    :raises PermissionMissing: without `trading.view_pnlreport`.
    """
    actor.require(VIEW)
    of_books = PnlReport.objects.filter(book_id__in=chosen_books(actor, book), kind=OFFICIAL)
    latest = list(of_books.order_by("-day").values_list("day", flat=True).distinct()[:count])
    if not latest:
        return []
    held = list(
        of_books.filter(day__gte=latest[-1])
        .order_by("book_id", "day", "-number")
        .distinct("book_id", "day")
        .values_list("pk", "day", "total", "opening__as_of")
    )
    steps = PnlStepTotal.objects.filter(report__in=[pk for pk, *_ in held], kind__in=CLEAN)
    clean = dict(steps.order_by().values_list("report_id").annotate(sum=Sum("amount")))
    days: dict[date, BookDay] = {}
    for pk, day, total, opened_at in held:
        before = days.get(day, BookDay(day, None, NOTHING, NOTHING))
        opens = [at for at in (before.opened_at, opened_at) if at is not None]
        days[day] = BookDay(
            day,
            min(opens, default=None),
            before.total + total,
            before.clean + clean.get(pk, NOTHING),
        )
    return [days[day] for day in sorted(days)]
