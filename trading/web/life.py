"""
What may be done to a trade: each verb a form with its reason and the version that it is about.

A verb that somebody else was faster than comes back with both versions side by side and with all
that was typed; it is sent again for the version that holds now, or not at all.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
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
from energyopti.foundation.proposals.services import SecondPersonNeeded
from trading.deals import Deal, DealError, cut, deal_totals
from trading.queries.books import UnknownBook
from trading.queries.deals import deal_of
from trading.queries.option_values import VIEW, OptionView, choices_now
from trading.queries.proposals import Preview, TradeInvalid, UnknownCounterparty, preview, propose
from trading.queries.summaries import terms_json
from trading.queries.trade_page import compare, compare_terms, leg_rows, may_deal_in
from trading.queries.trades import UnknownTrade, trade_by_ref, versions_of
from trading.services.life import (
    ReasonNeeded,
    StaleVersion,
    TradeStopped,
    TransitionForbidden,
    may_follow,
)
from trading.services.locks import server_time

from .deal_forms import DealForm, Known
from .product_forms import form_of_deal
from .verbs import RELEASE, VERBS, Verb


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
        except (PermissionMissing, UnknownCounterparty, UnknownBook) as error:
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
        elif self.verb.name == "meter" and not done.is_new:
            said = "has nothing newly metered"
        elif done.is_proposed:
            said = "keeps its terms until a second person has approved the amendment"
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
                is_fact=self.verb.name == "correct" or self.version.trade.basis == "FILL",
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
        return may_follow(self.version.trade.status, self.version.event, self.verb.event)

    def _choices(self) -> OptionView | None:
        """Return whether it is better to exercise or to hold, for those who may see values."""
        if self.verb.name != "exercise" or not self.actor.may(VIEW) or not self._may_follow():
            return None
        return choices_now(self.version, now=self.now, known_at=server_time())

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
                "legs": leg_rows(deal_of(self.version)) if self.verb.name == "exercise" else (),
                "option": self._choices(),
            },
            status=status,
        )
