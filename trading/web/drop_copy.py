"""The inbox of drop copies: what came, what waits for a person, and what a person does with it."""

from collections.abc import Callable, Collection
from typing import Any, cast
from uuid import UUID

import django_filters
import django_tables2 as tables
from django import forms
from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from energyopti.accounts.actors import Actor
from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from energyopti.foundation.tables.columns import MomentColumn, StatusColumn
from energyopti.foundation.tables.pages import BulkAction, TablePage

from ..markets.fix import ExecKind
from ..models import INBOX_STATES, DropCopyMessage, DropCopyVenue, InboxState
from ..queries.books import books_for, counterparties_for
from ..queries.drop_copy import (
    OPEN_STATES,
    UnknownMessage,
    fields_of,
    history_of,
    inbox_rows,
    message_for,
    products_of,
    sessions,
)
from ..services.drop_copy_inbox import (
    InboxRefused,
    assign_and_book,
    assign_several,
    retry_message,
    settle_by_hand,
)

VIEW = "trading.view_drop_copy"
BOOK = "trading.book_fill"
LEVELS = {
    "BOOKED": "good", "BUSTED": "info", "UNMATCHED": "warn", "BY_HAND": "bad",
}  # fmt: skip
WAITING = "WAITING"
_EXEC_TYPES = {ExecKind.TRADE: "execution", ExecKind.CORRECT: "correction", ExecKind.CANCEL: "bust"}


def _trade_address(value: str) -> str | None:
    return reverse("trading:trade", args=[value]) if value else None


class InboxTable(tables.Table):
    id = tables.Column(
        "Message", linkify=("trading:drop_copy_message", {"message_id": tables.A("pk")})
    )
    received_at = MomentColumn(verbose_name="Received")
    venue = tables.Column(accessor="venue__code")
    exec_type = tables.Column("Kind")
    exec_id = tables.Column("ExecID")
    trade_date = MomentColumn(is_date=True, verbose_name="Trade date")
    state = StatusColumn(levels=LEVELS)
    reason = tables.Column()
    trade_ref = tables.Column("Trade", linkify=_trade_address, attrs={"td": {"class": "nowrap"}})
    times_seen = tables.Column("Times seen")
    remarks = tables.Column()
    source = tables.Column()

    def render_exec_type(self, value: str) -> str:
        return _EXEC_TYPES.get(ExecKind(value), value) if value in _KINDS else value


_KINDS = {str(kind) for kind in ExecKind}


class InboxFilter(django_filters.FilterSet):
    state = django_filters.ChoiceFilter(
        choices=[(WAITING, "Waits for a person"), *INBOX_STATES], method="of_state"
    )
    venue = django_filters.CharFilter("venue__code", lookup_expr="iexact")
    exec_id = django_filters.CharFilter(lookup_expr="icontains", label="ExecID")
    trade_ref = django_filters.CharFilter(lookup_expr="iexact", label="Trade")
    trade_date = django_filters.DateFilter(
        label="Trade date", widget=forms.DateInput(attrs={"type": "date"})
    )

    def of_state(self, rows: QuerySet[Any], _: str, value: str) -> QuerySet[Any]:
        return rows.filter(state__in=OPEN_STATES if value == WAITING else [value])


class InboxPage(TablePage):
    name = "trading.drop_copy"
    permission = VIEW
    table_class = InboxTable
    filterset_class = InboxFilter
    template_name = "trades/drop_copy.html"
    title = "Drop copy"
    lead = "Executions as venues reported them, and what became of each."
    default_columns = (
        "id", "received_at", "venue", "exec_type", "exec_id", "state", "reason", "trade_ref",
    )  # fmt: skip
    default_sort = "-id"
    bulk_actions = (
        BulkAction("retry", "Try again", permission=BOOK),
        BulkAction("assign", "Assign and book", permission=BOOK),
    )
    confirm_template = "trades/drop_copy_confirm.html"
    empty_title = "No message has come"
    empty_text = "A drop copy is set up by manage.py drop_copy configure."

    def rows(self) -> QuerySet[Any]:
        # The bytes of a message are for its own page.
        return inbox_rows(cast(Actor, self.actor)).defer("raw")

    def extra_context(self) -> dict[str, Any]:
        return {"sessions": sessions(cast(Actor, self.actor)), "waiting": WAITING}

    def confirm_context(self, action: BulkAction, rows: QuerySet[Any]) -> dict[str, Any]:
        if action.name != "assign":
            return {}
        chosen = list(_assignable(rows).select_related("venue"))
        if not chosen:
            raise InboxRefused("message", "none of those selected is an execution that waits.")
        return {
            "form": AssignForm(actor=cast(Actor, self.actor), venues={row.venue for row in chosen}),
            "fit": len(chosen),
            "unfit": rows.count() - len(chosen),
        }

    def _bulk(self, name: str) -> HttpResponse:
        try:
            return super()._bulk(name)
        except (InboxRefused, UnknownMessage) as error:
            messages.error(self.request, f"Nothing was changed. {error}")
            return HttpResponseRedirect(self.address.link(without=()))

    def run_bulk(self, action: BulkAction, rows: QuerySet[Any]) -> str:
        if action.name == "assign":
            return self._assign(rows)
        return self._retry(rows)

    def _assign(self, rows: QuerySet[Any]) -> str:
        actor = cast(Actor, self.actor)
        chosen = list(_assignable(rows).select_related("venue"))
        form = AssignForm(self.request.POST, actor=actor, venues={row.venue for row in chosen})
        if not form.is_valid():
            raise InboxRefused(*next((f, str(e[0])) for f, e in form.errors.items()))
        done = assign_several(
            actor=actor, message_ids=[row.pk for row in chosen], received_at=clock.now(),
            **form.assigned(),
        )  # fmt: skip
        return f"{len(done)} execution{'' if len(done) == 1 else 's'} booked."

    def _retry(self, rows: QuerySet[Any]) -> str:
        actor, now = cast(Actor, self.actor), clock.now()
        waiting = rows.filter(state=InboxState.UNMATCHED).order_by("id")
        settled = tried = 0
        for pk in list(waiting.values_list("pk", flat=True)[:500]):
            try:
                row = retry_message(actor=actor, message_id=pk, received_at=now)
            except UnknownMessage:  # settled by one before it
                continue
            tried += 1
            settled += row.state not in OPEN_STATES
        return f"{tried} tried again: {settled} settled, {tried - settled} still wait."


def _assignable(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.filter(state=InboxState.UNMATCHED, exec_type=str(ExecKind.TRADE))


class AssignForm(forms.Form):
    """What venues' words mean, for some messages; a product is one of a single venue."""

    book = forms.ChoiceField(required=False, help_text="In place of the account's (1).")
    counterparty = forms.ChoiceField(required=False, help_text="In place of the parties' (453).")
    product = forms.ChoiceField(required=False, help_text="In place of the symbol's (55).")

    def __init__(
        self, *args: Any, actor: Actor, venues: Collection[DropCopyVenue], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        owners = {venue.organization_id for venue in venues}
        if len(owners) > 1:
            raise InboxRefused("message", "those selected are of several organizations.")
        as_mapped = ("", "As mapped")
        self.fields["book"].choices = [
            as_mapped,
            *(
                (str(book.id), f"{book.code}, {book.name}")
                for book in books_for(actor, level="trade")
                if book.organization_id in owners
            ),
        ]
        self.fields["counterparty"].choices = [
            as_mapped,
            *(
                (str(party.id), f"{party.code}, {party.name}")
                for party in counterparties_for(actor)
                if party.organization_id in owners
            ),
        ]
        known = [products_of(venue) for venue in venues] if len(venues) == 1 else []
        self.fields["product"].choices = [
            as_mapped, *((str(pk), words) for found in known for pk, words in found),
        ]  # fmt: skip

    def assigned(self) -> dict[str, Any]:
        found = self.cleaned_data
        return {
            "book_id": UUID(found["book"]) if found["book"] else None,
            "counterparty_id": UUID(found["counterparty"]) if found["counterparty"] else None,
            "product_id": int(found["product"]) if found["product"] else None,
        }


class SettleForm(forms.Form):
    """What a person did about a message."""

    trade_ref = forms.CharField(
        label="Trade", max_length=16, required=False,
        help_text="That you booked, corrected or cancelled; empty sets the message aside.",
    )  # fmt: skip
    reason = forms.CharField(max_length=300)

    def clean_trade_ref(self) -> str:
        return str(self.cleaned_data["trade_ref"]).strip().upper()


@require_GET
@require_permission(VIEW)
def message(request: HttpRequest, message_id: int) -> HttpResponse:
    """Show a message: its fields, why it is where it is, and what can be done."""
    return _page(request, _found(request, message_id))


@require_POST
@require_permission(VIEW)
def try_again(request: HttpRequest, message_id: int) -> HttpResponse:
    """Book a message again, now that its mapping may be there."""
    _found(request, message_id)
    actor_of(request).require(BOOK)
    row = _or_404(
        lambda: retry_message(
            actor=actor_of(request), message_id=message_id, received_at=clock.now()
        )
    )
    if row.state in OPEN_STATES:
        messages.error(request, f"It still waits: {row.reason}")
    else:
        messages.success(request, f"It is {row.get_state_display().lower()}. {row.trade_ref}")
    return _back(message_id)


@require_POST
@require_permission(VIEW)
def assign(request: HttpRequest, message_id: int) -> HttpResponse:
    """Book an execution in the book, with the counterparty and as the product that were chosen."""
    row, actor = _found(request, message_id), actor_of(request)
    actor.require(BOOK)
    form = AssignForm(request.POST, actor=actor, venues=[row.venue])
    if form.is_valid():
        try:
            row = _or_404(
                lambda: assign_and_book(
                    actor=actor, message_id=message_id, received_at=clock.now(), **form.assigned()
                )
            )
        except InboxRefused as error:
            form.add_error(error.field if error.field in form.fields else None, error.rule)
        else:
            messages.success(request, f"{row.trade_ref} is booked.")
            return _back(message_id)
    return _page(request, row, assign_form=form)


@require_POST
@require_permission(VIEW)
def settle(request: HttpRequest, message_id: int) -> HttpResponse:
    """Set a message aside with a reason, or name the trade that a person made of it."""
    row, actor = _found(request, message_id), actor_of(request)
    actor.require(BOOK)
    form = SettleForm(request.POST)
    if form.is_valid():
        try:
            _or_404(lambda: settle_by_hand(actor=actor, message_id=message_id, **form.cleaned_data))
        except InboxRefused as error:
            form.add_error(error.field if error.field in form.fields else None, error.rule)
        else:
            messages.success(request, "The message is settled.")
            return _back(message_id)
    return _page(request, row, settle_form=form)


def _page(
    request: HttpRequest,
    row: DropCopyMessage,
    *,
    assign_form: AssignForm | None = None,
    settle_form: SettleForm | None = None,
) -> HttpResponse:
    actor = actor_of(request)
    may_book = actor.may(BOOK)
    waits_for_mapping = row.state == InboxState.UNMATCHED
    if may_book and waits_for_mapping and row.exec_type == ExecKind.TRADE:
        assign_form = assign_form or AssignForm(actor=actor, venues=[row.venue])
    context = {
        "row": row,
        "kind": _EXEC_TYPES.get(ExecKind(row.exec_type), "") if row.exec_type in _KINDS else "",
        "level": LEVELS.get(row.state, ""),
        "fields": fields_of(row),
        "others": history_of(row),
        "assign_form": assign_form,
        "settle_form": (settle_form or SettleForm())
        if may_book and row.state in OPEN_STATES
        else None,
        "may_retry": may_book and waits_for_mapping,
    }
    refused = any(form is not None and form.errors for form in (assign_form, settle_form))
    return render(request, "trades/drop_copy_message.html", context, status=422 if refused else 200)


def _found(request: HttpRequest, message_id: int) -> DropCopyMessage:
    return _or_404(lambda: message_for(actor_of(request), message_id))


def _or_404(verb: Callable[[], DropCopyMessage]) -> DropCopyMessage:
    try:
        return verb()
    except UnknownMessage as error:
        raise Http404(str(error)) from error


def _back(message_id: int) -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("trading:drop_copy_message", args=[message_id]))
