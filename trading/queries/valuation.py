"""
From facts to arrays: what books held, and on what it is valued, by a cut of knowledge.

The same cut always gives the same arrays, in the same order, so runs repeat bit for bit. Numbers
are summed exactly in the database and become float64 once.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection

from energyopti.foundation.calendars import Calendar, DatePeriod
from energyopti.foundation.intervals import Interval
from trading import deals
from trading.deals import BASE, LoadShape, NoSuchShape, shape_intervals
from trading.models import (
    SPOT,
    Book,
    CurvePoint,
    CurveVersion,
    FeePurpose,
    Leg,
    LegKind,
    Market,
    TradeVersion,
)

from .areas import delivery_areas
from .deals import deal_of
from .marks import MarketMarks, NoMark, month_marks
from .positions import micro

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from trading.valuation import Contract, FixingSeries, Holdings, MarketState

    Floats = npt.NDArray[np.float64]

HELD = ("LIVE", "NOVATED", "TERMINATED", "MATURED", "SETTLED")
_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)
_CENT = Decimal("0.01")

# Exact sums of each trade by contract, as float64 in columns: a row a contract, not a row a trade.
_SCALARS = """
WITH held AS (
    SELECT version.trade_id, delta.market_id, delta.currency COLLATE "C" AS currency,
           delta.basis COLLATE "C" AS basis, delta.unit COLLATE "C" AS unit,
           delta.shape COLLATE "C" AS shape, delta.shape_version, delta.month, delta.start,
           delta."end", sum(delta.exposure)::float8 AS exposure, sum(delta.fixed)::float8 AS fixed
    FROM trading_positiondelta delta
    JOIN trading_tradeversion version ON version.id = delta.trade_version_id
    WHERE delta.book_id = ANY(%(books)s) AND delta.stage = 'LIVE' AND delta.minutes = 0
      AND delta.recorded_at <= %(cut)s
    GROUP BY version.trade_id, delta.market_id, delta.currency, delta.basis, delta.unit,
             delta.shape, delta.shape_version, delta.month, delta.start, delta."end"
    HAVING sum(delta.exposure) <> 0 OR sum(delta.fixed) <> 0
)
SELECT market_id, currency, basis, unit, shape, shape_version, month, start, "end",
       string_agg(int8send(trade_id), ''::bytea ORDER BY trade_id),
       string_agg(float8send(exposure), ''::bytea ORDER BY trade_id),
       string_agg(float8send(fixed), ''::bytea ORDER BY trade_id)
FROM held
GROUP BY market_id, currency, basis, unit, shape, shape_version, month, start, "end"
ORDER BY market_id, currency, basis, unit, shape, shape_version, month, start, "end"
"""
_PROFILES = """
SELECT delta.market_id, delta.currency, delta.basis, delta.unit, delta.shape, delta.shape_version,
       delta.month, delta.start, delta."end", delta.minutes, version.trade_id,
       delta.exposure_profile, delta.fixed
FROM trading_positiondelta delta
JOIN trading_tradeversion version ON version.id = delta.trade_version_id
WHERE delta.book_id = ANY(%(books)s) AND delta.stage = 'LIVE' AND delta.minutes > 0
  AND delta.recorded_at <= %(cut)s
ORDER BY delta.market_id, delta.currency, delta.start, delta."end", delta.minutes,
         version.trade_id, delta.id
"""
_VERSIONS = """
SELECT DISTINCT ON (trade_id)
       trade_id, id, version, status, coalesce(terms_id, id), book_id, counterparty_id,
       product_kind, traded_at
FROM trading_tradeversion
WHERE book_id = ANY(%(books)s) AND recorded_at <= %(cut)s
ORDER BY trade_id, version DESC
"""
_FEES = """
SELECT fee.version_id, version.trade_id, fee.direction, fee.purpose, fee.amount, fee.currency,
       fee.basis
FROM trading_fee fee JOIN trading_tradeversion version ON version.id = fee.version_id
WHERE version.book_id = ANY(%(books)s) AND version.recorded_at <= %(cut)s
ORDER BY fee.id
"""
_FIXINGS = """
SELECT DISTINCT ON (period_start)
       extract(epoch FROM period_start)::bigint, period_minutes * 60, value::float8
FROM trading_price
WHERE market_id = %(market)s AND series = %(series)s
  AND period_start >= %(start)s AND period_start < %(end)s
  AND recorded_at <= %(cut)s AND available_at <= %(as_of)s
ORDER BY period_start, recorded_at DESC
"""


@dataclass(frozen=True, slots=True)
class ContractKey:
    """What tells contracts apart; `month` is the first day in the market's calendar."""

    market_id: int
    currency: str
    basis: str
    unit: str
    shape: str
    shape_version: int
    month: date
    start: datetime
    end: datetime
    minutes: int = 0


@dataclass(frozen=True, slots=True)
class HeldVersion:
    """The version of a trade that held at a cut."""

    trade_id: int
    id: int
    number: int
    status: str
    terms_id: int
    book_id: UUID
    counterparty_id: UUID
    product_kind: str
    traded_at: datetime

    @property
    def counts(self) -> bool:
        """Say whether its terms count in values."""
        return self.status in HELD


@dataclass
class Universe:
    """
    Contracts and lines (a trade in one currency) that the states of two days share.

    exposed     contracts that some line gains with the price of
    """

    contracts: list[Contract] = field(default_factory=list)
    keys: dict[ContractKey, int] = field(default_factory=dict)
    lines: dict[tuple[int, str], int] = field(default_factory=dict)
    markets: dict[int, Market] = field(default_factory=dict)
    exposed: set[int] = field(default_factory=set)

    def line(self, trade_id: int, currency: str) -> int:
        return self.lines.setdefault((trade_id, currency), len(self.lines))

    def add_contracts(self, keys: Iterable[ContractKey]) -> None:
        """Add what is not there yet; at most five queries."""
        new = [key for key in keys if key not in self.keys]
        unknown = {key.market_id for key in new} - self.markets.keys()
        if unknown:
            self.markets |= {row.pk: row for row in Market.objects.filter(pk__in=unknown)}
        loads = _loads(
            {(self.markets[key.market_id].code, key.shape, key.shape_version) for key in new}
        )
        for key in new:
            market = self.markets[key.market_id]
            load = loads.get((market.code, key.shape, key.shape_version))
            self.keys[key] = len(self.contracts)
            self.contracts.append(_contract(key, market, load))


@dataclass(frozen=True)
class CutFacts:
    """What books held and paid by a cut; indices are the universe's."""

    as_of: datetime
    known_at: datetime
    versions: Mapping[int, HeldVersion]
    line: list[Any]
    contract: list[Any]
    exposure: list[Any]
    fixed: list[Any]
    profiles: tuple[Any, ...]
    fees: Mapping[int, Decimal]
    options: frozenset[int]
    digest: str

    def holdings(self, lines: int) -> Holdings:
        """Return the arrays, for as many lines as the universe has in the end."""
        import numpy as np

        from trading.valuation import Holdings

        def joined(parts: list[Any], kind: Any) -> Any:
            return np.concatenate(parts) if parts else np.zeros(0, dtype=kind)

        return Holdings(
            lines=lines,
            line=joined(self.line, np.int64),
            contract=joined(self.contract, np.int64),
            exposure=joined(self.exposure, np.float64),
            fixed=joined(self.fixed, np.float64),
            profiles=self.profiles,
        )


@dataclass(frozen=True)
class MarketFacts:
    """What the market was by a cut, with what is told of it in a run's inputs."""

    state: MarketState
    inputs: dict[str, Any]
    findings: tuple[str, ...]


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
    """Return what books held as recorded by a cut. Some ten queries, whatever the number held."""
    import numpy as np

    parameters = {"books": list(book_ids), "cut": known_at}
    digest = hashlib.sha256()
    with connection.cursor() as cursor:
        cursor.execute(_VERSIONS, parameters)
        versions = {row[0]: HeldVersion(*row) for row in cursor.fetchall()}
        cursor.execute(_SCALARS, parameters)
        scalars = cursor.fetchall()
        cursor.execute(_PROFILES, parameters)
        profiles = cursor.fetchall()
        cursor.execute(_FEES, parameters)
        paid_fees = cursor.fetchall()
    for version in versions.values():
        digest.update(f"{version.trade_id} {version.id} {version.status}\n".encode())
    keys = [ContractKey(*row[:9]) for row in scalars]
    universe.add_contracts([*keys, *(ContractKey(*row[:10]) for row in profiles)])
    lines, contracts, exposures, fixed = [], [], [], []
    for key, (*_, trades, exposure, paid) in zip(keys, scalars, strict=True):
        digest.update(_words(key))
        for column in (trades, exposure, paid):
            digest.update(column)
        ids = np.frombuffer(trades, dtype=">i8").tolist()
        lines.append(np.array([universe.line(i, key.currency) for i in ids], dtype=np.int64))
        contracts.append(np.full(len(ids), universe.keys[key], dtype=np.int64))
        exposures.append(np.frombuffer(exposure, dtype=">f8").astype(np.float64))
        fixed.append(np.frombuffer(paid, dtype=">f8").astype(np.float64))
        if exposures[-1].any():
            universe.exposed.add(universe.keys[key])
    made = _profile_holdings(universe, profiles, digest)
    counted = [version for version in versions.values() if version.counts]
    fees = _fees(universe, counted, paid_fees)
    for (trade_id, currency), position in universe.lines.items():
        if position in fees:
            digest.update(f"fees {trade_id} {currency} {fees[position]}\n".encode())
    return CutFacts(
        as_of=as_of,
        known_at=known_at,
        versions=versions,
        line=lines,
        contract=contracts,
        exposure=exposures,
        fixed=fixed,
        profiles=made,
        fees=fees,
        options=_options(counted),
        digest=digest.hexdigest(),
    )


def _words(key: ContractKey) -> bytes:
    text = [str(getattr(key, name)) for name in key.__slots__ if name not in ("start", "end")]
    text += [instant.astimezone(UTC).isoformat() for instant in (key.start, key.end)]
    return ("|".join(text) + "\n").encode()


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
        digest.update(_words(key) + f"{trade_id} {paid.normalize():f}\n".encode())
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


def _options(versions: Sequence[HeldVersion]) -> frozenset[int]:
    """Return the trades with an option leg, which have no linear value."""
    terms = {v.terms_id: v.trade_id for v in versions if v.product_kind == "OPTION"}
    found = Leg.objects.filter(version_id__in=terms, kind=LegKind.OPTION)
    return frozenset(terms[pk] for pk in found.values_list("version_id", flat=True))


def _fees(
    universe: Universe, versions: Sequence[HeldVersion], rows: Sequence[tuple[Any, ...]]
) -> dict[int, Decimal]:
    """Return our cash of fees by line: those of the terms, and all for ending early."""
    terms = {version.terms_id for version in versions}
    trades = {version.trade_id for version in versions}
    found: dict[int, Decimal] = defaultdict(Decimal)
    slow: set[int] = set()
    for version_id, trade_id, direction, purpose, amount, currency, basis in rows:
        if trade_id not in trades:
            continue
        if purpose != FeePurpose.TERMINATION:
            if version_id not in terms:
                continue
            if basis != deals.FeeBasis.FLAT:
                slow.add(version_id)
                continue
        cash = amount.quantize(_CENT, ROUND_HALF_UP)
        found[universe.line(trade_id, currency)] += -cash if direction == "PAY" else cash
    for row in TradeVersion.objects.filter(pk__in=slow).select_related("trade").order_by("pk"):
        deal = deal_of(row)
        for fee in deal.fees:
            if fee.basis is not deals.FeeBasis.FLAT:
                money = deals.fee_cash(deal, fee)
                found[universe.line(row.trade_id, money.currency)] += money.amount
    return dict(found)


def _loads(wanted: set[tuple[str, str, int]]) -> dict[tuple[str, str, int], LoadShape]:
    found = {key: BASE for key in wanted if key[1:] == (BASE.code, BASE.version)}
    others = wanted - found.keys()
    areas = delivery_areas({key[0] for key in others}) if others else {}
    for key in others:
        try:
            found[key] = areas[key[0]].shape(key[1], version=key[2])
        except NoSuchShape:
            continue
    return found


def _contract(key: ContractKey, market: Market, load: LoadShape | None) -> Contract:
    from trading.valuation import Basis, Contract, seconds

    basis = Basis(key.basis)
    windows = None
    if basis is Basis.PROFILE or load is None:
        if basis is Basis.AMOUNT:
            windows = _whole(key.start, key.end)
    elif basis is Basis.DAY:
        windows = _days(market.calendar, load, key.start, key.end)
    else:
        windows = _hours(market.calendar, load, key.start, key.end)
    return Contract(market.code, basis, seconds(key.start), seconds(key.end), windows, key.minutes)


def _whole(start: datetime, end: datetime) -> Any:
    import numpy as np

    return np.array([[int(start.timestamp()), int(end.timestamp())]], dtype=np.int64)


@lru_cache(maxsize=4096)
def _hours(calendar: Calendar, load: LoadShape, start: datetime, end: datetime) -> Any:
    import numpy as np

    found = [
        (int(part.start.timestamp()), int(part.end.timestamp()))
        for part in shape_intervals(calendar, load, Interval(start, end))
    ]
    return np.array(found, dtype=np.int64).reshape(-1, 2) if found else None


@lru_cache(maxsize=4096)
def _days(calendar: Calendar, load: LoadShape, start: datetime, end: datetime) -> Any:
    import numpy as np

    day, last = calendar.date_of(start), calendar.date_of(end - _INSTANT)
    found = []
    while day <= last:
        whole = calendar.day(day)
        if shape_intervals(calendar, load, whole).hours:
            found.append((int(whole.start.timestamp()), int(whole.end.timestamp())))
        day += _DAY
    return np.array(found, dtype=np.int64).reshape(-1, 2) if found else None


def market_facts(
    universe: Universe, *, as_of: datetime, known_at: datetime, before: MarketState | None = None
) -> MarketFacts:
    """
    Return the marks and fixings that a cut knew, for the contracts of a universe.

    A contract that the published curve no longer speaks of, though it is not delivered and fixed
    in full, keeps the last mark that was published for it; the findings say so.

    before      of an earlier day, to be taken to this one's time: what it needs counts too
    """
    from dataclasses import replace

    import numpy as np

    from trading.valuation import MarketState, needs_mark, seconds

    fixings, told = _fixings(universe, as_of, known_at)
    marks = month_marks(as_of=as_of, known_at=known_at, market_ids=list(universe.markets))
    found = np.full(len(universe.contracts), np.nan)
    fine: dict[int, Any] = {}
    for key, position in universe.keys.items():
        mark = marks.get(key.market_id)
        if mark is None or mark.currency != key.currency or mark.price_unit != key.unit:
            continue
        price = mark.price(key.month, key.shape)
        if price is not None:
            found[position] = price
        if key.minutes:
            prices = _interval_prices(universe.markets[key.market_id], mark, key)
            if prices is not None:
                fine[position] = prices
    state = MarketState(seconds(as_of), seconds(as_of), fixings, found, fine)
    wanted = needs_mark(universe.contracts, state)
    if before is not None:
        wanted |= needs_mark(universe.contracts, replace(before, at=state.at))
    carried, findings = [], []
    for key, position in universe.keys.items():
        if not wanted[position] or position not in universe.exposed:
            continue
        if position in fine or not np.isnan(found[position]):
            continue
        name = f"{universe.markets[key.market_id].code} {key.shape} {key.month:%b %Y}"
        last = _last_mark(universe.markets[key.market_id], key, as_of, known_at)
        if last is None:
            findings.append(f"{name}: no published curve has a price in {key.currency}.")
            continue
        found[position] = last[0]
        carried.append([name, key.currency, last[1], repr(last[0])])
        findings.append(f"{name}: carried on from {last[1]}; the latest curve has no price.")
    curves = [
        [m.market_code, m.version, m.content_hash, m.as_of.astimezone(UTC).isoformat()]
        for m in sorted(marks.values(), key=lambda m: m.market_code)
    ]
    inputs = {"curves": curves, "carried": sorted(carried), "fixings": told}
    return MarketFacts(state, inputs, tuple(sorted(set(findings))))


def _fixings(
    universe: Universe, as_of: datetime, known_at: datetime
) -> tuple[dict[str, FixingSeries], list[list[Any]]]:
    import numpy as np

    from trading.valuation import FixingSeries

    firsts: dict[int, datetime] = {}
    for key in universe.keys:
        if key.start < as_of:
            firsts[key.market_id] = min(key.start, firsts.get(key.market_id, key.start))
    found, told = {}, []
    for market_id, start in sorted(firsts.items()):
        with connection.cursor() as cursor:
            cursor.execute(
                _FIXINGS,
                {"market": market_id, "series": SPOT, "start": start - _DAY, "end": as_of,
                 "cut": known_at, "as_of": as_of},
            )  # fmt: skip
            rows = cursor.fetchall()
        if not rows:
            continue
        starts = np.array([row[0] for row in rows], dtype=np.int64)
        ends = starts + np.array([row[1] for row in rows], dtype=np.int64)
        # A market that changed from hours to quarters may have both of one hour: the finer holds.
        ends[:-1] = np.minimum(ends[:-1], starts[1:])
        prices = np.array([row[2] for row in rows], dtype=np.float64)
        code = universe.markets[market_id].code
        found[code] = FixingSeries(starts, ends, prices)
        content = b"".join(row.astype("<f8").tobytes() for row in (starts, ends, prices))
        told.append([code, len(rows), hashlib.sha256(content).hexdigest()])
    return found, sorted(told)


def _interval_prices(market: Market, mark: MarketMarks, key: ContractKey) -> Any:
    """Return the curve's price of each interval of a profile's contract, None without."""
    first = market.calendar.date_of(key.start)
    after = market.calendar.date_of(key.end - _INSTANT) + _DAY
    try:
        prices = mark.period_prices(DatePeriod(first, after), minutes=key.minutes)
    except NoMark:
        return None
    offset = int((key.start - market.calendar.start_of(first)) / timedelta(minutes=key.minutes))
    count = int((key.end - key.start) / timedelta(minutes=key.minutes))
    return prices[offset : offset + count]


def _last_mark(
    market: Market, key: ContractKey, as_of: datetime, known_at: datetime
) -> tuple[float, str] | None:
    """Return the last price that was published for a month and load, and of which version."""
    if market.currency != key.currency or market.price_unit != key.unit:
        return None
    month = market.calendar.month(key.month.year, key.month.month)
    version = (
        CurveVersion.objects.filter(
            definition__market=market,
            definition__is_mark=True,
            published_at__lte=known_at,
            snapshot__as_of__lte=as_of,
            snapshot__points__load=key.shape,
            snapshot__points__start__lt=month.end,
            snapshot__points__end__gt=month.start,
        )
        .order_by("-snapshot__as_of", "-published_at", "-id")
        .select_related("snapshot")
        .first()
    )
    if version is None:
        return None
    value = hours = 0.0
    for point in CurvePoint.objects.filter(
        snapshot_id=version.snapshot_id, load=key.shape, start__lt=month.end, end__gt=month.start
    ).order_by("start"):
        inside = min(point.end, month.end) - max(point.start, month.start)
        weight = point.hours * (inside / (point.end - point.start))
        value, hours = value + point.price * weight, hours + weight
    return value / hours, f"version {version.number} of {version.snapshot.as_of:%Y-%m-%d}"


def digest_of(content: Any) -> str:
    """Return the SHA-256 of what JSON can say, in one form."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
