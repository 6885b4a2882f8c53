"""Book what a trade version changes in positions: the deltas and the running totals, together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from energyopti.foundation.calendars import tzdata_version
from trading.deals import Delta
from trading.deals import PositionDelta as DealDelta
from trading.models import PositionDelta, PositionTotal, Stage, TradeVersion
from trading.queries.positions import (
    Position,
    difference,
    micro,
    micro_bytes,
    positions_of_trade,
    proposed_positions,
    sum_micro,
)

_KEY = (
    "book_id", "stage", "market_id", "currency", "basis", "unit", "shape", "shape_version", "start",
    "end", "minutes",
)  # fmt: skip
_COLUMNS = ", ".join(f'"{name}"' for name in (*_KEY, "month", "calendar_zone", "physical",
                                              "exposure", "fixed", "physical_profile",
                                              "exposure_profile"))  # fmt: skip
_ADD_TO_TOTAL = f"""
    INSERT INTO {PositionTotal._meta.db_table} AS total ({_COLUMNS})
    VALUES ({", ".join(["%s"] * 18)})
    ON CONFLICT ({", ".join(f'"{name}"' for name in _KEY)})
    DO UPDATE SET physical = total.physical + excluded.physical,
                  exposure = total.exposure + excluded.exposure,
                  fixed = total.fixed + excluded.fixed,
                  physical_profile = excluded.physical_profile,
                  exposure_profile = excluded.exposure_profile
"""  # noqa: S608 - the table's own names, no input


_COPIED = (
    "trade_version_id", "book_id", "stage", "market_id", "currency", "basis", "unit", "shape",
    "shape_version", "month", "start", "end", "minutes", "calendar_zone", "tzdata_version",
    "physical", "exposure", "fixed", "physical_profile", "exposure_profile", "recorded_at",
)  # fmt: skip
_QUOTED_KEY = ", ".join(f'"{name}"' for name in _KEY)
_QUOTED_COPIED = ", ".join(f'"{name}"' for name in _COPIED)
_COPY = f"COPY {PositionDelta._meta.db_table} ({_QUOTED_COPIED}) FROM STDIN"
# In the order of the key, so that two transactions of other books never wait in a circle.
_ADD_ALL_TO_TOTALS = f"""
    INSERT INTO {PositionTotal._meta.db_table} AS total ({_COLUMNS})
    SELECT {_QUOTED_KEY}, min("month"), min("calendar_zone"),
           sum("physical"), sum("exposure"), sum("fixed"), ''::bytea, ''::bytea
    FROM {PositionDelta._meta.db_table}
    WHERE "trade_version_id" = ANY(%s) AND "minutes" = 0
    GROUP BY {_QUOTED_KEY}
    ORDER BY {_QUOTED_KEY}
    ON CONFLICT ({_QUOTED_KEY})
    DO UPDATE SET physical = total.physical + excluded.physical,
                  exposure = total.exposure + excluded.exposure,
                  fixed = total.fixed + excluded.fixed
"""  # noqa: S608 - the table's own names, no input


@dataclass(frozen=True, slots=True)
class AddedPositions:
    """
    What the first version of a trade adds.

    market_ids, zones   by code of the market
    """

    version: TradeVersion
    stage: str
    deltas: Sequence[DealDelta]
    market_ids: Mapping[str, int]
    zones: Mapping[str, str]


def add_positions(added: Sequence[AddedPositions]) -> None:
    """
    Write what many new trades add and change the totals, as `change_positions` does for each.

    Runs in the caller's transaction, who holds the locks of the books' limit scopes.
    """
    tzdata = tzdata_version()
    shared: dict[tuple[object, ...], str] = {}
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for one in added:
            version = one.version
            head, now = _copied(version.pk, version.book_id, one.stage), version.recorded_at
            for delta in one.deltas:
                if not isinstance(delta, Delta):
                    continue
                if not (delta.physical or delta.exposure or delta.fixed):
                    continue
                # What many deltas share is written out once.
                key = (delta.market, delta.currency, delta.basis, delta.unit, delta.shape,
                       delta.shape_version, delta.interval)  # fmt: skip
                if key not in shared:
                    shared[key] = _copied(
                        one.market_ids[delta.market], delta.currency, delta.basis.value,
                        delta.unit, delta.shape, delta.shape_version, delta.month,
                        delta.interval.start, delta.interval.end, 0, one.zones[delta.market],
                        tzdata,
                    )  # fmt: skip
                copy.write(
                    f"{head}\t{shared[key]}\t{delta.physical:f}\t{delta.exposure:f}\t"
                    f"{delta.fixed:f}\t\\\\x\t\\\\x\t{now}\n"
                )
    with connection.cursor() as cursor:
        cursor.execute(_ADD_ALL_TO_TOTALS, [[one.version.pk for one in added]])
    for one in added:
        # The numbers of profiles are arrays, which SQL does not add up.
        profiles = [delta for delta in one.deltas if not isinstance(delta, Delta)]
        if profiles:
            wanted = proposed_positions(profiles, one.market_ids)
            change_positions(version=one.version, stage=one.stage, wanted=wanted, is_new=True)


def _copied(*values: object) -> str:
    """Return values as COPY reads them."""
    return "\t".join(
        str(value).replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")
        for value in values
    )


def change_positions(
    *,
    version: TradeVersion,
    stage: str | None,
    wanted: Sequence[Position],
    is_new: bool,
    reserved: Sequence[Position] = (),
) -> list[PositionDelta]:
    """
    Write what takes a trade from what it adds now to what it is to add, and change the totals.

    Runs in the caller's transaction, who holds the locks of the book's limit scopes.

    stage       in which the trade is to count; None for nowhere, then `wanted` is empty
    is_new      True for the first version, which has nothing to take away
    reserved    what it is to reserve beside what it holds
    """
    now = version.recorded_at
    deltas: list[PositionDelta] = []
    for each in (Stage.LIVE, Stage.PENDING):
        target = list(wanted) if stage == each else []
        target += reserved if each == Stage.PENDING else ()
        held = [] if is_new else positions_of_trade(version.trade_id, stage=each)
        deltas += [_delta(version, each, p, now) for p in difference(target, held)]
    PositionDelta.objects.bulk_create(deltas, batch_size=500)
    _add_to_totals(deltas)
    return deltas


def _delta(version: TradeVersion, stage: str, p: Position, now: datetime) -> PositionDelta:
    return PositionDelta(
        trade_version=version,
        book_id=version.book_id,
        stage=stage,
        market_id=p.market_id,
        currency=p.currency,
        basis=p.basis,
        unit=p.unit,
        shape=p.shape,
        shape_version=p.shape_version,
        month=p.month,
        start=p.start,
        end=p.end,
        minutes=p.minutes,
        calendar_zone=p.calendar.zone_key,
        tzdata_version=tzdata_version(),
        physical=p.physical,
        exposure=p.exposure,
        fixed=p.fixed,
        physical_profile=micro_bytes(p.physical_profile),
        exposure_profile=micro_bytes(p.profile),
        recorded_at=now,
    )


def _add_to_totals(deltas: Sequence[PositionDelta]) -> None:
    profiles = _profiles_with([d for d in deltas if d.minutes])
    rows = []
    for d in deltas:
        key = tuple(getattr(d, name) for name in _KEY)
        physical, exposure = profiles.get(key, (b"", b""))
        rows.append(
            (*key, d.month, d.calendar_zone, d.physical, d.exposure, d.fixed, physical, exposure)
        )
    with connection.cursor() as cursor:
        cursor.executemany(_ADD_TO_TOTAL, rows)


def _profiles_with(
    deltas: Sequence[PositionDelta],
) -> dict[tuple[object, ...], tuple[bytes, bytes]]:
    """Return the profiles of totals with some deltas added, by key; the book is locked."""
    if not deltas:
        return {}
    held = {
        row[: len(_KEY)]: row[len(_KEY) :]
        for row in PositionTotal.objects.filter(
            book_id__in={d.book_id for d in deltas},
            market_id__in={d.market_id for d in deltas},
            start__in={d.start for d in deltas},
            minutes__gt=0,
        ).values_list(*_KEY, "physical_profile", "exposure_profile")
    }
    found = {}
    for delta in deltas:
        key = tuple(getattr(delta, name) for name in _KEY)
        added = (delta.physical_profile, delta.exposure_profile)
        if key in held:
            physical, exposure = held[key]
            added = (
                micro_bytes(sum_micro(micro(physical), micro(added[0]))),
                micro_bytes(sum_micro(micro(exposure), micro(added[1]))),
            )
        held[key] = added
        found[key] = added
    return found
