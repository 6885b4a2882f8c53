"""Metered volumes in the version that holds, and what they are worth at a market's prices."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import connection

from energyopti.accounts.actors import Actor
from energyopti.foundation.intervals import Interval

from ..enums import Flow, MeteringPointKind

# Metering periods begin and end at quarters of an hour, in every market.
_QUARTER = timedelta(minutes=15)
_LATEST = """
SELECT * FROM (
    SELECT DISTINCT ON (organization_id, asset_id, flow, period_start)
           organization_id, site_id, market_id, asset_id, flow, metering_point_kind, period_start,
           period_start + period_minutes * interval '1 minute', energy_kwh, version, recorded_at
    FROM trading_actual
    WHERE organization_id = ANY(%(organizations)s)
      AND period_start >= %(start)s AND period_start < %(end)s
      AND (%(as_of)s::timestamptz IS NULL OR recorded_at <= %(as_of)s)
      AND (%(assets)s::text[] IS NULL OR asset_id = ANY(%(assets)s))
    ORDER BY organization_id, asset_id, flow, period_start, version DESC
) latest
ORDER BY period_start, organization_id, asset_id, flow
"""

_METERED = """
SELECT DISTINCT organization_id FROM trading_actual
WHERE organization_id = ANY(%(organizations)s) AND flow = %(flow)s
  AND period_start >= %(start)s AND period_start < %(end)s
"""


@dataclass(frozen=True, slots=True)
class KnownActual:
    """
    A metered volume in its version known at the cut.

    flow                   IMPORT or EXPORT
    metering_point_kind    what its register measures, a `MeteringPointKind`
    """

    organization_id: UUID
    site_id: UUID | None
    market_id: int
    asset_id: str
    flow: str
    metering_point_kind: str
    interval: Interval
    energy_kwh: Decimal
    version: int
    recorded_at: datetime

    @property
    def is_storage(self) -> bool:
        return self.metering_point_kind == MeteringPointKind.STORAGE

    @property
    def is_supply(self) -> bool:
        """Say whether this is what a site took: at its grid connection, or by its loads."""
        return self.flow == Flow.IMPORT and not self.is_storage


def uncontained(volumes: Iterable[KnownActual]) -> list[KnownActual]:
    """
    Leave out what another register contains already, so that no kWh is there twice.

    While a site's connection point is read, its loads and its storage are inside of that reading.
    At other times, and where a site has no meter at its connection, they stand for themselves. A
    volume without a site is contained in nothing.
    """
    known = list(volumes)
    read = {
        (volume.site_id, quarter)
        for volume in known
        if volume.metering_point_kind == MeteringPointKind.CONNECTION_POINT
        for quarter in _quarters(volume.interval)
    }
    return [
        volume
        for volume in known
        if volume.metering_point_kind == MeteringPointKind.CONNECTION_POINT
        or volume.site_id is None
        or not any((volume.site_id, quarter) in read for quarter in _quarters(volume.interval))
    ]


def _quarters(interval: Interval) -> Iterator[datetime]:
    quarter = interval.start
    while quarter < interval.end:
        yield quarter
        quarter += _QUARTER


def metered_organizations(
    *, actor: Actor, interval: Interval, organization_ids: Sequence[UUID], flow: Flow
) -> set[UUID]:
    """Return those organizations of which a register of a flow was read in an interval."""
    actor.require("trading.view_actual")
    asked = actor.organization_ids.intersection(organization_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            _METERED,
            {
                "organizations": list(asked),
                "flow": flow,
                "start": interval.start,
                "end": interval.end,
            },
        )
        return {organization_id for (organization_id,) in cursor.fetchall()}


def actuals(
    *,
    actor: Actor,
    interval: Interval,
    organization_ids: Sequence[UUID] | None = None,
    asset_ids: Sequence[str] | None = None,
    as_of: datetime | None = None,
) -> list[KnownActual]:
    """
    Return metered volumes whose period starts in an interval, by time.

    Organizations that the actor does not see give nothing.

    as_of    our knowledge: no version recorded later counts; None for everything.
    """
    actor.require("trading.view_actual")
    seen = actor.organization_ids
    asked = seen if organization_ids is None else seen.intersection(organization_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            _LATEST,
            {
                "organizations": list(asked),
                "start": interval.start,
                "end": interval.end,
                "as_of": as_of,
                "assets": None if asset_ids is None else list(asset_ids),
            },
        )
        return [
            KnownActual(
                organization_id=organization_id,
                site_id=site_id,
                market_id=market_id,
                asset_id=asset_id,
                flow=flow,
                metering_point_kind=kind,
                interval=Interval(start, end),
                energy_kwh=energy_kwh,
                version=version,
                recorded_at=recorded_at,
            )
            for (
                organization_id,
                site_id,
                market_id,
                asset_id,
                flow,
                kind,
                start,
                end,
                energy_kwh,
                version,
                recorded_at,
            ) in cursor.fetchall()
        ]
