"""Measures whose numbers other modules provide: named stresses, and vega of options."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from energyopti.foundation.registry import Registry
from risk.models import Limit
from risk.queries.bases import Basis
from risk.queries.holdings import Holdings

from .standing import Part, Standing

# What holdings gain under each stress by its name, on a basis and in a currency. Additive over
# trades, since every stress revalues each in full. One entry, of the module that keeps stresses.
# The sentence says what cannot be valued, empty if nothing.
StressGains = Callable[[Holdings, Basis, str], tuple[Mapping[str, float], str]]
STRESSES: Registry[StressGains] = Registry("named stresses")


def worst_stress(_: Limit, standing: Standing) -> float:
    """Return the largest loss under any named stress, positive; 0 where all gain."""
    standing.require(Part.STRESS)
    return max(0.0, *(-gain for gain in standing.stress.values()), 0.0)


def vega(limit: Limit, standing: Standing) -> float:
    """Return what one point of volatility gains or loses in all months together."""
    standing.require(Part.VEGA)
    return abs(
        sum(change for market, change in standing.vega.items() if limit.market_id in (None, market))
    )
