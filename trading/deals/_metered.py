"""What an asset was metered to deliver, by the interval of a deal on a share of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from energyopti.foundation.units import energy_mwh
from trading.deals._deals import Deal, ProductKind
from trading.deals._errors import DealError
from trading.deals._legs import AssetShare
from trading.deals._numbers import decimal_of
from trading.deals._shapes import MonthPart
from trading.deals._volumes import GRID_MINUTES, MICRO, Frequency, Profile, Volume

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]

ASSET_KINDS = (ProductKind.AS_GENERATED, ProductKind.PPA)
_QUARTER = 15
# More than half above what is installed is no weather: the reading is in another unit.
_PLAUSIBLE = Fraction(3, 2)


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """
    Hold what a meter read, one row an interval; each int64, shape (readings,).

    starts      seconds since 1970, UTC, ascending
    minutes     15, 30 or 60
    micro_kwh   10⁻⁶ kWh of the whole asset, ≥ 0

    :raises DealError: for intervals off the quarter hours, out of order or over each other.
    """

    starts: Integers
    minutes: Integers
    micro_kwh: Integers

    def __post_init__(self) -> None:
        import numpy as np

        if not (self.starts.shape == self.minutes.shape == self.micro_kwh.shape):
            raise DealError("metering", "starts, minutes and energies are as many.")
        off = (self.starts % (60 * _QUARTER) != 0) | ~np.isin(self.minutes, GRID_MINUTES)
        if off.any():
            raise DealError("metering", f"{_at(self.starts[off][0])} starts no metering period.")
        if (self.micro_kwh < 0).any():
            first = self.starts[self.micro_kwh < 0][0]
            raise DealError("metering", f"{_at(first)} reads less than nothing.")
        late = self.starts[:-1] + 60 * self.minutes[:-1] > self.starts[1:]
        if late.any():
            raise DealError("metering", f"two readings hold {_at(self.starts[1:][late][0])}.")


@dataclass(frozen=True, slots=True, eq=False)
class MeteredMonth:
    """
    A delivery month some intervals of which were metered; each row of shape (intervals,).

    minutes     of each interval; the first starts with the month's part that is delivered
    micro_mw    int64: our share of what was metered, of other intervals what is expected
    expected    int64, what was agreed as expected of all of them
    is_metered  bool
    """

    part: MonthPart
    minutes: int
    micro_mw: Integers
    expected: Integers
    is_metered: npt.NDArray[np.bool_]

    @property
    def intervals(self) -> int:
        """Return how many intervals the month has."""
        return int(self.is_metered.size)

    @property
    def metered_intervals(self) -> int:
        """Return how many of them were metered."""
        return int(self.is_metered.sum())

    @property
    def metered_mwh(self) -> Decimal:
        """Return the energy that was metered, our share."""
        return decimal_of(_energy(self.micro_mw[self.is_metered], self.minutes))

    @property
    def expected_mwh(self) -> Decimal:
        """Return what had been expected of the intervals that were metered."""
        return decimal_of(_energy(self.expected[self.is_metered], self.minutes))

    @property
    def difference_mwh(self) -> Decimal:
        """Return metered less expected."""
        return self.metered_mwh - self.expected_mwh

    @property
    def volumes(self) -> tuple[Fraction, ...]:
        """Return the MWh of each interval, metered or expected, exact."""
        return tuple(Fraction(micro * self.minutes, 60 * MICRO) for micro in self.micro_mw.tolist())

    @property
    def total_mwh(self) -> Fraction:
        """Return the energy of all intervals, metered or expected, exact."""
        return _energy(self.micro_mw, self.minutes)


def metered_share(deal: Deal) -> AssetShare | None:
    """
    Return whose meter says what a deal delivers; None where its volume is left as agreed.

    An amount in all, a day or a month was agreed as that amount; the floor or cap of a constant
    power is settled on the mean of a month, which has no intervals to meter.
    """
    if deal.kind not in ASSET_KINDS or len(deal.deliveries) != 1:
        return None
    (delivery,) = deal.deliveries
    volume = delivery.schedule.volume
    if deal.options and not isinstance(volume, Profile):
        return None
    if not isinstance(volume, Profile) and volume.frequency is not Frequency.HOUR:
        return None
    return delivery.asset


def metered_months(deal: Deal, readings: Readings, *, until: datetime) -> tuple[MeteredMonth, ...]:
    """
    Return the months of a deal in which some interval that ended by an instant was metered.

    An interval counts as metered when readings hold all of it: finer ones are summed, a coarser
    one is the mean power of all that it holds. Each is rounded to the watt, half up. A flat
    power is taken by the quarter hour.

    :raises DealError: for a reading of far more than what is installed.
    """
    share = metered_share(deal)
    if share is None or not readings.starts.size:
        return ()
    volume, parts = deal.schedule.volume, deal.schedule.parts
    minutes = volume.minutes if isinstance(volume, Profile) else _QUARTER
    _check_plausible(readings, share)
    found, first = [], 0
    for part in parts:
        count = int(part.interval.duration.total_seconds()) // (60 * minutes)
        begins = int(part.interval.start.timestamp())
        done = (min(int(until.timestamp()), int(part.interval.end.timestamp())) - begins) // (
            60 * minutes
        )
        if done > 0:
            expected = _expected(volume, first, count)
            month = _month(part, minutes, expected, done, readings, share)
            if month is not None:
                found.append(month)
        first += count
    return tuple(found)


def _expected(volume: Profile | Volume, first: int, count: int) -> Integers:
    import numpy as np

    if isinstance(volume, Profile):
        return volume.micro_mw[first : first + count]
    power = round(volume.exact_amount * MICRO)
    return np.full(count, power, dtype=np.int64)


def _month(
    part: MonthPart,
    minutes: int,
    expected: Integers,
    done: int,
    readings: Readings,
    share: AssetShare,
) -> MeteredMonth | None:
    import numpy as np

    per = minutes // _QUARTER
    energy = np.zeros(expected.size * per, dtype=np.int64)
    is_read = np.zeros(energy.size, dtype=np.bool_)
    begins = int(part.interval.start.timestamp())
    places = (readings.starts - begins) // (60 * _QUARTER)
    for place, quarters, of_quarter in _quarters(places, readings):
        for offset in range(quarters):
            at = place + offset
            inside = (at >= 0) & (at < energy.size)
            energy[at[inside]] = of_quarter[inside]
            is_read[at[inside]] = True
    is_metered: npt.NDArray[np.bool_] = np.asarray(is_read.reshape(-1, per).all(axis=1))
    is_metered[done:] = False
    if not is_metered.any():
        return None
    # A quarter of 10⁻⁶ kWh over so many minutes, times the share, is this many watts.
    ratio = (
        Fraction(share.contracted_mw) / Fraction(share.installed_mw) * Fraction(3, 200 * minutes)
    )
    sums = energy.reshape(-1, per)[is_metered].astype(object).sum(axis=1)
    watts = (2 * sums * ratio.numerator + ratio.denominator) // (2 * ratio.denominator)
    micro_mw = expected.copy()
    micro_mw[is_metered] = watts.astype(np.int64)
    return MeteredMonth(part, minutes, micro_mw, expected, is_metered)


def _quarters(places: Integers, readings: Readings) -> Iterator[tuple[Integers, int, Integers]]:
    """Yield readings of one length at a time: first quarter hour, how many, a quarter's energy."""
    for minutes in GRID_MINUTES:
        chosen = readings.minutes == minutes
        # In quarters of 10⁻⁶ kWh, so that an hour divides.
        yield places[chosen], minutes // _QUARTER, readings.micro_kwh[chosen] * (60 // minutes)


def _check_plausible(readings: Readings, share: AssetShare) -> None:
    most = Fraction(share.installed_mw) * _PLAUSIBLE
    # MW = 10⁻⁹ MWh × 60 / minutes
    limit = int(most * 10**9)
    over = readings.micro_kwh.astype(object) * 60 > readings.minutes.astype(object) * limit
    if over.any():
        import numpy as np

        place = int(np.flatnonzero(over)[0])
        read = Fraction(int(readings.micro_kwh[place]) * 60, int(readings.minutes[place]) * 10**9)
        raise DealError(
            "metering",
            f"{_at(readings.starts[place])} reads {float(read):,.3f} MW, and {share.asset_id} has "
            f"{share.installed_mw.normalize():f} MW: are the readings in kWh?",
        )


def _energy(row: Integers, minutes: int) -> Fraction:
    return energy_mwh(Fraction(int(row.sum()), MICRO), Fraction(minutes, 60))


def _at(seconds: int) -> str:
    return f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%d %H:%M} UTC"
