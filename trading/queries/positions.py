"""Positions as sums of deltas, read from their running totals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache, reduce
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Q, QuerySet, Sum

from energyopti.foundation.calendars import Calendar
from energyopti.foundation.intervals import Interval
from trading.deals import BASE, Delta, LoadShape, NoSuchShape, ProfileDelta, shape_intervals
from trading.deals import PositionDelta as DealDelta
from trading.models import PROFILE_BASIS, Market, PositionDelta, PositionTotal, Stage

from .areas import delivery_areas

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Micro = npt.NDArray[np.int64]

MICRO = 1_000_000
STORED = "<i8"
_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)
_EXACT = Context(prec=80, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True, slots=True, eq=False)
class Position:
    """
    What some books hold of one market, shape and delivery interval, bought +, sold −.

    basis       what the numbers are per: HOUR of the shape, delivery DAY, or the interval
    unit        of quantities and prices; per hour of MWh is MW
    market_unit what the market's own prices are per
    load        the shape's hours, None where the market no longer knows the shape
    exposure    what gains with the price; its value is count × (price × exposure − fixed)
    minutes     of a profile's intervals, else 0
    profile     of a profile its exposure in micro-MW by interval from `start`, None for all else
    physical_profile    likewise its delivery, None where nobody asked for it
    """

    market_id: int
    market_code: str
    currency: str
    basis: str
    unit: str
    shape: str
    shape_version: int
    month: date
    start: datetime
    end: datetime
    calendar: Calendar
    load: LoadShape | None
    physical: Decimal
    exposure: Decimal
    fixed: Decimal
    minutes: int = 0
    profile: Micro | None = None
    physical_profile: Micro | None = None
    market_unit: str = "MWh"

    @property
    def key(self) -> tuple[object, ...]:
        """Return what positions must share to be added."""
        return (
            self.market_id, self.currency, self.basis, self.unit, self.shape, self.shape_version,
            self.start, self.end, self.minutes,
        )  # fmt: skip

    def count_from(self, instant: datetime) -> float:
        """
        Return how much of the position comes after an instant: hours, days, or a part of 1.

        A profile is counted by time, so that positions stay sums of their parts.
        """
        if instant >= self.end:
            return 0.0
        start = max(self.start, instant)
        if self.basis == "AMOUNT":
            return 1.0
        if self.basis == PROFILE_BASIS:
            return (self.end - start) / (self.end - self.start)
        if self.load is None:
            return 0.0
        if self.basis == "DAY":
            return float(_days(self.calendar, self.load, start, self.end))
        return _hours(self.calendar, self.load, start, self.end)

    def energy_from(self, instant: datetime) -> float:
        """Return the exposure that comes after an instant, in `unit`; of a profile its own."""
        if self.profile is None:
            return self.count_from(instant) * float(self.exposure)
        if instant >= self.end:
            return 0.0
        import numpy as np

        step = timedelta(minutes=self.minutes)
        gone = max(instant - self.start, timedelta(0)) / step
        whole = int(np.ceil(gone))
        left = float(self.profile[whole:].sum())
        if whole > gone:  # the rest of the interval that runs
            left += (whole - gone) * float(self.profile[whole - 1])
        return left * self.minutes / 60 / MICRO

    def negated(self) -> Position:
        """Return what takes the position away."""
        return replace(
            self,
            physical=plain(self.physical.copy_negate()),
            exposure=plain(self.exposure.copy_negate()),
            fixed=plain(self.fixed.copy_negate()),
            profile=None if self.profile is None else -self.profile,
            physical_profile=None if self.physical_profile is None else -self.physical_profile,
        )

    def plus(self, other: Position) -> Position:
        """Return the sum with a position of the same key, exact."""
        return replace(
            self,
            physical=plain(_EXACT.add(self.physical, other.physical)),
            exposure=plain(_EXACT.add(self.exposure, other.exposure)),
            fixed=plain(_EXACT.add(self.fixed, other.fixed)),
            profile=sum_micro(self.profile, other.profile),
            physical_profile=sum_micro(self.physical_profile, other.physical_profile),
        )

    @property
    def is_nothing(self) -> bool:
        """Say whether the position is zero throughout."""
        rows = (self.profile, self.physical_profile)
        return not (self.physical or self.exposure or self.fixed) and not any(
            row is not None and row.any() for row in rows
        )


@lru_cache(maxsize=4096)
def _hours(calendar: Calendar, load: LoadShape, start: datetime, end: datetime) -> float:
    return float(shape_intervals(calendar, load, Interval(start, end)).hours)


@lru_cache(maxsize=4096)
def _days(calendar: Calendar, load: LoadShape, start: datetime, end: datetime) -> int:
    """Return the delivery days of a shape that begin at `start` or later."""
    day, last = calendar.date_of(start), calendar.date_of(end - _INSTANT)
    if calendar.day(day).start < start:
        day += _DAY
    return sum(
        bool(shape_intervals(calendar, load, calendar.day(day + n * _DAY)).hours)
        for n in range((last - day).days + 1)
    )


_KEY = (
    "market_id", "market__code", "market__time_zone", "market__day_start", "market__price_unit",
    "currency", "basis", "unit", "shape", "shape_version", "month", "start", "end", "minutes",
)  # fmt: skip
_NUMBERS = ("physical", "exposure", "fixed")


def positions_of(book_ids: Iterable[UUID], *, stage: str = Stage.LIVE) -> list[Position]:
    """Return the positions of some books together, by market, month and shape. One query."""
    return positions_in(PositionTotal.objects.filter(book_id__in=list(book_ids), stage=stage))


def positions_by_deltas(book_ids: Iterable[UUID], *, stage: str = Stage.LIVE) -> list[Position]:
    """Return the same from the deltas themselves, to prove the totals."""
    return positions_in(PositionDelta.objects.filter(book_id__in=list(book_ids), stage=stage))


def positions_at(
    book_ids: Iterable[UUID], *, cut: datetime, stage: str = Stage.LIVE
) -> list[Position]:
    """
    Return what was held as recorded by an instant: the deltas up to it.

    For an instant that is not past, the caller holds the shared lock of the books
    (`services.locks.share_keys`), so that nothing before it is still being written.
    """
    return positions_in(
        PositionDelta.objects.filter(book_id__in=list(book_ids), stage=stage, recorded_at__lte=cut)
    )


def positions_by_trade(book_ids: Iterable[UUID], *, cut: datetime) -> dict[int, list[Position]]:
    """
    Return what each trade of some books held as recorded by an instant, as `positions_at`, by id.

    A trade whose positions are all zero has no entry. One query, two with shapes beside base.
    """
    rows = PositionDelta.objects.filter(
        book_id__in=list(book_ids), stage=Stage.LIVE, recorded_at__lte=cut
    )
    found: dict[int, list[Position]] = {}
    for trade_id, position in _summed(rows, by="trade_version__trade_id"):
        if not position.is_nothing:
            found.setdefault(trade_id, []).append(position)
    return found


def positions_of_version(
    trade_version_id: int, *, stage: str = Stage.LIVE, with_physical: bool = False
) -> list[Position]:
    """Return what one trade version added; of a change, the difference to what was before."""
    rows = PositionDelta.objects.filter(trade_version_id=trade_version_id, stage=stage)
    return positions_in(rows, with_physical=with_physical)


def positions_of_trade(
    trade_id: int, *, stage: str = Stage.LIVE, cut: datetime | None = None
) -> list[Position]:
    """Return what all versions of a trade add up to, or those recorded by an instant."""
    rows = PositionDelta.objects.filter(trade_version__trade_id=trade_id, stage=stage)
    if cut is not None:
        rows = rows.filter(recorded_at__lte=cut)
    return [p for p in positions_in(rows, with_physical=True) if not p.is_nothing]


def positions_of_trades(trade_ids: Iterable[int], *, stage: str = Stage.LIVE) -> list[Position]:
    """Return what some trades add up to together. One query."""
    rows = PositionDelta.objects.filter(trade_version__trade_id__in=list(trade_ids), stage=stage)
    return [p for p in positions_in(rows) if not p.is_nothing]


def difference(wanted: Iterable[Position], held: Iterable[Position]) -> list[Position]:
    """Return what takes one set of positions to another; nothing where they agree."""
    sums: dict[tuple[object, ...], Position] = {}
    for position in (*wanted, *(p.negated() for p in held)):
        earlier = sums.get(position.key)
        sums[position.key] = position if earlier is None else earlier.plus(position)
    return [position for position in sums.values() if not position.is_nothing]


def positions_in(rows: QuerySet[Any], *, with_physical: bool = False) -> list[Position]:
    """Return what rows of deltas or totals add up to, by market, month and shape. One query."""
    return [position for _, position in _summed(rows, with_physical=with_physical)]


def _summed(
    rows: QuerySet[Any], *, by: str = "", with_physical: bool = False
) -> list[tuple[Any, Position]]:
    """Return positions in order; `by` names what else they are summed by, which stands first."""
    key_names = (*_KEY, by) if by else _KEY
    width = len(key_names)
    # Numbers are summed by the database, exact; profiles are arrays, which it does not add up.
    stored = ("exposure_profile", "physical_profile") if with_physical else ("exposure_profile",)
    summed = rows.values_list(*key_names).annotate(
        *(Sum(name) for name in _NUMBERS),
        **{f"{name}s": ArrayAgg(name, filter=Q(minutes__gt=0)) for name in stored},
    )
    found: dict[tuple[Any, ...], list[Any]] = {}
    for row in summed:
        profiles: list[Micro | None] = []
        for parts in row[width + 3 :]:
            profiles.append(reduce(sum_micro, map(micro, parts or ()), None))
        found[row[:width]] = [*row[width : width + 3], *profiles]
    shapes = shape_loads({(key[1], key[8], key[9]) for key in found})
    positions = []
    for key, (physical, exposure, fixed, profile, *others) in found.items():
        market_id, code, zone, day_start, market_unit, currency, basis = key[:7]
        unit, shape, version, month, start, end, minutes = key[7:14]
        if basis == PROFILE_BASIS and profile is None:
            profile = _zeros(start, end, minutes)
        position = Position(
            market_id=market_id,
            market_code=code,
            currency=currency,
            basis=basis,
            unit=unit,
            shape=shape,
            shape_version=version,
            month=month,
            start=start,
            end=end,
            calendar=Calendar(zone, day_start),
            load=shapes.get((code, shape, version)),
            physical=plain(physical),
            exposure=plain(exposure),
            fixed=plain(fixed),
            minutes=minutes,
            profile=profile,
            physical_profile=others[0] if others else None,
            market_unit=market_unit,
        )
        positions.append((key[14] if by else None, position))
    positions.sort(key=lambda row: _in_order(row[1]))
    return positions


def _in_order(p: Position) -> tuple[object, ...]:
    return p.market_code, p.month, p.start, p.end, p.shape, p.currency, p.basis


def shape_loads(wanted: set[tuple[str, str, int]]) -> dict[tuple[str, str, int], LoadShape]:
    """Return the hours of shapes by market, code and version; base needs no query."""
    loads = {key: BASE for key in wanted if key[1:] == (BASE.code, BASE.version)}
    others = wanted - set(loads)
    if not others:
        return loads
    areas = delivery_areas({key[0] for key in others})
    for key in others:
        try:
            loads[key] = areas[key[0]].shape(key[1], version=key[2])
        except NoSuchShape:
            continue
    return loads


def proposed_positions(
    deltas: Iterable[DealDelta], market_ids: Mapping[str, int]
) -> list[Position]:
    """Return the positions that a deal would add, before it is booked; one query, or four."""
    found = list(deltas)
    markets = {row.pk: row for row in Market.objects.filter(pk__in=set(market_ids.values()))}
    loads = shape_loads(
        {(d.market, d.shape, d.shape_version) for d in found if isinstance(d, Delta)}
    )
    return [_proposed(d, markets[market_ids[d.market]], loads) for d in found]


def _proposed(
    delta: DealDelta, market: Market, loads: Mapping[tuple[str, str, int], LoadShape]
) -> Position:
    if isinstance(delta, ProfileDelta):
        physical, exposure, fixed = profile_sums(delta)
        return Position(
            market.pk, delta.market, delta.currency, PROFILE_BASIS, "MWh", BASE.code, BASE.version,
            delta.month, delta.interval.start, delta.interval.end, market.calendar, BASE,
            physical, exposure, fixed, delta.minutes, delta.exposure, delta.physical,
            market.price_unit,
        )  # fmt: skip
    return Position(
        market.pk, delta.market, delta.currency, delta.basis.value, delta.unit, delta.shape,
        delta.shape_version, delta.month, delta.interval.start, delta.interval.end,
        market.calendar, loads.get((delta.market, delta.shape, delta.shape_version)),
        delta.physical, delta.exposure, delta.fixed, market_unit=market.price_unit,
    )  # fmt: skip


def profile_sums(delta: ProfileDelta) -> tuple[Decimal, Decimal, Decimal]:
    """Return physical and exposure in MWh and the fixed amount of a month, exact."""
    quarters = delta.minutes // 15

    def total(row: Micro, places: int) -> Decimal:
        # 25 · 10⁻² of an hour is a quarter, so that it stays a finite decimal.
        return Decimal(_sum(row) * quarters * 25).scaleb(-places - 2, context=_EXACT)

    return (
        total(delta.physical, 6),
        total(delta.exposure, 6),
        total(delta.fixed, delta.fixed_places),
    )


def _sum(row: Micro) -> int:
    import numpy as np

    # Low and high halves apart: the sum of a month may be beyond int64.
    return (int((row >> 32).sum()) << 32) + int((row & np.int64(0xFFFFFFFF)).sum())


def micro(stored: bytes | memoryview) -> Micro | None:
    """Return a stored row of micro-MW, None where it is all zeros."""
    import numpy as np

    return np.frombuffer(stored, dtype=STORED).astype(np.int64) if len(stored) else None


def micro_bytes(row: Micro | None) -> bytes:
    """Return a row of micro-MW as it is stored; nothing for all zeros."""
    import numpy as np

    if row is None or not row.any():
        return b""
    return np.ascontiguousarray(row, dtype=STORED).tobytes()


def sum_micro(left: Micro | None, right: Micro | None) -> Micro | None:
    """Return the sum of two rows, None for all zeros."""
    if left is None or right is None:
        return right if left is None else left
    return left + right


def plain(value: Decimal) -> Decimal:
    """Return a number without the zeros at its end that its column adds: 10, not 10.000 or 1E+1."""
    short = value.normalize(_EXACT)
    exponent = short.as_tuple().exponent
    if isinstance(exponent, int) and exponent > 0:
        return short.quantize(Decimal(1), context=_EXACT)
    return short if short else short.copy_abs()


def _zeros(start: datetime, end: datetime, minutes: int) -> Micro:
    import numpy as np

    return np.zeros(int((end - start) / timedelta(minutes=minutes)), dtype=np.int64)
