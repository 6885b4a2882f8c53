"""The desk that benchmarks read is what the services would have written."""

from collections import Counter

import pytest

from trading.deals import deltas
from trading.models import BlotterRow, PositionTotal, Stage, Trade, TradeVersion
from trading.queries.deals import deal_of
from trading.queries.positions import (
    difference,
    positions_by_deltas,
    positions_of,
    positions_of_trade,
    proposed_positions,
)
from trading.queries.summaries import terms_summary
from trading.services.life import HELD

from .desk_of_trades import fill_desk

pytestmark = pytest.mark.django_db


def test_copies_have_the_rows_that_capture_writes_for_their_terms():
    desk = fill_desk(trades=900)
    copies = TradeVersion.objects.filter(trade__latest_version__gte=1, book__in=desk.books)

    assert Trade.objects.count() == BlotterRow.objects.count() == 900
    statuses = Counter(Trade.objects.values_list("status", flat=True))
    assert set(statuses) >= {"LIVE", "PENDING", "DRAFT", "CANCELLED", "MATURED"}
    for book in desk.books:
        for stage in Stage:
            assert not difference(
                positions_of([book.pk], stage=stage), positions_by_deltas([book.pk], stage=stage)
            )
    for version in copies.filter(trade__in=Trade.objects.order_by("-pk")[:160]).select_related(
        "trade"
    ):
        deal = deal_of(version)
        for name, value in terms_summary(deal).items():
            assert getattr(version, name) == value, (version, name)
        if version.version == version.trade.latest_version:
            market_ids = dict(PositionTotal.objects.values_list("market__code", "market_id"))
            wanted = proposed_positions(deltas(deal), market_ids)
            held = positions_of_trade(version.trade_id)
            assert not difference(wanted if version.status in HELD else [], held), version
