"""
Historical scenarios from forward quotes: what each month of a curve did from one day to the next.

Changes are taken within a contract (Jan27 today less Jan27 yesterday), never along a rolling
series, so an expiry makes no jump; they are then mapped by time to delivery: tenor k is the
month k months after the quote day's own. Overlapping contracts are first reduced to a
non-redundant basis: a quarter beside two of its months speaks for the third only.

Changes are absolute (currency/MWh): power trades at zero and below, where relative ones explode
and turn their sign.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class ScenarioError(ValueError):
    """Raised for a history that makes no scenarios; names what is missing."""


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


@dataclass(frozen=True, slots=True)
class TenorShocks:
    """
    Absolute changes by tenor.

    values      shape (scenario, tenor), currency/MWh; tenor k is k months after the valuation
                month, the last tenor stands for all beyond it
    days        the later day of each scenario, ascending
    proxies     sentences: which tenors had no change of their own, how often, and what stood in
    """

    values: Floats
    days: tuple[date, ...]
    proxies: tuple[str, ...]


def reconcile_changes(
    changes: Iterable[ContractQuote], hours: Callable[[int], float]
) -> dict[int, float]:
    """
    Return the change of each month from the changes of overlapping contracts.

    changes     `price` holds the change, currency/MWh
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
    history: Sequence[QuoteDay], hours: Callable[[int], float], *, scenarios: int, tenors: int
) -> TenorShocks:
    """
    Return the last `scenarios` daily changes of a market by tenor.

    history     ascending in day; a scenario is a pair of consecutive quote days (over a weekend
                it spans three calendar days and still counts as one)
    tenors      how many months from the valuation month the result covers

    A tenor without a quote takes the change of the next later tenor of that day, past the last
    one that of the last; how often is said in `proxies`.

    :raises ScenarioError: if days do not ascend, a price is not finite, or there are fewer than
        `scenarios` pairs with at least one contract in common.
    """
    if scenarios < 1 or tenors < 1:
        raise ScenarioError("scenarios and tenors: at least one of each.")
    rows: list[tuple[date, list[float], list[bool]]] = []
    for before, after in zip(history[-2::-1], history[:0:-1], strict=True):
        if after.day <= before.day:
            raise ScenarioError(f"history: {after.day} does not come after {before.day}.")
        if common := _changes(before, after):
            by_month = reconcile_changes(common, hours)
            rows.append((after.day, *_by_tenor(by_month, month_number(after.day), tenors)))
        if len(rows) == scenarios:
            break
    if len(rows) < scenarios:
        raise ScenarioError(
            f"history: {len(rows)} daily changes, {scenarios} are needed for the scenarios."
        )
    rows.reverse()
    values = np.array([row for _, row, _ in rows], dtype=np.float64)
    own = np.array([flags for _, _, flags in rows], dtype=bool)
    return TenorShocks(values, tuple(day for day, _, _ in rows), _proxies(own))


def _changes(before: QuoteDay, after: QuoteDay) -> list[ContractQuote]:
    earlier: Mapping[tuple[int, int], float] = {(q.first, q.count): q.price for q in before.quotes}
    found = []
    for quote in after.quotes:
        price = earlier.get((quote.first, quote.count))
        if price is None:
            continue
        change = quote.price - price
        if not np.isfinite(change):
            raise ScenarioError(f"history: a price on {before.day} or {after.day} is not finite.")
        found.append(ContractQuote(quote.first, quote.count, change))
    return found


def _by_tenor(
    by_month: Mapping[int, float], origin: int, tenors: int
) -> tuple[list[float], list[bool]]:
    known = sorted(month for month in by_month if month >= origin)
    if not known:  # everything quoted has begun delivery: the nearest to it speaks
        known = [max(by_month)]
    values, own = [], []
    position = 0
    for month in range(origin, origin + tenors):
        while position < len(known) - 1 and known[position] < month:
            position += 1
        values.append(by_month[known[position]])
        own.append(known[position] == month)
    return values, own


def _proxies(own: npt.NDArray[np.bool_]) -> tuple[str, ...]:
    count = own.shape[0]
    missing = count - own.sum(axis=0)
    return tuple(
        f"month +{tenor}: {int(n)} of {count} scenarios use the change of a neighboring month"
        for tenor, n in enumerate(missing)
        if n
    )
