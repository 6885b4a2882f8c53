"""What runs by the clock and after new curves."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from celery import current_app

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.models import Event
from risk import tasks
from risk.queries.book_state import book_state
from risk.queries.scopes import risk_history
from risk.services.following import ask_for_rebase, note_rebase_begins
from tests.factories.risk import curve, quote_history
from tests.factories.trades import TRADED_AT, make_desk
from trading.models import Compounding
from trading.reference import FxRateTerms
from trading.services.indices import book_fx_rates
from trading.services.rates import (
    FxForwardDraft,
    InterestDraft,
    book_fx_forwards,
    book_interest,
)

pytestmark = pytest.mark.django_db


def test_until_there_are_curves_the_task_says_so():
    assert "no forward curve" in tasks.rebase()
    assert tasks.recompute() == 0


def test_the_task_puts_books_on_the_curves_of_now_and_the_sum_holds():
    desk = make_desk()
    desk.deal()
    quote_history(desk.market)
    curve(desk.market)

    with time_machine.travel(TRADED_AT + timedelta(hours=1), tick=False):
        report = tasks.rebase(unknown_argument_of_a_later_release=1)

    assert report.endswith("1 books")
    assert [n.cause for n in risk_history(desk.book.pk)] == ["curves"]
    assert book_state(desk.book.pk)["var"] > 0
    assert tasks.recompute() <= 1e-9


@pytest.fixture
def sent(monkeypatch):
    """What is asked of the workers while no rebase waits."""
    found = []
    monkeypatch.setattr(current_app, "send_task", found.append)
    note_rebase_begins()
    yield found
    note_rebase_begins()


def test_new_curves_ask_after_commit_for_one_rebase_until_it_begins(
    sent, django_capture_on_commit_callbacks
):
    desk = make_desk()
    quote_history(desk.market)
    curve(desk.market)
    published = Event.objects.get(type="curve.published")

    for _ in range(3):  # a curve of each market at a close
        with django_capture_on_commit_callbacks(execute=True):
            ask_for_rebase(published)
    assert sent == ["risk.rebase"]
    with time_machine.travel(TRADED_AT + timedelta(hours=1), tick=False):
        tasks.rebase()
    with django_capture_on_commit_callbacks(execute=True):
        ask_for_rebase(published)

    assert sent == ["risk.rebase", "risk.rebase"]
    assert Actor.system("risk").may("risk.rebase_risk")


def test_new_exchange_rates_ask_for_one_too_and_interest_does_not(
    sent, django_capture_on_commit_callbacks
):
    system, day = Actor.system("test"), date(2026, 11, 24)
    book_fx_rates(
        actor=system,
        rates=[FxRateTerms("GBP", "EUR", TRADED_AT, "ecb", Decimal("1.15"))],
    )
    common = {"actor": system, "valid_from": TRADED_AT, "source": "bank"}
    drafts = [FxForwardDraft(day, Decimal("1.2"))]
    book_fx_forwards(**common, base="EUR", quote="USD", drafts=drafts)
    book_interest(
        **common, currency="EUR", compounding=Compounding(Compounding.CONTINUOUS),
        drafts=[InterestDraft(day, Decimal("0.02"))],
    )  # fmt: skip

    for event in Event.objects.filter(type__in=["fx_rates.booked", "rates.booked"]):
        note_rebase_begins()
        with django_capture_on_commit_callbacks(execute=True):
            ask_for_rebase(event)

    assert sent == ["risk.rebase", "risk.rebase"]
