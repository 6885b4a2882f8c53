"""What positions are valued on: a snapshot's curves and scenarios, as arrays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from energyopti.foundation.calendars import Calendar
from risk.models import MarketSnapshot, SnapshotCurve
from trading.queries.quotes import BASE

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from risk.engine import Exchange, MonthlyCurve

    Floats = npt.NDArray[np.float64]

# How arrays stand in the tables, whatever the machine.
STORED = "<f8"


@dataclass(frozen=True, slots=True)
class Moves:
    """
    What a node does in each scenario, by its rule.

    values          shape (scenario, tenor): currency/MWh where ABSOLUTE, else shares or logarithms
    rule            as `risk.engine.ShockRule`, with its displacement
    """

    values: Floats
    rule: str = "ABSOLUTE"
    displacement: float = 0.0

    def on(self, levels: Floats) -> Floats:
        """
        Return the changes of a curve in currency/MWh, shape (scenario, tenor).

        levels      shape (tenor,); where NaN, nothing can be valued and the change is 0

        :raises ScenarioError: naming the tenor whose level the rule cannot take.
        """
        import numpy as np

        from risk.engine import ShockRule, Shocks

        if self.rule == ShockRule.ABSOLUTE:
            return self.values
        known = np.isfinite(levels)
        rules = Shocks.all(int(known.sum()), ShockRule(self.rule), self.displacement)
        found = np.zeros_like(self.values)
        found[:, known] = rules.applied(levels[known], self.values[:, known]) - levels[known]
        return found


@dataclass(frozen=True, slots=True)
class CurveParts:
    """
    A market's curve as a snapshot keeps it: by load, prices and hours by tenor.

    origin  `month_number` of the valuation month
    """

    origin: int
    loads: Mapping[str, tuple[Floats, Floats]]


@dataclass(frozen=True, slots=True)
class MarketBasis:
    """
    One market in a basis: its base curve and shocks, and those of the loads beside it.

    shocks      shape (scenario, tenor)
    shapes      by code of the load, without BASE
    vols        what is added to implied volatilities, shape (scenario, tenor); None: they are held
    vol_kind    LOGNORMAL or NORMAL, that the quotes behind `vols` are of; empty without
    """

    curve: MonthlyCurve
    shocks: Floats
    shapes: Mapping[str, MarketBasis] = field(default_factory=dict)
    vols: Floats | None = None
    vol_kind: str = ""

    def load(self, shape_code: str) -> MarketBasis | None:
        """Return curve and shocks of a load, None where no quote of the curve speaks of it."""
        return self if shape_code == BASE else self.shapes.get(shape_code)


@dataclass(frozen=True, slots=True)
class Basis:
    """
    A snapshot with its scenarios. Vectors are comparable and additive within one basis only.

    id          of the `MarketSnapshot`, 0 of one that is written nowhere
    known_at    real time: what was recorded later counts in the next snapshot; models,
                volatilities, interest and fixings beside the curves are read by this cut
    markets     by market id; a market without an entry cannot be valued
    rates       by base and quote; money of a pair without an entry cannot be converted
    """

    id: int
    valued_at: datetime
    known_at: datetime
    scenario_count: int
    tenors: int
    horizon_days: int
    method: str
    markets: Mapping[int, MarketBasis]
    rates: Mapping[tuple[str, str], Exchange] = field(default_factory=dict)

    def converts(self, base: str, quote: str) -> bool:
        """Say whether there is a rate from one currency to another."""
        return base == quote or (base, quote) in self.rates

    def converted(self, value: float, pnl: Floats, base: str, quote: str) -> tuple[float, Floats]:
        """
        Return a value and its P&L vector in another currency, by each scenario's own rate.

        :raises KeyError: without a rate.
        """
        if base == quote:
            return value, pnl
        from risk.engine import in_currency

        return in_currency(value, pnl, self.rates[base, quote])

    def held_rates(self, base: str, quote: str) -> str:
        """Return a sentence about a pair whose history has holes, empty without."""
        exchange = self.rates.get((base, quote))
        if exchange is None or not exchange.held:
            return ""
        if exchange.is_constant:
            return (
                f"{base}/{quote} has no history: it is held at {exchange.rate:g} in every scenario."
            )
        return (
            f"{base}/{quote} has no history for {exchange.held} of {self.scenario_count}"
            f" scenarios, which hold it at {exchange.rate:g}."
        )

    def zeros(self) -> Floats:
        import numpy as np

        return np.zeros(self.scenario_count)


def latest_basis() -> Basis | None:
    """Return the basis that new scopes start on, None while there is none."""
    rows = (
        MarketSnapshot.objects.filter(is_live=True)
        .order_by("-id")
        .values_list("id", "content_hash")
    )
    row = rows.first()
    return None if row is None else _load(*row)


def basis(snapshot_id: int) -> Basis:
    """Return the basis of a snapshot; a snapshot never changes, so it is read once a process."""
    content_hash = MarketSnapshot.objects.values_list("content_hash", flat=True).get(pk=snapshot_id)
    return _load(snapshot_id, content_hash)


@lru_cache(maxsize=8)
def _load(snapshot_id: int, content_hash: str) -> Basis:
    from risk.engine import Exchange, month_number

    snapshot = MarketSnapshot.objects.select_related("scenario_set").get(pk=snapshot_id)
    scenarios = snapshot.scenario_set
    count, tenors = len(scenarios.days), scenarios.tenors
    nodes = {
        (row.market_id, row.load): Moves(
            from_bytes(row.values).reshape(count, tenors), row.rule, row.displacement
        )
        for row in scenarios.shocks.all()
    }
    rows: dict[int, dict[str, SnapshotCurve]] = defaultdict(dict)
    for row in snapshot.curves.select_related("market"):
        rows[row.market_id][row.load] = row
    curves = {}
    for market_id, by_load in rows.items():
        market = next(iter(by_load.values())).market
        day = Calendar(market.time_zone, market.day_start).date_of(snapshot.valued_at)
        curves[market_id] = CurveParts(
            month_number(day),
            {
                load: (from_bytes(row.prices), from_bytes(row.hours))
                for load, row in by_load.items()
            },
        )
    return Basis(
        id=snapshot.pk,
        valued_at=snapshot.valued_at,
        known_at=snapshot.recorded_at,
        scenario_count=count,
        tenors=tenors,
        horizon_days=scenarios.horizon_days,
        method=scenarios.method,
        markets=market_bases(
            nodes,
            curves,
            {
                row.market_id: (row.kind, from_bytes(row.values).reshape(count, tenors))
                for row in scenarios.vols.all()
            },
        ),
        rates={
            (row.base, row.quote): Exchange(row.rate, from_bytes(row.changes), row.held)
            for row in snapshot.rates.all()
        },
    )


def market_bases(
    nodes: Mapping[tuple[int, str], Moves],
    curves: Mapping[int, CurveParts],
    vols: Mapping[int, tuple[str, Floats]],
) -> dict[int, MarketBasis]:
    """
    Return each market that has a curve and moves of base: moves by their rule on the curve.

    nodes   by market id and load
    vols    kind and what is added, by market id

    :raises ScenarioError: naming the tenor whose price a rule cannot take.
    """
    from risk.engine import MonthlyCurve

    markets = {}
    for market_id, parts in curves.items():
        if (market_id, BASE) not in nodes or BASE not in parts.loads:
            continue
        own = {
            load: moves.on(parts.loads[load][0])
            for (held, load), moves in nodes.items()
            if held == market_id and load in parts.loads
        }
        hours = {load: found for load, (_, found) in parts.loads.items()}
        by_load = {
            load: MonthlyCurve(origin=parts.origin, prices=prices)
            for load, (prices, _) in parts.loads.items()
        }
        kind, added = vols.get(market_id, ("", None))
        markets[market_id] = MarketBasis(
            curve=by_load[BASE],
            shocks=own[BASE],
            shapes={
                load: MarketBasis(
                    curve=curve, shocks=load_shocks(load, own, hours), vols=added, vol_kind=kind
                )
                for load, curve in by_load.items()
                if load != BASE
            },
            vols=added,
            vol_kind=kind,
        )
    return markets


def load_shocks(load: str, nodes: Mapping[str, Floats], hours: Mapping[str, Floats]) -> Floats:
    """
    Return the shocks of a load from those of the nodes, shape (scenario, tenor).

    A node has its own. What is all hours but a node's (off-peak beside peak) takes what is left of
    base, so that hours × peak + hours × off-peak = hours × base in every scenario. Any other load
    moves with base.

    nodes       by load, BASE among them
    hours       of each load by tenor; empty or NaN where they are not known
    """
    import numpy as np

    if load in nodes:
        return nodes[load]
    base = nodes[BASE]
    own, whole = hours.get(load), hours.get(BASE)
    if own is None or whole is None or not own.size or not whole.size:
        return base
    for node, moved in nodes.items():
        other = hours.get(node)
        if node == BASE or other is None or not other.size:
            continue
        known = np.isfinite(own) & np.isfinite(other) & np.isfinite(whole)
        if known.any() and np.allclose((own + other)[known], whole[known]):
            left = base.copy()
            left[:, known] = (base * whole - moved * other)[:, known] / own[known]
            return left
    return base


def from_bytes(stored: bytes | memoryview) -> Floats:
    """Return a stored array; read-only."""
    import numpy as np

    return np.frombuffer(stored, dtype=STORED).astype(np.float64)


def to_bytes(values: Floats) -> bytes:
    """Return an array as it is stored."""
    import numpy as np

    return np.ascontiguousarray(values, dtype=STORED).tobytes()
