"""What a deal adds to positions: additive deltas per market, shape and delivery month.

The value of a position is ``count × (price × exposure − fixed)``: `exposure` is what gains with
the market's price, `fixed` what is paid for it. `physical` is what is to be delivered. Bought is
positive, sold negative. Options add nothing here; pricing gives their deltas.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

from energyopti.foundation.intervals import Interval
from trading.deals._deals import Deal
from trading.deals._errors import DealError
from trading.deals._legs import Delivery, Fixed, Floating
from trading.deals._numbers import PRICE_PLACES, add, decimal_of, places_of, scaled_integer
from trading.deals._schedules import DeltaBasis
from trading.deals._shapes import MonthPart
from trading.deals._volumes import MICRO, Profile

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Micro = npt.NDArray[np.int64]

_INT64_MAX = 2**63 - 1
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Delta:
    """
    Part of a position in a named shape, or in whole units.

    market      code of the area whose price it is exposed to
    currency    of `fixed` and of the value; exposure in a market of another currency stands in a
                delta of its own, in the market's
    unit        the market's price unit: exposures are units per hour (MW where it is MWh), per
                delivery day, or in all, by the basis
    shape, shape_version    the hours; of AMOUNT the hours it was agreed over
    month       first day of the delivery month in the market's calendar
    interval    of the month that the deal covers, UTC
    count       hours of the shape, delivery days, or 1
    physical, exposure      exact, or to 9 decimals where a unit's conversion has no end
    fixed       currency per hour, per day or in all
    """

    market: str
    currency: str
    basis: DeltaBasis
    unit: str
    shape: str
    shape_version: int
    month: date
    interval: Interval
    count: Fraction
    physical: Decimal
    exposure: Decimal
    fixed: Decimal

    @property
    def key(self) -> tuple[object, ...]:
        """Return what deltas must share to be added."""
        return (
            self.market, self.currency, self.basis, self.unit, self.shape, self.shape_version,
            self.month, self.interval, self.count.numerator, self.count.denominator,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class ProfileDelta:
    """
    Part of a position with a power for each interval of a month.

    minutes     of each interval; the first starts with `interval`
    physical, exposure      int64 micro-MW, shape (intervals,), time ascending
    fixed       int64, in 10^−fixed_places currency per hour, same shape; exact
    """

    market: str
    currency: str
    month: date
    interval: Interval
    minutes: int
    physical: Micro
    exposure: Micro
    fixed: Micro
    fixed_places: int

    @property
    def key(self) -> tuple[object, ...]:
        """Return what deltas must share to be added."""
        return (self.market, self.currency, self.month, self.interval, self.minutes)

    @property
    def hours(self) -> Fraction:
        """Return the length of one interval in hours."""
        return Fraction(self.minutes, 60)


PositionDelta = Delta | ProfileDelta


class ProfileMonth(Protocol):
    """A delivery month with a power for each of its intervals, int64 micro-MW."""

    @property
    def part(self) -> MonthPart: ...
    @property
    def minutes(self) -> int: ...
    @property
    def micro_mw(self) -> Micro: ...


def deltas(deal: Deal) -> tuple[PositionDelta, ...]:
    """
    Return what a deal adds to positions, each key once, in order of month.

    :raises DealError: for a profile whose MW times price are beyond int64.
    """
    scalars: list[PositionDelta] = []
    profiles: list[_Strip] = []
    for leg in _linear(deal):
        volume, parts = leg.schedule.volume, leg.schedule.parts
        if isinstance(volume, Profile):
            profiles.append(_strip(leg, parts, volume.minutes, volume.micro_mw))
        else:
            scalars.extend(scalar_deltas(leg))
    return (*net(scalars), *_merged(profiles))


def deltas_with(deal: Deal, months: Sequence[ProfileMonth]) -> tuple[PositionDelta, ...]:
    """
    Return what a deal adds if it delivers other powers in some of its months, in no order.

    :raises DealError: as `deltas`.
    """
    changed = {month.part.month for month in months}
    kept = [delta for delta in deltas(deal) if delta.month not in changed]
    profiles = [
        _strip(leg, (month.part,), month.minutes, month.micro_mw)
        for month in months
        for leg in _linear(deal)
    ]
    return (*kept, *_merged(profiles))


def _linear(deal: Deal) -> tuple[Delivery | Fixed | Floating, ...]:
    return (*deal.deliveries, *deal.fixed_legs, *deal.floating_legs)


def _merged(pieces: Iterable[_Strip]) -> Iterator[ProfileDelta]:
    merged: dict[tuple[object, ...], _Strip] = {}
    for piece in pieces:
        merged[piece.key] = piece.plus(merged[piece.key]) if piece.key in merged else piece
    return (delta for piece in merged.values() for delta in piece.months())


def net(found: Iterable[PositionDelta]) -> tuple[PositionDelta, ...]:
    """Return the sums of deltas with the same key, exact; those that cancel stay, as zeros."""
    sums: dict[tuple[object, ...], PositionDelta] = {}
    for delta in found:
        key = delta.key
        earlier = sums.get(key)
        sums[key] = delta if earlier is None else _added(earlier, delta)
    return tuple(sorted(sums.values(), key=_order))


def _order(delta: PositionDelta) -> tuple[str, str, date, str]:
    shape = delta.shape if isinstance(delta, Delta) else ""
    return (delta.market, delta.currency, delta.month, shape)


def negate(delta: PositionDelta) -> PositionDelta:
    """Return the exact reversal of a delta; the two together are zero."""
    if isinstance(delta, Delta):
        return replace(
            delta,
            physical=_negative(delta.physical),
            exposure=_negative(delta.exposure),
            fixed=_negative(delta.fixed),
        )
    return replace(delta, physical=-delta.physical, exposure=-delta.exposure, fixed=-delta.fixed)


def is_zero(delta: PositionDelta) -> bool:
    """Say whether a delta adds nothing."""
    if isinstance(delta, Delta):
        return not (delta.physical or delta.exposure or delta.fixed)
    return not (delta.physical.any() or delta.exposure.any() or delta.fixed.any())


def _negative(value: Decimal) -> Decimal:
    # A minus before nothing would make zeros that look different.
    return value.copy_negate() if value else value.copy_abs()


def _added(left: PositionDelta, right: PositionDelta) -> PositionDelta:
    if isinstance(left, Delta) and isinstance(right, Delta):
        return replace(
            left,
            physical=add(left.physical, right.physical),
            exposure=add(left.exposure, right.exposure),
            fixed=add(left.fixed, right.fixed),
        )
    assert isinstance(left, ProfileDelta) and isinstance(right, ProfileDelta)
    left_fixed, right_fixed, places = _same_places(
        left.fixed, left.fixed_places, right.fixed, right.fixed_places
    )
    return replace(
        left,
        physical=left.physical + right.physical,
        exposure=left.exposure + right.exposure,
        fixed=left_fixed + right_fixed,
        fixed_places=places,
    )


def scalar_deltas(leg: Delivery | Fixed | Floating) -> Iterator[Delta]:
    """Return what a leg of constant volume adds, by month."""
    schedule, sign = leg.schedule, leg.direction.sign
    area = schedule.area
    market, currency, unit = area.code, area.currency, area.price_unit
    asked = unit
    if isinstance(leg, Fixed):
        currency, asked = leg.currency, leg.per
    elif isinstance(leg, Floating):
        market, currency, unit = leg.index.area.code, leg.index.currency, leg.index.price_unit
        asked = unit
    # Months of a rate share one number; to look a fraction up would cost more than to compute it.
    rate: Fraction | None = None
    for month in schedule.months(asked):
        if month.rate is not rate:
            rate = month.rate
            physical, exposure, fixed = _amounts(leg, rate, sign)
        yield Delta(
            market, currency, month.basis, unit, schedule.shape.code, schedule.shape.version,
            month.part.month, month.part.interval, month.count, physical, exposure, fixed,
        )  # fmt: skip


def _amounts(
    leg: Delivery | Fixed | Floating, rate: Fraction, sign: int
) -> tuple[Decimal, Decimal, Decimal]:
    """Return physical, exposure and fixed of a rate."""
    if isinstance(leg, Delivery):
        amount = decimal_of(sign * rate)
        return amount, amount, _ZERO
    if isinstance(leg, Fixed):
        # What we pay for a position lowers its value by `fixed`, what we receive raises it.
        return _ZERO, _ZERO, decimal_of(-sign * rate * Fraction(leg.price))
    exposure = decimal_of(sign * rate * Fraction(leg.multiplier))
    return _ZERO, exposure, decimal_of(-sign * rate * Fraction(leg.spread))


@dataclass(frozen=True, slots=True, eq=False)
class _Strip:
    """A leg's profile over all of its months, before it is cut; None is all zeros."""

    market: str
    currency: str
    parts: tuple[MonthPart, ...]
    minutes: int
    physical: Micro | None = None
    exposure: Micro | None = None
    fixed: Micro | None = None
    fixed_places: int = 0

    @property
    def key(self) -> tuple[object, ...]:
        """Return what strips must share to be added."""
        first, last = self.parts[0].interval.start, self.parts[-1].interval.end
        return (self.market, self.currency, first, last, self.minutes)

    def plus(self, other: _Strip) -> _Strip:
        fixed, places = self.fixed, self.fixed_places
        if fixed is None:
            fixed, places = other.fixed, other.fixed_places
        elif other.fixed is not None:
            mine, theirs, places = _same_places(fixed, places, other.fixed, other.fixed_places)
            fixed = mine + theirs
        return replace(
            self,
            physical=_sum(self.physical, other.physical),
            exposure=_sum(self.exposure, other.exposure),
            fixed=fixed,
            fixed_places=places,
        )

    def months(self) -> Iterator[ProfileDelta]:
        import numpy as np

        given = (self.physical, self.exposure, self.fixed)
        size = next(row.size for row in given if row is not None)
        rows = [np.zeros(size, dtype=np.int64) if row is None else row for row in given]
        start, step = 0, 60 * self.minutes
        for part in self.parts:
            stop = start + int(part.interval.duration.total_seconds()) // step
            physical, exposure, fixed = (row[start:stop] for row in rows)
            yield ProfileDelta(
                self.market, self.currency, part.month, part.interval, self.minutes,
                physical, exposure, fixed, self.fixed_places,
            )  # fmt: skip
            start = stop


def _sum(left: Micro | None, right: Micro | None) -> Micro | None:
    if left is None or right is None:
        return right if left is None else left
    return left + right


def _same_places(
    left: Micro, left_places: int, right: Micro, right_places: int
) -> tuple[Micro, Micro, int]:
    places = max(left_places, right_places)
    return (
        _times(left, 10 ** (places - left_places)),
        _times(right, 10 ** (places - right_places)),
        places,
    )


def _times(row: Micro, number: int) -> Micro:
    import numpy as np

    largest = int(np.abs(row).max()) if row.size else 0
    if largest * abs(number) > _INT64_MAX // 2:
        raise DealError("price", "times the profile's MW is beyond what is kept exactly.")
    return row if number == 1 else row * np.int64(number)


def _strip(
    leg: Delivery | Fixed | Floating, parts: tuple[MonthPart, ...], minutes: int, row: Micro
) -> _Strip:
    area, sign = leg.schedule.area, leg.direction.sign
    if isinstance(leg, Delivery):
        signed = _times(row, sign)
        return _Strip(area.code, area.currency, parts, minutes, signed, signed)
    if isinstance(leg, Fixed):
        fixed, places = _priced(row, leg.price, -sign)
        return _Strip(area.code, leg.currency, parts, minutes, fixed=fixed, fixed_places=places)
    exposure = row
    if leg.multiplier != 1:
        # To the watt, half up; the row is not negative, so both sides of a deal round alike.
        parts_of_one = scaled_integer(leg.multiplier, PRICE_PLACES)
        exposure = (_times(row, parts_of_one) + MICRO // 2) // MICRO
    fixed, places = _priced(row, leg.spread, -sign)
    return _Strip(
        leg.index.area.code, leg.currency, parts, minutes,
        exposure=_times(exposure, sign), fixed=fixed, fixed_places=places,
    )  # fmt: skip


def _priced(row: Micro, price: Decimal, sign: int) -> tuple[Micro, int]:
    """Return a row of micro-MW times a price, and the decimal places of the result."""
    places = places_of(price)
    return _times(row, sign * scaled_integer(price, places)), 6 + places
