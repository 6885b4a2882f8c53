"""Forward curves: built on the spot from quotes as known, or as a snapshot kept them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django.db.models import QuerySet

from ..models import CurveSnapshot, CurveVersion, Market
from .curve_building import curve_from
from .curve_terms import CurveTerms, NoCurve
from .quotes import KnownQuote, quotes_at

if TYPE_CHECKING:
    from ..curves import ForwardCurve

__all__ = ["NoCurve", "curve_of", "latest_snapshot", "market_curve", "published_versions"]


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
    return curve_from(market, CurveTerms(), quotes, as_of=as_of).curve.base()


def latest_snapshot(
    market: Market, *, as_of: datetime, known_at: datetime | None = None
) -> CurveSnapshot | None:
    """
    Return the curve that the market was valued on at `as_of`, with its points; None without one.

    That is the latest published version that is not of later than `as_of`.

    known_at    nothing published later counts; None for everything.
    """
    version = published_versions(as_of=as_of, known_at=known_at, market_ids=[market.pk]).first()
    return None if version is None else version.snapshot


def published_versions(
    *, as_of: datetime, known_at: datetime | None = None, market_ids: Iterable[int] | None = None
) -> QuerySet[CurveVersion]:
    """Return for each market the published version to value on at a time, known by a cut."""
    rows = CurveVersion.objects.filter(
        definition__is_mark=True, published_at__isnull=False, snapshot__as_of__lte=as_of
    )
    if known_at is not None:
        rows = rows.filter(published_at__lte=known_at)
    if market_ids is not None:
        rows = rows.filter(definition__market_id__in=list(market_ids))
    return (
        rows.order_by("definition__market_id", "-snapshot__as_of", "-published_at", "-id")
        .distinct("definition__market_id")
        .select_related("snapshot", "definition__market")
    )
