"""Calendars: local days, months and shapes of a zone as UTC intervals, and vectors of periods.

Days are walked in the market's zone and turned into UTC; nothing here adds 24 hours to get
from one day to the next. Which calendar and shape a product has is trading's data. Zones come
from the pinned `tzdata` package and never from the machine, so that `tzdata_version`
describes what was computed. NumPy is needed only by the functions that return vectors.
"""

from energyopti.foundation.calendars._calendar import Calendar
from energyopti.foundation.calendars._dates import DatePeriod
from energyopti.foundation.calendars._errors import (
    CalendarError,
    NoSuchLocalDay,
    PeriodsDoNotTile,
    UnknownZone,
)
from energyopti.foundation.calendars._grids import (
    count_periods,
    offset_seconds,
    period_starts,
    periods,
    shape_mask,
    shaped_delivery,
)
from energyopti.foundation.calendars._shapes import HolidaySet, WeeklyShape
from energyopti.foundation.calendars._zones import LocalLabel, tzdata_version, zone

__all__ = [
    "Calendar",
    "CalendarError",
    "DatePeriod",
    "HolidaySet",
    "LocalLabel",
    "NoSuchLocalDay",
    "PeriodsDoNotTile",
    "UnknownZone",
    "WeeklyShape",
    "count_periods",
    "offset_seconds",
    "period_starts",
    "periods",
    "shape_mask",
    "shaped_delivery",
    "tzdata_version",
    "zone",
]
