"""The live feed of a book's risk."""

from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404

from energyopti.accounts.actors import Actor
from energyopti.foundation.live.consumers import LiveConsumer
from risk.queries.book_state import book_state
from risk.queries.scopes import watched_book
from trading.queries.books import UnknownBook

_MONEY: dict[str, Any] = {"type": ["number", "null"]}
_ROWS: dict[str, Any] = {"type": "array", "items": {"type": "object"}}


class BookRiskConsumer(LiveConsumer):
    """One book: VaR, ES, value, limits and positions by month, with their convention."""

    frame: ClassVar[dict[str, Any]] = {
        "required": ["book", "revision", "as_of", "var", "es", "value", "currency", "convention",
                     "limits", "changes", "positions", "choices", "choice_count",
                     "unvalued", "findings", "problem"],
        "properties": {
            "book": {"type": "string", "format": "uuid"},
            "revision": {
                "type": "integer",
                "description": "Counts the changes of the scope; draw no older one than is shown.",
            },
            "as_of": {
                "type": ["string", "null"], "format": "date-time",
                "description": "Business time that positions are valued at.",
            },
            "var": {**_MONEY, "description": "Value at risk, a positive loss."},
            "es": {**_MONEY, "description": "Expected shortfall, a positive loss."},
            "value": {**_MONEY, "description": "Mark-to-market."},
            "currency": {"type": "string"},
            "convention": {"type": "string", "description": "Of VaR and ES, in words."},
            "limits": _ROWS,
            "changes": {
                **_ROWS,
                "description": "The latest, newest first: the deal or curves behind each, VaR "
                "before and after.",
            },
            "positions": _ROWS,
            "choices": {
                **_ROWS,
                "description": "Options and contracts with choices: what has no value, then the "
                "largest.",
            },
            "choice_count": {"type": "integer", "description": "Of all, shown or not."},
            "unvalued": {"type": "integer", "description": "Rows that have no value."},
            "findings": {"type": "array", "items": {"type": "string"}},
            "problem": {"type": "string", "description": "Why there are no numbers, or empty."},
        },
    }  # fmt: skip

    def topics(self, scope: dict[str, Any]) -> list[str]:
        actor = Actor.for_user(scope["user"])
        actor.require("risk.view_risk")
        book_id: UUID = scope["url_route"]["kwargs"]["book_id"]
        try:
            return [f"book:{watched_book(actor, book_id).id}"]
        except UnknownBook as error:
            raise Http404(str(error)) from error

    def snapshot(self, topic: str) -> dict[str, Any]:
        return book_state(UUID(topic.removeprefix("book:")))
