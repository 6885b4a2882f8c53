"""Three markets with the shapes they trade by, and quotes that overlap as real ones do."""

from datetime import UTC, datetime
from decimal import Decimal

from energyopti.accounts.actors import Actor
from trading.models import CurveDefinition, CurveMethod, Market, PublicationPolicy, QuoteQuality
from trading.services.catalogue import ensure_catalogue
from trading.services.curve_definitions import define_curve
from trading.services.quotes import QuoteDraft, QuotesBooked, book_quotes

from .trades import make_market

SYSTEM = Actor.system("test")
CLOSE = datetime(2026, 11, 20, 17, tzinfo=UTC)

# Made up, in the form of an exchange's settlement list: Cal, quarters and months overlap, peak
# beside base. Of DE the fourth quarter disagrees with the year by more than a tick.
QUOTES = {
    "DE": {
        ("Cal27", "BASE"): "88.50", ("Q1-27", "BASE"): "98.20", ("Q2-27", "BASE"): "76.10",
        ("Q3-27", "BASE"): "80.40", ("Q4-27", "BASE"): "101.30", ("Jan27", "BASE"): "101.75",
        ("Feb27", "BASE"): "99.10", ("Cal28", "BASE"): "82.35", ("Cal27", "PEAK"): "99.80",
        ("Q1-27", "PEAK"): "119.60", ("Jan27", "PEAK"): "126.40", ("Cal28", "PEAK"): "91.05",
    },
    "GB": {
        ("Sum-27", "BASE"): "71.20", ("Win-27", "BASE"): "84.90", ("Apr27", "BASE"): "73.35",
        ("May27", "BASE"): "70.10", ("Jun27", "BASE"): "69.45", ("Q3-27", "BASE"): "71.15",
        ("Sum-27", "PEAK"): "78.80", ("Win-27", "PEAK"): "97.65",
    },
    "PJM": {
        ("Jan27", "5X16"): "61.25", ("Jan27", "OFFPEAK"): "48.15", ("Feb27", "5X16"): "58.90",
        ("Feb27", "OFFPEAK"): "46.70", ("Cal27", "ATC"): "44.85", ("Cal27", "5X16"): "51.40",
        ("Q3-27", "5X16"): "-4.10",
    },
}  # fmt: skip
ZONES = {
    "DE": ("Europe/Berlin", "EUR"), "GB": ("Europe/London", "GBP"),
    "PJM": ("America/New_York", "USD"),
}  # fmt: skip


def three_markets() -> dict[str, Market]:
    """Open the three markets, which get the shapes of their zones."""
    for code, (zone, currency) in ZONES.items():
        make_market(code, time_zone=zone, currency=currency)
    assert ensure_catalogue(actor=SYSTEM) == []
    return {market.code: market for market in Market.objects.filter(code__in=ZONES)}


def quote(
    market: Market,
    prices: dict[tuple[str, str], str] | None = None,
    *,
    at: datetime = CLOSE,
    source: str = "exchange",
    actor: Actor = SYSTEM,
) -> QuotesBooked:
    """Book settlement prices of a day, by default those of the market above."""
    return book_quotes(
        actor=actor,
        market=market,
        drafts=[
            QuoteDraft(contract, Decimal(price), at, load)
            for (contract, load), price in (prices or QUOTES[market.code]).items()
        ],
        source=source,
        quality=QuoteQuality(QuoteQuality.SETTLEMENT),
    )


def four_eyes(market: Market, method: str = CurveMethod.FLAT) -> CurveDefinition:
    return define_curve(
        actor=SYSTEM,
        market=market,
        code="MARK",
        method=CurveMethod(method),
        policy=PublicationPolicy(PublicationPolicy.FOUR_EYES),
    )
