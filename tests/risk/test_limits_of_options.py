"""Delta, vega and stresses of a scope with options, and the limits that hold them down."""

from datetime import datetime
from decimal import Decimal

import numpy as np
import pytest

from energyopti.accounts.actors import Actor
from risk.enums import LimitMeasure
from risk.models import MoveRule, StressTarget
from risk.queries.bases import latest_basis
from risk.queries.limit_pages import limit_uses, limits_for
from risk.services.snapshots import build_snapshot
from risk.services.stress_runs import run_stresses
from risk.services.stresses import ShockTerms, StressTerms, decide_stress, propose_stress
from tests.factories.risk import colleague_of, hold, quote_history
from tests.factories.trades import RECEIVED_AT, make_market
from tests.trading.valuation.options_desk import (
    CALL,
    EVENING,
    INDEX,
    INDEX_FR,
    RATE,
    index_in,
    option,
    option_desk,
)
from trading.deals import OptionType
from trading.pricing import black76
from trading.services.capture import TradeStopped

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
HOURS = np.array([744.0, 672.0, 743.0])


@pytest.fixture
def desk(monkeypatch):
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: EVENING)
    desk = option_desk()
    quote_history(desk.market)
    build_snapshot(actor=Actor.system("test"), valued_at=EVENING)
    return desk


def used(desk, limit) -> float:
    rows = limits_for(desk.again(desk.officer)).filter(pk=limit.pk)
    (use,) = limit_uses(list(rows), at=max(RECEIVED_AT, EVENING))
    assert not use.problem, use.problem
    return use.used


def one_mwh():
    """Price the call on Q1 for one MWh, discounted to its payment."""
    marks = latest_basis().markets
    (market,) = marks.values()
    forward = float(market.curve.prices[[2, 3, 4]] @ HOURS / HOURS.sum())
    paid = datetime(2026, 12, 29, tzinfo=EVENING.tzinfo)
    return black76(
        forward=forward, strike=100.0, volatility=0.45,
        expiry=(CALL.expiry - EVENING).total_seconds() / (365 * 86400),
        discount=float(np.exp(-RATE * (paid - EVENING).days / 365)),
    )  # fmt: skip


def test_delta_counts_options_by_their_own_and_stops_what_goes_beyond(desk):
    limit = hold(desk, 10**6, measure=LimitMeasure.DELTA, market="DE")
    desk.deal("S 2MW DE base Q1-27 @ 95")
    desk.deal(deal=option(), actor=desk.again(desk.trader))

    expected = HOURS.sum() * (10 * float(one_mwh().delta) - 2)

    assert used(desk, limit) == pytest.approx(abs(expected), rel=2e-3)
    hold(desk, round(abs(expected)) + 100, measure=LimitMeasure.DELTA, market="DE")
    with pytest.raises(TradeStopped, match="Delta, DE"):
        desk.deal(deal=option(), actor=desk.again(desk.trader))
    # A sale of what the option gains on lowers it.
    desk.deal("S 1MW DE base Q1-27 @ 95", actor=desk.again(desk.trader))


def test_vega_is_a_point_of_volatility_of_all_months(desk):
    limit = hold(desk, 10**6, measure=LimitMeasure.VEGA)
    desk.deal(deal=option(), actor=desk.again(desk.trader))

    expected = 10 * HOURS.sum() * float(one_mwh().vega) * 0.01

    assert used(desk, limit) == pytest.approx(expected, rel=2e-3)
    hold(desk, round(1.5 * expected, 2), measure=LimitMeasure.VEGA)
    with pytest.raises(TradeStopped, match="Vega"):
        desk.deal(deal=option(), actor=desk.again(desk.trader))


def test_the_worst_stress_holds_down_options_and_positions_alike(desk):
    with pytest.raises(Exception, match="no approved stress"):
        hold(desk, 10**6, measure=LimitMeasure.STRESS)
    for code, size in (("UP", 0.5), ("DOWN", -0.3)):
        shock = ShockTerms("Power", StressTarget(StressTarget.PRICE), size, rule=MoveRule.RELATIVE)
        row = propose_stress(
            actor=desk.officer, reason="board",
            terms=StressTerms(code, f"Power {size:+.0%}", "stated", "Risk", (shock,)),
        )  # fmt: skip
        decide_stress(actor=colleague_of(desk), stress_id=row.pk, approve=True, reason="checked")
    limit = hold(desk, 10**7, measure=LimitMeasure.STRESS)
    desk.deal("S 12MW DE base Q1-27 @ 95", actor=desk.again(desk.trader))
    desk.deal(deal=option(), actor=desk.again(desk.trader))

    run = run_stresses(actor=desk.again(desk.officer), book_id=desk.book.pk)
    worst = -min(one["pnl"] for one in run.results)

    assert worst > 0
    assert used(desk, limit) == pytest.approx(worst, rel=1e-9)
    hold(desk, round(worst + 100, 2), measure=LimitMeasure.STRESS)
    with pytest.raises(TradeStopped, match="Worst stress"):
        desk.deal("S 1MW DE base Q1-27 @ 95", actor=desk.again(desk.trader))
    desk.deal(deal=option(), actor=desk.again(desk.trader))


def test_what_cannot_be_measured_is_said_and_stops_the_order(desk):
    hold(desk, 10**9, measure=LimitMeasure.VEGA)
    index_in(make_market("FR", time_zone="Europe/Paris"), "EPEX-FR-DA")
    spread = option(
        strikes=(Decimal(5),), option_type=OptionType.SPREAD_CALL, underlying=(INDEX, INDEX_FR)
    )

    with pytest.raises(TradeStopped) as stopped:
        desk.deal(deal=spread, actor=desk.again(desk.trader))

    assert "cannot be valued" in str(stopped.value)
