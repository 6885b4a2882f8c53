"""Build what books are valued on: scenarios from the quotes' history, and the curves of now."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import Calendar, tzdata_version
from energyopti.foundation.events.services import record_event
from risk.engine import (
    ContractQuote,
    QuoteDay,
    ScenarioError,
    TenorShocks,
    month_number,
    tenor_shocks,
)
from risk.models import MarketSnapshot, ScenarioSet, ScenarioShocks, SnapshotCurve
from risk.queries.bases import to_bytes
from trading.queries.marks import MarketMarks, month_marks
from trading.queries.quote_days import DayOfQuotes, quote_days
from trading.services.locks import lock_keys

if TYPE_CHECKING:
    from risk.queries.bases import Floats

SCENARIOS = 500
# Below a hundred scenarios the 99 % quantile is the worst of them, whatever it is.
FEWEST_SCENARIOS = 100
TENORS = 72
METHOD = "absolute changes of forward contracts by time to delivery, unweighted"


class NoBasis(ValueError):
    """There is nothing to value on: no curve, or no market with enough quoted days."""


@dataclass(frozen=True, slots=True)
class BuiltBasis:
    """
    A snapshot, and the markets that could not be part of it.

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
    daily changes on days that all of them quoted; at most the last 500 become scenarios.

    :raises PermissionMissing: without `risk.rebase_risk`.
    :raises NoBasis: if no market can take part.
    """
    actor.require("risk.rebase_risk")
    marks = month_marks(as_of=valued_at)
    if not marks:
        raise NoBasis("There is no forward curve to value positions on.")
    shocks, left_out = _shocks(marks, valued_at)
    with transaction.atomic():
        # Two workers that hear of the same curve: the second finds what the first has written.
        lock_keys(["risk:snapshot"])
        scenarios = _scenario_set(shocks, valued_at)
        return _snapshot(actor, scenarios, {m: marks[m] for m in shocks}, valued_at, left_out)


def _shocks(
    marks: dict[int, MarketMarks], valued_at: datetime
) -> tuple[dict[int, TenorShocks], tuple[str, ...]]:
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
    found = {}
    for market_id, days in histories.items():
        try:
            found[market_id] = tenor_shocks(
                [_day(d) for d in days if d.day in common],
                _month_hours(marks[market_id].time_zone),
                scenarios=count,
                tenors=TENORS,
            )
        except ScenarioError as error:
            raise NoBasis(f"{marks[market_id].market_code}: {error}") from error
    return found, tuple(left_out)


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


def _scenario_set(shocks: dict[int, TenorShocks], as_of: datetime) -> ScenarioSet:
    days = next(iter(shocks.values())).days
    if any(s.days != days for s in shocks.values()):
        raise NoBasis("The markets' scenarios are not of the same days.")
    content_hash = _hash(
        [METHOD, tzdata_version(), *map(str, days)],
        [(market_id, to_bytes(s.values)) for market_id, s in sorted(shocks.items())],
    )
    if found := ScenarioSet.objects.filter(content_hash=content_hash).first():
        return found
    scenarios = ScenarioSet.objects.create(
        as_of=as_of,
        days=list(days),
        tenors=TENORS,
        horizon_days=1,
        method=METHOD,
        content_hash=content_hash,
    )
    ScenarioShocks.objects.bulk_create(
        ScenarioShocks(
            scenario_set=scenarios,
            market_id=market_id,
            values=to_bytes(s.values),
            proxies=list(s.proxies),
        )
        for market_id, s in shocks.items()
    )
    return scenarios


def _snapshot(
    actor: Actor,
    scenarios: ScenarioSet,
    marks: dict[int, MarketMarks],
    valued_at: datetime,
    left_out: tuple[str, ...],
) -> BuiltBasis:
    prices = {
        market_id: to_bytes(_prices(mark, valued_at)) for market_id, mark in sorted(marks.items())
    }
    content_hash = _hash(
        [scenarios.content_hash, valued_at.isoformat(), tzdata_version()], list(prices.items())
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
            prices=stored,
        )
        for market_id, stored in prices.items()
    )
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
            "left_out": list(left_out),
            "content_hash": content_hash,
        },
    )
    return BuiltBasis(snapshot.pk, True, left_out)


def _prices(mark: MarketMarks, valued_at: datetime) -> Floats:
    origin = month_number(Calendar(mark.time_zone).date_of(valued_at))
    prices = np.full(TENORS, np.nan)
    for month, price in mark.prices.items():
        tenor = month_number(month) - origin
        if 0 <= tenor < TENORS:
            prices[tenor] = price
    return prices


def _hash(words: Sequence[str], arrays: Sequence[tuple[int, bytes]]) -> str:
    digest = hashlib.sha256()
    for word in words:
        digest.update(f"{word}\n".encode())
    for key, content in arrays:
        digest.update(f"{key}:{len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()
