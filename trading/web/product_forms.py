"""A form for each kind of product; all make the deals that the line and the API make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from trading import deals
from trading.deals import (
    Deal,
    DealError,
    Frequency,
    Lot,
    ProductKind,
)

from .deal_forms import (
    LOTS,
    UNITS,
    DealForm,
    IndexPriceForm,
    LineForm,
    TermsForm,
    VolumeForm,
    or_else,
    plain,
)
from .option_form import OptionForm
from .plant_forms import GeneratedForm, PpaForm, ProfileForm
from .structure_forms import STRUCTURE_FORMS


class ForwardForm(VolumeForm, IndexPriceForm):
    """Delivery at a fixed price or at an index."""

    kind, label = "PHYSICAL_FORWARD", "Forward"
    field_order = [
        "side", "quantity", "unit", "area", "product", "period", "price", "index", "spread",
        "multiplier", "currency",
    ]  # fmt: skip

    def make(self, found: Mapping[str, Any]) -> Deal:
        terms, priced = self.volume_terms(found), self.price_terms(found)
        if (priced["price"] is None) is (priced["index"] is None):
            raise DealError("price", "give a fixed price or an index, one of them.")
        if priced["index"] is not None:
            del priced["price"], priced["currency"]
            return deals.index_forward(**terms, **priced)
        if priced["spread"] or priced["multiplier"] != 1:
            raise DealError("spread", "belongs to an index, not to a fixed price.")
        return deals.physical_forward(**terms, price=priced["price"], currency=priced["currency"])


class FinancialForm(VolumeForm):
    """A fixed price against an index, in cash."""

    kind, label = "FINANCIAL_FORWARD", "Financial"

    price = forms.DecimalField()
    index = forms.ChoiceField(help_text="What it settles against.")
    field_order = [
        "side", "quantity", "unit", "area", "product", "period", "price", "index", "currency",
    ]  # fmt: skip

    def make(self, found: Mapping[str, Any]) -> Deal:
        return deals.financial_forward(**self.swap_terms(found))

    def swap_terms(self, found: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **self.volume_terms(found),
            "price": found["price"],
            "currency": found["currency"].upper(),
            "index": self.known.indices[found["index"]],
        }

    @classmethod
    def initial_of(cls, deal: Deal) -> dict[str, Any]:
        return {
            **super().initial_of(deal),
            "price": plain(deal.fixed_legs[0].price),
            "index": deal.floating_legs[0].index.code,
        }


class SwapForm(FinancialForm):
    """The buyer pays fixed and receives the index."""

    kind, label = "SWAP", "Swap"

    def make(self, found: Mapping[str, Any]) -> Deal:
        return deals.fixed_float_swap(**self.swap_terms(found))


class BasisForm(VolumeForm):
    """One index against another."""

    kind, label = "BASIS_SWAP", "Basis"

    index = forms.ChoiceField(label="Index received by the buyer")
    pay_index = forms.ChoiceField(label="Index paid by the buyer")
    spread = forms.DecimalField(required=False, help_text="Added to the index that is paid.")
    field_order = [
        "side", "quantity", "unit", "area", "product", "period", "index", "pay_index", "spread",
    ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["currency"]

    def make(self, found: Mapping[str, Any]) -> Deal:
        return deals.basis_swap(
            **self.volume_terms(found),
            receive_index=self.known.indices[found["index"]],
            pay_index=self.known.indices[found["pay_index"]],
            spread=or_else(found.get("spread"), 0),
        )

    @classmethod
    def initial_of(cls, deal: Deal) -> dict[str, Any]:
        received, paid = deal.floating_legs
        return {
            **super().initial_of(deal),
            "index": received.index.code,
            "pay_index": paid.index.code,
            "spread": plain(paid.spread) if paid.spread else "",
        }


class FutureForm(TermsForm):
    """Lots of an exchange's contract."""

    kind, label = "FUTURE", "Future"
    rule_fields = {"quantity": "lots", "volume": "lots"}

    lots = forms.DecimalField()
    product = VolumeForm.base_fields["product"]
    price = forms.DecimalField()
    mic = forms.CharField(max_length=4, label="Exchange (MIC)", help_text="Such as XEEE or IFEU.")
    clearing_account = forms.CharField(max_length=40, required=False)
    lot_size = forms.DecimalField(
        required=False, help_text="Of one lot, where it is not the delivery point's."
    )
    lot_unit = forms.ChoiceField(
        choices=[("", "–"), *(pair for pair in UNITS if pair[0] != LOTS)], required=False,
        label="Unit of a lot",
    )  # fmt: skip
    field_order = [
        "side", "lots", "area", "product", "period", "price", "mic", "clearing_account",
        "currency", "lot_size", "lot_unit",
    ]  # fmt: skip

    def make(self, found: Mapping[str, Any]) -> Deal:
        lot = None
        if found.get("lot_size") is not None:
            if not found.get("lot_unit"):
                raise DealError("lot_unit", "say what the size of a lot is in.")
            unit, _, frequency = found["lot_unit"].partition(":")
            lot = Lot(found["lot_size"], unit, Frequency(frequency))
        return deals.future(
            **self.base_terms(found),
            lots=found["lots"],
            price=found["price"],
            mic=found["mic"].upper(),
            clearing_account=found["clearing_account"],
            lot=lot,
            shape=(found.get("product") or "base").upper(),
            currency=found["currency"].upper(),
        )

    @classmethod
    def initial_of(cls, deal: Deal) -> dict[str, Any]:
        volume, area = deal.schedule.volume, deal.schedule.area
        assert isinstance(volume, deals.Volume) and volume.lots is not None, "a future is in lots"
        found = {
            **super().initial_of(deal),
            "lots": plain(volume.lots),
            "product": deal.schedule.shape.code.lower(),
            "price": plain(deal.fixed_legs[0].price),
            "mic": deal.mic,
            "clearing_account": deal.clearing_account,
        }
        if area.lot is None or deals.Volume.of_lots(volume.lots, area.lot) != volume:
            found["lot_size"] = plain(volume.quantity / volume.lots)
            found["lot_unit"] = f"{volume.unit}:{volume.frequency.value}"
        return found


class CertificateForm(TermsForm):
    """Certificates or allowances, whole."""

    kind, label = "CERTIFICATE", "Certificates"

    quantity = forms.DecimalField()
    counted = forms.ChoiceField(
        choices=[("units", "Certificates or tonnes"), ("lots", "Lots")], label="Quantity is in"
    )
    price = forms.DecimalField()
    vintage = forms.IntegerField(required=False)
    registry = forms.CharField(max_length=40, required=False)
    field_order = [
        "side", "quantity", "counted", "area", "period", "price", "vintage", "registry", "currency",
    ]  # fmt: skip
    rule_fields = {"lots": "quantity", "volume": "quantity"}

    def make(self, found: Mapping[str, Any]) -> Deal:
        terms = self.base_terms(found)
        is_lots = found["counted"] == "lots"
        return deals.certificate(
            side=terms["side"],
            area=terms["area"],
            delivery=terms["period"],
            price=found["price"],
            quantity=None if is_lots else found["quantity"],
            lots=found["quantity"] if is_lots else None,
            vintage=found.get("vintage"),
            registry=found["registry"],
            currency=found["currency"].upper(),
        )

    @classmethod
    def initial_of(cls, deal: Deal) -> dict[str, Any]:
        volume = deal.schedule.volume
        assert isinstance(volume, deals.Volume), "certificates are counted"
        terms = deal.deliveries[0].certificate or deals.CertificateTerms()
        return {
            **super().initial_of(deal),
            "quantity": plain(volume.lots if volume.lots is not None else volume.quantity),
            "counted": "lots" if volume.lots is not None else "units",
            "price": plain(deal.fixed_legs[0].price),
            "vintage": terms.vintage or "",
            "registry": terms.registry,
        }


# As the ticket offers them: the line first, then products by what their volume depends on.
FORM_GROUPS: tuple[tuple[str, tuple[type[DealForm], ...]], ...] = (
    ("", (LineForm,)),
    (
        "Fixed volume",
        (ForwardForm, FutureForm, FinancialForm, SwapForm, BasisForm, CertificateForm),
    ),
    ("Profile and plant", (ProfileForm, GeneratedForm, PpaForm)),
    ("With choices", (OptionForm, *STRUCTURE_FORMS)),
)
FORMS = tuple(form for _, forms in FORM_GROUPS for form in forms)
FORM_OF_KIND = {form.kind: form for form in FORMS}
_FORM_OF_PRODUCT = {
    **{ProductKind(form.kind): form for form in FORMS if form is not LineForm},
    ProductKind.INDEX_FORWARD: ForwardForm,
}


def form_of_deal(deal: Deal) -> type[DealForm]:
    """Return the form that says a deal field by field."""
    return _FORM_OF_PRODUCT[deal.kind]
