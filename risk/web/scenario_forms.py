"""Forms of scenarios: a definition with the rules of markets, and what is compared."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms

from risk.models import MoveMapping, MoveRule, ProxyRule, ScenarioDefinition, Weighting
from risk.queries.scenario_definitions import DESK, default_rule
from risk.services.scenario_definitions import FEWEST, MOST, DefinitionTerms, RuleTerms
from trading.queries.books import BookRow
from trading.queries.markets import market_names

_DATE = {"type": "date"}


class RuleForm(forms.Form):
    """How one market moves unlike the others."""

    market = forms.ChoiceField(label="Market", required=False)
    rule = forms.ChoiceField(label="Move", choices=MoveRule.choices)
    displacement = forms.FloatField(
        label="Displacement", required=False, min_value=0,
        help_text="Of a logarithm above a displacement: in the market's currency per unit.",
    )  # fmt: skip
    mapping = forms.ChoiceField(label="Delivery month", choices=MoveMapping.choices)
    proxy_market = forms.ChoiceField(
        label="Proxy", required=False, help_text="Where the market was not quoted."
    )
    proxy_rule = forms.ChoiceField(
        label="The proxy's move", required=False, choices=[("", "None"), *ProxyRule.choices]
    )

    def __init__(self, *args: Any, markets: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("market", "proxy_market"):
            self.fields[name].choices = [("", "None"), *markets]

    @property
    def terms(self) -> RuleTerms:
        given = self.cleaned_data
        return RuleTerms(
            market=given["market"], rule=MoveRule(given["rule"]),
            displacement=given["displacement"] or 0.0, mapping=MoveMapping(given["mapping"]),
            proxy_market=given["proxy_market"],
            proxy_rule=ProxyRule(given["proxy_rule"]) if given["proxy_rule"] else None,
        )  # fmt: skip


RuleFormSet = forms.formset_factory(RuleForm, extra=2, max_num=40, validate_max=True)


class DefinitionForm(forms.Form):
    """How scenarios are made, and why."""

    code = forms.CharField(
        label="Code", max_length=16, help_text=f"{DESK} is what books are valued on."
    )
    owner = forms.CharField(label="Owner", max_length=80, help_text="Who answers for it.")
    scenarios = forms.IntegerField(
        label="Scenarios", min_value=FEWEST, max_value=MOST,
        help_text="The latest daily moves, at most as many.",
    )  # fmt: skip
    horizon_days = forms.IntegerField(
        label="Trading days of a move", min_value=1, max_value=20, help_text=f"1 of {DESK}."
    )
    window_from = forms.DateField(
        label="First day", required=False, widget=forms.DateInput(attrs=_DATE)
    )
    window_until = forms.DateField(
        label="Last day", required=False, widget=forms.DateInput(attrs=_DATE),
        help_text="Empty: up to the day of the valuation.",
    )  # fmt: skip
    weighting = forms.ChoiceField(label="Weighting", choices=Weighting.choices)
    decay = forms.FloatField(label="Decay", required=False, help_text="λ of EWMA, as 0.94.")
    garch_alpha = forms.FloatField(label="GARCH α", required=False)
    garch_beta = forms.FloatField(label="GARCH β", required=False)
    rule = forms.ChoiceField(
        label="Move", choices=MoveRule.choices, help_text="Of markets without a rule of their own."
    )
    displacement = forms.FloatField(label="Displacement", required=False, min_value=0)
    mapping = forms.ChoiceField(label="Delivery month", choices=MoveMapping.choices)
    reason = forms.CharField(label="Reason", max_length=400)

    def terms(self, rules: list[RuleTerms]) -> DefinitionTerms:
        """Return what is proposed, with the rules of single markets."""
        given = self.cleaned_data
        usual = RuleTerms(
            rule=MoveRule(given["rule"]), displacement=given["displacement"] or 0.0,
            mapping=MoveMapping(given["mapping"]),
        )  # fmt: skip
        same = ("code", "owner", "scenarios", "horizon_days", "window_from", "window_until",
                "decay", "garch_alpha", "garch_beta")  # fmt: skip
        return DefinitionTerms(
            **{name: given[name] for name in same},
            weighting=Weighting(given["weighting"]),
            rules=(usual, *rules),
        )


class ComparisonForm(forms.Form):
    """A book, and two versions to value it under."""

    book = forms.TypedChoiceField(label="Book", coerce=UUID)
    first = forms.TypedChoiceField(label="Definition", coerce=int)
    second = forms.TypedChoiceField(label="Beside", coerce=int)

    def __init__(
        self, *args: Any, books: list[BookRow], versions: list[ScenarioDefinition], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["book"].choices = [(str(row.id), f"{row.code}, {row.name}") for row in books]
        choices = [(row.pk, f"{row}, {row.get_status_display().lower()}") for row in versions]
        self.fields["first"].choices = self.fields["second"].choices = choices


def initial_of(row: ScenarioDefinition | None) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the fields of a definition and of its markets' rules, as the form begins with."""
    if row is None:
        usual = {"code": DESK, "scenarios": 500, "horizon_days": 1, "displacement": None}
        return usual, []
    rules = list(row.rules.all())
    usual_rule = default_rule(rules)
    same = ("code", "owner", "scenarios", "horizon_days", "window_from", "window_until",
            "weighting", "decay", "garch_alpha", "garch_beta")  # fmt: skip
    main = {name: getattr(row, name) for name in same} | _rule(usual_rule)
    own = [
        _rule(rule)
        | {
            "market": rule.market.code,
            "proxy_market": rule.proxy_market.code if rule.proxy_market else "",
            "proxy_rule": rule.proxy_rule,
        }
        for rule in rules
        if rule.market is not None
    ]
    return main, own


def _rule(rule: Any) -> dict[str, Any]:
    return {
        "rule": rule.rule, "displacement": rule.displacement or None, "mapping": rule.mapping,
    }  # fmt: skip


def market_choices() -> list[tuple[str, str]]:
    """Return the markets to choose from, by code."""
    return [(code, f"{code}, {name}") for code, name in market_names()]
