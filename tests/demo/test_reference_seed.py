"""The demo's reference data: loads beside what the demo makes itself, and twice changes nothing."""

from datetime import UTC, datetime

import pytest

from energyopti.accounts.actors import Actor
from energyopti.demo.people import COMPANY, seed_people
from energyopti.demo.seed import BOOK, seed_desk, seed_reference
from energyopti.foundation.events.models import Event
from trading.models import Book, Counterparty, Market
from trading.queries.desk import first_market_today
from trading.services.catalogue import ensure_catalogue

pytestmark = pytest.mark.django_db


def test_the_european_desk_loads_beside_the_demo_and_once() -> None:
    company = seed_people(password="seed-only-password")[COMPANY]
    ensure_catalogue(actor=Actor.system("demo"))

    for _ in range(2):
        seed_reference(actor=Actor.system("demo"), company=company)
        seed_desk(actor=Actor.system("demo"), company=company)

    assert Book.objects.filter(code=BOOK).count() == 1
    assert set(Counterparty.objects.values_list("code", flat=True)) >= {"ACME", "BRISE", "AURELIA"}
    assert Market.objects.filter(code="TTF").exists()
    assert Event.objects.filter(type="reference_data.imported").count() == 1
    # A delivery point without prices is not what the home page opens with.
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    assert first_market_today(Actor.system("demo"), known_at=now) is None
