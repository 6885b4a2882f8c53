"""Value legs with choices on a basis: options and structures, each in every scenario."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from trading.deals import Structure
from trading.enums import VolKind
from trading.queries.choices import Choice
from trading.queries.valuation import ChoiceScenarios, choices_in_scenarios

from .bases import Basis, MarketBasis

if TYPE_CHECKING:
    from .bases import Floats

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ChoiceValue:
    """
    One leg with choices and what it is worth; of what a change takes away the value is −.

    trade       reference, empty of a deal that is not booked
    value       None where it cannot be valued, for the reason in `problem`
    notes       sentences on what it is valued on
    """

    trade: str
    what: str
    market: str
    first: date
    last: date
    currency: str
    value: float | None
    problem: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChoicesValued:
    """Legs with choices together, in one currency; as `Valuation`."""

    base_value: float
    pnl: Floats
    rows: tuple[ChoiceValue, ...]
    held: tuple[str, ...] = ()


def problem_of(rows: Sequence[ChoiceValue]) -> str:
    """Return a sentence about the first leg that cannot be valued, empty without one."""
    for row in rows:
        if row.problem:
            return f"{row.what} on {row.market} cannot be valued: {row.problem.rstrip('.')}."
    return ""


def value_choices(choices: Sequence[Choice], basis: Basis, *, currency: str) -> ChoicesValued:
    """Return value and P&L vector of legs with choices; the rows say what cannot be valued."""
    return summed(choices, in_scenarios(choices, basis), basis, currency=currency)


def summed(
    choices: Sequence[Choice], found: Sequence[ChoiceScenarios], basis: Basis, *, currency: str
) -> ChoicesValued:
    """Return the sums of legs that were valued, one each, as `value_choices`."""
    value, pnl = 0.0, basis.zeros()
    rows, foreign = [], set()
    for choice, one in zip(choices, found, strict=True):
        native, problem = choice.leg.currency, one.problem
        if not problem and not basis.converts(native, currency):
            problem = f"there is no exchange rate {native}/{currency} beside the curves"
        if problem:
            rows.append(_row(choice, None, problem))
            continue
        worth, moved = basis.converted(one.value, one.gain, native, currency)
        value, pnl = value + choice.count * worth, pnl + choice.count * moved
        rows.append(_row(choice, choice.count * one.value, notes=tuple(one.notes)))
        if native != currency:
            foreign.add(native)
    said = (basis.held_rates(native, currency) for native in sorted(foreign))
    return ChoicesValued(value, pnl, tuple(rows), held=tuple(filter(None, said)))


def in_scenarios(choices: Sequence[Choice], basis: Basis) -> list[ChoiceScenarios]:
    """
    Return what each leg is worth on a basis; of booked ones once a process.

    Terms of a version and the facts of a basis never change, so that neither does the value.
    """
    # A basis that is only tried has no id.
    keys = [(basis.id, *one.key) if one.key and basis.id else None for one in choices]
    found = {key: _VALUED[key] for key in keys if key is not None and key in _VALUED}
    wanted = [n for n, key in enumerate(keys) if key is None or key not in found]
    new: dict[int, ChoiceScenarios] = {}
    for first in range(0, len(wanted), _AT_ONCE):
        part = wanted[first : first + _AT_ONCE]
        valued = choices_in_scenarios(
            [choices[n] for n in part], _Moves(basis), as_of=basis.valued_at,
            known_at=basis.known_at,
        )  # fmt: skip
        for n, one in zip(part, valued, strict=True):
            key = keys[n]
            if key is None:
                new[n] = one
            else:
                found[key] = _VALUED[key] = one
    while len(_VALUED) > _KEPT:
        _VALUED.popitem(last=False)
    return [new[n] if key is None else found[key] for n, key in enumerate(keys)]


# A leg in 500 scenarios takes 4 KB, and while it is valued some times as much.
_KEPT, _AT_ONCE = 8192, 2000
_VALUED: OrderedDict[tuple[object, ...], ChoiceScenarios] = OrderedDict()


@dataclass(frozen=True, slots=True)
class _Moves:
    """The shocks of a basis, by month as positions take them (`risk.engine.exposure_by_tenor`)."""

    basis: Basis

    @property
    def scenarios(self) -> int:
        return self.basis.scenario_count

    def prices(self, market_id: int, month: date, shape: str) -> Floats | None:
        market = self.basis.markets.get(market_id)
        if market is None:
            return None
        # Hours that nobody quotes, a block's or a profile's, move with base.
        load = market.load(shape) or market
        tenor = self._tenor(load, month)
        return self.basis.zeros() if tenor < 0 else load.shocks[:, tenor]

    def volatilities(
        self, market_id: int, month: date, *, is_normal: bool, price: float
    ) -> Floats | None:
        market = self.basis.markets.get(market_id)
        if market is None or market.vols is None:
            return None
        tenor = self._tenor(market, month)
        if tenor < 0:
            return None
        added = market.vols[:, tenor]
        if (market.vol_kind == VolKind.NORMAL) == is_normal:
            return added
        # At the money a normal volatility is a lognormal one times the price, to first order.
        if not price > 0:
            return None
        return added * price if is_normal else added / price

    def _tenor(self, market: MarketBasis, month: date) -> int:
        from risk.engine import month_number

        return min(month_number(month) - market.curve.origin, self.basis.tenors - 1)


def _row(
    choice: Choice, value: float | None, problem: str = "", notes: tuple[str, ...] = ()
) -> ChoiceValue:
    leg = choice.leg
    kind = leg.kind if isinstance(leg, Structure) else leg.option_type
    return ChoiceValue(
        trade=choice.trade_ref,
        what=kind.value.replace("_", " ").capitalize(),
        market=" − ".join(dict.fromkeys(index.area.code for index in leg.underlying)),
        first=leg.schedule.period.first,
        last=leg.schedule.period.after - _DAY,
        currency=leg.currency,
        value=value,
        problem=problem,
        notes=notes,
    )
