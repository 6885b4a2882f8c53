"""Concentration: the share of the largest counterparty, market or delivery year."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping

from risk.enums import Dimension
from risk.models import Limit

from .standing import GrossBucket, Part, Standing

_KEYS: Mapping[str, Callable[[GrossBucket], Hashable]] = {
    Dimension.COUNTERPARTY: lambda key: key[0],
    Dimension.MARKET: lambda key: key[1],
    Dimension.TENOR: lambda key: key[2].year,
}


def concentration(limit: Limit, standing: Standing) -> float:
    """Return the largest part of the gross notional in per cent of it; 0 where there is none."""
    standing.require(Part.NOTIONAL)
    key = _KEYS[limit.dimension]
    parts: dict[Hashable, float] = defaultdict(float)
    for bucket, gross in standing.gross.items():
        parts[key(bucket)] += gross.notional
    whole = sum(parts.values())
    return 100.0 * max(parts.values()) / whole if whole else 0.0
