"""The shape of what a run finds, and its parts valued and summed; methods: `run_measures`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from .bases import Basis
from .holdings import value_holdings
from .run_holdings import Part

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from .bases import Floats

DIMENSIONS: Mapping[str, Callable[[Part], str]] = {
    "BOOK": lambda part: part.trade.book,
    "COMMODITY": lambda part: part.commodity,
    "MARKET": lambda part: part.market,
    "MONTH": lambda part: f"{part.month:%Y-%m}",
    "COUNTERPARTY": lambda part: part.trade.counterparty,
    "TRADER": lambda part: part.trade.trader,
    "TRADE": lambda part: part.trade.ref,
}
# What is larger than this many numbers stands on disk while a run calculates.
_IN_MEMORY = 20_000_000
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Number:
    """VaR and ES of the whole; as `RiskRunNumber`."""

    confidence: Decimal
    var: float
    es: float
    components_sum: float
    scenario: int | None
    var_error: float | None
    es_error: float | None
    convention: str


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """
    What parts or groups of them have of VaR and ES at a confidence, each (row,); losses positive.

    standalone, without     None where only the tail of paths is kept of parts
    """

    component_var: Floats
    component_es: Floats
    standalone_var: Floats | None = None
    standalone_es: Floats | None = None
    incremental_var: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """
    All that a run finds.

    valued_at   what was delivered before counts no more
    pnl         of the whole in each scenario; empty without scenarios
    kept        positions of the scenarios of `trade_pnl`; None: all
    trade_pnl   (trade, kept scenario), in the order of the holdings' trades; None without scenarios
    values      (part,), mark-to-market; 0 where a part has no value
    groups      by dimension: the keys, and by confidence what each has
    parts       by confidence what each part has
    unvalued    (trade, what, why)
    """

    value: float
    valued_at: datetime
    numbers: tuple[Number, ...]
    pnl: Floats
    kept: npt.NDArray[np.int64] | None
    trade_pnl: Floats | None
    values: Floats
    groups: Mapping[str, tuple[tuple[str, ...], Mapping[Decimal, Shares]]]
    parts: Mapping[Decimal, Shares]
    unvalued: tuple[tuple[str, str, str], ...]
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Valued:
    """Parts on a basis: (part, scenario) P&L on disk, values, and what has none."""

    pnl: Floats
    values: Floats
    unvalued: tuple[tuple[str, str, str], ...]
    findings: tuple[str, ...]


def value_parts(parts: Sequence[Part], basis: Basis, currency: str, progress: Progress) -> Valued:
    """Value parts one by one; their P&L stands in a file that has no name, not in memory."""
    import numpy as np

    shape = (len(parts), basis.scenario_count)
    pnl = np.zeros(shape)
    if pnl.size > _IN_MEMORY:
        pnl = np.memmap(tempfile.TemporaryFile(), np.float64, mode="w+", shape=shape)  # noqa: SIM115
    values = np.zeros(len(parts))
    unvalued: list[tuple[str, str, str]] = []
    findings: dict[str, None] = {}
    for at, part in enumerate(parts):
        found = value_holdings(part.holdings, basis, currency=currency)
        pnl[at], values[at] = found.pnl, found.base_value
        findings |= dict.fromkeys(found.held)
        findings |= dict.fromkeys(note for row in found.choices for note in row.notes)
        for row in found.unvalued:
            what = f"{row.market} {part.month:%b %Y}"
            unvalued.append((part.trade.ref, what, row.problem))
        progress(at + 1, len(parts), "Valuing trades")
    return Valued(pnl, values, tuple(unvalued), tuple(findings))


def grouped(parts: Sequence[Part], dimension: str) -> tuple[tuple[str, ...], npt.NDArray[np.int64]]:
    """Return the keys of a dimension, ascending, and which of them each part is of."""
    import numpy as np

    of = [DIMENSIONS[dimension](part) for part in parts]
    keys = tuple(sorted(set(of)))
    place = {key: at for at, key in enumerate(keys)}
    return keys, np.array([place[key] for key in of], dtype=np.int64)


def summed(rows: Floats, place: npt.NDArray[np.int64], count: int) -> Floats:
    """Return the sums of rows by place, (count, column), in the order of the rows."""
    import numpy as np

    found = np.zeros((count, rows.shape[1]))
    np.add.at(found, place, rows)
    return found
