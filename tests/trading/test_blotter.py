"""The blotter: filters, past moments, sums, verbs on several rows with undo, and live rows."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from guardian.shortcuts import assign_perm

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from tests.factories.accounts import make_user
from tests.factories.trades import RECEIVED_AT, deal_of_words, make_book, make_desk
from trading.models import BlotterRow, Trade, TradeVersion
from trading.queries.blotter import blotter_rows, selection_sums
from trading.services.lifecycle import amend_trade, cancel_trade
from trading.services.tags import add_tag

pytestmark = pytest.mark.django_db
ADDRESS = "/trades/"
AMENDED = "B 12MW DE base Cal27 @ 86"


@pytest.fixture
def desk():
    return make_desk()


@pytest.fixture
def trader(desk):
    client = Client()
    client.force_login(desk.trader.user)
    return client


def amend(desk, ref, *, words=AMENDED, version=1):
    return amend_trade(
        actor=desk.trader, ref=ref, expected_version=version, deal=deal_of_words(words),
        received_at=RECEIVED_AT, reason="the client asked",
    )  # fmt: skip


def ids_of(*receipts):
    return [receipt.trade_id for receipt in receipts]


def refs_in(page) -> set[str]:
    body = page.content.decode()
    return {ref for ref in Trade.objects.values_list("ref", flat=True) if f"/{ref}/" in body}


def test_a_row_follows_the_latest_version_and_the_tags(desk):
    receipt = desk.deal()

    amend(desk, receipt.ref)
    add_tag(actor=desk.trader, trade_ids=ids_of(receipt), tag="hedge")

    row = BlotterRow.objects.get(trade_id=receipt.trade_id)
    version = TradeVersion.objects.get(trade_id=receipt.trade_id, version=2)
    assert (row.number, row.held_id, row.tags) == (2, version.pk, ["hedge"])
    for name in ("quantity_mw", "price", "notional", "status", "recorded_at", "delivery_start"):
        assert getattr(row, name) == getattr(version, name), name
    assert row.captured_at == Trade.objects.get(pk=receipt.trade_id).recorded_at


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        ({"side": "SELL"}, "sold"),
        ({"market": "de", "side": "SELL"}, "sold"),
        ({"load_type": "peak"}, "peak"),
        ({"period": "q1-28"}, "peak"),
        ({"tag": "hedge"}, "sold"),
        ({"status": "CANCELLED"}, "gone"),
        ({"kind": "PHYSICAL_FORWARD", "load_type": "peak"}, "peak"),
        ({"delivers_after": "2028-01-01", "delivers_before": "2028-01-01"}, "peak"),
        ({"delivers_before": "2026-12-31"}, None),
        ({"market": "FR"}, None),
        ({"trader": "nobody"}, None),
    ],
)
def test_filters_keep_what_they_name(desk, trader, asked, wanted):
    deals = {
        "plain": desk.deal(),
        "sold": desk.deal("S 4MW DE base Cal27 @ 86", tags=("hedge",)),
        "peak": desk.deal("B 3MW DE peak Q1-28 @ 99"),
        "gone": desk.deal("B 1MW DE base Cal27 @ 84"),
    }
    cancel_trade(
        actor=desk.trader, ref=deals["gone"].ref, expected_version=1, received_at=RECEIVED_AT,
        reason="typed twice",
    )  # fmt: skip

    page = trader.get(ADDRESS, asked)

    assert refs_in(page) == ({deals[wanted].ref} if wanted else set())


def test_yesterdays_blotter_stays_as_it_was(desk, trader):
    kept = desk.deal()
    cut = TradeVersion.objects.get(trade_id=kept.trade_id).recorded_at + timedelta(microseconds=1)
    later = desk.deal("S 4MW DE base Cal27 @ 86")
    amend(desk, kept.ref)

    past = list(blotter_rows(desk.again(desk.trader), cut=cut))
    page = trader.get(ADDRESS, {"as_of": cut.astimezone(UTC).isoformat()})

    assert [(row.ref, row.number, row.quantity_mw) for row in past] == [(kept.ref, 1, 10)]
    assert refs_in(page) == {kept.ref}
    assert "As of" in page.content.decode() and "bulk:cancel" not in page.content.decode()
    assert {row.ref for row in blotter_rows(desk.again(desk.trader))} == {kept.ref, later.ref}


def test_a_moment_to_come_is_refused_and_shows_nothing(desk, trader):
    desk.deal()

    page = trader.get(ADDRESS, {"as_of": "2190-01-01T00:00"})

    assert "is still to come" in page.content.decode()
    assert refs_in(page) == set()


def test_the_past_cannot_be_changed(desk, trader):
    receipt = desk.deal()

    answer = trader.post(
        f"{ADDRESS}?as_of=2026-01-01T00:00",
        {"action": "bulk:cancel", "select": receipt.trade_id, "confirmed": "yes", "reason": "x"},
    )

    assert answer.status_code == 400
    assert Trade.objects.get(pk=receipt.trade_id).status == "LIVE"


def queries_of(client, asked) -> int:
    client.get(ADDRESS, asked)
    with CaptureQueriesContext(connection) as queries:
        client.get(ADDRESS, asked)
    return len(queries)


@pytest.mark.parametrize("asked", [{"sort": "-notional"}, {"as_of": "now"}])
def test_queries_do_not_grow_with_trades_or_books(desk, trader, asked):
    desk.deal()
    if asked == {"as_of": "now"}:
        asked = {"as_of": datetime.now(UTC).isoformat()}
    before = queries_of(trader, asked)

    child = make_book(desk.organization, "EU2", parent=desk.book)
    for price in range(80, 86):
        desk.deal(f"B 1MW DE base Cal28 @ {price}", actor=desk.again(desk.trader))
    desk.deal("B 1MW DE base Cal28 @ 99", book_id=child.pk, actor=desk.again(desk.trader))
    if "as_of" in asked:
        asked = {"as_of": datetime.now(UTC).isoformat()}

    assert queries_of(trader, asked) == before <= 28


def test_sums_of_a_selection_are_signed_and_leave_out_what_does_not_count(desk):
    bought, sold = desk.deal(), desk.deal("S 4MW DE base Cal27 @ 90")
    gone = desk.deal("B 1MW DE base Cal27 @ 84")
    cancel_trade(
        actor=desk.trader, ref=gone.ref, expected_version=1, received_at=RECEIVED_AT, reason="typo"
    )
    foreign = make_desk().deal()

    sums = selection_sums(desk.again(desk.trader), ids_of(bought, sold, gone, foreign))

    # 10 MW less 4 MW over 8,760 h; 10 × 8760 × 85.20 less 4 × 8760 × 90.
    assert (sums.selected, sums.counted) == (3, 2)
    assert (sums.mw, sums.energy_mwh) == (6, 52_560)
    assert [(c, str(a.quantize(1))) for c, a in sums.notionals] == [("EUR", "4309920")]


def test_the_foot_of_the_selection_shows_the_same(desk, trader):
    receipt = desk.deal("S 4MW DE base Cal27 @ 90")

    body = trader.get(reverse("trading:trade_selection"), {"select": receipt.trade_id})

    text = body.content.decode()
    assert "−4.000 MW" in text and "−35,040.0 MWh" in text and "−3,153,600.00 EUR" in text
    assert "12 months without a curve" in text


def test_a_tag_is_asked_for_put_on_and_taken_back_once(desk, trader):
    first, second = desk.deal(tags=("hedge",)), desk.deal("S 4MW DE base Cal27 @ 90")
    chosen = {"action": "bulk:tag", "select": ids_of(first, second)}

    asked = trader.post(ADDRESS, chosen).content.decode()
    assert "2 rows" in asked and 'name="tag"' in asked
    tagged = trader.post(ADDRESS, {**chosen, "confirmed": "yes", "tag": "hedge"}, follow=True)
    assert "Tagged 1 trade “hedge”" in tagged.content.decode()
    assert Trade.objects.get(pk=second.trade_id).tags == ["hedge"]

    trader.post(ADDRESS, {"action": "undo-tag"})
    again = trader.post(ADDRESS, {"action": "undo-tag"}, follow=True)

    # The one that had the tag before keeps it.
    assert Trade.objects.get(pk=first.trade_id).tags == ["hedge"]
    assert Trade.objects.get(pk=second.trade_id).tags == []
    assert "nothing to undo" in again.content.decode()
    events = Event.objects.filter(type="trade.tagged", aggregate_id=second.ref).order_by("id")
    assert [e.changes["tags"] for e in events] == [
        {"before": [], "after": ["hedge"]},
        {"before": ["hedge"], "after": []},
    ]


@pytest.mark.parametrize("tag", ["", "a,b", "x" * 41])
def test_a_tag_that_is_none_is_refused(desk, trader, tag):
    receipt = desk.deal()

    page = trader.post(
        ADDRESS,
        {"action": "bulk:tag", "select": receipt.trade_id, "confirmed": "yes", "tag": tag},
        follow=True,
    )

    assert "Nothing was changed" in page.content.decode()
    assert Trade.objects.get(pk=receipt.trade_id).tags == []


def confirm(trader, name, *receipts):
    page = trader.post(ADDRESS, {"action": f"bulk:{name}", "select": ids_of(*receipts)})
    body = page.content.decode()
    return body, [part.split('"')[0] for part in body.split('name="seen" value="')[1:]]


def test_cancelling_asks_first_counts_and_wants_a_reason(desk, trader):
    live, gone = desk.deal(), desk.deal("B 1MW DE base Cal27 @ 84")
    cancel_trade(
        actor=desk.trader, ref=gone.ref, expected_version=1, received_at=RECEIVED_AT, reason="typo"
    )

    body, seen = confirm(trader, "cancel", live, gone)
    assert "1 of 2 can be changed that way" in body and seen == [f"{live.ref}:1"]
    assert Trade.objects.get(pk=live.trade_id).status == "LIVE"
    answer = {
        "action": "bulk:cancel", "select": ids_of(live, gone), "seen": seen, "confirmed": "yes",
    }  # fmt: skip
    without = trader.post(ADDRESS, answer, follow=True).content.decode()
    assert "Nothing was changed. reason: say why." in without

    done = trader.post(ADDRESS, {**answer, "reason": "typed twice"}, follow=True)

    assert "1 trade cancelled." in done.content.decode()
    version = TradeVersion.objects.get(trade_id=live.trade_id, version=2)
    assert (version.status, version.reason) == ("CANCELLED", "typed twice")


def test_a_trade_changed_meanwhile_leaves_all_of_them(desk, trader):
    first, second = desk.deal(), desk.deal("S 4MW DE base Cal27 @ 90")
    _, seen = confirm(trader, "cancel", first, second)
    amend(desk, second.ref)

    page = trader.post(
        ADDRESS,
        {"action": "bulk:cancel", "select": ids_of(first, second), "seen": seen,
         "confirmed": "yes", "reason": "x"},
        follow=True,
    ).content.decode()  # fmt: skip

    assert f"{second.ref} was read at version 1 and is now at 2" in page
    assert set(Trade.objects.values_list("status", flat=True)) == {"LIVE"}


def test_a_second_person_confirms_several_at_once(desk, trader):
    desk.book.four_eyes_from = 0
    desk.book.save()
    waiting = [desk.deal(), desk.deal("S 4MW DE base Cal27 @ 90")]
    other = make_user(Role.TRADER, organization=desk.organization)
    for level in ("view_book", "trade_book"):
        assign_perm(f"trading.{level}", other, desk.book)
    colleague = Client()
    colleague.force_login(other)

    answers = []
    for client in (trader, colleague):
        _, seen = confirm(client, "release", *waiting)
        answers.append(
            client.post(
                ADDRESS,
                {"action": "bulk:release", "select": ids_of(*waiting), "seen": seen,
                 "confirmed": "yes"},
                follow=True,
            ).content.decode()
        )  # fmt: skip

    assert "waits for another person" in answers[0]
    assert "2 trades released." in answers[1]
    assert set(Trade.objects.values_list("status", flat=True)) == {"LIVE"}


def test_rows_of_others_cannot_be_chosen(desk, trader):
    foreign = make_desk().deal()

    page = trader.post(
        ADDRESS,
        {"action": "bulk:cancel", "select": foreign.trade_id, "seen": f"{foreign.ref}:1",
         "confirmed": "yes", "reason": "x"},
        follow=True,
    )  # fmt: skip

    assert "Select at least one row first" in page.content.decode()
    own = desk.deal()
    sneaked = trader.post(
        ADDRESS,
        {"action": "bulk:cancel", "select": own.trade_id, "seen": f"{foreign.ref}:1",
         "confirmed": "yes", "reason": "x"},
        follow=True,
    )  # fmt: skip
    assert "there is no such trade for you" in sneaked.content.decode()
    assert Trade.objects.get(pk=foreign.trade_id).status == "LIVE"


def news(trader, desk, **asked):
    return trader.get(reverse("trading:trade_news"), asked).content.decode()


def test_news_are_rows_that_are_shown_and_counts_of_the_others(desk, trader):
    shown = desk.deal()
    known = f"{desk.book.pk},{BlotterRow.objects.get().recorded_at.isoformat()}"
    assert 'data-new="0" data-changed="0"' in news(trader, desk, known=known)

    amend(desk, shown.ref)
    fresh = desk.deal("S 4MW DE base Cal27 @ 90")

    body = news(trader, desk, known=known, shown=shown.trade_id)
    assert 'data-new="1" data-changed="0"' in body
    assert f"/{shown.ref}/" in body and "86.00" in body and fresh.ref not in body
    assert 'data-new="0" data-changed="1"' in news(trader, desk, known=known, side="BUY")
    foreign = make_desk()
    foreign.deal()
    assert 'data-new="0" data-changed="0"' in news(trader, desk, known=f"{foreign.book.pk},")


@pytest.mark.parametrize("known", ["x", "x,2026-01-01", "{book},2026-01-01T00:00:00", "{book},x"])
def test_news_refuse_what_is_no_book_and_time(desk, trader, known):
    known = known.format(book=desk.book.pk)

    assert trader.get(reverse("trading:trade_news"), {"known": known}).status_code == 400


def test_the_page_knows_when_its_books_were_written(desk, trader):
    desk.deal()
    at = BlotterRow.objects.get().recorded_at

    body = trader.get(ADDRESS).content.decode()
    states = trader.get(reverse("trading:trade_latest")).json()

    assert f'"{desk.book.pk}": "{at.isoformat()}"' in body
    assert [(s["topic"], s["book"]) for s in states] == [
        (f"trades:{desk.book.pk}", str(desk.book.pk))
    ]


def test_a_change_tells_the_topic_of_its_book(
    desk, monkeypatch, django_capture_on_commit_callbacks
):
    sent = []
    monkeypatch.setattr("trading.services.live_rows.publish", lambda *frame: sent.append(frame))

    receipt = desk.deal()

    at = TradeVersion.objects.get(trade_id=receipt.trade_id).recorded_at
    assert sent == [(f"trades:{desk.book.pk}", {"book": str(desk.book.pk), "as_of": at})]


def test_a_socket_watches_the_readers_books_and_no_other(desk):
    from django.core.exceptions import PermissionDenied

    from trading.consumers import BlotterConsumer

    make_desk()
    operator = make_user(Role.DEVICE_OPERATOR, organization=desk.organization)

    topics = BlotterConsumer().topics({"user": desk.trader.user})

    assert topics == [f"trades:{desk.book.pk}"]
    assert BlotterConsumer().snapshot(topics[0])["as_of"] is None
    with pytest.raises(PermissionDenied):
        BlotterConsumer().topics({"user": operator})
    assert Actor.for_user(operator).may("trading.view_trade") is False
