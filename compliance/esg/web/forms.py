"""Forms of the ESG pages."""

from datetime import date
from typing import Any

from django import forms
from django.db.models import QuerySet


class BuildForm(forms.Form):
    """Which month's report to build."""

    organization = forms.ModelChoiceField(queryset=None)
    month = forms.CharField(
        widget=forms.TextInput(attrs={"type": "month"}),
        help_text="Year and month, such as 2027-03.",
    )

    def __init__(self, *args: Any, organizations: "QuerySet[Any]", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["organization"]
        field.queryset = organizations

    def clean_month(self) -> date:
        text = self.cleaned_data["month"].strip()
        try:
            return date.fromisoformat(f"{text}-01")
        except ValueError as error:
            raise forms.ValidationError(
                "Write the month as year-month, such as 2027-03."
            ) from error
