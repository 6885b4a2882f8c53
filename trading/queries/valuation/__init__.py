"""
From facts to arrays: what books held, and on what it is valued, by a cut of knowledge.

The same cut always gives the same arrays, in the same order, so runs repeat bit for bit. Numbers
are summed exactly in the database and become float64 once.
"""

from .bounds import NO_BOUNDS, BoundFacts, HeldBounds, bound_facts, held_bounds
from .contracts import ContractKey, Universe
from .digest import digest_of
from .held import CutFacts, HeldVersions, MeteredFacts, books_of, cut_facts, metered_facts
from .market import MarketFacts, known_fixings, market_facts
from .option_market import OptionFacts, option_facts
from .options import (
    NO_OPTIONS,
    HeldOptions,
    OptionletKey,
    Period,
    decided_periods,
    exercise_results,
    held_legs,
)
from .scenarios import ChoiceScenarios, Moves, choices_in_scenarios
from .simulations import RUN_SEED, SimulationFacts, simulation_facts, structure_seed
from .structures import (
    HeldStructures,
    StructureFacts,
    held_structures,
    structure_facts,
    structures_of,
)

__all__ = [
    "NO_BOUNDS",
    "NO_OPTIONS",
    "RUN_SEED",
    "BoundFacts",
    "ChoiceScenarios",
    "ContractKey",
    "CutFacts",
    "HeldBounds",
    "HeldOptions",
    "HeldStructures",
    "HeldVersions",
    "MarketFacts",
    "MeteredFacts",
    "Moves",
    "OptionFacts",
    "OptionletKey",
    "Period",
    "SimulationFacts",
    "StructureFacts",
    "Universe",
    "books_of",
    "bound_facts",
    "choices_in_scenarios",
    "cut_facts",
    "decided_periods",
    "digest_of",
    "exercise_results",
    "held_bounds",
    "held_legs",
    "held_structures",
    "known_fixings",
    "market_facts",
    "metered_facts",
    "option_facts",
    "simulation_facts",
    "structure_facts",
    "structure_seed",
    "structures_of",
]
