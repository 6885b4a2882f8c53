"""
Why the VaR of two runs of a book differs: which trades, and which inputs.

Of two historical runs the change is split by taking away and putting in, in this order, each step
the difference of two VaRs by order statistic, so that the steps sum to the change exactly:
trades that ended leave, on the earlier market; amended ones leave as they were; what is in both
unchanged goes from the earlier market, time and scenarios to the later; amended ones come back as
they are now; new ones come in. On the same snapshot the market's step is zero. Runs that keep no
P&L of trades in every scenario are compared by components alone, which sum to what components sum
to and not to the order statistic.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from risk.models import RiskRun, RiskRunNumber, RiskRunOutcome, RunMethod

from .run_files import Component
from .runs import UnknownRun, chosen_confidence, components_in, outcome_of, pnl_of_trades
from .scopes import rule_of

if TYPE_CHECKING:
    from .bases import Floats

COMPARABLE = 30
SHOWN_TRADES = 200
ENDED, AMENDED, SAME, NEW = "Ended", "Amended", "Unchanged", "New"
RULE = (
    "Ended trades leave on the earlier market, amended ones leave as they were, what is unchanged"
    " goes to the later market, time and scenarios, amended ones come back, new ones come in; each"
    " step is the difference of two VaRs, so the steps sum to the change."
)
RULE_OF_COMPONENTS = (
    "By components: what each group of trades has in the later run less what it had in the earlier."
    " They sum to the change of the components' total, not of the order statistic."
)


@dataclass(frozen=True, slots=True)
class Step:
    """One cause and what it changed, a rise of VaR positive; `trades` that it is of."""

    name: str
    change: float
    trades: int


@dataclass(frozen=True, slots=True)
class TradeChange:
    """A trade in two runs: its component of VaR before and after; None where it is not in one."""

    ref: str
    group: str
    before: float | None
    after: float | None

    @property
    def change(self) -> float:
        return (self.after or 0.0) - (self.before or 0.0)


@dataclass(frozen=True, slots=True)
class Comparison:
    """
    Two runs of a book beside each other; losses positive.

    total       what the steps sum to
    rule        how the change was split, in words
    inputs      that differ: name, before and after
    """

    confidence: Decimal
    before: RiskRunNumber
    after: RiskRunNumber
    steps: tuple[Step, ...]
    total: float
    rule: str
    trades: tuple[TradeChange, ...]
    inputs: tuple[tuple[str, str, str], ...]

    @property
    def change(self) -> float:
        return self.after.var - self.before.var


def comparable_runs(run: RiskRun) -> list[RiskRun]:
    """Return the finished runs of the same book that were asked for before it, latest first."""
    earlier = RiskRun.objects.filter(
        book_id=run.book_id, requested_at__lt=run.requested_at, outcome__isnull=False
    )
    return list(
        earlier.select_related("book", "snapshot", "outcome").order_by("-requested_at")[:COMPARABLE]
    )


def compare_runs(before: RiskRun, after: RiskRun, confidence: str = "") -> Comparison:
    """
    Compare two finished runs of a book.

    :raises UnknownRun: for runs of two books, currencies or sets of confidences, or one without
        results.
    """
    if before.book_id != after.book_id:
        raise UnknownRun("with: is a run of another book.")
    first, then = outcome_of(before), outcome_of(after)
    if first.currency != then.currency:
        raise UnknownRun("with: is a run in another currency.")
    wanted = chosen_confidence(after, confidence)
    if wanted not in before.confidences:
        raise UnknownRun(f"with: the run has no confidence of {wanted.normalize():f}.")
    held = {row.key: row for row in components_in(first, "TRADE", wanted)}
    holds = {row.key: row for row in components_in(then, "TRADE", wanted)}
    groups = {ref: _group(held.get(ref), holds.get(ref)) for ref in sorted({*held, *holds})}
    both = {before.method, after.method}
    if both == {RunMethod.HISTORICAL}:
        steps, rule = _steps(first, then, groups, wanted), RULE
    else:
        steps, rule = _by_components(held, holds, groups), RULE_OF_COMPONENTS
    trades = [
        TradeChange(
            ref,
            group,
            held[ref].component_var if ref in held else None,
            holds[ref].component_var if ref in holds else None,
        )
        for ref, group in groups.items()
    ]
    trades.sort(key=lambda row: (-abs(row.change), row.ref))
    return Comparison(
        confidence=wanted,
        before=first.numbers.get(confidence=wanted),
        after=then.numbers.get(confidence=wanted),
        steps=steps,
        total=sum(step.change for step in steps),
        rule=rule,
        trades=tuple(trades[:SHOWN_TRADES]),
        inputs=tuple(_differing(first.inputs, then.inputs)),
    )


def _group(before: Component | None, after: Component | None) -> str:
    if before is None:
        return NEW
    if after is None:
        return ENDED
    return SAME if before.version == after.version else AMENDED


def _steps(
    first: RiskRunOutcome, then: RiskRunOutcome, groups: dict[str, str], confidence: Decimal
) -> tuple[Step, ...]:
    import numpy as np

    from risk.engine import tail_risk

    earlier, later = pnl_of_trades(first), pnl_of_trades(then)

    def var(pnl: dict[str, Floats], wanted: Iterable[str]) -> float:
        rows = [pnl[ref] for ref in wanted]
        if not rows:
            return 0.0
        rule = rule_of(confidence, scenarios=rows[0].size, method="", horizon_days=1)
        return tail_risk(np.sum(rows, axis=0), rule).var + 0.0

    of = {
        name: [ref for ref, own in groups.items() if own == name]
        for name in (ENDED, AMENDED, SAME, NEW)
    }
    levels = [
        var(earlier, [*of[ENDED], *of[AMENDED], *of[SAME]]),
        var(earlier, [*of[AMENDED], *of[SAME]]),
        var(earlier, of[SAME]),
        var(later, of[SAME]),
        var(later, [*of[AMENDED], *of[SAME]]),
        var(later, [*of[NEW], *of[AMENDED], *of[SAME]]),
    ]
    change = np.diff(levels).tolist()
    return (
        Step("Ended trades", change[0], len(of[ENDED])),
        Step("Market, time and scenarios", change[2], len(of[SAME])),
        Step("Amended trades", change[1] + change[3], len(of[AMENDED])),
        Step("New trades", change[4], len(of[NEW])),
    )


def _by_components(
    held: dict[str, Component], holds: dict[str, Component], groups: dict[str, str]
) -> tuple[Step, ...]:
    names = {
        ENDED: "Ended trades", SAME: "Market, time, scenarios and method",
        AMENDED: "Amended trades", NEW: "New trades",
    }  # fmt: skip
    steps = []
    for group, name in names.items():
        refs = [ref for ref, own in groups.items() if own == group]
        change = sum(
            (holds[ref].component_var if ref in holds else 0.0)
            - (held[ref].component_var if ref in held else 0.0)
            for ref in refs
        )
        steps.append(Step(name, change, len(refs)))
    return tuple(steps)


def _differing(before: dict[str, Any], after: dict[str, Any]) -> Iterable[tuple[str, str, str]]:
    flat = [{**inputs, **inputs.get("terms", {})} for inputs in (before, after)]
    for name in sorted({*flat[0], *flat[1]} - {"terms"}):
        was, now = (inputs.get(name) for inputs in flat)
        if was != now:
            yield name, _shown(was), _shown(now)


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)[:64]
