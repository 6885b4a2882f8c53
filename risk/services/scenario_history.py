"""Turn the quotes' history into the moves of one definition, with a register of what stood in."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from energyopti.foundation.calendars import Calendar
from risk.engine import (
    ContractQuote,
    Garch,
    Likeness,
    QuoteDay,
    ScenarioError,
    ShockMapping,
    ShockRule,
    TenorShocks,
    filtered_returns,
    likeness,
    month_number,
    paired_shocks,
    tenor_shocks,
)
from risk.models import (
    MoveMapping,
    ProxyKind,
    ProxyRule,
    ScenarioDefinition,
    ScenarioProxy,
    ScenarioRule,
    Weighting,
)
from risk.queries.bases import Moves
from risk.queries.scenario_definitions import default_rule
from trading.queries.markets import markets_by_id
from trading.queries.marks import MarketMarks
from trading.queries.quote_days import DayOfQuotes, quote_days
from trading.queries.quotes import BASE

if TYPE_CHECKING:
    from risk.queries.bases import Floats
    from trading.models import Market

# Below a hundred scenarios the 99 % quantile is the worst of them, whatever it is.
FEWEST_SCENARIOS = 100
# Below twenty common moves a ratio of volatilities says little.
FEWEST_COMMON = 20
TENORS = 72

Node = tuple[int, str]


class NoBasis(ValueError):
    """There is nothing to value on: no curve, or no market with enough quoted days."""


@dataclass(frozen=True, slots=True)
class History:
    """
    The moves of all markets that take part, on the same days.

    spans       earlier and later day of each scenario, ascending
    nodes       by market id and load, as the definition's rule has them, filtered
    proxies     not saved yet
    left_out    sentences about markets that cannot take part
    """

    spans: tuple[tuple[date, date], ...]
    nodes: Mapping[Node, Moves]
    proxies: tuple[ScenarioProxy, ...]
    left_out: tuple[str, ...]

    @property
    def days(self) -> tuple[date, ...]:
        return tuple(after for _, after in self.spans)


@dataclass
class _Work:
    """What is known while a history is built."""

    definition: ScenarioDefinition
    rules: Sequence[ScenarioRule]
    marks: Mapping[int, MarketMarks]
    valued_at: datetime
    markets: Mapping[int, Market]
    found: dict[Node, TenorShocks] = field(default_factory=dict)
    proxies: list[ScenarioProxy] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def rule(self, market_id: int) -> ScenarioRule:
        own = (rule for rule in self.rules if rule.market_id == market_id)
        return next(own, default_rule(self.rules))

    def days(self, market_id: int, load: str = BASE) -> list[DayOfQuotes]:
        first, last = self.definition.window_from, self.definition.window_until
        as_of = self.valued_at
        if last is not None:
            # The last local day has ended everywhere; what is of the next is left out below.
            as_of = min(as_of, datetime.combine(last + timedelta(days=2), time(), UTC))
        days = quote_days(
            market_id=market_id,
            as_of=as_of,
            # Twice as many, because days on which only some markets quoted drop out.
            days=2 * self.definition.scenarios,
            load=load,
        )
        return [
            day
            for day in days
            if (first is None or day.day >= first) and (last is None or day.day <= last)
        ]

    def terms(self, market_id: int) -> dict[str, object]:
        rule = self.rule(market_id)
        return {
            "tenors": TENORS,
            "rule": ShockRule(rule.rule),
            "displacement": rule.displacement,
            "mapping": ShockMapping(rule.mapping),
            "origin": month_number(self.markets[market_id].calendar.date_of(self.valued_at)),
        }


def history_of(
    definition: ScenarioDefinition, marks: Mapping[int, MarketMarks], valued_at: datetime
) -> History:
    """
    Return the moves that a definition makes of what was quoted until an instant.

    Markets take part that have at least 100 moves on days that all of them quoted, or a proxy
    that does; at most the last of the definition's number become scenarios.

    :raises NoBasis: if no market can take part, or a rule cannot take a price, naming it.
    """
    work = _Work(definition, list(definition.rules.all()), marks, valued_at, markets_by_id(marks))
    horizon = definition.horizon_days
    histories: dict[int, list[DayOfQuotes]] = {}
    for market_id, mark in marks.items():
        if work.rule(market_id).proxy_market_id is not None:
            continue
        days = work.days(market_id)
        if len(days) >= FEWEST_SCENARIOS + horizon:
            histories[market_id] = days
        else:
            work.left_out.append(
                f"{mark.market_code} has {len(days)} quoted days; "
                f"{FEWEST_SCENARIOS + horizon} are the least for scenarios."
            )
    if not histories:
        raise NoBasis(" ".join(work.left_out))
    common = sorted(set.intersection(*({d.day for d in days} for days in histories.values())))
    count = min(definition.scenarios, len(common) - horizon)
    if count < FEWEST_SCENARIOS:
        raise NoBasis(
            f"The markets share {len(common)} quoted days;"
            f" {FEWEST_SCENARIOS + horizon} are the least."
        )
    shared = set(common)
    for market_id, days in histories.items():
        mark = marks[market_id]
        try:
            work.found[market_id, BASE] = tenor_shocks(
                [quote_day(d) for d in days if d.day in shared],
                month_hours(mark.time_zone),
                scenarios=count,
                horizon=horizon,
                **work.terms(market_id),  # type: ignore[arg-type]  # by the names of its arguments
            )
        except ScenarioError as error:
            raise NoBasis(f"{mark.market_code}: {error}") from error
    days_of = {shocks.days for shocks in work.found.values()}
    if len(days_of) > 1:
        raise NoBasis("The markets' scenarios are not of the same days.")
    spans = [(common[bisect_left(common, day) - horizon], day) for day in days_of.pop()]
    for market_id in histories:
        _add_gaps(work, market_id, BASE, work.found[market_id, BASE])
        _add_loads(work, market_id, spans)
    for market_id in marks:
        if work.rule(market_id).proxy_market_id is not None:
            _add_by_proxy(work, market_id, spans)
    nodes = {
        (market_id, load): Moves(
            filtered(shocks.values, definition),
            work.rule(market_id).rule,
            work.rule(market_id).displacement,
        )
        for (market_id, load), shocks in work.found.items()
    }
    return History(tuple(spans), nodes, tuple(work.proxies), tuple(work.left_out))


def filtered(values: Floats, definition: ScenarioDefinition) -> Floats:
    """
    Return moves as a definition weights them, shape (scenario, …) as given.

    GARCH targets the variance of each series' own moves, so ω = (1 − α − β) × that.
    """
    if definition.weighting == Weighting.NONE:
        return values
    if definition.weighting == Weighting.EWMA:
        assert definition.decay is not None, "a constraint of its table"
        return filtered_returns(values, Garch.ewma(definition.decay))
    alpha, beta = definition.garch_alpha, definition.garch_beta
    assert alpha is not None and beta is not None, "a constraint of its table"
    size = np.sqrt(np.mean(values**2, axis=0))
    unit = np.divide(values, size, out=np.zeros_like(values), where=size > 0)
    return filtered_returns(unit, Garch(1.0 - alpha - beta, alpha, beta)) * size


def _add_gaps(work: _Work, market_id: int, load: str, shocks: TenorShocks) -> None:
    by_contract = work.rule(market_id).mapping == MoveMapping.CONTRACT
    for gap in shocks.gaps():
        like = Likeness(None, None, 0) if by_contract else gap.like
        work.proxies.append(
            ScenarioProxy(
                kind=ProxyKind.TENOR, market_id=market_id, load=load, first_tenor=gap.first,
                last_tenor=gap.last, scenarios=gap.missing, correlation=like.correlation,
                ratio=like.ratio, compared=like.compared,
                stands_in="the month as far ahead as it is now" if by_contract
                else "the next later month quoted that day; past the last, that one",
                why="no contract of these months was quoted on both days",
            )
        )  # fmt: skip


def _add_loads(work: _Work, market_id: int, spans: Sequence[tuple[date, date]]) -> None:
    """Make each load that was quoted on every day of the scenarios a node of its own."""
    mark = work.marks[market_id]
    wanted = {day for span in spans for day in span}
    nodes: dict[Node, TenorShocks] = {}
    some: dict[str, TenorShocks] = {}
    for load in mark.shape_codes():
        hours = mark.hours.get(load, {})
        if load == BASE or not hours:
            continue
        by_day = {
            day.day: quote_day(day) for day in work.days(market_id, load) if day.day in wanted
        }
        pairs = [(by_day[a], by_day[b]) for a, b in spans if a in by_day and b in by_day]
        try:
            shocks = paired_shocks(pairs, _load_hours(hours), **work.terms(market_id))  # type: ignore[arg-type]  # as above
        except ScenarioError as error:
            raise NoBasis(f"{mark.market_code} {load}: {error}") from error
        some[load] = shocks
        if len(shocks.days) == len(spans):
            nodes[market_id, load] = shocks
    # Off-peak beside peak would be one node too many: it is what the two others leave.
    kept = _independent(mark, nodes)
    work.found |= kept
    for (_, load), shocks in kept.items():
        _add_gaps(work, market_id, load, shocks)
    base = work.found[market_id, BASE]
    place = {day: n for n, day in enumerate(base.days)}
    for load in sorted(set(mark.shape_codes()) - {BASE} - {node for _, node in kept}):
        if _is_rest(mark, load, kept):
            continue
        known = some.get(load)
        like = Likeness(None, None, 0)
        if known is not None and known.days:
            beside = base.values[[place[day] for day in known.days]]
            like = _over_days(known.values, beside)
        work.proxies.append(
            ScenarioProxy(
                kind=ProxyKind.LOAD, market_id=market_id, load=load, scenarios=len(spans),
                stands_in="the moves of base",
                why="it was not quoted on every day of the scenarios",
                correlation=like.correlation, ratio=like.ratio, compared=like.compared,
            )
        )  # fmt: skip


def _add_by_proxy(work: _Work, market_id: int, spans: Sequence[tuple[date, date]]) -> None:
    """Take a market's own moves where it was quoted, and its proxy's on the other days."""
    mark, rule = work.marks[market_id], work.rule(market_id)
    other = rule.proxy_market
    assert other is not None and rule.proxy_market_id is not None, "asked for by the caller"
    proxy = work.found.get((rule.proxy_market_id, BASE))
    if proxy is None:
        work.left_out.append(
            f"{mark.market_code} goes by {other.code}, which has no history itself."
        )
        return
    by_day = {day.day: quote_day(day) for day in work.days(market_id)}
    pairs = [(by_day[a], by_day[b]) for a, b in spans if a in by_day and b in by_day]
    try:
        own = paired_shocks(pairs, month_hours(mark.time_zone), **work.terms(market_id))  # type: ignore[arg-type]  # as above
    except ScenarioError as error:
        raise NoBasis(f"{mark.market_code}: {error}") from error
    place = {after: n for n, (_, after) in enumerate(spans)}
    rows = [place[day] for day in own.days]
    scale = np.ones(TENORS)
    if rule.proxy_rule == ProxyRule.SCALED:
        if len(rows) < FEWEST_COMMON:
            work.left_out.append(
                f"{mark.market_code} and its proxy {other.code} share {len(rows)} moves;"
                f" {FEWEST_COMMON} are the least for a ratio of volatilities."
            )
            return
        sizes = [np.sqrt(np.mean(v**2, axis=0)) for v in (own.values, proxy.values[rows])]
        np.divide(sizes[0], sizes[1], out=scale, where=sizes[1] > 0)
    values = proxy.values * scale
    values[rows] = own.values
    is_own = np.ones_like(values, dtype=bool)
    is_own[rows] = own.own
    shocks = TenorShocks(values, tuple(after for _, after in spans), is_own)
    work.found[market_id, BASE] = shocks
    _add_gaps(work, market_id, BASE, shocks)
    # A load of it has no node: what stands in for base speaks for no load.
    for load in sorted(set(mark.shape_codes()) - {BASE}):
        work.proxies.append(
            ScenarioProxy(
                kind=ProxyKind.LOAD, market_id=market_id, load=load, scenarios=len(spans),
                stands_in="the moves of base", why="the market goes by a proxy",
            )
        )  # fmt: skip
    if len(rows) == len(spans):
        return
    like = _over_days(own.values, proxy.values[rows])
    by = "by the ratio of volatilities" if rule.proxy_rule == ProxyRule.SCALED else "as they are"
    work.proxies.append(
        ScenarioProxy(
            kind=ProxyKind.MARKET, market_id=market_id, scenarios=len(spans) - len(rows),
            stands_in=f"the moves of {other.code} {by}",
            why=f"{mark.market_code} was quoted on {len(rows)} of {len(spans)} days and the one"
            " before",
            correlation=like.correlation, ratio=like.ratio, compared=len(rows),
        )
    )  # fmt: skip


def _over_days(own: Floats, other: Floats) -> Likeness:
    """Return how the moves of all tenors went together; `compared` counts days."""
    like = likeness(own.ravel(), other.ravel())
    return Likeness(like.correlation, like.ratio, len(own))


def _load_hours(hours: Mapping[date, float]) -> Callable[[int], float]:
    """
    Return a function from month number to a load's hours: contracts are means over them.

    Months of the history that the curve no longer has take the mean of those that it has.
    """
    usual = sum(hours.values()) / len(hours)
    by_month = {month_number(month): value for month, value in hours.items()}
    return lambda number: by_month.get(number, usual)


def _independent(mark: MarketMarks, nodes: dict[Node, TenorShocks]) -> dict[Node, TenorShocks]:
    kept: dict[Node, TenorShocks] = {}
    for (market_id, load), shocks in sorted(nodes.items(), key=lambda item: item[0][1] != "PEAK"):
        if not _is_rest(mark, load, kept):
            kept[market_id, load] = shocks
    return kept


def _is_rest(mark: MarketMarks, load: str, nodes: Mapping[Node, TenorShocks]) -> bool:
    """Say whether a load is what one of some nodes leaves of all hours."""
    own, base = mark.hours.get(load, {}), mark.hours.get(BASE, {})
    return bool(own) and any(
        all(
            abs(own[month] + mark.hours[other].get(month, 0.0) - base.get(month, 0.0)) < 1e-6
            for month in own
        )
        for _, other in nodes
    )


def quote_day(day: DayOfQuotes) -> QuoteDay:
    return QuoteDay(
        day.day,
        tuple(ContractQuote(month_number(c.first), c.months, c.price) for c in day.contracts),
    )


def month_hours(time_zone: str) -> Callable[[int], float]:
    """Return a function from month number to base hours in a zone, each computed once."""
    calendar = Calendar(time_zone)

    @cache
    def hours(number: int) -> float:
        year, month = divmod(number, 12)
        return float(calendar.month(year, month + 1).hours)

    return hours
