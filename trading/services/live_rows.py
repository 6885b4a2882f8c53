"""Tell the blotters that watch a book that one of its trades has changed."""

from collections.abc import Sequence

from energyopti.foundation.live import publish
from trading.checks import Change, NewTrade
from trading.models import TradeVersion
from trading.queries.live_rows import topic_of


def tell_blotters(change: Change) -> None:
    """Publish, after the commit, when the book was last written; pages ask what they show."""
    version = TradeVersion.objects.only("recorded_at", "book_id").get(pk=change.after.version_id)
    publish(topic_of(version.book_id), {"book": str(version.book_id), "as_of": version.recorded_at})


def tell_blotters_of_many(trades: Sequence[NewTrade]) -> None:
    """Tell them once a book of many new trades, by the last one."""
    last = {trade.change.book_path[0]: trade for trade in trades}
    for trade in last.values():
        tell_blotters(trade.change)
