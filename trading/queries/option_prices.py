"""What the underlyings of an option settle at: published fixings, or the curve before delivery."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from django.db import connection

from energyopti.foundation.intervals import Interval, IntervalSet, exact_hours
from trading.deals import (
    MeteredMonth,
    MonthPart,
    Option,
    Profile,
    payoff,
    profile_volumes,
    shape_intervals,
    unit_factors,
)
from trading.models import SPOT, Market

from .marks import month_marks

_FIXINGS = """
SELECT DISTINCT ON (period_start) period_start, period_minutes, value
FROM trading_price
WHERE market_id = %(market)s AND series = %(series)s
  AND period_start >= %(start)s AND period_start < %(end)s
  AND recorded_at <= %(known_at)s AND available_at <= %(as_of)s
ORDER BY period_start, recorded_at DESC
"""
_PLACES = Decimal("0.000001")
_NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class OptionFixing:
    """
    What a period of an option settles at.

    prices      one for each underlying, exact, currency per the option's price unit, of what a
                spread subtracts per the unit of its ratio; of a profile their means over its volume
    per_unit    what it pays the holder per unit of the period's amount
    source      what the prices are, for people
    amount      what was delivered where a meter says so; None for the period's agreed amount
    """

    prices: tuple[Fraction, ...]
    per_unit: Fraction
    source: str
    amount: Fraction | None = None


def option_fixing(
    leg: Option,
    interval: Interval,
    *,
    as_of: datetime,
    known_at: datetime,
    metered: MeteredMonth | None = None,
) -> OptionFixing | None:
    """
    Return what a period of an option settles at, None while that is not known in full.

    Before the delivery begins it is the published curve's price of it as of the decision, to six
    decimals; after that the mean of the published prices over the hours of the option's shape,
    once all of them are there. The cap or floor of a profile is settled interval by interval.

    metered     what the period delivered, of a profile that is metered; None: as agreed
    """
    if as_of <= interval.start:
        return _from_curves(leg, interval, as_of, known_at)
    names = " and ".join(index.code for index in leg.underlying)
    fixings = [Fixings.of(index.area.code, interval, as_of, known_at) for index in leg.underlying]
    if isinstance(leg.schedule.volume, Profile):
        return _by_interval(leg, interval, fixings, names, metered)
    wanted = shape_intervals(leg.schedule.area.calendar, leg.schedule.shape, interval)
    found = [one.mean(wanted) for one in fixings]
    prices = tuple(
        price * factor
        for price, factor in zip(found, unit_factors(leg), strict=True)
        if price is not None
    )
    if len(prices) < len(found):
        return None
    return OptionFixing(prices, payoff(leg, prices), f"mean of {names} over the delivery")


def _by_interval(
    leg: Option,
    interval: Interval,
    fixings: Sequence[Fixings],
    names: str,
    metered: MeteredMonth | None,
) -> OptionFixing | None:
    volume = leg.schedule.volume
    assert isinstance(volume, Profile)
    step, paid, energy = timedelta(minutes=volume.minutes), Fraction(0), Fraction(0)
    sums = [Fraction(0)] * len(fixings)
    months: Iterable[tuple[MonthPart, Sequence[Fraction]]] = profile_volumes(leg.schedule)
    if metered is not None:
        months, names = [(metered.part, metered.volumes)], f"{names}, metered volume"
    for part, volumes in months:
        if not interval.covers(part.interval):
            continue
        for n, mwh in enumerate(volumes):
            if not mwh:
                continue
            start = part.interval.start + n * step
            wanted = IntervalSet((Interval(start, start + step),))
            found = [one.mean(wanted) for one in fixings]
            prices = [price for price in found if price is not None]
            if len(prices) < len(found):
                return None
            paid, energy = paid + mwh * payoff(leg, prices), energy + mwh
            sums = [one + mwh * price for one, price in zip(sums, prices, strict=True)]
    amount = None if metered is None else energy
    if not energy:
        return OptionFixing((), Fraction(0), "nothing was delivered", amount)
    means = tuple(one / energy for one in sums)
    return OptionFixing(means, paid / energy, f"{names} interval by interval", amount)


def _from_curves(
    leg: Option, interval: Interval, as_of: datetime, known_at: datetime
) -> OptionFixing | None:
    markets = {
        row.code: row
        for row in Market.objects.filter(code__in=[index.area.code for index in leg.underlying])
    }
    marks = month_marks(
        as_of=as_of, known_at=known_at, market_ids=[market.pk for market in markets.values()]
    )
    shape = leg.schedule.shape
    sides = [[part for part in leg.schedule.parts if interval.covers(part.interval)]]
    if leg.is_spread:
        sides.append(sides[0] if leg.second_period is None else [*leg.second_schedule.parts])
    found, named = [], []
    for index, factor, parts in zip(leg.underlying, unit_factors(leg), sides, strict=True):
        market = markets.get(index.area.code)
        mark = None if market is None else marks.get(market.pk)
        if mark is None:
            return None
        total = Fraction(0)
        for part in parts:
            price = mark.price(part.month, shape.code)
            if price is None:
                return None
            total += part.hours * Fraction(Decimal(repr(price)).quantize(_PLACES))
        found.append(factor * total / sum((part.hours for part in parts), Fraction(0)))
        named.append(f"{mark.market_code} curve version {mark.version} of {mark.as_of:%Y-%m-%d}")
    source = " and ".join(dict.fromkeys(named))
    return OptionFixing(tuple(found), payoff(leg, found), source)


@dataclass(frozen=True, slots=True)
class Fixings:
    """Published prices of one market, ascending without overlaps."""

    starts: tuple[datetime, ...]
    ends: tuple[datetime, ...]
    prices: tuple[Fraction, ...]

    @classmethod
    def of(cls, code: str, interval: Interval, as_of: datetime, known_at: datetime) -> Fixings:
        with connection.cursor() as cursor:
            cursor.execute(
                _FIXINGS,
                {
                    "market": Market.objects.values_list("pk", flat=True).get(code=code),
                    "series": SPOT, "start": interval.start, "end": interval.end,
                    "known_at": known_at, "as_of": as_of,
                },
            )  # fmt: skip
            rows = cursor.fetchall()
        starts = tuple(row[0] for row in rows)
        ends = [start + timedelta(minutes=minutes) for start, minutes, _ in rows]
        # A market that changed from hours to quarters may have both of one hour: the finer holds.
        ends[:-1] = map(min, ends, starts[1:])
        return cls(starts, tuple(ends), tuple(Fraction(row[2]) for row in rows))

    def mean(self, wanted: IntervalSet) -> Fraction | None:
        """Return the mean price over intervals by time, None unless all of it has one."""
        hours, value = Fraction(0), Fraction(0)
        for one in wanted:
            at = max(bisect_right(self.starts, one.start) - 1, 0)
            while at < len(self.starts) and self.starts[at] < one.end:
                part = min(self.ends[at], one.end) - max(self.starts[at], one.start)
                if part > _NOTHING:
                    hours += exact_hours(part)
                    value += exact_hours(part) * self.prices[at]
                at += 1
        return value / hours if hours and hours == wanted.hours else None
