"""
How a node moves: what happened between two days as a number, and that number on today's level.

A rule is chosen by node, on purpose: relative moves of a price near zero explode, and turn their
sign below it, so power at zero or below moves by amounts or above a displacement.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from risk.engine._errors import ScenarioError

Floats = npt.NDArray[np.float64]


class ShockRule(StrEnum):
    """What a move is a multiple of."""

    ABSOLUTE = "ABSOLUTE"
    """Level + move; any level."""
    RELATIVE = "RELATIVE"
    """Level × (1 + move); a level above zero."""
    LOGARITHMIC = "LOGARITHMIC"
    """Level × e^move; a level above zero, and it stays there."""
    DISPLACED = "DISPLACED"
    """(Level + d) × e^move − d; a level above −d, and it stays there."""


@dataclass(frozen=True, slots=True, eq=False)
class Shocks:
    """
    The rule of each node.

    rule            (node,)
    displacement    (node,), in the unit of the level: > 0 where DISPLACED, else 0

    :raises ScenarioError: naming the node whose rule and displacement do not fit.
    """

    rule: npt.NDArray[np.str_]
    displacement: Floats

    def __post_init__(self) -> None:
        if self.rule.ndim != 1 or self.rule.shape != self.displacement.shape:
            raise ScenarioError("displacement: must be one for each rule.")
        for n, (rule, shift) in enumerate(zip(self.rule, self.displacement, strict=True)):
            if rule not in tuple(ShockRule):
                raise ScenarioError(f"rule[{n}]: {rule} must be one of {', '.join(ShockRule)}.")
            if not np.isfinite(shift) or (shift > 0) != (rule == ShockRule.DISPLACED) or shift < 0:
                asked = "above 0" if rule == ShockRule.DISPLACED else "0"
                raise ScenarioError(f"displacement[{n}]: {shift} must be {asked} for {rule}.")

    @classmethod
    def all(cls, nodes: int, rule: ShockRule, displacement: float = 0.0) -> Shocks:
        """Return one rule for every node."""
        return cls(np.full(nodes, rule.value), np.full(nodes, displacement))

    def between(self, before: npt.ArrayLike, after: npt.ArrayLike) -> Floats:
        """
        Return the move of each node from one day to the next.

        before, after   (…, node)

        :raises ScenarioError: naming the first place whose level the rule cannot take.
        """
        earlier, later = self._levels("before", before), self._levels("after", after)
        exponential = self._is(ShockRule.LOGARITHMIC, ShockRule.DISPLACED)
        moves = np.where(self._is(ShockRule.RELATIVE), _over(later, earlier) - 1, later - earlier)
        base, now = (row + self.displacement for row in (earlier, later))
        found: Floats = np.where(exponential, np.log(np.where(exponential, _over(now, base), 1)),
                                 moves)  # fmt: skip
        return found

    def applied(self, levels: npt.ArrayLike, moves: npt.ArrayLike) -> Floats:
        """
        Return levels after moves, (…, node); a move of zero changes no digit.

        levels  (node,), today
        moves   (…, node)

        :raises ScenarioError: naming the first place whose level the rule cannot take, or whose
            move is not finite.
        """
        today = self._levels("levels", levels)
        move = np.asarray(moves, dtype=np.float64)
        _check_finite("moves", move)
        found = today + move
        for rules, change in (
            ((ShockRule.RELATIVE,), lambda x: x),
            ((ShockRule.LOGARITHMIC, ShockRule.DISPLACED), np.expm1),
        ):
            chosen = self._is(*rules)
            if chosen.all():
                found = today + (today + self.displacement) * change(move)
            elif chosen.any():
                base = today[..., chosen] + self.displacement[chosen]
                found[..., chosen] = today[..., chosen] + base * change(move[..., chosen])
        return found

    def _is(self, *rules: ShockRule) -> npt.NDArray[np.bool_]:
        return np.isin(self.rule, rules)

    def _levels(self, name: str, value: npt.ArrayLike) -> Floats:
        levels = np.asarray(value, dtype=np.float64)
        if not levels.ndim or levels.shape[-1] != self.rule.size:
            raise ScenarioError(f"{name}: shape {levels.shape} must end in {self.rule.size} nodes.")
        _check_finite(name, levels)
        low = ~self._is(ShockRule.ABSOLUTE) & (levels + self.displacement <= 0)
        if low.any():
            where = np.argwhere(low)[0].tolist()
            rule, shift = self.rule[where[-1]], self.displacement[where[-1]]
            raise ScenarioError(
                f"{name}{where}: {levels[tuple(where)]} must be above {-shift + 0.0:g} for {rule}."
            )
        return levels


def _over(later: Floats, earlier: Floats) -> Floats:
    found: Floats = np.divide(later, earlier, out=np.ones_like(later), where=earlier != 0)
    return found


def _check_finite(name: str, row: Floats) -> None:
    if not np.isfinite(row).all():
        where = np.argwhere(~np.isfinite(row))[0].tolist()
        raise ScenarioError(f"{name}{where}: {row[tuple(where)]} must be finite.")
