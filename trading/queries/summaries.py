"""The columns in which a version sums its terms up, for lists and for comparing."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from fractions import Fraction
from typing import Any

from energyopti.foundation.calendars import tzdata_version
from trading import deals
from trading.deals import Deal, ProductKind, deal_totals, period_name

_MICRO = 1_000_000
_LEAST = Decimal("0.000001")


def quantities(schedule: deals.Schedule) -> dict[str, Any]:
    """Return quantity, unit, frequency, lots and power of a schedule, of a profile its mean."""
    volume = schedule.volume
    if isinstance(volume, deals.Profile):
        mean = Fraction(int(volume.micro_mw.sum()), volume.micro_mw.size)
        # At least a micro-MW, so that a quantity is never nothing.
        power = max(Decimal(round(mean)) / _MICRO, _LEAST)
        return {"quantity": power, "unit": "MW", "frequency": "HOUR", "lots": None,
                "quantity_mw": power}  # fmt: skip
    found = None
    if volume.frequency is deals.Frequency.HOUR and volume.amount_unit == "MWh":
        found = max(Decimal(round(volume.exact_amount * _MICRO)) / _MICRO, _LEAST)
    return {
        "quantity": volume.quantity, "unit": volume.unit, "frequency": volume.frequency.value,
        "lots": volume.lots, "quantity_mw": found,
    }  # fmt: skip


def terms_summary(deal: Deal, sums: deals.Totals | None = None) -> dict[str, Any]:
    """
    Return the terms' part of a version's columns, without ids of the database.

    sums    the deal's totals, where the caller has them already
    """
    schedule, sums = deal.schedule, sums or deal_totals(deal)
    size = quantities(schedule)
    price, unit, currency = _price(deal)
    return {
        "product_kind": deal.kind.value,
        "side": deal.side.value,
        "shape": "PROFILE" if isinstance(schedule.volume, deals.Profile) else schedule.shape.code,
        "quantity": size["quantity"],
        "quantity_unit": size["unit"],
        "frequency": size["frequency"],
        "quantity_mw": size["quantity_mw"],
        "price": price,
        "price_unit": unit,
        "currency": currency,
        "period_name": period_name(schedule.period),
        "first_date": schedule.period.first,
        "after_date": schedule.period.after,
        "delivery_start": schedule.interval.start,
        "delivery_end": schedule.interval.end,
        "calendar_zone": schedule.area.zone_key,
        "tzdata_version": tzdata_version(),
        "hours": sums.hours,
        "volume": sums.volume,
        "volume_unit": sums.unit,
        "energy_mwh": sums.energy_mwh,
        "notional": sums.notional.amount if sums.notional else None,
        "mic": deal.mic,
        "clearing_account": deal.clearing_account,
        "broker": next(
            (f.payee for f in deal.fees if f.kind is deals.FeeKind.BROKER and f.payee), ""
        ),
    }


def compared_terms(deal: Deal) -> dict[str, Any]:
    """Return what makes two deals in one book look the same, beside market, kind and delivery."""
    schedule = deal.schedule
    size = quantities(schedule)
    price, _, currency = _price(deal)
    return {
        "side": deal.side.value,
        "shape": "PROFILE" if isinstance(schedule.volume, deals.Profile) else schedule.shape.code,
        "quantity": size["quantity"],
        "quantity_unit": size["unit"],
        "frequency": size["frequency"],
        "price": price,
        "currency": currency,
    }


# Product kinds of which lists show a strike as the price.
WITH_STRIKE = frozenset({ProductKind.OPTION.value, ProductKind.SWING.value})


def _price(deal: Deal) -> tuple[Decimal | None, str, str]:
    """Return the price that a list shows: fixed, a spread, an option's or a swing's strike."""
    if deal.fixed_legs:
        fixed = deal.fixed_legs[0]
        return fixed.price, fixed.per, fixed.currency
    if deal.floating_legs:
        # Of a basis swap the second leg carries the spread.
        floating = deal.floating_legs[-1]
        return floating.spread, floating.index.price_unit, floating.currency
    if deal.options:
        option = deal.options[0]
        return option.strikes[0], option.schedule.area.price_unit, option.currency
    leg = deal.structures[0]
    strike = leg.terms.strike if isinstance(leg.terms, deals.SwingTerms) else None
    return strike, leg.schedule.area.price_unit, leg.currency


def terms_json(deal: Deal, summary: dict[str, Any] | None = None) -> dict[str, Any]:
    """
    Return the terms as events and differences show them: JSON values, leg by leg.

    summary     of the deal, where the caller has it already
    """
    summary = summary or terms_summary(deal)
    shown = {
        name: _json(summary[name])
        for name in (
            "product_kind", "side", "shape", "quantity", "quantity_unit", "frequency", "price",
            "price_unit", "currency", "period_name", "delivery_start", "delivery_end", "mic",
            "clearing_account", "notional", "energy_mwh",
        )
    }  # fmt: skip
    return {**shown, "market": deal.schedule.area.code, "legs": [_leg_json(x) for x in deal.legs]}


def _leg_json(leg: deals.Leg) -> dict[str, Any]:
    if isinstance(leg, deals.Fee):
        return {
            "leg": "FEE", "direction": leg.direction.value, "kind": leg.kind.value,
            "amount": _json(leg.amount), "currency": leg.currency, "basis": leg.basis.value,
            "payee": leg.payee,
        }  # fmt: skip
    schedule, volume = leg.schedule, leg.schedule.volume
    shown: dict[str, Any] = {
        "leg": type(leg).__name__.upper(),
        "direction": leg.direction.value,
        "market": schedule.area.code,
        "shape": f"{schedule.shape.code} v{schedule.shape.version}",
        "first": schedule.period.first.isoformat(),
        "after": schedule.period.after.isoformat(),
    }
    if isinstance(volume, deals.Profile):
        shown["profile"] = f"{volume.micro_mw.size} × {volume.minutes} min"
        shown["profile_hash"] = f"{hash_of(volume)}"
    else:
        shown["quantity"] = f"{_json(volume.quantity)} {volume.unit} per {volume.frequency.value}"
    if isinstance(leg, deals.Fixed):
        shown["price"] = f"{_json(leg.price)} {leg.currency}/{leg.per}"
    elif isinstance(leg, deals.Floating):
        shown["index"] = leg.index.code
        shown["spread"], shown["multiplier"] = _json(leg.spread), _json(leg.multiplier)
    elif isinstance(leg, deals.Option):
        from .deals import option_json

        shown["option"] = option_json(leg)
    elif isinstance(leg, deals.Structure):
        from .deals import structure_json

        shown["structure"] = structure_json(leg)
    else:
        from .deals import asset_json, certificate_json

        shown.update(asset_json(leg.asset), **certificate_json(leg.certificate))
    return shown


def hash_of(volume: deals.Profile) -> str:
    """Return what tells one profile from another."""
    digest = hashlib.sha256(str(volume.minutes).encode())
    digest.update(volume.micro_mw.astype("<i8").tobytes())
    return digest.hexdigest()


def _json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return value
