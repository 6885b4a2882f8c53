"""The ticket: type, Enter previews, Enter books; the same without JavaScript."""

import uuid
from dataclasses import replace
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from energyopti.accounts.actors import PermissionMissing
from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from trading.deals import DealError
from trading.models import ProductKind
from trading.queries.deals import deal_of
from trading.queries.option_values import VIEW, OptionView, options_of_legs
from trading.queries.proposals import TradeInvalid
from trading.queries.trade_page import structure_rows
from trading.queries.trades import UnknownTrade, trade_by_ref
from trading.services.capture import (
    PackageItem,
    ReasonNeeded,
    Receipt,
    ReferenceReused,
    TradeStopped,
    book_fill,
    capture_mirror,
    capture_order,
    capture_package,
    save_draft,
)
from trading.services.locks import server_time
from trading.services.structure_previews import StructurePreview, ask_preview, preview_of

from .deal_forms import LineForm
from .forms import Ticket
from .product_forms import FORM_GROUPS, FORM_OF_KIND, form_of_deal

SAID = {"PENDING": "waits for release", "DRAFT": "is kept as a draft"}


@require_http_methods(["GET", "HEAD", "POST"])
@require_permission("trading.capture_trade")
def ticket(request: HttpRequest) -> HttpResponse:
    """Draw the ticket; preview what was sent, and book it when it is sent again unchanged."""
    if request.method != "POST":
        return _draw(request, _fresh(request))
    entry = _posted(request)
    if not entry.is_valid():
        return _draw(request, entry, status=422)
    action = request.POST.get("action", "go")
    if action == "draft":
        return _answer(request, entry, _save_draft)
    if entry.booking.cleaned_data["previewed"] != entry.fingerprint or action == "preview":
        return _draw(request, entry, previewed=entry.fingerprint)
    return _answer(request, entry, _book)


@require_permission("trading.capture_trade")
@require_POST
def parse(request: HttpRequest) -> HttpResponse:
    """Return the preview of what stands in the ticket, for the page to put in while typing."""
    entry = _posted(request)
    entry.is_valid()
    return render(request, "trades/_preview.html", _context(entry))


@require_permission("trading.capture_trade")
@require_POST
def ask_value(request: HttpRequest) -> HttpResponse:
    """Start to value the contract with choices in the ticket; return what waits for it."""
    entry = _posted(request)
    entry.is_valid()
    found = _ask_value(entry)
    if found is None:
        raise Http404("trade: there is nothing here that is valued like this.")
    return render(request, "trades/_structure_preview.html", {"structure": found})


@require_GET
@require_permission("trading.capture_trade")
def value_preview(request: HttpRequest, key: str) -> HttpResponse:
    """Return what is known of a value that was asked for."""
    found = preview_of(actor=actor_of(request), key=key)
    if found is None:
        raise Http404("trade: nobody asked for this value, or long ago.")
    return render(request, "trades/_structure_preview.html", {"structure": found})


def _ask_value(entry: Ticket) -> StructurePreview | None:
    """Ask for the value of a ticket's contract with choices, if its reader may see values."""
    deal = entry.deal_form.deal
    if not (entry.proposals and entry.book and deal and deal.structures and entry.actor.may(VIEW)):
        return None
    return ask_preview(
        actor=entry.actor, leg=deal.structures[0], organization_id=entry.book.organization_id
    )


def _posted(request: HttpRequest) -> Ticket:
    return Ticket.of(
        request.POST.get("kind", "LINE"), actor=actor_of(request), now=clock.now(),
        data=request.POST.copy(), files=request.FILES,
    )  # fmt: skip


def _fresh(request: HttpRequest) -> Ticket:
    """Return an empty ticket of the product that was chosen, or one like another trade's."""
    actor, kind = actor_of(request), request.GET.get("kind", "LINE")
    booking = {"client_reference": str(uuid.uuid4())}
    terms: dict[str, Any] = {}
    if like := request.GET.get("like"):
        try:
            version = trade_by_ref(actor, like)
        except UnknownTrade as error:
            raise Http404(str(error)) from error
        kind, terms = _terms_like(version, kind)
        booking |= {
            "counterparty": version.trade.counterparty.code,
            "book": version.trade.book.code,
            "basis": version.trade.basis,
            "tags": " ".join(version.trade.tags),
        }
    return Ticket.of(
        kind, actor=actor, now=clock.now(), deal_initial=terms, booking_initial=booking
    )


def _terms_like(version: Any, kind: str) -> tuple[str, dict[str, Any]]:
    """Return a trade's terms as the line, where it has one and that was asked for, or as fields."""
    deal = replace(deal_of(version), package_id="")
    if kind == LineForm.kind:
        try:
            return kind, LineForm.initial_of(deal)
        except DealError:
            pass  # no line says it; its own form does
    form = form_of_deal(deal)
    return form.kind, form.initial_of(deal)


def _answer(request: HttpRequest, entry: Ticket, verb: Any) -> HttpResponse:
    try:
        receipts: tuple[Receipt, ...] = verb(entry)
    except TradeStopped as error:
        entry.booking.add_error(None, str(error))
    except ReasonNeeded as error:
        entry.booking.add_error("reason", str(error))
    except (ReferenceReused, PermissionMissing) as error:
        entry.booking.add_error(None, str(error))
    except TradeInvalid as error:
        entry.refuse(error.field, str(error))
    else:
        first = receipts[0]
        refs = first.ref if len(receipts) == 1 else f"{first.ref} to {receipts[-1].ref}"
        said = SAID.get(first.status, "is booked")
        messages.success(request, f"{refs} {said}.")
        if request.POST.get("action") == "keep":
            return _draw(request, _kept(request))
        return HttpResponseRedirect(reverse("trading:trade", args=[first.ref]))
    return _draw(request, entry, status=422)


def _kept(request: HttpRequest) -> Ticket:
    """
    Return the ticket as it was typed, for another deal: with a reference of its own, not previewed.

    Sending the page again books nothing twice: what the browser repeats has the old reference.
    """
    data = request.POST.copy()
    data["client_reference"], data["previewed"] = str(uuid.uuid4()), ""
    entry = Ticket.of(
        data.get("kind", LineForm.kind), actor=actor_of(request), now=clock.now(), data=data
    )
    entry.is_valid()
    return entry


def _book(entry: Ticket) -> tuple[Receipt, ...]:
    found, party = entry.booking.cleaned_data, entry.counterparty
    assert entry.book is not None and party is not None, "a valid ticket has both"
    common: dict[str, Any] = {
        "actor": entry.actor,
        "traded_at": entry.traded_at,
        "received_at": entry.now,
        "reason": found["reason"],
        "client_reference": found["client_reference"],
        "tags": entry.tags,
        "text": entry.deal_form.line,
    }
    override = {"override_reason": found.get("override_reason", "")}
    if entry.mirror_book is not None:
        deal = entry.deal_form.deal
        assert deal is not None, "a valid form holds its deal"
        return capture_mirror(
            **common, **override, deal=deal, package_id=entry.package_of(deal),
            book_id=entry.book.id, mirror_book_id=entry.mirror_book.id, counterparty_id=party.id,
        )  # fmt: skip
    if len(entry.deals) > 1:
        return capture_package(
            **common, **override, is_fill=entry.is_fill, package_id=entry.deals[0].package_id,
            items=[PackageItem(deal, entry.book.id, party.id) for deal in entry.deals],
        )  # fmt: skip
    single: dict[str, Any] = {
        "deal": entry.deals[0],
        "book_id": entry.book.id,
        "counterparty_id": party.id,
    }
    if entry.is_fill:
        return (book_fill(**common, **single),)
    return (capture_order(**common, **override, **single),)


def _save_draft(entry: Ticket) -> tuple[Receipt, ...]:
    found, party = entry.booking.cleaned_data, entry.counterparty
    assert entry.book is not None and party is not None, "a valid ticket has both"
    if len(entry.deals) > 1 or entry.is_fill:
        field = "basis" if entry.is_fill else "strip_months"
        raise TradeInvalid(field, "a draft is an order of one deal.")
    return (
        save_draft(
            actor=entry.actor, deal=entry.deals[0], book_id=entry.book.id,
            counterparty_id=party.id, traded_at=entry.traded_at, received_at=entry.now,
            client_reference=found["client_reference"], tags=entry.tags,
            text=entry.deal_form.line,
        ),
    )  # fmt: skip


def _draw(
    request: HttpRequest, entry: Ticket, *, status: int = 200, previewed: str = ""
) -> HttpResponse:
    kind = entry.deal_form.kind
    context = _context(entry)
    if entry.booking.is_bound and previewed:
        entry.booking.data["previewed"] = previewed
        context["structure"] = _ask_value(entry)
    context["is_previewed"] = bool(
        context["preview"] and entry.booking["previewed"].value() == entry.fingerprint
    )
    context["tabs"] = [
        {
            "label": form.label,
            "group": group,
            "url": f"{reverse('trading:ticket')}?{urlencode({'kind': form.kind})}",
            "current": form.kind == kind,
        }
        for group, forms in FORM_GROUPS
        for form in forms
    ]
    return render(request, "trades/ticket.html", context, status=status)


def _context(entry: Ticket) -> dict[str, Any]:
    form = entry.deal_form
    ready = bool(entry.proposals) and not (
        set(entry.errors) - {"reason", "override_reason", "__all__"}
    )
    return {
        "entry": entry,
        "form": form,
        "booking": entry.booking,
        "kind": form.kind if form.kind in FORM_OF_KIND else LineForm.kind,
        "preview": ready,
        "line": form.line,
        "pointer": "" if form.caret is None else " " * form.caret + "^",
        "is_bound": form.is_bound,
        "stopped": ready and entry.is_stopped,
        "option": _option(entry) if ready else None,
        "choices": [structure_rows(leg) for leg in form.deal.structures] if form.deal else [],
        "may_see_values": entry.actor.may(VIEW),
    }


def _option(entry: Ticket) -> OptionView | None:
    """Return what an option would be worth on the curves of now, for those who may see values."""
    deal = entry.deal_form.deal
    if deal is None or deal.kind.value != ProductKind.OPTION or not entry.actor.may(VIEW):
        return None
    legs = [(0, number, leg) for number, leg in enumerate(deal.options, start=1)]
    return options_of_legs(legs, as_of=entry.now, known_at=server_time())
