"""Sets of scenarios for people: which there are, how each market moves, and what stood in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.db.models import Count, OuterRef, QuerySet, Subquery

from energyopti.accounts.actors import Actor
from risk.models import (
    MarketSnapshot,
    MoveRule,
    ScenarioComparison,
    ScenarioProxy,
    ScenarioSet,
    ScenarioShocks,
    SnapshotRate,
)
from trading.queries.books import books_for
from trading.queries.quotes import BASE

from .bases import from_bytes
from .scenario_definitions import VIEW

if TYPE_CHECKING:
    from .bases import Floats

# Months ahead whose moves are told; what the set does not reach is left out.
TOLD = (0, 1, 2, 3, 6, 12, 24, 36)
WORST = 10


class UnknownSet(LookupError):
    """There is no such set of scenarios."""


class UnknownComparison(LookupError):
    """There is no such comparison for this actor."""


@dataclass(frozen=True, slots=True)
class TenorMoves:
    """
    How the price of a month so far ahead moves over the scenarios, in `MarketMoves.unit`.

    low, high   the 1 % and 99 % quantile, linear between order statistics
    """

    tenor: int
    deviation: float
    lowest: float
    low: float
    high: float
    highest: float


@dataclass(frozen=True, slots=True)
class DayMove:
    """What a scenario does to the months told, and to the mean of all."""

    day: date
    mean: float
    moves: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class MarketMoves:
    """
    The base moves of one market in a set.

    unit        currency/MWh, or % where moves are shares or logarithms
    tenors      months ahead that `DayMove.moves` is of
    worst       days of the largest mean moves either way, the largest first
    """

    market: str
    rule: str
    unit: str
    tenors: tuple[TenorMoves, ...]
    days: tuple[DayMove, ...]
    worst: tuple[DayMove, ...]


@dataclass(frozen=True, slots=True)
class RegisterEntry:
    """
    What stood in for a history, as `risk.models.ScenarioProxy`; of exchange rates the pair.

    months      in words
    """

    kind: str
    of: str
    months: str
    stands_in: str
    why: str
    scenarios: int
    correlation: float | None
    ratio: float | None
    compared: int


def scenario_sets(actor: Actor) -> QuerySet[ScenarioSet]:
    """
    Return every set, the latest first, with `markets` and `entries` of its register counted.

    :raises PermissionMissing: without `risk.view_scenariodefinition`, as all readers here.
    """
    actor.require(VIEW)

    def counted(model: type[ScenarioShocks] | type[ScenarioProxy], what: str) -> Subquery:
        rows = model.objects.filter(scenario_set=OuterRef("pk")).order_by()
        return Subquery(
            rows.values("scenario_set").annotate(n=Count(what, distinct=True)).values("n")
        )

    return (
        ScenarioSet.objects.select_related("definition")
        .annotate(markets=counted(ScenarioShocks, "market"), entries=counted(ScenarioProxy, "pk"))
        .order_by("-id")
    )


def set_of(actor: Actor, set_id: int) -> ScenarioSet:
    """
    Return a set.

    :raises UnknownSet: without one.
    """
    found = scenario_sets(actor).filter(pk=set_id).first()
    if found is None:
        raise UnknownSet("scenario set: there is no such set.")
    return found


def markets_of(scenarios: ScenarioSet) -> list[str]:
    """Return the codes of the markets of a set, ascending."""
    codes = scenarios.shocks.filter(load=BASE).values_list("market__code", flat=True)
    return sorted(codes)


def moves_of(scenarios: ScenarioSet, market_code: str) -> MarketMoves | None:
    """Return how a market moves in a set, None where it is not in it."""
    import numpy as np

    row = (
        scenarios.shocks.filter(load=BASE, market__code=market_code)
        .select_related("market")
        .first()
    )
    if row is None:
        return None
    values = from_bytes(row.values).reshape(len(scenarios.days), scenarios.tenors)
    unit = f"{row.market.currency}/{row.market.price_unit}"
    if row.rule != MoveRule.ABSOLUTE:
        values, unit = 100 * values, "%"
    told = [tenor for tenor in TOLD if tenor < scenarios.tenors]
    tenors = [_tenor(tenor, values[:, tenor]) for tenor in told]
    means = values.mean(axis=1)
    days = [
        DayMove(day, mean, tuple(moves))
        for day, mean, moves in zip(
            scenarios.days, means.tolist(), values[:, told].tolist(), strict=True
        )
    ]
    order = np.argsort(-np.abs(means), kind="stable")[:WORST].tolist()
    return MarketMoves(
        market_code, row.get_rule_display(), unit, tuple(tenors), tuple(days),
        tuple(days[n] for n in order),
    )  # fmt: skip


def _tenor(tenor: int, values: Floats) -> TenorMoves:
    import numpy as np

    low, high = np.quantile(values, (0.01, 0.99)).tolist()
    return TenorMoves(
        tenor, float(values.std()), float(values.min()), low, high, float(values.max())
    )


def register_of(scenarios: ScenarioSet) -> list[RegisterEntry]:
    """Return what stood in for histories in a set, its latest snapshot's exchange rates too."""
    rows = scenarios.proxies.select_related("market").order_by(
        "kind", "market__code", "load", "first_tenor", "id"
    )
    found = [
        RegisterEntry(
            row.get_kind_display(),
            row.market.code if row.load == BASE else f"{row.market.code} {row.load.lower()}",
            _months(row.first_tenor, row.last_tenor),
            row.stands_in, row.why, row.scenarios, row.correlation, row.ratio, row.compared,
        )
        for row in rows
    ]  # fmt: skip
    latest = MarketSnapshot.objects.filter(scenario_set=scenarios).order_by("-id").first()
    if latest is not None:
        rates = SnapshotRate.objects.filter(snapshot=latest, held__gt=0).order_by("base", "quote")
        found += [
            RegisterEntry(
                "Exchange rate", f"{rate.base}/{rate.quote}", "all",
                "the rate of the valuation, which is held",
                "no rate was known on both of a scenario's days", rate.held, None, None, 0,
            )
            for rate in rates
        ]  # fmt: skip
    return found


def _months(first: int | None, last: int | None) -> str:
    if first is None or last is None:
        return "all"
    return f"+{first}" if first == last else f"+{first} to +{last}"


def comparison_of(actor: Actor, comparison_id: int) -> ScenarioComparison:
    """
    Return what a book's risk would be under two definitions.

    :raises UnknownComparison: for none, and for one of a book that the actor does not reach.
    """
    actor.require(VIEW)
    found = (
        ScenarioComparison.objects.select_related("book", "first", "second")
        .filter(pk=comparison_id)
        .first()
    )
    if found is None or found.book_id not in {row.id for row in books_for(actor)}:
        raise UnknownComparison("comparison: there is no such comparison.")
    return found


def comparisons(actor: Actor, *, count: int = 10) -> list[ScenarioComparison]:
    """Return the latest comparisons of the actor's books, the latest first."""
    actor.require(VIEW)
    books = [row.id for row in books_for(actor)]
    rows = ScenarioComparison.objects.select_related("book", "first", "second")
    return list(rows.filter(book_id__in=books).order_by("-id")[:count])
