"""Bars of a waterfall: each begins where the one before ended, and the last is their sum."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import Any


@dataclass(frozen=True, slots=True)
class Bar:
    """
    Where a bar runs across its column, from 0 to 100.

    level   "up" for a gain, "down" for a loss, "whole" for the sum; "" without a bar
    """

    start: str = "0"
    width: str = "0"
    level: str = ""


def extent(rows: Iterable[Sequence[Any]]) -> tuple[Any, Any]:
    """Return how low and how high the sums of rows of amounts go, 0 among them."""
    ends = [end for amounts in rows for end in accumulate(amounts, initial=0)]
    return min(ends, default=0), max(ends, default=0)


def waterfall(amounts: Sequence[Any], *, within: tuple[Any, Any] | None = None) -> list[Bar]:
    """
    Return a bar for each amount, and one for their sum.

    within      the column's ends, where several waterfalls share a scale (`extent`)
    """
    low, high = extent([amounts]) if within is None else within
    scale = Decimal(100) / (Decimal(high) - Decimal(low) or 1)
    ends = list(accumulate(amounts, initial=0))

    def bar(begin: Any, amount: Any, level: str) -> Bar:
        left = Decimal(min(begin, begin + amount)) - Decimal(low)
        width = Decimal(abs(amount)) * scale
        return Bar(f"{left * scale:.2f}", f"{width:.2f}", level if amount else "")

    bars = [
        bar(begin, amount, "up" if amount > 0 else "down")
        for begin, amount in zip(ends, amounts, strict=False)
    ]
    return [*bars, bar(0, ends[-1], "whole")]
