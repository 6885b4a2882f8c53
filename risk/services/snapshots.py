"""Write what books are valued on: scenarios of the desk's definition, and the curves of now."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

import numpy as np
from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import tzdata_version
from energyopti.foundation.events.services import record_event
from risk.engine import Exchange, ScenarioError, exchange_changes, month_number
from risk.models import (
    MarketSnapshot,
    ScenarioDefinition,
    ScenarioProxy,
    ScenarioSet,
    ScenarioShocks,
    ScenarioVols,
    SnapshotCurve,
    SnapshotRate,
)
from risk.queries.bases import Basis, CurveParts, market_bases, to_bytes
from risk.queries.scenario_definitions import method_of
from trading.queries.books import reporting_currencies
from trading.queries.choices import facts_beside_curves
from trading.queries.exchange import Rates, rate_history
from trading.queries.markets import markets_by_id
from trading.queries.marks import MarketMarks, month_marks
from trading.queries.quotes import BASE
from trading.services.locks import lock_keys, server_time

from .scenario_definitions import desk_definition
from .scenario_history import TENORS, History, NoBasis, filtered, history_of
from .scenario_vols import VolMoves, vol_moves

if TYPE_CHECKING:
    from risk.queries.bases import Floats

__all__ = ["BuiltBasis", "NoBasis", "build_snapshot", "trial_basis"]


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


@dataclass(frozen=True, slots=True)
class _Parts:
    """All that a basis is made of, before any of it is written."""

    definition: ScenarioDefinition
    method: str
    history: History
    vols: Mapping[int, VolMoves]
    proxies: tuple[ScenarioProxy, ...]
    marks: Mapping[int, MarketMarks]
    curves: Mapping[int, CurveParts]
    rates: Mapping[tuple[str, str], Exchange]
    left_out: tuple[str, ...]


def build_snapshot(
    *, actor: Actor, valued_at: datetime, definition: ScenarioDefinition | None = None,
    is_live: bool = True,
) -> BuiltBasis:  # fmt: skip
    """
    Write the scenario set and the snapshot of the curves at an instant; equal ones are found.

    The set is of the definition that the desk approved last. Between the markets' currencies and
    those of books, exchange rates move by their own change of the same days; where none was known
    of a day, the scenario holds today's rate. So it is with implied volatilities.

    definition  of the scenarios; None: the desk's
    is_live     False for what runs alone stand on: no book is put on it

    :raises PermissionMissing: without `risk.rebase_risk`.
    :raises NoBasis: if no market can take part, or a rule cannot take a price, naming it.
    """
    actor.require("risk.rebase_risk")
    marks = month_marks(as_of=valued_at)
    if not marks:
        raise NoBasis("There is no forward curve to value positions on.")
    parts = _parts(definition or desk_definition(), marks, valued_at)
    with transaction.atomic():
        # Two workers that hear of the same curve: the second finds what the first has written.
        lock_keys(["risk:snapshot"])
        return _snapshot(actor, _scenario_set(parts, valued_at), parts, valued_at, is_live)


def trial_basis(
    definition: ScenarioDefinition, *, valued_at: datetime
) -> tuple[Basis, tuple[date, ...]]:
    """
    Return the basis that a definition would make at an instant, and the day of each scenario.

    It is written nowhere; its id is 0.

    :raises NoBasis: as `build_snapshot`.
    """
    parts = _parts(definition, month_marks(as_of=valued_at), valued_at)
    basis = Basis(
        id=0,
        valued_at=valued_at,
        known_at=server_time(),
        scenario_count=len(parts.history.spans),
        tenors=TENORS,
        horizon_days=definition.horizon_days,
        method=parts.method,
        markets=market_bases(
            parts.history.nodes,
            parts.curves,
            {key: (moved.kind, moved.values) for key, moved in parts.vols.items()},
        ),
        rates=parts.rates,
    )
    return basis, parts.history.days


def _parts(
    definition: ScenarioDefinition, marks: Mapping[int, MarketMarks], valued_at: datetime
) -> _Parts:
    history = history_of(definition, marks, valued_at)
    used = {market_id: marks[market_id] for market_id, _ in history.nodes}
    markets = markets_by_id(used)
    curves = {}
    for market_id, mark in sorted(used.items()):
        # By the market's own day: at 3 in the morning a gas month is the one before still.
        origin = month_number(markets[market_id].calendar.date_of(valued_at))
        curves[market_id] = CurveParts(
            origin,
            {
                load: (
                    _by_tenor(mark.by_shape.get(load, mark.prices), origin),
                    _by_tenor(mark.hours.get(load, {}), origin),
                )
                for load in mark.shape_codes()
            },
        )
    for (market_id, load), moves in history.nodes.items():
        try:
            moves.on(curves[market_id].loads[load][0])
        except ScenarioError as error:
            raise NoBasis(f"{used[market_id].market_code} {load} today: {error}") from error
    vols, held = vol_moves(definition, sorted(used), history.spans, valued_at)
    rates, missing = _exchange(definition, used.values(), history.spans, valued_at)
    return _Parts(
        definition=definition,
        method=method_of(definition, has_loads=any(load != BASE for _, load in history.nodes)),
        history=history,
        vols=vols,
        proxies=(*history.proxies, *held),
        marks=used,
        curves=curves,
        rates=rates,
        left_out=(*history.left_out, *missing),
    )


def _exchange(
    definition: ScenarioDefinition,
    marks: Iterable[MarketMarks],
    spans: Sequence[tuple[date, date]],
    valued_at: datetime,
) -> tuple[dict[tuple[str, str], Exchange], list[str]]:
    """Return the pairs from markets' currencies to those of books, and what is wrong with them."""
    quotes = reporting_currencies()
    pairs = sorted({(m.currency, q) for m in marks for q in quotes if m.currency != q})
    if not pairs:
        return {}, []
    spot = Rates(valued_at)
    currencies = {one for pair in pairs for one in pair}
    first = datetime.combine(spans[0][0], time(), UTC)
    history = rate_history(currencies, start=first, end=valued_at)
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
        # As logarithms, or a filter could take a rate below zero.
        moved = np.expm1(filtered(np.log1p(changes), definition)) if changes.any() else changes
        found[base, quote] = Exchange(float(rate), moved, held)
        if held:
            said.append(
                f"{base}/{quote} has no history for {held} of {len(spans)} scenarios, which hold"
                " today's rate."
            )
    return found, said + spot.stale()


def _scenario_set(parts: _Parts, as_of: datetime) -> ScenarioSet:
    history, definition = parts.history, parts.definition
    words = [
        str(definition), parts.method, tzdata_version(),
        *(f"{before} {after}" for before, after in history.spans),
    ]  # fmt: skip
    arrays = [(key, to_bytes(moves.values)) for key, moves in sorted(history.nodes.items())]
    arrays += [
        ((market_id, f"VOL {moved.kind}"), to_bytes(moved.values))
        for market_id, moved in sorted(parts.vols.items())
    ]
    content_hash = _hash(words, arrays)
    if found := ScenarioSet.objects.filter(content_hash=content_hash).first():
        return found
    scenarios = ScenarioSet.objects.create(
        definition=definition,
        as_of=as_of,
        days=list(history.days),
        tenors=TENORS,
        horizon_days=definition.horizon_days,
        method=parts.method,
        content_hash=content_hash,
    )
    ScenarioShocks.objects.bulk_create(
        ScenarioShocks(
            scenario_set=scenarios, market_id=market_id, load=load, rule=moves.rule,
            displacement=moves.displacement, values=to_bytes(moves.values),
        )
        for (market_id, load), moves in history.nodes.items()
    )  # fmt: skip
    ScenarioVols.objects.bulk_create(
        ScenarioVols(
            scenario_set=scenarios, market_id=market_id, kind=moved.kind,
            values=to_bytes(moved.values), held=moved.held,
        )
        for market_id, moved in parts.vols.items()
    )  # fmt: skip
    for proxy in parts.proxies:
        proxy.scenario_set = scenarios
    ScenarioProxy.objects.bulk_create(parts.proxies)
    return scenarios


def _snapshot(
    actor: Actor, scenarios: ScenarioSet, parts: _Parts, valued_at: datetime, is_live: bool
) -> BuiltBasis:
    marks, rates, left_out = parts.marks, parts.rates, parts.left_out
    curves = {
        (market_id, load): (to_bytes(prices), to_bytes(hours))
        for market_id, held in parts.curves.items()
        for load, (prices, hours) in held.loads.items()
    }
    content_hash = _hash(
        [
            scenarios.content_hash,
            valued_at.isoformat(),
            *facts_beside_curves(),
            tzdata_version(),
            *([] if is_live else ["of runs alone"]),
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
        scenario_set=scenarios, valued_at=valued_at, content_hash=content_hash, is_live=is_live
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


def _by_tenor(by_month: Mapping[date, float], origin: int) -> Floats:
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
