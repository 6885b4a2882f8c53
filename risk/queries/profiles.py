"""
Positions with a power for each interval: on the curve's own intervals, by the nodes of its loads.

What a profile delivers in a load's hours moves with that load's node, the rest with what the load
leaves of base; where a curve has no such loads, all of it moves with base.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from energyopti.foundation.calendars import Calendar, DatePeriod
from energyopti.foundation.intervals import Interval
from trading.deals import LoadShape, NoSuchShape, shape_intervals
from trading.queries.areas import delivery_areas
from trading.queries.marks import MarketMarks, NoMark, month_marks
from trading.queries.positions import MICRO, Position

from .bases import Basis

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from .bases import Floats

    Flags = npt.NDArray[np.bool_]

# The loads that fill base together, the one whose hours are looked up first.
_PAIR = ("PEAK", "OFFPEAK")
_DAY, _INSTANT = timedelta(days=1), timedelta(microseconds=1)


class NoProfilePrice(LookupError):
    """A profile that cannot be valued; the words say why."""


def profile_value(position: Position, basis: Basis) -> tuple[float, Floats]:
    """
    Return value and P&L vector of a profile in its own currency, for what is still to come.

    :raises NoProfilePrice: where the curve does not price all of it, or has no scenarios for it.
    """
    import numpy as np

    from risk.engine import month_number

    market, mark = basis.markets.get(position.market_id), _marks(basis).get(position.market_id)
    if market is None or mark is None:
        raise NoProfilePrice("no curve with quote history")
    calendar, step = position.calendar, timedelta(minutes=position.minutes)
    first = calendar.date_of(position.start)
    after = calendar.date_of(position.end - _INSTANT) + _DAY
    try:
        prices = mark.period_prices(DatePeriod(first, after), minutes=position.minutes)
    except NoMark as error:
        raise NoProfilePrice("beyond the curve") from error
    assert position.profile is not None
    energy = position.profile * (position.minutes / 60 / MICRO)
    offset = int((position.start - calendar.start_of(first)) / step)
    prices = prices[offset : offset + energy.size]
    gone = max(basis.valued_at - position.start, timedelta(0)) / step
    energy = energy * np.clip(np.arange(1, energy.size + 1) - gone, 0.0, 1.0)
    fixed = position.count_from(basis.valued_at) * float(position.fixed)
    tenor = min(month_number(position.month) - market.curve.origin, basis.tenors - 1)
    if tenor < 0:
        return float(prices @ energy) - fixed, basis.zeros()
    peak, rest = (market.load(code) for code in _PAIR)
    inside = None
    if peak is not None and rest is not None:
        find = _peak_of if basis.id else _peak_of.__wrapped__
        load = find(basis.id, position.market_code)
        span = Interval(position.start, position.end)
        inside = None if load is None else _inside(calendar, load, span, position.minutes)
    if inside is None or peak is None or rest is None:
        moved = float(energy.sum()) * market.shocks[:, tenor]
    else:
        moved = float(energy[inside].sum()) * peak.shocks[:, tenor]
        moved = moved + float(energy[~inside].sum()) * rest.shocks[:, tenor]
    return float(prices @ energy) - fixed, moved


def _marks(basis: Basis) -> dict[int, MarketMarks]:
    if basis.id:
        return _marks_of(basis.id, basis.valued_at, basis.known_at)
    return month_marks(as_of=basis.valued_at, known_at=basis.known_at)


@lru_cache(maxsize=8)
def _marks_of(snapshot_id: int, valued_at: datetime, known_at: datetime) -> dict[int, MarketMarks]:
    """Return the published curves of a snapshot, read once a process."""
    return month_marks(as_of=valued_at, known_at=known_at)


@lru_cache(maxsize=1024)
def _inside(calendar: Calendar, load: LoadShape, span: Interval, minutes: int) -> Flags:
    """Say which intervals begin in a load's hours."""
    import numpy as np

    step = timedelta(minutes=minutes)
    found = np.zeros(int((span.end - span.start) / step), dtype=np.bool_)
    for part in shape_intervals(calendar, load, span):
        first, after = ((at - span.start) // step for at in (part.start, part.end))
        found[first:after] = True
    return found


@lru_cache(maxsize=64)
def _peak_of(snapshot_id: int, code: str) -> LoadShape | None:
    """Return the first load of a market, looked up once for a snapshot; None without one."""
    try:
        return delivery_areas({code})[code].shape(_PAIR[0])
    except NoSuchShape:
        return None
