"""Write the terms of a deal as rows: legs, fees and profiles."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from energyopti.foundation.copying import copy_rows
from trading import deals
from trading.deals import Deal, Schedule
from trading.models import (
    Fee,
    FeePurpose,
    Leg,
    LegKind,
    PriceIndex,
    Profile,
    ProfileMonth,
    TradeVersion,
)
from trading.queries.deals import (
    asset_json,
    certificate_json,
    option_json,
    structure_json,
)
from trading.queries.positions import STORED
from trading.queries.summaries import quantities


def write_legs(*, version: TradeVersion, deal: Deal, market_ids: Mapping[str, int]) -> None:
    """Write a deal's legs and fees under a version, in the caller's transaction."""
    write_legs_of_many([(version, deal, market_ids)])


def write_legs_of_many(
    written: Sequence[tuple[TradeVersion, Deal, Mapping[str, int]]],
) -> None:
    """Write the legs and fees of many deals, each under its version with its market ids."""
    indices = _indices([deal for _, deal, _ in written])
    legs: list[Leg] = []
    fees: list[Fee] = []
    for version, deal, market_ids in written:
        legs += _legs(version, deal, market_ids, indices)
        fees += _fees(version, deal)
    copy_rows(legs)
    copy_rows(fees)


def _legs(
    version: TradeVersion, deal: Deal, market_ids: Mapping[str, int], indices: Mapping[str, int]
) -> list[Leg]:
    profiles: dict[tuple[datetime, deals.Profile], Profile] = {}
    legs = []
    terms = [leg for leg in deal.legs if not isinstance(leg, deals.Fee)]
    for number, leg in enumerate(terms, start=1):
        volume, profile = leg.schedule.volume, None
        if isinstance(volume, deals.Profile):
            key = (leg.schedule.interval.start, volume)
            if key not in profiles:
                profiles[key] = _write_profile(leg.schedule, volume)
            profile = profiles[key]
        legs.append(_leg(version, number, leg, market_ids, indices, profile))
    return legs


def _fees(version: TradeVersion, deal: Deal) -> list[Fee]:
    return [
        Fee(
            version=version, number=number, direction=fee.direction.value,
            purpose=FeePurpose(fee.kind.value), amount=fee.amount, currency=fee.currency,
            basis=fee.basis.value, payee=fee.payee,
        )
        for number, fee in enumerate(deal.fees, start=1)
    ]  # fmt: skip


def _leg(
    version: TradeVersion,
    number: int,
    leg: Any,
    market_ids: Mapping[str, int],
    indices: Mapping[str, int],
    profile: Profile | None,
) -> Leg:
    schedule: Schedule = leg.schedule
    area = schedule.area
    row = Leg(
        version=version,
        number=number,
        direction=leg.direction.value,
        settlement="CASH",
        market_id=market_ids[area.code],
        shape=schedule.shape.code,
        shape_version=schedule.shape.version,
        first_date=schedule.period.first,
        after_date=schedule.period.after,
        start=schedule.interval.start,
        end=schedule.interval.end,
        price_unit=area.price_unit,
        currency=area.currency,
        profile=profile,
        **quantities(schedule),
    )
    if isinstance(leg, deals.Delivery):
        row.kind, row.settlement = LegKind.DELIVERY, "PHYSICAL"
        row.terms = {**asset_json(leg.asset), **certificate_json(leg.certificate)}
    elif isinstance(leg, deals.Fixed):
        row.kind, row.price, row.currency, row.price_unit = (
            LegKind.FIXED, leg.price, leg.currency, leg.per,
        )  # fmt: skip
    elif isinstance(leg, deals.Floating):
        row.kind, row.price, row.multiplier = LegKind.FLOATING, leg.spread, leg.multiplier
        row.currency, row.price_unit = leg.index.currency, leg.index.price_unit
        row.index_code, row.index_id = leg.index.code, indices.get(leg.index.code)
    elif isinstance(leg, deals.Structure):
        row.kind, row.settlement = LegKind.STRUCTURE, "PHYSICAL"
        if leg.kind is deals.StructureKind.TRANSMISSION_RIGHT:
            row.settlement = "CASH"
        row.index_code = leg.underlying[0].code
        row.index_id = indices.get(row.index_code)
        row.terms = structure_json(leg)
    else:
        row.kind, row.settlement = LegKind.OPTION, leg.settlement.value
        row.index_code = leg.underlying[0].code
        row.index_id = indices.get(row.index_code)
        row.currency, row.price, row.terms = leg.currency, leg.strikes[0], option_json(leg)
    return row


def _indices(written: Iterable[Deal]) -> dict[str, int]:
    codes: set[str] = set()
    for deal in written:
        codes |= {leg.index.code for leg in deal.floating_legs}
        codes |= {index.code for leg in deal.choices for index in leg.underlying}
    if not codes:
        return {}
    return dict(PriceIndex.objects.filter(code__in=codes).values_list("code", "id"))


def _write_profile(schedule: Schedule, volume: deals.Profile) -> Profile:
    interval, minutes = schedule.interval, volume.minutes
    digest = hashlib.sha256(f"{minutes} {interval.start.isoformat()} ".encode())
    digest.update(volume.micro_mw.astype(STORED).tobytes())
    profile = Profile.objects.create(
        minutes=minutes,
        start=interval.start,
        end=interval.end,
        intervals=volume.micro_mw.size,
        content_hash=digest.hexdigest(),
    )
    months: list[ProfileMonth] = []
    first = 0
    for part in schedule.parts:
        after = first + int(part.interval.duration.total_seconds()) // (60 * minutes)
        months.append(
            ProfileMonth(
                profile=profile, month=part.month, start=part.interval.start,
                end=part.interval.end,
                micro_mw=volume.micro_mw[first:after].astype(STORED).tobytes(),
            )
        )  # fmt: skip
        first = after
    ProfileMonth.objects.bulk_create(months)
    return profile
