"""The official P&L of books since a day, for whoever holds it against a limit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Sum

from trading.models import AdjustmentStatus, PnlAdjustment, PnlKind, PnlReport

NOTHING = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class PnlToDate:
    """
    What books made by their last official close, a gain +.

    total       of the days asked for, with approved adjustments
    as_of       of that close: what came later is in no report; None before the first one
    known_at    real time of its cut
    """

    total: Decimal
    as_of: datetime | None
    known_at: datetime | None


def pnl_to_date(book_ids: Iterable[UUID], *, first: date) -> PnlToDate:
    """Return the official P&L of books from a day on, each day by its latest report."""
    ids = list(book_ids)
    official = PnlReport.objects.filter(book_id__in=ids, kind=PnlKind.OFFICIAL)
    held = official.filter(day__gte=first).order_by("book_id", "day", "-number")
    total = sum(held.distinct("book_id", "day").values_list("total", flat=True), NOTHING)
    adjusted = PnlAdjustment.objects.filter(
        book_id__in=ids, day__gte=first, status=AdjustmentStatus.APPROVED
    ).aggregate(sum=Sum("amount"))["sum"]
    close = (
        official.order_by("-closing__as_of", "-id")
        .values_list("closing__as_of", "closing__known_at")
        .first()
    )
    as_of, known_at = close or (None, None)
    return PnlToDate(total + (adjusted or NOTHING), as_of, known_at)
