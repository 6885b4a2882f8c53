"""One page for every form of reference data: draw it, hand its terms to a service, say so."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from energyopti.accounts.actors import Actor
from energyopti.accounts.requests import actor_of
from energyopti.foundation.pages import PEOPLE_CHOICES
from trading.queries.agreements import one_of
from trading.queries.reference import UnknownReference
from trading.services.changes import ForeignOrganization

from .forms import TermsForm


def form_page(
    request: HttpRequest,
    form: TermsForm,
    *,
    title: str,
    lead: str,
    save: Callable[[Any], Any],
    then: Callable[[Any], str],
    cancel: str,
    done: str,
    submit: str = "Save",
) -> HttpResponse:
    """
    Draw a form; what was sent goes to `save` as terms, and what that refuses to the fields.

    then    address of the page that shows the saved row
    """
    if request.method == "POST" and form.is_valid():
        try:
            row = save(form.to_terms())
        except ValidationError as error:
            form.blame(error)
        except ForeignOrganization as error:
            raise Http404(str(error)) from error
        else:
            messages.success(request, done)
            return HttpResponseRedirect(then(row))
    return render(
        request,
        "reference/form.html",
        {"form": form, "title": title, "lead": lead, "cancel": cancel, "submit": submit},
        status=422 if form.errors else 200,
    )


@dataclass(frozen=True)
class SharedKind:
    """
    A kind of row that all organizations share, as its two pages of editing need it.

    said        returns what a row says
    shown_at    returns the address of the page that shows a row
    """

    noun: str
    form: type[TermsForm]
    rows: Callable[[Actor], Any]
    said: Callable[[Any], Any]
    add: Callable[..., Any]
    amend: Callable[..., Any]
    all_at: str
    shown_at: Callable[[Any], str]
    lead: str = "All organizations share it."

    def new(self, request: HttpRequest) -> HttpResponse:
        """Add a row."""
        actor = actor_of(request)
        return form_page(
            request,
            self.form(request.POST or None),
            title=f"New {self.noun}",
            lead=self.lead,
            save=lambda terms: self.add(actor=actor, terms=terms),
            then=self.shown_at,
            cancel=reverse(self.all_at),
            done=f"The {self.noun} is added.",
        )

    def edit(self, request: HttpRequest, code: str) -> HttpResponse:
        """Change what is said of a row."""
        actor = actor_of(request)
        row = code_or_404(self.rows(actor), code)
        return form_page(
            request,
            self.form(request.POST or None, known=self.said(row)),
            title=f"Change {row.code}",
            lead=f"{row.name}. {self.lead}",
            save=lambda terms: self.amend(actor=actor, terms=terms),
            then=self.shown_at,
            cancel=self.shown_at(row),
            done=f"{row.code} is changed.",
        )


def row_or_404(rows: Any, row_id: UUID) -> Any:
    """Return a row of the actor's, or answer 404."""
    try:
        return one_of(rows, row_id)
    except UnknownReference as error:
        raise Http404(str(error)) from error


def code_or_404(rows: Any, code: str) -> Any:
    """Return the row of a code, or answer 404."""
    row = rows.filter(code=code).first()
    if row is None:
        raise Http404(f"There is no “{code}”.")
    return row


def own_organizations(request: HttpRequest) -> list[Any]:
    """
    Return the organizations for which the actor may add rows.

    :raises PermissionDenied: if there is none.
    """
    found = list(PEOPLE_CHOICES["organizations"](actor_of(request)))
    if not found:
        raise PermissionDenied("You belong to no organization that rows could be added to.")
    return found


def may_all(actor: Actor, *permissions: str) -> bool:
    return all(actor.may(permission) for permission in permissions)
