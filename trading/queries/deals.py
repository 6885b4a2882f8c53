"""Read deals back from their rows, through the same checks that made them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.money import Side
from trading import deals
from trading.deals import Deal, DeliveryArea
from trading.models import Fee, Leg, LegKind, PriceIndex, TradeVersion

from .areas import delivery_areas, index_of
from .positions import STORED

_FEES = {kind.value for kind in deals.FeeKind}


def deal_of(version: TradeVersion) -> Deal:
    """Return the terms of a version; five queries at most, one more for each profile."""
    return deals_of([version])[0]


def deals_of(versions: Sequence[TradeVersion]) -> list[Deal]:
    """Return the terms of versions in their order, in the number of queries that one takes."""
    ids = [version.terms_version_id for version in versions]
    legs = list(
        Leg.objects.filter(version_id__in=ids)
        .select_related("market", "index__market", "profile")
        .order_by("number")
    )
    legs_of: dict[int, list[Leg]] = defaultdict(list)
    for leg in legs:
        legs_of[leg.version_id].append(leg)
    fees_of: dict[int, list[Fee]] = defaultdict(list)
    for fee in Fee.objects.filter(version_id__in=ids, purpose__in=_FEES).order_by("number"):
        fees_of[fee.version_id].append(fee)
    named = [code for leg in legs for code in leg.terms.get("underlying", ())]
    indices = {leg.index_code: leg.index for leg in legs if leg.index is not None}
    for row in (
        PriceIndex.objects.filter(code__in=set(named) - set(indices)).select_related("market")
        if named
        else ()
    ):
        indices[row.code] = row
    codes = {leg.market.code for leg in legs} | {i.market.code for i in indices.values()}
    areas = delivery_areas(codes)
    known = {code: index_of(row, areas[row.market.code]) for code, row in indices.items()}
    profiles: dict[int, deals.Profile] = {}
    return [
        Deal(
            deals.ProductKind(version.product_kind),
            Side(version.side),
            (
                *(_leg(leg, areas, known, profiles, version.mic) for leg in legs_of[of]),
                *map(_fee, fees_of[of]),
            ),
            package_id=version.trade.package_id,
            mic=version.mic,
            clearing_account=version.clearing_account,
        )
        for version, of in zip(versions, ids, strict=True)
    ]


def proposed_deal_of(version: TradeVersion) -> Deal:
    """Return the terms that a version of the event PROPOSE proposes."""
    said = version.proposed
    as_if = TradeVersion(
        pk=version.pk, trade=version.trade, product_kind=said.product_kind, side=said.side,
        mic=said.mic, clearing_account=said.clearing_account,
    )  # fmt: skip
    return deal_of(as_if)


def _leg(
    row: Leg,
    areas: Mapping[str, DeliveryArea],
    indices: Mapping[str, deals.PriceIndex],
    profiles: dict[int, deals.Profile],
    mic: str,
) -> deals.Leg:
    area = areas[row.market.code]
    direction = deals.Direction(row.direction)
    volume: deals.Volume | deals.Profile
    if row.profile_id is not None:
        if row.profile_id not in profiles:
            profiles[row.profile_id] = _profile(row)
        volume = profiles[row.profile_id]
    else:
        volume = deals.Volume(row.quantity, row.unit, deals.Frequency(row.frequency), row.lots)
    schedule = deals.Schedule(
        area,
        DatePeriod(row.first_date, row.after_date),
        volume,
        area.shape(row.shape, version=row.shape_version),
    )
    if row.kind == LegKind.DELIVERY:
        return deals.Delivery(direction, schedule, asset_of(row.terms), certificate_of(row.terms))
    if row.kind == LegKind.STRUCTURE:
        named = [indices[code] for code in row.terms["underlying"]]
        return structure_of(row.terms, direction, schedule, named)
    assert row.price is not None
    if row.kind == LegKind.FIXED:
        return deals.Fixed(direction, schedule, row.price, row.currency, row.price_unit)

    def index(code: str) -> deals.PriceIndex:
        if code in indices:
            return indices[code]
        # What the exchange settles its own contracts at has no row of its own.
        return deals.settlement_index(area, mic)

    if row.kind == LegKind.FLOATING:
        return deals.Floating(direction, schedule, index(row.index_code), row.price, row.multiplier)
    return option_of(row.terms, direction, schedule, [index(c) for c in row.terms["underlying"]])


def _profile(row: Leg) -> deals.Profile:
    import numpy as np

    assert row.profile is not None
    months = row.profile.months.order_by("start").values_list("micro_mw", flat=True)
    whole = np.concatenate([np.frombuffer(stored, dtype=STORED) for stored in months])
    return deals.Profile(row.profile.minutes, whole.astype(np.int64))


def _fee(row: Fee) -> deals.Fee:
    return deals.Fee(
        deals.Direction(row.direction), deals.FeeKind(row.purpose), row.amount, row.currency,
        deals.FeeBasis(row.basis), row.payee,
    )  # fmt: skip


def asset_json(asset: deals.AssetShare | None) -> dict[str, Any]:
    """Return an asset's share as a leg keeps it."""
    if asset is None:
        return {}
    return {
        "asset": {
            "id": asset.asset_id,
            "installed_mw": _written(asset.installed_mw),
            "contracted_mw": _written(asset.contracted_mw),
        }
    }


def asset_of(terms: Mapping[str, Any]) -> deals.AssetShare | None:
    """Return the asset's share that a leg keeps, None without one."""
    kept = terms.get("asset")
    if kept is None:
        return None
    return deals.AssetShare(
        kept["id"], Decimal(kept["installed_mw"]), Decimal(kept["contracted_mw"])
    )


def certificate_json(terms: deals.CertificateTerms | None) -> dict[str, Any]:
    """Return which certificates as a leg keeps it."""
    if terms is None:
        return {}
    return {"certificate": {"vintage": terms.vintage, "registry": terms.registry}}


def certificate_of(terms: Mapping[str, Any]) -> deals.CertificateTerms | None:
    """Return which certificates a leg is about, None without any."""
    kept = terms.get("certificate")
    return None if kept is None else deals.CertificateTerms(kept["vintage"], kept["registry"])


def option_json(leg: deals.Option) -> dict[str, Any]:
    """Return an option's terms as a leg keeps them."""
    return {
        "style": leg.style.value,
        "type": leg.option_type.value,
        "underlying": [index.code for index in leg.underlying],
        "strikes": [_written(strike) for strike in leg.strikes],
        "expiry": leg.expiry.isoformat(),
        "exercises": [instant.isoformat() for instant in leg.exercises],
        "premium": _written(leg.premium),
        "premium_currency": leg.premium_currency,
        "premium_date": leg.premium_date.isoformat() if leg.premium_date else None,
        "settlement": leg.settlement.value,
        "currency": leg.currency,
        **_spread_json(leg),
    }


def _spread_json(leg: deals.Option) -> dict[str, Any]:
    if leg.ratio is None:
        return {}
    second = leg.second_period
    return {
        "ratio": _written(leg.ratio),
        "ratio_unit": leg.ratio_unit,
        "second_period": None if second is None else deals.period_name(second),
        "cost": _written(leg.cost),
    }


def structure_json(leg: deals.Structure) -> dict[str, Any]:
    """Return the terms of a contract with choices as a leg keeps them."""
    return {
        "kind": leg.kind.value,
        "underlying": [index.code for index in leg.underlying],
        "structure": deals.terms_said(leg.terms),
        "premium": _written(leg.premium),
        "premium_date": leg.premium_date.isoformat() if leg.premium_date else None,
    }


def structure_leg_json(leg: deals.Structure) -> dict[str, Any]:
    """Return a contract with choices in full, as `structure_leg_of` reads it back."""
    schedule, volume = leg.schedule, leg.schedule.volume
    assert not isinstance(volume, deals.Profile)
    return {
        "direction": leg.direction.value,
        "market": schedule.area.code,
        "first": schedule.period.first.isoformat(),
        "after": schedule.period.after.isoformat(),
        "quantity": str(volume.quantity),
        "unit": volume.unit,
        "frequency": volume.frequency.value,
        "shape": schedule.shape.code,
        "shape_version": schedule.shape.version,
        "terms": structure_json(leg),
    }


def structure_leg_of(said: Mapping[str, Any]) -> deals.Structure:
    """Return the contract of `structure_leg_json`; four queries."""
    codes = said["terms"]["underlying"]
    rows = PriceIndex.objects.filter(code__in=codes).select_related("market")
    found = {row.code: row for row in rows}
    areas = delivery_areas({said["market"], *(row.market.code for row in found.values())})
    area = areas[said["market"]]
    schedule = deals.Schedule(
        area,
        DatePeriod(date.fromisoformat(said["first"]), date.fromisoformat(said["after"])),
        deals.Volume(Decimal(said["quantity"]), said["unit"], deals.Frequency(said["frequency"])),
        area.shape(said["shape"], version=said["shape_version"]),
    )
    underlying = [index_of(found[code], areas[found[code].market.code]) for code in codes]
    return structure_of(said["terms"], deals.Direction(said["direction"]), schedule, underlying)


def structure_of(
    terms: Mapping[str, Any],
    direction: deals.Direction,
    schedule: deals.Schedule,
    underlying: Sequence[deals.PriceIndex],
) -> deals.Structure:
    """Return a contract with choices from the terms that a leg keeps."""
    kind, paid_on = deals.StructureKind(terms["kind"]), terms["premium_date"]
    return deals.Structure(
        direction=direction,
        schedule=schedule,
        kind=kind,
        underlying=tuple(underlying),
        terms=deals.structure_terms(kind, terms["structure"]),
        premium=Decimal(terms["premium"]),
        premium_date=None if paid_on is None else date.fromisoformat(paid_on),
    )


def option_of(
    terms: Mapping[str, Any],
    direction: deals.Direction,
    schedule: deals.Schedule,
    underlying: Sequence[deals.PriceIndex],
) -> deals.Option:
    """Return an option from the terms that a leg keeps."""
    paid_on = terms["premium_date"]
    expiry = datetime.fromisoformat(terms["expiry"])
    ratio, second = terms.get("ratio"), None
    if terms.get("second_period"):
        second = deals.parse_period(
            terms["second_period"], calendar=schedule.area.calendar, traded_at=expiry
        )
    return deals.Option(
        direction=direction,
        schedule=schedule,
        style=deals.OptionStyle(terms["style"]),
        option_type=deals.OptionType(terms["type"]),
        underlying=tuple(underlying),
        strikes=tuple(Decimal(strike) for strike in terms["strikes"]),
        expiry=expiry,
        currency=terms["currency"],
        exercises=tuple(datetime.fromisoformat(instant) for instant in terms["exercises"]),
        premium=Decimal(terms["premium"]),
        premium_currency=terms["premium_currency"],
        premium_date=None if paid_on is None else date.fromisoformat(paid_on),
        settlement=deals.Settlement(terms["settlement"]),
        ratio=None if ratio is None else Decimal(ratio),
        ratio_unit=terms.get("ratio_unit", ""),
        second_period=second,
        cost=Decimal(terms.get("cost", "0")),
    )


def _written(value: Decimal) -> str:
    """Write a number in one way, whoever said it: 80 of 80.000000, so that equal terms are."""
    return f"{value.normalize():f}"
