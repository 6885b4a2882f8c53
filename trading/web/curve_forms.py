"""What people type on the curve pages."""

from typing import Any

from django import forms

from ..models import CurveFit, CurveMethod, HolidayCalendar
from ..queries.price_tolerances import DEFAULT_TOLERANCE


class DefineForm(forms.Form):
    """How a curve of a market is made; persons always publish under four eyes."""

    code = forms.SlugField(max_length=24, initial="FORWARD")
    method = forms.ChoiceField(choices=CurveMethod.choices)
    minutes = forms.TypedChoiceField(
        choices=[(60, "Hours"), (30, "Half hours"), (15, "Quarter hours")], coerce=int,
        label="Fine grid",
    )  # fmt: skip
    tolerance = forms.DecimalField(
        min_value=0, max_digits=9, decimal_places=4, initial="0.01",
        help_text="Price units that overlapping quotes may differ before it is a conflict.",
    )  # fmt: skip

    fit = forms.ChoiceField(
        choices=CurveFit.choices, label="Meets", initial=CurveFit.MIDS,
        help_text="Within bid and ask, prices are moved as little as makes all agree.",
    )  # fmt: skip
    history_days = forms.IntegerField(
        min_value=1, max_value=3660, initial=730, label="Days of spot history",
        help_text="What a history-shaped curve learns from.",
    )  # fmt: skip
    price_amount = forms.DecimalField(
        min_value=0, max_digits=9, decimal_places=4, label="Price check, price units",
        initial=DEFAULT_TOLERANCE.amount,
        help_text="How far another source may be off at the end of day before it is named.",
    )  # fmt: skip
    price_percent = forms.DecimalField(
        min_value=0, max_value=100, max_digits=5, decimal_places=2, label="Price check, %",
        initial=DEFAULT_TOLERANCE.percent, help_text="Of the curve's price; the larger counts.",
    )  # fmt: skip
    holiday_calendar = forms.ModelChoiceField(
        HolidayCalendar.objects.order_by("code"), required=False, empty_label="None",
        label="Holidays", help_text="Days that a history-shaped curve takes for Sundays.",
    )  # fmt: skip


class ChangeForm(DefineForm):
    """How a curve that is there is made from now on."""

    code = None


class WithdrawForm(forms.Form):
    """A wrong quote to take back."""

    quote = forms.TypedChoiceField(coerce=int)
    reason = forms.CharField(max_length=400)

    def __init__(self, *args: Any, quotes: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["quote"] = forms.TypedChoiceField(coerce=int, choices=quotes)


class EditForm(forms.Form):
    """A node to set by hand."""

    contract = forms.CharField(max_length=16, help_text="Such as Mar27; the finest decides.")
    load = forms.ChoiceField()
    price = forms.FloatField()
    reason = forms.CharField(max_length=400)

    def __init__(self, *args: Any, loads: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["load"] = forms.ChoiceField(choices=[(load, load) for load in loads])


class DecisionForm(forms.Form):
    """Approve or reject; a rejection says why."""

    reason = forms.CharField(max_length=400, required=False)


class QuoteFileForm(forms.Form):
    """A CSV file of quotes, of a kind that its sender may book."""

    kind = forms.ChoiceField()
    file = forms.FileField(label="CSV file")

    def __init__(self, *args: Any, kinds: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"] = forms.ChoiceField(choices=kinds)
