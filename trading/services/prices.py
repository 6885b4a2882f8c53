"""Book prices: whole deliveries, exactly once, corrections as new versions."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from django.db import connection, transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.partitions.months import ensure_months

from ..markets.price_files import (
    SPOT_SERIES,
    Clock,
    Finding,
    GapPolicy,
    PriceBatch,
    PriceFile,
    read_price_file,
)
from ..models import ImportRun, Market

Progress = Callable[[str, int, int], None]
_REPORT_EVERY = 8192
_STAGE = """
CREATE TEMPORARY TABLE incoming_price (
    series varchar(64) NOT NULL, period_start timestamptz NOT NULL, value numeric NOT NULL,
    available_at timestamptz NOT NULL
)
"""
# The join decides per value: unknown, known with another value (a correction), or known.
_COMPARE = """
CREATE TEMPORARY TABLE compared_price AS
SELECT incoming.*, latest.value AS known_value
FROM incoming_price incoming
LEFT JOIN (
    SELECT DISTINCT ON (series, period_start) series, period_start, value
    FROM trading_price
    WHERE market_id = %(market)s AND series = ANY(%(series)s)
      AND period_start >= %(start)s AND period_start < %(end)s
    ORDER BY series, period_start, recorded_at DESC
) latest USING (series, period_start)
"""
_COUNT = """
SELECT count(*),
       count(*) FILTER (WHERE known_value IS NULL),
       count(*) FILTER (WHERE known_value <> value)
FROM compared_price
"""
_INSERT = """
INSERT INTO trading_price (market_id, series, period_start, period_minutes, value, available_at,
                           recorded_at, import_run_id)
SELECT %(market)s, series, period_start, %(minutes)s, value,
       CASE WHEN known_value IS NULL THEN available_at
            ELSE greatest(available_at, %(received_at)s) END,
       %(recorded_at)s, %(run)s
FROM compared_price
WHERE known_value IS DISTINCT FROM value
"""
_OTHER_LENGTH = """
SELECT series, period_start, period_minutes FROM trading_price
WHERE market_id = %(market)s AND series = ANY(%(series)s) AND period_minutes <> %(minutes)s
  AND period_start > %(start)s - interval '1 hour' AND period_start < %(end)s
  AND period_start + period_minutes * interval '1 minute' > %(start)s
ORDER BY period_start LIMIT 1
"""


class GranularityConflict(ValueError):
    """Prices of another period length are already booked in the interval."""


@dataclass(frozen=True, slots=True)
class PriceChange:
    """How a delivery differs from what is known, in values (all series counted)."""

    values_read: int
    values_new: int
    values_corrected: int

    @property
    def values_unchanged(self) -> int:
        return self.values_read - self.values_new - self.values_corrected


def _silent(stage: str, done: int, total: int) -> None:
    """Report progress to nobody."""


def read_market_file(
    *,
    market: Market,
    content: bytes,
    clock: Clock | None,
    gaps: GapPolicy = GapPolicy.REFUSE,
    progress: Progress = _silent,
) -> PriceFile:
    """
    Read a price file by the calendar of its market.

    :raises PriceFileRefused: with the findings, if anything in it is wrong.
    """
    return read_price_file(
        content,
        calendar=market.calendar,
        clock=clock,
        gaps=gaps,
        expected_minutes=market.period_minutes,
        progress=lambda done, total: progress("reading", done, total),
    )


def import_price_file(
    *,
    actor: Actor,
    market: Market,
    content: bytes,
    source: str,
    clock: Clock | None,
    received_at: datetime,
    gaps: GapPolicy = GapPolicy.REFUSE,
    progress: Progress = _silent,
) -> ImportRun:
    """
    Import a price file as a whole; a value that is known already is not booked again.

    :raises PriceFileRefused: with the findings; nothing is booked then.
    :raises GranularityConflict: if the interval holds periods of another length.
    """
    file = read_market_file(
        market=market, content=content, clock=clock, gaps=gaps, progress=progress
    )
    return book_prices(
        actor=actor,
        market=market,
        batch=file.batch,
        source=source,
        sha256=hashlib.sha256(content).hexdigest(),
        clock=file.clock,
        findings=file.findings,
        received_at=received_at,
        progress=progress,
    )


def book_prices(
    *,
    actor: Actor,
    market: Market,
    batch: PriceBatch,
    source: str,
    sha256: str,
    clock: Clock,
    received_at: datetime,
    findings: Sequence[Finding] = (),
    progress: Progress = _silent,
) -> ImportRun:
    """
    Book values of a market: new intervals as first versions, changed ones as corrections.

    Spot is available from the market's publication of the day's auction, another series from
    gate closure; a correction not before `received_at`.

    :raises GranularityConflict: if the interval holds periods of another length.
    """
    actor.require("trading.import_prices")
    ensure_months(
        table="trading_price",
        first=batch.start.date(),
        last=(batch.end - timedelta(microseconds=1)).date(),
    )
    with transaction.atomic(), connection.cursor() as cursor:
        change = _stage_and_compare(market, batch, progress)
        cursor.execute("SELECT clock_timestamp()")
        (recorded_at,) = cursor.fetchone()
        run = ImportRun.objects.create(
            market=market,
            source=source[-255:],
            sha256=sha256,
            clock=clock,
            start=batch.start,
            end=batch.end,
            period_minutes=batch.minutes,
            series=list(batch.series),
            values_read=change.values_read,
            values_new=change.values_new,
            values_corrected=change.values_corrected,
            values_unchanged=change.values_unchanged,
            findings=[str(finding) for finding in findings],
            actor_id=actor.id,
            received_at=received_at,
            recorded_at=recorded_at,
        )
        cursor.execute(
            _INSERT,
            {
                "market": market.pk,
                "minutes": batch.minutes,
                "received_at": received_at,
                "recorded_at": recorded_at,
                "run": run.pk,
            },
        )
        _drop_stage()
        record_event(
            type="prices.imported",
            actor=actor,
            aggregate_type="market",
            aggregate_id=market.code,
            organization_id=None,
            payload={
                "import_run": run.pk,
                "market": market.code,
                "series": run.series,
                "start": run.start.isoformat(),
                "end": run.end.isoformat(),
                "sha256": sha256,
                "values_new": run.values_new,
                "values_corrected": run.values_corrected,
                "values_unchanged": run.values_unchanged,
            },
        )
    return run


def compare_prices(
    *, actor: Actor, market: Market, batch: PriceBatch, progress: Progress = _silent
) -> PriceChange:
    """
    Return what `book_prices` would book, and book nothing.

    :raises GranularityConflict: as `book_prices`.
    """
    actor.require("trading.import_prices")
    with transaction.atomic():
        change = _stage_and_compare(market, batch, progress)
        _drop_stage()
    return change


def _stage_and_compare(market: Market, batch: PriceBatch, progress: Progress) -> PriceChange:
    """Fill `compared_price` under the market's lock; two imports of a market never interleave."""
    arguments = {
        "market": market.pk,
        "series": list(batch.series),
        "start": batch.start,
        "end": batch.end,
        "minutes": batch.minutes,
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('trading_price'), %s)", [market.pk])
        cursor.execute(_OTHER_LENGTH, arguments)
        if (other := cursor.fetchone()) is not None:
            series, start, minutes = other
            raise GranularityConflict(
                f"{market.code} {series}: {start:%Y-%m-%d %H:%MZ} is booked as a period of"
                f" {minutes} minutes; this delivery has periods of {batch.minutes}."
            )
        cursor.execute(_STAGE)
        _copy(cursor, market, batch, progress)
        cursor.execute("ANALYZE incoming_price")
        cursor.execute(_COMPARE, arguments)
        cursor.execute(_COUNT)
        return PriceChange(*cursor.fetchone())


def _copy(cursor: object, market: Market, batch: PriceBatch, progress: Progress) -> None:
    starts = [datetime.fromtimestamp(second, UTC) for second in batch.starts.astype(int).tolist()]
    total, done = len(starts) * len(batch.series), 0
    with cursor.copy("COPY incoming_price FROM STDIN") as copy:  # type: ignore[attr-defined]
        for series, values in batch.series.items():
            available = _available(market, batch, series)
            for start, value, available_at in zip(starts, values, available, strict=True):
                done += 1
                if value is not None:
                    copy.write_row((series, start, value, available_at))
                if done % _REPORT_EVERY == 0:
                    progress("booking", done, total)
    progress("booking", total, total)


def _available(market: Market, batch: PriceBatch, series: str) -> list[datetime]:
    """Return for each period when its market could know it, by the delivery day it is in."""
    from energyopti.foundation.calendars import offset_seconds

    offsets = offset_seconds(market.calendar, batch.starts)
    days = (batch.starts + offsets.astype("timedelta64[s]")).astype("datetime64[D]")
    unique, index = np.unique(days, return_inverse=True)
    known_at = market.published_at if series == SPOT_SERIES else market.gate_closes_at
    instants = [known_at(day) for day in unique.tolist()]
    return [instants[i] for i in index.tolist()]


def _drop_stage() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE incoming_price, compared_price")
