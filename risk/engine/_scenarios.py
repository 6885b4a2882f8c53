"""
Historical scenarios from forward quotes: what each month of a curve did from one day to the next.

Changes are taken within a contract (Jan27 today less Jan27 yesterday), never along a rolling
series, so an expiry makes no jump; they are then mapped by time to delivery: tenor k is the
month k months after the quote day's own. Overlapping contracts are first reduced to a
non-redundant basis: a quarter beside two of its months speaks for the third only.

Moves are absolute (currency/MWh) unless another rule is chosen: power trades at zero and below,
where relative ones explode and turn their sign.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from risk.engine._errors import ScenarioError
from risk.engine._shocks import ShockRule, Shocks

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def month_number(day: date) -> int:
    """Return the months since year 0, so that neighbors differ by one."""
    return day.year * 12 + day.month - 1


@dataclass(frozen=True, slots=True)
class ContractQuote:
    """
    The price of one base contract over whole months.

    first, count    delivery months as `month_number`s: [first, first + count)
    price           currency/MWh, any sign
    """

    first: int
    count: int
    price: float

    @property
    def months(self) -> range:
        return range(self.first, self.first + self.count)


@dataclass(frozen=True, slots=True)
class QuoteDay:
    """All contracts of a market as quoted on one trading day."""

    day: date
    quotes: tuple[ContractQuote, ...]


class ShockMapping(StrEnum):
    """Which delivery month of a past day speaks for one of today's curve."""

    TIME_TO_DELIVERY = "TIME_TO_DELIVERY"
    """The one that was as many months ahead as this one is."""
    CONTRACT = "CONTRACT"
    """The same month, further ahead then; where it was not quoted yet, as TIME_TO_DELIVERY."""


@dataclass(frozen=True, slots=True, eq=False)
class TenorShocks:
    """
    Moves by tenor.

    values      shape (scenario, tenor), by the rule: currency/MWh where ABSOLUTE; tenor k is k
                months after the valuation month, the last tenor stands for all beyond it
    days        the later day of each scenario, ascending
    own         shape (scenario, tenor): False where another month's move stood in
    """

    values: Floats
    days: tuple[date, ...]
    own: Flags

    def gaps(self) -> tuple[TenorGap, ...]:
        """Return the tenors that another stood in for, those with as many gaps in one run."""
        missing = (~self.own).sum(axis=0).tolist()
        found, first = [], 0
        for tenor, count in enumerate(missing):
            if tenor + 1 < len(missing) and missing[tenor + 1] == count:
                continue
            if count:
                beside = tenor + 1 if tenor + 1 < len(missing) else first - 1
                both = self.own[:, tenor] & self.own[:, beside]
                like = likeness(self.values[both, tenor], self.values[both, beside])
                found.append(TenorGap(first, tenor, count, like))
            first = tenor + 1
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Likeness:
    """
    How a series went with another that stands in for it.

    correlation     −1 to 1; None where one of them never moves, or fewer than three are known
    ratio           of its root mean square over the other's; None likewise
    compared        how many moves are known of both
    """

    correlation: float | None
    ratio: float | None
    compared: int


@dataclass(frozen=True, slots=True)
class TenorGap:
    """
    Tenors, both included, that lacked a move of their own in as many scenarios.

    like    the last of them beside the next one, where both have moves of their own
    """

    first: int
    last: int
    missing: int
    like: Likeness


def likeness(own: Floats, other: Floats) -> Likeness:
    """Return how moves went with others of the same days, both of shape (moves,)."""
    size, scale = float(np.sqrt(np.mean(own**2))) if own.size else 0.0, 0.0
    if other.size:
        scale = float(np.sqrt(np.mean(other**2)))
    if own.size < 3 or not size or not scale or not own.std() or not other.std():
        return Likeness(None, None, own.size)
    return Likeness(float(np.corrcoef(own, other)[0, 1]), size / scale, own.size)


def reconcile_changes(
    changes: Iterable[ContractQuote], hours: Callable[[int], float]
) -> dict[int, float]:
    """
    Return the price or change of each month from those of overlapping contracts.

    changes     `price` holds what is reconciled, currency/MWh
    hours       base hours of a month number: contracts are means weighted by hours

    Shorter contracts win; a longer one gives the months that they leave over what remains of it:
    (H·Δ − Σ h·δ of the covered) / Σ h of the uncovered. A contract with nothing left over is
    redundant and says nothing.
    """
    found: dict[int, float] = {}
    for contract in sorted(changes, key=lambda c: (c.count, c.first)):
        left = [m for m in contract.months if m not in found]
        if not left:
            continue
        total = sum(hours(m) for m in contract.months) * contract.price
        covered = sum(hours(m) * found[m] for m in contract.months if m in found)
        rest = (total - covered) / sum(hours(m) for m in left)
        found.update(dict.fromkeys(left, rest))
    return found


def tenor_shocks(
    history: Sequence[QuoteDay],
    hours: Callable[[int], float],
    *,
    scenarios: int,
    tenors: int,
    rule: ShockRule = ShockRule.ABSOLUTE,
    displacement: float = 0.0,
    mapping: ShockMapping = ShockMapping.TIME_TO_DELIVERY,
    origin: int | None = None,
    horizon: int = 1,
) -> TenorShocks:
    """
    Return the last `scenarios` moves of a market by tenor.

    history     ascending in day; a scenario is a pair of quote days `horizon` apart (over a weekend
                a day spans three calendar days and still counts as one)
    tenors      how many months from the valuation month the result covers
    rule        how a month moved from its price to its price, with its displacement
    origin      `month_number` of the valuation month, which CONTRACT needs
    horizon     quote days from the earlier to the later; those of two scenarios overlap

    Both days' prices are of the contracts that both quoted, so no move is one between contracts.
    A tenor without a quote takes the move of the next later tenor of that day, past the last
    one that of the last; `own` says where.

    :raises ScenarioError: if days do not ascend, a price is not finite or none for the rule, there
        are fewer than `scenarios` pairs with at least one contract in common, or no `origin`.
    """
    if scenarios < 1 or tenors < 1 or horizon < 1:
        raise ScenarioError("scenarios, tenors and horizon: at least one of each.")
    pairs = zip(history[-1 - horizon :: -1], history[: horizon - 1 : -1], strict=True)
    found = paired_shocks(
        pairs, hours, tenors=tenors, rule=rule, displacement=displacement, mapping=mapping,
        origin=origin, most=scenarios,
    )  # fmt: skip
    if len(found.days) < scenarios:
        raise ScenarioError(
            f"history: {len(found.days)} daily changes, {scenarios} are needed for the scenarios."
        )
    backwards = slice(None, None, -1)
    return TenorShocks(found.values[backwards], found.days[backwards], found.own[backwards])


def paired_shocks(
    pairs: Iterable[tuple[QuoteDay, QuoteDay]],
    hours: Callable[[int], float],
    *,
    tenors: int,
    rule: ShockRule = ShockRule.ABSOLUTE,
    displacement: float = 0.0,
    mapping: ShockMapping = ShockMapping.TIME_TO_DELIVERY,
    origin: int | None = None,
    most: int | None = None,
    of_volatility: bool = False,
) -> TenorShocks:
    """
    Return the move of each pair of quote days that has a contract in common, in their order.

    most            how many at most; None for all
    of_volatility   "prices" are volatilities: of two contracts the shorter speaks for a month, and
                    the longer is no mean of it

    :raises ScenarioError: as `tenor_shocks`, but for too few pairs.
    """
    if mapping is ShockMapping.CONTRACT and origin is None:
        raise ScenarioError("origin: must be given to map by contract.")
    shocks = Shocks.all(1, rule, displacement)
    rows: list[tuple[date, list[float], list[bool]]] = []
    for before, after in pairs:
        if after.day <= before.day:
            raise ScenarioError(f"history: {after.day} does not come after {before.day}.")
        if moves := _moves(before, after, None if of_volatility else hours, shocks):
            then = month_number(after.day)
            own = origin if mapping is ShockMapping.CONTRACT else None
            rows.append((after.day, *_by_tenor(moves, then, own, tenors)))
        if len(rows) == most:
            break
    return TenorShocks(
        np.array([row for _, row, _ in rows], dtype=np.float64).reshape(-1, tenors),
        tuple(day for day, _, _ in rows),
        np.array([flags for _, _, flags in rows], dtype=bool).reshape(-1, tenors),
    )


def _moves(
    before: QuoteDay, after: QuoteDay, hours: Callable[[int], float] | None, shocks: Shocks
) -> dict[int, float]:
    """Return the move of each month that both days quoted; without hours, of volatilities."""
    earlier: Mapping[tuple[int, int], float] = {(q.first, q.count): q.price for q in before.quotes}
    pairs = [
        (quote.first, quote.count, earlier[quote.first, quote.count], quote.price)
        for quote in after.quotes
        if (quote.first, quote.count) in earlier
    ]
    if not all(np.isfinite(price) for pair in pairs for price in pair[2:]):
        raise ScenarioError(f"history: a price on {before.day} or {after.day} is not finite.")
    if hours is None:
        moved: dict[int, float] = {}
        for first_month, count, earlier_vol, later_vol in sorted(pairs, key=lambda pair: pair[1]):
            for month in range(first_month, first_month + count):
                moved.setdefault(month, later_vol - earlier_vol)
        return moved
    if shocks.rule[0] == ShockRule.ABSOLUTE:
        return reconcile_changes([ContractQuote(m, n, b - a) for m, n, a, b in pairs], hours)
    first, last = (
        reconcile_changes([ContractQuote(pair[0], pair[1], pair[side]) for pair in pairs], hours)
        for side in (2, 3)
    )
    found = {}
    for month, price in first.items():
        try:
            found[month] = float(shocks.between([price], [last[month]])[0])
        except ScenarioError as error:
            raise ScenarioError(
                f"history: {_name(month)} on {before.day} or {after.day}: {error}"
            ) from error
    return found


def _name(month: int) -> str:
    return f"{month // 12}-{month % 12 + 1:02d}"


def _by_tenor(
    by_month: Mapping[int, float], then: int, origin: int | None, tenors: int
) -> tuple[list[float], list[bool]]:
    """
    Return the move of each tenor, and whether it is its own.

    then    month of the day whose moves these are
    origin  month whose tenors look for their own contract first; None to map by time alone
    """
    known = sorted(month for month in by_month if month >= then)
    if not known:  # everything quoted has begun delivery: the nearest to it speaks
        known = [max(by_month)]
    values, own = [], []
    position = 0
    for tenor in range(tenors):
        month = then + tenor
        while position < len(known) - 1 and known[position] < month:
            position += 1
        same = None if origin is None else by_month.get(origin + tenor)
        values.append(by_month[known[position]] if same is None else same)
        own.append(known[position] == month if origin is None else same is not None)
    return values, own
