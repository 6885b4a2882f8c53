"""What the meters of plants say of trades on their output, by what was known at a cut."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Max
from django.db.models.functions import Upper

from trading.deals import Deal, DealError, MeteredMonth, Readings, metered_months, metered_share
from trading.models import Plant, TradeEvent, TradeVersion

from ..enums import Flow, MeteringPointKind

_HOUR = timedelta(hours=1)
# A row a meter: its latest readings as columns, big-endian.
_READINGS = """
WITH latest AS (
    SELECT DISTINCT ON (organization_id, asset_id, period_start)
           organization_id, asset_id, market_id, metering_point_kind, period_start,
           period_minutes, energy_kwh
    FROM trading_actual
    WHERE organization_id = ANY(%(organizations)s) AND asset_id = ANY(%(meters)s)
      AND flow = %(flow)s AND period_start >= %(start)s AND period_start < %(end)s
      AND (%(known_at)s::timestamptz IS NULL OR recorded_at <= %(known_at)s)
    ORDER BY organization_id, asset_id, period_start, version DESC
)
SELECT organization_id, asset_id, array_agg(DISTINCT market_id),
       array_agg(DISTINCT metering_point_kind),
       string_agg(int8send(extract(epoch FROM period_start)::bigint), ''::bytea
                  ORDER BY period_start),
       string_agg(int8send(period_minutes::bigint), ''::bytea ORDER BY period_start),
       string_agg(int8send((energy_kwh * 1000000)::bigint), ''::bytea ORDER BY period_start)
FROM latest GROUP BY organization_id, asset_id
"""


@dataclass(frozen=True, slots=True)
class TrueUp:
    """
    How far a trade was trued up: deliveries that ended by `until`, from what was known at a cut.
    """

    until: datetime
    known_at: datetime


class NoMeter(DealError):
    """Nobody says where the asset of a deal is metered."""


@dataclass(frozen=True, slots=True)
class _Meter:
    """One meter's rows, before anybody has looked whether they fit a deal."""

    markets: frozenset[int]
    kinds: frozenset[str]
    columns: tuple[bytes, bytes, bytes]

    def readings(self) -> Readings:
        import numpy as np

        return Readings(*(np.frombuffer(c, dtype=">i8").astype(np.int64) for c in self.columns))


_NOTHING = _Meter(frozenset(), frozenset(), (b"", b"", b""))


class Meters:
    """The readings of all plants that some deals are on: three queries, however many deals."""

    def __init__(
        self,
        asked: Collection[tuple[UUID, Deal]],
        *,
        until: datetime,
        known_at: datetime | None = None,
    ) -> None:
        """
        Read what meters fed in until an instant.

        asked       each deal with the organization whose meters count for it
        known_at    no reading recorded later counts; None is now
        """
        shares = [(org, deal, metered_share(deal)) for org, deal in asked]
        self._plants: dict[str, Plant] = {}
        self._meters: dict[tuple[UUID, str], _Meter] = {}
        codes = {share.asset_id.upper() for _, _, share in shares if share is not None}
        if not codes:
            return
        rows = Plant.objects.annotate(name_of=Upper("code")).filter(name_of__in=codes)
        self._plants = {row.code.upper(): row for row in rows}
        meters = {row.metering_asset_id for row in self._plants.values()} - {""}
        if not meters:
            return
        first = min(deal.schedule.interval.start for _, deal, share in shares if share is not None)
        with connection.cursor() as cursor:
            cursor.execute(
                _READINGS,
                {
                    "organizations": list({org for org, _, _ in shares}),
                    "meters": sorted(meters),
                    "flow": str(Flow.EXPORT),
                    # An hour may have begun before the delivery that it reaches into.
                    "start": first - _HOUR,
                    "end": until,
                    "known_at": known_at,
                },
            )
            for org, asset_id, markets, kinds, *columns in cursor.fetchall():
                packed = tuple(bytes(column) for column in columns)
                self._meters[org, asset_id] = _Meter(
                    frozenset(markets), frozenset(kinds), (packed[0], packed[1], packed[2])
                )

    def months(
        self, organization_id: UUID, deal: Deal, market_id: int, *, until: datetime
    ) -> tuple[MeteredMonth, ...]:
        """
        Return the months of a deal that were metered in part or whole; none where it is left alone.

        :raises NoMeter: for an asset that is no plant, or a plant without a metering point.
        :raises DealError: for readings of another sort, in another market, or implausible ones.
        """
        share = metered_share(deal)
        if share is None:
            return ()
        plant = self._plants.get(share.asset_id.upper())
        if plant is None:
            raise NoMeter("asset", f"there is no plant “{share.asset_id}”.")
        if not plant.metering_asset_id:
            raise NoMeter("metering_point", f"the plant {plant.code} has none.")
        meter = self._meters.get((organization_id, plant.metering_asset_id), _NOTHING)
        others = meter.kinds - {MeteringPointKind.CONNECTION_POINT}
        if others:
            raise DealError(
                "metering_point",
                f"{plant.metering_asset_id} reads {', '.join(sorted(others))}, and what "
                f"{plant.code} feeds in is read at its CONNECTION_POINT.",
            )
        if meter.markets - {market_id}:
            raise DealError(
                "metering_point",
                f"{plant.metering_asset_id} is not read in {deal.schedule.area.code}.",
            )
        return metered_months(deal, meter.readings(), until=until)


def true_ups(trade_ids: Collection[int]) -> Mapping[int, TrueUp]:
    """Return how far trades were trued up, by trade; those that never were are left out."""
    rows = (
        TradeVersion.objects.filter(trade_id__in=trade_ids, event=TradeEvent.METER)
        .order_by()
        .values("trade_id")
        .annotate(until=Max("effective_at"), known_at=Max("recorded_at"))
    )
    return {row["trade_id"]: TrueUp(row["until"], row["known_at"]) for row in rows}


def held_months(version: TradeVersion, deal: Deal, market_id: int) -> tuple[MeteredMonth, ...]:
    """
    Return the months of a trade as they were last trued up, for terms that it has or gets.

    Four queries; none for a deal whose volume is left as agreed.

    :raises DealError: as `Meters.months`.
    """
    if metered_share(deal) is None:
        return ()
    done = true_ups([version.trade_id]).get(version.trade_id)
    if done is None:
        return ()
    organization_id = version.trade.organization_id
    meters = Meters([(organization_id, deal)], until=done.until, known_at=done.known_at)
    try:
        return meters.months(organization_id, deal, market_id, until=done.until)
    except NoMeter:
        # New terms may name an asset that nobody meters: then what is expected holds.
        return ()


def shown_months(version: TradeVersion, deal: Deal) -> tuple[tuple[MeteredMonth, ...], str]:
    """Return the metered months of a trade, and why they cannot be read any more, if so."""
    try:
        return held_months(version, deal, version.market_id), ""
    except DealError as error:
        return (), str(error)


def has_meter(deal: Deal) -> bool:
    """Say whether somebody meters what a deal delivers; one query, none for another deal."""
    share = metered_share(deal)
    if share is None:
        return False
    plants = Plant.objects.filter(code__iexact=share.asset_id)
    return bool(plants.exclude(metering_asset_id="").exists())


def metered_totals(months: Collection[MeteredMonth]) -> dict[str, Decimal]:
    """Return expected, metered and their difference over all that was metered, in MWh."""
    expected = sum((month.expected_mwh for month in months), Decimal(0))
    metered = sum((month.metered_mwh for month in months), Decimal(0))
    return {"expected": expected, "metered": metered, "difference": metered - expected}


def months_json(months: Collection[MeteredMonth]) -> list[dict[str, Any]]:
    """Return metered months as events and answers show them."""
    return [
        {
            "month": month.part.month.isoformat(),
            "intervals": month.intervals,
            "metered_intervals": month.metered_intervals,
            "minutes": month.minutes,
            "expected_mwh": f"{month.expected_mwh:f}",
            "metered_mwh": f"{month.metered_mwh:f}",
            "difference_mwh": f"{month.difference_mwh:f}",
        }
        for month in months
    ]


def said_until(until: datetime) -> str:
    """Return an instant as reasons say it."""
    return f"{until.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
