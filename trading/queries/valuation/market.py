"""What the market was by a cut: the marks and the fixings of a universe's contracts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection

from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.intervals import Interval
from trading.deals import block_shape
from trading.models import SPOT, Market

from ..marks import MarketMarks, NoMark, month_marks
from .contracts import ContractKey, Universe

if TYPE_CHECKING:
    from trading.valuation import FixingSeries, MarketState

_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)
# Blocks begin on the hour of clocks that move by half hours at least.
_FINE = 15

_FIXINGS = """
SELECT DISTINCT ON (period_start)
       extract(epoch FROM period_start)::bigint, period_minutes * 60, value::float8
FROM trading_price
WHERE market_id = %(market)s AND series = %(series)s
  AND period_start >= %(start)s AND period_start < %(end)s
  AND recorded_at <= %(cut)s AND available_at <= %(as_of)s
ORDER BY period_start, recorded_at DESC
"""
# Of each asked month and load the points of the version that spoke of it last, in order of time.
_LAST_MARKS = """
WITH asked AS (
    SELECT * FROM unnest(%(markets)s::bigint[], %(loads)s::text[], %(starts)s::timestamptz[],
                         %(ends)s::timestamptz[], %(times)s::timestamptz[])
             WITH ORDINALITY AS asked (market_id, load, start, after, time, place)
), latest AS (
    SELECT DISTINCT ON (asked.place)
           asked.*, version.number, version.snapshot_id, snapshot.as_of
    FROM asked
    JOIN trading_curvedefinition definition
         ON definition.market_id = asked.market_id AND definition.is_mark
    JOIN trading_curveversion version ON version.definition_id = definition.id
    JOIN trading_curvesnapshot snapshot ON snapshot.id = version.snapshot_id
    WHERE version.published_at <= %(known_at)s AND snapshot.as_of <= asked.time
      AND EXISTS (SELECT FROM trading_curvepoint point
                  WHERE point.snapshot_id = snapshot.id AND point.load = asked.load
                    AND point.start < asked.after AND point."end" > asked.start)
    ORDER BY asked.place, snapshot.as_of DESC, version.published_at DESC, version.id DESC
)
SELECT latest.place, latest.number, latest.as_of, point.start, point."end", point.hours, point.price
FROM latest
JOIN trading_curvepoint point ON point.snapshot_id = latest.snapshot_id
     AND point.load = latest.load AND point.start < latest.after AND point."end" > latest.start
ORDER BY latest.place, point.start
"""


@dataclass(frozen=True)
class MarketFacts:
    """What the market was by a cut, with what is told of it in a run's inputs."""

    state: MarketState
    inputs: dict[str, Any]
    findings: tuple[str, ...]


def market_facts(
    universe: Universe, *, as_of: datetime, known_at: datetime, before: MarketState | None = None
) -> MarketFacts:
    """
    Return the marks and fixings that a cut knew, for the contracts of a universe.

    A contract that the published curve no longer speaks of, though it is not delivered and fixed
    in full, keeps the last mark that was published for it; the findings say so.

    before      of an earlier day, to be taken to this one's time: what it needs counts too
    """
    import numpy as np

    from trading.valuation import MarketState, needs_mark, seconds

    fixings, told = _fixings(universe, as_of, known_at)
    marks = month_marks(as_of=as_of, known_at=known_at, market_ids=list(universe.markets))
    found = np.full(len(universe.contracts), np.nan)
    fine: dict[int, Any] = {}
    for key, position in universe.keys.items():
        mark = marks.get(key.market_id)
        if mark is None or mark.currency != key.currency or mark.price_unit != key.unit:
            continue
        price = mark.price(key.month, key.shape)
        if price is None and block_shape(key.shape) is not None:
            price = _block_price(universe, mark, key)
        if price is not None:
            found[position] = price
        if key.minutes:
            prices = _interval_prices(universe.markets[key.market_id], mark, key)
            if prices is not None:
                fine[position] = prices
    state = MarketState(seconds(as_of), seconds(as_of), fixings, found, fine)
    wanted = needs_mark(universe.contracts, state)
    if before is not None:
        wanted |= needs_mark(universe.contracts, replace(before, at=state.at))
    carried, findings = [], []
    bare = [
        key
        for key, position in universe.keys.items()
        if wanted[position]
        and position in universe.exposed
        and position not in fine
        and np.isnan(found[position])
    ]
    earlier = last_marks(universe, [(key, as_of) for key in bare], known_at)
    for key in bare:
        name = f"{universe.markets[key.market_id].code} {key.shape} {key.month:%b %Y}"
        last = earlier.get((key, as_of))
        if last is None:
            findings.append(f"{name}: no published curve has a price in {key.currency}.")
            continue
        found[universe.keys[key]] = last[0]
        carried.append([name, key.currency, last[1], repr(last[0])])
        findings.append(f"{name}: carried on from {last[1]}; the latest curve has no price.")
    curves = [
        [m.market_code, m.version, m.content_hash, m.as_of.astimezone(UTC).isoformat()]
        for m in sorted(marks.values(), key=lambda m: m.market_code)
    ]
    inputs = {"curves": curves, "carried": sorted(carried), "fixings": told}
    return MarketFacts(state, inputs, tuple(sorted(set(findings))))


def known_fixings(
    market_id: int, span: Interval, *, as_of: datetime, known_at: datetime
) -> FixingSeries | None:
    """Return the fixings whose periods begin in a span, the latest of each; None without any."""
    import numpy as np

    from trading.valuation import FixingSeries

    with connection.cursor() as cursor:
        cursor.execute(
            _FIXINGS,
            {"market": market_id, "series": SPOT, "start": span.start, "end": span.end,
             "cut": known_at, "as_of": as_of},
        )  # fmt: skip
        rows = cursor.fetchall()
    if not rows:
        return None
    starts = np.array([row[0] for row in rows], dtype=np.int64)
    ends = starts + np.array([row[1] for row in rows], dtype=np.int64)
    # A market that changed from hours to quarters may have both of one hour: the finer holds.
    ends[:-1] = np.minimum(ends[:-1], starts[1:])
    return FixingSeries(starts, ends, np.array([row[2] for row in rows], dtype=np.float64))


def _fixings(
    universe: Universe, as_of: datetime, known_at: datetime
) -> tuple[dict[str, FixingSeries], list[list[Any]]]:
    firsts: dict[int, datetime] = {}
    for key in universe.keys:
        if key.start < as_of:
            firsts[key.market_id] = min(key.start, firsts.get(key.market_id, key.start))
    found, told = {}, []
    for market_id, start in sorted(firsts.items()):
        series = known_fixings(
            market_id, Interval(start - _DAY, as_of), as_of=as_of, known_at=known_at
        )
        if series is None:
            continue
        code = universe.markets[market_id].code
        found[code] = series
        columns = (series.starts, series.ends, series.prices)
        content = b"".join(row.astype("<f8").tobytes() for row in columns)
        told.append([code, len(series.starts), hashlib.sha256(content).hexdigest()])
    return found, sorted(told)


def _interval_prices(market: Market, mark: MarketMarks, key: ContractKey) -> Any:
    """Return the curve's price of each interval of a profile's contract, None without."""
    first = market.calendar.date_of(key.start)
    after = market.calendar.date_of(key.end - _INSTANT) + _DAY
    try:
        prices = mark.period_prices(DatePeriod(first, after), minutes=key.minutes)
    except NoMark:
        return None
    offset = int((key.start - market.calendar.start_of(first)) / timedelta(minutes=key.minutes))
    count = int((key.end - key.start) / timedelta(minutes=key.minutes))
    return prices[offset : offset + count]


def _block_price(universe: Universe, mark: MarketMarks, key: ContractKey) -> float | None:
    """Return the mean of the curve over a block's hours, which nobody quotes; None without."""
    import numpy as np

    windows = universe.contracts[universe.keys[key]].windows
    prices = _interval_prices(universe.markets[key.market_id], mark, replace(key, minutes=_FINE))
    if prices is None or windows is None:
        return None
    places = (windows - int(key.start.timestamp())) // (60 * _FINE)
    inside = np.concatenate([prices[first:after] for first, after in places])
    return float(inside.mean())


def last_marks(
    universe: Universe, asked: Sequence[tuple[ContractKey, datetime]], known_at: datetime
) -> dict[tuple[ContractKey, datetime], tuple[float, str]]:
    """
    Return the last price published for each month and load as of a time, and of which version.

    One query; what no curve spoke of by then is left out.
    """
    wanted = []
    for key, instant in asked:
        market = universe.markets[key.market_id]
        if (market.currency, market.price_unit) == (key.currency, key.unit):
            month = market.calendar.month(key.month.year, key.month.month)
            wanted.append(((key, instant), month))
    if not wanted:
        return {}
    parameters = {
        "markets": [key.market_id for (key, _), _ in wanted],
        "loads": [key.shape for (key, _), _ in wanted],
        "starts": [month.start for _, month in wanted],
        "ends": [month.end for _, month in wanted],
        "times": [instant for (_, instant), _ in wanted],
        "known_at": known_at,
    }
    sums: dict[int, tuple[float, float, str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_LAST_MARKS, parameters)
        for place, number, day, start, end, hours, price in cursor.fetchall():
            month = wanted[place - 1][1]
            inside = min(end, month.end) - max(start, month.start)
            weight = hours * (inside / (end - start))
            name = f"version {number} of {day.astimezone(UTC):%Y-%m-%d}"
            value, counted, _ = sums.get(place, (0.0, 0.0, name))
            sums[place] = value + price * weight, counted + weight, name
    return {
        wanted[place - 1][0]: (value / hours, name) for place, (value, hours, name) in sums.items()
    }
