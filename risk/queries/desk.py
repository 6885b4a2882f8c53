"""The risk of several books at a glance."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from energyopti.accounts.actors import Actor
from risk.enums import LimitMeasure
from risk.models import Limit, LimitBreach
from trading.queries.books import BookRow, chosen_books

from .scopes import DEFAULT_CONFIDENCE, books_with_risk, scope_tail, scopes


@dataclass(frozen=True, slots=True)
class BookRisk:
    """
    VaR and ES of a book with the books below it, currency of the book, losses positive.

    limit        the active limit at `confidence`, None without one
    breaches     how often a limit of the book was crossed since the time asked for
    """

    book: BookRow
    valued_at: datetime
    confidence: Decimal
    var: float
    es: float
    limit: Decimal | None
    breaches: int

    @property
    def level(self) -> str:
        """Return how near the limit is: "bad" over it, "warn" from 80 %, else "good"."""
        if self.limit is None:
            return ""
        used = self.var / float(self.limit)
        return "bad" if used > 1 else "warn" if used >= 0.8 else "good"


def book_risks(actor: Actor, *, since: datetime, book: UUID | str | None = None) -> list[BookRisk]:
    """
    Return the risk of each book of the actor that has one; one read each for them together.

    book    one of them, with those below it; None for all
    """
    chosen = chosen_books(actor, book)
    books = [row for row in books_with_risk(actor) if row.id in chosen]
    found = scopes(row.id for row in books)
    limits = {
        limit.book_id: limit
        for limit in Limit.objects.filter(
            book_id__in=list(found), is_active=True, measure=LimitMeasure.VAR
        ).order_by("book_id", "-confidence")
    }
    crossed: dict[object, int] = {}
    for book_id in LimitBreach.objects.filter(
        limit__book_id__in=list(found), detected_at__gte=since
    ).values_list("limit__book_id", flat=True):
        crossed[book_id] = crossed.get(book_id, 0) + 1
    risks = []
    for row in books:
        if row.id not in found:
            continue
        limit = limits.get(row.id)
        confidence = limit.confidence if limit else DEFAULT_CONFIDENCE
        tail = scope_tail(found[row.id], confidence)
        risks.append(
            BookRisk(
                book=row,
                valued_at=found[row.id].basis.valued_at,
                confidence=confidence,
                var=tail.var,
                es=tail.es,
                limit=limit.amount if limit else None,
                breaches=crossed.get(row.id, 0),
            )
        )
    return risks
