"""
Fill an empty database with a company at work; a second run finds everything there.

Everything goes through the product's own services, so that what the demo shows has been checked,
recorded and audited like anything that a person enters.
"""

import math
import os
import random
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from energyopti.accounts.actors import Actor
    from energyopti.accounts.models import Organization

BOOK = "EU"
MARKET = "DE"
# British power, in pounds: what a book that reports in euros holds beside its own market.
BRITISH = "N2EX"
ABROAD = "B 2MW N2EX base Q2-27 @ {price}"
WORLD_SEED = 2027
WORLDS = {MARKET: WORLD_SEED, BRITISH: 2028}
TRADING_DAYS = 500
# VaR limit of the demo's book: a 10 MW year fits, a second one does not.
VAR_LIMIT = Decimal("300000.00")


def main() -> int:
    django.setup()
    from energyopti.accounts.actors import Actor
    from energyopti.foundation import clock

    from .options import seed_options, seed_validation
    from .people import COMPANY, seed_people
    from .plant import seed_plant

    now = clock.now()
    # An actor reads once what it may see, so each step that follows new rows has one of its own.
    companies = seed_people(password=os.environ["DEMO_PASSWORD"])
    seed_market(actor=Actor.system("demo"), now=now)
    seed_reference(actor=Actor.system("demo"), company=companies[COMPANY])
    seed_desk(actor=Actor.system("demo"), company=companies[COMPANY])
    seed_plant(actor=Actor.system("demo"), company=companies[COMPANY], now=now)
    # Before there is a limit, which cannot be checked for options yet.
    seed_options(actor=Actor.system("demo"), company=companies[COMPANY], now=now)
    seed_risk(actor=Actor.system("demo"), now=now)
    seed_deal_abroad(actor=Actor.system("demo"), company=companies[COMPANY], now=now)
    seed_hedge_targets(actor=Actor.system("demo"))
    seed_contracts(actor=Actor.system("demo"), companies=companies, now=now)
    seed_meter_history(actor=Actor.system("demo"), companies=companies, now=now)
    seed_validation(company=companies[COMPANY])
    return 0


def seed_market(*, actor: "Actor", now: datetime) -> None:
    """Spot and forward quotes of 500 trading days, up to the day that has been auctioned."""
    from trading.markets.catalogue import MarketTerms
    from trading.queries.markets import market_summaries
    from trading.services.catalogue import ensure_catalogue
    from trading.services.curves import build_market_curve
    from trading.services.markets import open_market
    from trading.services.simulation import simulate_market

    known = {row.market.code: row.latest_start for row in market_summaries(actor=actor)}
    ensure_catalogue(actor=actor)
    if BRITISH not in known:
        terms = MarketTerms("Great Britain, N2EX (simulated)", "Europe/London", "GBP")
        open_market(actor=actor, code=BRITISH, terms=terms, period_minutes=60, is_simulated=True)
    for code, seed in WORLDS.items():
        latest = known.get(code)
        history = simulate_market(
            actor=actor,
            code=code,
            # A seed is a world: a shorter window shows the same days, so a second start adds few.
            trading_days=(now - latest).days + 5 if latest and latest < now else TRADING_DAYS,
            until=now.date(),
            seed=seed,
            received_at=now,
        )
        if latest is None:
            # What is left of this month is no contract any more: it keeps the last mark it had.
            first = history.market.calendar.start_of(now.date().replace(day=1))
            build_market_curve(
                actor=actor, market=history.market, as_of=first, known_at=wall_clock()
            )
        build_market_curve(actor=actor, market=history.market, as_of=now, known_at=wall_clock())
    book_pounds(actor=actor, first=now.date() - timedelta(days=2 * TRADING_DAYS), now=now)


def book_pounds(*, actor: "Actor", first: date, now: datetime) -> None:
    """Book what a euro cost in pounds at 15:00 UTC of each working day from `first` to now."""
    from trading.reference import FxRateTerms
    from trading.services.indices import book_fx_rates

    days = (first + timedelta(days=n) for n in range((now.date() - first).days + 1))
    fixings = [
        FxRateTerms(
            "EUR", "GBP", datetime(day.year, day.month, day.day, 15, tzinfo=UTC), "simulator",
            pounds_on(day),
        )
        for day in days
        if day.weekday() < 5
    ]  # fmt: skip
    book_fx_rates(actor=actor, rates=[fixing for fixing in fixings if fixing.valid_from <= now])


def pounds_on(day: date) -> Decimal:
    """Return an invented rate: slow waves, and what a day adds; the same for a day each time."""
    number = day.toordinal()
    waves = 0.016 * math.sin(number / 41) + 0.007 * math.sin(number / 9.7)
    return Decimal(f"{0.866 + waves + random.Random(number).gauss(0, 0.0012):.4f}")  # noqa: S311


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
    from energyopti.accounts.actors import Actor
    from energyopti.accounts.models import User
    from risk.enums import LimitMeasure
    from risk.queries.book_state import book_state
    from risk.services.limit_terms import LimitTerms
    from risk.services.limits import decide_limit, propose_limit
    from risk.services.rebase import rebase_books
    from trading.queries.books import books_for

    (book,) = [book for book in books_for(actor) if book.code == BOOK]
    rebase_books(actor=actor, valued_at=now)
    if not book_state(book.id)["limits"]:
        terms = LimitTerms(LimitMeasure.VAR, VAR_LIMIT, book_id=book.id, confidence=Decimal("0.99"))
        proposed = propose_limit(actor=actor, terms=terms, reason="limit of the demo's desk")
        officer = Actor.for_user(User.objects.get(email="risk@demo.example"))
        decide_limit(actor=officer, limit_id=proposed.pk, approve=True, reason="as agreed")


def seed_deal_abroad(*, actor: "Actor", company: "Organization", now: datetime) -> None:
    """A quarter of British power, in pounds, in the book that reports in euros; once."""
    from energyopti.accounts.actors import Actor
    from energyopti.accounts.models import User
    from trading.deals import parse_deal_text
    from trading.queries.areas import delivery_areas, price_indices
    from trading.queries.books import books_for, counterparties_for
    from trading.queries.trades import trade_rows
    from trading.services.capture import capture_order

    trader = Actor.for_user(User.objects.get(email="trader@demo.example"))
    if trade_rows(trader).filter(market__code=BRITISH).exists():
        return
    (book,) = [book for book in books_for(trader, level="trade") if book.code == BOOK]
    (party,) = [
        party
        for party in counterparties_for(trader)
        if party.organization_id == company.pk and party.code == "CALDER"
    ]
    areas = delivery_areas([BRITISH])
    words = ABROAD.format(price=near_the_curve(ABROAD))
    said = parse_deal_text(words, areas=areas, indices=price_indices(areas), traded_at=now)
    capture_order(
        actor=trader, deal=said.deal, book_id=book.id, counterparty_id=party.id, traded_at=now,
        received_at=now, reason="demo: at the curve", text=words, client_reference="demo-abroad",
    )  # fmt: skip


def near_the_curve(deal: str) -> Decimal:
    """Return the curve's price of a deal's period, rounded to what traders quote."""
    from energyopti.foundation import clock
    from trading.curves import contract_interval
    from trading.queries.curve_building import known_curve
    from trading.queries.curve_terms import CurveTerms
    from trading.queries.markets import market_by_code

    code, load, period = deal.split()[2:5]
    market = market_by_code(code)
    curve = known_curve(market, CurveTerms(), as_of=clock.now(), known_at=None)
    average = curve.average(contract_interval(period, market.calendar), load.upper())
    return Decimal(str(average)).quantize(Decimal("0.1"))


def seed_hedge_targets(*, actor: "Actor") -> None:
    """What the book owes its customers in 2027, of which 60 % are to be hedged; set once."""
    from trading.hedging import HedgeTerms
    from trading.queries.books import books_for
    from trading.queries.hedging import held_targets, run_of_months
    from trading.services.hedging import set_hedge_targets

    (book,) = [book for book in books_for(actor) if book.code == BOOK]
    first, last = date(2027, 1, 1), date(2027, 12, 1)
    if held_targets([book.id], run_of_months(first, last)):
        return
    set_hedge_targets(
        actor=actor, book_id=book.id, market=MARKET, first=first, last=last, expected_revision=0,
        terms=HedgeTerms(Decimal(-12_000), Decimal(60), Decimal(10)), reason="hedging policy 2027",
    )  # fmt: skip


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
