"""The demo's options: quoted, modelled by two people, valued, exercised, fixed, and added up."""

from datetime import UTC, datetime, timedelta

import pytest

from energyopti.accounts.actors import Actor
from energyopti.accounts.services.roles import synchronize_roles
from energyopti.demo.options import PREFIX, TOMORROW, TONIGHT, quote_options, seed_options
from energyopti.demo.people import COMPANY, person, seed_people
from energyopti.demo.seed import MARKET, WORLD_SEED, seed_desk, wall_clock
from energyopti.demo.summary import (
    reconcile_exercises,
    reconcile_option_cash,
    reconcile_positions,
)
from energyopti.demo.telling import print_options
from trading.models import (
    EndOfDay,
    OptionOutcome,
    PriceProcess,
    PricingModel,
    StructureValue,
    Trade,
    TradeVersion,
    VolQuote,
)
from trading.queries.markets import market_by_code
from trading.services.catalogue import ensure_catalogue
from trading.services.curves import build_market_curve
from trading.services.exercise import decide_options, exercise_option
from trading.services.simulation import simulate_market
from trading.services.valuation import value_organization

pytestmark = [pytest.mark.django_db, pytest.mark.slow]  # three months of a market
# The last day of a month, so that the average is of the first of the next alone.
NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def company(monkeypatch):
    """The demo's company with its market, book and options, as its seed makes them."""
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: NOW)
    synchronize_roles()
    company = seed_people(password="a-long-one-2026")[COMPANY]
    market = publish_until(NOW)
    first = market.calendar.start_of(NOW.date().replace(day=1))
    for as_of in (first, NOW):
        build_market_curve(
            actor=Actor.system("demo"), market=market, as_of=as_of, known_at=wall_clock()
        )
    seed_desk(actor=Actor.system("demo"), company=company)
    for _ in range(2):  # a second start finds everything there
        seed_options(actor=Actor.system("demo"), company=company, now=NOW)
    return company


def publish_until(day):
    actor = Actor.system("market")
    ensure_catalogue(actor=actor)
    return simulate_market(
        actor=actor, code=MARKET, trading_days=45, until=day.date(), seed=WORLD_SEED,
        received_at=day,
    ).market  # fmt: skip


def exercised(name, at):
    (option,) = Trade.objects.filter(client_reference__startswith=f"{PREFIX}{name}")
    exercise_option(
        actor=person("trader@demo.example"), ref=option.ref, expected_version=1, received_at=at,
        reason="notice",
    )  # fmt: skip


def test_the_options_are_valued_exercised_fixed_and_added_up_another_way(company, capsys):
    kinds = sorted(Trade.objects.values_list("product_kind", flat=True))
    assert kinds == ["OPTION"] * 7 + ["STORAGE"]
    quoted = VolQuote.objects.values_list("valid_from", flat=True)
    closes = set(quoted), quoted.count()
    quote_options(
        actor=Actor.system("market"), market=market_by_code(MARKET), close=max(quoted)
    )  # the market looks at a close again and again
    assert (set(quoted.all()), quoted.count()) == closes
    for row in PricingModel.objects.all():
        assert row.status == "APPROVED" and row.proposed_by != row.decided_by
    process = PriceProcess.objects.get()
    assert process.status == "APPROVED" and process.proposed_by != process.decided_by
    assert process.calibration.days >= 60 and process.parameters["volatility"] > 0
    shown = StructureValue.objects.get()
    assert shown.standard_error > 0 and shown.simulation["paths"] == 1000
    run = value_organization(
        actor=Actor.system("demo"), organization_id=company.pk, as_of=NOW + timedelta(hours=1)
    )
    values = run.values.filter(product_kind="OPTION")
    assert values.count() == 7 and all(value.is_valued for value in values)
    assert not reconcile_exercises().agrees and not reconcile_option_cash().agrees  # of nothing

    exercised(TONIGHT, NOW + timedelta(hours=3))
    exercised(TOMORROW, NOW + DAY)
    publish_until(NOW + 2 * DAY)
    decided = decide_options(actor=Actor.system("beat"), as_of=NOW + 2 * DAY)

    assert (decided.fixed, decided.lapsed) == (1, 1)
    for check in (reconcile_positions(), reconcile_exercises(), reconcile_option_cash()):
        assert check.agrees, check.words
    assert "2 rights on 15,113 MWh" in reconcile_exercises().words
    row = EndOfDay.objects.create(
        organization=company, day=NOW.date(), number=1, as_of=NOW, run=run
    )
    print_options(row.pk)
    said = capsys.readouterr().out
    assert "options     7 of 7 valued at" in said
    assert "then 2 exercised, 1 fixed for" in said and "1 lapsed" in said
    OptionOutcome.objects.filter(kind="FIXED").update(cash=1)
    assert not reconcile_option_cash().agrees
    TradeVersion.objects.filter(trade__replaces__isnull=False).update(price=1)
    assert not reconcile_exercises().agrees
