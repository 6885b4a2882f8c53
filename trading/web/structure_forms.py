"""The forms of contracts with choices; their fields are made from the terms of each kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms

from energyopti.foundation.money import Side
from trading import deals
from trading.deals import Deal, RightForm, StructureKind

from .deal_forms import VolumeForm, or_else, plain

_LABELS = {
    StructureKind.SWING: "Swing",
    StructureKind.STORAGE: "Storage",
    StructureKind.TOLLING: "Tolling",
    StructureKind.BATTERY_TOLLING: "Battery",
    StructureKind.TRANSMISSION_RIGHT: "Transmission",
}
_UNITS = {StructureKind.SWING: "MWh:DAY", StructureKind.STORAGE: "MWh:DAY"}
# What the number of the schedule is.
_QUANTITIES = {
    StructureKind.SWING: "The most taken in a day.",
    StructureKind.STORAGE: "The most withdrawn in a day.",
    StructureKind.TOLLING: "The most output.",
    StructureKind.BATTERY_TOLLING: "The power, charging and discharging.",
    StructureKind.TRANSMISSION_RIGHT: "The capacity.",
}
# Unit and currency are known only when the delivery point is chosen.
_UNITS_OF_TERMS = {
    "{unit}": "In the quantity’s unit.",
    "{unit}/day": "A day, in the quantity’s unit.",
    "{currency}": "In the area’s currency.",
    "{currency}/{unit}": "Per unit, in the area’s currency.",
    "{currency}/MWh": "Per MWh, in the area’s currency.",
}
# What each number is, and which sign it has.
_HINTS = {
    "strike": "What the holder pays for what is taken; it may be negative.",
    "maximum": "What may be taken in twelve months from the first delivery day.",
    "minimum": "What is taken or paid for in twelve months; 0 for nothing.",
    "daily_minimum": "What is taken each day; 0 for nothing.",
    "make_up": "Of what was paid for and not taken, how much later years may still take.",
    "carry_forward": "Of what was taken above the least, how much lowers the least of later years.",
    "working_volume": "Between empty and full.",
    "injection_rate": "The most that goes in, as a plus.",
    "start_inventory": "In store when the contract begins.",
    "end_inventory": "In store when it ends, or more.",
    "injection_cost": "What the holder pays for what goes in; a cost is plus.",
    "withdrawal_cost": "What the holder pays for what comes out; a cost is plus.",
    "injection_fuel": "Of what goes in, what is burnt.",
    "withdrawal_fuel": "Of what comes out, what is burnt.",
    "heat_rate": "Fuel for each MWh of power; above 0.",
    "minimum_mw": "The least output while the plant runs; above 0.",
    "minimum_up_hours": "Once started it runs so long.",
    "minimum_down_hours": "Once stopped it stands so long.",
    "start_fuel": "Burnt by each start, beside what runs on.",
    "start_cost": "Paid for each start; a cost is plus.",
    "output_cost": "Paid for each MWh of power beside fuel and carbon; a cost is plus.",
    "fuel_addon": "On top of the fuel’s price: dearer is plus, cheaper minus. Of fuel.",
    "carbon_intensity": "Paid for at the carbon index; 0 for none.",
    "energy_mwh": "What the full battery holds; above 0.",
    "efficiency": "Of what is charged, what comes out again; above 0.",
    "cycle_cost": "Paid for what is discharged; a cost is plus.",
    "daily_cycles": "Times the energy may be discharged in a day; 0 for no limit.",
    "start_energy_mwh": "In the battery when the contract begins.",
    "form": "An obligation pays a negative spread too, an option never.",
    "firmness": "Of the volume, what is paid; the rest is curtailed.",
}


class StructureForm(VolumeForm):
    """What the forms of all kinds share."""

    structure: ClassVar[StructureKind]
    roles: ClassVar[tuple[str, ...]]

    premium = forms.DecimalField(
        required=False, help_text="What the holder pays for it in all, in the area’s currency; ≥ 0."
    )
    premium_date = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    rule_fields = {**VolumeForm.rule_fields, "volume": "quantity", "underlying": "area"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The prices are in the delivery point's currency.
        del self.fields["currency"]
        self.fields["side"].help_text = "Buy: the choices are ours. Sell: we have granted them."
        self.fields["quantity"].help_text = _QUANTITIES[self.structure]
        self.fields["unit"].initial = _UNITS.get(self.structure, "MW:HOUR")
        for role in self.roles:
            self._choices(role)

    def make(self, found: Mapping[str, Any]) -> Deal:
        terms = self.volume_terms(found)
        area, period = terms["area"], terms["period"]
        is_ours = terms["side"] is Side.BUY
        said = {name: found.get(name) for name in deals.terms_of(self.structure)}
        leg = deals.Structure(
            direction=deals.Direction.RECEIVE if is_ours else deals.Direction.PAY,
            schedule=deals.Schedule(
                area, period, terms["volume"], area.shape(terms["shape"], on=period.first)
            ),
            kind=self.structure,
            underlying=tuple(
                self.known.indices[found[role]] for role in self.roles if found.get(role)
            ),
            terms=deals.structure_terms(self.structure, said),
            premium=or_else(found.get("premium"), 0),
            premium_date=found.get("premium_date"),
        )
        return deals.structure(terms=leg)

    @classmethod
    def initial_of(cls, deal: Deal) -> dict[str, Any]:
        (leg,) = deal.structures
        return {
            **super().initial_of(deal),
            **deals.terms_said(leg.terms),
            **{role: index.code for role, index in leg.by_role.items()},
            "premium": plain(leg.premium) if leg.premium else "",
            "premium_date": leg.premium_date,
        }


def _field(kind: StructureKind, name: str, term: deals.Term) -> forms.Field:
    unit = _UNITS_OF_TERMS.get(term.unit, f"In {term.unit}." if term.unit else "")
    words = f"{_HINTS.get(name, '')} {unit}".strip()
    if name == "form":
        return forms.ChoiceField(
            label=term.label, help_text=words,
            choices=[(form.value, form.value.capitalize()) for form in RightForm],
        )  # fmt: skip
    if name.endswith("_ratchets"):
        return forms.CharField(
            label=term.label, required=False, max_length=400,
            help_text="Per cent full:per cent of the rate, such as 0:40 30:100 100:100; the full "
            "rate if left out.",
        )  # fmt: skip
    return forms.DecimalField(
        label=term.label, required=name in deals.required_terms(kind), help_text=words
    )


def _form_of(kind: StructureKind) -> type[StructureForm]:
    """Return the form of a kind: its prices by role, then its terms."""
    roles = deals.TERMS_OF_STRUCTURE[kind].roles
    found: dict[str, Any] = {
        role: forms.ChoiceField(
            label=f"{role.capitalize()} index" if role != "index" else "Index",
            required=role != "carbon",
        )
        for role in roles
    }
    names = deals.terms_of(kind)
    found |= {name: _field(kind, name, term) for name, term in names.items()}
    order = ["side", "quantity", "unit", "area", "product", "period", *roles, *names,
             "premium", "premium_date"]  # fmt: skip
    return type(
        f"{_LABELS[kind]}Form",
        (StructureForm,),
        {
            "__doc__": (deals.TERMS_OF_STRUCTURE[kind].__doc__ or "").strip(),
            "kind": kind.value,
            "label": _LABELS[kind],
            "structure": kind,
            "roles": roles,
            "field_order": order,
            **found,
        },
    )


STRUCTURE_FORMS = tuple(_form_of(kind) for kind in StructureKind)
