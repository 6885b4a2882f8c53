"""The form of a stress: its words, and its shocks in their order."""

from __future__ import annotations

from typing import Any

from django import forms

from risk.models import MoveRule, StressTarget
from risk.services.stresses import ShockTerms, StressTerms

_DATE = {"type": "date"}


class ShockForm(forms.Form):
    """One shock; without a name it is left out."""

    name = forms.CharField(label="Name", max_length=80, required=False)
    target = forms.ChoiceField(label="Moves", choices=StressTarget.choices)
    market = forms.ChoiceField(label="Market", required=False, help_text="None: every market.")
    size = forms.FloatField(
        label="Size", required=False,
        help_text="0.5 is +50 %; of an amount in currency per unit; 0.1 is ten volatility points.",
    )  # fmt: skip
    rule = forms.ChoiceField(label="Size is", choices=MoveRule.choices, help_text="Of prices.")
    displacement = forms.FloatField(label="Displacement", required=False, min_value=0)
    currency = forms.CharField(
        label="Currency", max_length=3, required=False, help_text="Of an exchange rate."
    )
    event_from = forms.DateField(
        label="First day", required=False, widget=forms.DateInput(attrs=_DATE),
        help_text="Of a move between two past days.",
    )  # fmt: skip
    event_until = forms.DateField(
        label="Last day", required=False, widget=forms.DateInput(attrs=_DATE)
    )
    first_tenor = forms.IntegerField(label="From month +", required=False, min_value=0)
    last_tenor = forms.IntegerField(label="To month +", required=False, min_value=0)

    def __init__(self, *args: Any, markets: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["market"].choices = [("", "None"), *markets]
        self.fields["rule"].initial = MoveRule.RELATIVE

    @property
    def terms(self) -> ShockTerms:
        given = self.cleaned_data
        same = ("name", "market", "event_from", "event_until", "first_tenor", "last_tenor")
        return ShockTerms(
            **{name: given[name] for name in same},
            target=StressTarget(given["target"]), size=given["size"] or 0.0,
            rule=MoveRule(given["rule"]), displacement=given["displacement"] or 0.0,
            currency=given["currency"].upper(),
        )  # fmt: skip


ShockFormSet = forms.formset_factory(ShockForm, extra=3, max_num=20, validate_max=True)


class StressForm(forms.Form):
    """What a stress is called, where its sizes come from, and why."""

    code = forms.CharField(label="Code", max_length=24)
    name = forms.CharField(label="Name", max_length=80)
    source = forms.CharField(label="Where the sizes come from", max_length=200)
    owner = forms.CharField(label="Owner", max_length=80)
    reason = forms.CharField(label="Reason", max_length=400)

    def terms(self, shocks: list[ShockTerms]) -> StressTerms:
        """Return what is proposed."""
        given = self.cleaned_data
        return StressTerms(
            given["code"], given["name"], given["source"], given["owner"], tuple(shocks)
        )
