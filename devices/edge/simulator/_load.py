"""What the site itself consumes: a base, a morning and an evening peak, quiet weekends."""

import math
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class SiteLoad:
    """
    A load that repeats every day, peaking near 07:30 and 19:00 UTC + `shift_hours`.

    peak_kw   height of the evening peak; the base is a quarter of it.
    """

    peak_kw: float
    shift_hours: float = 0.0

    def power_kw(self, at: datetime) -> float:
        hour = at.hour + at.minute / 60 + at.second / 3600 + self.shift_hours
        peaks = 0.45 * _bump(hour, 7.5, 1.5) + 0.75 * _bump(hour, 19.0, 2.5)
        weekend = 0.85 if at.weekday() >= 5 else 1.0
        return self.peak_kw * weekend * (0.25 + peaks)


def _bump(hour: float, center: float, width: float) -> float:
    distance = (hour - center + 12) % 24 - 12
    return math.exp(-((distance / width) ** 2) / 2)
