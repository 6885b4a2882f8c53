"""
Compile the kernels before anyone waits: `python -m trading.pricing.compile_kernels`.

A kernel is compiled for the arrays that it is first called with, which takes seconds, and kept for
every process that follows (see `_compile`). Each function here has its kernels called with the
least that they take.
"""

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

from trading.pricing import (
    ModelChoice,
    OptionRows,
    OptionType,
    PpaTerms,
    PriceModel,
    Surfaces,
    american_option,
    average_option,
    bachelier,
    bachelier_implied_volatility,
    black76,
    black76_implied_volatility,
    ppa,
    spread_option,
    sum_surfaces,
    value_in_scenarios,
)

_50, _1 = [50.0], [1.0]


def early_exercise() -> None:
    american_option(
        ModelChoice(PriceModel.BLACK76),
        forward=_50,
        strike=_50,
        expiry=_1,
        volatility=[0.4],
        rate=[0.03],
    )


def vanilla() -> None:
    black76(forward=_50, strike=_50, expiry=_1, volatility=[0.4])
    bachelier(forward=_50, strike=_50, expiry=_1, volatility=[20.0])


def implied() -> None:
    black76_implied_volatility(forward=_50, strike=_50, expiry=_1, price=[8.0])
    bachelier_implied_volatility(forward=_50, strike=_50, expiry=_1, price=[8.0])


def spreads_and_averages() -> None:
    spread_option(
        first=[60.0], second=[50.0], strike=[5.0], expiry=[1.0], volatility1=[0.4],
        volatility2=[0.3], correlation=[0.5],
    )  # fmt: skip
    average_option(forward=[[50.0, 51.0]], strike=[50.0], times=[[0.5, 1.0]], volatility=[[0.4]])


def power_purchase() -> None:
    ppa(
        terms=PpaTerms(0.0, multiplier=1.0, floor=20.0, cap=90.0), volume=[1.0], forward=[50.0],
        hours=[1.0], month=[0], expiry=[1.0], volatility=[20.0],
    )  # fmt: skip


def scenarios() -> None:
    place, one = np.zeros(1, dtype=np.int64), np.ones(1)
    for model, sigma in ((PriceModel.BLACK76, 0.4), (PriceModel.BACHELIER, 20.0)):
        rows = OptionRows(ModelChoice(model), place, place, one * 50.0, one, one, OptionType.CALL)
        value_in_scenarios(rows, [[50.0, 51.0]], [[sigma, sigma]])
    sum_surfaces([Surfaces(place, place, np.ones((1, 1, 8)))], np.ones((1, 1)), np.ones((1, 1)))


def structures() -> None:
    from trading.pricing.structures._kernels import choose, earn, flow_gas, smooth

    price, row, many = np.ones((1, 1)), np.ones(1), np.ones((1, 2))
    first, place = np.array([0, 1]), np.zeros(1, dtype=np.int64)
    earn(price, price, row, first, place, row, many, many)
    choose(price, price, row, first, place, many, place)
    flow_gas(row, row, np.ones(4), np.ones((1, 4)), np.ones((1, 4)), np.ones(2), np.ones(2), many)
    smooth(np.ones((1, 9)), np.ones(5))


STEPS: tuple[Callable[[], None], ...] = (
    early_exercise, vanilla, implied, scenarios, spreads_and_averages, power_purchase, structures,
)  # fmt: skip


def _run(step: Callable[[], None]) -> None:
    step()


def main() -> None:
    """Compile what is not compiled yet, on all processors."""
    # Spawned, not forked: numba's threads and locks do not survive a fork.
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        list(pool.map(_run, STEPS))


if __name__ == "__main__":
    main()
