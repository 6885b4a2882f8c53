"""What holdings are worth under stresses: each shock in its order, in full."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from risk.engine import Exchange, HistoricalEvent, ScenarioError, ShockRule, Shocks, event_moves
from risk.models import StressScenario, StressShock, StressTarget
from risk.queries.bases import Basis, MarketBasis
from risk.queries.holdings import Holdings, value_holdings
from risk.queries.stresses import stresses_in_force
from trading.queries.markets import markets_by_id
from trading.queries.quote_days import quote_days

from .scenario_history import month_hours, quote_day

LOGNORMAL = "LOGNORMAL"
# Beside an event's own days, because its first may be a long weekend after the last quotes.
_BEFORE = 10

Floats = npt.NDArray[np.float64]
Load = tuple[int, str]


@dataclass
class _State:
    """
    A market after some shocks; `add` puts its next rows beside those that were kept.

    prices      by market id and load, (tenor,)
    vols        what is added to volatilities, by market id, (tenor,)
    rates       value of a currency relative to today's
    volumes     share of what is contracted, by market id
    """

    prices: dict[Load, Floats]
    vols: dict[int, Floats]
    rates: dict[str, float] = field(default_factory=lambda: defaultdict(lambda: 1.0))
    volumes: dict[int, float] = field(default_factory=lambda: defaultdict(lambda: 1.0))

    def copy(self) -> _State:
        found = _State(dict(self.prices), dict(self.vols))
        found.rates.update(self.rates)
        found.volumes.update(self.volumes)
        return found


def stressed(
    holdings: Holdings, on: Basis, chosen: Sequence[StressScenario], *, currency: str
) -> tuple[float, list[dict[str, Any]], list[str]]:
    """
    Return the value of holdings, what each stress does, and what cannot be valued.

    Every state after a shock is a scenario of one basis, so whatever the holdings are valued by
    values them here too.
    """
    states: list[_State] = []
    said: list[tuple[list[str], bool]] = []
    for stress in chosen:
        state, findings, moves = _today(on), list[str](), False
        for shock in stress.shocks.all():
            state = state.copy()
            more, moved = _apply(state, shock, on)
            findings, moves = findings + more, moves or moved
            states.append(state)
        said.append((findings, moves))
    basis = _basis(on, states)
    value, totals, problems = _totals(holdings, basis, states, currency)
    results, place = [], 0
    for stress, (findings, moves) in zip(chosen, said, strict=True):
        names = [shock.name for shock in stress.shocks.all()]
        after = totals[place : place + len(names)]
        effects = np.diff(after, prepend=value).tolist()
        place += len(names)
        results.append(
            {"code": stress.code, "version": stress.number, "name": stress.name,
             # A stress that nothing here could follow has no result, and none of zero.
             "pnl": float(after[-1] - value) if moves else None,
             "steps": [[name, adds if moves else None]
                       for name, adds in zip(names, effects, strict=True)],
             "findings": findings}
        )  # fmt: skip
    return value, results, problems


def gains_under_stress(
    holdings: Holdings, on: Basis, currency: str
) -> tuple[dict[str, float], str]:
    """Return what holdings gain under each stress in force, and what cannot be valued of them."""
    chosen = stresses_in_force()
    if not chosen:
        return {}, ""
    _, results, problems = stressed(holdings, on, chosen, currency=currency)
    gains = {one["name"]: one["pnl"] for one in results if one["pnl"] is not None}
    return gains, " ".join(problems)


def _today(on: Basis) -> _State:
    prices = {
        (market_id, load): held.curve.prices
        for market_id, market in on.markets.items()
        for load, held in (("BASE", market), *market.shapes.items())
    }
    return _State(prices, {market_id: np.zeros(on.tenors) for market_id in on.markets})


def _apply(state: _State, shock: StressShock, on: Basis) -> tuple[list[str], bool]:
    """Move a state by one shock; return sentences about what does not move, and if any did."""
    if shock.target == StressTarget.RATE:
        state.rates[shock.currency] *= 1.0 + shock.size
        return [], True
    chosen = [shock.market_id] if shock.market_id is not None else sorted(on.markets)
    if shock.target == StressTarget.VOLUME:
        for market_id in chosen:
            state.volumes[market_id] *= 1.0 + shock.size
        return [], True
    names = {key: row.code for key, row in markets_by_id(chosen).items()}
    findings = []
    for market_id in chosen:
        try:
            if market_id not in on.markets:
                raise ScenarioError("it has no curve with a quote history.")
            _move(state, shock, market_id, on)
        except ScenarioError as error:
            why = str(error).removeprefix(f"{shock.name}: ")
            findings.append(f"{names[market_id]} does not move: {why}")
    return findings, len(findings) < len(chosen)


def _move(state: _State, shock: StressShock, market_id: int, on: Basis) -> None:
    market = on.markets[market_id]
    inside = np.zeros(on.tenors, dtype=bool)
    last = on.tenors - 1 if shock.last_tenor is None else shock.last_tenor
    inside[shock.first_tenor or 0 : last + 1] = True
    if shock.target == StressTarget.VOLATILITY:
        if market.vol_kind not in ("", LOGNORMAL):
            raise ScenarioError("its volatilities are not lognormal.")
        state.vols[market_id] = state.vols[market_id] + np.where(inside, shock.size, 0.0)
        return
    moves = np.full(on.tenors, shock.size)
    if shock.target == StressTarget.EVENT:
        moves = _event(shock, market_id, on)
    moved = {}
    for (held, load), levels in state.prices.items():
        if held != market_id:
            continue
        known = inside & np.isfinite(levels)
        rules = Shocks.all(int(known.sum()), ShockRule(shock.rule), shock.displacement)
        moved[held, load] = levels.copy()
        moved[held, load][known] = rules.applied(levels[known], moves[known])
    state.prices.update(moved)


def _event(shock: StressShock, market_id: int, on: Basis) -> Floats:
    assert shock.event_from is not None and shock.event_until is not None, "by its constraint"
    market = markets_by_id([market_id])[market_id]
    event = HistoricalEvent(shock.name, shock.event_from, shock.event_until)
    ends = market.calendar.day(shock.event_until).end
    count = (shock.event_until - shock.event_from).days + _BEFORE
    days = quote_days(market_id=market_id, as_of=min(ends, on.valued_at), days=count)
    found = event_moves(
        event, [quote_day(day) for day in days], month_hours(market.time_zone), tenors=on.tenors,
        rule=ShockRule(shock.rule), displacement=shock.displacement,
    )  # fmt: skip
    return found.values


def _basis(on: Basis, states: Sequence[_State]) -> Basis:
    """Return a basis whose scenarios are the states."""

    def moved(market_id: int, load: str, held: MarketBasis) -> MarketBasis:
        levels = np.stack([state.prices[market_id, load] for state in states])
        added = np.stack([state.vols[market_id] for state in states])
        return replace(
            held,
            shocks=np.nan_to_num(levels - held.curve.prices),
            shapes={name: moved(market_id, name, one) for name, one in held.shapes.items()},
            vols=added if added.any() else None,
            vol_kind=held.vol_kind or (LOGNORMAL if added.any() else ""),
        )

    rates = {
        (base, quote): Exchange(
            exchange.rate,
            np.array([state.rates[base] / state.rates[quote] - 1.0 for state in states]),
        )
        for (base, quote), exchange in on.rates.items()
    }
    markets = {key: moved(key, "BASE", held) for key, held in on.markets.items()}
    return replace(
        on, id=0, scenario_count=len(states), method="stresses", markets=markets, rates=rates
    )


def _totals(
    holdings: Holdings, on: Basis, states: Sequence[_State], currency: str
) -> tuple[float, Floats, list[str]]:
    """Return the value today and in each state, and what cannot be valued."""
    value, totals, problems = 0.0, np.zeros(len(states)), list[str]()
    unvalued = 0
    for market_id, part in _by_market(holdings).items():
        found = value_holdings(part, on, currency=currency)
        share = np.array([state.volumes[market_id] for state in states])
        value += found.base_value
        totals += share * (found.base_value + found.pnl)
        unvalued += len(found.unvalued)
        problems += [one for one in found.held if one not in problems]
    if unvalued:
        problems.append(f"{unvalued} positions cannot be valued and are left out.")
    return value, totals, problems


def _by_market(holdings: Holdings) -> Mapping[int, Holdings]:
    """Return holdings by the market that their volume is in: of a spread the first."""
    positions = defaultdict(list)
    for position in holdings.positions:
        positions[position.market_id].append(position)
    choices = defaultdict(list)
    ids = {row.code: key for key, row in markets_by_id(None).items()} if holdings.choices else {}
    for choice in holdings.choices:
        choices[ids[choice.leg.underlying[0].area.code]].append(choice)
    return {
        key: Holdings(positions.get(key, ()), choices.get(key, ()))
        for key in sorted({*positions, *choices})
    }
