"""Find the length of a file's periods, and what does not fit: off-grid rows, mixtures, gaps."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from energyopti.foundation.calendars import Calendar, offset_seconds
from trading.markets.price_files._findings import Finding, FindingKind

_LENGTHS = (15, 30, 60)


def find_grid(
    seconds: npt.NDArray[np.int64],
    lines: list[int],
    *,
    calendar: Calendar,
    findings: list[Finding],
    gap_is_error: bool,
    expected_minutes: int | None,
) -> int:
    """
    Return the minutes of a period, and add what does not fit to `findings`.

    seconds   UTC epoch seconds of the starts, ascending, shape (rows,); `lines` are theirs

    Most rows decide the length. Starts must lie on the grid of the market's own clock, because
    an hour of a zone with a half-hour offset does not start on a UTC hour.
    """
    if seconds.size == 0:
        findings.append(Finding(0, FindingKind.COLUMNS, "no row of the file has a usable time."))
        return _LENGTHS[-1]
    steps = np.diff(seconds) // 60
    minutes = _most_frequent(steps) if steps.size else expected_minutes
    if minutes not in _LENGTHS:
        said = "one row cannot tell" if minutes is None else f"most rows are {minutes} min apart"
        message = f"periods must be of 15, 30 or 60 minutes; {said}."
        findings.append(Finding(lines[0], FindingKind.MIXED_GRANULARITY, message))
        return _LENGTHS[-1]
    local = seconds + offset_seconds(calendar, seconds.astype("datetime64[s]"))
    off_grid = np.flatnonzero(local % (minutes * 60))
    mixed = _mixed_from(steps, minutes)
    if mixed is not None:
        message = (
            f"mixed granularity: rows are {steps[mixed]} min apart here, {minutes} min elsewhere;"
            " give one file for each."
        )
        findings.append(Finding(lines[mixed + 1], FindingKind.MIXED_GRANULARITY, message))
        return minutes
    for index in off_grid:
        message = f"{_utc(seconds[index])} is not on the {minutes}-minute grid of the market."
        findings.append(Finding(lines[index], FindingKind.OFF_GRID, message))
    if not off_grid.size:
        for index in np.flatnonzero(steps != minutes):
            message = (
                f"gap of {steps[index] // minutes - 1} period(s) before this row:"
                f" {_utc(seconds[index] + minutes * 60)} to {_utc(seconds[index + 1])}."
            )
            findings.append(Finding(lines[index + 1], FindingKind.GAP, message, gap_is_error))
    return minutes


def _most_frequent(steps: npt.NDArray[np.int64]) -> int:
    values, counts = np.unique(steps, return_counts=True)
    return int(values[counts.argmax()])


def _mixed_from(steps: npt.NDArray[np.int64], minutes: int) -> int | None:
    """Return the first of two steps in a row that are both of another granularity, if any."""
    for other in _LENGTHS:
        if other == minutes or steps.size < 2:
            continue
        run = (steps[:-1] == other) & (steps[1:] == other)
        if run.any():
            return int(run.argmax())
    return None


def _utc(second: int | np.int64) -> str:
    return datetime.fromtimestamp(int(second), UTC).strftime("%Y-%m-%d %H:%MZ")
