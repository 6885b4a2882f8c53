"""Values of written contracts, what moves between realised and unrealised, and exact sums."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.valuation import (
    Basis,
    Contract,
    DayState,
    FixingSeries,
    Holdings,
    MarketState,
    ProfileHolding,
    StepKind,
    ValuationError,
    cents,
    cents_decimal,
    needs_mark,
    seconds,
    value_holdings,
    waterfall,
)

HOUR = 3600
NOON = seconds(datetime(2027, 3, 10, 12, tzinfo=UTC))
DAY = 24 * HOUR


def flat(market="DE", start=NOON, hours=48, basis=Basis.HOUR, minutes=0):
    end = start + hours * HOUR
    return Contract(market, basis, start, end, np.array([[start, end]]), minutes)


def spot(start, prices, minutes=60):
    starts = start + 60 * minutes * np.arange(len(prices), dtype=np.int64)
    return FixingSeries(starts, starts + 60 * minutes, np.array(prices, dtype=float))


def one(exposure=10.0, fixed=850.0, contract=0, lines=1):
    index = np.zeros(1, dtype=np.int64)
    return Holdings(lines, index, index + contract, np.array([exposure]), np.array([fixed]))


def state(at=NOON, marks=(90.0,), fixings=None, fixed_until=None):
    until = at if fixed_until is None else fixed_until
    return MarketState(at, until, fixings or {}, np.array(marks, dtype=float))


@pytest.mark.parametrize(
    ("hours", "published", "realised", "unrealised"),
    [
        (0, [], 0.0, 48 * (10 * 90 - 850)),
        # Delivered and published: at the fixing.
        (2, [70.0, 100.0], (700 - 850) + (1000 - 850), 46 * 50.0),
        # Delivered and not published: at the mark.
        (3, [70.0], (700 - 850) + 2 * 50.0, 45 * 50.0),
        # Half an hour into an hour.
        (0.5, [70.0], 0.5 * (700 - 850), 47.5 * 50.0),
        # Published ahead, but still to come: at the mark.
        (0, [70.0, 100.0], 0.0, 48 * 50.0),
        (60, [-20.0] * 48, 48 * (-200.0 - 850.0), 0.0),
    ],
)
def test_what_is_delivered_is_realised_at_its_fixing(hours, published, realised, unrealised):
    at = NOON + int(hours * HOUR)
    later = at if hours != 0.5 else NOON + HOUR

    found = value_holdings(
        [flat()], one(), state(at=at, fixings={"DE": spot(NOON, published)}, fixed_until=later)
    )

    assert found.realised == pytest.approx([realised])
    assert found.unrealised == pytest.approx([unrealised])


def test_hours_of_a_shape_take_only_their_own_fixings():
    windows = np.array([[NOON, NOON + 2 * HOUR], [NOON + DAY, NOON + DAY + 2 * HOUR]])
    peak = Contract("DE", Basis.HOUR, NOON, NOON + 2 * DAY, windows)
    prices = [100.0, 110.0, *([5.0] * 22), 120.0]

    found = value_holdings(
        [peak], one(1.0, 0.0),
        state(at=NOON + 25 * HOUR, marks=[90.0], fixings={"DE": spot(NOON, prices)}),
    )  # fmt: skip

    assert found.realised == pytest.approx([330.0])
    assert found.unrealised == pytest.approx([90.0])


def test_gas_days_count_as_delivered_once_begun_and_fix_at_their_mean():
    windows = np.array([[NOON + n * DAY, NOON + (n + 1) * DAY] for n in range(3)])
    gas = Contract("TTF", Basis.DAY, NOON, NOON + 3 * DAY, windows)
    prices = [30.0] * 12 + [34.0] * 12

    found = value_holdings(
        [gas], one(100.0, 3000.0),
        state(at=NOON + DAY + HOUR, marks=[33.0], fixings={"TTF": spot(NOON, prices)}),
    )  # fmt: skip

    assert found.realised == pytest.approx([100 * 32.0 - 3000 + 100 * 33.0 - 3000])
    assert found.unrealised == pytest.approx([300.0])


def test_whole_amounts_are_open_until_their_end():
    lot = flat(basis=Basis.AMOUNT)

    before = value_holdings([lot], one(5.0, 300.0), state(at=NOON + DAY))
    after = value_holdings([lot], one(5.0, 300.0), state(at=NOON + 2 * DAY))

    assert (before.realised[0], before.unrealised[0]) == (0.0, 150.0)
    assert (after.realised[0], after.unrealised[0]) == (150.0, 0.0)


def test_profiles_meet_each_interval_with_its_own_price():
    contract = flat(hours=1, basis=Basis.PROFILE, minutes=15)
    nobody = np.zeros(0, dtype=np.int64)
    profile = ProfileHolding(0, 0, np.array([4.0, 8.0, 0.0, -4.0]), 100.0)
    holdings = Holdings(1, nobody, nobody, np.zeros(0), np.zeros(0), (profile,))
    market = MarketState(
        NOON + 1800, NOON + 1800, {"DE": spot(NOON, [10.0, 20.0], minutes=15)},
        np.array([90.0]), {0: np.array([1.0, 1.0, np.nan, 50.0])},
    )  # fmt: skip

    found = value_holdings([contract], holdings, market)

    assert found.realised == pytest.approx([10.0 + 40.0 - 50.0])
    assert found.unrealised == pytest.approx([-50.0 - 50.0])
    assert not found.missing.any()


def test_hourly_fixings_reach_the_quarters_of_a_profile_and_quarters_its_hours():
    quarters = flat(hours=1, basis=Basis.PROFILE, minutes=15)
    hours = flat(hours=2, basis=Basis.PROFILE, minutes=60)
    nobody = np.zeros(0, dtype=np.int64)

    def realised(contract, row, fixings):
        held = Holdings(
            1, nobody, nobody, np.zeros(0), np.zeros(0),
            (ProfileHolding(0, 0, np.array(row), 0.0),),
        )  # fmt: skip
        end = contract.end
        return value_holdings([contract], held, state(at=end, fixings={"DE": fixings})).realised

    assert realised(quarters, [4.0] * 4, spot(NOON, [30.0])) == pytest.approx([120.0])
    fine = spot(NOON, [10.0, 20.0, 30.0, 40.0, 50.0, 60.0], minutes=15)
    # Of the second hour only half is published, so it stays at the mark.
    assert realised(hours, [1.0, 1.0], fine) == pytest.approx([25.0 + 90.0])


def test_without_a_mark_nothing_is_guessed():
    holdings = one()
    unknown = state(marks=[np.nan])

    found = value_holdings([flat()], holdings, unknown)

    assert found.missing.tolist() == found.lines_missing.tolist() == [True]
    assert found.total.tolist() == [0.0]
    assert needs_mark([flat()], unknown).tolist() == [True]
    cash_only = value_holdings([flat()], one(0.0, 850.0), unknown)
    assert cash_only.total == pytest.approx([-48 * 850.0])
    over = state(at=NOON + 2 * DAY, marks=[np.nan], fixings={"DE": spot(NOON, [1.0] * 48)})
    assert needs_mark([flat()], over).tolist() == [False]


def day(holdings, market, fees=0.0, rate=1.0, held=True):
    return DayState(
        holdings, market, np.full(holdings.lines, fees), np.full(holdings.lines, rate),
        np.full(holdings.lines, held),
    )  # fmt: skip


def amounts(explained, column=0):
    return {
        (step.kind, step.name): int(value)
        for step, value in zip(explained.steps, explained.reporting[:, column], strict=True)
        if value
    }


def test_a_day_is_explained_in_written_numbers():
    contracts = [flat(), flat("FR")]
    both = np.array([0, 1], dtype=np.int64)
    first = Holdings(
        1, np.zeros(2, dtype=np.int64), both, np.array([10.0, -10.0]), np.array([850.0, -860.0])
    )
    second = replace(first, exposure=np.array([12.0, -10.0]))
    published = {"DE": spot(NOON, [100.0] * 24), "FR": spot(NOON, [88.0] * 24)}

    found = waterfall(
        contracts,
        day(first, state(marks=[90.0, 80.0]), fees=-50.0, rate=1.10),
        day(second, state(NOON + DAY, [92.0, 81.0], published), fees=-60.0, rate=1.20),
    )

    # Opening: 48 h × (10 × 90 − 850 − 10 × 80 + 860) = 5,280 and fees of 50.
    assert found.opening.tolist() == [523000]
    value = 5280 + 960 - 480  # DE + 2 on 480 MWh, FR + 1 on −480 MWh
    assert amounts(found) == {
        (StepKind.PRICE, "DE"): (960 * 110),
        (StepKind.PRICE, "FR"): (-480 * 110),
        (StepKind.FX, ""): round((value - 50) * 10),
        # 240 MWh at 100 instead of 92, −240 MWh at 88 instead of 81.
        (StepKind.FIXING, ""): ((240 * 8 - 240 * 7) * 120),
        (StepKind.AMENDMENT, ""): ((2 * 24 * 100 + 2 * 24 * 92) * 120),
        (StepKind.FEES, ""): -1200,
    }
    # Time moves a day's delivery from the future to the past, at yesterday's curve.
    assert found.native[0].tolist() == [0]
    assert found.realised[0].tolist() == [24 * 110 * 100]
    assert (found.opening + found.native.sum(axis=0) == found.closing).all()


@given(st.integers(0, 2**32 - 1))
def test_steps_sum_to_the_change_of_every_line_to_the_cent(seed):
    draw = np.random.default_rng(seed)
    contracts = [flat("DE"), flat("FR", NOON + 7 * HOUR), flat("DE", NOON - DAY)]
    lines, rows = 6, 20
    place = draw.integers(0, lines, rows), draw.integers(0, 3, rows)
    held = draw.random(lines) < 0.6

    def holdings(keep):
        return Holdings(
            lines, *place, draw.normal(0, 50, rows) * keep[place[0]],
            draw.normal(0, 4000, rows) * keep[place[0]],
        )  # fmt: skip

    def market(at):
        prices = {code: spot(NOON - DAY, draw.normal(50, 80, 60)) for code in ("DE", "FR")}
        return state(at, draw.normal(50, 80, 3), prices)

    def rates():
        return draw.uniform(0.5, 2.0, lines)

    def fees(keep):
        return draw.normal(0, 100, lines) * keep

    all_of = np.ones(lines, dtype=bool)
    before = DayState(holdings(held), market(NOON), fees(held), rates(), held)
    after = DayState(holdings(all_of), market(NOON + DAY), fees(all_of), rates(), all_of)

    found = waterfall(contracts, before, after)

    assert (found.opening + found.native.sum(axis=0) == found.closing).all()
    change = found.closing_reporting - found.opening_reporting
    assert (found.reporting.sum(axis=0) == change).all()
    total = value_holdings(contracts, after.holdings, after.market).total + after.fees
    assert (found.closing == cents(total)).all()
    new = found.steps.index(next(s for s in found.steps if s.kind is StepKind.NEW))
    assert not found.native[new][held].any()
    assert not found.native[:new][:, ~held].any()


def test_days_in_the_wrong_order_and_missing_rates_are_refused():
    today, tomorrow = day(one(), state()), day(one(), state(at=NOON + DAY))

    with pytest.raises(ValuationError, match="after"):
        waterfall([flat()], tomorrow, today)
    with pytest.raises(ValuationError, match="rates"):
        waterfall([flat()], today, replace(tomorrow, rates=np.array([np.nan])))
    with pytest.raises(ValuationError, match="lines"):
        waterfall([flat()], today, day(one(lines=2), state(at=NOON + DAY)))


def test_cents_are_exact_decimals():
    assert [str(cents_decimal(c)) for c in cents(np.array([1.005, -0.125, 1e12]))] == [
        "1.00", "-0.12", "1000000000000.00",
    ]  # fmt: skip
    with pytest.raises(ValuationError, match="finite"):
        cents(np.array([np.inf]))
