"""Risk runs as pages and the API show them: lists, state, components, scenarios, staleness."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Case, F, QuerySet, Value, When

from energyopti.accounts.actors import Actor
from energyopti.foundation.jobs.models import JobState
from risk.models import MarketSnapshot, RiskRun, RiskRunNumber, RiskRunOutcome, ScopeVector
from trading.queries.books import book_ids

from .bases import from_bytes

if TYPE_CHECKING:
    from .bases import Floats
    from .run_files import Component

VIEW = "risk.view_risk"
SHOWN_SCENARIOS = 20
RUN_STATES = {
    "DONE": "Done",
    **{key: words for key, words in JobState.choices if key != "SUCCEEDED"},
}


class UnknownRun(LookupError):
    """There is no such run, or part of it, for this actor."""


def runs_for(actor: Actor) -> QuerySet[RiskRun]:
    """
    Return the runs of the actor's books, with job and outcome; `state` is DONE or the job's.

    :raises PermissionMissing: without `risk.view_risk`, as all readers here.
    """
    actor.require(VIEW)
    return (
        RiskRun.objects.filter(book_id__in=book_ids(actor))
        .select_related("book", "snapshot", "job", "outcome")
        .annotate(
            state=Case(
                When(outcome__isnull=False, then=Value("DONE")),
                # Its job ended well without it: only where somebody wrote past the services.
                When(job__state=JobState.SUCCEEDED, then=Value("FAILED")),
                default=F("job__state"),
            )
        )
    )


def run_for(actor: Actor, run_id: UUID) -> RiskRun:
    """
    Return a run.

    :raises UnknownRun: if the actor reaches no such run.
    """
    found = runs_for(actor).filter(pk=run_id).first()
    if found is None:
        raise UnknownRun(f"run: there is no risk run {run_id} for you.")
    return found


def outcome_of(run: RiskRun) -> RiskRunOutcome:
    """
    Return what a run found.

    :raises UnknownRun: while it has not been made, or if it never was.
    """
    outcome = getattr(run, "outcome", None)
    if outcome is None:
        raise UnknownRun("run: it has no results; see the state of its job.")
    return outcome


def numbers_of(outcome: RiskRunOutcome) -> list[RiskRunNumber]:
    """Return the numbers of a run, the highest confidence first."""
    return list(outcome.numbers.order_by("-confidence"))


def chosen_confidence(run: RiskRun, asked: str) -> Decimal:
    """
    Return one of a run's confidences; the highest if nothing is asked for.

    :raises UnknownRun: for one that the run does not have.
    """
    held = sorted(run.confidences, reverse=True)
    if not asked:
        return held[0]
    found = next(
        (one for one in held if f"{one.normalize():f}" == asked or str(one) == asked), None
    )
    if found is None:
        raise UnknownRun(f"confidence: the run has no {asked[:20]}.")
    return found


def components_in(
    outcome: RiskRunOutcome, dimension: str, confidence: Decimal, **equal: str
) -> Iterator[Component]:
    """Yield the components of a dimension at a confidence, in the order of their keys."""
    from .run_files import read_components

    with outcome.components.open("rb") as file:
        yield from read_components(
            file, dimension=dimension, confidence=f"{confidence.normalize():f}", **equal
        )


def all_components(outcome: RiskRunOutcome) -> Iterator[Component]:
    """Yield every component of a run, of all dimensions and confidences, and the parts."""
    from .run_files import read_components

    with outcome.components.open("rb") as file:
        yield from read_components(file)


@dataclass(frozen=True, slots=True)
class ScenarioRow:
    """
    One scenario of a run.

    position    in the run's scenarios, from 0
    rank        1 is the worst
    day         later day of the historical move, None of a simulated path
    pnl         of the whole, gains positive
    own         of the trade that was asked for, None without one
    share       own / pnl, None where the whole gains and loses nothing
    """

    position: int
    rank: int
    day: date | None
    pnl: float
    own: float | None = None
    share: float | None = None

    @property
    def name(self) -> str:
        return f"{self.day:%Y-%m-%d}" if self.day else f"Path {self.position + 1}"


def scenarios_of(
    run: RiskRun, *, trade: str = "", count: int | None = SHOWN_SCENARIOS
) -> list[ScenarioRow]:
    """
    Return the worst scenarios of a run, worst first; of a trade, by its own P&L.

    count   at most so many; None: all that are kept

    :raises UnknownRun: for a run without results, or a trade that it has not.
    """
    import numpy as np

    outcome = outcome_of(run)
    whole = from_bytes(outcome.pnl)
    if not whole.size:
        return []
    days = run.snapshot.scenario_set.days if run.method == "HISTORICAL" else None
    rank = np.empty(whole.size, dtype=np.int64)
    rank[np.argsort(whole, kind="stable")] = np.arange(1, whole.size + 1)
    kept = np.arange(whole.size) if outcome.kept is None else np.array(outcome.kept, dtype=int)
    own = pnl_of_trade(outcome, trade) if trade else None
    by = whole[kept] if own is None else own
    order = np.argsort(by, kind="stable")[:count]
    return [
        ScenarioRow(
            position=(at := int(kept[place])),
            rank=int(rank[at]),
            day=days[at] if days else None,
            pnl=float(whole[at]),
            own=None if own is None else float(own[place]),
            share=None if own is None or not whole[at] else float(own[place] / whole[at]),
        )
        for place in order.tolist()
    ]


def trades_in_scenario(
    run: RiskRun, position: int, *, count: int = SHOWN_SCENARIOS
) -> list[tuple[str, float]]:
    """
    Return what trades gain in one scenario, worst first: reference and P&L.

    :raises UnknownRun: for a scenario that is not kept.
    """
    outcome = outcome_of(run)
    kept = outcome.kept
    place = position if kept is None else (kept.index(position) if position in kept else -1)
    rows = [(ref, pnl) for ref, pnl in pnl_of_trades(outcome).items() if 0 <= place < pnl.size]
    if not rows:
        raise UnknownRun(f"scenario: the run keeps no scenario {position} of trades.")
    found = sorted(((ref, float(pnl[place])) for ref, pnl in rows), key=lambda row: row[1])
    return found[:count]


def pnl_of_trades(outcome: RiskRunOutcome) -> dict[str, Floats]:
    """Return the P&L of each trade in the kept scenarios, by reference."""
    from .run_files import read_pnl

    with outcome.matrix.open("rb") as file:
        return read_pnl(file)


def pnl_of_trade(outcome: RiskRunOutcome, ref: str) -> Floats:
    """
    Return the P&L of one trade in the kept scenarios.

    :raises UnknownRun: if the run has no such trade.
    """
    from .run_files import read_pnl

    with outcome.matrix.open("rb") as file:
        found = read_pnl(file, [ref])
    if ref not in found:
        raise UnknownRun(f"trade: the run has no trade {ref[:20]}.")
    return found[ref]


def staleness_of(run: RiskRun) -> str:
    """Say why a run is not the latest word on its book; empty while it is. Four queries."""
    later = RiskRun.objects.filter(
        book_id=run.book_id, requested_at__gt=run.requested_at, method=run.method
    )
    if later.filter(outcome__isnull=False).exists():
        return "A later run of this book and method is done."
    if later.exclude(job__state__in=[JobState.QUEUED, JobState.RUNNING]).exists():
        return "A later run ended without results; this is the last good one."
    snapshots = MarketSnapshot.objects.filter(is_live=True, valued_at__gt=run.snapshot.valued_at)
    if snapshots.exists():
        return "There are later curves than those that it stands on."
    changed = ScopeVector.objects.filter(book_id=run.book_id, changed_at__gt=run.known_at)
    if changed.exists():
        return "Trades of the book have changed since."
    return ""
