"""The demo closes its days as the desk would, and says what came of them."""

from datetime import UTC, datetime

import pytest

import trading.tasks  # noqa: F401  (the test is its own worker)
from energyopti.accounts.roles import Role
from energyopti.demo.closing import close_day, print_pnl, reconcile_closings
from energyopti.demo.people import COMPANY
from tests.factories.accounts import make_user
from tests.trading.valuation.desk import publish, valued_desk
from trading.models import EndOfDay, PnlStep


def at(day: int) -> datetime:
    return datetime(2026, 11, day, 19, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
def test_two_days_are_closed_signed_explained_and_computed_again(monkeypatch, capsys):
    desk = valued_desk()
    desk.organization.name = COMPANY
    desk.organization.save()
    make_user(Role.RISK_OFFICER, organization=desk.organization, email="risk@demo.example")
    desk.deal("B 10MW DE base Cal27 @ 85.20", traded_at=at(19), received_at=at(19))

    def wait_for(what, look, until):
        assert look(), what

    runs = []
    for day, price in ((19, "90.00"), (20, "91.00")):
        monkeypatch.setattr("energyopti.foundation.clock.now", lambda day=day: at(day))
        publish(desk.market, {"Cal27": price}, at=at(day).replace(hour=16))
        runs.append(close_day(desk.market, wait_for))
    print_pnl(runs[-1])

    said = capsys.readouterr().out
    for row in EndOfDay.objects.all():
        assert row.state == "SIGNED"
        assert f"{row.day} run 1: 1 trades valued, 0 findings" in said
        assert row.run.result_hash[:16] in said
    assert "P&L         2026-11-20: Prices DE +87,600.00, in all +87,600.00 EUR" in said
    agreed = reconcile_closings(runs)
    assert agreed.agrees, agreed.words
    assert agreed.words == (
        "2 of 2 days come out with their hashes, 2 of 2 reports sum to the cent"
    )
    PnlStep.objects.filter(kind="PRICE").update(reporting=1)
    assert not reconcile_closings(runs).agrees
