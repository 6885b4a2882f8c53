"""Hourly shape learnt from spot prices: how hours differ by month and by kind of day."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from energyopti.foundation.calendars import HolidaySet
from trading.curves._grids import DeliveryGrid
from trading.curves._quotes import CurveError

Floats = npt.NDArray[np.float64]

_MONTHS = 12
_MINUTES_PER_DAY = 1440
_SATURDAY = 5
# A month with fewer days than this says nothing of its own level.
_FULL_MONTH_DAYS = 27
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class ShapeKind(StrEnum):
    """Whether a shape is added to a level, or multiplies it (positive prices only)."""

    ADDITIVE = "ADDITIVE"
    MULTIPLICATIVE = "MULTIPLICATIVE"


class DayKinds(StrEnum):
    """
    Which days have a shape of their own, besides working days.

    WEEKEND    Saturdays, Sundays and holidays together
    SUNDAY     Saturdays; Sundays and holidays
    """

    WEEKEND = "WEEKEND"
    SUNDAY = "SUNDAY"

    @property
    def names(self) -> tuple[str, ...]:
        """Return what its kinds of days are called, in the order of a profile's axis."""
        if self is DayKinds.WEEKEND:
            return ("working day", "day off")
        return ("working day", "Saturday", "Sunday or holiday")

    def of(self, grid: DeliveryGrid, holidays: HolidaySet | None) -> npt.NDArray[np.int64]:
        """
        Return the place of each period's kind of day among the names, shape (periods,).

        :raises CalendarError: for a date that the holidays do not cover.
        """
        off = grid.is_day_off(holidays)
        if self is DayKinds.WEEKEND:
            return off.astype(np.int64)
        saturday = (grid.weekday == _SATURDAY) & ~grid.is_holiday(holidays)
        kind: npt.NDArray[np.int64] = off.astype(np.int64) * 2 - saturday
        return kind


@dataclass(frozen=True, eq=False)
class SpotProfile:
    """
    Hold how hours differ from the year's level.

    values      shape (12 months, kinds of days, slots of a day): currency/MWh to add, or factors
    samples     how many prices each value was learnt from, same shape
    minutes     length of a slot, by the wall clock from the delivery day's start
    holidays    what counts as a day off, or a Sunday, besides those
    """

    kind: ShapeKind
    values: Floats
    samples: npt.NDArray[np.int64]
    minutes: int
    holidays: HolidaySet | None
    day_kinds: DayKinds = DayKinds.WEEKEND

    def on(self, grid: DeliveryGrid) -> Floats:
        """
        Return the shape of a grid's periods, to be given to `shape_curve`.

        A grid finer than the slots repeats a slot's value; days are the mean over their slots.

        :raises CalendarError: for a date that the holidays do not cover.
        """
        kind = self.day_kinds.of(grid, self.holidays)
        if grid.minutes is None:
            means: Floats = self.values.mean(axis=2)[grid.month, kind]
            return means
        found: Floats = self.values[grid.month, kind, grid.minute // self.minutes]
        return found


def learn_profile(
    history: DeliveryGrid,
    prices: Floats,
    *,
    kind: ShapeKind = ShapeKind.ADDITIVE,
    holidays: HolidaySet | None = None,
    day_kinds: DayKinds = DayKinds.WEEKEND,
    trim: float = 0.1,
) -> SpotProfile:
    """
    Learn how hours differ, by month and kind of day, from spot prices.

    The level of each month of each year (the mean of its prices) is taken out, so neither a dear
    year nor a trend distorts the shape. A slot is the mean of its differences from that level
    (of its ratios, if multiplicative) after the `trim` highest and lowest share of them are cut
    off, so that a spike or a failed auction does not. The months' own differences are the median
    over whole calendar years; with no whole year, months are taken as equal.

    history    the grid of the prices; its periods become the slots
    prices     currency/MWh, shape (periods,); NaN where there is none
    trim       0 … 0.5 (0.5 leaves the median)

    :raises CurveError: if the history is of days, a slot was never seen, or a multiplicative
        shape is asked of a month whose prices are not positive.
    """
    if history.minutes is None:
        raise CurveError("history: prices of days say nothing about hours.")
    prices = np.asarray(prices, dtype=float)
    if prices.shape != (len(history),):
        raise CurveError(f"prices: give one number or NaN for each of {len(history)} periods.")
    if not 0 <= trim <= 0.5:
        raise CurveError(f"trim: {trim:g} is not a share from 0 to 0.5.")
    month_index = history.dates.astype("datetime64[M]").astype(np.int64)
    months, of_month = np.unique(month_index, return_inverse=True)
    known = np.isfinite(prices)
    if not known.any():
        raise CurveError("prices: there is none.")
    count = np.bincount(of_month[known], minlength=len(months))
    with np.errstate(invalid="ignore"):
        level = np.bincount(of_month[known], prices[known], minlength=len(months)) / count
    if kind is ShapeKind.MULTIPLICATIVE and not (prices[known] > 0).all():
        worst = history.starts[known][int(prices[known].argmin())]
        raise CurveError(
            f"prices: {prices[known].min():g} at {worst}Z; a multiplicative shape needs positive"
            " prices, an additive one does not."
        )
    additive = kind is ShapeKind.ADDITIVE
    relative = prices - level[of_month] if additive else prices / level[of_month]
    values, samples = _slots(history, relative, known, holidays, day_kinds, trim)
    between = _between_months(months, level, count * history.minutes, kind)
    return SpotProfile(
        kind=kind,
        values=values + between[:, None, None] if additive else values * between[:, None, None],
        samples=samples,
        minutes=history.minutes,
        holidays=holidays,
        day_kinds=day_kinds,
    )


def _slots(
    history: DeliveryGrid,
    relative: Floats,
    known: npt.NDArray[np.bool_],
    holidays: HolidaySet | None,
    day_kinds: DayKinds,
    trim: float,
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Return the trimmed mean and the number of samples of each month, kind of day and slot."""
    minutes = history.minutes or _MINUTES_PER_DAY
    slots = -(-_MINUTES_PER_DAY // minutes)
    kinds = len(day_kinds.names)
    kind_of_day = day_kinds.of(history, holidays)
    key = (history.month * kinds + kind_of_day) * slots + history.minute // minutes
    key, relative = key[known], relative[known]
    order = np.lexsort((relative, key))
    ordered = relative[order]
    samples = np.bincount(key, minlength=_MONTHS * kinds * slots)
    if not samples.all():
        month, rest = divmod(int(np.flatnonzero(samples == 0)[0]), kinds * slots)
        kind, slot = divmod(rest, slots)
        raise CurveError(
            f"prices: none of a {day_kinds.names[kind]} in {_MONTH_NAMES[month]} at"
            f" {slot * minutes // 60:02d}:{slot * minutes % 60:02d}; a shape needs every hour."
        )
    ends = np.cumsum(samples)
    starts = ends - samples
    # At least the middle one, or the middle two, stay.
    cut = np.minimum((samples * trim).astype(np.int64), (samples - 1) // 2)
    means = np.array(
        [ordered[a + c : b - c].mean() for a, b, c in zip(starts, ends, cut, strict=True)]
    )
    shape = (_MONTHS, kinds, slots)
    return means.reshape(shape), samples.reshape(shape)


def _between_months(
    months: npt.NDArray[np.int64],
    level: Floats,
    minutes: npt.NDArray[np.int64],
    kind: ShapeKind,
) -> Floats:
    """Return how months differ from their year: the median over whole calendar years."""
    additive = kind is ShapeKind.ADDITIVE
    full = minutes >= _FULL_MONTH_DAYS * _MINUTES_PER_DAY
    years = []
    for year in np.unique(months // _MONTHS):
        own = level[(months // _MONTHS == year) & full]
        if len(own) == _MONTHS:
            years.append(own - own.mean() if additive else own / own.mean())
    if not years:
        return np.full(_MONTHS, 0.0 if additive else 1.0)
    between: Floats = np.median(np.array(years), axis=0)
    return between
