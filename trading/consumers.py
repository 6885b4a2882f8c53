"""The live feed of a desk's trades."""

from typing import Any, ClassVar
from uuid import UUID

from energyopti.accounts.actors import Actor
from energyopti.foundation.live.consumers import LiveConsumer
from trading.queries.books import book_ids
from trading.queries.live_rows import PREFIX, book_states, topic_of


class BlotterConsumer(LiveConsumer):
    """Every book that the user reaches: when a trade in it last changed."""

    frame: ClassVar[dict[str, Any]] = {
        "required": ["book", "as_of"],
        "properties": {
            "book": {"type": "string", "format": "uuid"},
            "as_of": {
                "type": ["string", "null"], "format": "date-time",
                "description": "Of the last change; null without trades.",
            },
        },
    }  # fmt: skip

    def topics(self, scope: dict[str, Any]) -> list[str]:
        actor = Actor.for_user(scope["user"])
        actor.require("trading.view_trade")
        return [topic_of(book_id) for book_id in sorted(book_ids(actor))]

    def snapshot(self, topic: str) -> dict[str, Any]:
        return book_states([UUID(topic.removeprefix(PREFIX))])[0]
