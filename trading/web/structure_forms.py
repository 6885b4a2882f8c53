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
_HELP = {
    "{unit}": "In the quantity’s unit.",
    "{unit}/day": "A day, in the quantity’s unit.",
    "{currency}": "In the area’s currency.",
    "{currency}/{unit}": "Per unit, in the area’s currency.",
    "{currency}/MWh": "Per MWh, in the area’s currency.",
}


class StructureForm(VolumeForm):
    """What the forms of all kinds share."""

    structure: ClassVar[StructureKind]
    roles: ClassVar[tuple[str, ...]]

    premium = forms.DecimalField(required=False, help_text="What the holder pays for it in all.")
    premium_date = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    rule_fields = {**VolumeForm.rule_fields, "volume": "quantity", "underlying": "area"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The prices are in the delivery point's currency.
        del self.fields["currency"]
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
    words = _HELP.get(term.unit, f"In {term.unit}." if term.unit else "")
    if name == "form":
        return forms.ChoiceField(
            label=term.label, choices=[(form.value, form.value.capitalize()) for form in RightForm]
        )
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
