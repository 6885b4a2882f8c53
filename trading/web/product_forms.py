"""A form for each kind of product; all make the deals that the line and the API make."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.core.cache import cache

from energyopti.foundation.calendars import CalendarError
from energyopti.foundation.money import Side
from trading import deals
from trading.deals import (
    AssetShare,
    Deal,
    DealError,
    Frequency,
    GeneratingAsset,
    Lot,
    OptionStyle,
    OptionType,
    ProductKind,
    Profile,
    Settlement,
)
from trading.profiles import read_profile

from .deal_forms import LOTS, UNITS, DealForm, LineForm, TermsForm, VolumeForm, plain

KEPT_SECONDS = 3600
_FACTOR = re.compile(r"[0-9](\.[0-9]{1,6})?")
_MOMENT_HELP = "Date and time on the delivery point's clock."


class IndexPriceForm(TermsForm):
    """Base of what is paid at a fixed price or at an index."""

    price = forms.DecimalField(required=False, help_text="A fixed price, or choose an index.")
    index = forms.ChoiceField(required=False)
    spread = forms.DecimalField(required=False, help_text="Added to the index.")
    multiplier = forms.DecimalField(required=False, help_text="Of the index: 0.95 pays 95 %.")

    def price_terms(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the price is, as the products take it."""
        index = self.known.indices.get(found.get("index") or "")
        return {
            "price": found.get("price"),
            "currency": (found.get("currency") or "").upper(),
            "index": index,
            "spread": _or(found.get("spread"), 0),
            "multiplier": _or(found.get("multiplier"), 1),
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
            spread=_or(found.get("spread"), 0),
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


class ProfileForm(IndexPriceForm):
    """
    A power for each interval, from a file.

    The file that a preview has read is kept for an hour under `profile_key`, so that the same
    one is booked. `held` is the deal that is amended: its profile stays where no file is given.
    """

    kind, label = "PROFILE_FORWARD", "Profile"
    has_file = True
    rule_fields: ClassVar[Mapping[str, str]] = {"volume": "profile", "unit": "profile"}

    minutes = forms.TypedChoiceField(
        choices=[("60", "60"), ("30", "30"), ("15", "15")], coerce=int, label="Minutes"
    )
    profile = forms.FileField(
        required=False, label="Profile (CSV)",
        help_text="One interval a line: its MW, or its start and its MW.",
    )  # fmt: skip
    profile_key = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    field_order = [
        "side", "area", "period", "minutes", "profile", "price", "index", "spread", "multiplier",
        "currency",
    ]  # fmt: skip
    volume_needed: ClassVar[str] = "choose a file."

    def __init__(self, *args: Any, held: Deal | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.held = held

    def profile_of(self, found: Mapping[str, Any]) -> Profile | None:
        """Return the profile of the file, of the file previewed before, or None."""
        file = found.get("profile")
        minutes = int(found["minutes"])
        if file is not None:
            start = self.area_of(found).calendar.span(self.period_of(found)).start
            read = read_profile(file.read(), minutes=minutes, start=start)
            key = hashlib.sha256(read.micro_mw.tobytes()).hexdigest()
            cache.set(f"ticket-profile:{key}", zlib.compress(read.micro_mw.tobytes()), KEPT_SECONDS)
            self.data = self.data.copy()
            self.data["profile_key"] = key
            return read
        if found.get("profile_key"):
            import numpy as np  # for those who bring a profile, not at start-up

            kept = cache.get(f"ticket-profile:{found['profile_key']}")
            if kept is None:
                raise DealError("volume", "the file was read too long ago; choose it again.")
            return Profile(minutes, np.frombuffer(zlib.decompress(kept), dtype=np.int64).copy())
        if self.held is not None and isinstance(self.held.schedule.volume, Profile):
            return self.held.schedule.volume
        return None

    def make(self, found: Mapping[str, Any]) -> Deal:
        profile = self.profile_of(found)
        if profile is None:
            raise DealError("volume", self.volume_needed)
        return deals.profile_forward(
            **self.base_terms(found), profile=profile, **self.price_terms(found)
        )

    @classmethod
    def initial_of(cls, deal: Deal) -> dict[str, Any]:
        found = super().initial_of(deal)
        if isinstance(deal.schedule.volume, Profile):
            found["minutes"] = str(deal.schedule.volume.minutes)
        return found


class GeneratedForm(ProfileForm):
    """A share of what a plant generates, with what is expected of it."""

    kind, label = "AS_GENERATED", "As generated"
    volume_needed = "choose a file, or give capacity factors."
    rule_fields = {
        **ProfileForm.rule_fields, "share": "contracted_mw", "capacity_factors": "factors",
    }  # fmt: skip

    asset = forms.CharField(max_length=40, label="Plant")
    installed_mw = forms.DecimalField(label="Installed MW")
    contracted_mw = forms.DecimalField(label="Contracted MW")
    factors = forms.CharField(
        required=False, max_length=200, label="Capacity factors",
        help_text="One for all months, or twelve from January on; where there is no file.",
    )  # fmt: skip
    field_order = [
        "side", "asset", "installed_mw", "contracted_mw", "area", "period", "minutes", "profile",
        "factors", "price", "index", "spread", "multiplier", "currency",
    ]  # fmt: skip

    def share_of(self, found: Mapping[str, Any]) -> AssetShare:
        return AssetShare(found["asset"], found["installed_mw"], found["contracted_mw"])

    def expected_of(self, found: Mapping[str, Any]) -> Profile:
        words = re.split(r"[\s;]+", (found.get("factors") or "").strip())
        if words == [""]:
            profile = self.profile_of(found)
            if profile is None:
                raise DealError("volume", self.volume_needed)
            return profile
        if not all(_FACTOR.fullmatch(word) for word in words):
            raise DealError("factors", "are numbers from 0 to 1 with a space between them.")
        numbers = [Decimal(word) for word in words]
        if len(numbers) == 1:
            numbers *= 12
        plant = GeneratingAsset(
            found["asset"], self.area_of(found), found["installed_mw"], tuple(numbers)
        )
        return plant.expected(
            self.period_of(found), found["contracted_mw"], minutes=int(found["minutes"])
        )

    def generated_terms(self, found: Mapping[str, Any]) -> dict[str, Any]:
        return {
            **self.base_terms(found),
            "asset": self.share_of(found),
            "expected": self.expected_of(found),
            **self.price_terms(found),
        }

    def make(self, found: Mapping[str, Any]) -> Deal:
        return deals.asset_share(**self.generated_terms(found))

    @classmethod
    def initial_of(cls, deal: Deal) -> dict[str, Any]:
        found = super().initial_of(deal)
        asset = deal.deliveries[0].asset
        if asset is not None:
            found["asset"] = asset.asset_id
            found["installed_mw"] = plain(asset.installed_mw)
            found["contracted_mw"] = plain(asset.contracted_mw)
        return found


class PpaForm(GeneratedForm):
    """A power purchase agreement, with floor and cap of an index price."""

    kind, label = "PPA", "PPA"

    floor = forms.DecimalField(required=False, help_text="Of an index price.")
    cap = forms.DecimalField(required=False, help_text="Of an index price.")
    field_order = [*GeneratedForm.field_order, "floor", "cap"]
    rule_fields = {**GeneratedForm.rule_fields, "strike": "floor"}

    def make(self, found: Mapping[str, Any]) -> Deal:
        return deals.ppa(
            **self.generated_terms(found), floor=found.get("floor"), cap=found.get("cap")
        )

    @classmethod
    def initial_of(cls, deal: Deal) -> dict[str, Any]:
        found = super().initial_of(deal)
        for leg in deal.options:
            found[leg.option_type.value.lower()] = plain(leg.strikes[0])
        return found


class OptionForm(VolumeForm):
    """An option with its full terms; pricing is another part's."""

    kind, label = "OPTION", "Option"

    option_type = forms.ChoiceField(
        choices=[(t.value, t.value.replace("_", " ").capitalize()) for t in OptionType],
        label="Type",
    )
    style = forms.ChoiceField(choices=[(s.value, s.value.capitalize()) for s in OptionStyle])
    index = forms.ChoiceField(label="Underlying index")
    index_2 = forms.ChoiceField(
        required=False, label="Second index", help_text="Of a spread: the first minus this."
    )
    strike = forms.DecimalField(help_text="Of a collar its floor.")
    strike_2 = forms.DecimalField(
        required=False, label="Second strike", help_text="A collar's cap."
    )
    expiry = forms.DateTimeField(
        help_text=_MOMENT_HELP,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    exercises = forms.CharField(
        required=False, max_length=400,
        help_text="Of a Bermudan: the earlier ones, 2026-12-10T12:00, with a space between.",
    )  # fmt: skip
    premium = forms.DecimalField(required=False, help_text="Per unit; paid by the holder.")
    premium_date = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    settlement = forms.ChoiceField(choices=[("CASH", "Cash"), ("PHYSICAL", "Physical")])
    field_order = [
        "side", "option_type", "style", "quantity", "unit", "area", "product", "period", "index",
        "index_2", "strike", "strike_2", "expiry", "exercises", "premium", "premium_date",
        "settlement", "currency",
    ]  # fmt: skip
    rule_fields = {**VolumeForm.rule_fields, "underlying": "index", "premium_currency": "currency"}

    def make(self, found: Mapping[str, Any]) -> Deal:
        terms = self.volume_terms(found)
        area, period = terms["area"], terms["period"]
        calendar = area.calendar

        def instant(field: str, local: datetime) -> datetime:
            try:
                return calendar.instant(local.replace(tzinfo=None))
            except CalendarError as error:
                raise DealError(field, str(error)) from error

        expiry = instant("expiry", found["expiry"])
        earlier = []
        for word in found["exercises"].split():
            try:
                earlier.append(instant("exercises", datetime.fromisoformat(word)))
            except ValueError as error:
                raise DealError("exercises", f"“{word}” is no date and time.") from error
        is_held = terms["side"] is Side.BUY
        direction = deals.Direction.RECEIVE if is_held else deals.Direction.PAY
        names = [found["index"], found.get("index_2") or ""]
        schedule = deals.Schedule(
            area, period, terms["volume"], area.shape(terms["shape"], on=period.first)
        )
        return deals.option(
            terms=deals.Option(
                direction,
                schedule,
                OptionStyle(found["style"]),
                OptionType(found["option_type"]),
                tuple(self.known.indices[name] for name in names if name),
                tuple(s for s in (found["strike"], found.get("strike_2")) if s is not None),
                expiry,
                currency=found["currency"].upper(),
                exercises=(*earlier, expiry) if earlier else (),
                premium=_or(found.get("premium"), 0),
                premium_date=found.get("premium_date"),
                settlement=Settlement(found["settlement"]),
            )
        )

    @classmethod
    def initial_of(cls, deal: Deal) -> dict[str, Any]:
        (leg,) = deal.options
        zone = deal.schedule.area.calendar.zone
        found = {
            **super().initial_of(deal),
            "option_type": leg.option_type.value,
            "style": leg.style.value,
            "expiry": leg.expiry.astimezone(zone).replace(tzinfo=None),
            "exercises": " ".join(
                f"{e.astimezone(zone):%Y-%m-%dT%H:%M}" for e in leg.exercises if e != leg.expiry
            ),
            "premium": plain(leg.premium) if leg.premium else "",
            "premium_date": leg.premium_date,
            "settlement": leg.settlement.value,
            "currency": leg.currency,
        }
        for field, values in (
            ("index", [index.code for index in leg.underlying]),
            ("strike", [plain(strike) for strike in leg.strikes]),
        ):
            found[field], found[f"{field}_2"] = values[0], (values[1:] or [""])[0]
        return found


FORMS: tuple[type[DealForm], ...] = (
    LineForm, ForwardForm, FinancialForm, FutureForm, SwapForm, BasisForm, CertificateForm,
    ProfileForm, GeneratedForm, PpaForm, OptionForm,
)  # fmt: skip
FORM_OF_KIND = {form.kind: form for form in FORMS}
_FORM_OF_PRODUCT = {
    **{ProductKind(form.kind): form for form in FORMS if form is not LineForm},
    ProductKind.INDEX_FORWARD: ForwardForm,
}


def form_of_deal(deal: Deal) -> type[DealForm]:
    """Return the form that says a deal field by field."""
    return _FORM_OF_PRODUCT[deal.kind]


def _or(value: Decimal | None, default: int) -> Decimal:
    return Decimal(default) if value is None else value
