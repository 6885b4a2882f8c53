"""
From facts to arrays: what books held, and on what it is valued, by a cut of knowledge.

The same cut always gives the same arrays, in the same order, so runs repeat bit for bit. Numbers
are summed exactly in the database and become float64 once.
"""

from .contracts import ContractKey, Universe
from .digest import digest_of
from .held import CutFacts, HeldVersions, books_of, cut_facts, metered_facts
from .market import MarketFacts, market_facts

__all__ = [
    "ContractKey",
    "CutFacts",
    "HeldVersions",
    "MarketFacts",
    "Universe",
    "books_of",
    "cut_facts",
    "digest_of",
    "market_facts",
    "metered_facts",
]
