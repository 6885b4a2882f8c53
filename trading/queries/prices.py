"""Prices as known: by us at a cut (`as_of`), and by the market at a time (`known_at`)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import connection

from energyopti.foundation.intervals import Interval, IntervalSet

from ..models import SPOT, Market

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# Backward over the primary key, so that the newest version of each interval comes first.
_LATEST = """
SELECT DISTINCT ON (period_start) {columns}
FROM trading_price
WHERE market_id = %(market)s AND series = %(series)s
  AND period_start >= %(start)s AND period_start < %(end)s
  AND (%(as_of)s::timestamptz IS NULL OR recorded_at <= %(as_of)s)
  AND (%(known_at)s::timestamptz IS NULL OR available_at <= %(known_at)s)
ORDER BY period_start {direction}, recorded_at DESC
{limit}
"""
_EXACT_COLUMNS = (
    "period_start, period_start + period_minutes * interval '1 minute', value,"
    " available_at, recorded_at"
)


class MixedGranularity(ValueError):
    """An interval holds periods of different lengths; ask for its parts."""


class PricesMissing(LookupError):
    """Prices that were asked for are not known; names the market and the first gap."""


@dataclass(frozen=True, slots=True)
class PriceSeries:
    """
    Hold one series of a market over an interval, as known at the cut that was asked for.

    starts     UTC, ascending, datetime64[s], shape (periods,); unknown periods are left out
    values     float64, shape (periods,); currency/MWh for spot. Not for ledgers.
    minutes    length of every period
    """

    market: str
    series: str
    interval: Interval
    starts: npt.NDArray[np.datetime64]
    values: npt.NDArray[np.float64]
    minutes: int

    @property
    def missing(self) -> IntervalSet:
        """Return the parts of the interval whose price is not known."""
        import numpy as np

        step = np.timedelta64(self.minutes, "m")
        if not self.starts.size:
            return IntervalSet((self.interval,))
        breaks = np.flatnonzero(np.diff(self.starts) != step)
        firsts = self.starts[np.concatenate(([0], breaks + 1))]
        ends = self.starts[np.concatenate((breaks, [-1]))] + step
        held = [Interval(_aware(a), _aware(b)) for a, b in zip(firsts, ends, strict=True)]
        return IntervalSet((self.interval,)) - IntervalSet(held)

    def require_complete(self) -> PriceSeries:
        """
        Return the series itself if it covers its interval.

        :raises PricesMissing: naming the first gap.
        """
        if missing := self.missing:
            first = missing.intervals[0]
            raise PricesMissing(
                f"{self.market} {self.series}: no price for {first} ({missing.hours} h missing)."
            )
        return self


def price_series(
    market: Market,
    interval: Interval,
    *,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    series: str = SPOT,
) -> PriceSeries:
    """
    Return a series of a market over an interval; each period in its version known at the cut.

    as_of       our knowledge: nothing recorded later counts; None for everything.
    known_at    the market's knowledge: nothing available later counts; None for everything.

    :raises MixedGranularity: if the interval holds periods of different lengths.
    """
    import numpy as np  # arrays are for those who ask for a series

    columns = "extract(epoch FROM period_start)::bigint, value::float8, period_minutes"
    rows = _rows(columns, market, interval, as_of, known_at, series)
    lengths = {minutes for _, _, minutes in rows}
    if len(lengths) > 1:
        raise MixedGranularity(
            f"{market.code} {series}: {interval} holds periods of"
            f" {', '.join(str(length) for length in sorted(lengths))} minutes."
        )
    return PriceSeries(
        market.code,
        series,
        interval,
        np.array([start for start, _, _ in rows], dtype=np.int64).astype("datetime64[s]"),
        np.array([value for _, value, _ in rows], dtype=np.float64),
        lengths.pop() if lengths else market.period_minutes,
    )


@dataclass(frozen=True, slots=True)
class ExactPrice:
    """One period's price as delivered, for settlement: exact, in currency/MWh."""

    interval: Interval
    value: Decimal
    available_at: datetime
    recorded_at: datetime


def exact_prices(
    market: Market,
    interval: Interval,
    *,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    series: str = SPOT,
) -> list[ExactPrice]:
    """Return the periods of an interval with their exact values, ascending; for ledgers."""
    return [
        ExactPrice(Interval(start, end), value, available_at, recorded_at)
        for start, end, value, available_at, recorded_at in _rows(
            _EXACT_COLUMNS, market, interval, as_of, known_at, series
        )
    ]


def price_page(
    market: Market,
    interval: Interval,
    *,
    limit: int,
    latest_first: bool = False,
    as_of: datetime | None = None,
    known_at: datetime | None = None,
    series: str = SPOT,
) -> list[ExactPrice]:
    """Return at most `limit` periods from the start of an interval (or back from its end)."""
    return [
        ExactPrice(Interval(start, end), value, available_at, recorded_at)
        for start, end, value, available_at, recorded_at in _rows(
            _EXACT_COLUMNS,
            market,
            interval,
            as_of,
            known_at,
            series,
            direction="DESC" if latest_first else "ASC",
            limit=limit,
        )
    ]


def price_versions(market: Market, start: datetime, *, series: str = SPOT) -> list[ExactPrice]:
    """Return every version of one period's price, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT period_start, period_start + period_minutes * interval '1 minute', value,"
            " available_at, recorded_at FROM trading_price"
            " WHERE market_id = %s AND series = %s AND period_start = %s ORDER BY recorded_at",
            [market.pk, series, start],
        )
        return [ExactPrice(Interval(row[0], row[1]), *row[2:]) for row in cursor.fetchall()]


def series_names(market: Market) -> list[str]:
    """Return the names of the series that deliveries of the market brought, spot first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT unnest(series) AS name FROM trading_importrun"
            " WHERE market_id = %s ORDER BY name",
            [market.pk],
        )
        names = [name for (name,) in cursor.fetchall()]
    return sorted(names, key=lambda name: (name != SPOT, name))


def _rows(
    columns: str,
    market: Market,
    interval: Interval,
    as_of: datetime | None,
    known_at: datetime | None,
    series: str,
    *,
    direction: str = "DESC",
    limit: int | None = None,
) -> list[tuple[Any, ...]]:
    """Return rows ascending by time, unless a limited walk backward was asked for."""
    statement = _LATEST.format(
        columns=columns, direction=direction, limit="" if limit is None else f"LIMIT {limit:d}"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            {
                "market": market.pk,
                "series": series,
                "start": interval.start,
                "end": interval.end,
                "as_of": as_of,
                "known_at": known_at,
            },
        )
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    if limit is None:
        rows.reverse()
    return rows


def _aware(instant: np.datetime64) -> datetime:
    return datetime.fromtimestamp(int(instant.astype("datetime64[s]").astype("int64")), UTC)
