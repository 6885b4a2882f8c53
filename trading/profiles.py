"""Profiles as files: one interval a line, its MW in the last column, a time before it if given."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

import numpy as np

from trading.deals import DealError, Profile

MAXIMUM_BYTES = 32 * 1024 * 1024
# Thirty years of quarter hours.
MAXIMUM_INTERVALS = 1_060_000
_MICRO_PLACES = 6
_LARGEST = Decimal(100_000)
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
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
    step, expected = timedelta(minutes=minutes), start
    values: list[int] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        cells = [cell.strip() for cell in _SEPARATOR.split(line)]
        if number == 1 and not _NUMBER.fullmatch(cells[-1]) and any(c.isalpha() for c in line):
            continue
        values.append(_micro_mw(cells[-1], number))
        if len(cells) > 1 and cells[0]:
            _check_time(cells[0], expected, number)
        expected += step
        if len(values) > MAXIMUM_INTERVALS:
            raise DealError("volume", f"more than {MAXIMUM_INTERVALS} intervals.")
    if not values:
        raise DealError("volume", "the file has no intervals.")
    return Profile(minutes, np.array(values, dtype=np.int64))


def _micro_mw(cell: str, number: int) -> int:
    if _NUMBER.fullmatch(cell) is None:
        raise DealError("volume", f"line {number}: “{cell[:40]}” is no number of MW.")
    try:
        value = Decimal(cell)
    except InvalidOperation as error:
        raise DealError("volume", f"line {number}: “{cell[:40]}” is no number of MW.") from error
    if value > _LARGEST:
        raise DealError("volume", f"line {number}: {cell[:40]} MW is more than {_LARGEST} MW.")
    scaled = value.scaleb(_MICRO_PLACES)
    if scaled != int(scaled):
        raise DealError("volume", f"line {number}: {cell[:40]} has more than 6 decimals.")
    return int(scaled)


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
