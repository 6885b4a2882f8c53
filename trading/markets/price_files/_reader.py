"""Read a price file as a whole: one grid of periods, each series complete on it, or a refusal."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from energyopti.foundation.calendars import Calendar
from trading.markets.price_files._clocks import Clock, Timeline
from trading.markets.price_files._columns import Rows, read_rows
from trading.markets.price_files._findings import Finding, FindingKind, PriceFileRefused
from trading.markets.price_files._grid import find_grid

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,2})?", re.ASCII)
_MISSING = frozenset({"", "nan", "na", "n/a", "null", "none", "-"})
_LIMIT = Decimal(10) ** 12
_REPORT_EVERY = 4096


class GapPolicy(StrEnum):
    """What a missing period or value does: refuse the file, or load the rest and tell."""

    REFUSE = "REFUSE"
    TELL = "TELL"


@dataclass(frozen=True, slots=True)
class PriceBatch:
    """
    Hold values of one market on one grid of periods.

    starts    UTC, ascending, unique, datetime64[s], shape (periods,)
    minutes   length of every period: 15, 30 or 60
    series    name → one exact value a period, None where it is missing; "spot" is the price
    """

    starts: npt.NDArray[np.datetime64]
    minutes: int
    series: dict[str, list[Decimal | None]]

    @property
    def start(self) -> datetime:
        """Return the start of the first period."""
        return _aware(self.starts[0])

    @property
    def end(self) -> datetime:
        """Return the end of the last period."""
        return _aware(self.starts[-1] + np.timedelta64(self.minutes, "m"))


@dataclass(frozen=True, slots=True)
class PriceFile:
    """Hold what a file says, and the remarks that did not prevent reading it."""

    batch: PriceBatch
    clock: Clock
    findings: tuple[Finding, ...]


def read_price_file(
    content: bytes,
    *,
    calendar: Calendar,
    clock: Clock | None,
    gaps: GapPolicy = GapPolicy.REFUSE,
    expected_minutes: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> PriceFile:
    """
    Read a CSV of hourly, half-hourly or quarter-hourly prices.

    clock              meaning of the column `Date`; not needed for `timestamp`.
    expected_minutes   length of a period, where a single row cannot tell.
    progress           called with rows read and rows in all.

    :raises PriceFileRefused: with every finding, if a single one is an error.
    """
    findings: list[Finding] = []
    rows = read_rows(content, findings)
    if rows.time_column == "timestamp":
        if clock is not None and clock is not Clock.OFFSET:
            findings.append(
                Finding(
                    1,
                    FindingKind.COLUMNS,
                    f"the timestamps carry their offset; --clock {clock} was not used.",
                    is_error=False,
                )
            )
        clock = Clock.OFFSET
    elif clock is None or clock is Clock.OFFSET:
        message = "the column “Date” needs a clock: say --clock utc, wall or 24h."
        raise PriceFileRefused([Finding(1, FindingKind.COLUMNS, message)])
    moments = _moments(rows, Timeline(clock, calendar, findings), findings, progress)
    columns = _values(rows, gaps, findings)
    _refuse_errors(findings)
    moments.sort()
    seconds = np.array([second for second, _ in moments], dtype=np.int64)
    lines = [rows.lines[index] for _, index in moments]
    minutes = find_grid(
        seconds,
        lines,
        calendar=calendar,
        findings=findings,
        gap_is_error=gaps is GapPolicy.REFUSE,
        expected_minutes=expected_minutes,
    )
    _refuse_errors(findings)
    batch = PriceBatch(
        seconds.astype("datetime64[s]"),
        minutes,
        {
            name: [column[index] for _, index in moments]
            for name, column in zip(rows.series, columns, strict=True)
        },
    )
    return PriceFile(batch, clock, tuple(sorted(findings, key=lambda finding: finding.line)))


def _moments(
    rows: Rows,
    timeline: Timeline,
    findings: list[Finding],
    progress: Callable[[int, int], None],
) -> list[tuple[int, int]]:
    """Return (UTC epoch second, index of the row), in the file's order."""
    moments: list[tuple[int, int]] = []
    line_of: dict[datetime, int] = {}
    for index, (line, text) in enumerate(zip(rows.lines, rows.times, strict=True)):
        for start in timeline.starts_of(text, line):
            if start in line_of:
                message = f"{text} is there already, in line {line_of[start]}."
                findings.append(Finding(line, FindingKind.DUPLICATE, message))
                continue
            line_of[start] = line
            if start.microsecond:
                message = f"{text} is not on a whole second, let alone a period."
                findings.append(Finding(line, FindingKind.OFF_GRID, message))
                continue
            moments.append((int(start.timestamp()), index))
        if index % _REPORT_EVERY == 0:
            progress(index, len(rows.lines))
    progress(len(rows.lines), len(rows.lines))
    return moments


def _values(rows: Rows, gaps: GapPolicy, findings: list[Finding]) -> list[list[Decimal | None]]:
    columns: list[list[Decimal | None]] = []
    for column, name in enumerate(rows.series):
        title = "Price" if column == 0 else name
        values: list[Decimal | None] = []
        for line, fields in zip(rows.lines, rows.fields, strict=True):
            text = fields[column]
            value = Decimal(text) if _NUMBER.fullmatch(text) else None
            if value is None and text.casefold() in _MISSING:
                findings.append(
                    Finding(
                        line,
                        FindingKind.MISSING_VALUE,
                        f"{title} is missing (“{text}”).",
                        is_error=gaps is GapPolicy.REFUSE,
                    )
                )
            elif value is None or abs(value) >= _LIMIT:
                message = f"{title} “{text[:40]}” is not a number below {_LIMIT:.0e}."
                findings.append(Finding(line, FindingKind.VALUE, message))
            values.append(value)
        columns.append(values)
    return columns


def _refuse_errors(findings: list[Finding]) -> None:
    if any(finding.is_error for finding in findings):
        raise PriceFileRefused(sorted(findings, key=lambda finding: finding.line))


def _aware(instant: np.datetime64) -> datetime:
    return datetime.fromtimestamp(int(instant.astype("datetime64[s]").astype(np.int64)), UTC)
