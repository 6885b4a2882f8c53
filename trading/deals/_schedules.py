"""What is delivered or settled, where and when: the part that legs of a deal share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from energyopti.foundation.calendars import CalendarError, DatePeriod, count_periods
from energyopti.foundation.intervals import Interval
from trading.deals._areas import DeliveryArea
from trading.deals._errors import DealError
from trading.deals._numbers import allocated
from trading.deals._shapes import BASE, LoadShape, MonthPart, month_parts
from trading.deals._volumes import Frequency, Profile, Volume, converted

MAXIMUM_YEARS = 30
FIRST_YEAR, LAST_YEAR = 1990, 2190


class DeltaBasis(StrEnum):
    """What a position is per: an hour of its shape, a delivery day of it, or the whole month."""

    HOUR = "HOUR"
    DAY = "DAY"
    AMOUNT = "AMOUNT"


@dataclass(frozen=True, slots=True)
class MonthVolume:
    """
    What a schedule delivers in a month.

    count       hours, days or 1, by the basis
    rate        amount per hour, per day or in all, in the unit that was asked for
    """

    part: MonthPart
    basis: DeltaBasis
    count: Fraction
    rate: Fraction


@dataclass(frozen=True, slots=True)
class Schedule:
    """
    Hold a volume over a run of delivery days of an area, in the hours of a shape.

    A profile has one MW for each interval of the period, so its shape is all hours.

    :raises DealError: naming the field.
    """

    area: DeliveryArea
    period: DatePeriod
    volume: Volume | Profile
    shape: LoadShape = BASE
    # What the four say of months and amounts, worked out once: a deal asks for it again and again.
    _interval: Interval = field(init=False, repr=False, compare=False)
    _parts: tuple[MonthPart, ...] = field(init=False, repr=False, compare=False)
    _amounts: dict[str, Fraction] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )
    _months: dict[str, tuple[MonthVolume, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        period = self.period
        if not FIRST_YEAR <= period.first.year <= period.after.year <= LAST_YEAR:
            raise DealError("period", f"must lie within {FIRST_YEAR} to {LAST_YEAR}.")
        if period.after.year - period.first.year > MAXIMUM_YEARS:
            raise DealError("period", f"is longer than {MAXIMUM_YEARS} years.")
        try:
            parts = month_parts(self.area.calendar, self.shape, period)
            object.__setattr__(self, "_parts", parts)
            object.__setattr__(self, "_interval", self.area.calendar.span(period))
        except CalendarError as error:
            raise DealError("period", str(error)) from error
        if not parts:
            raise DealError("period", f"has no {self.shape.code.lower()} hours.")
        if isinstance(self.volume, Profile):
            self._check_profile(self.volume, parts)
        elif self.volume.frequency is Frequency.MONTH and not all(p.is_whole for p in parts):
            raise DealError("period", f"{self.volume.unit} a month needs whole delivery months.")
        elif self.volume.frequency is Frequency.HOUR and not self.area.commodity.flows:
            raise DealError(
                "unit",
                f"{self.area.code} is delivered in whole units, not in {self.volume.unit} by the "
                "hour.",
            )

    def _check_profile(self, profile: Profile, parts: tuple[MonthPart, ...]) -> None:
        if not self.shape.is_all_hours:
            raise DealError("product", "a profile says each interval's MW; its shape is base.")
        if self.area.price_unit != "MWh":
            raise DealError(
                "volume",
                f"a profile in MW needs a price per MWh; {self.area.code} has one per "
                f"{self.area.price_unit}.",
            )
        step = timedelta(minutes=profile.minutes)
        # Clocks move by half hours at least, so a month that tiles has days that do; the days
        # themselves are asked only to name the one at fault.
        if any(part.interval.duration % step for part in parts):
            try:
                count_periods(self.area.calendar, self.period, minutes=profile.minutes)
            except CalendarError as error:
                raise DealError("minutes", str(error)) from error
        wanted = self.interval.duration // step
        if profile.micro_mw.size != wanted:
            raise DealError(
                "volume",
                f"a profile of {profile.micro_mw.size} intervals where the period has {wanted} of "
                f"{profile.minutes} minutes.",
            )

    @property
    def interval(self) -> Interval:
        """Return the delivery, from the first day's start to the end of the last."""
        return self._interval

    @property
    def parts(self) -> tuple[MonthPart, ...]:
        """Return the months with hours of the shape, in order."""
        return self._parts

    @property
    def hours(self) -> Fraction:
        """Return the hours of the shape; of a profile, those with MW above 0."""
        if isinstance(self.volume, Profile):
            import numpy as np

            busy = int(np.count_nonzero(self.volume.micro_mw))
            return Fraction(busy * self.volume.minutes, 60)
        return sum((part.hours for part in self.parts), Fraction(0))

    @property
    def load_type_code(self) -> str:
        """Return ACER's code of the delivery profile (REMIT table 1, "load type")."""
        if isinstance(self.volume, Profile):
            return "SH"
        if self.shape.code == "BASE":
            return "GD" if self.area.commodity.value == "GAS" else "BL"
        return {"PEAK": "PL", "OFFPEAK": "OP"}.get(self.shape.code, "BH")

    @property
    def amount_unit(self) -> str:
        """Return the contract's own unit of what is delivered."""
        return "MWh" if isinstance(self.volume, Profile) else self.volume.amount_unit

    def amount(self, target: str = "") -> Fraction:
        """
        Return what is delivered in all, exact, in the contract's unit or another.

        :raises DealError: naming the unit, if the area's context does not convert it.
        """
        own = self.amount_unit
        wanted = target or own
        if wanted not in self._amounts:
            self._amounts[wanted] = converted(self._amount(), own, wanted, self.area.context)
        return self._amounts[wanted]

    def _amount(self) -> Fraction:
        volume = self.volume
        if isinstance(volume, Profile):
            return volume.total_mwh
        if volume.frequency is Frequency.TOTAL:
            return volume.exact_amount
        rate = volume.exact_amount
        if volume.frequency is Frequency.HOUR:
            return self.hours * rate
        if volume.frequency is Frequency.DAY:
            return sum(part.days for part in self.parts) * rate
        return len(self.parts) * rate

    def months(self, target: str = "") -> tuple[MonthVolume, ...]:
        """
        Return the months of a constant volume, in the contract's unit or another.

        A total is spread by the hours of the shape, in steps of 10⁻⁶ that add up to it.

        :raises DealError: naming the unit, if the area's context does not convert it.
        """
        if isinstance(self.volume, Profile):
            raise TypeError("a profile has a power for each interval, not one a month")
        unit = self.volume.amount_unit
        wanted = target or unit
        if wanted not in self._months:
            self._months[wanted] = tuple(self._walk(self.volume, unit, wanted))
        return self._months[wanted]

    def month_amounts(self, target: str = "") -> tuple[tuple[MonthPart, Fraction], ...]:
        """
        Return what is delivered in each month, exact; of a profile in MWh.

        :raises DealError: as `months`.
        """
        volume = self.volume
        if not isinstance(volume, Profile):
            return tuple((month.part, month.count * month.rate) for month in self.months(target))
        found, first = [], 0
        for part in self.parts:
            after = first + int(part.interval.duration.total_seconds()) // (60 * volume.minutes)
            total = int(volume.micro_mw[first:after].sum())
            found.append((part, Fraction(total * volume.minutes, 60_000_000)))
            first = after
        return tuple(found)

    def _walk(self, volume: Volume, unit: str, target: str) -> Iterator[MonthVolume]:
        parts = self.parts

        def carried(amount: Fraction) -> Fraction:
            return converted(amount, unit, target, self.area.context)

        if volume.frequency is Frequency.TOTAL:
            shares: tuple[Decimal, ...] = allocated(
                Decimal(volume.quantity), [part.hours for part in parts]
            )
            for part, share in zip(parts, shares, strict=True):
                yield MonthVolume(part, DeltaBasis.AMOUNT, Fraction(1), carried(Fraction(share)))
            return
        rate = carried(volume.exact_amount)
        for part in parts:
            if volume.frequency is Frequency.HOUR:
                yield MonthVolume(part, DeltaBasis.HOUR, part.hours, rate)
            elif volume.frequency is Frequency.DAY:
                yield MonthVolume(part, DeltaBasis.DAY, Fraction(part.days), rate)
            else:
                yield MonthVolume(part, DeltaBasis.AMOUNT, Fraction(1), rate)
