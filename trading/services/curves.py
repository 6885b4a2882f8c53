"""Build forward curves from the quotes known, and keep each as a snapshot."""

import hashlib
import json
from datetime import datetime

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event

from ..curves import METHOD, METHOD_VERSION, CurveQuote, build_curve
from ..models import CurvePoint, CurveSnapshot, Market
from ..queries.quotes import quotes_at


class NoQuotes(LookupError):
    """A market has no quote at the time a curve is asked for."""


def build_market_curve(
    *, actor: Actor, market: Market, as_of: datetime, known_at: datetime
) -> CurveSnapshot:
    """
    Build a market's curve from the latest trading day's quotes, and keep it.

    The same quotes and method at the same `as_of` give the snapshot that is there already.

    as_of       no quote valid later counts.
    known_at    no quote recorded later counts: real time, not the demo's accelerated one.

    :raises NoQuotes: if there is none.
    """
    actor.require("trading.build_curve")
    known = quotes_at(market, as_of=as_of, known_at=known_at)
    if not known:
        raise NoQuotes(f"{market.code}: no forward quote is known at {as_of.isoformat()}.")
    ids = {quote.contract: quote.id for quote in known}
    curve = build_curve(
        [CurveQuote(quote.contract, quote.delivery, float(quote.value)) for quote in known],
        calendar=market.calendar,
    )
    quote_ids = [ids[quote.name] for quote in curve.quotes]
    content = json.dumps([METHOD, METHOD_VERSION, sorted(ids.values())])
    content_hash = hashlib.sha256(content.encode()).hexdigest()
    with transaction.atomic():
        snapshot, created = CurveSnapshot.objects.get_or_create(
            market=market,
            as_of=as_of,
            content_hash=content_hash,
            defaults={
                "known_at": known_at,
                "method": METHOD,
                "method_version": METHOD_VERSION,
                "quote_ids": quote_ids,
                "conflicts": [str(conflict) for conflict in curve.conflicts],
            },
        )
        if not created:
            return snapshot
        CurvePoint.objects.bulk_create(
            CurvePoint(snapshot=snapshot, start=interval.start, end=interval.end, price=price)
            for interval, price in curve.segments()
        )
        record_event(
            type="curve.built",
            actor=actor,
            aggregate_type="curve",
            aggregate_id=snapshot.pk,
            organization_id=None,
            key=f"market:{market.code}",
            payload={
                "market": market.code,
                "as_of": as_of.isoformat(),
                "quotes": len(quote_ids),
                "conflicts": snapshot.conflicts,
                "content_hash": content_hash,
            },
        )
    return snapshot
