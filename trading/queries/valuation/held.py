"""What books held by a cut of knowledge, as columns: versions, holdings of contracts, fees."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection

from trading.deals import STRUCTURES
from trading.models import Book

from ..positions import micro
from .bounds import HeldBounds, bounds_of, held_bounds
from .contracts import ContractKey, Universe
from .fees import fees_by_line
from .options import HeldOptions, held_options
from .structures import HeldStructures, held_structures

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from trading.valuation import Holdings, MeteredHoldings

    Indices = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

HELD = ("LIVE", "NOVATED", "TERMINATED", "MATURED", "SETTLED")
# What `timestamptz_send` counts its microseconds from.
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

# A row for each combination of what few trades differ in; columns are big-endian, in one order.
_VERSIONS = """
WITH held AS (
    SELECT DISTINCT ON (trade_id)
           trade_id, id, coalesce(terms_id, id) AS terms_id, traded_at, status, book_id,
           counterparty_id, product_kind
    FROM trading_tradeversion
    WHERE book_id = ANY(%(books)s) AND recorded_at <= %(cut)s
    ORDER BY trade_id, version DESC
)
SELECT status, book_id, counterparty_id, product_kind,
       string_agg(int8send(trade_id), ''::bytea), string_agg(int8send(id), ''::bytea),
       string_agg(int8send(terms_id), ''::bytea), string_agg(timestamptz_send(traded_at), ''::bytea)
FROM held GROUP BY status, book_id, counterparty_id, product_kind
"""
_CONTRACT = """delta.market_id, delta.currency, delta.basis, delta.unit, delta.shape,
       delta.shape_version, delta.month, delta.start, delta."end" """
_HELD = """
FROM trading_positiondelta delta
JOIN trading_tradeversion version ON version.id = delta.trade_version_id
WHERE delta.book_id = ANY(%(books)s) AND delta.stage = 'LIVE' AND delta.recorded_at <= %(cut)s
  AND version.trade_id <> ALL(%(later)s::bigint[])
"""
# A row a contract: the numbers of every delta, each rounded to a float64 once.
_SCALARS = f"""
SELECT {_CONTRACT}, string_agg(int8send(version.trade_id), ''::bytea),
       string_agg(float8send(delta.exposure::float8), ''::bytea),
       string_agg(float8send(delta.fixed::float8), ''::bytea)
{_HELD} AND delta.minutes = 0
GROUP BY {_CONTRACT}
"""
# Exact sums of the few trades that have several deltas of one contract: these cost a sort.
_SUMS = f"""
SELECT {_CONTRACT}, version.trade_id, sum(delta.exposure)::float8, sum(delta.fixed)::float8
{_HELD} AND delta.minutes = 0 AND version.trade_id = ANY(%(trades)s)
GROUP BY {_CONTRACT}, version.trade_id
"""
_PROFILE_COLUMNS = f"""
SELECT {_CONTRACT}, delta.minutes, version.trade_id, delta.exposure_profile, delta.fixed
{_HELD} AND delta.minutes > 0
"""
_PROFILE_ORDER = """
ORDER BY delta.market_id, delta.currency, delta.start, delta."end", delta.minutes,
         version.trade_id, delta.id
"""
_PROFILES = f"{_PROFILE_COLUMNS} {_PROFILE_ORDER}"
# What some trades held at an earlier cut, with nothing changed since but what was metered.
_METERED_TRADES = """
SELECT DISTINCT trade_id FROM trading_tradeversion
WHERE book_id = ANY(%(books)s) AND event = 'METER'
  AND recorded_at > %(before)s AND recorded_at <= %(cut)s
"""
_METERED = """
  AND version.trade_id = ANY(%(trades)s)
  AND (delta.recorded_at <= %(before)s OR version.event = 'METER')
"""
_METERED_SUMS = f"""
SELECT {_CONTRACT}, version.trade_id, sum(delta.exposure)::float8, sum(delta.fixed)::float8
{_HELD} AND delta.minutes = 0 {_METERED}
GROUP BY {_CONTRACT}, version.trade_id
"""
_METERED_PROFILES = f"{_PROFILE_COLUMNS} {_METERED} {_PROFILE_ORDER}"


@dataclass(frozen=True, slots=True)
class VersionGroup:
    """What many versions have in common."""

    status: str
    book_id: UUID
    counterparty_id: UUID
    product_kind: str


@dataclass(frozen=True, eq=False)
class HeldVersions:
    """
    The version of each trade that held at a cut, ascending by trade; each of shape (trades,).

    group       position in `groups`
    terms_id    the version whose terms hold
    traded_at   microseconds since 2000, UTC
    """

    trade_id: Indices
    id: Indices
    terms_id: Indices
    traded_at: Indices
    group: Indices
    groups: tuple[VersionGroup, ...]

    @cached_property
    def counts(self) -> npt.NDArray[np.bool_]:
        """Say whose terms count in values."""
        import numpy as np

        held = np.array([group.status in HELD for group in self.groups], dtype=np.bool_)
        return held[self.group]

    @property
    def counted(self) -> set[int]:
        """Return the trades whose terms count."""
        return set(self.trade_id[self.counts].tolist())

    @property
    def books(self) -> dict[int, UUID]:
        """Return the book of each trade."""
        names = [group.book_id for group in self.groups]
        both = zip(self.trade_id.tolist(), self.group.tolist(), strict=True)
        return {trade_id: names[group] for trade_id, group in both}

    def traded_until(self, instant: datetime) -> set[int]:
        """Return the trades that were agreed by an instant."""
        return set(self.trade_id[self.traded_at <= _micros(instant)].tolist())

    def until(self, instant: datetime) -> tuple[HeldVersions, list[int]]:
        """Return the versions of trades agreed by an instant, and the trades agreed later."""
        agreed = self.traded_at <= _micros(instant)
        if agreed.all():
            return self, []
        held = HeldVersions(
            self.trade_id[agreed], self.id[agreed], self.terms_id[agreed], self.traded_at[agreed],
            self.group[agreed], self.groups,
        )  # fmt: skip
        return held, self.trade_id[~agreed].tolist()

    def words(self) -> bytes:
        """Return trade, version and status of each, in one form."""
        status = [group.status for group in self.groups]
        rows = zip(self.trade_id.tolist(), self.id.tolist(), self.group.tolist(), strict=True)
        return "".join(f"{trade} {pk} {status[group]}\n" for trade, pk, group in rows).encode()


@dataclass(frozen=True, eq=False)
class CutFacts:
    """
    What books held and paid by a cut; indices are the universe's.

    line, contract, exposure, fixed     as `Holdings`, ascending by contract, then trade
    fees        our cash by line, paid −
    options     what option trades hold of the universe's rights, and the averages of `bounds`
    structures  contracts with choices
    bounds      floors and caps of what is delivered by a profile
    digest      SHA-256 of it all
    """

    books: tuple[UUID, ...]
    as_of: datetime
    known_at: datetime
    versions: HeldVersions
    line: Indices
    contract: Indices
    exposure: Floats
    fixed: Floats
    profiles: tuple[Any, ...]
    fees: Mapping[int, Decimal]
    options: HeldOptions
    structures: HeldStructures
    bounds: HeldBounds
    digest: str

    def holdings(self, lines: int) -> Holdings:
        """Return the arrays, for as many lines as the universe has in the end."""
        from trading.valuation import Holdings

        return Holdings(lines, self.line, self.contract, self.exposure, self.fixed, self.profiles)


def books_of(organization_id: UUID) -> dict[UUID, str]:
    """Return the books of an organization with their reporting currencies."""
    return dict(
        Book.objects.filter(organization_id=organization_id)
        .order_by("id")
        .values_list("id", "reporting_currency")
    )


def cut_facts(
    universe: Universe, book_ids: Iterable[UUID], *, as_of: datetime, known_at: datetime
) -> CutFacts:
    """
    Return what books held at a time, as recorded by a cut: no deal agreed after `as_of` counts.

    Some ten queries, whatever the number held.
    """
    import numpy as np

    parameters: dict[str, Any] = {"books": list(book_ids), "cut": known_at}
    books = tuple(parameters["books"])
    digest = hashlib.sha256()
    with connection.cursor() as cursor:
        cursor.execute(_VERSIONS, parameters)
        versions, parameters["later"] = _versions(cursor.fetchall()).until(as_of)
        cursor.execute(_SCALARS, parameters)
        scalars = [_Column.of(row) for row in cursor.fetchall()]
        changed = {trade_id for column in scalars for trade_id in column.repeated()}
        if changed:
            cursor.execute(_SUMS, {**parameters, "trades": sorted(changed)})
            _replace(scalars, changed, cursor.fetchall())
        cursor.execute(_PROFILES, parameters)
        profiles = cursor.fetchall()
    digest.update(versions.words())
    held = sorted((column.held() for column in scalars), key=lambda column: column.key.order)
    held = [column for column in held if column.trades.size]
    universe.add_contracts([*(column.key for column in held),
                            *(ContractKey(*row[:10]) for row in profiles)])  # fmt: skip
    for column in held:
        digest.update(column.key.words())
        digest.update(column.trades.astype(">i8").tobytes())
        for row in (column.exposure, column.fixed):
            digest.update(row.astype(">f8").tobytes())
        if column.exposure.any():
            universe.exposed.add(universe.keys[column.key])
    positions = [universe.keys[column.key] for column in held]
    sizes = [column.trades.size for column in held]
    line = _lines(universe, held)
    made = _profile_holdings(universe, profiles, digest)
    counts = versions.counts
    terms = dict(zip(versions.terms_id[counts].tolist(), versions.trade_id[counts].tolist(),
                     strict=True))  # fmt: skip
    fees = fees_by_line(universe, terms, parameters)
    # What was handed over stands with its successor, premium included.
    kept = [status for status in HELD if status != "NOVATED"]
    options = held_options(
        universe, _terms_of(versions, ("OPTION",), kept),
        ended=_terms_of(versions, ("OPTION",), ["TERMINATED"]).values(), as_of=as_of,
        known_at=known_at,
    )  # fmt: skip
    structures = held_structures(
        universe, _terms_of(versions, STRUCTURES, kept),
        ended=_terms_of(versions, STRUCTURES, ["TERMINATED"]).values(), as_of=as_of,
        known_at=known_at,
    )  # fmt: skip
    # A premium is cash like a fee, so that what an option costs and is worth stand together.
    bounds = held_bounds(universe, _terms_of(versions, ("PPA",), HELD), parameters, as_of=as_of)
    options = options.plus(replace(bounds.averages, refused=bounds.refused))
    for paid in (options.cash, structures.cash):
        for at, amount in paid.items():
            fees[at] = fees.get(at, Decimal(0)) + amount
    digest.update(options.words(universe) + bounds.words(universe))
    digest.update(structures.words())
    if fees:
        for (trade_id, currency), position in universe.lines.items():
            if position in fees:
                digest.update(f"fees {trade_id} {currency} {fees[position]}\n".encode())
    return CutFacts(
        books=books,
        as_of=as_of,
        known_at=known_at,
        versions=versions,
        line=line,
        contract=np.repeat(np.array(positions, dtype=np.int64), sizes),
        exposure=_joined([column.exposure for column in held], np.float64),
        fixed=_joined([column.fixed for column in held], np.float64),
        profiles=made,
        fees=fees,
        options=options,
        structures=structures,
        bounds=bounds,
        digest=digest.hexdigest(),
    )


@dataclass(frozen=True, eq=False)
class MeteredFacts:
    """What was held at a cut, with only the volumes that were metered since; as `CutFacts`."""

    line: Indices
    contract: Indices
    exposure: Floats
    fixed: Floats
    profiles: tuple[Any, ...]
    options: HeldOptions
    bounds: HeldBounds

    def holdings(self, lines: int) -> MeteredHoldings:
        """Return the arrays, for as many lines as the universe has in the end."""
        from trading.valuation import Holdings, MeteredHoldings

        return MeteredHoldings(
            Holdings(lines, self.line, self.contract, self.exposure, self.fixed, self.profiles),
            self.options.holdings(lines), self.bounds.holdings(lines),
        )  # fmt: skip


def metered_facts(universe: Universe, before: CutFacts, after: CutFacts) -> MeteredFacts | None:
    """
    Return what was held before with what was metered until after; None where nothing was.

    One query; four more where something was metered.
    """
    import numpy as np

    parameters: dict[str, Any] = {
        "books": list(before.books), "before": before.known_at, "cut": after.known_at, "later": [],
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_METERED_TRADES, parameters)
        trades = before.versions.counted & {trade_id for (trade_id,) in cursor.fetchall()}
        if not trades:
            return None
        parameters["trades"] = sorted(trades)
        cursor.execute(_METERED_SUMS, parameters)
        scalars = [(ContractKey(*row[:9]), *row[9:]) for row in cursor.fetchall()]
        cursor.execute(_METERED_PROFILES, parameters)
        profiles = cursor.fetchall()
    held = sorted(
        (row for row in scalars if row[2] or row[3]), key=lambda row: (row[0].order, row[1])
    )
    universe.add_contracts(
        [*(row[0] for row in held), *(ContractKey(*row[:10]) for row in profiles)]
    )
    universe.exposed.update(universe.keys[key] for key, _, exposure, _ in held if exposure)
    made = _profile_holdings(universe, profiles, hashlib.sha256())
    chosen = [place for (trade, _), place in universe.lines.items() if trade in trades]
    others = ~np.isin(before.line, np.array(chosen, dtype=np.int64))
    options, bounds = _metered_rights(universe, before, trades, after)
    lines = [universe.line(trade_id, key.currency) for key, trade_id, _, _ in held]
    return MeteredFacts(
        line=np.append(before.line[others], np.array(lines, dtype=np.int64)),
        contract=np.append(
            before.contract[others],
            np.array([universe.keys[row[0]] for row in held], dtype=np.int64),
        ),
        exposure=np.append(before.exposure[others], [row[2] for row in held]),
        fixed=np.append(before.fixed[others], [row[3] for row in held]),
        profiles=(*(p for p in before.profiles if p.line not in set(chosen)), *made),
        options=options,
        bounds=bounds,
    )


def _metered_rights(
    universe: Universe, before: CutFacts, trades: Container[int], after: CutFacts
) -> tuple[HeldOptions, HeldBounds]:
    """Return the rights held before, those of metered trades on what was metered; one query."""
    terms = [one for one in before.bounds.terms if one.trade_id in trades]
    if not terms:
        return before.options, before.bounds
    parameters = {"books": list(before.books), "cut": after.known_at}
    metered = bounds_of(
        universe, terms, parameters, before.bounds.refused, settled=before.options.decided,
        before=before.known_at,
    )  # fmt: skip
    # The averages of bounds are of no option trade: they all stand beside `options`.
    options, bounds = before.options.without(trades), before.bounds.without(trades)
    return options.plus(metered.averages), bounds.plus(metered)


def _versions(rows: Sequence[tuple[Any, ...]]) -> HeldVersions:
    import numpy as np

    groups = tuple(VersionGroup(*row[:4]) for row in rows)
    columns = [
        _joined([np.frombuffer(row[at], dtype=">i8") for row in rows], np.int64)
        for at in (4, 5, 6, 7)
    ]
    sizes = [len(row[4]) // 8 for row in rows]
    group = np.repeat(np.arange(len(rows), dtype=np.int64), sizes)
    order = np.argsort(columns[0])
    trade_id, pk, terms_id, traded_at = (column[order] for column in columns)
    return HeldVersions(trade_id, pk, terms_id, traded_at, group[order], groups)


@dataclass(eq=False)
class _Column:
    """The deltas of one contract, in no order at first."""

    key: ContractKey
    trades: Indices
    exposure: Floats
    fixed: Floats

    @classmethod
    def of(cls, row: tuple[Any, ...]) -> _Column:
        import numpy as np

        *key, trades, exposure, fixed = row
        return cls(
            ContractKey(*key),
            np.frombuffer(trades, dtype=">i8").astype(np.int64),
            np.frombuffer(exposure, dtype=">f8").astype(np.float64),
            np.frombuffer(fixed, dtype=">f8").astype(np.float64),
        )

    def repeated(self) -> list[int]:
        """Return the trades that have several deltas of it."""
        import numpy as np

        found, counts = np.unique(self.trades, return_counts=True)
        return list(found[counts > 1].tolist())

    def held(self) -> _Column:
        """Return what is left of it, ascending by trade."""
        import numpy as np

        order = np.argsort(self.trades)
        order = order[(self.exposure[order] != 0) | (self.fixed[order] != 0)]
        return _Column(self.key, self.trades[order], self.exposure[order], self.fixed[order])


def _replace(columns: list[_Column], trades: set[int], rows: Iterable[tuple[Any, ...]]) -> None:
    """Put exact sums in the place of the single deltas of some trades."""
    import numpy as np

    sums: dict[ContractKey, list[tuple[int, float, float]]] = defaultdict(list)
    for *key, trade_id, exposure, fixed in rows:
        sums[ContractKey(*key)].append((trade_id, exposure, fixed))
    chosen = np.array(sorted(trades), dtype=np.int64)
    for column in columns:
        if column.key in sums:
            others = ~np.isin(column.trades, chosen)
            ids, exposure, fixed = zip(*sums[column.key], strict=True)
            column.trades = np.append(column.trades[others], np.array(ids, dtype=np.int64))
            column.exposure = np.append(column.exposure[others], exposure)
            column.fixed = np.append(column.fixed[others], fixed)


def _lines(universe: Universe, columns: Sequence[_Column]) -> Indices:
    """Return the line of each holding, new ones in the order in which they come first."""
    import numpy as np

    names = sorted({column.key.currency for column in columns})
    trades = _joined([column.trades for column in columns], np.int64)
    currency = np.repeat(
        np.array([names.index(column.key.currency) for column in columns], dtype=np.int64),
        [column.trades.size for column in columns],
    )
    found, first, which = np.unique(
        trades * max(len(names), 1) + currency, return_index=True, return_inverse=True
    )
    positions = np.zeros(found.size, dtype=np.int64)
    order = np.argsort(first)
    both = zip(trades[first[order]].tolist(), currency[first[order]].tolist(), strict=True)
    positions[order] = [universe.line(trade_id, names[n]) for trade_id, n in both]
    lines: Indices = positions[which]
    return lines


def _profile_holdings(
    universe: Universe, rows: Sequence[tuple[Any, ...]], digest: Any
) -> tuple[Any, ...]:
    import numpy as np

    from trading.valuation import ProfileHolding

    sums: dict[tuple[ContractKey, int], tuple[Any, Decimal]] = {}
    for row in rows:
        key, trade_id, megawatts, paid = ContractKey(*row[:10]), row[10], micro(row[11]), row[12]
        held = sums.get((key, trade_id), (None, Decimal(0)))
        both = [part for part in (held[0], megawatts) if part is not None]
        sums[key, trade_id] = sum(both[1:], both[0]) if both else None, held[1] + paid
    made = []
    for (key, trade_id), (micro_mw, paid) in sums.items():
        if micro_mw is None or not (micro_mw.any() or paid):
            if not paid:
                continue
            count = int((key.end - key.start) / timedelta(minutes=key.minutes))
            micro_mw = np.zeros(count, dtype=np.int64)
        digest.update(key.words() + f"{trade_id} {paid.normalize():f}\n".encode())
        digest.update(micro_mw.astype("<i8").tobytes())
        if micro_mw.any():
            universe.exposed.add(universe.keys[key])
        made.append(
            ProfileHolding(
                universe.line(trade_id, key.currency),
                universe.keys[key],
                micro_mw / 1e6,
                float(paid),
            )
        )
    return tuple(made)


def _terms_of(
    versions: HeldVersions, kinds: Container[str], statuses: Container[str]
) -> dict[int, int]:
    """Return by the version whose terms hold each trade of some products and statuses."""
    import numpy as np

    wanted = np.array(
        [g.product_kind in kinds and g.status in statuses for g in versions.groups],
        dtype=np.bool_,
    )
    chosen = wanted[versions.group]
    return dict(zip(versions.terms_id[chosen].tolist(), versions.trade_id[chosen].tolist(),
                    strict=True))  # fmt: skip


def _joined(parts: Sequence[Any], kind: Any) -> Any:
    import numpy as np

    return np.concatenate(parts).astype(kind) if parts else np.zeros(0, dtype=kind)


def _micros(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(microseconds=1)
