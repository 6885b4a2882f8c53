"""The volumes of a file's rows by interval: a second CSV file, or the sheet “profiles”."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import PurePath

from ..reference_files.findings import Refusal
from ..reference_files.reading import FileTooLarge, Line, read_lines
from .columns import CellRefused, decimal, instant

PROFILE_COLUMNS = ("reference", "start", "mw")
# Two ten-year contracts by the quarter hour.
MAX_INTERVALS = 750_000
_GRIDS = (15, 30, 60)


@dataclass(frozen=True, slots=True)
class ProfilesFile:
    """A CSV file of profiles, as it was given."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class GivenProfile:
    """
    The power of one row by interval.

    file, line      where it begins
    start           of the first interval, UTC
    mw              in order of time, without a gap
    """

    file: str
    line: int
    start: datetime
    minutes: int
    mw: tuple[Decimal, ...]


@dataclass(slots=True)
class Profiles:
    """Profiles by the reference of the row that they belong to."""

    found: dict[str, GivenProfile] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def take(self, *references: str) -> GivenProfile | None:
        """Return the profile of a row, by the first of its references that has one."""
        for reference in references:
            if reference and reference in self.found:
                self.taken.add(reference)
                return self.found[reference]
        return None

    def unused(self) -> list[Refusal]:
        """Return a refusal for each profile that no row took."""
        return [
            Refusal(given.file, given.line, "reference", f"No row of the trades is “{reference}”.")
            for reference, given in self.found.items()
            if reference not in self.taken
        ]


NO_PROFILES = Profiles()


def read_profiles_file(file: ProfilesFile) -> tuple[list[Line], list[Refusal]]:
    """
    Return the lines of a CSV file of profiles and what is wrong with its form.

    :raises FileTooLarge: for more than 50 MB.
    """
    if PurePath(file.name).suffix.lower() != ".csv":
        rule = "Profiles come as .csv, or in the sheet “profiles” of a workbook."
        return [], [Refusal(file.name, 0, "file", rule)]
    return read_lines(file.name, file.content, PROFILE_COLUMNS)


def read_profiles(name: str, lines: Sequence[Line], refusals: list[Refusal]) -> Profiles:
    """
    Return the profiles in lines; what is wrong with them is added to the refusals.

    The rows of a reference stand together and ascend without a gap; the step between the first
    two is the length of all, an hour where there is one only.

    :raises FileTooLarge: for more intervals than are read.
    """
    if len(lines) > MAX_INTERVALS:
        raise FileTooLarge(f"{name}: {len(lines):,} intervals; at most {MAX_INTERVALS:,} are read.")
    by_reference: dict[str, list[Line]] = {}
    for line in lines:
        by_reference.setdefault(line.cells["reference"], []).append(line)
    profiles = Profiles()
    for reference, own in by_reference.items():
        try:
            profiles.found[reference] = _profile(name, reference, own)
        except CellRefused as error:
            refusals.append(Refusal(name, error.line, error.column, error.rule))
            profiles.taken.add(reference)
    return profiles


def _profile(name: str, reference: str, lines: Sequence[Line]) -> GivenProfile:
    if not reference:
        raise CellRefused("reference", "is missing.", line=lines[0].number)
    first, minutes = _start(lines[0]), 60
    if len(lines) > 1:
        minutes = int((_start(lines[1]) - first).total_seconds()) // 60
        if minutes not in _GRIDS:
            rule = f"{minutes} minutes after the start before; a step is one of 15, 30 and 60."
            raise CellRefused("start", rule, line=lines[1].number)
    step = timedelta(minutes=minutes)
    mw = []
    for place, line in enumerate(lines):
        start, expected = _start(line), first + place * step
        if start != expected:
            rule = f"The interval after the one before starts at {expected.isoformat()}."
            raise CellRefused("start", rule, line=line.number)
        try:
            mw.append(decimal("mw", line.cells["mw"]))
        except CellRefused as error:
            raise CellRefused("mw", error.rule, line=line.number) from error
    return GivenProfile(name, lines[0].number, first, minutes, tuple(mw))


def _start(line: Line) -> datetime:
    try:
        found = instant(line.cells, "start")
    except CellRefused as error:
        raise CellRefused("start", error.rule, line=line.number) from error
    if found is None:
        raise CellRefused("start", "is missing.", line=line.number)
    return found.astimezone(UTC)
