"""What moved a scope's risk is named, and its VaR stands beside what each day made."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from energyopti.accounts.actors import Actor
from risk.models import RiskNumber
from risk.queries.history import days_against_var, latest_changes
from risk.services.snapshots import build_snapshot
from tests.factories.risk import curve, quote_history
from tests.factories.trades import TRADED_AT, make_desk
from trading.models import PnlKind, PnlReport, PnlStepTotal, ValuationRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    desk = make_desk()
    quote_history(desk.market)
    curve(desk.market)
    build_snapshot(actor=Actor.system("test"), valued_at=TRADED_AT)
    return desk


def closed_day(desk, days: int, *, total: str, steps: dict[str, str]) -> None:
    """Write the official report of a day as the end of day would, opened the day before."""
    runs = [
        ValuationRun.objects.create(
            organization=desk.organization, as_of=TRADED_AT + timedelta(days=days + back),
            known_at=TRADED_AT, inputs={}, input_hash="", result_hash="", trades=1, unvalued=0,
            tzdata="", code="", actor_id="test",
        )
        for back in (-1, 0)
    ]  # fmt: skip
    report = PnlReport.objects.create(
        book=desk.book, day=(TRADED_AT + timedelta(days=days)).date(), kind=PnlKind.OFFICIAL,
        number=1, opening=runs[0], closing=runs[1], currency="EUR", opening_value=Decimal(0),
        closing_value=Decimal(total), total=Decimal(total), content_hash="", actor_id="test",
    )  # fmt: skip
    for kind, amount in steps.items():
        PnlStepTotal.objects.create(report=report, kind=kind, amount=Decimal(amount))


def test_each_change_names_its_deal_and_what_it_did(desk):
    first = desk.deal("B 10MW DE base Cal27 @ 80").ref
    second = desk.deal("S 4MW DE base Cal27 @ 81").ref

    newest, oldest = latest_changes(desk.book.pk)

    assert (oldest["trade"], newest["trade"]) == (first, second)
    assert oldest["var_before"] == 0 < oldest["var_after"] == newest["var_before"]
    assert newest["var_change"] == pytest.approx(-0.4 * oldest["var_after"])
    assert newest["var_after"] - newest["var_before"] == newest["var_change"]


def test_new_curves_and_files_of_many_deals_are_no_trade(desk):
    desk.deal()
    for cause in ("curves", "T-00000002..T-00000009"):
        last = RiskNumber.objects.order_by("-sequence").first()
        last.pk, last.sequence, last.cause = None, last.sequence + 1, cause
        last.save(force_insert=True)

    many, curves, deal = latest_changes(desk.book.pk)

    assert (many["cause"], many["trade"]) == ("T-00000002..T-00000009", "")
    assert (curves["cause"], curves["trade"]) == ("New curves", "")
    assert deal["trade"] and many["var_change"] == 0


def test_a_day_exceeds_by_what_markets_did_and_not_by_new_deals(desk):
    desk.deal("B 10MW DE base Cal27 @ 80")
    var = RiskNumber.objects.latest("sequence").var
    inside, beyond = f"{-var + 1:.2f}", f"{-var - 1:.2f}"
    closed_day(desk, 1, total=beyond, steps={"PRICE": inside, "NEW": "-2.00"})
    closed_day(desk, 2, total=inside, steps={"PRICE": beyond, "FEES": "2.00"})
    # Opened before anything was known of the book.
    closed_day(desk, 0, total="-1e9", steps={"PRICE": "-1e9"})

    days = days_against_var(desk.officer, desk.book.pk)

    assert [day.var for day in days] == [None, var, var]
    assert [day.is_exceedance for day in days] == [False, False, True]
    assert days[1].pnl < -var < days[1].clean


def test_the_page_and_its_frames_show_both(desk):
    ref = desk.deal("B 10MW DE base Cal27 @ 80").ref
    closed_day(desk, 1, total="-90000000.00", steps={"PRICE": "-90000000.00"})
    client = Client()
    client.force_login(desk.officer.user)

    page = client.get(reverse("risk:home")).content.decode()
    state = client.get(reverse("risk:state", args=[desk.book.pk])).json()

    assert f'href="{reverse("trading:trade", args=[ref])}"' in page
    assert "1 of 1 days lost more" in page
    assert "−90,000,000.00" in page
    assert [change["trade"] for change in state["changes"]] == [ref]
    assert datetime.fromisoformat(state["changes"][0]["at"]).tzinfo == UTC
