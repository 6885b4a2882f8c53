"""The state of the live topic of a book's rows: when something in it was last written."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from .blotter import latest_changes

PREFIX = "trades:"


def topic_of(book_id: UUID) -> str:
    """Return the live topic of a book's trades."""
    return f"{PREFIX}{book_id}"


def book_states(book_ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Return the frames of some books as they stand; one query. `as_of` is None without trades."""
    latest = latest_changes(book_ids)
    return [
        {"topic": topic_of(book_id), "book": str(book_id), "as_of": latest.get(book_id)}
        for book_id in book_ids
    ]
