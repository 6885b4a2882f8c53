"""The verbs of a trade as pages offer them: what each asks for, who may, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import CalendarError
from energyopti.foundation.money import MoneyError
from energyopti.foundation.money import currency as known_currency
from trading.deals import Deal, metered_share, needs_notice
from trading.models import TradeEvent
from trading.queries.books import counterparties_for
from trading.queries.trade_page import may_deal_in
from trading.services.early_ends import TerminationFee, novate_trade, terminate_trade
from trading.services.exercise import exercise_option
from trading.services.life import (
    authors,
    may_follow,
)
from trading.services.lifecycle import (
    amend_trade,
    approve_amendment,
    cancel_trade,
    correct_trade,
    decline_amendment,
    reject_trade,
    release_trade,
    submit_draft,
)
from trading.services.metering import true_up_trade

from .forms import OVERRIDE

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


class MeterForm(ReasonForm):
    reason = forms.CharField(max_length=400, required=False)


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


class ExerciseForm(ReasonForm):
    exercised_at = forms.DateTimeField(
        required=False, label="Notice given at",
        help_text="Now, if it is left out; on the delivery point's clock.",
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )  # fmt: skip
    reason = forms.CharField(
        max_length=400, required=False, help_text="Needed where notice is recorded after expiry."
    )
    field_order = ["exercised_at", "reason"]

    def clean_exercised_at(self) -> datetime | None:
        local: datetime | None = self.cleaned_data["exercised_at"]
        if local is None:
            return None
        try:
            found: datetime = self.version.market.calendar.instant(local.replace(tzinfo=None))
        except CalendarError as error:
            raise forms.ValidationError(str(error)) from error
        return found

    def words(self) -> dict[str, Any]:
        return {**super().words(), "exercised_at": self.cleaned_data["exercised_at"]}


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

    @property
    def needs_reason(self) -> bool:
        return self.form.base_fields["reason"].required


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
            "approve", "Approve amendment", TradeEvent.APPROVE, RELEASE, ReleaseForm,
            approve_amendment, "is amended",
            "The checks are asked again, and the new terms hold.", True,
        ),
        Verb(
            "refuse", "Refuse amendment", TradeEvent.DECLINE, RELEASE, ReasonForm,
            decline_amendment, "keeps its terms",
            "The terms stay as they are, and what the amendment reserved is free.", True,
        ),
        Verb(
            "withdraw", "Withdraw amendment", TradeEvent.DECLINE, "trading.amend_trade",
            ReasonForm, decline_amendment, "keeps its terms",
            "The terms stay as they are, and what the amendment reserved is free.", True,
        ),
        Verb(
            "meter", "True up", TradeEvent.METER, "trading.amend_trade", MeterForm,
            true_up_trade, "counts as it was metered",
            "What was delivered until now counts as its plant's meter read it.", True,
        ),
        Verb(
            "correct", "Correct", TradeEvent.CORRECT, "trading.amend_trade", ReasonForm,
            correct_trade, "is corrected",
            "What was captured wrong, put right from the start. The checks are recorded and stop "
            "nothing.", terms=True, previewed=True,
        ),
        Verb(
            "exercise", "Exercise", TradeEvent.EXERCISE, "trading.exercise_option", ExerciseForm,
            exercise_option, "is exercised",
            "The holder's notice, ours or theirs. What delivers becomes a trade at the strike; "
            "what is settled in cash is paid. It cannot be taken back.", danger=True,
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


def offered(actor: Actor, version: Any, deal: Deal) -> list[Verb]:
    """
    Return the verbs that status, permission, grant and terms leave an actor; one query at most.
    """
    deals = may_deal_in(actor, version)
    found = []
    for verb in VERBS.values():
        if not may_follow(version.trade.status, version.event, verb.event):
            continue
        if not actor.may(verb.permission):
            continue
        if verb.event == TradeEvent.EXERCISE and not any(map(needs_notice, deal.options)):
            continue
        if verb.event == TradeEvent.METER and metered_share(deal) is None:
            continue
        if verb.event in (TradeEvent.APPROVE, TradeEvent.DECLINE):
            # Of one's own amendment one may only think better.
            if (verb.name == "withdraw") is not (actor.id == version.captured_by):
                continue
        elif verb.permission == RELEASE:
            if verb.name == "release" and actor.id in authors(version.trade):
                continue
        elif not deals:
            continue
        found.append(verb)
    return found
