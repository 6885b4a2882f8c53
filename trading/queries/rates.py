"""Discount, exchange and volatility curves of quotes known at a cut, and what the page shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.db import models

from energyopti.accounts.actors import Actor

from ..models import FxForwardQuote, InterestQuote, Market, VolQuote
from .curve_versions import VIEW

if TYPE_CHECKING:
    from ..curves import DiscountCurve, FxForwardCurve, VolSurface


class NoRates(LookupError):
    """Nothing of that kind was quoted by then."""


@dataclass(frozen=True, eq=False)
class RatesView:
    """
    What is quoted at a time.

    discounts    (currency, as of, [(date, zero rate %, factor)])
    forwards     (pair, as of, [(date, rate, points)])
    surfaces     (market, kind, as of, moneyness, [(contract, expiry, [(vol, step 0 to 4)])], words)
    """

    discounts: list[tuple[str, datetime, list[tuple[date, float, float]]]]
    forwards: list[tuple[str, datetime, list[tuple[date, float, float]]]]
    surfaces: list[tuple[str, str, datetime, list[float], list[Any], list[str]]]


def latest_rows(
    model: type[models.Model],
    keys: Sequence[str],
    *,
    known_at: datetime | None = None,
    **where: Any,
) -> list[Any]:
    """Return of each key the version recorded last, nothing recorded after the cut."""
    rows = model._default_manager.filter(**where)
    if known_at is not None:
        rows = rows.filter(recorded_at__lte=known_at)
    return list(rows.order_by(*keys, "-recorded_at", "-id").distinct(*keys))


def discount_curve(
    currency: str, *, as_of: datetime, known_at: datetime | None = None
) -> DiscountCurve:
    """
    Return a currency's curve of the latest rates not after `as_of`.

    :raises NoRates: without any.
    """
    from ..curves import Compounding, DiscountCurve

    rows = _of_latest(InterestQuote, ["matures_on"], as_of, known_at, currency=currency)
    return DiscountCurve.from_rates(
        currency,
        valued_on=rows[0].valid_from.date(),
        rates={row.matures_on: float(row.rate) for row in rows},
        compounding=Compounding(rows[0].compounding),
    )


def fx_curve(
    base: str, quote: str, *, as_of: datetime, known_at: datetime | None = None
) -> FxForwardCurve:
    """Return a pair's forwards of the latest quotes not after `as_of`; as `discount_curve`."""
    rows = _of_latest(FxForwardQuote, ["settles_on"], as_of, known_at, base=base, quote=quote)
    return fx_curve_of(base, quote, [(row.settles_on, float(row.rate)) for row in rows])


def fx_curve_of(base: str, quote: str, rates: Iterable[tuple[date, float]]) -> FxForwardCurve:
    """
    Return the curve through outright forwards, the first of which is spot.

    :raises CurveError: for a rate that is not above zero.
    """
    from ..curves import FxForwardCurve

    (spot_date, spot), *later = sorted(rates)
    return FxForwardCurve.from_points(
        base,
        quote,
        spot=spot,
        spot_date=spot_date,
        points={day: rate - spot for day, rate in later},
        points_per_unit=1.0,
    )


def vol_surface(
    market: Market,
    kind: str,
    *,
    as_of: datetime,
    known_at: datetime | None = None,
    source: str = "",
) -> VolSurface:
    """
    Return a market's surface of the latest quotes not after `as_of`; as `discount_curve`.

    source      whose quotes count; empty for whoever quoted last
    """
    keys = ["contract", "expires_on", "moneyness"]
    where = {"market": market, "kind": kind, **({"source": source} if source else {})}
    rows = _of_latest(VolQuote, keys, as_of, known_at, **where)
    return surface_of(
        kind,
        rows[0].valid_from.date(),
        [(r.contract, r.expires_on, float(r.moneyness), float(r.vol)) for r in rows],
    )


def surface_of(
    kind: str, valued_on: date, quotes: Iterable[tuple[str, date, float, float]]
) -> VolSurface:
    """
    Return the surface of (contract, expiry, moneyness, volatility).

    :raises CurveError: naming what is no surface.
    """
    import numpy as np

    from ..curves import VolAxis, VolKind, VolSlice, VolSurface

    found: dict[tuple[str, date], list[tuple[float, float]]] = {}
    for contract, expiry, moneyness, vol in quotes:
        found.setdefault((contract, expiry), []).append((moneyness, vol))
    slices = []
    for (contract, expiry), nodes in sorted(found.items(), key=lambda item: item[0][::-1]):
        places, vols = np.array(sorted(nodes)).T
        slices.append(VolSlice(contract, expiry, places, vols))
    return VolSurface(VolKind(kind), VolAxis.MONEYNESS, valued_on, tuple(slices))


def rates_view(*, actor: Actor, as_of: datetime) -> RatesView:
    """Return all that is quoted at a time, for the page."""
    actor.require(VIEW)
    discounts = []
    for currency in _names(InterestQuote, as_of, "currency"):
        rows = _of_latest(InterestQuote, ["matures_on"], as_of, None, currency=currency[0])
        curve = discount_curve(currency[0], as_of=as_of)
        lines = [
            (r.matures_on, 100 * curve.zero_rate(r.matures_on), curve.factor(r.matures_on))
            for r in rows
        ]
        discounts.append((currency[0], rows[0].valid_from, lines))
    forwards = []
    for base, quote in _names(FxForwardQuote, as_of, "base", "quote"):
        rows = _of_latest(FxForwardQuote, ["settles_on"], as_of, None, base=base, quote=quote)
        fx = fx_curve(base, quote, as_of=as_of)
        points = [(r.settles_on, fx.rate(r.settles_on), fx.points(r.settles_on)) for r in rows]
        forwards.append((f"{base}/{quote}", rows[0].valid_from, points))
    surfaces = []
    for market_id, kind in _names(VolQuote, as_of, "market_id", "kind"):
        market = Market.objects.get(pk=market_id)
        surfaces.append((market.code, kind, *_heat(market, kind, as_of)))
    return RatesView(discounts, forwards, surfaces)


def _heat(market: Market, kind: str, as_of: datetime) -> tuple[datetime, list[float], Any, Any]:
    import numpy as np

    keys = ["contract", "expires_on", "moneyness"]
    rows = _of_latest(VolQuote, keys, as_of, None, market=market, kind=kind)
    surface = vol_surface(market, kind, as_of=as_of)
    nodes = sorted({float(row.moneyness) for row in rows})
    table = [
        (one.contract, one.expiry, surface.vols(one.contract, one.expiry, np.array(nodes)).tolist())
        for one in surface.slices
    ]
    flat = [vol for _, _, vols in table for vol in vols]
    low, width = min(flat), max(max(flat) - min(flat), 1e-12)
    lines = [
        (contract, expiry, [(vol, round(4 * (vol - low) / width)) for vol in vols])
        for contract, expiry, vols in table
    ]
    return rows[0].valid_from, nodes, lines, [str(x) for x in surface.calendar_arbitrages()]


def _names(model: type[models.Model], as_of: datetime, *fields: str) -> list[tuple[Any, ...]]:
    rows = model._default_manager.filter(valid_from__lte=as_of)
    return list(rows.order_by(*fields).values_list(*fields).distinct())


def _of_latest(
    model: type[models.Model],
    keys: Sequence[str],
    as_of: datetime,
    known_at: datetime | None,
    **where: Any,
) -> list[Any]:
    rows = model._default_manager.filter(**where, valid_from__lte=as_of)
    if known_at is not None:
        rows = rows.filter(recorded_at__lte=known_at)
    latest = rows.order_by("-valid_from", "-recorded_at", "-id").first()
    if latest is None:
        raise NoRates(f"{', '.join(map(str, where.values()))}: nothing is quoted by then.")
    # One source at a time: a curve of two would have steps that nobody quoted.
    return latest_rows(
        model,
        keys,
        known_at=known_at,
        **{**where, "source": latest.source},
        valid_from=latest.valid_from,
    )
