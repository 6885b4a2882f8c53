"""Holiday files have a line a date; a version of a calendar is all lines that name it."""

from typing import Any

from .cells import Day, Text
from .findings import Refusal
from .reading import Line

HOLIDAY_COLUMNS = [
    "calendar",
    "calendar_name",
    "version",
    "covers_first",
    "covers_last",
    "source",
    "date",
    "name",
]
_HEAD = HOLIDAY_COLUMNS[:6]


def fold_holidays(
    name: str, lines: list[Line]
) -> tuple[list[tuple[int, dict[str, Any]]], list[Refusal]]:
    """Return one row a version, under its first line, and what is wrong with single lines."""
    rows: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
    dates: dict[tuple[str, str], dict[Any, tuple[int, str]]] = {}
    refusals: list[Refusal] = []
    for line in lines:
        cells = line.cells
        key = (cells["calendar"].casefold(), cells["version"])
        number, head = rows.setdefault(key, (line.number, {c: cells[c] for c in _HEAD}))
        refusals += [
            Refusal(name, line.number, column, f"Line {number} says “{head[column]}” for it.")
            for column in _HEAD
            if column != "calendar" and cells[column] != head[column]
        ]
        days = dates.setdefault(key, {})
        if not cells["date"] and not cells["name"]:
            continue  # a version without a holiday is a line without a date
        try:
            day = Day().clean(cells["date"])
        except ValueError as error:
            refusals.append(Refusal(name, line.number, "date", str(error)))
            continue
        try:
            label = Text().clean(cells["name"])
        except ValueError as error:
            refusals.append(Refusal(name, line.number, "name", str(error)))
            continue
        if day in days:
            refusals.append(
                Refusal(name, line.number, "date", f"Line {days[day][0]} has {day} too.")
            )
            continue
        refusals += _outside(name, line, day)
        days[day] = (line.number, label)
    return [
        (number, {**head, "holidays": tuple(sorted((d, n) for d, (_, n) in dates[key].items()))})
        for key, (number, head) in rows.items()
    ], refusals


def _outside(name: str, line: Line, day: Any) -> list[Refusal]:
    try:
        first, last = (Day().clean(line.cells[c]) for c in ("covers_first", "covers_last"))
    except ValueError:
        return []  # the version's own row says so
    if first <= day <= last:
        return []
    return [Refusal(name, line.number, "date", f"{day} is not within {first} to {last}.")]


def unfold_holidays(rows: list[Any]) -> list[list[str]]:
    """Return the lines of versions, as `fold_holidays` reads them."""
    found = []
    for terms in rows:
        head = [
            terms.calendar,
            terms.calendar_name,
            str(terms.version),
            terms.covers_first.isoformat(),
            terms.covers_last.isoformat(),
            terms.source,
        ]
        found += [[*head, day.isoformat(), name] for day, name in terms.holidays] or [
            [*head, "", ""]
        ]
    return found
