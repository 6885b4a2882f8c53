"""Forms of limits and breaches."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms

from energyopti.accounts.actors import Actor
from energyopti.accounts.queries.people import members_of
from risk.enums import Dimension, Excess, LimitMeasure, LossPeriod
from risk.services.limit_terms import LimitTerms
from trading.queries.books import books_for, counterparties_for
from trading.queries.markets import commodity_choices, market_choices

_NONE = [("", "None")]


class ProposeLimitForm(forms.Form):
    """A limit as somebody proposes it, and why."""

    scope = forms.ChoiceField(label="Of", help_text="A book counts with the books below it.")
    measure = forms.ChoiceField(choices=LimitMeasure.choices())
    amount = forms.DecimalField(max_digits=20, decimal_places=2)
    unit = forms.CharField(
        max_length=12,
        required=False,
        help_text="Empty: the book's currency, MWh, % or months, as the measure has it. Volumes "
        "may be in MW.",
    )
    confidence = forms.TypedChoiceField(
        coerce=Decimal,
        empty_value=None,
        required=False,
        choices=[*_NONE, ("0.99", "99 %"), ("0.975", "97.5 %"), ("0.95", "95 %")],
        help_text="Of value at risk and expected shortfall.",
    )
    period = forms.ChoiceField(
        required=False, choices=[*_NONE, *LossPeriod.choices()], help_text="Of a loss."
    )
    dimension = forms.ChoiceField(
        required=False, choices=[*_NONE, *Dimension.choices()], help_text="Of a concentration."
    )
    market = forms.ChoiceField(required=False, help_text="Of volumes and delta.")
    commodity = forms.ChoiceField(required=False, help_text="Of volumes and delta.")
    warn_share = forms.DecimalField(
        label="Told from",
        max_digits=4,
        decimal_places=3,
        initial=Decimal("0.8"),
        help_text="Part of the amount: 0.8 is 80 %.",
    )
    excess = forms.ChoiceField(
        label="An order over it", choices=Excess.choices(), initial=Excess.HARD.value
    )
    reason = forms.CharField(max_length=400)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members, parties = members_of(actor), counterparties_for(actor)
        self.fields["scope"].choices = [
            ("Books", [(f"book:{b.id}", f"{b.code} – {b.name}") for b in books_for(actor)]),
            (
                "Counterparties",
                [(f"counterparty:{c.id}", f"{c.code} – {c.name}") for c in parties],
            ),
            (
                "Traders",
                [(f"trader:{m.user_id}", m.name) for m in members if "Trader" in m.roles],
            ),
        ]
        self.fields["market"].choices = [*_NONE, *market_choices()]
        self.fields["commodity"].choices = [*_NONE, *commodity_choices()]

    @property
    def terms(self) -> LimitTerms:
        """Return what was entered; the form is valid."""
        given = self.cleaned_data
        kind, _, key = given["scope"].partition(":")
        return LimitTerms(
            measure=LimitMeasure(given["measure"]),
            amount=given["amount"],
            unit=given["unit"],
            confidence=given["confidence"],
            period=given["period"],
            dimension=given["dimension"],
            market=given["market"],
            commodity=given["commodity"],
            warn_share=given["warn_share"],
            excess=Excess(given["excess"]),
            **{f"{kind}_id": UUID(key)},
        )


class IncreaseForm(forms.Form):
    """A temporary increase, in UTC."""

    amount = forms.DecimalField(label="Added amount", max_digits=20, decimal_places=2)
    start_at = forms.DateTimeField(
        label="From, UTC", widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    end_at = forms.DateTimeField(
        label="Until, UTC", widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    increase_reason = forms.CharField(label="Reason", max_length=400)

    def clean_start_at(self) -> datetime:
        return _utc(self.cleaned_data["start_at"])

    def clean_end_at(self) -> datetime:
        return _utc(self.cleaned_data["end_at"])


class RemovalForm(forms.Form):
    """Why a limit goes."""

    removal_reason = forms.CharField(label="Reason", max_length=400)


class NoteForm(forms.Form):
    """What is said of a breach."""

    note = forms.CharField(
        max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


def _utc(entered: datetime) -> datetime:
    # A browser sends wall-clock time without a zone; the label says which it is.
    return entered.replace(tzinfo=UTC)
