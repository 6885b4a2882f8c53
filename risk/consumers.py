"""The live feed of a book's risk."""

from typing import Any
from uuid import UUID

from django.http import Http404

from energyopti.accounts.actors import Actor
from energyopti.foundation.live.consumers import LiveConsumer
from risk.queries.scopes import book_state, watched_book
from trading.queries.books import UnknownBook


class BookRiskConsumer(LiveConsumer):
    """One book: VaR, ES, value, limits and positions by month, with their convention."""

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
