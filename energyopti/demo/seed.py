"""
Fill an empty database with a company at work; a second run finds everything there.

Everything goes through the product's own services, so that what the demo shows has been checked,
recorded and audited like anything that a person enters.
"""

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from energyopti.accounts.actors import Actor
    from energyopti.accounts.models import Organization

BOOK = "EU"
MARKET = "DE"
WORLD_SEED = 2027
TRADING_DAYS = 500
# VaR limit of the demo's book: a 10 MW year fits, a second one does not.
VAR_LIMIT = Decimal("300000.00")


def main() -> int:
    django.setup()
    from energyopti.accounts.actors import Actor
    from energyopti.foundation import clock

    from .people import COMPANY, seed_people
    from .plant import seed_plant

    now = clock.now()
    # An actor reads once what it may see, so each step that follows new rows has one of its own.
    companies = seed_people(password=os.environ["DEMO_PASSWORD"])
    seed_market(actor=Actor.system("demo"), now=now)
    seed_reference(actor=Actor.system("demo"), company=companies[COMPANY])
    seed_desk(actor=Actor.system("demo"), company=companies[COMPANY])
    seed_plant(actor=Actor.system("demo"), company=companies[COMPANY], now=now)
    seed_risk(actor=Actor.system("demo"), now=now)
    seed_contracts(actor=Actor.system("demo"), companies=companies, now=now)
    seed_meter_history(actor=Actor.system("demo"), companies=companies, now=now)
    return 0


def seed_market(*, actor: "Actor", now: datetime) -> None:
    """Spot and forward quotes of 500 trading days, up to the day that has been auctioned."""
    from trading.queries.markets import market_summaries
    from trading.services.catalogue import ensure_catalogue
    from trading.services.curves import build_market_curve
    from trading.services.simulation import simulate_market

    known = {row.market.code: row.latest_start for row in market_summaries(actor=actor)}
    latest = known.get(MARKET)
    ensure_catalogue(actor=actor)
    history = simulate_market(
        actor=actor,
        code=MARKET,
        # A seed is a world: a shorter window shows the same days, so a second start adds few.
        trading_days=(now - latest).days + 5 if latest and latest < now else TRADING_DAYS,
        until=now.date(),
        seed=WORLD_SEED,
        received_at=now,
    )
    if latest is None:
        # What is left of this month is no contract any more: it keeps the last mark that it had.
        first = history.market.calendar.start_of(now.date().replace(day=1))
        build_market_curve(actor=actor, market=history.market, as_of=first, known_at=wall_clock())
    build_market_curve(actor=actor, market=history.market, as_of=now, known_at=wall_clock())


def seed_reference(*, actor: "Actor", company: "Organization") -> None:
    """The European desk of the documentation: delivery points, companies, agreements, books."""
    from django.conf import settings

    from trading.services.reference_files import import_reference

    folder = settings.BASE_DIR / "docs" / "reference-data" / "europe"
    import_reference(
        actor=actor,
        organization_id=company.pk,
        files={path.name: path.read_bytes() for path in sorted(folder.glob("*.csv"))},
    )


def wall_clock() -> datetime:
    """Real time: what the database stamps as `recorded_at`, whatever the demo's clock shows."""
    from django.utils import timezone

    return timezone.now()


def seed_desk(*, actor: "Actor", company: "Organization") -> None:
    """A book, two counterparties, and grants for those who work with them."""
    from energyopti.accounts.models import User
    from energyopti.accounts.services.grants import grant_access
    from trading.queries.books import all_books, book_codes, counterparties_for
    from trading.services.books import add_counterparty, open_book

    known = {row.code for row in counterparties_for(actor)}
    for code, name, lei in (
        ("ACME", "Acme Power AG", "529900T8BM49AURSDO55"),
        ("BRISE", "Brise Energie SE", "213800D1EI4B9WTWWD28"),
    ):
        if code not in known:
            add_counterparty(actor=actor, organization_id=company.pk, code=code, name=name, lei=lei)
    own = [book_id for book_id, organization_id in all_books() if organization_id == company.pk]
    if BOOK in book_codes(own).values():
        return
    book = open_book(actor=actor, organization_id=company.pk, code=BOOK, name="European power")
    for email, level in (
        ("trader@demo.example", "view"),
        ("trader@demo.example", "trade"),
        ("risk@demo.example", "view"),
    ):
        grant_access(
            actor=actor,
            user=User.objects.get(email=email),
            kind="book",
            container_id=book.pk,
            level=level,
        )


def seed_risk(*, actor: "Actor", now: datetime) -> None:
    """The VaR limit of the book, set once, and what its trades are valued on."""
    from risk.queries.scopes import book_state
    from risk.services.limits import set_limit
    from risk.services.rebase import rebase_books
    from trading.queries.books import books_for

    (book,) = [book for book in books_for(actor) if book.code == BOOK]
    rebase_books(actor=actor, valued_at=now)
    if not book_state(book.id)["limits"]:
        set_limit(actor=actor, book_id=book.id, amount=VAR_LIMIT)


def seed_contracts(
    *, actor: "Actor", companies: Mapping[str, "Organization"], now: datetime
) -> None:
    """Spot pass-through for the cold store, a fixed price for the brewery; one alert rule."""
    from billing.queries.invoices import contract_summaries
    from billing.rating import PriceRule
    from billing.services.contracts import Terms, agree_contract
    from compliance.esg.services.factors import publish_seed_factors
    from support.services.rules import Metric, RuleRefused, create_rule
    from trading.queries.markets import market_by_code
    from trading.queries.prices import exact_prices

    from .people import BREWERY, COLD_STORE, COMPANY

    market = market_by_code(MARKET)
    first = month_before(now.date())
    publish_seed_factors(actor=actor)
    known = {contract.reference for contract in contract_summaries(actor)}
    for reference, customer, terms in (
        (
            "NW-2026-001",
            COLD_STORE,
            Terms(
                valid_from=first,
                price_rule=PriceRule.SPOT,
                tax_rate=Decimal("0.19"),
                adder_per_kwh=Decimal("0.0145"),
                standing_charge_per_day=Decimal("1.2500"),
            ),
        ),
        (
            "NW-2026-002",
            BREWERY,
            Terms(
                valid_from=first,
                price_rule=PriceRule.FIXED,
                tax_rate=Decimal("0.19"),
                fixed_price_per_kwh=Decimal("0.1180"),
                standing_charge_per_day=Decimal("0.9000"),
            ),
        ),
    ):
        if reference not in known:
            agree_contract(
                actor=actor,
                issuer=companies[COMPANY],
                organization=companies[customer],
                market=market,
                reference=reference,
                terms=terms,
                agreed_at=now,
            )
    # High for the season, but not so high that nobody ever sees an alert.
    today = exact_prices(market, market.calendar.day(market.calendar.date_of(now)))
    with suppress(RuleRefused):
        create_rule(
            actor=actor,
            organization_id=companies[COMPANY].pk,
            name=f"{MARKET} spot high",
            market=market,
            metric=Metric(Metric.PRICE_ABOVE),
            threshold=(max(price.value for price in today) * Decimal("0.9")).quantize(Decimal(1)),
            created_at=now,
        )


def seed_meter_history(
    *, actor: "Actor", companies: Mapping[str, "Organization"], now: datetime
) -> None:
    """What the customers' sites consumed last month, hour by hour: something to bill and report."""
    from devices.edge.simulator import SiteLoad
    from energyopti.accounts.models import Site
    from trading.queries.markets import market_by_code
    from trading.services.actuals import ActualRow, Flow, MeteringPointKind, book_actuals

    from .people import BREWERY, COLD_STORE

    market = market_by_code(MARKET)
    first = month_before(now.date())
    month = market.calendar.month(first.year, first.month)
    rows = []
    for name in (COLD_STORE, BREWERY):
        for number, site in enumerate(Site.objects.filter(organization=companies[name])):
            load = SiteLoad(float(site.grid_connection_kw) * 0.45, shift_hours=number * 0.7)
            hour = month.start
            while hour < month.end:
                # The mean of an hour by its middle is all the history needs.
                energy = load.power_kw(hour + timedelta(minutes=30))
                rows.append(
                    ActualRow(
                        organization_id=site.organization_id,
                        market=market,
                        asset_id=f"meter:{site.pk}",
                        flow=Flow(Flow.IMPORT),
                        metering_point_kind=MeteringPointKind(MeteringPointKind.CONNECTION_POINT),
                        start=hour,
                        minutes=60,
                        energy_kwh=Decimal(f"{energy:.3f}"),
                        site_id=site.pk,
                    )
                )
                hour += timedelta(hours=1)
    book_actuals(actor=actor, rows=rows, source="meter history of the demo")


def month_before(day: date) -> date:
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)


if __name__ == "__main__":
    sys.exit(main())
