"""A package that waits: released or sent back in one step, and previewed by one set of queries."""

import json
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from guardian.shortcuts import assign_perm

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from energyopti.foundation.proposals.services import SecondPersonNeeded
from tests.factories.accounts import make_user
from tests.factories.trades import RECEIVED_AT, TRADED_AT, deal_of_words, make_desk
from trading.checks import Outcome
from trading.deals import strip
from trading.models import Trade
from trading.queries.proposals import preview, previews, propose
from trading.services.capture import PackageItem, capture_package
from trading.services.four_eyes import set_four_eyes
from trading.services.life import StaleVersion
from trading.services.lifecycle import release_trade
from trading.services.several_trades import PackageChanged, Seen, release_package

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    found = make_desk()
    set_four_eyes(actor=found.officer, book_id=found.book.pk, amount=Decimal("1000"))
    return found


def colleague(desk):
    user = make_user(Role.TRADER, organization=desk.organization)
    assign_perm("trading.view_book", user, desk.book)
    return Actor.for_user(user)


@pytest.fixture
def waiting(desk):
    deals = strip(deal_of_words("B 10MW DE base Q1-27 @ 85.20"), "STRIP-1")
    return capture_package(
        actor=desk.trader, package_id="STRIP-1", traded_at=TRADED_AT, received_at=RECEIVED_AT,
        items=[PackageItem(deal, desk.book.pk, desk.counterparty.pk) for deal in deals],
        reason="a strip",
    )  # fmt: skip


def statuses():
    return set(Trade.objects.values_list("status", flat=True))


def release(actor, receipts, **changes):
    return release_package(
        actor=actor, ref=receipts[0].ref, received_at=RECEIVED_AT, reason="seen",
        **{"trades": [Seen(r.ref, r.version) for r in receipts], **changes},
    )  # fmt: skip


def test_a_package_goes_live_whole(desk, waiting) -> None:
    assert statuses() == {"PENDING"}
    done = release(colleague(desk), waiting)
    assert [receipt.ref for receipt in done] == [receipt.ref for receipt in waiting]
    assert statuses() == {"LIVE"}


def test_what_was_not_all_seen_is_not_released(desk, waiting) -> None:
    with pytest.raises(PackageChanged):
        release(colleague(desk), waiting, trades=[Seen(r.ref, 1) for r in waiting[:2]])
    with pytest.raises(StaleVersion):
        release(
            colleague(desk), waiting,
            trades=[*(Seen(r.ref, 1) for r in waiting[:2]), Seen(waiting[2].ref, 7)],
        )  # fmt: skip
    with pytest.raises(SecondPersonNeeded):
        release(desk.again(desk.trader), waiting)
    assert statuses() == {"PENDING"}


def test_a_package_of_which_one_is_live_waits_with_the_rest(desk, waiting) -> None:
    other = colleague(desk)
    release_trade(
        actor=other, ref=waiting[0].ref, expected_version=1, received_at=RECEIVED_AT, reason="one"
    )
    with pytest.raises(PackageChanged):
        release(desk.again(other), waiting)
    assert len(release(desk.again(other), waiting[1:])) == 2


def test_the_page_releases_all_and_sends_all_back(desk, waiting) -> None:
    client = Client()
    client.force_login(colleague(desk).user)
    address = reverse("trading:package", args=[waiting[1].ref])
    trade = client.get(reverse("trading:trade", args=[waiting[1].ref])).content.decode()
    shown = client.get(address)
    seen = shown.context["seen"]

    assert address in trade and "3 trades of package STRIP-1 wait" in trade
    assert shown.context["totals"] == {"EUR": Decimal("1839468.0000")}  # 2,159 h × 10 MW × 85.20
    assert client.post(address, {"seen": seen, "action": "reject"}).status_code == 422
    assert client.post(address, {"seen": seen[:1], "action": "release"}).status_code == 409
    assert statuses() == {"PENDING"}
    back = client.post(address, {"seen": seen, "action": "reject", "reason": "price"}, follow=True)
    assert "3 trades sent back." in back.content.decode()
    assert statuses() == {"DRAFT"}


def test_a_strip_is_previewed_by_as_many_queries_as_a_short_one(desk) -> None:
    counts = {}
    for period in ("Q1-27", "Cal27..Cal28"):
        client = Client()
        client.force_login(desk.trader.user)
        entry = {"text": f"B 10MW DE base {period} @ 85.20 cpty:ACME book:EU", "strip_months": "1",
                 "client_reference": "r-1", "kind": "LINE"}  # fmt: skip
        client.post(reverse("trading:parse"), entry)
        with CaptureQueriesContext(connection) as queries:
            page = client.post(reverse("trading:parse"), entry).content.decode()
        assert "booked together or not at all" in page
        counts[period] = len(queries)
    assert counts["Cal27..Cal28"] <= counts["Q1-27"] + 2, counts


def test_previews_say_of_each_deal_what_it_would_be_told_alone(desk) -> None:
    deals = strip(deal_of_words("B 10MW DE base Q1-27 @ 85.20"), "STRIP-2")
    proposals = [
        propose(
            actor=desk.trader, deal=deal, book_id=desk.book.pk,
            counterparty_id=desk.counterparty.pk, traded_at=TRADED_AT, received_at=RECEIVED_AT,
        )
        for deal in deals
    ]  # fmt: skip
    together = previews(proposals)
    assert [p.totals for p in together] == [preview(p).totals for p in proposals]
    alone = preview(proposals[0]).results
    assert [(r.check, r.outcome) for r in together[0].results] == [
        (r.check, r.outcome) for r in alone
    ]
    assert all(r.outcome is not Outcome.HARD for p in together for r in p.results)


def rest(actor, ref, verb="", body=None):
    client = Client()
    client.force_login(actor.user)
    path = f"/api/v1/trading/trades/{ref}/package"
    if not verb:
        return client.get(path)
    return client.post(f"{path}/{verb}", json.dumps(body), content_type="application/json")


def test_a_package_is_released_over_rest_as_it_was_read(desk, waiting) -> None:
    officer, ref = colleague(desk), waiting[0].ref
    shown = rest(officer, ref).json()
    seen = [{"trade": one["ref"], "version": one["version"]} for one in shown]
    assert [one["trade"] for one in seen] == [receipt.ref for receipt in waiting]

    part = rest(officer, ref, "release", {"trades": seen[:2], "reason": "seen"})
    old = rest(officer, ref, "release", {"trades": [*seen[:2], {**seen[2], "version": 7}]})
    own = rest(desk.trader, ref, "release", {"trades": seen, "reason": "seen"})
    assert [(a.status_code, a.json()["code"]) for a in (part, old, own)] == [
        (409, "package_changed"), (409, "stale_version"), (409, "second_person_needed"),
    ]  # fmt: skip
    assert statuses() == {"PENDING"}

    done = rest(officer, ref, "release", {"trades": seen, "reason": "seen"})

    assert done.status_code == 200, done.content
    assert [(one["ref"], one["status"]) for one in done.json()] == [
        (receipt.ref, "LIVE") for receipt in waiting
    ]
    assert statuses() == {"LIVE"} and rest(officer, ref).json() == []


def test_a_package_goes_back_over_rest_with_a_reason(desk, waiting) -> None:
    officer, ref = colleague(desk), waiting[1].ref
    seen = [{"trade": receipt.ref, "version": receipt.version} for receipt in waiting]

    assert rest(officer, ref, "reject", {"trades": seen}).status_code == 400
    assert rest(officer, ref, "reject", {"trades": [], "reason": "no"}).status_code == 400
    done = rest(officer, ref, "reject", {"trades": seen, "reason": "not so long"})

    assert {one["status"] for one in done.json()} == statuses() == {"DRAFT"}


def test_a_package_of_others_is_not_found_over_rest(desk, waiting) -> None:
    stranger, reader = make_desk(), make_user(Role.COMPLIANCE_OFFICER)
    body = {"trades": [{"trade": waiting[0].ref, "version": 1}], "reason": "x"}

    for verb in ("", "release", "reject"):
        assert rest(stranger.officer, waiting[0].ref, verb, body).status_code == 404
        assert rest(Actor.for_user(reader), waiting[0].ref, verb, body).status_code == 403
