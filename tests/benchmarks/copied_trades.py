"""
Multiply trades by SQL: versions, legs and position deltas as capture wrote them, other sizes.

All terms are linear in the quantity, and what is paid in the price, so a copy of `factor` times
the quantity at a price higher by `shift` is what capture would have written for it, exactly.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Model

from trading.models import Leg, PositionDelta, PositionTotal, Trade, TradeVersion
from trading.queries.positions import micro, micro_bytes, sum_micro

# Seconds from a trade to the next one; a version comes a day to forty after the one before.
APART = 100

_PLAN = f"""
CREATE TEMP TABLE copied_from AS
    SELECT id, row_number() OVER (ORDER BY id) - 1 AS n,
           EXISTS (SELECT FROM trading_tradeversion version
                   JOIN trading_leg leg ON leg.version_id = version.id
                   WHERE version.trade_id = trade.id AND leg.profile_id IS NOT NULL) AS is_profile
    FROM trading_trade trade WHERE book_id = %(original_book)s;
CREATE TEMP TABLE copied_trade AS
    SELECT original.id AS original_id, (SELECT max(id) FROM trading_trade) + n.n AS id,
           (%(books)s::uuid[])[1 + mod(n.n, cardinality(%(books)s::uuid[]))] AS book_id,
           (%(parties)s::uuid[])[1 + mod(h.h / 7, cardinality(%(parties)s::uuid[]))]
               AS counterparty_id,
           -- the numbers of a profile are arrays, which SQL does not multiply
           CASE WHEN is_profile THEN 1 ELSE 1 + mod(h.h / 11, 12) END AS factor,
           (mod(h.h / 13, 4500) - 2000)::numeric / 100 AS shift,
           %(first)s::timestamptz + make_interval(secs => n.n * {APART}) AS at,
           make_interval(days => 1 + mod(h.h / 19, 40)::int, secs => 50) AS wait,
           CASE WHEN mod(n.n, 9) = 0 THEN ARRAY['hedge'] ELSE ARRAY[]::varchar[] END AS tags,
           'Trader ' || mod(h.h / 17, 25) AS trader
    FROM generate_series(1, %(count)s) AS n(n)
    -- what a trade is depends on its number, and not on its neighbors
    CROSS JOIN LATERAL (SELECT abs(hashint4(n.n)::bigint) AS h) AS h
    JOIN copied_from original
        ON original.n = mod(h.h, (SELECT count(*) FROM copied_from));
CREATE TEMP TABLE copied_version AS
    SELECT version.id AS original_id,
           (SELECT max(id) FROM trading_tradeversion) + row_number()
               OVER (ORDER BY at + (version.version - 1) * copy.wait, copy.id) AS id,
           copy.id AS trade_id, at + (version.version - 1) * copy.wait AS at, copy.book_id,
           copy.counterparty_id, factor, shift, trader
    FROM trading_tradeversion version
    JOIN copied_trade copy ON copy.original_id = version.trade_id;
ANALYZE copied_trade;
ANALYZE copied_version
"""
_DROP = "DROP TABLE copied_from, copied_trade, copied_version"
_TOTALS = """
DELETE FROM trading_positiontotal;
INSERT INTO trading_positiontotal (book_id, stage, market_id, currency, basis, unit, shape,
        shape_version, month, start, "end", minutes, calendar_zone, physical, exposure, fixed,
        physical_profile, exposure_profile)
    SELECT book_id, stage, market_id, currency, basis, unit, shape, shape_version, min(month),
           start, "end", minutes, min(calendar_zone), sum(physical), sum(exposure), sum(fixed),
           '', ''
    FROM trading_positiondelta
    GROUP BY book_id, stage, market_id, currency, basis, unit, shape, shape_version, start, "end",
             minutes
"""
_KEY = (
    "book_id", "stage", "market_id", "currency", "unit", "shape", "shape_version", "start", "end",
    "minutes",
)  # fmt: skip


def copy_trades(
    *, original_book: UUID, books: Sequence[UUID], parties: Sequence[UUID], count: int,
    first: datetime,
) -> None:  # fmt: skip
    """
    Add `count` trades that are like those of a book, spread over books and counterparties.

    first   when the earliest was captured; each of the others comes `APART` seconds later
    """
    values = {
        "original_book": original_book, "books": list(books), "parties": list(parties),
        "count": count, "first": first,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        for statement in _PLAN.split(";\n"):
            cursor.execute(statement, values)
        with _bare(cursor, [PositionDelta, Leg, TradeVersion, Trade]):
            _copy_rows(cursor)
        for statement in _TOTALS.split(";\n"):
            cursor.execute(statement)
        cursor.execute(_DROP)
        _add_profiles()
        for model in (Trade, TradeVersion):
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence(%s, 'id'), max(id)) "
                f"FROM {model._meta.db_table}",
                [model._meta.db_table],
            )
        cursor.execute("RESET statement_timeout")


def _copy_rows(cursor: Any) -> None:
    _copy(
        cursor, Trade, "copied_trade copy ON copy.original_id = original.id",
        {
            "id": "copy.id", "uid": "gen_random_uuid()",
            "ref": "'T-' || lpad(copy.id::text, 8, '0')", "book_id": "copy.book_id",
            "counterparty_id": "copy.counterparty_id", "tags": "copy.tags",
            "recorded_at": "copy.at", "client_reference": "''",
        },
    )  # fmt: skip
    _copy(
        cursor, TradeVersion,
        "copied_version copy ON copy.original_id = original.id "
        "LEFT JOIN copied_version terms ON terms.original_id = original.terms_id "
        "AND terms.trade_id = copy.trade_id",
        {
            "id": "copy.id", "trade_id": "copy.trade_id", "terms_id": "terms.id",
            "recorded_at": "copy.at",
            "effective_at": "copy.at - interval '5 seconds'",
            "traded_at": "copy.at - interval '5 seconds'",
            "book_id": "copy.book_id",
            "counterparty_id": "copy.counterparty_id",
            **_times("quantity", "quantity_mw", "volume", "energy_mwh"),
            "price": "original.price + copy.shift",
            "notional": "copy.factor * (original.notional + copy.shift * original.volume)",
            "captured_by_name": "copy.trader",
        },
    )  # fmt: skip
    _copy(
        cursor, Leg, "copied_version copy ON copy.original_id = original.version_id",
        {
            "version_id": "copy.id", **_times("quantity", "quantity_mw", "lots"),
            "price": "CASE original.kind WHEN 'FIXED' THEN original.price + copy.shift "
                     "ELSE original.price END",
        },
    )  # fmt: skip
    _copy(
        cursor, PositionDelta,
        "copied_version copy ON copy.original_id = original.trade_version_id",
        {
            "trade_version_id": "copy.id", "book_id": "copy.book_id", "recorded_at": "copy.at",
            **_times("physical", "exposure"),
            "fixed": "copy.factor * (original.fixed + copy.shift * original.exposure)",
        },
    )  # fmt: skip


def _times(*names: str) -> dict[str, str]:
    return {name: f"copy.factor * original.{name}" for name in names}


def _copy(cursor: Any, model: type[Model], join: str, changes: Mapping[str, str]) -> None:
    """Insert the rows of a table again, some columns changed; keys that are not given are new."""
    columns = [
        f.column for f in model._meta.concrete_fields if not f.primary_key or f.column in changes
    ]
    values = [changes.get(name, f'original."{name}"') for name in columns]
    names, table = ", ".join(f'"{name}"' for name in columns), model._meta.db_table
    cursor.execute(
        f"INSERT INTO {table} ({names}) SELECT {', '.join(values)} "
        f"FROM {table} original JOIN {join} ORDER BY copy.id"
    )


@contextmanager
def _bare(cursor: Any, models: Sequence[type[Model]]) -> Iterator[None]:
    """
    Take foreign keys and indexes off some tables, and put them back as they were.

    To build an index and to prove a key for all rows at once costs a fraction of row by row.
    """
    tables = [model._meta.db_table for model in models]
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute(
        "SELECT conrelid::regclass, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE contype = 'f' AND conrelid::regclass::text = ANY(%s)",
        [tables],
    )
    keys = cursor.fetchall()
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND NOT EXISTS "
        "(SELECT FROM pg_constraint WHERE conindid = indexname::regclass)",
        [tables],
    )
    indexes = cursor.fetchall()
    for table, name, _ in keys:
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    for name, _ in indexes:
        cursor.execute(f'DROP INDEX "{name}"')
    yield
    for _, definition in indexes:
        cursor.execute(definition)
    for table, name, definition in keys:
        cursor.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')


def _add_profiles() -> None:
    """Write the totals of profiles, which are sums of arrays."""
    sums: dict[tuple[Any, ...], tuple[Any, Any]] = {}
    deltas = PositionDelta.objects.filter(minutes__gt=0)
    for *key, physical, exposure in deltas.values_list(
        *_KEY, "physical_profile", "exposure_profile"
    ):
        held = sums.get(tuple(key), (None, None))
        sums[tuple(key)] = (
            sum_micro(held[0], micro(physical)), sum_micro(held[1], micro(exposure))
        )  # fmt: skip
    totals = list(PositionTotal.objects.filter(minutes__gt=0))
    for total in totals:
        physical, exposure = sums[tuple(getattr(total, name) for name in _KEY)]
        total.physical_profile = micro_bytes(physical)
        total.exposure_profile = micro_bytes(exposure)
    PositionTotal.objects.bulk_update(
        totals, ["physical_profile", "exposure_profile"], batch_size=200
    )
