"""Which quoted contracts a delivery consists of, where none covers it."""

from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from trading.curves import VolAxis, VolKind, VolSlice, VolSurface
from trading.queries.valuation.quoted import tiles


@pytest.mark.parametrize(
    ("quoted", "first", "after", "found"),
    [
        ("Jan27 Feb27 Mar27", date(2027, 1, 1), date(2027, 4, 1), "Jan27 Feb27 Mar27"),
        # Quarters before months, where they lie within.
        ("Jan27 Q1-27 Q2-27 Q3-27 Q4-27", date(2027, 1, 1), date(2028, 1, 1),
         "Q1-27 Q2-27 Q3-27 Q4-27"),
        ("Q4-26 Q1-27", date(2026, 10, 1), date(2027, 4, 1), "Q4-26 Q1-27"),
        # A delivery that begins within a contract, and one that ends within another.
        ("Q1-27 Q2-27 Mar27", date(2027, 2, 1), date(2027, 5, 1), "Q1-27 Q2-27"),
        ("Jan27 Mar27", date(2027, 1, 1), date(2027, 4, 1), None),
    ],
)  # fmt: skip
def test_a_delivery_is_tiled_by_the_longest_contracts_within_it(quoted, first, after, found):
    surface = VolSurface(
        VolKind.LOGNORMAL, VolAxis.MONEYNESS, date(2026, 9, 1),
        tuple(VolSlice(code, date(2026, 12, 1), np.ones(1), np.array([0.4]))
              for code in quoted.split()),
    )  # fmt: skip

    parts = tiles(surface, first, after)

    assert (None if parts is None else " ".join(part.contract for part in parts)) == found
    if parts is not None:
        assert (parts[0].first, parts[-1].after) == (first, after)
        assert all(one.after == two.first for one, two in pairwise(parts))
