"""Changes of trades against vectors: new minus old, pending apart, and a full sum that agrees."""

import random
import threading
from collections import Counter
from decimal import Decimal

import numpy as np
import pytest
from django.db import close_old_connections, connection
from guardian.shortcuts import assign_perm

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from energyopti.accounts.services.roles import synchronize_roles
from risk.models import LimitBreach, ScopeVector
from risk.queries.book_state import book_state
from risk.queries.scopes import scopes
from risk.services.rebase import rebase_books, recompute_all
from tests.factories.accounts import make_user
from tests.factories.risk import curve, hold
from tests.factories.trades import RECEIVED_AT, TRADED_AT, deal_of_words, make_book
from trading.models import Trade, TradeEvent, TradeVersion
from trading.services.capture import TradeStopped
from trading.services.early_ends import terminate_trade
from trading.services.life import StaleVersion
from trading.services.lifecycle import (
    amend_trade,
    approve_amendment,
    cancel_trade,
    correct_trade,
    decline_amendment,
    reject_trade,
    release_trade,
)

from .test_live_numbers import ready_desk, var_of

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system("test")
CHANGES = 1000
PERIODS = ("Q1-27", "Q3-27", "Jan27", "W05-27", "Cal27")


def change(desk, ref, verb, **more):
    more.setdefault("actor", desk.trader)
    more.setdefault("expected_version", Trade.objects.get(ref=ref).latest_version)
    more.setdefault("reason", "test")
    return verb(ref=ref, received_at=RECEIVED_AT, **more)


def held_version(ref):
    return TradeVersion.objects.filter(trade__ref=ref).latest("version")


def colleague(desk):
    user = make_user(Role.TRADER, organization=desk.organization)
    for level in ("view_book", "trade_book"):
        assign_perm(f"trading.{level}", user, desk.book)
    return Actor.for_user(user)


@pytest.mark.slow
def test_a_thousand_random_changes_leave_what_a_full_computation_gives():
    desk = ready_desk()
    below = make_book(desk.organization, "EU-DE", parent=desk.book)
    desk.book.four_eyes_from = Decimal(700_000)
    desk.book.save()
    trader, second, draw = desk.again(desk.trader), colleague(desk), random.Random(5)
    done = Counter()
    trades: dict[str, str] = {}
    waiting: list[str] = []  # trades with an amendment that did, at least when it was proposed
    for _ in range(CHANGES):
        words = (
            f"{draw.choice('BS')} {draw.randint(1, 12)}MW DE base "
            f"{draw.choice(PERIODS)} @ {draw.randint(-5, 99)}"
        )
        deal = deal_of_words(words)
        ref, status = draw.choice(list(trades.items())) if trades else ("", "")
        if waiting and draw.random() < 0.5:
            ref = waiting.pop()
            status = trades[ref]
        verb = draw.choice(("deal", "amend", "amend", "correct", "cancel", "terminate", "release"))
        if verb == "deal" or status not in ("LIVE", "PENDING") or len(trades) < 8:
            book = draw.choice((desk.book, below))
            receipt = desk.deal(deal=deal, actor=trader, book_id=book.pk, fill=draw.random() < 0.3)
            trades[receipt.ref] = receipt.status
            done["deal " + receipt.status] += 1
            continue
        if status == "PENDING":
            verb = draw.choice((release_trade, reject_trade, cancel_trade))
            actor = trader if verb is cancel_trade else second
            after = change(desk, ref, verb, actor=actor)
        elif verb == "cancel":
            after = change(desk, ref, cancel_trade, actor=trader)
        elif verb != "correct" and (held := held_version(ref)).event == TradeEvent.PROPOSE:
            verb = draw.choice((approve_amendment, decline_amendment))
            after = change(desk, ref, verb, actor=trader)
        elif verb == "terminate":
            half = held.first_date + (held.after_date - held.first_date) / 2
            after = change(desk, ref, terminate_trade, actor=trader, from_date=half)
        else:
            way = amend_trade if verb == "amend" else correct_trade
            after = change(desk, ref, way, actor=second, deal=deal)
            if held_version(ref).event == TradeEvent.PROPOSE:
                waiting.append(ref)
        trades[ref] = after.status
        done[verb if isinstance(verb, str) else verb.__name__] += 1

    vectors = scopes([desk.book.pk, below.pk])
    assert all(np.abs(v.pnl).max() > 0 for v in vectors.values())
    assert any(v.pending.any() for v in vectors.values())
    assert min(done[name] for name in ("amend", "correct", "cancel", "terminate")) > 20
    assert min(done[name] for name in ("approve_amendment", "decline_amendment")) > 5
    assert recompute_all(actor=SYSTEM) <= 1e-9


def test_what_waits_for_release_is_reserved_and_in_no_value():
    desk = ready_desk()
    desk.deal("B 1MW DE base Cal27 @ 85")
    room, value = var_of(desk), book_state(desk.book.pk)["value"]
    hold(desk, Decimal(str(round(room * 12, 2))))
    desk.book.four_eyes_from = Decimal(1_000_000)
    desk.book.save()

    waiting = desk.deal("B 10MW DE base Cal27 @ 85")

    assert waiting.status == "PENDING"
    assert (var_of(desk), book_state(desk.book.pk)["value"]) == (room, value)
    with pytest.raises(TradeStopped, match="with what waits for release"):
        desk.deal("B 2MW DE base Cal27 @ 85", reason="on top")
    assert recompute_all(actor=SYSTEM) <= 1e-9
    later = TRADED_AT.replace(day=24)
    curve(desk.market, as_of=later)
    rebase_books(actor=SYSTEM, valued_at=later)
    assert scopes([desk.book.pk])[desk.book.pk].pending.any()
    rebased = var_of(desk)
    change(desk, waiting.ref, release_trade, actor=colleague(desk))
    assert var_of(desk) == pytest.approx(11 * rebased)
    assert not scopes([desk.book.pk])[desk.book.pk].pending.any()
    assert recompute_all(actor=SYSTEM) <= 1e-9


def test_an_amendment_is_judged_by_what_it_changes():
    desk = ready_desk()
    receipt = desk.deal("B 10MW DE base Cal27 @ 85")
    room = var_of(desk)
    hold(desk, Decimal(str(round(room * 1.1, 2))))

    change(desk, receipt.ref, amend_trade, deal=deal_of_words("B 10MW DE base Cal27 @ 84"))
    assert var_of(desk) == pytest.approx(room)
    with pytest.raises(TradeStopped) as stopped:
        change(desk, receipt.ref, amend_trade, deal=deal_of_words("B 12MW DE base Cal27 @ 84"))
    verdict = next(r for r in stopped.value.results if r.check == "limits")
    assert (verdict.before, verdict.after) == (
        pytest.approx(room), pytest.approx(1.2 * room),
    )  # fmt: skip


def test_cancelling_a_hedge_is_a_fact_and_opens_a_breach():
    desk = ready_desk()
    desk.deal("B 10MW DE base Cal27 @ 85")
    hedge = desk.deal("S 9MW DE base Cal27 @ 85")
    hold(desk, Decimal(str(round(var_of(desk) * 2, 2))),
    )  # fmt: skip

    change(desk, hedge.ref, cancel_trade)

    assert LimitBreach.objects.get().cause == hedge.ref


@pytest.mark.django_db(transaction=True)
def test_two_amendments_at_once_one_wins_and_the_other_sees_both():
    synchronize_roles()  # a transaction test begins with emptied tables
    desk = ready_desk()
    receipt = desk.deal("B 10MW DE base Cal27 @ 85")
    start, outcomes = threading.Barrier(2), []

    def amend(mw: int) -> None:
        try:
            start.wait(10)
            change(
                desk, receipt.ref, amend_trade, actor=desk.again(desk.trader), expected_version=1,
                deal=deal_of_words(f"B {mw}MW DE base Cal27 @ 85"),
            )  # fmt: skip
            outcomes.append(("changed", mw))
        except StaleVersion as error:
            outcomes.append(("stale", error.seen.version, error.held.version, error.held.quantity))
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=amend, args=(mw,)) for mw in (12, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    changed, stale = sorted(outcomes)
    assert changed[0] == "changed"
    assert stale == ("stale", 1, 2, changed[1])
    assert TradeVersion.objects.filter(trade__ref=receipt.ref).count() == 2
    assert {p["mw"] for p in book_state(desk.book.pk)["positions"]} == {str(changed[1])}
    assert recompute_all(actor=SYSTEM) <= 1e-9
    assert ScopeVector.objects.get().sequence == 2
