"""The form of an option with its full terms."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms

from energyopti.foundation.calendars import CalendarError
from energyopti.foundation.money import Side
from trading import deals
from trading.deals import (
    Deal,
    DealError,
    OptionStyle,
    OptionType,
    Settlement,
)

from .deal_forms import VolumeForm, or_else, plain

_MOMENT_HELP = "Date and time on the delivery point's clock."


class OptionForm(VolumeForm):
    """An option with its full terms; what could not be valued is refused as it is proposed."""

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
    ratio = forms.DecimalField(
        required=False,
        help_text="Of a spread: the second per unit of the first, 1 if left out. A heat rate of"
        " 1.8181 is 55 % efficient.",
    )
    ratio_unit = forms.CharField(
        required=False, max_length=12, label="Ratio counts",
        help_text="MWh, MMBtu, therm, t, bbl; needed where the two are priced in other units.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    period_2 = forms.CharField(
        required=False, max_length=40, label="Second delivery",
        help_text="Of a spread, if the second index is for another delivery: Jul27 under Jan27.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    cost = forms.DecimalField(
        required=False,
        help_text="Of a spread, per unit of the first, ≥ 0: operation, and emissions at an agreed"
        " price. It lowers the spread.",
    )
    strike = forms.DecimalField(
        help_text="Per unit, in the currency below; it may be negative. Of a collar its floor."
    )
    strike_2 = forms.DecimalField(
        required=False, label="Second strike", help_text="A collar's cap, above its floor."
    )
    expiry = forms.DateTimeField(
        help_text=_MOMENT_HELP,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    exercises = forms.CharField(
        required=False, max_length=400,
        help_text="Of a Bermudan: the earlier ones, 2026-12-10T12:00, with a space between.",
    )  # fmt: skip
    premium = forms.DecimalField(required=False, help_text="Per unit, ≥ 0; the holder pays it.")
    premium_date = forms.DateField(
        required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    settlement = forms.ChoiceField(choices=[("CASH", "Cash"), ("PHYSICAL", "Physical")])
    field_order = [
        "side", "option_type", "style", "quantity", "unit", "area", "product", "period", "index",
        "index_2", "ratio", "ratio_unit", "period_2", "cost", "strike", "strike_2", "expiry",
        "exercises", "premium", "premium_date", "settlement", "currency",
    ]  # fmt: skip
    rule_fields = {
        **VolumeForm.rule_fields, "underlying": "index", "premium_currency": "currency",
        "second_period": "period_2",
    }  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["side"].help_text = "Buy: the right is ours. Sell: we have granted it."

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
        second = None
        if found["period_2"]:
            try:
                second = deals.parse_period(
                    found["period_2"], calendar=calendar, traded_at=self.known.traded_at
                )
            except CalendarError as error:
                raise DealError("second_period", str(error)) from error
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
                premium=or_else(found.get("premium"), 0),
                premium_date=found.get("premium_date"),
                settlement=Settlement(found["settlement"]),
                ratio=found.get("ratio"),
                ratio_unit=found["ratio_unit"],
                second_period=second,
                cost=or_else(found.get("cost"), 0),
            )
        )

    @classmethod
    def initial_of(cls, deal: Deal) -> dict[str, Any]:
        (leg,) = deal.options
        zone = deal.schedule.area.calendar.zone
        # One for one in the option's own unit is what an empty field says.
        says_ratio = leg.exact_ratio != 1 or leg.ratio_unit != leg.schedule.area.price_unit
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
            "ratio": plain(leg.ratio) if leg.ratio and says_ratio else "",
            "ratio_unit": leg.ratio_unit if says_ratio else "",
            "period_2": "" if leg.second_period is None else deals.period_name(leg.second_period),
            "cost": plain(leg.cost) if leg.cost else "",
        }
        for field, values in (
            ("index", [index.code for index in leg.underlying]),
            ("strike", [plain(strike) for strike in leg.strikes]),
        ):
            found[field], found[f"{field}_2"] = values[0], (values[1:] or [""])[0]
        return found
