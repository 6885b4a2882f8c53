"""How the prices of contracts with choices move: the approved processes that a cut knew."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from trading.models import PriceProcess

from ..price_processes import ProcessKey, process_key, process_of, processes_at
from .structures import HeldStructures

if TYPE_CHECKING:
    from trading.valuation import PriceModels

# What runs state unless they are told another one; each contract's own seed follows from it.
RUN_SEED = 1


@dataclass(frozen=True, eq=False)
class SimulationFacts:
    """
    How the prices of some holdings move, in their order.

    models      None where nothing is simulated; the notes say why
    processes   of each holding, what is told of it beside its value
    inputs      what is told of all in a run's inputs; empty where nothing is simulated
    """

    models: tuple[PriceModels | None, ...]
    processes: tuple[tuple[dict[str, Any], ...], ...]
    notes: tuple[tuple[str, ...], ...]
    inputs: dict[str, Any]

    @property
    def findings(self) -> tuple[str, ...]:
        """Return every note once."""
        return tuple(dict.fromkeys(note for notes in self.notes for note in notes))


def structure_seed(run_seed: int, trade_id: int, leg: int) -> int:
    """Return the seed of a contract's scenarios: the same for each run that states the same."""
    digest = hashlib.sha256(f"{run_seed}:{trade_id}:{leg}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def simulation_facts(
    held: HeldStructures, *, known_at: datetime, seed: int = RUN_SEED
) -> SimulationFacts:
    """
    Return the approved processes of each holding's markets, and their correlations; one query.

    A contract whose markets do not all have one, or a pair of them no correlation, is not
    simulated: nothing steps in silently.
    """
    from trading.valuation import SIMULATED

    is_simulated = [one.leg.kind in SIMULATED for one in held.holdings]
    known = processes_at(known_at) if any(is_simulated) else {}
    models: list[PriceModels | None] = []
    processes: list[tuple[dict[str, Any], ...]] = []
    notes: list[tuple[str, ...]] = []
    used: dict[ProcessKey, PriceProcess] = {}
    columns = zip(held.trade, held.number, held.holdings, is_simulated, strict=True)
    for trade_id, number, one, simulated in columns:
        codes = [index.area.code for index in one.leg.underlying] if simulated else []
        missing = _missing(codes, known)
        notes.append(tuple(missing))
        if missing or not simulated:
            models.append(None)
            processes.append(())
            continue
        rows = {key: known[key] for key in _keys(codes)}
        used |= rows
        processes.append(tuple(_told(row) for row in rows.values()))
        models.append(_models(codes, known, structure_seed(seed, trade_id, number)))
    inputs = {}
    if used:
        inputs = {"seed": seed, "processes": [_told(used[key]) for key in sorted(used)]}
    return SimulationFacts(tuple(models), tuple(processes), tuple(notes), inputs)


def _keys(codes: Sequence[str]) -> list[ProcessKey]:
    """Return what a contract on some markets needs: each one's process, each pair's correlation."""
    names = list(dict.fromkeys(codes))
    pairs = [process_key(a, b) for n, a in enumerate(names) for b in names[n + 1 :]]
    return [*(process_key(name) for name in names), *pairs]


def _missing(codes: Sequence[str], known: dict[ProcessKey, PriceProcess]) -> list[str]:
    found = []
    for first, second in _keys(codes):
        if (first, second) in known:
            continue
        what = (
            f"{first} and {second}: no correlation is approved"
            if second
            else f"{first}: no price process is approved"
        )
        found.append(
            f"{what}; contracts with choices on it have their intrinsic value only. Propose one"
            " under Price processes."
        )
    return found


def _models(codes: Sequence[str], known: dict[ProcessKey, PriceProcess], seed: int) -> PriceModels:
    import numpy as np

    from trading.valuation import PriceModels

    rows = [known[process_key(code)] for code in codes]
    together = np.eye(len(codes))
    for n, first in enumerate(codes):
        for m, second in enumerate(codes[:n]):
            same = first == second
            value = 1.0 if same else known[process_key(first, second)].parameters["correlation"]
            together[n, m] = together[m, n] = value
    return PriceModels(
        models=tuple(process_of(row.kind, row.parameters) for row in rows),
        correlation=together,
        seed=seed,
    )


def _told(row: PriceProcess) -> dict[str, Any]:
    return {
        "id": row.pk, "name": row.name, "version": row.number, "kind": str(row.kind),
        "parameters": row.parameters,
    }  # fmt: skip
