"""What choosing later is worth: against closed forms, exact plans, mirrored sides, repeats."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from math import erf, pi, sqrt

import numpy as np
import pytest

from energyopti.foundation.calendars import DatePeriod
from trading.deals import Direction, Schedule, Volume
from trading.pricing import MeanRevertingSpot, TwoFactorForwards
from trading.queries.valuation.structures import structure_holding
from trading.valuation import PriceModels, StructureMarket, seconds, time_value
from trading.valuation._structures import value_structure

from .structures_desk import BATTERY, DE, EVENING, STORAGE, SWING, TOLLING

NOW = seconds(EVENING)
LIVELY = MeanRevertingSpot(15.0, 1.5, is_lognormal=True)
# Nothing moves, so that nothing is gained by waiting.
STILL = MeanRevertingSpot(15.0, 0.0, is_lognormal=True)
POWER = MeanRevertingSpot(60.0, 150.0)
WINTER = DatePeriod(date(2026, 12, 1), date(2027, 3, 1))
DAYS = 90
STORE, TAKE = (
    replace(leg, schedule=replace(leg.schedule, period=WINTER), terms=replace(leg.terms, **terms))
    for leg, terms in (
        (STORAGE, {"start_inventory": Decimal(2000)}),
        (SWING, {"maximum": Decimal(9000), "minimum": Decimal(5000)}),
    )
)


def gas_curve(count):
    return 28.5 + 4.0 * np.cos(2.0 * pi * (np.arange(count) - 45) / 180.0)


def found(leg, models, curves, *, days=None, correlation=None, seed=7):
    holding = structure_holding(0, leg, ((),) * len(leg.underlying), days or {})
    count = len(holding.dates)
    prices = np.stack([np.broadcast_to(row, count) for row in curves])
    market = StructureMarket(np.full(count, 0.02))
    worth = value_structure(holding, prices, NOW, market)
    roles = len(models)
    matrix = np.eye(roles) if correlation is None else np.array(correlation)
    return worth, time_value(holding, worth, NOW, market, PriceModels(models, matrix, seed))


def test_a_store_on_lively_prices_is_worth_more_than_its_plan_and_repeats_bit_for_bit():
    curve = [gas_curve(DAYS)]
    worth, first = found(STORE, (LIVELY,), curve)
    _, again = found(STORE, (LIVELY,), curve)
    _, other = found(STORE, (LIVELY,), curve, seed=8)

    assert first.intrinsic == pytest.approx(worth.unrealised)
    assert first.amount == first.estimate - first.intrinsic > 20 * first.standard_error > 0
    assert (first.paths, first.seed, first.reason) == (1000, 7, "")
    assert first == again
    assert first.amount != other.amount
    assert abs(first.estimate - other.estimate) < 5 * first.standard_error
    # What the policy sells of each month, with an error that is small beside the rate of a month.
    assert [str(row.month) for row in first.deltas][:1] == ["2026-12"]
    assert all(0 < row.error < 240 for row in first.deltas)

    granted, ours = found(replace(STORE, direction=Direction.PAY), (LIVELY,), curve)
    assert granted.unrealised == -worth.unrealised
    assert (ours.amount, ours.estimate) == (-first.amount, -first.estimate)
    assert [row.delta for row in ours.deltas] == [-row.delta for row in first.deltas]


@pytest.mark.parametrize("leg", [STORE, TAKE], ids=["storage", "swing"])
def test_on_prices_that_do_not_move_there_is_nothing_to_wait_for(leg):
    worth, still = found(leg, (STILL,), [gas_curve(DAYS)])

    # The grid of the simulation is a little coarser than the plan, and never better.
    assert still.reason == ""
    assert still.estimate <= worth.unrealised + 1.0
    assert still.estimate == pytest.approx(worth.unrealised, rel=0.02)
    assert still.amount == pytest.approx(0.0, abs=1.0)
    assert still.standard_error == pytest.approx(0.0, abs=1e-6)


def test_a_swing_without_limits_is_a_strip_of_calls_above_what_must_be_taken():
    period = DatePeriod(date(2026, 12, 1), date(2026, 12, 31))
    free = replace(
        SWING, schedule=replace(SWING.schedule, period=period),
        terms=replace(SWING.terms, maximum=Decimal(7200), minimum=Decimal(0)),
    )  # fmt: skip

    worth, value = found(free, (LIVELY,), [np.full(30, 29.0)])

    holding = structure_holding(0, free, ((),), {})
    years = (holding.bounds[:-1] - NOW) / (365 * 86400)
    factor = np.exp(-0.02 * (holding.payment - NOW) / (365 * 86400))
    deviation = 1.5 * np.sqrt(-np.expm1(-30.0 * years) / 30.0)
    d1 = (np.log(29.0 / 28.5) + 0.5 * deviation**2) / deviation
    normal = np.vectorize(lambda x: 0.5 * (1.0 + erf(x / sqrt(2.0))))
    calls = 29.0 * normal(d1) - 28.5 * normal(d1 - deviation)
    expected = float((factor * (216.0 * calls + 24.0 * 0.5)).sum())
    assert value.estimate == pytest.approx(expected, abs=4 * value.standard_error)
    assert value.intrinsic == pytest.approx(float((factor * 240.0 * 0.5).sum()))
    (month,) = value.deltas
    delta = float((factor * (216.0 * normal(d1) + 24.0)).sum())
    assert month.delta == pytest.approx(delta, abs=4 * month.error)
    assert worth.unrealised == pytest.approx(value.intrinsic)


def test_days_that_were_nominated_count_as_they_were_said_in_what_is_open():
    said = {date(2026, 12, 1) + timedelta(days=n): (Decimal(240),) for n in range(31)}

    worth, value = found(TAKE, (LIVELY,), [gas_curve(DAYS)], days=said)

    assert worth.chosen == 31
    assert value.intrinsic == pytest.approx(float(worth.cash[31:].sum()))
    # 9,000 less 7,440 taken less 24 on each of 59 days leave 144: no lot of 216, so no choice.
    assert value.standard_error == pytest.approx(0.0, abs=1e-6)
    assert value.estimate < value.intrinsic and value.amount == 0.0
    said = dict(list(said.items())[:20])
    _, more = found(TAKE, (LIVELY,), [gas_curve(DAYS)], days=said)
    assert more.amount > 0
    # A year that has ended with a balance is another contract.
    years = DatePeriod(date(2025, 11, 1), date(2027, 1, 1))
    owed = replace(
        SWING, terms=replace(SWING.terms, make_up=Decimal(240)),
        schedule=replace(SWING.schedule, period=years),
    )  # fmt: skip
    _, refused = found(owed, (LIVELY,), [gas_curve(426)])
    assert (refused.amount, refused.paths) == (0.0, 0)
    assert "contract years that have ended" in refused.reason


def hours(leg, days=5):
    first = date(2027, 3, 1)
    period = DatePeriod(first, first + timedelta(days=days))
    return replace(leg, schedule=Schedule(DE, period, Volume.mw(leg.most)))


def shape(days):
    hour = np.arange(24 * days) % 24
    return 80.0 + 25.0 * np.sin(2.0 * pi * (hour - 9) / 24.0)


def test_a_plant_gains_by_prices_that_part_and_loses_it_where_they_move_together():
    gas = TwoFactorForwards(2.0, 0.5, 0.2, 0.3)
    plant = hours(TOLLING, 7)
    curves = [shape(7), np.full(168, 38.0)]

    _, apart = found(plant, (POWER, gas), curves)
    _, together = found(plant, (POWER, gas), curves, correlation=[[1.0, 0.95], [0.95, 1.0]])

    assert apart.reason == together.reason == ""
    assert apart.amount > together.amount > 0
    assert apart.amount - together.amount > 3 * apart.standard_error
    assert {row.role for row in apart.deltas} == {"power", "fuel"}
    by_role = {row.role: row.delta for row in apart.deltas}
    assert by_role["power"] > 0 > by_role["fuel"]
    _, wrong = found(plant, (POWER, gas), curves, correlation=[[1.0, 1.2], [1.2, 1.0]])
    assert wrong.amount == 0.0
    assert wrong.reason.startswith("correlation: these contradict each other")


def test_a_battery_keeps_its_cycles_of_each_day_and_gains_by_hours_that_part():
    fast = MeanRevertingSpot(2000.0, 3000.0)  # half of a deviation is gone in three hours

    worth, value = found(hours(BATTERY), (fast,), [shape(5)])
    _, free = found(
        hours(replace(BATTERY, terms=replace(BATTERY.terms, daily_cycles=None))), (fast,),
        [shape(5)],
    )  # fmt: skip

    assert value.reason == ""
    assert value.amount > 10 * value.standard_error
    assert free.estimate > value.estimate
    assert value.intrinsic == pytest.approx(worth.unrealised)


def test_prices_that_the_process_cannot_have_are_named_and_nothing_is_added():
    curve = gas_curve(DAYS)
    curve[9] = -1.0

    _, refused = found(STORE, (LIVELY,), [curve])

    assert refused.amount == refused.standard_error == 0.0
    assert refused.reason.startswith("curve[9]: -1.0 must be above 0")


def test_time_value_falls_to_nothing_as_the_last_day_is_nominated():
    said = {date(2026, 12, 1) + timedelta(days=n): (Decimal(0),) for n in range(DAYS)}

    worth, value = found(STORE, (LIVELY,), [gas_curve(DAYS)], days=said)

    assert worth.chosen == DAYS
    assert (value.amount, value.reason) == (0.0, "nothing is left to choose.")
