"""Build what books are valued on: scenarios from the quotes' history, and the curves of now."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import Calendar, tzdata_version
from energyopti.foundation.events.services import record_event
from risk.engine import (
    ContractQuote,
    Exchange,
    QuoteDay,
    ScenarioError,
    TenorShocks,
    exchange_changes,
    month_number,
    tenor_shocks,
)
from risk.models import MarketSnapshot, ScenarioSet, ScenarioShocks, SnapshotCurve, SnapshotRate
from risk.queries.bases import to_bytes
from trading.queries.books import reporting_currencies
from trading.queries.exchange import Rates, rate_history
from trading.queries.marks import MarketMarks, month_marks
from trading.queries.quote_days import DayOfQuotes, quote_days
from trading.queries.quotes import BASE
from trading.services.locks import lock_keys

if TYPE_CHECKING:
    from risk.queries.bases import Floats

SCENARIOS = 500
# Below a hundred scenarios the 99 % quantile is the worst of them, whatever it is.
FEWEST_SCENARIOS = 100
TENORS = 72
METHOD = "absolute changes of forward contracts by time to delivery, unweighted"
# A load is a node of its own where it was quoted on every day of the scenarios.
METHOD_WITH_LOADS = f"{METHOD}; base and quoted loads are nodes, off-peak is what they leave"

Nodes = dict[tuple[int, str], TenorShocks]


class NoBasis(ValueError):
    """There is nothing to value on: no curve, or no market with enough quoted days."""


@dataclass(frozen=True, slots=True)
class BuiltBasis:
    """
    A snapshot, and the markets and exchange rates that could not take part in it.

    is_new      False if an equal one was there
    left_out    sentences
    """

    snapshot_id: int
    is_new: bool
    left_out: tuple[str, ...]


def build_snapshot(*, actor: Actor, valued_at: datetime) -> BuiltBasis:
    """
    Write the scenario set and the snapshot of the curves at an instant; equal ones are found.

    Markets take part whose latest curve is not after `valued_at` and that have at least 100
    daily changes on days that all of them quoted; at most the last 500 become scenarios. Between
    their currencies and those of books, exchange rates move by their own change of the same days;
    where none was known of a day, the scenario holds today's rate.

    :raises PermissionMissing: without `risk.rebase_risk`.
    :raises NoBasis: if no market can take part.
    """
    actor.require("risk.rebase_risk")
    marks = month_marks(as_of=valued_at)
    if not marks:
        raise NoBasis("There is no forward curve to value positions on.")
    shocks, common, left_out = _shocks(marks, valued_at)
    with transaction.atomic():
        # Two workers that hear of the same curve: the second finds what the first has written.
        lock_keys(["risk:snapshot"])
        scenarios = _scenario_set(shocks, valued_at)
        used = {market_id: marks[market_id] for market_id, _ in shocks}
        rates, missing = _exchange(used.values(), scenarios.days, common, valued_at)
        return _snapshot(actor, scenarios, used, rates, valued_at, (*left_out, *missing))


def _exchange(
    marks: Iterable[MarketMarks],
    days: Sequence[date],
    quoted: Sequence[date],
    valued_at: datetime,
) -> tuple[dict[tuple[str, str], Exchange], list[str]]:
    """
    Return the pairs from the markets' currencies to those of books, and what is wrong with them.

    days        the later day of each scenario
    quoted      all days of the history, ascending; a scenario goes back to the one before it
    """
    quotes = reporting_currencies()
    pairs = sorted({(m.currency, q) for m in marks for q in quotes if m.currency != q})
    if not pairs:
        return {}, []
    spot = Rates(valued_at)
    currencies = {one for pair in pairs for one in pair}
    first = datetime.combine(quoted[0], time(), UTC)
    history = rate_history(currencies, start=first, end=valued_at)
    spans = [(quoted[bisect_left(quoted, day) - 1], day) for day in days]
    found: dict[tuple[str, str], Exchange] = {}
    said = []
    for base, quote in pairs:
        rate = spot.of(base, quote)
        if rate is None:
            said.append(f"{base}/{quote} is not known: {base} cannot be valued in {quote}.")
            continue
        changes, held = exchange_changes(
            [(history.on(base, quote, a), history.on(base, quote, b)) for a, b in spans]
        )
        found[base, quote] = Exchange(float(rate), changes, held)
        if held:
            said.append(
                f"{base}/{quote} has no history for {held} of {len(spans)} scenarios, which hold"
                " today's rate."
            )
    return found, said + spot.stale()


def _shocks(
    marks: dict[int, MarketMarks], valued_at: datetime
) -> tuple[Nodes, list[date], tuple[str, ...]]:
    histories: dict[int, list[DayOfQuotes]] = {}
    left_out: list[str] = []
    for market_id, mark in marks.items():
        # Twice as many days as scenarios, because days on which only some markets quoted drop out.
        days = quote_days(market_id=market_id, as_of=valued_at, days=2 * SCENARIOS)
        if len(days) > FEWEST_SCENARIOS:
            histories[market_id] = days
        else:
            left_out.append(
                f"{mark.market_code} has {len(days)} quoted days; "
                f"{FEWEST_SCENARIOS + 1} are the least for scenarios."
            )
    if not histories:
        raise NoBasis(" ".join(left_out))
    common = set.intersection(*({d.day for d in days} for days in histories.values()))
    count = min(SCENARIOS, len(common) - 1)
    if count < FEWEST_SCENARIOS:
        raise NoBasis(
            f"The markets share {len(common)} quoted days; {FEWEST_SCENARIOS + 1} are the least."
        )
    found: Nodes = {}
    for market_id, days in histories.items():
        mark = marks[market_id]
        try:
            found[market_id, BASE] = tenor_shocks(
                [_day(d) for d in days if d.day in common],
                _month_hours(mark.time_zone),
                scenarios=count,
                tenors=TENORS,
            )
        except ScenarioError as error:
            raise NoBasis(f"{mark.market_code}: {error}") from error
        wanted = sorted(common)[-count - 1 :]
        found |= _load_shocks(mark, wanted, found[market_id, BASE].days, valued_at)
    return found, sorted(common), tuple(left_out)


def _load_shocks(
    mark: MarketMarks, wanted: Sequence[date], scenario_days: tuple[date, ...], valued_at: datetime
) -> Nodes:
    """Return the shocks of each load that was quoted on every one of some days."""
    found: Nodes = {}
    for load in mark.shape_codes():
        hours = mark.hours.get(load, {})
        if load == BASE or not hours:
            continue
        days = {
            day.day: day
            for day in quote_days(
                market_id=mark.market_id, as_of=valued_at, days=2 * SCENARIOS, load=load
            )
        }
        if not all(day in days for day in wanted):
            continue
        try:
            shocks = tenor_shocks(
                [_day(days[day]) for day in wanted],
                _load_hours(hours),
                scenarios=len(scenario_days),
                tenors=TENORS,
            )
        except ScenarioError:
            continue  # no contract of it was quoted on two days running: it moves with base
        if shocks.days == scenario_days:
            found[mark.market_id, load] = shocks
    # Off-peak beside peak would be one node too many: it is what the two others leave.
    return _independent(mark, found)


def _load_hours(hours: Mapping[date, float]) -> Callable[[int], float]:
    """
    Return a function from month number to a load's hours: contracts are means over them.

    Months of the history that the curve no longer has take the mean of those that it has.
    """
    usual = sum(hours.values()) / len(hours)
    by_month = {month_number(month): value for month, value in hours.items()}
    return lambda number: by_month.get(number, usual)


def _independent(mark: MarketMarks, nodes: Nodes) -> Nodes:
    kept: Nodes = {}
    base = mark.hours.get(BASE, {})
    for (market_id, load), shocks in sorted(nodes.items(), key=lambda item: item[0][1] != "PEAK"):
        own = mark.hours[load]
        is_rest = any(
            all(
                abs(own[month] + mark.hours[other].get(month, 0.0) - base.get(month, 0.0)) < 1e-6
                for month in own
            )
            for _, other in kept
        )
        if not is_rest:
            kept[market_id, load] = shocks
    return kept


def _day(day: DayOfQuotes) -> QuoteDay:
    return QuoteDay(
        day.day,
        tuple(ContractQuote(month_number(c.first), c.months, c.price) for c in day.contracts),
    )


def _month_hours(time_zone: str) -> Callable[[int], float]:
    """Return a function from month number to base hours in a zone, each computed once."""
    calendar = Calendar(time_zone)

    @cache
    def hours(number: int) -> float:
        year, month = divmod(number, 12)
        return float(calendar.month(year, month + 1).hours)

    return hours


def _scenario_set(shocks: Nodes, as_of: datetime) -> ScenarioSet:
    days = next(iter(shocks.values())).days
    if any(s.days != days for s in shocks.values()):
        raise NoBasis("The markets' scenarios are not of the same days.")
    has_loads = any(load != BASE for _, load in shocks)
    method = METHOD_WITH_LOADS if has_loads else METHOD
    content_hash = _hash(
        [method, tzdata_version(), *map(str, days)],
        [(key, to_bytes(s.values)) for key, s in sorted(shocks.items())],
    )
    if found := ScenarioSet.objects.filter(content_hash=content_hash).first():
        return found
    scenarios = ScenarioSet.objects.create(
        as_of=as_of,
        days=list(days),
        tenors=TENORS,
        horizon_days=1,
        method=method,
        content_hash=content_hash,
    )
    ScenarioShocks.objects.bulk_create(
        ScenarioShocks(
            scenario_set=scenarios,
            market_id=market_id,
            load=load,
            values=to_bytes(s.values),
            proxies=list(s.proxies),
        )
        for (market_id, load), s in shocks.items()
    )
    return scenarios


def _snapshot(
    actor: Actor,
    scenarios: ScenarioSet,
    marks: dict[int, MarketMarks],
    rates: Mapping[tuple[str, str], Exchange],
    valued_at: datetime,
    left_out: tuple[str, ...],
) -> BuiltBasis:
    curves = {
        (market_id, load): (
            to_bytes(_by_tenor(mark, mark.by_shape.get(load, mark.prices), valued_at)),
            to_bytes(_by_tenor(mark, mark.hours.get(load, {}), valued_at)),
        )
        for market_id, mark in sorted(marks.items())
        for load in mark.shape_codes()
    }
    content_hash = _hash(
        [
            scenarios.content_hash,
            valued_at.isoformat(),
            tzdata_version(),
            *(
                f"{base}/{quote} {x.rate!r} {hashlib.sha256(to_bytes(x.changes)).hexdigest()}"
                for (base, quote), x in rates.items()
            ),
        ],
        [(key, prices + hours) for key, (prices, hours) in curves.items()],
    )
    if found := MarketSnapshot.objects.filter(content_hash=content_hash).first():
        return BuiltBasis(found.pk, False, left_out)
    snapshot = MarketSnapshot.objects.create(
        scenario_set=scenarios, valued_at=valued_at, content_hash=content_hash
    )
    SnapshotCurve.objects.bulk_create(
        SnapshotCurve(
            snapshot=snapshot,
            market_id=market_id,
            curve_snapshot_id=marks[market_id].curve_snapshot_id,
            load=load,
            prices=prices,
            hours=hours,
        )
        for (market_id, load), (prices, hours) in curves.items()
    )
    SnapshotRate.objects.bulk_create(
        SnapshotRate(
            snapshot=snapshot, base=base, quote=quote, rate=x.rate, changes=to_bytes(x.changes),
            held=x.held,
        )
        for (base, quote), x in rates.items()
    )  # fmt: skip
    record_event(
        type="risk.snapshot_built",
        actor=actor,
        aggregate_type="market_snapshot",
        aggregate_id=snapshot.pk,
        organization_id=None,
        payload={
            "valued_at": valued_at.isoformat(),
            "scenarios": len(scenarios.days),
            "markets": [mark.market_code for mark in marks.values()],
            "exchange_rates": [[*pair, x.rate] for pair, x in rates.items()],
            "left_out": list(left_out),
            "content_hash": content_hash,
        },
    )
    return BuiltBasis(snapshot.pk, True, left_out)


def _by_tenor(mark: MarketMarks, by_month: Mapping[date, float], valued_at: datetime) -> Floats:
    origin = month_number(Calendar(mark.time_zone).date_of(valued_at))
    values = np.full(TENORS, np.nan)
    for month, value in by_month.items():
        tenor = month_number(month) - origin
        if 0 <= tenor < TENORS:
            values[tenor] = value
    return values


def _hash(words: Sequence[str], arrays: Sequence[tuple[tuple[int, str], bytes]]) -> str:
    digest = hashlib.sha256()
    for word in words:
        digest.update(f"{word}\n".encode())
    for key, content in arrays:
        market_id, load = key
        digest.update(f"{market_id} {load}:{len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()
