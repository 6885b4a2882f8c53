"""A desk with a published curve, whose days can be closed one after the other."""

from datetime import datetime, timedelta
from decimal import Decimal

from tests.factories.curves import SYSTEM
from tests.factories.trades import Desk, make_desk
from trading.models import Market, PublicationPolicy, QuoteQuality
from trading.services.catalogue import ensure_catalogue
from trading.services.curve_definitions import define_curve
from trading.services.curves import build_version
from trading.services.quotes import QuoteDraft, book_quotes


def valued_desk() -> Desk:
    """A desk whose market has its shapes and a curve that is published as it is built."""
    desk = make_desk()
    ensure_catalogue(actor=SYSTEM)
    desk.market.refresh_from_db()
    define_curve(
        actor=SYSTEM, market=desk.market, code="MARK",
        policy=PublicationPolicy(PublicationPolicy.AUTOMATIC),
    )  # fmt: skip
    return desk


def publish(market: Market, prices: dict[str, str], *, at: datetime, source: str = "exchange"):
    """Book settlement prices ("Cal27", "Cal27 PEAK") of a close, and publish their curve."""
    drafts = []
    for name, price in prices.items():
        contract, _, load = name.partition(" ")
        drafts.append(QuoteDraft(contract, Decimal(price), at, load or "BASE"))
    book_quotes(
        actor=SYSTEM, market=market, drafts=drafts, source=source,
        quality=QuoteQuality(QuoteQuality.SETTLEMENT),
    )  # fmt: skip
    return build_version(
        actor=SYSTEM, definition=market.curve_definitions.get(is_mark=True),
        as_of=at + timedelta(minutes=30),
    )  # fmt: skip
