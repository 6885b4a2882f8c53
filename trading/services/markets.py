"""Open markets: from the product's catalogue, or with terms that somebody states."""

from datetime import timedelta

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.money import currency as check_currency

from ..markets.catalogue import KNOWN_MARKETS, MarketTerms
from ..models import Market
from .catalogue import shape_calendar_of
from .commodities import power


class MarketUnknown(LookupError):
    """No market has the code, and nothing says which zone and currency it would have."""


def open_market(
    *,
    actor: Actor,
    code: str,
    terms: MarketTerms,
    period_minutes: int,
    is_simulated: bool = False,
) -> Market:
    """
    Open a market under a code that no other has.

    :raises ValidationError: naming the field whose value is wrong or taken.
    :raises MoneyError: for a currency outside ISO 4217.
    """
    actor.require("trading.simulate_market" if is_simulated else "trading.import_prices")
    check_currency(terms.currency)
    calendar = shape_calendar_of(terms.time_zone)
    market = Market(
        code=code,
        shape_calendar=calendar,
        day_start=calendar.day_start if calendar else timedelta(0),
        name=terms.name,
        commodity=power(actor=actor),
        eic=terms.eic,
        time_zone=terms.time_zone,
        currency=terms.currency,
        period_minutes=period_minutes,
        gate_closure=terms.gate_closure,
        publication_minutes=terms.publication_minutes,
        is_simulated=is_simulated,
    )
    with transaction.atomic():
        market.full_clean()
        market.save(force_insert=True)
        record_event(
            type="market.opened",
            actor=actor,
            aggregate_type="market",
            aggregate_id=market.code,
            organization_id=None,
            payload={
                "code": market.code,
                "time_zone": market.time_zone,
                "currency": market.currency,
                "period_minutes": market.period_minutes,
                "is_simulated": market.is_simulated,
            },
        )
    return market


def terms_of(*, code: str, time_zone: str = "", currency: str = "", name: str = "") -> MarketTerms:
    """
    Return what is stated about a new market, or what the catalogue knows.

    :raises MarketUnknown: if neither says a zone and a currency.
    """
    known = KNOWN_MARKETS.get(code)
    if known is not None and not (time_zone or currency or name):
        return known
    if not (time_zone and currency):
        raise MarketUnknown(
            f"market: “{code}” is not known. Say its time zone and currency (--time-zone"
            f" Europe/Berlin --currency EUR), or use one of: {', '.join(sorted(KNOWN_MARKETS))}."
        )
    return MarketTerms(name or code, time_zone, currency, known.eic if known else "")
