"""What legs at published prices come to by month, once the prices of a month are all known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from energyopti.foundation.intervals import IntervalSet
from energyopti.foundation.money import Rounding, minor_unit, round_exact
from trading import deals
from trading.deals import Deal, DeltaBasis, Floating, MeteredMonth, MonthPart, shape_intervals

from .option_prices import Fixings

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_PLACES = Decimal("0.000001")
# Published prices have twelve decimals at most, powers six.
_PRICE_SCALE, _MICRO = 10**12, 10**6


@dataclass(frozen=True, slots=True)
class FloatingMonth:
    """
    What a leg at a published price pays for a delivery month that is published in full.

    price       per unit: the index over the leg's volume, times its multiplier, plus its spread
    amount      our cash, received +, rounded half up once
    """

    month: date
    index: str
    volume: Decimal
    unit: str
    price: Decimal
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class FloatingCash:
    """
    The cash of a deal at published prices.

    totals      by currency, exact over the months and rounded once
    open        indices of months that are not published in full
    """

    months: tuple[FloatingMonth, ...]
    totals: tuple[tuple[str, Decimal], ...]
    open: tuple[str, ...]


def floating_cash(
    deal: Deal, metered: Sequence[MeteredMonth] = (), *, as_of: datetime, known_at: datetime
) -> FloatingCash:
    """
    Return what a deal's floating legs come to at the prices that were known at a cut.

    One query a leg that has begun to deliver; none before.

    metered     the months of a deal on an asset's output that its meter has spoken of
    """
    read = {month.part.month: month for month in metered}
    months: list[FloatingMonth] = []
    waiting: list[str] = []
    sums: dict[str, Fraction] = {}
    for leg in deal.floating_legs:
        for part, amount, mean in _months(leg, read, as_of, known_at):
            if mean is None:
                waiting.append(leg.index.code)
                continue
            price = mean * Fraction(leg.multiplier) + Fraction(leg.spread)
            cash = leg.direction.sign * amount * price
            sums[leg.currency] = sums.get(leg.currency, Fraction(0)) + cash
            months.append(
                FloatingMonth(
                    part.month, leg.index.code, _rounded(amount), leg.index.price_unit,
                    _rounded(price), _money(cash, leg.currency), leg.currency,
                )
            )  # fmt: skip
    months.sort(key=lambda row: row.month)
    return FloatingCash(
        tuple(months),
        tuple((currency, _money(cash, currency)) for currency, cash in sorted(sums.items())),
        tuple(dict.fromkeys(waiting)),
    )


def _months(
    leg: Floating, read: Mapping[date, MeteredMonth], as_of: datetime, known_at: datetime
) -> Iterator[tuple[MonthPart, Fraction, Fraction | None]]:
    """Yield each month's volume and the mean of the index over it, None while it is not known."""
    schedule = leg.schedule
    fixings = None
    if schedule.interval.start < as_of:
        fixings = Fixings.of(leg.index.area.code, schedule.interval, as_of, known_at)
    first = 0
    for n, (part, amount) in enumerate(schedule.month_amounts(leg.index.price_unit)):
        volume, month = schedule.volume, read.get(part.month)
        minutes = month.minutes if month is not None else 0
        micro_mw = None if month is None else month.micro_mw
        if isinstance(volume, deals.Profile):
            after = first + int(part.interval.duration.total_seconds()) // (60 * volume.minutes)
            if micro_mw is None:
                minutes, micro_mw = volume.minutes, volume.micro_mw[first:after]
            first = after
        if month is not None:
            amount = month.total_mwh
        if fixings is None or part.interval.end > as_of:
            yield part, amount, None
        elif micro_mw is not None:
            value = _by_interval(fixings, part, minutes, micro_mw)
            yield part, amount, None if value is None else value / amount if amount else Fraction(0)
        else:
            basis = schedule.months(leg.index.price_unit)[n].basis
            yield part, amount, _flat(leg, part, fixings, by_day=basis is DeltaBasis.DAY)


def _flat(leg: Floating, part: MonthPart, fixings: Fixings, *, by_day: bool) -> Fraction | None:
    """Return the mean over the hours of a constant volume; one a day weighs each day alike."""
    calendar, shape = leg.schedule.area.calendar, leg.schedule.shape
    wanted = shape_intervals(calendar, shape, part.interval)
    if not by_day:
        return fixings.mean(wanted)
    days: list[Fraction] = []
    start = part.interval.start
    while start < part.interval.end:
        day = calendar.day(calendar.date_of(start))
        inside = wanted & IntervalSet((day,))
        start = day.end
        if not inside:
            continue
        mean = fixings.mean(inside)
        if mean is None:
            return None
        days.append(mean)
    return sum(days, Fraction(0)) / len(days)


def _by_interval(
    fixings: Fixings, part: MonthPart, minutes: int, micro_mw: npt.NDArray[np.int64]
) -> Fraction | None:
    """Return volume × price summed over the intervals of a month, exact; None with a gap."""
    import numpy as np

    if not fixings.starts:
        return None
    starts = np.array([int(one.timestamp()) for one in fixings.starts], dtype=np.int64)
    ends = np.array([int(one.timestamp()) for one in fixings.ends], dtype=np.int64)
    prices = np.array([int(price * _PRICE_SCALE) for price in fixings.prices], dtype=object)
    step = 60 * minutes
    edges = int(part.interval.start.timestamp()) + step * np.arange(micro_mw.size + 1)
    # Seconds published, and price × seconds, from the first fixing to each edge.
    place = np.maximum(np.searchsorted(starts, edges, side="right") - 1, 0)
    inside = np.clip(np.minimum(edges, ends[place]) - starts[place], 0, None)
    seconds = np.concatenate(([0], np.cumsum(ends - starts)))[place] + inside
    worth = np.concatenate(([0], np.cumsum(prices * (ends - starts))))[place]
    worth = worth + prices[place] * inside
    used = micro_mw > 0
    if (np.diff(seconds)[used] != step).any():
        return None
    total = int(np.dot(np.diff(worth), micro_mw.astype(object)))
    return Fraction(total, _PRICE_SCALE * _MICRO * 3600)


def _money(cash: Fraction, currency: str) -> Decimal:
    return round_exact(cash, quantum=minor_unit(currency), rounding=Rounding.HALF_UP)


def _rounded(value: Fraction) -> Decimal:
    return round_exact(value, quantum=_PLACES, rounding=Rounding.HALF_UP)
