"""
What may be done to a trade: each verb a form with its reason and the version that it is about.

A verb that somebody else was faster than comes back with both versions side by side and with all
that was typed; it is sent again for the version that holds now, or not at all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from energyopti.foundation.calendars import CalendarError, DatePeriod
from energyopti.foundation.money import MoneyError
from energyopti.foundation.money import currency as known_currency
from trading.deals import Deal, DealError, cut, deal_totals
from trading.models import TradeEvent
from trading.queries.books import counterparties_for
from trading.queries.deals import deal_of
from trading.queries.proposals import Preview, TradeInvalid, UnknownCounterparty, preview, propose
from trading.queries.summaries import terms_json
from trading.queries.trade_page import compare, compare_terms, may_deal_in
from trading.queries.trades import UnknownTrade, trade_by_ref, versions_of
from trading.services.life import (
    TRANSITIONS,
    ReasonNeeded,
    SecondPersonNeeded,
    StaleVersion,
    TradeStopped,
    TransitionForbidden,
    authors,
)
from trading.services.lifecycle import (
    TerminationFee,
    amend_trade,
    cancel_trade,
    correct_trade,
    novate_trade,
    reject_trade,
    release_trade,
    submit_draft,
    terminate_trade,
)

from .deal_forms import DealForm, Known
from .forms import OVERRIDE
from .product_forms import form_of_deal

# Whoever sees a book may let through what others captured in it; all else takes the right to deal.
RELEASE = "trading.release_trade"


class ReasonForm(forms.Form):
    """Why, and about which version."""

    asks_override = False

    reason = forms.CharField(max_length=400)
    expected_version = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    def __init__(self, *args: Any, version: Any, actor: Actor, **kwargs: Any) -> None:
        initial = {"expected_version": version.version, **kwargs.pop("initial", {})}
        super().__init__(*args, initial=initial, **kwargs)
        self.version, self.actor = version, actor
        if self.asks_override and actor.may(OVERRIDE):
            self.fields["override_reason"] = forms.CharField(
                required=False, max_length=400, label="Override",
                help_text="Why it should pass a check that stops it.",
            )  # fmt: skip

    def words(self) -> dict[str, Any]:
        """Return what every verb takes of the form."""
        found = {"reason": self.cleaned_data["reason"]}
        if "override_reason" in self.fields:
            found["override_reason"] = self.cleaned_data["override_reason"]
        return found


class SubmitForm(ReasonForm):
    asks_override = True

    reason = forms.CharField(
        max_length=400, required=False, help_text="Needed where a check has a remark."
    )
    ask_override = forms.BooleanField(
        required=False, label="Ask for an override where a check stops it"
    )

    def words(self) -> dict[str, Any]:
        return {**super().words(), "ask_override": self.cleaned_data["ask_override"]}


class ReleaseForm(ReasonForm):
    asks_override = True

    reason = forms.CharField(
        max_length=400, required=False, help_text="Needed where a check has a new remark."
    )


class AmendForm(ReasonForm):
    asks_override = True


class FromDateForm(ReasonForm):
    from_date = forms.DateField(
        label="From delivery day", help_text="What is delivered before it stays as it is.",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )  # fmt: skip
    field_order = ["counterparty", "from_date", "fee", "fee_currency", "payer", "payee", "reason"]


class NovateForm(FromDateForm):
    counterparty = forms.ChoiceField(label="New counterparty")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own, trade = counterparties_for(self.actor), self.version.trade
        self.parties = {
            party.code: party
            for party in own
            if party.organization_id == trade.organization_id and party.id != trade.counterparty_id
        }
        field = self.fields["counterparty"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(code, party.name) for code, party in self.parties.items()]

    def words(self) -> dict[str, Any]:
        party = self.parties[self.cleaned_data["counterparty"]]
        return {
            **super().words(),
            "counterparty_id": party.id,
            "from_date": self.cleaned_data["from_date"],
        }


class TerminateForm(FromDateForm):
    fee = forms.DecimalField(
        required=False, min_value=0, max_digits=18, decimal_places=2, label="Termination fee"
    )
    fee_currency = forms.RegexField(
        "^[A-Z]{3}$", required=False, max_length=3, label="Currency",
        help_text="The trade's if left out.",
    )  # fmt: skip
    payer = forms.ChoiceField(
        choices=[("us", "We pay it"), ("them", "They pay it")], required=False, label="Who pays"
    )

    def clean_fee_currency(self) -> str:
        code: str = self.cleaned_data["fee_currency"]
        try:
            return known_currency(code) if code else ""
        except MoneyError as error:
            raise forms.ValidationError(f"“{code}” is no ISO 4217 code.") from error

    def words(self) -> dict[str, Any]:
        found, fee = self.cleaned_data, None
        if found["fee"]:
            currency = found["fee_currency"] or self.version.currency
            fee = TerminationFee(found["fee"], currency, found["payer"] != "them")
        return {**super().words(), "from_date": found["from_date"], "fee": fee}


@dataclass(frozen=True)
class Verb:
    """
    A verb as pages offer it.

    in_place        asked for in a dialog of the trade's page, too
    terms           takes new terms, by the form of the product
    previewed       is shown before it is done
    """

    name: str
    label: str
    event: str
    permission: str
    form: type[ReasonForm]
    service: Callable[..., Any]
    said: str
    words: str
    in_place: bool = False
    terms: bool = False
    previewed: bool = False
    danger: bool = False


VERBS = {
    verb.name: verb
    for verb in (
        Verb(
            "submit", "Submit", TradeEvent.SUBMIT, "trading.capture_trade", SubmitForm,
            submit_draft, "is submitted",
            "The checks are asked, and it goes live or waits for a second person.", True,
        ),
        Verb(
            "release", "Release", TradeEvent.RELEASE, RELEASE, ReleaseForm,
            release_trade, "is released",
            "The checks are asked again, and it goes live.", True,
        ),
        Verb(
            "reject", "Send back", TradeEvent.REJECT, RELEASE, ReasonForm,
            reject_trade, "is sent back", "It becomes a draft again and frees what it reserved.",
            True,
        ),
        Verb(
            "amend", "Amend", TradeEvent.AMEND, "trading.amend_trade", AmendForm, amend_trade,
            "is amended", "New terms that both sides agreed on. What held before stays on record.",
            terms=True, previewed=True,
        ),
        Verb(
            "correct", "Correct", TradeEvent.CORRECT, "trading.amend_trade", ReasonForm,
            correct_trade, "is corrected",
            "What was captured wrong, put right from the start. The checks are recorded and stop "
            "nothing.", terms=True, previewed=True,
        ),
        Verb(
            "novate", "Novate", TradeEvent.NOVATE, "trading.amend_trade", NovateForm,
            novate_trade, "is novated",
            "Another counterparty takes over the rest, as a trade of its own.", previewed=True,
        ),
        Verb(
            "terminate", "Terminate", TradeEvent.TERMINATE, "trading.amend_trade", TerminateForm,
            terminate_trade, "is terminated", "It ends early, for a fee or for none.",
            previewed=True, danger=True,
        ),
        Verb(
            "cancel", "Cancel", TradeEvent.CANCEL, "trading.cancel_trade", ReasonForm,
            cancel_trade, "is cancelled",
            "Its positions go to zero as if it had never been. It stays on record and cannot be "
            "taken up again.", True, danger=True,
        ),
    )
}  # fmt: skip


def offered(actor: Actor, version: Any) -> list[Verb]:
    """Return the verbs that status, permission and grant leave an actor; one query at most."""
    deals = may_deal_in(actor, version)
    found = []
    for verb in VERBS.values():
        if (version.trade.status, verb.event) not in TRANSITIONS or not actor.may(verb.permission):
            continue
        if verb.permission == RELEASE:
            if verb.name == "release" and actor.id in authors(version.trade):
                continue
        elif not deals:
            continue
        found.append(verb)
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@require_permission("trading.view_trade")
def act(request: HttpRequest, ref: str, verb: str) -> HttpResponse:
    """Ask for a verb's words, show what it would do, and do it."""
    chosen = VERBS.get(verb)
    if chosen is None:
        raise Http404("trade: there is no such trade for you.")
    actor = actor_of(request)
    actor.require(chosen.permission)
    try:
        version = trade_by_ref(actor, ref)
    except UnknownTrade as error:
        raise Http404(str(error)) from error
    if chosen.permission != RELEASE and not may_deal_in(actor, version):
        raise PermissionMissing("trading.trade_book")
    return _Act(request, actor, chosen, version).answer()


class _Act:
    """One request of one verb on one trade."""

    def __init__(self, request: HttpRequest, actor: Actor, verb: Verb, version: Any) -> None:
        self.request, self.actor, self.verb, self.version = request, actor, verb, version
        self.now = clock.now()
        self.data = request.POST.copy() if request.method == "POST" else None
        self.form = verb.form(self.data, version=version, actor=actor)
        self.held = deal_of(version) if verb.terms or verb.previewed else None
        self.deal_form = self._deal_form() if verb.terms else None

    def _deal_form(self) -> DealForm:
        assert self.held is not None, "a verb with terms has read them"
        form = form_of_deal(self.held)
        more = {"held": self.held} if form.has_file else {}
        return form(
            self.data, self.request.FILES if self.data is not None else None,
            known=Known.now(self.version.traded_at), initial=form.initial_of(self.held), **more,
        )  # fmt: skip

    def answer(self) -> HttpResponse:
        if self.data is None:
            return self._draw(status=200 if self._may_follow() else 409)
        seen = self.data.get("expected_version", "")
        if seen != str(self.version.version):
            return self._stale(seen)
        forms_: list[forms.Form] = [self.form, *([self.deal_form] if self.deal_form else [])]
        are_valid = [form.is_valid() for form in forms_]  # both, so that both say what is wrong
        if not all(are_valid):
            return self._draw(status=422)
        try:
            if self.verb.previewed:
                shown = self._shown()
                if self.data.get("previewed") != shown["fingerprint"]:
                    return self._draw(shown=shown)
            return self._do()
        except StaleVersion as error:
            return self._stale(str(error.seen.version) if error.seen else "")
        except (TradeStopped, ReasonNeeded) as error:
            self.form.add_error("reason", str(error))
        except (TransitionForbidden, SecondPersonNeeded) as error:
            self.form.add_error(None, str(error))
            return self._draw(status=409)
        except (PermissionMissing, UnknownCounterparty) as error:
            self.form.add_error(None, str(error))
        except (TradeInvalid, DealError) as error:
            words = error.message if isinstance(error, TradeInvalid) else error.rule
            self._refuse(error.field, words)
        return self._draw(status=422)

    def _refuse(self, field: str, words: str) -> None:
        if field in self.form.fields:
            self.form.add_error(field, words)
        elif self.deal_form is not None:
            self.deal_form.refuse(field, words)
        else:
            self.form.add_error(None, f"{field}: {words}")

    def _do(self) -> HttpResponse:
        words = self.form.words()
        if self.deal_form is not None:
            words |= {"deal": self.deal_form.deal, "text": self.deal_form.line}
        done = self.verb.service(
            actor=self.actor, ref=self.version.trade.ref, received_at=self.now,
            expected_version=self.form.cleaned_data["expected_version"], **words,
        )  # fmt: skip
        said = self.verb.said
        if isinstance(done, tuple):
            said, done = f"{said}; {done[1].ref} goes on from there", done[0]
        elif self.verb.name == "submit":
            said = "waits for release" if done.status == "PENDING" else "is live"
        messages.success(self.request, f"{done.ref} {said}.")
        return HttpResponseRedirect(reverse("trading:trade", args=[done.ref]))

    def _shown(self) -> dict[str, Any]:
        """Return what a verb would do, and what tells it from another."""
        assert self.held is not None, "a previewed verb has read the terms"
        found: dict[str, Any] = {"differences": [], "preview": None, "parts": []}
        if self.deal_form is not None:
            deal = self.deal_form.deal
            assert deal is not None, "a valid form holds its deal"
            deal = replace(deal, package_id=self.version.trade.package_id)
            found["differences"] = compare_terms(self.held, deal)
            found["preview"] = self._checked(deal)
            told: list[Any] = [terms_json(deal)]
        else:
            day = self.form.cleaned_data["from_date"]
            found["parts"] = self._parts(day)
            told = [day.isoformat(), str(self.form.words().get("counterparty_id", ""))]
            told.append(str(self.form.words().get("fee", "")))
        told.append(self.version.version)
        text = json.dumps(told, sort_keys=True)
        found["fingerprint"] = hashlib.sha256(text.encode()).hexdigest()
        return found

    def _checked(self, deal: Deal) -> Preview:
        return preview(
            propose(
                actor=self.actor, deal=deal, book_id=self.version.trade.book_id,
                counterparty_id=self.version.trade.counterparty_id,
                traded_at=self.version.traded_at, received_at=self.now,
                trade_id=self.version.trade_id,
            )
        )  # fmt: skip

    def _parts(self, day: Any) -> list[tuple[str, Any]]:
        """Return what stays and what goes, as the totals of both."""
        held, deal = self.version, self.held
        assert deal is not None, "a previewed verb has read the terms"
        goes = "Passes on" if self.verb.name == "novate" else "Ends"
        if day >= held.after_date:
            raise TradeInvalid("from_date", f"delivery ends before {day}.")
        if day < held.market.calendar.date_of(self.now):
            raise TradeInvalid("from_date", f"{day} is past.")
        if day <= held.first_date:
            return [(goes, deal_totals(deal))]
        try:
            before = cut(deal, DatePeriod(held.first_date, day))
            after = cut(deal, DatePeriod(day, held.after_date))
        except (DealError, CalendarError) as error:
            raise TradeInvalid("from_date", str(error)) from error
        return [("Stays", deal_totals(before)), (goes, deal_totals(after))]

    def _may_follow(self) -> bool:
        return (self.version.trade.status, self.verb.event) in TRANSITIONS

    def _stale(self, seen: str) -> HttpResponse:
        """Show what was read beside what holds, keep what was typed, and ask about it anew."""
        assert self.data is not None, "only what is sent can be stale"
        self.version = trade_by_ref(self.actor, self.version.trade.ref)
        read = next((v for v in versions_of(self.version.trade_id) if str(v.version) == seen), None)
        if read is not None:
            read.trade = self.version.trade
        self.data["expected_version"] = str(self.version.version)
        self.data.pop("previewed", None)
        stale = {
            "seen": read,
            "rows": compare(read, self.version) if read is not None else [],
        }
        for form in (self.form, self.deal_form):
            if form is not None:
                form.is_valid()
        return self._draw(status=409, stale=stale)

    def _draw(
        self,
        *,
        status: int = 200,
        shown: dict[str, Any] | None = None,
        stale: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return render(
            self.request,
            "trades/action.html",
            {
                "verb": self.verb,
                "version": self.version,
                "trade": self.version.trade,
                "form": self.form,
                "deal_form": self.deal_form,
                "shown": shown,
                "stale": stale,
                "may_follow": self._may_follow(),
            },
            status=status,
        )
