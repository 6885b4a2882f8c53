"""
Legs with choices in scenarios of prices: on what the desk values them on, by a cut of knowledge.

Options and bounds are revalued (`trading.valuation`); of a contract with choices the stored value
moves by its stored delta and gamma, which hold what a plan or simulation found.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Protocol

from energyopti.foundation.money import Money
from trading.deals import Option, Structure
from trading.models import Market, PriceIndex, PricingFormula, StructureValue

from ..choices import Choice
from .bounds import BoundTerms, HeldBounds, bound_facts, bound_terms, placed_bounds
from .contracts import ContractKey, Universe
from .market import MarketFacts, market_facts
from .option_market import option_facts
from .options import HeldOptions, Period, decided_periods, held_legs

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from trading.valuation import MarketState

    Floats = npt.NDArray[np.float64]

_MISSING = "a price of the delivery is missing"


class Moves(Protocol):
    """What scenarios add to the prices and volatilities of delivery months; shape (scenario,)."""

    @property
    def scenarios(self) -> int: ...

    def prices(self, market_id: int, month: date, shape: str) -> Floats | None:
        """Return what is added to a load's price, None where no scenario speaks of it."""

    def volatilities(
        self, market_id: int, month: date, *, is_normal: bool, price: float
    ) -> Floats | None:
        """Return what is added to a month's volatility of a kind, None where it is held."""


@dataclass(slots=True, eq=False)
class ChoiceScenarios:
    """
    What one leg with choices is worth and gains in its own currency; of the leg, not its count.

    value       discounted, without premium and what was paid
    gain        shape (scenario,)
    problem     why it cannot be valued; value and gain are then of no use
    notes       sentences on what it stands on, and how far a proxy may be off
    """

    value: float
    gain: Floats
    problem: str = ""
    notes: list[str] = field(default_factory=list)

    def note(self, sentence: str) -> None:
        if sentence and sentence not in self.notes:
            self.notes.append(sentence)


def choices_in_scenarios(
    choices: Sequence[Choice], moves: Moves, *, as_of: datetime, known_at: datetime
) -> list[ChoiceScenarios]:
    """
    Return what legs with choices are worth at a time, and what each gains in every scenario.

    The number of queries depends on markets and currencies, not on legs.
    """
    import numpy as np

    found = [ChoiceScenarios(0.0, np.zeros(moves.scenarios)) for _ in choices]
    rights = [(n, one) for n, one in enumerate(choices) if isinstance(one.leg, Option)]
    if rights:
        _options(rights, found, moves, as_of, known_at)
    structures = [(n, one) for n, one in enumerate(choices) if isinstance(one.leg, Structure)]
    if structures:
        _structures(structures, found, moves, known_at)
    return found


def _options(
    rights: Sequence[tuple[int, Choice]], found: list[ChoiceScenarios], moves: Moves,
    as_of: datetime, known_at: datetime,
) -> None:  # fmt: skip
    universe = Universe()
    booked = sorted({one.trade_id for _, one in rights if one.trade_id is not None})
    decided: dict[Period, Money] = {}
    if booked:
        over = decided_periods(booked, as_of=as_of, known_at=known_at)
        for n, one in rights:
            for (trade_id, number, start), money in over.items():
                if (trade_id, number) == (one.trade_id, one.number):
                    decided[n, number, start] = money
    plain = [
        (n, one.number, one.leg)
        for n, one in rights
        if one.volume is None and isinstance(one.leg, Option)
    ]
    held = held_legs(universe, plain, decided)
    bounds = _bounds(universe, [row for row in rights if row[1].volume is not None], decided)
    if bounds is not None:
        held = held.plus(bounds.averages)
    for n, why in {**held.refused, **(bounds.refused if bounds else {})}.items():
        found[n].problem = why
    market = market_facts(universe, as_of=as_of, known_at=known_at)
    moved, unmoved = _moves(universe, moves)
    if universe.optionlets:
        _rights(universe, held, market, moved, unmoved, moves, found, as_of, known_at)
    if bounds is not None and bounds.trade:
        _profiles(universe, bounds, market, moved, unmoved, moves, found, as_of, known_at)


def _bounds(
    universe: Universe, rights: Sequence[tuple[int, Choice]], decided: Mapping[Period, Money]
) -> HeldBounds | None:
    if not rights:
        return None
    legs = [(n, one, one.leg) for n, one in rights if isinstance(one.leg, Option)]
    codes = {index.code for *_, leg in legs for index in leg.underlying}
    indices = {
        row.code: row for row in PriceIndex.objects.filter(code__in=codes).select_related("market")
    }
    refused: dict[int, str] = {}
    terms: list[BoundTerms] = []
    volumes = []
    for n, one, leg in legs:
        terms += bound_terms(
            n, one.number, leg.option_type, [index.code for index in leg.underlying],
            [float(strike) for strike in leg.strikes], leg.direction.sign,
            (leg.currency, leg.schedule.area.price_unit), indices, refused,
        )  # fmt: skip
        for p in one.volume or ():
            key = ContractKey(
                p.market_id, p.currency, p.basis, p.unit, p.shape, p.shape_version, p.month,
                p.start, p.end, p.minutes,
            )  # fmt: skip
            volumes.append((n, key, p.physical, p.physical_profile))
    return placed_bounds(universe, terms, volumes, refused, settled=decided)


def _moves(universe: Universe, moves: Moves) -> tuple[Floats, set[int]]:
    """Return what scenarios add to each contract, and those that no scenario speaks of."""
    import numpy as np

    rows, unmoved = np.zeros((len(universe.contracts), moves.scenarios)), set()
    for key, position in universe.keys.items():
        row = moves.prices(key.market_id, key.month, key.shape)
        if row is None:
            unmoved.add(position)
        else:
            rows[position] = row
    return rows, unmoved


def _rights(
    universe: Universe, held: HeldOptions, market: MarketFacts, moved: Floats, unmoved: set[int],
    moves: Moves, found: list[ChoiceScenarios], as_of: datetime, known_at: datetime,
) -> None:  # fmt: skip
    from trading.valuation import options_in_scenarios

    facts = option_facts(universe, market.state, as_of=as_of, known_at=known_at)
    worth = options_in_scenarios(
        universe.contracts, facts.optionlets, market.state, facts.market, moved,
        _volatility_moves(universe, facts.market.formula, market.state, moves),
    )  # fmt: skip
    keys = list(universe.optionlets)
    for n, right, quantity in zip(held.trade, held.optionlet, held.quantity, strict=True):
        one, key = found[n], keys[right]
        if not worth.priced[right]:
            why = facts.reasons.get(right) or " ".join(market.findings) or _MISSING
            one.problem = one.problem or why
            continue
        alive = key.expires_at > as_of or key.kind.is_average
        still = [row.contract for row in key.rows if universe.keys[row.contract] in unmoved]
        if alive and still:
            one.problem = one.problem or _unmoved(universe, still[0])
            continue
        one.value += quantity * float(worth.price[right])
        one.gain += quantity * worth.change[right]
        one.note(facts.notes.get(right, ""))
        if worth.payoffs[right]:
            one.note(
                f"In {int(worth.payoffs[right])} scenarios a price is not above zero, where the"
                " payoff counts; choose Bachelier or a displacement for such a market."
            )
        error = abs(quantity) * float(worth.error[right])
        if error >= 0.005:
            unit = universe.markets[key.rows[0].contract.market_id].currency
            what = "A difference of averages moves by delta and gamma"
            if not key.kind.is_average:
                what = "What early exercise adds lies on a grid of prices"
            one.note(f"{what}: measured, that is off by up to {error:,.2f} {unit}.")


def _profiles(
    universe: Universe, bounds: HeldBounds, market: MarketFacts, moved: Floats, unmoved: set[int],
    moves: Moves, found: list[ChoiceScenarios], as_of: datetime, known_at: datetime,
) -> None:  # fmt: skip
    import numpy as np

    from trading.valuation import bounds_in_scenarios

    facts = bound_facts(universe, market.state, as_of=as_of, known_at=known_at)
    keys = list(universe.bounds)
    vols = np.zeros((len(keys), moves.scenarios))
    for position, key in enumerate(keys):
        price = float(np.mean(_curve(universe, key.contract, market.state)))
        row = moves.volatilities(
            key.contract.market_id, key.contract.month, price=price,
            is_normal=facts.market.formula[position] == PricingFormula.BACHELIER,
        )  # fmt: skip
        if row is not None:
            vols[position] = row
    worth = bounds_in_scenarios(
        universe.contracts, facts.bounds, bounds.holdings(len(universe.lines)), market.state,
        facts.market, moved, vols if vols.any() else None,
    )  # fmt: skip
    errors: dict[int, float] = defaultdict(float)
    for place, (n, bound) in enumerate(zip(bounds.trade, bounds.bound, strict=True)):
        one, key = found[n], keys[bound]
        if worth.missing[place]:
            why = facts.reasons.get(bound) or " ".join(market.findings) or _MISSING
            one.problem = one.problem or why
        elif key.contract.end > as_of and universe.keys[key.contract] in unmoved:
            one.problem = one.problem or _unmoved(universe, key.contract)
        else:
            one.value += float(worth.value[place])
            one.gain += worth.change[place]
            errors[n] += float(worth.error[place])
    for n, error in errors.items():
        if error >= 0.005:
            currency = bounds.terms[0].currency
            found[n].note(
                "A floor or cap by the interval lies on a grid of prices: measured, that is off"
                f" by up to {error:,.2f} {currency}."
            )


def _curve(universe: Universe, key: ContractKey, state: MarketState) -> Any:
    position = universe.keys[key]
    return state.fine.get(position, state.marks[position : position + 1])


def _volatility_moves(
    universe: Universe, formula: Any, state: MarketState, moves: Moves
) -> Floats | None:
    """Return what scenarios add to each side's volatility, (2, rights, scenarios)."""
    import numpy as np

    rows = np.zeros((2, len(universe.optionlets), moves.scenarios))
    any_moves = False
    for position, key in enumerate(universe.optionlets):
        is_normal = formula[position] == PricingFormula.BACHELIER
        for row in key.rows:
            added = moves.volatilities(
                row.contract.market_id, row.contract.month, is_normal=is_normal,
                price=float(state.marks[universe.keys[row.contract]]),
            )  # fmt: skip
            if added is not None:
                any_moves = True
                # A normal one is per the market's unit, as its prices are.
                rows[row.side, position] += row.weight * added * (row.factor if is_normal else 1.0)
    return rows if any_moves else None


def _unmoved(universe: Universe, key: ContractKey) -> str:
    code = universe.markets[key.market_id].code
    return f"{code} {key.month:%b %Y} has no scenarios: its curve or quote history does not reach"


def _structures(
    structures: Sequence[tuple[int, Choice]], found: list[ChoiceScenarios], moves: Moves,
    known_at: datetime,
) -> None:  # fmt: skip
    stored = _stored(structures, known_at)
    codes = {row["market"] for value in stored.values() for row in _deltas(value)}
    ids = dict(Market.objects.filter(code__in=codes).values_list("code", "pk")) if codes else {}
    for n, one in structures:
        value, worth = stored.get((one.terms_id, one.number)), found[n]
        if value is None:
            worth.problem = "it has no valuation yet; one comes with the next valuation run"
        elif value.reason:
            worth.problem = value.reason
        else:
            _by_greeks(value, worth, ids, moves)


def _stored(
    structures: Iterable[tuple[int, Choice]], known_at: datetime
) -> dict[tuple[int | None, int], StructureValue]:
    """Return the latest value of each leg's terms that was known at a cut; one query."""
    terms = [one.terms_id for _, one in structures if one.terms_id is not None]
    if not terms:
        return {}
    rows = (
        StructureValue.objects.filter(version_id__in=terms, recorded_at__lte=known_at)
        .select_related("hedge_check")
        .defer("starts", "quantity", "level", "price", "cash")
        .order_by("version_id", "leg", "-as_of", "-id")
        .distinct("version_id", "leg")
    )
    return {(row.version_id, row.leg): row for row in rows}


def _deltas(value: StructureValue) -> list[dict[str, Any]]:
    """Return delta and gamma by market and month: those of the simulation where there is one."""
    simulated = {
        (row["role"], row["month"]): row["delta"]
        for row in (value.simulation or {}).get("deltas", ())
    }
    return [
        {**row, "delta": simulated.get((row["role"], row["month"]), row["delta"])}
        for row in value.hedge
    ]


def _by_greeks(
    value: StructureValue, worth: ChoiceScenarios, ids: Mapping[str, int], moves: Moves
) -> None:
    import numpy as np

    worth.value = float(value.unrealised)
    check = getattr(value, "hedge_check", None)
    again = {
        (row["role"], row["month"]): float(row["revalued"])
        for row in (check.rows if check is not None else ())
    }
    apart = np.zeros(moves.scenarios)
    for row in _deltas(value):
        month = date.fromisoformat(row["month"])
        moved = moves.prices(ids[row["market"]], month, "BASE")
        if moved is None:
            worth.problem = (
                f"{row['market']} {month:%b %Y} has no scenarios: its curve or quote history does"
                " not reach"
            )
            return
        worth.gain += float(row["delta"]) * moved + float(row["gamma"]) / 2 * moved**2
        if (row["role"], row["month"]) in again and value.simulation is None:
            apart += (again[row["role"], row["month"]] - float(row["delta"])) * moved
    said = (
        f"Value, delta and gamma are of {value.as_of.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        f" ({value.method.lower() or 'plan'})"
    )
    if value.standard_error:
        said += f", ± {value.standard_error:,.2f} {value.currency} simulated"
    if again:
        error = float(np.abs(apart).max())
        said += f"; revaluation of each month differs by up to {error:,.2f} {value.currency}"
    else:
        said += "; not held against revaluation yet"
    worth.note(f"{said}.")
