"""Forms of rules and tickets."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from support.models import Metric, Severity, TicketStatus


class RuleForm(forms.Form):
    """A new alert rule; the service has the last word."""

    organization = forms.ModelChoiceField(queryset=None)
    name = forms.CharField(max_length=120)
    market = forms.ChoiceField()
    metric = forms.ChoiceField(choices=Metric.choices, label="Fires when")
    threshold = forms.DecimalField(
        max_digits=14, decimal_places=4, help_text="Currency of the market per MWh."
    )
    severity = forms.ChoiceField(choices=Severity.choices, initial=Severity.WARNING)
    cooldown_minutes = forms.IntegerField(
        min_value=0, max_value=10080, initial=60, label="Quiet minutes after it was resolved"
    )
    channel_url = forms.CharField(
        max_length=400,
        required=False,
        label="Messaging address",
        help_text="Beside e-mail: an address such as slack://… or jsons://host/path.",
    )

    def __init__(
        self, *args: Any, organizations: "QuerySet[Any]", markets: list[str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organization"].queryset = organizations
        self.fields["market"].choices = [(code, code) for code in markets]


class TicketForm(forms.Form):
    """A new ticket."""

    organization = forms.ModelChoiceField(queryset=None)
    subject = forms.CharField(max_length=200)
    body = forms.CharField(widget=forms.Textarea(attrs={"rows": 6}), label="What happened")
    severity = forms.ChoiceField(choices=Severity.choices, initial=Severity.INFO)

    def __init__(self, *args: Any, organizations: "QuerySet[Any]", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organization"].queryset = organizations


class AnswerForm(forms.Form):
    """A message of a thread."""

    body = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4}), max_length=20_000, label="Answer"
    )


class NoteForm(AnswerForm):
    """A message that may stay inside."""

    is_internal = forms.BooleanField(required=False, label="Internal note, not for the customer")


class StatusForm(forms.Form):
    """Where a ticket stands."""

    status = forms.ChoiceField(choices=TicketStatus.choices)
