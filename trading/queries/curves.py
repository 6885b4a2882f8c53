"""Forward curves: built on the spot from quotes as known, or as a snapshot kept them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ..models import CurveSnapshot, Market
from .quotes import KnownQuote, quotes_at

if TYPE_CHECKING:
    from ..curves import ForwardCurve


class NoCurve(LookupError):
    """A market has no quote, so there is no curve."""


def market_curve(
    market: Market, *, as_of: datetime, known_at: datetime | None = None
) -> ForwardCurve:
    """
    Return the curve of the quotes known at a cut, without keeping it.

    :raises NoCurve: if no quote is known.
    """
    return curve_of(market, quotes_at(market, as_of=as_of, known_at=known_at), as_of=as_of)


def curve_of(market: Market, quotes: Sequence[KnownQuote], *, as_of: datetime) -> ForwardCurve:
    """
    Return the curve of quotes at hand.

    :raises NoCurve: if there is none.
    """
    from ..curves import CurveQuote, build_curve  # with NumPy: for whoever builds one

    if not quotes:
        raise NoCurve(f"{market.code}: no forward quote is known at {as_of.isoformat()}.")
    return build_curve(
        [CurveQuote(quote.contract, quote.delivery, float(quote.value)) for quote in quotes],
        calendar=market.calendar,
    )


def latest_snapshot(market: Market, *, as_of: datetime) -> CurveSnapshot | None:
    """Return the latest curve kept that is not of later than `as_of`, with its points."""
    return (
        CurveSnapshot.objects.filter(market=market, as_of__lte=as_of)
        .order_by("-as_of", "-id")
        .prefetch_related("points")
        .first()
    )
