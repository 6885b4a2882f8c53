"""Bars of a waterfall hang together, whatever is added up."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energyopti.foundation.tables.waterfall import Bar, extent, waterfall

AMOUNTS = st.lists(st.decimals(-(10**9), 10**9, places=2, allow_nan=False), max_size=8)


@given(rows=st.lists(AMOUNTS, min_size=1, max_size=4))
def test_each_begins_where_the_one_before_ended_and_the_last_is_the_sum(rows):
    low, high = extent(rows)
    scale = Decimal(100) / ((high - low) or 1)
    for amounts in rows:
        *bars, whole = waterfall(amounts, within=(low, high))
        end = Decimal(0)
        for amount, bar in zip(amounts, bars, strict=True):
            left = min(end, end + amount)
            assert Decimal(bar.start) == pytest.approx((left - low) * scale, abs=Decimal("0.01"))
            assert Decimal(bar.width) == pytest.approx(abs(amount) * scale, abs=Decimal("0.01"))
            assert bar.level == ("" if not amount else "up" if amount > 0 else "down")
            end += amount
        assert whole.level == ("whole" if end else "")
        assert all(
            0 <= Decimal(one.start) + Decimal(one.width) <= Decimal("100.02") for one in bars
        )


def test_alone_it_fills_its_column_and_numbers_of_machines_do_too():
    assert waterfall([-2.0, 8.0]) == [
        Bar("0.00", "25.00", "down"), Bar("0.00", "100.00", "up"), Bar("25.00", "75.00", "whole"),
    ]  # fmt: skip
    assert waterfall([]) == [Bar("0.00", "0.00", "")]
