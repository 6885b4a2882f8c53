"""The ticket: type, Enter previews, Enter books; the same without JavaScript."""

import hashlib
import json
import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST

from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from trading.deals import render_quick_text
from trading.queries.proposals import preview
from trading.services.capture import (
    ReasonNeeded,
    Receipt,
    ReferenceReused,
    TradeStopped,
    book_fill,
    capture_order,
)

from .forms import TicketForm


@require_permission("trading.capture_trade")
def ticket(request: HttpRequest) -> HttpResponse:
    """Draw the ticket; preview what was sent, and book it when it is sent again unchanged."""
    actor, now = actor_of(request), clock.now()
    if request.method != "POST":
        form = TicketForm(actor=actor, now=now, initial={"client_reference": str(uuid.uuid4())})
        return _draw(request, form)
    data = request.POST.copy()
    form = TicketForm(data, actor=actor, now=now)
    if not form.is_valid():
        return _draw(request, form, status=422)
    seen = _fingerprint(form)
    if form.cleaned_data["previewed"] != seen or request.POST.get("action") == "preview":
        data["previewed"] = seen
        again = TicketForm(data, actor=actor, now=now)
        again.is_valid()
        return _draw(request, again)
    try:
        receipt = _book(form)
    except TradeStopped as error:
        form.add_error(None, str(error))
    except ReasonNeeded as error:
        form.add_error("reason", str(error))
    except ReferenceReused as error:
        form.add_error(None, str(error))
    else:
        said = "waits for release" if receipt.status == "PENDING" else "is booked"
        messages.success(request, f"{receipt.ref} {said}.")
        return HttpResponseRedirect(reverse("trading:trade", args=[receipt.ref]))
    return _draw(request, form, status=422)


@require_permission("trading.capture_trade")
@require_POST
def parse(request: HttpRequest) -> HttpResponse:
    """Return the preview of what stands in the ticket, for the page to put in while typing."""
    form = TicketForm(request.POST, actor=actor_of(request), now=clock.now())
    form.is_valid()
    return render(request, "trades/_preview.html", _context(form))


def _book(form: TicketForm) -> Receipt:
    deal, proposal, found = form.deal, form.proposal, form.cleaned_data
    assert deal is not None and proposal is not None, "a valid form holds its deal"
    verb = book_fill if found["basis"] == "FILL" else capture_order
    return verb(
        actor=form.actor,
        deal=deal.terms.deal,
        book_id=proposal.book_id,
        counterparty_id=proposal.counterparty_id,
        traded_at=form.now,
        received_at=form.now,
        reason=found["reason"],
        client_reference=found["client_reference"],
        tags=deal.tags,
        text=form.line,
    )


def _draw(request: HttpRequest, form: TicketForm, status: int = 200) -> HttpResponse:
    return render(request, "trades/ticket.html", _context(form), status=status)


def _context(form: TicketForm) -> dict[str, object]:
    shown = preview(form.proposal) if form.proposal is not None else None
    return {
        "form": form,
        "preview": shown,
        "deal": form.deal,
        "line": form.line,
        "parties": form.parties,
        "pointer": "" if form.caret is None else " " * form.caret + "^",
        "is_previewed": bool(shown and form.data.get("previewed")),
        "is_bound": form.is_bound,
        "detail_fields": [form[name] for name in (
            "side", "quantity", "area", "product", "period", "price", "counterparty", "book",
        )],
        "stopped": bool(shown and shown.is_stopped and form.data.get("basis") != "FILL"),
    }  # fmt: skip


def _fingerprint(form: TicketForm) -> str:
    """Return what tells the previewed deal from another: a changed one is previewed again."""
    deal, proposal = form.deal, form.proposal
    assert deal is not None and proposal is not None, "a valid form holds its deal"
    parts = [
        render_quick_text(deal), str(proposal.book_id), str(proposal.counterparty_id),
        form.cleaned_data["basis"],
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
