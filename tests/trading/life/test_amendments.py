"""Amendments over the threshold: they wait, reserve, and are approved or refused by another."""

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from energyopti.foundation.proposals.services import SecondPersonNeeded
from tests.factories.accounts import make_user
from tests.factories.trades import (
    RECEIVED_AT,
    deal_of_words,
    make_book,
    make_counterparty,
    make_desk,
)
from trading.models import ProposedAmendment, Trade, TradeVersion
from trading.queries.deals import deal_of, proposed_deal_of
from trading.queries.positions import positions_by_deltas, positions_of
from trading.services.capture import capture_mirror
from trading.services.four_eyes import set_four_eyes
from trading.services.life import StaleVersion, TransitionForbidden
from trading.services.lifecycle import (
    amend_trade,
    approve_amendment,
    cancel_trade,
    correct_trade,
    decline_amendment,
)
from trading.services.maturity import mature_trades

SMALL, LARGE = "B 1MW DE base Cal27 @ 85.20", "B 10MW DE base Cal27 @ 86"
LATER = RECEIVED_AT + timedelta(hours=1)


def colleague(desk, role=Role.TRADER, levels=("view_book", "trade_book")):
    user = make_user(role, organization=desk.organization)
    for level in levels:
        assign_perm(f"trading.{level}", user, desk.book)
    return Actor.for_user(user)


def four_eyes(desk, amount="1000000"):
    set_four_eyes(actor=desk.officer, book_id=desk.book.pk, amount=Decimal(amount))


def held(book, stage="LIVE"):
    kept = [p for p in positions_of([book.pk], stage=stage) if not p.is_nothing]
    summed = [p for p in positions_by_deltas([book.pk], stage=stage) if not p.is_nothing]
    assert {(p.key, p.exposure, p.fixed) for p in kept} == {
        (p.key, p.exposure, p.fixed) for p in summed
    }
    return {(p.physical, p.exposure, p.fixed) for p in kept}


def propose(desk, receipt, words=LARGE, **more):
    return amend_trade(
        ref=receipt.ref, received_at=LATER, deal=deal_of_words(words), reason="grown",
        **{"actor": desk.trader, "expected_version": 1, **more},
    )  # fmt: skip


def decide(verb, receipt, actor, version=2, reason="seen"):
    return verb(
        actor=actor, ref=receipt.ref, expected_version=version, received_at=LATER, reason=reason
    )


@pytest.fixture
def desk(transactional_db):
    found = make_desk()
    four_eyes(found)
    return found


def test_it_waits_reserves_the_difference_and_holds_once_approved(desk) -> None:
    receipt = desk.deal(SMALL)
    waits = propose(desk, receipt)

    version = TradeVersion.objects.get(trade__ref=receipt.ref, version=2)
    assert (waits.is_proposed, waits.status, version.quantity) == (True, "LIVE", 1)
    assert held(desk.book) == {(1, 1, Decimal("85.2"))}
    assert held(desk.book, "PENDING") == {(9, 9, Decimal("774.8"))}
    assert proposed_deal_of(version) == deal_of_words(LARGE)
    told = Event.objects.get(type="trade.amendment_proposed")
    assert told.payload["proposed"]["legs"]["after"] != told.payload["proposed"]["legs"]["before"]
    with pytest.raises(SecondPersonNeeded):
        decide(approve_amendment, receipt, desk.again(desk.trader))

    decide(approve_amendment, receipt, colleague(desk), reason="")

    version = TradeVersion.objects.get(trade__ref=receipt.ref, version=3)
    assert (version.event, version.quantity, version.reason) == ("APPROVE", 10, "grown")
    assert version.effective_at == LATER
    assert deal_of(version) == deal_of_words(LARGE)
    assert held(desk.book) == {(10, 10, 860)}
    assert held(desk.book, "PENDING") == set()
    assert Event.objects.get(type="trade.amended").payload["proposed_by"] == desk.trader.id


def test_refused_or_withdrawn_the_old_terms_hold_and_nothing_is_reserved(desk) -> None:
    receipt = desk.deal(SMALL)
    propose(desk, receipt)
    viewer = colleague(desk, Role.RISK_OFFICER, levels=())
    with pytest.raises(ValueError, match="reason"):
        decide(decline_amendment, receipt, viewer, reason=" ")
    with pytest.raises(PermissionMissing):
        decide(decline_amendment, receipt, colleague(desk, Role.COMPLIANCE_OFFICER))

    decide(decline_amendment, receipt, viewer, reason="too large")
    propose(desk, receipt, expected_version=3)
    decide(decline_amendment, receipt, desk.again(desk.trader), version=4, reason="a slip")

    assert held(desk.book) == {(1, 1, Decimal("85.2"))}
    assert held(desk.book, "PENDING") == set()
    latest = TradeVersion.objects.get(trade__ref=receipt.ref, version=5)
    assert deal_of(latest) == deal_of_words(SMALL)
    told = Event.objects.filter(type="trade.amendment_refused").order_by("id")
    assert [event.payload["reason"] for event in told] == ["too large", "a slip"]


def test_no_terms_change_under_an_amendment_that_waits(desk) -> None:
    receipt = desk.deal(SMALL)
    propose(desk, receipt)
    with pytest.raises(TransitionForbidden, match="amendment that waits"):
        propose(desk, receipt, expected_version=2)
    with pytest.raises(StaleVersion):
        decide(approve_amendment, receipt, colleague(desk), version=1)


def test_without_one_that_waits_there_is_nothing_to_approve(desk) -> None:
    receipt = desk.deal(SMALL)
    with pytest.raises(TransitionForbidden, match="no amendment that waits"):
        decide(approve_amendment, receipt, colleague(desk), version=1)


@pytest.mark.parametrize("verb", ["correct", "cancel", "mature"])
def test_what_ends_the_waiting_frees_what_it_reserved(desk, verb) -> None:
    receipt = desk.deal(SMALL)
    propose(desk, receipt)
    words = {"actor": desk.trader, "ref": receipt.ref, "expected_version": 2, "reason": "a slip"}
    if verb == "correct":
        correct_trade(**words, deal=deal_of_words("B 2MW DE base Cal27 @ 85.20"), received_at=LATER)
    elif verb == "cancel":
        cancel_trade(**words, received_at=LATER)
    else:
        mature_trades(actor=Actor.system("clock"), as_of=RECEIVED_AT + timedelta(days=410))
    assert held(desk.book, "PENDING") == set()
    with pytest.raises(TransitionForbidden):
        decide(approve_amendment, receipt, colleague(desk), version=3)


def test_below_the_threshold_and_of_a_fill_nothing_waits(desk) -> None:
    receipt = desk.deal(SMALL)
    assert not propose(desk, receipt, "B 1MW DE base Cal27 @ 90").is_proposed
    fill = desk.deal(SMALL, fill=True)
    assert not propose(desk, fill).is_proposed


def test_both_sides_of_an_internal_deal_wait_where_one_book_asks(desk) -> None:
    other = make_book(desk.organization, "HEDGE")
    inside = make_counterparty(desk.organization, "INHOUSE")
    inside.is_internal = True
    inside.save()
    for level in ("view_book", "trade_book"):
        assign_perm(f"trading.{level}", desk.trader.user, other)
    ours, theirs = capture_mirror(
        actor=desk.again(desk.trader), deal=deal_of_words(SMALL), package_id="INT-1",
        book_id=other.pk, mirror_book_id=desk.book.pk, counterparty_id=inside.pk,
        traded_at=RECEIVED_AT, received_at=RECEIVED_AT, reason="internal",
    )  # fmt: skip
    propose(desk, ours, actor=desk.again(desk.trader))

    assert ProposedAmendment.objects.count() == 2
    assert held(desk.book, "PENDING") == {(-9, -9, Decimal("-774.8"))}
    second = colleague(desk)
    assign_perm("trading.view_book", second.user, other)
    decide(approve_amendment, theirs, desk.again(second))
    assert (held(other), held(desk.book)) == ({(10, 10, 860)}, {(-10, -10, -860)})


def test_of_two_who_decide_at_once_one_is_told_that_the_other_was_first(desk) -> None:
    receipt = desk.deal(SMALL)
    propose(desk, receipt)
    outcomes, ready = [], threading.Barrier(2)

    def run(verb, actor):
        try:
            ready.wait(30)
            decide(verb, receipt, actor)
            outcomes.append(verb.__name__)
        except StaleVersion:
            outcomes.append("stale")
        finally:
            connection.close()

    people = [(approve_amendment, colleague(desk)), (decline_amendment, colleague(desk))]
    threads = [threading.Thread(target=run, args=pair) for pair in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(outcomes) in (["approve_amendment", "stale"], ["decline_amendment", "stale"])
    assert Trade.objects.get(ref=receipt.ref).latest_version == 3
    is_approved = "approve_amendment" in outcomes
    assert held(desk.book) == ({(10, 10, 860)} if is_approved else {(1, 1, Decimal("85.2"))})
    assert held(desk.book, "PENDING") == set()


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_it_is_seen_where_it_waits_and_decided_on_the_trade_s_page(desk) -> None:
    receipt = desk.deal(SMALL)
    propose(desk, receipt)
    second, author = client_of(colleague(desk).user), client_of(desk.trader.user)
    address = reverse("trading:trade", args=[receipt.ref])

    queue = second.get(reverse("trading:waiting")).content.decode()
    shown, own = second.get(address).content.decode(), author.get(address).content.decode()

    assert receipt.ref in queue and "746,352.00 → 7,533,600.00 EUR" in queue
    assert "Terms that would change" in shown and "Approve amendment" in shown
    assert "Withdraw amendment" in own and "Approve amendment" not in own
    done = second.post(
        reverse("trading:trade_verb", args=[receipt.ref, "approve"]),
        {"expected_version": "2", "reason": "seen"}, follow=True,
    )  # fmt: skip
    assert f"{receipt.ref} is amended." in done.content.decode()
    assert held(desk.book) == {(10, 10, 860)}


def test_the_form_says_that_it_waits(desk) -> None:
    receipt, client = desk.deal(SMALL), client_of(desk.trader.user)
    address = reverse("trading:trade_verb", args=[receipt.ref, "amend"])
    form = client.get(address)
    entry = {
        field.name: field.value()
        for part in (form.context["form"], form.context["deal_form"])
        for field in part
        if field.value() is not None
    }
    entry |= {"quantity": "10", "reason": "grown"}
    shown = client.post(address, entry)
    done = client.post(
        address, entry | {"previewed": shown.context["shown"]["fingerprint"]}, follow=True
    )
    assert "until a second person has approved the amendment" in done.content.decode()
    assert ProposedAmendment.objects.count() == 1
