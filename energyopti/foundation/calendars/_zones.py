"""Time zones of the pinned IANA database, and what a zone's clock shows at an instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

import tzdata

from energyopti.foundation.calendars._errors import UnknownZone


class PinnedZone(ZoneInfo):
    """A zone read from the `tzdata` package; unlike `ZoneInfo.from_file` it can be pickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (zone, (self.key,))


@lru_cache(maxsize=1024)
def zone(key: str) -> ZoneInfo:
    """
    Return a time zone of the pinned IANA database by its name ("Europe/Berlin").

    :raises UnknownZone: if the database has no zone of that name.
    """
    if key in _zone_keys():
        with resources.files("tzdata").joinpath("zoneinfo", *key.split("/")).open("rb") as file:
            return PinnedZone.from_file(file, key=key)
    raise UnknownZone(f"zone: {key!r} is not in the IANA time-zone database {tzdata_version()}.")


@lru_cache(maxsize=1)
def _zone_keys() -> frozenset[str]:
    return frozenset(resources.files("tzdata").joinpath("zones").read_text("utf-8").split())


def tzdata_version() -> str:
    """Return the release of the zone database in use ("2026a"); it belongs in run hashes."""
    return str(tzdata.IANA_VERSION)


@dataclass(frozen=True, slots=True)
class LocalLabel:
    """
    Name an instant on a zone's clock; with `fold` and `offset` no two instants share a label.

    wall      naive local date and time
    fold      1 in the second pass of a repeated stretch, else 0
    offset    local time minus UTC
    """

    wall: datetime
    fold: int
    offset: timedelta

    def __str__(self) -> str:
        return self.wall.replace(tzinfo=timezone(self.offset)).isoformat(timespec="minutes")


def offset_change(zone_: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """
    Return the first whole second after `low` at which the offset is no longer that at `low`.

    low, high   UTC, with one change of offset between them.
    """
    before = low.astimezone(zone_).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if middle.astimezone(zone_).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high
