"""Books as a tree of those that an actor reaches, with owners and whose list holds for them."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from energyopti.accounts.actors import Actor
from trading.models import ApprovedProduct, Book

from .books import UnknownBook, book_ids


@dataclass(frozen=True, slots=True)
class BookNode:
    """
    A book with its depth below the topmost that the actor reaches.

    lines       of its own list of approved products
    list_of     code of the book whose list holds for it, empty where nothing is restricted
    """

    book: Any
    depth: int
    lines: int
    list_of: str


def book_rows_for(actor: Actor) -> QuerySet[Any]:
    """
    Return the books that the actor reaches, closed ones too, by code.

    :raises PermissionMissing: without `trading.view_book`.
    """
    actor.require("trading.view_book")
    return (
        Book.objects.filter(pk__in=book_ids(actor))
        .select_related("parent", "owner", "organization")
        .order_by("code", "id")
    )


def reached_book(actor: Actor, book_id: UUID) -> Any:
    """
    Return one book that the actor reaches, closed or not.

    :raises UnknownBook: for any other.
    """
    book = book_rows_for(actor).filter(pk=book_id).first()
    if book is None:
        raise UnknownBook("book: there is no such book for you.")
    return book


def book_tree(actor: Actor) -> list[BookNode]:
    """
    Return the books in the order of a tree, children by code under their parent.

    A list above the topmost book that the actor reaches holds too, though he cannot open it.
    """
    rows = list(book_rows_for(actor))
    reached = {book.pk for book in rows}
    organizations = {book.organization_id for book in rows}
    above = {
        book_id: (parent_id, code)
        for book_id, parent_id, code in Book.objects.filter(
            organization_id__in=organizations
        ).values_list("id", "parent_id", "code")
    }
    lines = Counter(
        ApprovedProduct.objects.filter(book__organization_id__in=organizations).values_list(
            "book_id", flat=True
        )
    )
    children: dict[UUID | None, list[Any]] = defaultdict(list)
    for book in rows:
        children[book.parent_id if book.parent_id in reached else None].append(book)

    def list_of(book_id: UUID | None) -> str:
        while book_id is not None and not lines[book_id]:
            book_id = above[book_id][0]
        return "" if book_id is None else above[book_id][1]

    def walk(book: Any, depth: int) -> Iterator[BookNode]:
        yield BookNode(book, depth, lines[book.pk], list_of(book.pk))
        for child in children[book.pk]:
            yield from walk(child, depth + 1)

    return [node for top in children[None] for node in walk(top, 0)]
