"""Limits of every kind: who proposes and decides, what they hold down, and what a deal meets."""

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import close_old_connections, connection

from energyopti.accounts.actors import PermissionMissing
from energyopti.accounts.roles import Role
from energyopti.accounts.services.roles import synchronize_roles
from energyopti.foundation.events.models import Event
from energyopti.foundation.proposals.services import SecondPersonNeeded
from risk.enums import Dimension, Excess, LimitMeasure, LossPeriod
from risk.models import Limit, LimitBreach
from risk.queries.limit_pages import limit_uses, limits_for, uses_of_book
from risk.services.limit_terms import LimitTerms
from risk.services.limits import (
    LimitRefused,
    decide_increase,
    decide_limit,
    propose_increase,
    propose_limit,
    propose_removal,
)
from tests.factories.accounts import make_user
from tests.factories.risk import colleague_of, hold
from tests.factories.trades import RECEIVED_AT, TRADED_AT, make_counterparty, make_desk, make_market
from trading.models import Trade
from trading.services.capture import TradeStopped

from .test_live_numbers import ready_desk

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def desk():
    return make_desk()


def used(desk, limit, at=RECEIVED_AT) -> float:
    rows = limits_for(desk.again(desk.officer)).filter(pk=limit.pk)
    (use,) = limit_uses(list(rows), at=at)
    assert not use.problem
    return use.used


def line_of(stopped, words: str):
    check = next(r for r in stopped.value.results if r.check == "limits")
    return next(line for line in check.told if line.reason.startswith(words))


def trader_id(desk):
    return desk.trader.user.pk


# Two persons, and what is only lowered


def test_a_new_limit_waits_for_a_second_person_and_holds_nothing_until_then(desk):
    terms = LimitTerms(
        LimitMeasure.NET_VOLUME, Decimal(5), book_id=desk.book.pk, unit="MW", market="DE"
    )

    row = propose_limit(actor=desk.officer, terms=terms, reason="board")

    desk.deal("B 10MW DE base Cal27 @ 85")
    with pytest.raises(SecondPersonNeeded):
        decide_limit(actor=desk.officer, limit_id=row.pk, approve=True, reason="")
    with pytest.raises(PermissionMissing):
        decide_limit(actor=desk.trader, limit_id=row.pk, approve=True, reason="")
    with pytest.raises(ValidationError, match="waits already"):
        propose_limit(actor=desk.officer, terms=terms, reason="board")
    decided = decide_limit(actor=colleague_of(desk), limit_id=row.pk, approve=True, reason="ok")
    assert (decided.is_active, decided.number) == (True, 1)
    with pytest.raises(LimitRefused, match="already"):
        decide_limit(actor=colleague_of(desk), limit_id=row.pk, approve=True, reason="")
    with pytest.raises(TradeStopped):
        desk.deal("B 1MW DE base Cal27 @ 85")
    told = Event.objects.filter(aggregate_type="limit").order_by("id")
    assert [event.type for event in told] == ["limit.proposed", "limit.approved"]


def test_lowering_holds_at_once_raising_waits_and_history_stays(desk):
    first = hold(desk, 100, measure=LimitMeasure.NET_VOLUME, unit="MW")

    lower = hold(desk, 50, measure=LimitMeasure.NET_VOLUME, unit="MW")
    assert lower.is_active and lower.decided_by == "system:limits"
    higher = propose_limit(
        actor=desk.officer, reason="season",
        terms=LimitTerms(LimitMeasure.NET_VOLUME, Decimal(60), book_id=desk.book.pk, unit="MW"),
    )  # fmt: skip
    softer = LimitTerms(
        LimitMeasure.NET_VOLUME, Decimal(40), book_id=desk.book.pk, unit="MW", excess=Excess.SOFT
    )

    assert not higher.is_active and Limit.objects.get(is_active=True) == lower
    decide_limit(actor=colleague_of(desk), limit_id=higher.pk, approve=False, reason="no season")
    # Lower, but an order over it would only need a reason: that is no lowering.
    assert not propose_limit(actor=desk.officer, terms=softer, reason="x").is_active
    numbers = Limit.objects.order_by("number").values_list("number", "is_active", "status")
    assert list(numbers) == [
        (1, False, "APPROVED"), (2, True, "APPROVED"), (3, False, "DECLINED"),
        (4, False, "PENDING"),
    ]  # fmt: skip
    assert first.amount == 100


def test_a_removal_is_decided_by_another_person(desk):
    limit = hold(desk, 1, measure=LimitMeasure.NET_VOLUME, unit="MW")

    row = propose_removal(actor=desk.officer, limit_id=limit.pk, reason="closed")

    with pytest.raises(TradeStopped):
        desk.deal()
    decide_limit(actor=colleague_of(desk), limit_id=row.pk, approve=True, reason="")
    desk.deal()
    assert not Limit.objects.filter(is_active=True).exists()


def test_an_increase_holds_from_its_start_to_before_its_end_once_another_approved_it(desk):
    limit = hold(desk, 5, measure=LimitMeasure.NET_VOLUME, unit="MW")
    asked = {
        "limit_id": limit.pk, "amount": Decimal(10), "start_at": RECEIVED_AT,
        "end_at": RECEIVED_AT + HOUR, "reason": "outage", "at": RECEIVED_AT,
    }  # fmt: skip
    row = propose_increase(actor=desk.officer, **asked)
    with pytest.raises(TradeStopped):
        desk.deal()
    with pytest.raises(SecondPersonNeeded):
        decide_increase(actor=desk.officer, increase_id=row.pk, approve=True, reason="")

    decide_increase(actor=colleague_of(desk), increase_id=row.pk, approve=True, reason="")

    with pytest.raises(TradeStopped):
        desk.deal("B 10MW DE base Cal27 @ 85", received_at=RECEIVED_AT + HOUR)
    desk.deal("B 10MW DE base Cal27 @ 85")
    with pytest.raises(ValidationError, match="end_at"):
        propose_increase(actor=desk.officer, **{**asked, "end_at": RECEIVED_AT})
    with pytest.raises(ValidationError, match="90 days"):
        late = RECEIVED_AT + timedelta(days=91)
        propose_increase(actor=desk.officer, **{**asked, "end_at": late})


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"measure": LimitMeasure.VAR}, "confidence"),
        ({"measure": LimitMeasure.LOSS}, "period"),
        ({"measure": LimitMeasure.CONCENTRATION}, "dimension"),
        ({"measure": LimitMeasure.CONCENTRATION, "dimension": "TENOR", "amount": "101"}, "amount"),
        ({"measure": LimitMeasure.CREDIT_NOTIONAL}, "book_id"),
        ({"measure": LimitMeasure.NET_VOLUME, "unit": "EUR"}, "unit"),
        ({"measure": LimitMeasure.NET_VOLUME, "market": "NOWHERE"}, "market"),
        ({"measure": LimitMeasure.DELTA, "unit": "MW"}, "unit"),
        ({"measure": LimitMeasure.VAR, "confidence": Decimal("0.99"), "unit": "USD"}, "unit"),
        ({"measure": LimitMeasure.VAR, "confidence": Decimal("0.99"), "market": "DE"}, "market"),
        ({"measure": LimitMeasure.DELTA, "amount": "NaN"}, "amount"),
        ({"measure": LimitMeasure.DELTA, "warn_share": Decimal(2)}, "warn_share"),
        ({"measure": LimitMeasure.STRESS}, "measure"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(desk, terms, field):
    terms = {"amount": "1", "book_id": desk.book.pk, **terms}

    with pytest.raises(ValidationError) as refused:
        propose_limit(
            actor=desk.officer, reason="x",
            terms=LimitTerms(**{**terms, "amount": Decimal(terms["amount"])}),
        )  # fmt: skip

    assert field in refused.value.message_dict
    assert not Limit.objects.exists()


# What is measured, before and after


def test_volumes_of_a_month_net_and_gross_and_delta(desk):
    make_market("NL", time_zone="Europe/Amsterdam")
    desk.deal("B 10MW DE base Cal27 @ 85")
    desk.deal("S 4MW DE base Jan27 @ 85")
    net = hold(desk, 100, measure=LimitMeasure.NET_VOLUME, unit="MW", market="DE")
    gross = hold(desk, 100, measure=LimitMeasure.GROSS_VOLUME, unit="MW")
    energy = hold(desk, 10**6, measure=LimitMeasure.NET_VOLUME, unit="MWh")
    delta = hold(desk, 10**6, measure=LimitMeasure.DELTA, commodity="POWER")

    assert used(desk, net) == pytest.approx(10)
    assert used(desk, gross) == pytest.approx(14)
    assert used(desk, energy) == pytest.approx(10 * 745)  # October: the clocks go back
    assert used(desk, delta) == pytest.approx(10 * 8760 - 4 * 744)

    desk.deal("B 90MW DE base Mar27 @ 85", reason="to the bound")
    with pytest.raises(TradeStopped) as stopped:
        desk.deal("B 1MW DE base Mar27 @ 85")
    line = line_of(stopped, "Net volume of a month, DE")
    assert (line.before, line.after, line.limit, line.unit) == (
        pytest.approx(100), pytest.approx(101), 100, "MW",
    )  # fmt: skip
    # What lowers the net volume is let through, and still adds to the gross one.
    with pytest.raises(TradeStopped, match="Gross volume"):
        desk.deal("S 1MW DE base Mar27 @ 85")


def test_credit_counts_what_is_open_with_a_counterparty_in_whichever_book(desk):
    other = make_counterparty(desk.organization, "BRISE")
    notional = hold(
        desk, 1_300_000, measure=LimitMeasure.CREDIT_NOTIONAL, unit="EUR",
        counterparty_id=desk.counterparty.pk,
    )  # fmt: skip
    tenor = hold(desk, 20, measure=LimitMeasure.CREDIT_TENOR, counterparty_id=desk.counterparty.pk)
    desk.deal("B 10MW DE base Jan27 @ 85")
    desk.deal("S 10MW DE base Feb27 @ 80")

    assert used(desk, notional) == pytest.approx(10 * 744 * 85 + 10 * 672 * 80)
    assert used(desk, tenor) == pytest.approx(100 / (365.25 / 12), abs=0.1)
    with pytest.raises(TradeStopped, match="Open notional of ACME"):
        desk.deal("B 10MW DE base Cal27 @ 85")
    with pytest.raises(TradeStopped, match="Tenor of ACME"):
        desk.deal("B 1MW DE base Cal28 @ 1")
    desk.deal("B 10MW DE base Cal28 @ 85", counterparty_id=other.pk)


def test_concentration_is_the_largest_share_of_the_gross_notional(desk):
    other = make_counterparty(desk.organization, "BRISE")
    desk.deal("B 10MW DE base Jan27 @ 80")
    desk.deal("S 10MW DE base Jan27 @ 80", counterparty_id=other.pk)
    desk.deal("S 20MW DE base Jan28 @ 80", counterparty_id=other.pk)
    limits = {
        name: hold(desk, 90, measure=LimitMeasure.CONCENTRATION, dimension=name)
        for name in Dimension
    }

    assert used(desk, limits[Dimension.COUNTERPARTY]) == pytest.approx(75)
    assert used(desk, limits[Dimension.TENOR]) == pytest.approx(50)
    assert used(desk, limits[Dimension.MARKET]) == pytest.approx(100)


def test_es_and_a_traders_var_are_read_like_a_books():
    desk = ready_desk()
    desk.deal("B 10MW DE base Cal27 @ 85")
    book = hold(desk, 10**9)
    mine = hold(desk, 10**9, trader_id=trader_id(desk), unit="EUR")
    es = hold(desk, 10**9, measure=LimitMeasure.ES)

    assert used(desk, mine) == pytest.approx(used(desk, book), rel=1e-9)
    assert used(desk, es) >= used(desk, book) > 0


def test_a_loss_is_that_of_the_live_value_before_the_first_close():
    desk = ready_desk()
    desk.deal("B 10MW DE base Cal27 @ 200", fill=True)
    limit = hold(desk, 1000, measure=LimitMeasure.LOSS, period=LossPeriod.DAY.value)

    from risk.queries.book_state import book_state

    assert used(desk, limit) == pytest.approx(-book_state(desk.book.pk)["value"])
    # A deal at the curve leaves the loss as it is: it needs a reason, and one above is stopped.
    with pytest.raises(TradeStopped, match="Loss, day of EU"):
        desk.deal("B 1MW DE base Cal27 @ 200")


def test_warn_tells_soft_asks_and_hard_stops(desk):
    for excess, amount in ((Excess.WARN, 1), (Excess.SOFT, 2)):
        hold(desk, amount, measure=LimitMeasure.NET_VOLUME, unit="MW", excess=excess,
             market="DE" if excess is Excess.WARN else "")  # fmt: skip

    desk.deal("B 10MW DE base Cal27 @ 85", reason="told and asked")

    check = next(c for c in Trade.objects.get().versions.get().checks if c["check"] == "limits")
    outcomes = {line["reason"].split(" of EU")[0]: line["outcome"] for line in check["lines"]}
    assert outcomes["Net volume of a month, DE"] == "PASS"
    assert outcomes["Net volume of a month"] == "SOFT" == check["outcome"]


def test_an_amendment_counts_the_trade_once(desk):
    from tests.factories.trades import deal_of_words
    from trading.services.lifecycle import amend_trade

    for measure in (LimitMeasure.NET_VOLUME, LimitMeasure.GROSS_VOLUME):
        hold(desk, 12, measure=measure, unit="MW")
    ref = desk.deal("B 10MW DE base Cal27 @ 85").ref
    words = {"actor": desk.trader, "ref": ref, "received_at": RECEIVED_AT, "reason": "grown"}

    amend_trade(deal=deal_of_words("B 12MW DE base Cal27 @ 85"), expected_version=1, **words)

    with pytest.raises(TradeStopped, match=r"from 12\.00 to 13\.00 MW"):
        amend_trade(deal=deal_of_words("B 13MW DE base Cal27 @ 85"), expected_version=2, **words)


def test_limits_of_other_people_are_not_seen(desk):
    mine = hold(desk, 5, measure=LimitMeasure.NET_VOLUME, unit="MW", trader_id=trader_id(desk))
    colleague = make_user(Role.TRADER, organization=desk.organization)
    hold(desk, 5, measure=LimitMeasure.NET_VOLUME, unit="MW", trader_id=colleague.pk)

    seen = limits_for(desk.again(desk.trader)).filter(is_active=True)
    assert [row.pk for row in seen] == [mine.pk]
    assert limits_for(make_desk().officer).count() == 0


def test_the_check_of_a_thousand_trades_is_quick_and_its_queries_do_not_grow(
    desk, django_assert_max_num_queries
):
    from tests.factories.trades import deal_of_words
    from trading.queries.proposals import preview, propose

    for measure in (LimitMeasure.NET_VOLUME, LimitMeasure.GROSS_VOLUME):
        hold(desk, 10**6, measure=measure, unit="MW", trader_id=trader_id(desk))
    desk.deal("B 1MW DE base Cal27 @ 85")
    proposal = propose(
        actor=desk.again(desk.trader), deal=deal_of_words("B 1MW DE base Cal28 @ 85"),
        book_id=desk.book.pk, counterparty_id=desk.counterparty.pk, traded_at=TRADED_AT,
        received_at=RECEIVED_AT,
    )  # fmt: skip

    with django_assert_max_num_queries(24):
        found = preview(proposal)

    lines = next(r for r in found.results if r.check == "limits").told
    assert [line.unit for line in lines] == ["", "MW", "MW"]


def test_the_books_bars_are_of_every_kind(desk):
    hold(desk, 50, measure=LimitMeasure.NET_VOLUME, unit="MW")
    hold(desk, 10**6)

    uses = uses_of_book(desk.book.pk, at=RECEIVED_AT)

    assert [use.name for use in uses] == ["VaR 99 %", "Net volume of a month"]
    assert (uses[0].state, uses[1].state) == ("Not measured", "Within")


@pytest.mark.django_db(transaction=True)
def test_two_captures_at_once_cannot_share_the_headroom_of_a_trader():
    synchronize_roles()  # a transaction test begins with emptied tables
    desk = make_desk()
    from guardian.shortcuts import assign_perm

    from tests.factories.trades import make_book

    elsewhere = make_book(desk.organization, "GAS")
    for level in ("view_book", "trade_book"):
        assign_perm(f"trading.{level}", desk.trader.user, elsewhere)
    other = make_counterparty(desk.organization, "BRISE")
    # Room for one of the two, in books and with counterparties that share no lock.
    hold(desk, 10, measure=LimitMeasure.NET_VOLUME, unit="MW", trader_id=trader_id(desk))
    start, outcomes = threading.Barrier(2), []

    def capture(**more) -> None:
        try:
            start.wait(10)
            desk.deal("B 10MW DE base Cal27 @ 85", actor=desk.again(desk.trader), **more)
            outcomes.append("booked")
        except TradeStopped:
            outcomes.append("stopped")
        finally:
            close_old_connections()
            connection.close()

    threads = [
        threading.Thread(target=capture, kwargs=more)
        for more in ({}, {"book_id": elsewhere.pk, "counterparty_id": other.pk})
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(outcomes) == ["booked", "stopped"]
    assert Trade.objects.count() == 1 and not LimitBreach.objects.exists()
