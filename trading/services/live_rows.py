"""Tell the blotters that watch a book that one of its trades has changed."""

from energyopti.foundation.live import publish
from trading.checks import Change
from trading.models import TradeVersion
from trading.queries.live_rows import topic_of


def tell_blotters(change: Change) -> None:
    """Publish, after the commit, when the book was last written; pages ask what they show."""
    version = TradeVersion.objects.only("recorded_at", "book_id").get(pk=change.after.version_id)
    publish(topic_of(version.book_id), {"book": str(version.book_id), "as_of": version.recorded_at})
