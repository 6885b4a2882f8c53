"""American and Bermudan options of a desk: in runs, on their page and over REST, and exercised."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from energyopti.accounts.actors import Actor
from trading.deals import Direction, OptionStyle, OptionType, Settlement
from trading.models import OptionGreek
from trading.pricing import (
    ModelChoice,
    PriceModel,
    american_option,
    bermudan_option,
    black76,
)
from trading.queries.option_values import option_of_trade, options_of_legs
from trading.queries.trades import trade_by_ref
from trading.services.exercise import exercise_option
from trading.services.locks import server_time
from trading.services.valuation import prove_run, value_organization

from .options_desk import CALL, EVENING, RATE, option, option_desk

pytestmark = pytest.mark.django_db
# Of the quarter: 10 MW over 2,159 hours, at 95; a put on it at 140 is far in the money.
UNITS = 21590
PUT = replace(
    CALL, style=OptionStyle.AMERICAN, option_type=OptionType.PUT, strikes=(Decimal(140),),
    premium=Decimal(0), expiry=datetime(2027, 12, 20, 11, tzinfo=UTC) - timedelta(days=356),
)  # fmt: skip
DATES = (
    datetime(2026, 12, 1, 11, tzinfo=UTC), datetime(2026, 12, 10, 11, tzinfo=UTC), PUT.expiry,
)  # fmt: skip
T = (PUT.expiry - EVENING).total_seconds() / (365 * 86400)


@pytest.fixture
def desk(monkeypatch):
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: EVENING)
    return option_desk()


def run_of(desk, as_of=EVENING):
    return value_organization(
        actor=Actor.system("test"), organization_id=desk.organization.pk, as_of=as_of
    )


def factor(days):
    return np.exp(-RATE * days / 365)


def expected_american(strike):
    # In cash: paid five business days after the decision, of one on Tuesday the 29th on the 5th of
    # January; of one now in a week.
    final = factor(46)
    return american_option(
        ModelChoice(PriceModel.BLACK76), forward=95.0, strike=strike, expiry=T, volatility=0.45,
        rate=np.log(factor(7) / final) / T, discount=final, option="PUT",
    )  # fmt: skip


def test_an_american_in_cash_is_worth_its_choice_and_with_delivery_what_a_european_is(desk):
    cash = desk.deal(deal=option(PUT, strikes=(Decimal(105),)))
    written = desk.deal(deal=option(PUT, strikes=(Decimal(105),), direction=Direction.PAY))
    physical, european = (
        desk.deal(deal=option(PUT, style=style, settlement=Settlement.PHYSICAL))
        for style in (OptionStyle.AMERICAN, OptionStyle.EUROPEAN)
    )

    run = run_of(desk)

    assert (run.unvalued, run.findings) == (0, [])
    found = {v.trade.ref: float(v.unrealised) for v in run.values.select_related("trade")}
    worth = expected_american(105.0)
    assert float(worth.premium) > 1e-4
    assert found[cash.ref] == pytest.approx(UNITS * float(worth.price), abs=0.02)
    assert found[written.ref] == -found[cash.ref]
    assert found[physical.ref] == found[european.ref]
    greek = OptionGreek.objects.filter(run=run, trade__ref=cash.ref)
    assert sum(float(row.delta) for row in greek) == pytest.approx(
        UNITS * float(worth.delta), rel=1e-6
    )
    assert prove_run(run).is_same


def test_a_bermudan_is_paid_by_its_dates_and_lies_between_the_others(desk):
    terms = replace(PUT, strikes=(Decimal(120),))
    refs = [
        desk.deal(deal=option(terms, style=style, exercises=exercises)).ref
        for style, exercises in (
            (OptionStyle.AMERICAN, ()), (OptionStyle.BERMUDAN, DATES), (OptionStyle.EUROPEAN, ()),
        )
    ]  # fmt: skip

    run = run_of(desk)

    found = {v.trade.ref: float(v.unrealised) for v in run.values.select_related("trade")}
    american, bermudan, european = (found[ref] for ref in refs)
    # The 1st of December is a Tuesday, the 10th a Thursday: paid on the 8th and the 17th.
    times = [(at - EVENING).total_seconds() / (365 * 86400) for at in DATES]
    dated = bermudan_option(
        ModelChoice(PriceModel.BLACK76), forward=95.0, strike=120.0, times=times, volatility=0.45,
        discounts=factor(np.array([18, 27, 46])), option="PUT",
    )  # fmt: skip
    assert bermudan == pytest.approx(UNITS * float(dated.price), abs=0.02)
    plain = black76(
        forward=95.0, strike=120.0, expiry=T, volatility=0.45, discount=factor(46), option="PUT"
    )
    assert european == pytest.approx(UNITS * float(plain.price), abs=0.02)
    assert american > bermudan > european + 1.0


def test_the_page_and_rest_say_whether_to_exercise_today_and_what_choosing_is_worth(desk):
    deep = desk.deal(deal=option(PUT, strikes=(Decimal(240),)))
    dated = desk.deal(deal=option(PUT, style=OptionStyle.BERMUDAN, exercises=DATES))
    held = desk.deal(deal=option(PUT, strikes=(Decimal(105),), settlement=Settlement.PHYSICAL))
    client = Client()
    client.force_login(desk.trader.user, backend="django.contrib.auth.backends.ModelBackend")

    def shown(ref):
        page = client.get(reverse("trading:trade", args=[ref])).content.decode()
        body = client.get(f"/api/v1/trading/trades/{ref}/option-value").json()
        return page, body["rights"][0]

    page, right = shown(deep.ref)
    assert "American put on forward" in page and "exercise today" in page
    assert right["style"] == "AMERICAN" and right["early"]["is_best_now"]
    assert right["early"]["exercise"] == pytest.approx(UNITS * factor(7) * 145.0, abs=0.05)
    # To wait a day costs a day's interest on it.
    assert right["early"]["exercise"] - right["early"]["hold"] == pytest.approx(
        right["early"]["exercise"] * RATE / 365, rel=0.02
    )
    assert right["value"] == right["early"]["exercise"]
    # Who decides sees it where it is decided, on the curves of now.
    asked = client.get(reverse("trading:trade_verb", args=[deep.ref, "exercise"])).content.decode()
    assert "Worth on the curves of now" in asked and "exercise today" in asked
    page, right = shown(dated.ref)
    assert "not today" in page and "Implicit differences on 513 prices in" in page
    assert (right["early"]["exercise"], right["early"]["any_time"]) == (None, False)
    assert [at[:10] for at in right["early"]["exercises"]] == [str(at.date()) for at in DATES]
    assert right["early"]["premium"] > 0 and not right["early"]["is_best_now"]
    assert 0 < right["early"]["error"] < 2e-5 * right["value"]
    page, right = shown(held.ref)
    assert "payments follow the delivery" in page
    assert right["early"]["premium"] == 0 and right["early"]["exercise"] > 0
    assert right["early"]["hold"] > right["early"]["exercise"] and not right["early"]["boundary"]
    # On a day of exercise it may be exercised from midnight on, or still at its hour.
    leg = replace(PUT, style=OptionStyle.BERMUDAN, exercises=DATES, strikes=(Decimal(240),))
    (line,) = options_of_legs(
        [(0, 1, leg)], as_of=DATES[0] - timedelta(hours=3), known_at=server_time()
    ).rights
    assert line.early is not None and line.early.is_best_now
    assert line.early.exercises == DATES


def test_what_was_exercised_early_is_its_cash_and_no_right_any_more(desk):
    receipt = desk.deal(deal=option(PUT))
    run = run_of(desk)
    fresh = desk.deal(deal=option(PUT, strikes=(Decimal(150),)))
    at = EVENING + timedelta(hours=2)
    for ref in (receipt.ref, fresh.ref):
        exercise_option(actor=desk.trader, ref=ref, expected_version=1, received_at=at)
    shown = option_of_trade(
        trade_by_ref(desk.trader, fresh.ref), now=at, known_at=server_time()
    )  # fmt: skip
    # In no run yet, and decided.
    assert (shown.run, shown.value, shown.rights) == (None, 0.0, ())
    assert [money.amount for money in shown.cash] == [Decimal(UNITS * 55)]

    later = run_of(desk, as_of=at + timedelta(minutes=5))

    value = later.values.get(trade__ref=receipt.ref)
    assert (value.unrealised, value.fees) == (0, Decimal(UNITS * 45))
    assert not OptionGreek.objects.filter(run=later, delta__gt=0).exists()
    assert later.unvalued == 0
    assert prove_run(run).is_same and prove_run(later).is_same


def test_what_nobody_exercised_is_nothing_once_it_has_expired(desk):
    receipt = desk.deal(deal=option(PUT))

    run = run_of(desk, as_of=PUT.expiry + timedelta(minutes=1))

    value = run.values.get(trade__ref=receipt.ref)
    assert (value.unrealised, value.realised, value.is_valued) == (0, 0, True)
