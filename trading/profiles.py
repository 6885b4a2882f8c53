"""Profiles as files: one interval a line, its MW in the last column, a time before it if given."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from trading.deals import DealError, Profile

MAXIMUM_BYTES = 32 * 1024 * 1024
# Thirty years of quarter hours.
MAXIMUM_INTERVALS = 1_060_000
_MICRO_PLACES = 6
# `Profile` refuses what is too much; this only keeps a number within int64.
_DIGITS = 9
_NUMBER = re.compile(r"([0-9]+)(?:\.([0-9]+))?", re.ASCII)
_SEPARATOR = re.compile(r"[,;\t]")


def read_profile(content: bytes, *, minutes: int, start: datetime) -> Profile:
    """
    Read a profile from CSV text: `MW`, or `interval start,MW` with ISO 8601 and a UTC offset.

    start   of the first interval; given times have to follow it without a gap

    The first line may be a heading. A decimal point, no thousands; UTF-8.

    :raises DealError: naming the line and the rule.
    """
    if len(content) > MAXIMUM_BYTES:
        raise DealError("volume", f"the file is larger than {MAXIMUM_BYTES // 1024**2} MB.")
    try:
        lines = content.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        number = content.count(b"\n", 0, error.start) + 1
        raise DealError("volume", f"line {number} is not UTF-8 text.") from error
    step = timedelta(minutes=minutes)
    values: list[int] = []
    for number, line in enumerate(lines, start=1):
        cell, time = line.strip(), ""
        if not cell:
            continue
        if _SEPARATOR.search(cell) is not None:
            time, *_, cell = (part.strip() for part in _SEPARATOR.split(cell))
        if number == 1 and not _NUMBER.fullmatch(cell) and any(c.isalpha() for c in line):
            continue
        if time:
            _check_time(time, start + len(values) * step, number)
        values.append(_micro_mw(cell, number))
        if len(values) > MAXIMUM_INTERVALS:
            raise DealError("volume", f"more than {MAXIMUM_INTERVALS} intervals.")
    if not values:
        raise DealError("volume", "the file has no intervals.")
    import numpy as np  # for those who bring a profile, not at start-up

    return Profile(minutes, np.array(values, dtype=np.int64))


def _micro_mw(cell: str, number: int) -> int:
    # Digits are put together by hand: ten years of quarter hours are 350,688 lines.
    found = _NUMBER.fullmatch(cell)
    if found is None:
        raise DealError("volume", f"line {number}: “{cell[:40]}” is no number of MW.")
    whole, places = found.groups("")
    if len(places) > _MICRO_PLACES:
        if places[_MICRO_PLACES:].strip("0"):
            raise DealError("volume", f"line {number}: {cell[:40]} has more than 6 decimals.")
        places = places[:_MICRO_PLACES]
    whole = whole.lstrip("0")
    if len(whole) > _DIGITS:
        raise DealError("volume", f"line {number}: {cell[:40]} MW is out of range.")
    return int("0" + whole + places.ljust(_MICRO_PLACES, "0"))


def _check_time(cell: str, expected: datetime, number: int) -> None:
    try:
        given = datetime.fromisoformat(cell)
    except ValueError as error:
        raise DealError("volume", f"line {number}: “{cell[:40]}” is no ISO 8601 time.") from error
    if given.utcoffset() is None:
        raise DealError("volume", f"line {number}: {cell} needs a UTC offset.")
    if given != expected:
        raise DealError(
            "volume", f"line {number} begins {cell}, and {expected.isoformat()} is the next."
        )
