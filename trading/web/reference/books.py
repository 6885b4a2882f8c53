"""Pages of books: the tree, a book with its owner, grants and products, and their forms."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from energyopti.accounts.actors import Actor
from energyopti.accounts.queries.access import holders_of
from energyopti.accounts.requests import actor_of, require_permission
from energyopti.accounts.services.grants import MANAGE as MANAGE_GRANTS
from trading.queries.agreements import (
    approved_product_rows,
    approved_product_terms,
    book_terms,
)
from trading.queries.approved import approved_list
from trading.queries.book_tree import book_rows_for, book_tree, reached_book
from trading.queries.books import UnknownBook, book_path
from trading.services.approved_products import (
    amend_approved_product,
    approve_product,
    withdraw_product,
)
from trading.services.books import amend_book, open_book_as

from .editing import form_page, own_organizations, row_or_404
from .forms import ApprovedProductForm, BookForm

WAYS = require_http_methods(["GET", "HEAD", "POST"])


@require_GET
@require_permission("trading.view_book")
def books(request: HttpRequest) -> HttpResponse:
    """Show the books that the reader reaches as a tree."""
    actor = actor_of(request)
    return render(
        request,
        "reference/books.html",
        {
            "nodes": [(node, range(node.depth)) for node in book_tree(actor)],
            "may_add": actor.may("trading.add_book"),
            "may_see_products": actor.may("trading.view_approvedproduct"),
        },
    )


@require_GET
@require_permission("trading.view_book")
def book(request: HttpRequest, book_id: UUID) -> HttpResponse:
    """Show a book: its place, owner and currency, what it may deal in, and who may enter it."""
    actor = actor_of(request)
    found = _book_or_404(actor, book_id)
    path = book_path(found.pk)
    rows = {row.pk: row for row in book_rows_for(actor)}
    may_see_products = actor.may("trading.view_approvedproduct")
    may_see_grants = actor.may(MANAGE_GRANTS) or actor.may("trading.access_every_book")
    lines = approved_list(path) if may_see_products else []
    return render(
        request,
        "reference/book.html",
        {
            "book": found,
            "above": [rows[each] for each in reversed(path[1:]) if each in rows],
            "below": [row for row in rows.values() if row.parent_id == found.pk],
            "lines": lines,
            "list_of": lines[0].book if lines else None,
            "is_own_list": bool(lines) and lines[0].book_id == found.pk,
            "may_see_products": may_see_products,
            "may_change": actor.may("trading.change_book"),
            "may_approve": actor.may("trading.add_approvedproduct"),
            "may_change_product": actor.may("trading.change_approvedproduct"),
            "may_withdraw": actor.may("trading.delete_approvedproduct"),
            "may_see_grants": may_see_grants,
            "may_manage_grants": actor.may(MANAGE_GRANTS),
            "holders": _holders(actor, found, path) if may_see_grants else [],
        },
    )


def _holders(actor: Actor, book: Any, path: tuple[UUID, ...]) -> list[dict[str, Any]]:
    """Return who was given the book or one above it: a grant reaches what lies below."""
    codes = {str(row.pk): row.code for row in book_rows_for(actor).filter(pk__in=path)}
    return [
        {"holder": holder, "given_on": codes.get(holder.container_id, "a book above")}
        for holder in holders_of(actor, kind="book", ids=path)
    ]


@WAYS
@require_permission("trading.add_book")
def new_book(request: HttpRequest) -> HttpResponse:
    """Open a book."""
    actor = actor_of(request)
    form = BookForm(
        request.POST or None,
        organizations=own_organizations(request),
        books=_choices(book_rows_for(actor)),
    )
    return form_page(
        request,
        form,
        title="New book",
        lead="Who may enter it is granted on the page of a member.",
        save=lambda terms: open_book_as(
            actor=actor, organization_id=UUID(form.organization), terms=terms
        ),
        then=_page_of,
        cancel=reverse("trading:books"),
        done="The book is open.",
    )


@WAYS
@require_permission("trading.change_book")
def edit_book(request: HttpRequest, book_id: UUID) -> HttpResponse:
    """Change a book; its parent and currency stay once it has trades."""
    actor = actor_of(request)
    found = _book_or_404(actor, book_id)
    others = book_rows_for(actor).filter(organization_id=found.organization_id)
    return form_page(
        request,
        BookForm(
            request.POST or None,
            known=book_terms(found),
            books=_choices(others.exclude(pk=found.pk)),
        ),
        title=f"Change {found.code}",
        lead=found.name,
        save=lambda terms: amend_book(
            actor=actor, organization_id=found.organization_id, terms=terms
        ),
        then=_page_of,
        cancel=_page_of(found),
        done=f"{found.code} is changed.",
    )


@WAYS
@require_permission("trading.add_approvedproduct")
def new_product(request: HttpRequest, book_id: UUID) -> HttpResponse:
    """Add a line to a book's list of approved products."""
    actor = actor_of(request)
    found = _book_or_404(actor, book_id)
    return form_page(
        request,
        ApprovedProductForm(request.POST or None, fixed={"book": found.code}),
        title=f"Approve a product for {found.code}",
        lead="The first line makes a list: what is not on it is then stopped.",
        save=lambda terms: approve_product(
            actor=actor, organization_id=found.organization_id, terms=terms
        ),
        then=lambda _: _page_of(found),
        cancel=_page_of(found),
        done="The product is approved.",
        submit="Approve",
    )


@WAYS
@require_permission("trading.change_approvedproduct")
def edit_product(request: HttpRequest, line_id: UUID) -> HttpResponse:
    """Change shapes and tenor of a line of a book's list."""
    actor = actor_of(request)
    found = row_or_404(approved_product_rows(actor), line_id)
    return form_page(
        request,
        ApprovedProductForm(
            request.POST or None,
            known=approved_product_terms(found),
            fixed={"book": found.book.code},
        ),
        title=f"Change a product of {found.book.code}",
        lead="Another commodity, delivery point or product is another line.",
        save=lambda terms: amend_approved_product(
            actor=actor, organization_id=found.book.organization_id, terms=terms
        ),
        then=lambda _: _page_of(found.book),
        cancel=_page_of(found.book),
        done="The line is changed.",
    )


@require_POST
@require_permission("trading.delete_approvedproduct")
def withdraw(request: HttpRequest, line_id: UUID) -> HttpResponse:
    """Take a line off a book's list, after the page has asked."""
    actor = actor_of(request)
    found = row_or_404(approved_product_rows(actor), line_id)
    withdraw_product(actor=actor, approved_product_id=found.pk)
    messages.success(request, f"The line is off the list of {found.book.code}.")
    return HttpResponseRedirect(_page_of(found.book))


def _book_or_404(actor: Actor, book_id: UUID) -> Any:
    try:
        return reached_book(actor, book_id)
    except UnknownBook as error:
        raise Http404(str(error)) from error


def _choices(rows: Any) -> list[tuple[str, str]]:
    return [(row.code, f"{row.code}, {row.name}") for row in rows]


def _page_of(book: Any) -> str:
    return reverse("trading:book", args=[book.pk])
