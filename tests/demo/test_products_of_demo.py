"""One of each product in the demo: booked once, all valued, nominated, decided and added up."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from energyopti.accounts.actors import Actor
from energyopti.accounts.services.roles import synchronize_roles
from energyopti.demo import structuring
from energyopti.demo.neighbours import CARBON, NEIGHBOURS, open_neighbours, publish_neighbours
from energyopti.demo.options import seed_options
from energyopti.demo.people import COMPANY, person, seed_people
from energyopti.demo.plant import read_plant, seed_plant
from energyopti.demo.products import EXERCISED, NOMINATED, Days, nominations, products
from energyopti.demo.seed import MARKET, WORLD_SEED, seed_desk, seed_reference, wall_clock
from energyopti.demo.summary import (
    reconcile_days,
    reconcile_exercises,
    reconcile_option_cash,
    reconcile_plants,
    reconcile_positions,
)
from energyopti.demo.telling import print_products
from energyopti.foundation.calendars import Calendar
from trading.deals import ProductKind, StructureKind
from trading.models import EndOfDay, OptionOutcome, PricingModel, Trade
from trading.queries.markets import market_by_code
from trading.queries.quotes import quotes_at
from trading.services.catalogue import ensure_catalogue
from trading.services.curves import build_market_curve
from trading.services.exercise import decide_options, exercise_option
from trading.services.metering import true_up_trades
from trading.services.nominations import nominate_structure
from trading.services.simulation import simulate_market
from trading.services.structure_settlement import settle_nominations
from trading.services.valuation import value_organization

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def system() -> Actor:
    return Actor.system("demo")


@pytest.mark.parametrize(
    "today", [date(2026, 11, 22), date(2026, 12, 31), date(2027, 2, 28), date(2027, 10, 30)]
)
def test_each_kind_of_product_is_there_whatever_the_day(today: date) -> None:
    days = Days(Calendar("Europe/Berlin"), today, lambda *_: 80.0, lambda *_: 75.0)

    said = products(days)

    # The demo's trader books the plain ones; the structurer has one of each.
    assert {terms["product"] for terms in said.values()} == {kind.value for kind in ProductKind}
    assert {*EXERCISED, *NOMINATED} <= set(said)
    styles = {terms["option"]["style"] for terms in said.values() if "option" in terms}
    assert styles == {"EUROPEAN", "AMERICAN", "BERMUDAN", "ASIAN"}
    assert set(nominations(days)) == set(NOMINATED)
    hours = int(days.calendar.day(days.tomorrow).hours)
    assert {len(one) for one in nominations(days).values()} == {1, hours}
    for terms in said.values():
        expires = terms.get("option", {}).get("expiry")
        assert expires is None or expires > days.at(today, 12)


def publish(until: datetime) -> None:
    ensure_catalogue(actor=system())
    simulate_market(
        actor=system(), code=MARKET, trading_days=45, until=until.date(), seed=WORLD_SEED,
        received_at=until,
    )  # fmt: skip


@pytest.fixture
def company(monkeypatch):
    """The demo's company with its market and options, and the structuring desk, as seeded."""
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: NOW)
    synchronize_roles()
    company = seed_people(password="a-long-one-2026")[COMPANY]
    publish(NOW)
    market = market_by_code(MARKET)
    for as_of in (market.calendar.start_of(NOW.date().replace(day=1)), NOW):
        build_market_curve(actor=system(), market=market, as_of=as_of, known_at=wall_clock())
    seed_reference(actor=system(), company=company)
    seed_desk(actor=system(), company=company)
    seed_plant(actor=system(), company=company, now=NOW)
    seed_options(actor=system(), company=company, now=NOW)
    for _ in range(2):  # a second start finds everything there
        open_neighbours(actor=system())
        publish_neighbours(actor=system(), now=NOW, trading_days=45, spot_days=75)
        structuring.open_desk(actor=system(), company=company)
        structuring.choose_models(NOW)
        structuring.book_products(company=company, now=NOW)
    return company


def trade_of(name: str) -> Trade:
    return Trade.objects.get(client_reference__startswith=f"{structuring.PREFIX}{name}-2026")


@pytest.mark.slow
@pytest.mark.django_db
def test_one_of_each_is_valued_nominated_decided_and_added_up_another_way(company, capsys):
    booked = Trade.objects.filter(client_reference__startswith=structuring.PREFIX)
    structurer = person(structuring.STRUCTURER)
    days = structuring.days_around(NOW)
    assert booked.count() == len(products(days))
    assert not booked.exclude(book__code=structuring.STRUCTURED).exists()
    # What goes together with the demo's own market, and what it costs to hold an allowance.
    for row in PricingModel.objects.filter(family="SPREAD"):
        assert row.proposed_by != row.decided_by and Decimal("0.3") < row.correlation < 1
    levels = [quotes_at(market_by_code(code), as_of=NOW)[-1].value for code in NEIGHBOURS]
    assert all(Decimal(15) < level < Decimal(150) for level in levels), levels
    carbon = [q.value for q in quotes_at(market_by_code(CARBON), as_of=NOW)]
    assert max(carbon) / min(carbon) < Decimal("1.15")
    run = value_organization(
        actor=system(), organization_id=company.pk, as_of=NOW + timedelta(hours=1)
    )
    unvalued = [v.trade.client_reference for v in run.values.all() if not v.is_valued]
    assert unvalued == []
    kinds = set(run.values.values_list("product_kind", flat=True))
    assert {kind.value for kind in StructureKind} < kinds
    assert not reconcile_days().agrees  # of nothing

    for name in EXERCISED:
        exercise_option(
            actor=structurer, ref=trade_of(name).ref, expected_version=1,
            received_at=NOW + timedelta(hours=1), reason="notice",
        )  # fmt: skip
    for name, quantities in nominations(days).items():
        nominate_structure(
            actor=structurer, ref=trade_of(name).ref, day=days.tomorrow,
            quantities=[Decimal(one) for one in quantities], received_at=NOW,
        )  # fmt: skip
    later = NOW + 2 * DAY
    publish(later)
    publish_neighbours(actor=system(), now=later, trading_days=3, spot_days=3)
    read_plant(actor=system(), company=company, market=market_by_code(MARKET), start=NOW, end=later)
    true_up_trades(actor=system(), organization_id=company.pk, as_of=later)
    decide_options(actor=system(), as_of=later)
    settle_nominations(actor=system(), as_of=later)

    for check in (
        reconcile_positions(), reconcile_plants(), reconcile_exercises(),
        reconcile_option_cash(), reconcile_days(),
    ):  # fmt: skip
        assert check.agrees, (check.name, check.words)
    decided = set(OptionOutcome.objects.values_list("trade__product_kind", flat=True))
    assert decided == {"OPTION", *(kind.value for kind in StructureKind)}
    row = EndOfDay.objects.create(
        organization=company, day=NOW.date(), number=1, as_of=NOW, run=run
    )
    print_products(row.pk)
    told = capsys.readouterr().out
    assert f"{run.values.count()} of {run.values.count()} deals valued" in told
    assert "/trades/?kind=SWING" in told
    OptionOutcome.objects.filter(trade=trade_of("tolling")).update(cash=1)
    assert not reconcile_days().agrees
