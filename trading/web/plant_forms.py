"""Forms of power by the interval: a profile from a file, a plant's output, a PPA."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.core.cache import cache

from trading import deals
from trading.deals import (
    AssetShare,
    Deal,
    DealError,
    GeneratingAsset,
    Profile,
    read_capacity_factors,
)
from trading.profiles import read_profile

from .deal_forms import (
    IndexPriceForm,
    plain,
)

KEPT_SECONDS = 3600


PLANTS_NAMED = 8


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
        choices=[("60", "60"), ("30", "30"), ("15", "15")],
        coerce=int,
        label="Minutes of an interval",
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
    installed_mw = forms.DecimalField(
        label="Installed MW", required=False, help_text="That of the list if left out."
    )
    contracted_mw = forms.DecimalField(label="Contracted MW")
    factors = forms.CharField(
        required=False, max_length=200, label="Capacity factors",
        help_text="One for all months, or twelve from January on; those of the list if left out.",
    )  # fmt: skip
    field_order = [
        "side", "asset", "installed_mw", "contracted_mw", "area", "period", "minutes", "profile",
        "factors", "price", "index", "spread", "multiplier", "currency",
    ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["asset"].help_text = (
            "One of the list, or another with its installed MW. The list has "
            f"{', '.join(list(self.known.plants)[:PLANTS_NAMED]) or 'none yet'}."
        )

    def plant_of(self, found: Mapping[str, Any]) -> GeneratingAsset | None:
        """Return the plant of the list that is named; None for another."""
        by_lower = {code.lower(): plant for code, plant in self.known.plants.items()}
        plant = by_lower.get(found["asset"].lower())
        if plant is not None and plant.area.code != self.area_of(found).code:
            raise DealError("asset", f"{plant.asset_id} delivers in {plant.area.code}.")
        return plant

    def share_of(self, found: Mapping[str, Any]) -> AssetShare:
        plant, installed = self.plant_of(found), found.get("installed_mw")
        if plant is not None:
            return AssetShare(
                plant.asset_id, installed or plant.installed_mw, found["contracted_mw"]
            )
        if installed is None:
            raise DealError("installed_mw", f"say it: “{found['asset']}” is no plant of the list.")
        return AssetShare(found["asset"], installed, found["contracted_mw"])

    def expected_of(self, found: Mapping[str, Any]) -> Profile:
        plant, said = self.plant_of(found), (found.get("factors") or "").strip()
        if not said:
            profile = self.profile_of(found)
            if profile is not None:
                return profile
            if plant is None:
                raise DealError("volume", self.volume_needed)
        else:
            plant = GeneratingAsset(
                found["asset"], self.area_of(found), self.share_of(found).installed_mw,
                read_capacity_factors(said),
            )  # fmt: skip
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

    floor = forms.DecimalField(
        required=False, help_text="The least that is paid at an index, per MWh; it may be negative."
    )
    cap = forms.DecimalField(
        required=False, help_text="The most that is paid at an index, per MWh."
    )
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
