"""What was held, as recorded by any past moment, whatever is changed later."""

import random
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.factories.trades import RECEIVED_AT, deal_of_words, make_desk
from trading.models import Trade, TradeVersion
from trading.queries.positions import positions_of
from trading.queries.trades import trade_versions, trades_as_of
from trading.services.as_of import positions_as_of, steady_book
from trading.services.lifecycle import amend_trade, cancel_trade

pytestmark = pytest.mark.django_db


def numbers(positions):
    return {p.key: (p.physical, p.exposure, p.fixed) for p in positions if not p.is_nothing}


def test_any_past_cut_gives_what_was_held_then(desk_with_history):
    desk, snapshots = desk_with_history

    for cut, then, trades in snapshots:
        again = positions_as_of(actor=desk.trader, book_id=desk.book.pk, cut=cut)
        assert numbers(again) == then
        assert [(v.trade.ref, v.version, v.status) for v in trades_as_of(
            desk.trader, cut=cut
        ).order_by("trade_id")] == trades  # fmt: skip
    now = positions_as_of(actor=desk.trader, book_id=desk.book.pk)
    assert numbers(now) == numbers(positions_of([desk.book.pk]))


@pytest.fixture
def desk_with_history():
    desk, draw, snapshots = make_desk(), random.Random(11), []
    refs = []
    for step in range(40):
        side, mw = draw.choice("BS"), draw.randint(1, 20)
        deal = deal_of_words(
            f"{side} {mw}MW DE {draw.choice(('base', 'peak'))} "
            f"{draw.choice(('Cal27', 'Q2-27', 'W05-27'))} @ {draw.randint(-9, 99)}"
        )
        live = list(Trade.objects.filter(status="LIVE"))
        verb = draw.choice(("deal", "deal", "amend", "cancel")) if live else "deal"
        arguments = {
            "actor": desk.trader, "received_at": RECEIVED_AT, "reason": f"step {step}",
        }  # fmt: skip
        if verb == "deal":
            refs.append(desk.deal(deal=deal).ref)
        else:
            trade = draw.choice(live)
            arguments |= {"ref": trade.ref, "expected_version": trade.latest_version}
            if verb == "amend":
                amend_trade(deal=deal, **arguments)
            else:
                cancel_trade(**arguments)
        with steady_book(desk.book.pk) as cut:
            snapshots.append(
                (
                    cut,
                    numbers(positions_of([desk.book.pk])),
                    [(t.ref, t.latest_version, t.status) for t in Trade.objects.order_by("id")],
                )
            )
    return desk, snapshots


def test_versions_of_a_trade_come_oldest_first_and_never_change(desk_with_history):
    desk, _ = desk_with_history
    ref = Trade.objects.order_by("-latest_version").first().ref

    versions = trade_versions(desk.trader, ref)

    assert [v.version for v in versions] == list(range(1, len(versions) + 1))
    times = [v.recorded_at for v in versions]
    assert times == sorted(times)
    everything = list(TradeVersion.objects.order_by("id").values_list("recorded_at", flat=True))
    assert everything == sorted(everything)


def test_before_the_first_trade_nothing_was_held():
    desk = make_desk()
    desk.deal()

    past = datetime(2020, 1, 1, tzinfo=UTC)
    assert positions_as_of(actor=desk.trader, book_id=desk.book.pk, cut=past) == []
    assert sum(p.exposure for p in positions_of([desk.book.pk])) == Decimal(120)
