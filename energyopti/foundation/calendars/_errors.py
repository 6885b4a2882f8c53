"""What calendars refuse; in a module of its own so that zones and dates can both raise it."""


class CalendarError(ValueError):
    """Raised when a calendar cannot answer; names the field and the rule."""


class UnknownZone(CalendarError):
    """Raised for a name that the pinned time-zone database does not hold."""


class NoSuchLocalDay(CalendarError):
    """Raised for a date that the zone skipped (Samoa had no 30 December 2011)."""


class PeriodsDoNotTile(CalendarError):
    """Raised when a local day is not a whole number of periods (24.5 h in hours)."""
