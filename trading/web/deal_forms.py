"""The terms of a deal as fields: what the forms of all products share, and the one line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.core.validators import DecimalValidator

from energyopti.foundation.calendars import CalendarError, DatePeriod
from energyopti.foundation.money import Side
from trading.deals import (
    Deal,
    DealError,
    DealText,
    DeliveryArea,
    Direction,
    Fee,
    FeeBasis,
    FeeKind,
    Frequency,
    GeneratingAsset,
    PriceIndex,
    QuickTextError,
    Volume,
    parse_deal_text,
    parse_period,
    period_name,
    render_deal_text,
)
from trading.queries.areas import delivery_areas, generating_assets, price_indices

_WRITTEN_NUMBER = re.compile(
    r"(?P<before>(?:(?:floor|cap):)?[^:]*?\d)\.(?P<places>\d+)(?P<unit>[A-Za-z/]*)"
)
# More digits than any deal has; their products stay exact.
MAXIMUM_DIGITS = 24
FEES = (FeeKind.BROKER, FeeKind.EXCHANGE, FeeKind.CLEARING)
FEE_BASES = [("FLAT", "For the deal"), ("PER_UNIT", "Per unit"), ("PER_LOT", "Per lot")]
LOTS = "lots"
# As `unit:frequency`; the words are what traders say.
UNITS = [
    ("MW:HOUR", "MW"), ("kW:HOUR", "kW"), ("GW:HOUR", "GW"),
    ("MWh:TOTAL", "MWh in all"), ("GWh:TOTAL", "GWh in all"),
    ("MWh:DAY", "MWh a day"), ("GWh:DAY", "GWh a day"),
    ("therm:DAY", "therm a day"), ("MMBtu:DAY", "MMBtu a day"),
    ("bbl:MONTH", "bbl a month"), ("kbbl:MONTH", "kbbl a month"),
    ("t:MONTH", "t a month"), ("kt:MONTH", "kt a month"),
    (LOTS, "lots"),
]  # fmt: skip


@dataclass(frozen=True)
class Known:
    """What the words of a deal may name, and when it is traded."""

    areas: Mapping[str, DeliveryArea]
    indices: Mapping[str, PriceIndex]
    plants: Mapping[str, GeneratingAsset]
    books: tuple[str, ...]
    counterparties: tuple[str, ...]
    traded_at: datetime

    @classmethod
    def now(
        cls,
        traded_at: datetime,
        *,
        books: tuple[str, ...] = (),
        counterparties: tuple[str, ...] = (),
    ) -> Known:
        areas = delivery_areas()
        plants = generating_assets(areas)
        return cls(areas, price_indices(areas), plants, books, counterparties, traded_at)


class DealForm(forms.Form):
    """
    Base of all ways to say a deal. After `is_valid`, `deal` holds it.

    rule_fields     from the field that a deal refuses to the field of the form it came from
    """

    kind: ClassVar[str] = ""
    label: ClassVar[str] = ""
    rule_fields: ClassVar[Mapping[str, str]] = {}
    has_file: ClassVar[bool] = False
    data: Any

    broker = forms.CharField(required=False, max_length=40, label="Broker")
    broker_fee = forms.DecimalField(required=False, label="Broker fee", min_value=0)
    broker_basis = forms.ChoiceField(choices=FEE_BASES, required=False, label="Broker fee is")
    exchange_fee = forms.DecimalField(required=False, label="Exchange fee", min_value=0)
    exchange_basis = forms.ChoiceField(choices=FEE_BASES, required=False, label="Exchange fee is")
    clearing_fee = forms.DecimalField(required=False, label="Clearing fee", min_value=0)
    clearing_basis = forms.ChoiceField(choices=FEE_BASES, required=False, label="Clearing fee is")

    def __init__(self, *args: Any, known: Known, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = known
        self.deal: Deal | None = None
        self.line = ""
        self.caret: int | None = None
        for name, field in self.fields.items():
            if isinstance(field, forms.DecimalField):
                field.validators.append(DecimalValidator(MAXIMUM_DIGITS, None))
                field.widget = forms.TextInput(
                    attrs={"inputmode": "decimal", "autocomplete": "off"}
                )
            if name in ("area", "index", "index_2", "pay_index"):
                self._choices(name)

    def _choices(self, name: str) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        codes = self.known.areas if name == "area" else self.known.indices
        blank = [] if field.required and name == "area" else [("", "–")]
        field.choices = [*blank, *((code, code) for code in codes)]

    @property
    def term_fields(self) -> list[forms.BoundField]:
        """Return the fields of the product itself, in order."""
        return [self[name] for name in self.fields if name not in DealForm.base_fields]

    @property
    def fee_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in DealForm.base_fields]

    @property
    def has_fees(self) -> bool:
        """Say whether a fee stands in the form, so that it is shown unfolded."""
        return any(self[f"{kind.value.lower()}_fee"].value() for kind in FEES)

    def make(self, found: Mapping[str, Any]) -> Deal:
        """Return the deal without its fees; bad terms are `DealError` by field."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if self.errors:
            return found
        try:
            made = self.make(found)
            self.deal = replace(made, legs=(*made.legs, *self._fees(found, made)))
        except QuickTextError as error:
            self.caret = error.position
            self.add_error("text", str(error))
        except DealError as error:
            self.refuse(error.field, error.rule)
        except CalendarError as error:
            self.refuse("period", str(error))
        return found

    def refuse(self, rule_field: str, words: str) -> None:
        """Put what a rule says beside the field that it came from, or above them all."""
        name: str | None = self.rule_fields.get(rule_field, rule_field)
        if name not in self.fields:
            name = "text" if "text" in self.fields else None
        shown = words if name and name == rule_field else f"{rule_field}: {words}"
        self.add_error(name, shown)

    def _fees(self, found: Mapping[str, Any], deal: Deal) -> list[Fee]:
        fees = []
        for kind in FEES:
            word = kind.value.lower()
            if not found.get(f"{word}_fee"):
                continue
            payee = found.get("broker", "") if kind is FeeKind.BROKER else ""
            basis = FeeBasis(found.get(f"{word}_basis") or "FLAT")
            try:
                fees.append(
                    Fee(
                        Direction.PAY, kind, found[f"{word}_fee"],
                        deal.schedule.area.currency, basis, payee,
                    )
                )  # fmt: skip
                replace(deal, legs=(*deal.legs, fees[-1]))
            except DealError as error:
                field = "broker" if error.field == "payee" else f"{word}_fee"
                raise DealError(field, error.rule) from error
        return fees

    @classmethod
    def initial_of(cls, deal: Deal) -> dict[str, Any]:
        """Return what the fields say of a deal, for amending it or for another like it."""
        found: dict[str, Any] = {}
        for fee in deal.fees:
            word = fee.kind.value.lower()
            found[f"{word}_fee"], found[f"{word}_basis"] = plain(fee.amount), fee.basis.value
            if fee.kind is FeeKind.BROKER:
                found["broker"] = fee.payee
        return found


class LineForm(DealForm):
    """A deal as one line."""

    kind, label = "LINE", "One line"

    text = forms.CharField(
        label="Deal", max_length=300, strip=True,
        help_text="For example: B 10MW DE base Cal27 @ 85.20 cpty:ACME book:EU",
        widget=forms.TextInput(
            attrs={"autofocus": True, "autocomplete": "off", "spellcheck": "false"}
        ),
        error_messages={"required": "Write the deal as one line, or choose its product above."},
    )  # fmt: skip

    counterparty_code = ""
    book_code = ""
    tags: tuple[str, ...] = ()

    def make(self, found: Mapping[str, Any]) -> Deal:
        self.line = found["text"]
        read = parse_deal_text(
            self.line,
            areas=self.known.areas,
            indices=self.known.indices,
            assets=self.known.plants,
            traded_at=self.known.traded_at,
            counterparties=self.known.counterparties,
            books=self.known.books,
        )
        self.counterparty_code, self.book_code = read.counterparty_code, read.book_code
        self.tags = read.tags
        return read.deal

    @classmethod
    def initial_of(cls, deal: Deal) -> dict[str, Any]:
        """Return the line of a deal; DealError for one that has none."""
        bare = replace(deal, legs=tuple(leg for leg in deal.legs if not isinstance(leg, Fee)))
        words = render_deal_text(DealText(bare)).split(" ")
        return {**super().initial_of(deal), "text": " ".join(map(_without_zeros, words))}


class TermsForm(DealForm):
    """A deal by its terms."""

    side = forms.ChoiceField(choices=[("BUY", "Buy"), ("SELL", "Sell")])
    area = forms.ChoiceField(label="Delivery point")
    period = forms.CharField(
        max_length=40, initial="", label="Delivery",
        help_text="Cal27, Q1-27, Jan27, W05-27, DA, a date, or two with .. between.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    currency = forms.CharField(
        required=False, max_length=3, help_text="The delivery point's if left out."
    )

    def side_of(self, found: Mapping[str, Any]) -> Side:
        return Side(found["side"])

    def area_of(self, found: Mapping[str, Any]) -> DeliveryArea:
        return self.known.areas[found["area"]]

    def period_of(self, found: Mapping[str, Any]) -> DatePeriod:
        return parse_period(
            found["period"],
            calendar=self.area_of(found).calendar,
            traded_at=self.known.traded_at,
        )

    def base_terms(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """Return side, area and period as the products take them."""
        return {
            "side": self.side_of(found),
            "area": self.area_of(found),
            "period": self.period_of(found),
        }

    @classmethod
    def initial_of(cls, deal: Deal) -> dict[str, Any]:
        schedule = deal.schedule
        return {
            **super().initial_of(deal),
            "side": deal.side.value,
            "area": schedule.area.code,
            "period": period_name(schedule.period),
            "currency": deal.fixed_legs[0].currency if deal.fixed_legs else "",
        }


class IndexPriceForm(TermsForm):
    """Base of what is paid at a fixed price or at an index."""

    price = forms.DecimalField(required=False, help_text="A fixed price, or choose an index.")
    index = forms.ChoiceField(required=False)
    spread = forms.DecimalField(
        required=False, help_text="Added to the index, per unit; less with a minus."
    )
    multiplier = forms.DecimalField(required=False, help_text="Of the index: 0.95 pays 95 %.")

    def price_terms(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the price is, as the products take it."""
        index = self.known.indices.get(found.get("index") or "")
        return {
            "price": found.get("price"),
            "currency": (found.get("currency") or "").upper(),
            "index": index,
            "spread": or_else(found.get("spread"), 0),
            "multiplier": or_else(found.get("multiplier"), 1),
        }

    @classmethod
    def initial_of(cls, deal: Deal) -> dict[str, Any]:
        found = super().initial_of(deal)
        if deal.fixed_legs:
            found["price"] = plain(deal.fixed_legs[0].price)
        elif deal.floating_legs:
            leg = deal.floating_legs[-1]
            found["index"] = leg.index.code
            found["spread"] = plain(leg.spread) if leg.spread else ""
            found["multiplier"] = plain(leg.multiplier) if leg.multiplier != 1 else ""
        return found


class VolumeForm(TermsForm):
    """A constant volume in the hours of a product."""

    quantity = forms.DecimalField()
    unit = forms.ChoiceField(choices=UNITS, initial="MW:HOUR")
    product = forms.CharField(
        max_length=16, required=False, initial="base",
        help_text="base, peak, offpeak, a shape of the delivery point, or a block like H08-H20.",
    )  # fmt: skip
    field_order = ["side", "quantity", "unit", "area", "product", "period"]
    rule_fields = {"volume": "quantity", "lots": "quantity", "lot_size": "quantity"}

    def volume_of(self, found: Mapping[str, Any]) -> Volume:
        if found["unit"] == LOTS:
            lot = self.area_of(found).lot
            if lot is None:
                raise DealError("unit", f"{found['area']} has no lot.")
            return Volume.of_lots(found["quantity"], lot)
        unit, _, frequency = found["unit"].partition(":")
        return Volume(found["quantity"], unit, Frequency(frequency))

    def volume_terms(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """Return volume and shape beside side, area and period."""
        return {
            **self.base_terms(found),
            "volume": self.volume_of(found),
            "shape": (found.get("product") or "base").upper(),
        }

    @classmethod
    def initial_of(cls, deal: Deal) -> dict[str, Any]:
        found = super().initial_of(deal)
        volume = deal.schedule.volume
        if isinstance(volume, Volume):
            is_lots = volume.lots is not None
            found["quantity"] = plain(volume.lots if volume.lots is not None else volume.quantity)
            found["unit"] = LOTS if is_lots else f"{volume.unit}:{volume.frequency.value}"
        found["product"] = deal.schedule.shape.code.lower()
        return found


def plain(value: Decimal) -> str:
    """Write a number as people type it: no exponent, no needless zeros."""
    return f"{value.normalize():f}"


def _without_zeros(word: str) -> str:
    """Return 10MW of 10.000000MW, as the tables give it; names keep what they have."""
    number = _WRITTEN_NUMBER.fullmatch(word)
    if number is None:
        return word
    places = number["places"].rstrip("0")
    return f"{number['before']}{'.' if places else ''}{places}{number['unit']}"


def or_else(value: Decimal | None, default: int) -> Decimal:
    return Decimal(default) if value is None else value
