"""
The market outside: publishes each day's auction result and each close's forward quotes.

It stands where an exchange's feed will stand, and books through the same services. It looks at
the demo's clock a few times a simulated hour and does what is due; killed and started again, it
catches up.
"""

import os
import signal
import sys
import threading
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from energyopti.accounts.actors import Actor

# The close of each market whose curve this process has built.
_BUILT: dict[str, datetime] = {}
PUBLICATION_HOUR = 13  # local, an hour after gate closure


def main() -> int:
    django.setup()
    from django.conf import settings

    from energyopti.accounts.actors import Actor
    from energyopti.foundation import clock

    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    signal.signal(signal.SIGINT, lambda *_: stopping.set())
    actor = Actor.system("market")
    pause = max(0.5, 600 / settings.CLOCK_SPEED)
    while not stopping.wait(pause):
        publish_what_is_due(actor=actor, now=clock.now())
        if os.getppid() == 1:
            return 0  # the demo has gone
    return 0


def publish_what_is_due(*, actor: "Actor", now: datetime) -> None:
    """Publish tomorrow's prices once the auction is over, and build the curve of a new close."""
    from trading.queries.markets import market_summaries
    from trading.queries.quotes import quotes_at
    from trading.services.curves import build_market_curve

    from .neighbours import NEIGHBOURS, publish_neighbours
    from .options import quote_options
    from .seed import MARKET, WORLDS, book_pounds, wall_clock

    rows = market_summaries(actor=actor)
    for row in rows:
        if row.market.code not in WORLDS:
            continue
        calendar = row.market.calendar
        today = calendar.date_of(now)
        auctioned = published_until(now, calendar.start_of(today), today)
        if row.latest_start is None or calendar.date_of(row.latest_start) < auctioned:
            publish(actor=actor, code=row.market.code, until=auctioned, now=now)
        quotes = quotes_at(row.market, as_of=now)
        if quotes and quotes[0].valid_from != _BUILT.get(row.market.code):
            close = quotes[0].valid_from
            build_market_curve(actor=actor, market=row.market, as_of=close, known_at=wall_clock())
            if row.market.code == MARKET:
                quote_options(actor=actor, market=row.market, close=close)
            _BUILT[row.market.code] = close
    # There once the desk for structured products has opened.
    if NEIGHBOURS.keys() <= {row.market.code for row in rows if row.latest_start is not None}:
        publish_neighbours(actor=actor, now=now, trading_days=3, spot_days=3)
    book_pounds(actor=actor, first=now.date() - timedelta(days=4), now=now)


def published_until(now: datetime, day_start: datetime, today: date) -> date:
    """Return the last delivery day whose auction has been published."""
    is_out = now >= day_start + timedelta(hours=PUBLICATION_HOUR)
    return today + timedelta(days=1) if is_out else today


def publish(*, actor: "Actor", code: str, until: date, now: datetime) -> Any:
    from trading.services.simulation import simulate_market

    from .seed import WORLDS

    return simulate_market(
        actor=actor, code=code, trading_days=3, until=until, seed=WORLDS[code], received_at=now
    )


if __name__ == "__main__":
    sys.exit(main())
