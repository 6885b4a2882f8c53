"""
The desk for structured products: its people's book, neighbouring markets, models, and its deals.

Runs after the pages are there, while the demo's clock still stands. A second run finds everything
there; what has a date gets a new deal each month.
"""

import sys
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from energyopti.accounts.actors import Actor
    from energyopti.accounts.models import Organization
    from energyopti.foundation.calendars import DatePeriod

    from .products import Days

STRUCTURED, STRUCTURER = "STRUCTURED", "structurer@demo.example"
PREFIX = "demo-product-"
_TRADED_BEFORE = timedelta(days=20)
# Closes that a correlation of two markets is read from.
_CORRELATION_DAYS = 250


def main() -> int:
    django.setup()
    from energyopti.accounts.actors import Actor
    from energyopti.accounts.models import Organization
    from energyopti.foundation import clock

    from .neighbours import SPOT_DAYS, open_neighbours, publish_neighbours
    from .people import COMPANY
    from .seed import TRADING_DAYS

    now = clock.now()
    open_neighbours(actor=Actor.system("demo"))
    publish_neighbours(
        actor=Actor.system("market"), now=now, trading_days=TRADING_DAYS, spot_days=SPOT_DAYS
    )
    company = Organization.objects.get(name=COMPANY)
    open_desk(actor=Actor.system("demo"), company=company)
    choose_models(now)
    book_products(company=company, now=now)
    return 0


def open_desk(*, actor: "Actor", company: "Organization") -> None:
    """Open the book for those who work with it, once."""
    from energyopti.accounts.models import User
    from energyopti.accounts.services.grants import grant_access
    from trading.queries.books import all_books, book_codes
    from trading.services.books import open_book

    from .options import name_index
    from .products import SETTLED
    from .seed import MARKET

    name_index(actor, SETTLED, MARKET, "Settlement of the exchange's futures")
    own = [book_id for book_id, organization_id in all_books() if organization_id == company.pk]
    if STRUCTURED in book_codes(own).values():
        return
    book = open_book(
        actor=actor, organization_id=company.pk, code=STRUCTURED, name="Structured products"
    )
    for email, level in (
        (STRUCTURER, "view"),
        (STRUCTURER, "trade"),
        ("risk@demo.example", "view"),
    ):
        user = User.objects.get(email=email)
        grant_access(actor=actor, user=user, kind="book", container_id=book.pk, level=level)


def choose_models(now: datetime) -> None:
    """Let one person propose how spreads to the neighbours are valued, and another approve it."""
    from trading.enums import OptionFamily, PricingFormula
    from trading.queries.pricing_models import model_key, models_at
    from trading.services.pricing_models import ModelTerms, decide_model, propose_model

    from .neighbours import FRENCH, GAS
    from .people import person
    from .seed import MARKET

    known = models_at()
    family, formula = OptionFamily(OptionFamily.SPREAD), PricingFormula(PricingFormula.BLACK76)
    for second in (FRENCH, GAS):
        if model_key(family, MARKET, second) not in known:
            row = propose_model(
                actor=person("quant@demo.example"),
                terms=ModelTerms(
                    MARKET, family, formula, second_market=second,
                    correlation_days=_CORRELATION_DAYS,
                ),
                reason="Both are quoted lognormally; a year of closes shows the correlation.",
                as_of=now,
            )  # fmt: skip
            decide_model(
                actor=person("risk@demo.example"), model_id=row.pk, approve=True,
                reason="Reference cases pass, the correlation is that of the quotes.",
            )  # fmt: skip


def days_around(now: datetime) -> "Days":
    """Return the days around an instant with what the markets are worth there."""
    from energyopti.foundation.calendars import DatePeriod
    from trading.queries.curve_building import known_curve
    from trading.queries.curve_terms import CurveTerms
    from trading.queries.markets import market_by_code
    from trading.queries.prices import exact_prices

    from .products import Days
    from .seed import MARKET

    calendar = market_by_code(MARKET).calendar
    today = calendar.date_of(now)
    curves: dict[str, Any] = {}

    def forward(code: str, period: "DatePeriod") -> float:
        market = market_by_code(code)
        if code not in curves:
            curves[code] = known_curve(market, CurveTerms(), as_of=now, known_at=None)
        return float(curves[code].average(market.calendar.span(period), "BASE"))

    def spot(code: str) -> float:
        market = market_by_code(code)
        span = market.calendar.span(DatePeriod(today - timedelta(days=5), today))
        prices = [float(one.value) for one in exact_prices(market, span)]
        return sum(prices) / len(prices)

    return Days(calendar, today, forward, spot)


def book_products(*, company: "Organization", now: datetime) -> int:
    """Book what is not there yet as the structurer; return how many deals."""
    from trading.queries.books import books_for, counterparties_for
    from trading.queries.terms import deal_from_terms, known_terms
    from trading.queries.trades import trade_rows
    from trading.services.capture import book_fill

    from .options import with_premium
    from .people import person
    from .products import products

    structurer = person(STRUCTURER)
    (book,) = [book for book in books_for(structurer) if book.code == STRUCTURED]
    parties = {
        party.code: party.id
        for party in counterparties_for(structurer)
        if party.organization_id == company.pk
    }
    known = set(
        trade_rows(structurer)
        .filter(trade__client_reference__startswith=PREFIX)
        .values_list("trade__client_reference", flat=True)
    )
    terms, booked = known_terms(), 0
    for number, (name, said) in enumerate(products(days_around(now)).items()):
        reference = f"{PREFIX}{name}-{now:%Y-%m}"
        if reference in known:
            continue
        deal = deal_from_terms(said, known=terms, traded_at=now)
        traded_at = min(now, deal.schedule.interval.start) - _TRADED_BEFORE
        book_fill(
            actor=structurer,
            deal=with_premium(deal, traded_at=traded_at, now=now),
            book_id=book.id,
            counterparty_id=parties[("ACME", "BRISE")[number % 2]],
            traded_at=traded_at,
            received_at=now,
            client_reference=reference,
            reason="demo: agreed by telephone",
        )
        booked += 1
    return booked


if __name__ == "__main__":
    sys.exit(main())
