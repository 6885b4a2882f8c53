"""Forms of reference data: each says what a file says of a row, in the words of its terms."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from trading.models import (
    AgreementKind,
    Commodity,
    CommodityKind,
    CounterpartyStatus,
    Delivery,
    HolidayCalendar,
    HolidayRule,
    IndexFrequency,
    LoadShape,
    Market,
    MarketKind,
    ProductKind,
    ShapeCalendar,
    Technology,
)
from trading.reference import (
    AgreementTerms,
    AnnexTerms,
    ApprovedProductTerms,
    BookTerms,
    CommodityTerms,
    CounterpartyTerms,
    FxRateTerms,
    IndexTerms,
    MarketTerms,
    NettingSetTerms,
    PlantTerms,
    ShapeTerms,
)
from trading.services.reference_files.cells import Cell, Collateral, DayStart, MinuteOfDay

NONE = ("", "none")


class CellField(forms.CharField):
    """A field that is written as its cell in a file is."""

    def __init__(self, cell: Cell, **kwargs: Any) -> None:
        super().__init__(required=not cell.optional, **kwargs)
        self.cell = cell

    def clean(self, value: Any) -> Any:
        if self.disabled:
            return value
        text = super().clean(value)
        try:
            return self.cell.clean(text)
        except ValueError as error:
            raise ValidationError(str(error)) from error

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else self.cell.render(value)


def date_field(**kwargs: Any) -> forms.DateField:
    return forms.DateField(
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **kwargs
    )


def clock_field(**kwargs: Any) -> forms.TimeField:
    return forms.TimeField(widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"), **kwargs)


def one_of(choices: Any, *, optional: str = "", **kwargs: Any) -> forms.ChoiceField:
    empty = [("", optional)] if optional else []
    return forms.ChoiceField(choices=[*empty, *choices.choices], required=not optional, **kwargs)


def codes(rows: Any) -> list[tuple[str, str]]:
    """Return rows with a code and a name as choices."""
    return [(code, f"{code}, {name}") for code, name in rows.values_list("code", "name")]


class TermsForm(forms.Form):
    """
    What a person says of one row; `to_terms` gives it to a service.

    key     fields by which the row is found: they stay once it is there
    fixed   values of the terms that the page knows and does not ask for
    """

    terms: ClassVar[type]
    key: ClassVar[tuple[str, ...]] = ("code",)

    def __init__(
        self,
        *args: Any,
        known: Any = None,
        fixed: dict[str, Any] | None = None,
        organizations: Sequence[Any] = (),
        **kwargs: Any,
    ) -> None:
        if known is not None:
            kwargs["initial"] = {name: getattr(known, name) for name in known.__dataclass_fields__}
        super().__init__(*args, **kwargs)
        self.fixed = fixed or {}
        self._organizations = organizations
        if known is not None:
            for name in self.key:
                if name in self.fields:
                    self.fields[name].disabled = True
        elif len(organizations) > 1:
            self.fields["organization"] = forms.ChoiceField(
                choices=[(each.value, each.label) for each in organizations]
            )
            self.order_fields(["organization"])

    @property
    def organization(self) -> str:
        """Return the id of the organization that a new row is for."""
        chosen = self.cleaned_data.get("organization")
        return str(chosen or self._organizations[0].value)

    def to_terms(self) -> Any:
        said = {name: self.cleaned_data[name] for name in self.fields if name != "organization"}
        return self.terms(**said, **self.fixed)

    def choose(self, **choices: Iterable[tuple[str, str]]) -> None:
        """Offer choices; an optional field offers none first."""
        for name, offered in choices.items():
            field = self.fields[name]
            empty = [] if field.required else [NONE]
            field.choices = [*empty, *offered]

    def blame(self, error: ValidationError) -> None:
        """Put what a service refuses beside its fields."""
        if not hasattr(error, "error_dict"):
            self.add_error(None, error)
            return
        for name, messages in error.message_dict.items():
            self.add_error(name if name in self.fields else None, messages)


class CounterpartyForm(TermsForm):
    terms = CounterpartyTerms
    code = forms.CharField(max_length=16, help_text="As traders write it: one word, such as ACME.")
    name = forms.CharField(max_length=160)
    legal_name = forms.CharField(
        max_length=200, required=False, help_text="As the register has it, where it differs."
    )
    lei = forms.CharField(
        label="LEI", max_length=20, required=False, help_text="ISO 17442: 20 characters."
    )
    country = forms.CharField(
        max_length=2, required=False, help_text="ISO 3166: two letters, such as DE."
    )
    is_internal = forms.BooleanField(
        label="A part of the own organization, for mirror deals", required=False
    )
    status = one_of(CounterpartyStatus, help_text="Only an active one takes new deals.")


class AgreementForm(TermsForm):
    terms, key = AgreementTerms, ("reference",)
    reference = forms.CharField(max_length=40, help_text="As both sides file it.")
    kind = one_of(AgreementKind)
    signed_date = date_field(label="Signed")
    effective_date = date_field(label="In force from")
    ended_date = date_field(
        label="Ended", required=False, help_text="The first day on which it is not in force."
    )
    governing_law = forms.CharField(max_length=60)


class NettingSetForm(TermsForm):
    terms = NettingSetTerms
    code = forms.CharField(max_length=24)
    name = forms.CharField(max_length=120)
    commodities = forms.MultipleChoiceField(
        required=False, help_text="None chosen is all of them.",
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["commodities"].choices = codes(Commodity.objects.order_by("code"))

    def clean_commodities(self) -> tuple[str, ...]:
        return tuple(sorted(self.cleaned_data["commodities"]))


class AnnexForm(TermsForm):
    terms, key = AnnexTerms, ("valid_from",)
    valid_from = date_field()
    valid_to = date_field(required=False, help_text="The first day on which it is not valid.")
    currency = forms.CharField(max_length=3)
    threshold_ours = forms.DecimalField(
        required=False, max_digits=20, decimal_places=2,
        help_text="Exposure that we may leave uncovered; empty is without limit.",
    )  # fmt: skip
    threshold_theirs = forms.DecimalField(
        required=False, max_digits=20, decimal_places=2,
        help_text="Exposure that they may leave uncovered; empty is without limit.",
    )  # fmt: skip
    minimum_transfer = forms.DecimalField(
        max_digits=20, decimal_places=2, help_text="Below it nothing moves."
    )
    rounding = forms.DecimalField(max_digits=20, decimal_places=2)
    independent_amount = forms.DecimalField(
        max_digits=20, decimal_places=2, initial=0,
        help_text="Positive: they post it to us; negative: we post it.",
    )  # fmt: skip
    collateral = CellField(
        Collateral(optional=True),
        label="Eligible collateral",
        help_text="Kind, currency and haircut: CASH EUR 0;GOVERNMENT_BOND EUR 0.02",
    )


class BookForm(TermsForm):
    terms = BookTerms
    code = forms.CharField(max_length=16, help_text="As traders write it: one word, such as EU.")
    name = forms.CharField(max_length=120)
    parent = forms.ChoiceField(required=False)
    reporting_currency = forms.CharField(
        max_length=3, initial="EUR", help_text="That of the book above it."
    )
    owner = forms.EmailField(required=False, help_text="E-mail address of a member.")
    is_active = forms.BooleanField(label="Open for new deals", required=False, initial=True)

    def __init__(self, *args: Any, books: Iterable[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose(parent=books)


class ApprovedProductForm(TermsForm):
    terms, key = ApprovedProductTerms, ("commodity", "market", "product_kind")
    commodity = forms.ChoiceField()
    market = forms.ChoiceField(
        required=False, label="Delivery point", help_text="None: every one of the commodity."
    )
    product_kind = one_of(ProductKind, optional="every product", label="Product")
    load_shapes = forms.MultipleChoiceField(
        required=False, label="Shapes", help_text="None chosen is every shape.",
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    maximum_tenor_months = forms.IntegerField(
        required=False, min_value=1, max_value=1200, label="Longest tenor, months",
        help_text="Delivery ends at most so many months after the trade; empty is any.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        shapes = LoadShape.objects.order_by("code").values_list("code", flat=True).distinct()
        self.choose(
            commodity=codes(Commodity.objects.order_by("code")),
            market=codes(Market.objects.order_by("code")),
        )
        self.fields["load_shapes"].choices = [(code, code) for code in shapes]

    def clean_load_shapes(self) -> tuple[str, ...]:
        return tuple(sorted(self.cleaned_data["load_shapes"]))


class CommodityForm(TermsForm):
    terms = CommodityTerms
    code = forms.CharField(max_length=16)
    name = forms.CharField(max_length=120)
    kind = one_of(CommodityKind)
    delivery = one_of(Delivery)
    quantity_unit = forms.CharField(
        max_length=12, help_text="MW for what flows; bbl, t, tCO2 or certificate for whole units."
    )


class MarketForm(TermsForm):
    terms = MarketTerms
    code = forms.CharField(max_length=16)
    name = forms.CharField(max_length=120)
    commodity = forms.ChoiceField()
    kind = one_of(MarketKind)
    parent = forms.ChoiceField(required=False, help_text="The zone or hub that it belongs to.")
    country = forms.CharField(max_length=2, required=False)
    eic = forms.CharField(label="EIC", max_length=16, required=False)
    time_zone = forms.CharField(max_length=64, help_text="IANA name, such as Europe/Berlin.")
    day_start = CellField(
        DayStart(), help_text="06:00, or 23:00-1 for 23:00 of the day before.", initial="00:00"
    )
    currency = forms.CharField(max_length=3)
    price_unit = forms.CharField(max_length=12, initial="MWh")
    shape_calendar = forms.ChoiceField(required=False)
    period_minutes = forms.TypedChoiceField(
        choices=[(60, "60"), (30, "30"), (15, "15")], coerce=int, initial=60
    )
    gate_closure = clock_field(
        initial="12:00", help_text="Of the day-ahead auction, on the day before, local time."
    )
    publication_minutes = forms.IntegerField(
        min_value=0, max_value=32767, initial=60, help_text="From gate closure to the results."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose(
            commodity=codes(Commodity.objects.order_by("code")),
            parent=codes(Market.objects.order_by("code")),
            shape_calendar=codes(ShapeCalendar.objects.order_by("code")),
        )


class IndexForm(TermsForm):
    terms = IndexTerms
    code = forms.CharField(max_length=32)
    market = forms.ChoiceField(label="Delivery point")
    name = forms.CharField(max_length=120)
    currency = forms.CharField(max_length=3)
    price_unit = forms.CharField(max_length=12, initial="MWh")
    frequency = one_of(IndexFrequency)
    load_shape = forms.CharField(
        max_length=16, required=False, help_text="Code of a shape of the market; empty: all hours."
    )
    publication_days = forms.IntegerField(
        min_value=-31, max_value=62, initial=-1,
        help_text="Days from the first day of delivery; −1 is the day before.",
    )  # fmt: skip
    publication_time = clock_field(help_text="Local time of the market.")
    source = forms.CharField(max_length=120)
    is_active = forms.BooleanField(label="Published still", required=False, initial=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose(market=codes(Market.objects.order_by("code")))


class PlantForm(TermsForm):
    terms = PlantTerms
    code = forms.CharField(max_length=40, help_text="As it stands in a line, after asset:")
    name = forms.CharField(max_length=120)
    market = forms.ChoiceField(label="Delivery point")
    technology = one_of(Technology)
    installed_mwp = forms.DecimalField(
        label="Installed MWp", min_value=0, max_digits=12, decimal_places=6
    )
    capacity_factors = forms.CharField(
        max_length=120,
        help_text="Expected share of it: one number from 0 to 1, or twelve from January on.",
    )
    metering_asset_id = forms.CharField(
        max_length=80, required=False, help_text="Under which its metered volumes are kept."
    )
    is_active = forms.BooleanField(label="Sold still", required=False, initial=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose(market=codes(Market.objects.filter(commodity__kind="POWER").order_by("code")))


class FxRateForm(TermsForm):
    terms, key = FxRateTerms, ()
    base = forms.CharField(max_length=3, help_text="One unit of it costs …")
    quote = forms.CharField(max_length=3, help_text="… so much of this.")
    rate = forms.DecimalField(max_digits=20, decimal_places=10)
    valid_from = forms.DateTimeField(
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text="The instant that the rate speaks of, in your time zone.",
    )
    source = forms.CharField(max_length=80)

    def clean_valid_from(self) -> datetime:
        found: datetime = self.cleaned_data["valid_from"]
        return found if timezone.is_aware(found) else timezone.make_aware(found)


class ShapeForm(TermsForm):
    """The next version of a shape; what was published stays as it is."""

    terms, key = ShapeTerms, ()
    shape = forms.CharField(max_length=16, label="Code", help_text="In capitals, such as PEAK.")
    version = forms.IntegerField(min_value=1, initial=1)
    name = forms.CharField(max_length=80)
    valid_from = date_field(help_text="First delivery date; later versions start later.")
    weekdays = forms.CharField(
        max_length=7, initial="12345", help_text="Of the delivery day, Monday 1 to Sunday 7."
    )
    from_minute = CellField(
        MinuteOfDay(), label="From", initial="08:00", help_text="After the delivery day's start."
    )
    to_minute = CellField(MinuteOfDay(), label="To", initial="20:00", help_text="Up to 24:00.")
    holiday_rule = one_of(HolidayRule, label="On holidays")
    holiday_calendar = forms.ChoiceField(required=False)
    complement_of = forms.CharField(
        max_length=16, required=False, help_text="Code of a shape whose hours are taken off."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.choose(holiday_calendar=codes(HolidayCalendar.objects.order_by("code")))


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFiles(forms.FileField):
    """Several files of different names."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        given = data if isinstance(data, (list, tuple)) else [data] if data else []
        if not given:
            raise ValidationError("Choose at least one file.")
        # An empty file is not refused here: the import says of it which columns it needs.
        names = [file.name for file in given]
        if len(set(names)) != len(names):
            raise ValidationError("Two files have the same name.")
        return list(given)


class ImportForm(forms.Form):
    files = ManyFiles(
        label="Files", help_text="CSV named by kind, such as markets.csv; several at once.",
        widget=ManyFilesInput(attrs={"multiple": True, "accept": ".csv,text/csv"}),
    )  # fmt: skip
    organization = forms.ChoiceField(
        required=False, help_text="Whose counterparties, agreements and books they are."
    )

    def __init__(self, *args: Any, organizations: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["organization"].choices = [
            *((each.value, each.label) for each in organizations),
            ("", "shared kinds only"),
        ]
        if organizations:
            self.initial.setdefault("organization", organizations[0].value)
