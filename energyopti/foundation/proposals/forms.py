"""What a second person says of a version, on a page."""

from django import forms
from django.core.exceptions import BadRequest
from django.http import HttpRequest


class DecisionForm(forms.Form):
    """What a second person says of a version."""

    verdict = forms.ChoiceField(choices=[("approve", "Approve"), ("decline", "Decline")])
    reason = forms.CharField(max_length=400, required=False)


def verdict_of(request: HttpRequest) -> tuple[bool, str]:
    """
    Return whether a posted form approves, and its reason.

    :raises BadRequest: naming the field.
    """
    form = DecisionForm(request.POST)
    if not form.is_valid():
        raise BadRequest("; ".join(f"{name}: {text[0]}" for name, text in form.errors.items()))
    return form.cleaned_data["verdict"] == "approve", form.cleaned_data["reason"]
