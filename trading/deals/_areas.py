"""Where power is delivered and in which hours: areas with their zone, currency and peak."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from energyopti.foundation.calendars import Calendar, WeeklyShape


class LoadType(StrEnum):
    """The named calendar shape under which a deal's MW are delivered."""

    BASE = "BASE"
    PEAK = "PEAK"


class NoPeakDefinition(ValueError):
    """Raised where a peak is asked for in an area whose peak hours we do not hold."""


# Monday to Friday 08:00-20:00 local, holidays counted like other days.
EEX_PEAK = WeeklyShape(
    name="EEX peak",
    version="1",
    weekdays=frozenset(range(5)),
    from_minute=8 * 60,
    to_minute=20 * 60,
)

# Zones whose traded peak is the continental one. GB (EFA blocks) and the US (5x16 without NERC
# holidays) are different products and stay out until their calendars are data here.
_EEX_PEAK_ZONES = frozenset(
    {
        "Europe/Amsterdam", "Europe/Berlin", "Europe/Brussels", "Europe/Copenhagen",
        "Europe/Madrid", "Europe/Oslo", "Europe/Paris", "Europe/Prague", "Europe/Rome",
        "Europe/Stockholm", "Europe/Vienna", "Europe/Warsaw", "Europe/Zurich",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PowerArea:
    """
    Name a delivery area: its zone decides days, hours and months.

    code        as traders write it ("DE")
    currency    what a price without a currency is in
    peak        None where no peak is defined
    """

    code: str
    zone_key: str
    currency: str
    peak: WeeklyShape | None = None

    @property
    def calendar(self) -> Calendar:
        """Return the calendar of delivery days of the area."""
        return Calendar(self.zone_key)

    def shape(self, load_type: LoadType) -> WeeklyShape | None:
        """
        Return the hours of a load type; None means all of them.

        :raises NoPeakDefinition: for a peak where none is defined.
        """
        if load_type is LoadType.BASE:
            return None
        if self.peak is None:
            raise NoPeakDefinition(f"product: {self.code} has no peak definition here yet.")
        return self.peak


def peak_of_zone(zone_key: str) -> WeeklyShape | None:
    """Return the traded peak of a zone, None where we hold no definition."""
    return EEX_PEAK if zone_key in _EEX_PEAK_ZONES else None


# Areas that need no table, for the validation of models; the desk's own come from its markets.
REFERENCE_AREAS = {
    code: PowerArea(code, zone_key, currency, peak_of_zone(zone_key))
    for code, zone_key, currency in (
        ("AT", "Europe/Vienna", "EUR"),
        ("BE", "Europe/Brussels", "EUR"),
        ("DE", "Europe/Berlin", "EUR"),
        ("FR", "Europe/Paris", "EUR"),
        ("GB", "Europe/London", "GBP"),
        ("NL", "Europe/Amsterdam", "EUR"),
    )
}
