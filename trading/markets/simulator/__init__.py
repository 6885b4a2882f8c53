"""
A simulated power market: spot prices and forward quotes that belong together.

For machines without price files, and for tests that need a history of a known nature. Pure and
deterministic: a seed is a world, and every window of it that is asked for shows the same days.
The model is described in `_forwards` (how forwards move) and `_spot` (what a day looks like).
"""

from trading.markets.simulator._forwards import QuotedDay, simulate_quotes
from trading.markets.simulator._spot import SimulatedSpot, simulate_spot
from trading.markets.simulator._world import MarketWorld, WorldError

__all__ = [
    "MarketWorld",
    "QuotedDay",
    "SimulatedSpot",
    "WorldError",
    "simulate_quotes",
    "simulate_spot",
]
