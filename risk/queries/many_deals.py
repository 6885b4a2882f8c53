"""Value many deals at once: each market, shape and month is valued once, for one unit of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from trading.checks import Proposal
from trading.deals import Delta
from trading.deals import PositionDelta as DealDelta
from trading.queries.choices import Choice
from trading.queries.positions import proposed_positions
from trading.queries.valuation import ChoiceScenarios

from .bases import Basis
from .choices import in_scenarios, problem_of, summed
from .holdings import proposed_choices
from .valuation import Valuation, value_positions

if TYPE_CHECKING:
    from .bases import Floats

Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class DealValue:
    """
    One deal on a basis, in its own currency unless it was converted.

    pnl         shape (scenario,), gains positive; of what can be valued
    problem     a sentence about the first part that cannot be, empty without one
    """

    base_value: float
    pnl: Floats
    problem: str

    def converted(self, basis: Basis, base: str, quote: str) -> DealValue:
        """Return it in another currency, by each scenario's own rate; nothing without a rate."""
        if base == quote:
            return self
        if not basis.converts(base, quote):
            why = f"There is no exchange rate {base}/{quote} beside the curves."
            return DealValue(0.0, basis.zeros(), self.problem or why)
        value, pnl = basis.converted(self.base_value, self.pnl, base, quote)
        return DealValue(value, pnl, self.problem)


@dataclass(frozen=True, slots=True)
class _Unit:
    """One unit of a market, shape and month: what it is worth, and what still comes of it."""

    value: Valuation
    count: float
    problem: str


def value_deals(proposals: Sequence[Proposal], basis: Basis) -> list[DealValue]:
    """
    Return what `value_holdings` says of each deal; of positions by linearity.

    Equal to it but for rounding: pnl is exposure × that of one unit, and the value is
    exposure × unit value − fixed × count.
    """
    units = _units(proposals, basis)
    choices = [proposed_choices(proposal) for proposal in proposals]
    flat = [one for own in choices for one in own]
    # All at once, because what they stand on is read once.
    found = iter(in_scenarios(flat, basis) if flat else ())
    return [
        _value(proposal, units, own, [next(found) for _ in own], basis)
        for proposal, own in zip(proposals, choices, strict=True)
    ]


def _value(
    proposal: Proposal, units: dict[Key, _Unit], choices: Sequence[Choice],
    found: Sequence[ChoiceScenarios], basis: Basis,
) -> DealValue:  # fmt: skip
    pnl, value, problem = basis.zeros(), 0.0, ""
    profiles: list[DealDelta] = []
    for delta in proposal.deltas:
        if not isinstance(delta, Delta):
            profiles.append(delta)
            continue
        unit = units[_key(delta)]
        if unit.problem:
            problem = problem or unit.problem
            continue
        exposure = float(delta.exposure)
        pnl += exposure * unit.value.pnl
        value += exposure * unit.value.base_value - unit.count * float(delta.fixed)
    if profiles:
        whole = value_positions(
            proposed_positions(profiles, proposal.market_ids), basis, currency=proposal.currency
        )
        pnl, value = pnl + whole.pnl, value + whole.base_value
        problem = problem or whole.problem
    if choices:
        rest = summed(choices, found, basis, currency=proposal.currency)
        pnl, value = pnl + rest.pnl, value + rest.base_value
        problem = problem or problem_of(rest.rows)
    return DealValue(value, pnl, problem)


def _units(proposals: Sequence[Proposal], basis: Basis) -> dict[Key, _Unit]:
    one, nothing = Decimal(1), Decimal(0)
    samples: dict[Key, Delta] = {}
    market_ids: dict[str, int] = {}
    for proposal in proposals:
        market_ids |= proposal.market_ids
        for delta in proposal.deltas:
            if isinstance(delta, Delta) and _key(delta) not in samples:
                samples[_key(delta)] = replace(delta, physical=nothing, exposure=one, fixed=nothing)
    positions = proposed_positions(samples.values(), market_ids)
    found = {}
    for key, position in zip(samples, positions, strict=True):
        valued = value_positions([position], basis, currency=position.currency)
        is_over = basis.valued_at >= position.end or basis.markets.get(position.market_id) is None
        count = 0.0 if is_over else position.count_from(basis.valued_at)
        found[key] = _Unit(valued, max(0.0, count), valued.problem)
    return found


def _key(delta: Delta) -> Key:
    interval = delta.interval
    return (
        delta.market, delta.currency, delta.basis, delta.unit, delta.shape, delta.shape_version,
        delta.month, interval.start, interval.end,
    )  # fmt: skip
