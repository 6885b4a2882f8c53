"""The files of a trade: put on, handed out as they came, withdrawn with a reason."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_GET, require_http_methods

from energyopti.accounts.actors import Actor
from energyopti.accounts.requests import actor_of, require_permission
from trading.files import MEDIA_TYPES
from trading.models import DocumentKind
from trading.queries.documents import UnknownDocument, document_of, documents_of
from trading.queries.proposals import TradeInvalid
from trading.queries.trades import UnknownTrade, trade_by_ref
from trading.services.documents import LARGEST_FILE, attach_document, withdraw_document

VIEW = "trading.view_tradedocument"
ADD = "trading.add_tradedocument"
WITHDRAW = "trading.add_documentwithdrawal"
ENDINGS = ",".join(f".{ending}" for ending in MEDIA_TYPES)


class DocumentForm(forms.Form):
    """A file and what it is."""

    kind = forms.ChoiceField(choices=DocumentKind.choices)
    file = forms.FileField(
        help_text=f"PDF, PNG, JPEG, text, CSV, DOCX or XLSX; at most {LARGEST_FILE // 1024**2} MB.",
        widget=forms.ClearableFileInput(attrs={"accept": ENDINGS}),
    )
    note = forms.CharField(max_length=200, required=False)

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST_FILE:  # before it is read into memory
            raise forms.ValidationError(f"must have at most {LARGEST_FILE:,} bytes.")
        return file


class WithdrawForm(forms.Form):
    reason = forms.CharField(max_length=400)


def documents_panel(actor: Actor, version: Any) -> dict[str, Any]:
    """Return what the panel of a trade's page shows; one query."""
    return {
        "trade": version.trade,
        "documents": documents_of(version.trade_id),
        "form": DocumentForm() if actor.may(ADD) else None,
        "may_withdraw": actor.may(WITHDRAW),
    }


@require_http_methods(["GET", "HEAD", "POST"])
@require_permission(VIEW)
def documents(request: HttpRequest, ref: str) -> HttpResponse:
    """Show the files of a trade; take one more."""
    actor, version = _found(request, ref)
    context = documents_panel(actor, version)
    if request.method == "POST":
        actor.require(ADD)
        form = context["form"] = DocumentForm(request.POST, request.FILES)
        if form.is_valid():
            try:
                made = attach_document(
                    actor=actor, ref=ref, kind=form.cleaned_data["kind"],
                    name=form.cleaned_data["file"].name,
                    content=form.cleaned_data["file"].read(), note=form.cleaned_data["note"],
                )  # fmt: skip
            except TradeInvalid as error:
                form.add_error(error.field if error.field in form.fields else None, error.message)
            else:
                messages.success(request, f"{made.name} is on file.")
                return _back(ref)
    status = 422 if context["form"] is not None and context["form"].errors else 200
    return render(request, "trades/documents.html", context, status=status)


@require_GET
@require_permission(VIEW)
def document(request: HttpRequest, ref: str, uid: UUID) -> HttpResponse:
    """Hand a file out to be saved: never shown in the page's own origin, never guessed at."""
    actor = actor_of(request)
    try:
        found = document_of(actor, ref, uid)
    except (UnknownTrade, UnknownDocument) as error:
        raise Http404(str(error)) from error
    return HttpResponse(
        bytes(found.content),
        content_type=found.media_type,
        headers={
            "Content-Disposition": content_disposition_header(True, found.name) or "attachment",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, no-store",
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@require_permission(WITHDRAW)
def withdraw(request: HttpRequest, ref: str, uid: UUID) -> HttpResponse:
    """Ask why a file no longer counts, and withdraw it."""
    actor, version = _found(request, ref)
    found = next((d for d in documents_of(version.trade_id) if d.uid == uid), None)
    if found is None:
        raise Http404("document: this trade has no such file.")
    form = WithdrawForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            withdraw_document(actor=actor, ref=ref, uid=uid, reason=form.cleaned_data["reason"])
        except TradeInvalid as error:
            form.add_error("reason" if error.field == "reason" else None, error.message)
        else:
            messages.success(request, f"{found.name} is withdrawn.")
            return _back(ref)
    return render(
        request,
        "trades/document_withdraw.html",
        {"trade": version.trade, "document": found, "form": form},
        status=422 if form.errors else 200,
    )


def _found(request: HttpRequest, ref: str) -> tuple[Actor, Any]:
    actor = actor_of(request)
    try:
        return actor, trade_by_ref(actor, ref)
    except UnknownTrade as error:
        raise Http404(str(error)) from error


def _back(ref: str) -> HttpResponse:
    return HttpResponseRedirect(reverse("trading:trade", args=[ref]) + "#documents")
