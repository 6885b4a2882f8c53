"""Book metered volumes: first readings and later ones, each as a version."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.intervals import as_utc
from energyopti.foundation.partitions.months import ensure_months

from ..enums import Flow, MeteringPointKind
from ..models import Market

_MINUTES = (15, 30, 60)
_LIMIT = Decimal(10) ** 12
_QUANTUM = Decimal("0.000001")
_STAGE = """
CREATE TEMPORARY TABLE incoming_actual (
    organization_id uuid NOT NULL, site_id uuid, market_id bigint NOT NULL,
    asset_id varchar(80) NOT NULL, flow varchar(6) NOT NULL,
    metering_point_kind varchar(16) NOT NULL, period_start timestamptz NOT NULL,
    period_minutes smallint NOT NULL, energy_kwh numeric(18, 6) NOT NULL
)
"""
_LOCK = """
SELECT pg_advisory_xact_lock(hashtextextended('trading_actual ' || organization, 0))
FROM (SELECT DISTINCT organization_id::text AS organization FROM incoming_actual ORDER BY 1) ids
"""
_INSERT = """
WITH latest AS (
    SELECT DISTINCT ON (organization_id, asset_id, flow, period_start)
           organization_id, asset_id, flow, period_start, version, energy_kwh,
           metering_point_kind
    FROM trading_actual
    WHERE period_start >= %(first)s AND period_start <= %(last)s
      AND organization_id IN (SELECT organization_id FROM incoming_actual)
    ORDER BY organization_id, asset_id, flow, period_start, version DESC
), booked AS (
    INSERT INTO trading_actual (organization_id, site_id, market_id, asset_id, flow,
                                metering_point_kind, period_start, period_minutes, version,
                                energy_kwh, source, recorded_at)
    SELECT incoming.organization_id, site_id, market_id, asset_id, flow,
           incoming.metering_point_kind, period_start, period_minutes,
           coalesce(latest.version, 0) + 1, incoming.energy_kwh, %(source)s,
           clock_timestamp()
    FROM incoming_actual incoming
    LEFT JOIN latest USING (organization_id, asset_id, flow, period_start)
    WHERE (latest.energy_kwh, latest.metering_point_kind)
          IS DISTINCT FROM (incoming.energy_kwh, incoming.metering_point_kind)
    RETURNING organization_id, flow, version, energy_kwh
)
SELECT organization_id, count(*) FILTER (WHERE version = 1), count(*) FILTER (WHERE version > 1)
FROM booked GROUP BY organization_id
"""


class ActualRefused(ValueError):
    """A metered volume cannot be booked; names the row, the field and the rule."""


@dataclass(frozen=True, slots=True)
class ActualRow:
    """
    One reading to book.

    flow                   which register of the meter counted
    metering_point_kind    what the meter measures; one for all registers of an asset
    energy_kwh             ≥ 0, exact, at most six decimals
    """

    organization_id: UUID
    market: Market
    asset_id: str
    flow: Flow
    metering_point_kind: MeteringPointKind
    start: datetime
    minutes: int
    energy_kwh: Decimal
    site_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ActualsBooked:
    """How many readings were given, new, and corrections; the rest was known already."""

    read: int
    new: int
    corrected: int


def book_actuals(*, actor: Actor, rows: Sequence[ActualRow], source: str) -> ActualsBooked:
    """
    Book metered volumes; all of them or none.

    A reading that is known is not booked again; another value for a known interval, or another
    kind of metering point, becomes the next version. One event tells of each organization that
    something changed for.

    :raises ActualRefused: for a row that breaks a rule, an interval that is there twice, or an
        asset with two kinds of metering point.
    """
    actor.require("trading.book_actuals")
    _check(actor, rows)
    if not rows:
        return ActualsBooked(0, 0, 0)
    starts = [as_utc(row.start) for row in rows]
    first, last = min(starts), max(starts)
    end = max(
        start + timedelta(minutes=row.minutes) for start, row in zip(starts, rows, strict=True)
    )
    ensure_months(table="trading_actual", first=first.date(), last=last.date())
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_STAGE)
        with cursor.copy("COPY incoming_actual FROM STDIN") as copy:
            for line in _lines(rows):
                copy.write_row(line)
        cursor.execute(_LOCK)
        cursor.execute(_INSERT, {"first": first, "last": last, "source": source})
        changed = cursor.fetchall()
        cursor.execute("DROP TABLE incoming_actual")
        for organization_id, new, corrected in changed:
            record_event(
                type="actuals.booked",
                actor=actor,
                aggregate_type="organization",
                aggregate_id=organization_id,
                organization_id=organization_id,
                payload={
                    "start": first.isoformat(),
                    "end": end.isoformat(),
                    "new": new,
                    "corrected": corrected,
                    "source": source,
                },
            )
    return ActualsBooked(
        len(rows), sum(new for _, new, _ in changed), sum(later for _, _, later in changed)
    )


def _check(actor: Actor, rows: Sequence[ActualRow]) -> None:
    seen: set[tuple[UUID, str, str, datetime]] = set()
    kinds: dict[tuple[UUID, str], MeteringPointKind] = {}
    for number, row in enumerate(rows):
        rule = _broken_rule(actor, row)
        if rule:
            raise ActualRefused(f"rows[{number}].{rule}")
        key = (row.organization_id, row.asset_id, row.flow, as_utc(row.start))
        if key in seen:
            raise ActualRefused(
                f"rows[{number}].start: {row.start.isoformat()} of {row.asset_id} {row.flow} is"
                " there twice."
            )
        seen.add(key)
        kind = kinds.setdefault((row.organization_id, row.asset_id), row.metering_point_kind)
        if kind != row.metering_point_kind:
            raise ActualRefused(
                f"rows[{number}].metering_point_kind: {row.asset_id} is {kind} and"
                f" {row.metering_point_kind}; a meter measures at one point."
            )


def _broken_rule(actor: Actor, row: ActualRow) -> str:
    if row.organization_id not in actor.organization_ids:
        return "organization_id: there is no such organization."
    if not row.asset_id or len(row.asset_id) > 80:
        return "asset_id: give 1 to 80 characters."
    if row.flow not in Flow.values:
        return f"flow: {row.flow!r} is neither IMPORT nor EXPORT."
    if row.metering_point_kind not in MeteringPointKind.values:
        kinds = ", ".join(MeteringPointKind.values)
        return f"metering_point_kind: {row.metering_point_kind!r} is none of {kinds}."
    if row.minutes not in _MINUTES:
        return f"minutes: {row.minutes} is not 15, 30 or 60."
    if row.start.utcoffset() is None:
        return f"start: {row.start.isoformat()} is naive; give it a UTC offset."
    if row.start.second or row.start.microsecond or row.start.minute % 15:
        return f"start: {row.start.isoformat()} is not the start of a period."
    if not isinstance(row.energy_kwh, Decimal) or not row.energy_kwh.is_finite():
        return f"energy_kwh: {row.energy_kwh!r} must be a finite Decimal."
    if not 0 <= row.energy_kwh < _LIMIT:
        return f"energy_kwh: {row.energy_kwh} must be zero or more; the flow says the direction."
    if row.energy_kwh != row.energy_kwh.quantize(_QUANTUM):
        return f"energy_kwh: {row.energy_kwh} has more than six decimals."
    return ""


def _lines(rows: Sequence[ActualRow]) -> Iterator[tuple[object, ...]]:
    for row in rows:
        yield (
            row.organization_id,
            row.site_id,
            row.market.pk,
            row.asset_id,
            str(row.flow),
            str(row.metering_point_kind),
            row.start.astimezone(UTC),
            row.minutes,
            row.energy_kwh,
        )
