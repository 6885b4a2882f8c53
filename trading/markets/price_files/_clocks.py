"""From the time a file writes to UTC, for the clocks that price files are written by."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from energyopti.foundation.calendars import Calendar
from trading.markets.price_files._findings import Finding, FindingKind


class Clock(StrEnum):
    """
    What the column `Date` means.

    UTC        naive UTC.
    WALL       what the clock on the wall shows: the hour of spring is missing, that of autumn
               is there twice, first pass first.
    DAY_OF_24  every day has 24 hours: an invented hour in spring, one hour for two in autumn.
    OFFSET     not a choice for `Date`: the column `timestamp` carries its offset itself.
    """

    UTC = "utc"
    WALL = "wall"
    DAY_OF_24 = "24h"
    OFFSET = "offset"


@dataclass
class Timeline:
    """
    Turn the texts of a file into UTC instants, in the file's order.

    `starts_of` returns none for a text that is an error or an invented hour, and two for the one
    hour that stands for two.
    """

    clock: Clock
    calendar: Calendar
    findings: list[Finding]
    _latest: datetime | None = None
    _latest_wall: datetime | None = None
    _seen_once: set[datetime] = field(default_factory=set)

    def starts_of(self, text: str, line: int) -> tuple[datetime, ...]:
        """Return the UTC starts that a text stands for: none, one or two."""
        try:
            parsed = datetime.fromisoformat(text)
        except ValueError:
            return self._error(line, f"“{text[:40]}” is not a date and time (ISO 8601).")
        if not 1990 <= parsed.year < 2199:
            return self._error(line, f"“{text}” is outside the years 1990 to 2198.")
        if self.clock is Clock.OFFSET:
            if parsed.utcoffset() is None:
                return self._error(line, f"timestamp “{text}” has no UTC offset.")
            return (parsed.astimezone(UTC),)
        if parsed.tzinfo is not None:
            return self._error(
                line, f"Date “{text}” has an offset; call the column “timestamp” then."
            )
        if self.clock is Clock.UTC:
            return (parsed.replace(tzinfo=UTC),)
        first = parsed.replace(tzinfo=self.calendar.zone, fold=0).astimezone(UTC)
        second = parsed.replace(tzinfo=self.calendar.zone, fold=1).astimezone(UTC)
        if self.clock is Clock.DAY_OF_24:
            return self._of_24(line, text, first, second)
        return self._on_the_wall(line, text, parsed, first, second)

    def _of_24(
        self, line: int, text: str, first: datetime, second: datetime
    ) -> tuple[datetime, ...]:
        if second < first:
            self._note(line, f"{text} does not exist on this day: invented, dropped.")
            return ()
        if second > first:
            self._note(line, f"{text} happens twice on this day: one value used for both.")
            return (first, second)
        return (first,)

    def _on_the_wall(
        self, line: int, text: str, wall: datetime, first: datetime, second: datetime
    ) -> tuple[datetime, ...]:
        zone = self.calendar.zone_key
        if second < first:
            return self._error(
                line,
                f"{text} does not exist in {zone}: clocks are put forward over it.",
                FindingKind.CLOCK_CHANGE,
            )
        repeated = second > first
        start = first
        if repeated and wall in self._seen_once:
            start = second
            self._note(line, f"{text} is the second pass of the repeated hour.")
        elif repeated:
            self._seen_once.add(wall)
        if self._latest is not None and start < self._latest:
            # Which pass is meant follows from the order, so here the order must be right.
            return self._error(
                line, f"{text} comes after {self._latest_wall}: sort by time.", FindingKind.ORDER
            )
        self._latest, self._latest_wall = start, wall
        return (start,)

    def _error(
        self, line: int, message: str, kind: FindingKind = FindingKind.TIMESTAMP
    ) -> tuple[datetime, ...]:
        self.findings.append(Finding(line, kind, message))
        return ()

    def _note(self, line: int, message: str) -> None:
        self.findings.append(Finding(line, FindingKind.CLOCK_CHANGE, message, is_error=False))
