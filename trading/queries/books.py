"""Which books an actor reaches, and how they hang together."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from energyopti.accounts.actors import Actor
from trading.models import Book, Counterparty


class UnknownBook(LookupError):
    """There is no such book for this actor; whether it exists elsewhere is not said."""


@dataclass(frozen=True, slots=True)
class BookRow:
    """A book as pages show it."""

    id: UUID
    code: str
    name: str
    organization_id: UUID
    parent_id: UUID | None
    reporting_currency: str


@dataclass(frozen=True, slots=True)
class CounterpartyRow:
    """A counterparty as pages show it."""

    id: UUID
    code: str
    name: str
    lei: str
    organization_id: UUID
    is_internal: bool = False


def book_ids(actor: Actor, *, level: str = "view") -> frozenset[UUID]:
    """
    Return the books that the actor reaches at a level ("view", "trade"): granted ones and all
    below them. One query, once per actor.
    """
    key = ("book-tree", level)
    if key not in actor._cache:
        actor._cache[key] = _with_descendants(actor.containers("book", level))
    return actor._cache[key]


def subtree(book_id: UUID) -> frozenset[UUID]:
    """Return a book and every book below it."""
    return _with_descendants(Book.objects.filter(pk=book_id))


def chosen_books(actor: Actor, book: UUID | str | None) -> frozenset[UUID]:
    """
    Return the actor's books that a choice stands for: a book with those below it, or all.

    None stands for all and costs nothing more; a book costs one query.
    """
    if book is None:
        return book_ids(actor)
    return subtree(UUID(str(book))) & book_ids(actor)


def book_path(book_id: UUID) -> tuple[UUID, ...]:
    """Return a book and its ancestors, the book first: the scopes that its trades count in."""
    organization = Book.objects.filter(pk=book_id).values("organization_id")
    parents = dict(
        Book.objects.filter(organization_id__in=organization).values_list("id", "parent_id")
    )
    path: list[UUID] = []
    step: UUID | None = book_id
    while step is not None and step not in path:
        path.append(step)
        step = parents.get(step)
    return tuple(path)


def books_for(actor: Actor, *, level: str = "view") -> list[BookRow]:
    """Return the actor's active books by code."""
    rows = Book.objects.filter(pk__in=book_ids(actor, level=level), is_active=True)
    return [_row(book) for book in rows.order_by("code", "id")]


def book_for(actor: Actor, book_id: UUID, *, level: str = "view") -> BookRow:
    """
    Return one of the actor's books.

    :raises UnknownBook: if the actor does not reach it at that level.
    """
    if book_id in book_ids(actor, level=level) and (
        book := Book.objects.filter(pk=book_id, is_active=True).first()
    ):
        return _row(book)
    raise UnknownBook("book: there is no such book for you.")


def counterparties_for(actor: Actor) -> list[CounterpartyRow]:
    """Return the active counterparties of the actor's organizations by code."""
    rows = Counterparty.objects.visible_to(actor).filter(is_active=True).order_by("code", "id")
    return [
        CounterpartyRow(c.id, c.code, c.name, c.lei, c.organization_id, c.is_internal) for c in rows
    ]


def _row(book: Book) -> BookRow:
    return BookRow(
        book.id, book.code, book.name, book.organization_id, book.parent_id, book.reporting_currency
    )


def _with_descendants(roots: QuerySet[Book]) -> frozenset[UUID]:
    """Return the ids of some books and of all below them; one query."""
    try:
        chosen, parameters = roots.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return frozenset()
    table = Book._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"WITH RECURSIVE reached (id) AS ({chosen} UNION "  # noqa: S608 - ours, no input
            f"SELECT below.id FROM {table} below JOIN reached ON below.parent_id = reached.id) "
            "SELECT id FROM reached",
            parameters,
        )
        return frozenset(row[0] for row in cursor.fetchall())


def book_codes(book_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the codes of books, for messages about their limits."""
    return dict(Book.objects.filter(pk__in=list(book_ids)).values_list("id", "code"))


def reporting_currency(book_id: UUID) -> str:
    """Return the currency of a book, which is that of the books above and below it."""
    return Book.objects.values_list("reporting_currency", flat=True).get(pk=book_id)


def reporting_currencies(book_ids: Iterable[UUID] | None = None) -> list[str]:
    """Return the currencies that some books report in, or any at all."""
    rows = Book.objects.all() if book_ids is None else Book.objects.filter(pk__in=list(book_ids))
    found = rows.order_by("reporting_currency").values_list("reporting_currency", flat=True)
    return list(found.distinct())


def all_books() -> list[tuple[UUID, UUID]]:
    """Return every book with its organization, for work that the system does on all of them."""
    return list(Book.objects.order_by("id").values_list("id", "organization_id"))


def top_books(organization_id: UUID) -> list[tuple[UUID, str]]:
    """Return id and code of an organization's active books without one above, by code."""
    rows = Book.objects.filter(
        organization_id=organization_id, parent__isnull=True, is_active=True
    ).order_by("code")
    return list(rows.values_list("pk", "code"))
