"""VaR stands on the history that the market simulator writes, where no quotes are imported."""

from datetime import UTC, date, datetime

import pytest

from energyopti.accounts.actors import Actor
from risk.queries.book_state import book_state
from risk.services.rebase import rebase_books, recompute_all
from tests.factories.trades import deal_of_words, make_desk
from trading.models import Market
from trading.services.curves import build_market_curve
from trading.services.simulation import simulate_market

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
NOW = datetime(2026, 11, 20, 18, tzinfo=UTC)
SYSTEM = Actor.system("test")


def test_five_hundred_scenarios_come_from_a_simulated_market():
    Market.objects.filter(code="DE").delete()
    simulate_market(
        actor=SYSTEM, code="DE", trading_days=501, until=date(2026, 11, 20), seed=7,
        received_at=NOW,
    )  # fmt: skip
    market = Market.objects.get(code="DE")
    build_market_curve(
        actor=SYSTEM, market=market, as_of=NOW, known_at=datetime(2100, 1, 1, tzinfo=UTC)
    )
    desk = make_desk()
    rebase_books(actor=SYSTEM, valued_at=NOW)
    assert deal_of_words("B 10MW DE base Cal27 @ 85").schedule.area.zone_key == market.time_zone

    desk.deal("B 10MW DE base Cal27 @ 85", traded_at=NOW, received_at=NOW)

    state = book_state(desk.book.pk)
    assert "500 scenarios" in state["convention"]
    assert state["unvalued"] == 0
    # A year of 10 MW moves by some tens of thousands of euro a day, not by nothing or by millions.
    assert 20_000 < state["var"] < 1_000_000
    assert recompute_all(actor=SYSTEM) <= 1e-9
