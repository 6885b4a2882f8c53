"""The page of correlations: a heat map that is its own table."""

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from energyopti.accounts.requests import actor_of, require_permission
from risk.queries.correlations import TENORS, VIEW, correlations

_CHOICES = [(str(n), f"+{n}") for n in (0, 1, 2, 3, 6, 12, 24)]


class TenorForm(forms.Form):
    """Which months to delivery stand for each curve."""

    tenors = forms.TypedMultipleChoiceField(
        label="Months to delivery", coerce=int, choices=_CHOICES, required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip


@require_GET
@require_permission(VIEW)
def page(request: HttpRequest) -> HttpResponse:
    """Show how the markets move together in the latest scenarios."""
    form = TenorForm(request.GET if "tenors" in request.GET else {"tenors": [*map(str, TENORS)]})
    is_valid = form.is_valid()
    chosen = form.cleaned_data["tenors"] if is_valid else []
    found = correlations(actor_of(request), tenors=chosen or TENORS)
    rows = [
        (name, [(value, _shade(value)) for value in row])
        for name, row in zip(found.names, found.values, strict=True)
    ]
    context = {"found": found, "rows": rows, "form": form}
    return render(request, "risk/correlations.html", context, status=200 if is_valid else 422)


def _shade(value: float | None) -> str:
    """Return the class of a cell: five steps each way, by size."""
    if value is None or abs(value) < 0.1:
        return ""
    step = min(5, 1 + int(5 * (abs(value) - 0.1) / 0.9))
    return f"long-{step}" if value > 0 else f"short-{step}"
