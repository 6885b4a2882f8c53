"""Blocks of a run: the same digits side by side, one after the other and in any order."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.engine import ScenarioError, merge, revalue, revalue_in_shards, shards, value_shard
from tests.risk.engine.test_revaluation import NODES, some_portfolio

TRADES, SCENARIOS = 60, 90


def some_market(seed=1):
    rng = np.random.default_rng(seed)
    prices, vols = rng.uniform(30, 90, NODES), rng.uniform(0.1, 1.0, NODES)
    return (
        prices,
        vols,
        prices[:, None] * np.exp(rng.normal(size=(NODES, SCENARIOS)) * 0.1),
        vols[:, None] * np.exp(rng.normal(size=(NODES, SCENARIOS)) * 0.1),
    )


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 50), st.integers(1, 50))
def test_every_trade_is_in_every_scenario_once(trades, scenarios, trades_each, scenarios_each):
    seen = np.zeros((trades, scenarios), dtype=int)
    plan = shards(trades, scenarios, trades_each=trades_each, scenarios_each=scenarios_each)
    for shard in plan:
        seen[shard.first : shard.last, shard.start : shard.end] += 1
    assert (seen == 1).all()
    assert [shard.number for shard in plan] == list(range(len(plan)))


@given(st.integers(0, 2**32 - 1))
def test_the_order_in_which_blocks_finish_changes_no_digit(seed):
    rng = np.random.default_rng(seed)
    plan = shards(10, 9, trades_each=3, scenarios_each=4)
    parts = {s.number: rng.normal(size=s.end - s.start) * 10.0 ** rng.uniform(-9, 9) for s in plan}
    mixed = {int(n): parts[int(n)] for n in rng.permutation(len(plan))}
    assert merge(plan, mixed).tobytes() == merge(reversed(plan), parts).tobytes()


def test_side_by_side_gives_the_digits_of_one_after_the_other_and_the_number_of_the_whole():
    held, market = some_portfolio(np.random.default_rng(2), TRADES), some_market()
    plan = shards(TRADES, SCENARIOS, trades_each=17, scenarios_each=50)

    alone = revalue_in_shards(held, plan, *market)

    def side_by_side(work, blocks):
        last_first = list(reversed(blocks))
        with ThreadPoolExecutor(3) as pool:
            return [(s.number, pnl) for s, pnl in zip(last_first, pool.map(work, last_first),
                                                      strict=True)]  # fmt: skip

    assert revalue_in_shards(held, plan, *market, run=side_by_side).tobytes() == alone.tobytes()
    assert alone == pytest.approx(revalue(held, *market).pnl, abs=1e-6)


PLAN = shards(4, 3, trades_each=2)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: shards(0, 3, trades_each=1), "trades: 0"),
        (lambda: shards(3, 0, trades_each=1), "scenarios: 0"),
        (lambda: shards(3, 3, trades_each=0), "trades_each: 0"),
        (lambda: shards(3, 3, trades_each=1, scenarios_each=0), "scenarios_each: 0"),
        (lambda: merge(PLAN, {0: np.ones(3)}), "block 1 is missing"),
        (lambda: merge(PLAN, {0: np.ones(3), 1: np.ones(3), 7: np.ones(3)}), "7 is no block"),
        (lambda: merge(PLAN, {0: np.ones(3), 1: np.ones(2)}), r"parts\[1\]: must be 3"),
        (lambda: merge(PLAN, {0: np.ones(3), 1: [1, 2, np.nan]}), r"parts\[1\]"),
        (
            lambda: value_shard(
                some_portfolio(np.random.default_rng(2), 2), PLAN[1], *some_market()
            ),
            r"trades: \[2, 4\) must be some of 2",
        ),
    ],
)
def test_refuses_by_name(call, said):
    with pytest.raises(ScenarioError, match=said):
        call()
