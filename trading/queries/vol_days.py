"""Implied volatilities by trading day, for those who study how they moved from day to day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from trading.models import Market, VolQuote

from .quote_days import whole_months


@dataclass(frozen=True, slots=True)
class VolContract:
    """
    A delivery contract over whole months, and an expiry of the options on it.

    first       first day of the first month in the market's calendar
    """

    first: date
    months: int
    expires_on: date


@dataclass(frozen=True, slots=True)
class VolHistory:
    """
    The volatilities of a market at the money, by local trading day, of one kind and source.

    kind    LOGNORMAL per √year, NORMAL in currency per unit and √year
    """

    kind: str
    source: str
    days: Mapping[date, Mapping[VolContract, float]]


def vol_histories(
    market_ids: Iterable[int], *, start: datetime, end: datetime
) -> dict[int, VolHistory]:
    """
    Return each market's history of volatilities quoted in [start, end], of those that have one.

    Of several kinds or sources, whichever quoted on the most days: moves between two sources would
    be no moves. Of a quote that was corrected, the latest version; of a day, the last quotes.
    Contracts of days and weeks are left out. Two queries.
    """
    from trading.curves import contract_period

    markets = {row.pk: row for row in Market.objects.filter(pk__in=list(market_ids))}
    rows = (
        VolQuote.objects.filter(market__in=markets, valid_from__gte=start, valid_from__lte=end)
        .order_by("market_id", "kind", "source", "contract", "expires_on", "moneyness",
                  "valid_from", "-recorded_at", "-id")
        .distinct("market_id", "kind", "source", "contract", "expires_on", "moneyness",
                  "valid_from")
        .values_list("market_id", "kind", "source", "contract", "expires_on", "moneyness",
                     "valid_from", "vol")
    )  # fmt: skip
    spans: dict[str, tuple[date, int]] = {}
    local: dict[tuple[int, datetime], date] = {}
    smiles: dict[tuple[int, str, str], dict[date, dict[VolContract, dict[float, float]]]] = (
        defaultdict(lambda: defaultdict(lambda: defaultdict(dict)))
    )
    for market_id, kind, source, code, expires_on, moneyness, valid_from, vol in rows:
        if code not in spans:
            period = contract_period(code)
            spans[code] = period.first, whole_months(period.first, period.after)
        first, months = spans[code]
        if not months:
            continue
        if (market_id, valid_from) not in local:
            local[market_id, valid_from] = markets[market_id].calendar.date_of(valid_from)
        day = local[market_id, valid_from]
        # Ascending in valid_from within a node: what is quoted last on a day stands.
        smile = smiles[market_id, kind, source][day][VolContract(first, months, expires_on)]
        smile[float(moneyness)] = float(vol)
    found: dict[int, VolHistory] = {}
    for (market_id, kind, source), days in sorted(smiles.items()):
        if market_id not in found or len(days) > len(found[market_id].days):
            found[market_id] = VolHistory(
                kind,
                source,
                {
                    day: {contract: _at_the_money(smile) for contract, smile in held.items()}
                    for day, held in days.items()
                },
            )
    return found


def _at_the_money(smile: Mapping[float, float]) -> float:
    """Return the volatility where strike = forward: total variance is linear in moneyness."""
    import numpy as np

    nodes = sorted(smile)
    return float(np.sqrt(np.interp(1.0, nodes, [smile[node] ** 2 for node in nodes])))
