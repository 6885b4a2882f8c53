"""The simulator writes the tables that files write, and its curve says what its quotes say."""

from datetime import UTC, date, datetime

import numpy as np
import pytest
from django.core.management import call_command

from energyopti.accounts.actors import Actor
from energyopti.foundation.intervals import Interval
from trading.models import Market
from trading.queries.prices import price_series
from trading.queries.quotes import quote_history
from trading.services.simulation import simulate_market

pytestmark = pytest.mark.django_db
RECEIVED = datetime(2026, 11, 21, 8, tzinfo=UTC)
SYSTEM = Actor.system("test")


def simulate(**changes):
    arguments = {
        "actor": SYSTEM,
        "code": "SIM",
        "trading_days": 20,
        "until": date(2026, 11, 21),
        "seed": 7,
        "received_at": RECEIVED,
    }
    return simulate_market(**{**arguments, **changes})


def test_five_hundred_days_are_there_for_prices_and_for_every_quote_kind(capsys):
    call_command("simulate_market", "SIM", "--until", "2026-11-21", "--seed", "7")

    market = Market.objects.get(code="SIM")
    end = datetime(2026, 11, 21, 23, tzinfo=UTC)
    history = quote_history(market, first=datetime(2024, 1, 1, tzinfo=UTC), latest=end)
    spot = price_series(market, Interval(market.calendar.start_of(date(2024, 12, 20)), end))
    assert market.is_simulated
    assert len(history.days) == 501
    assert (np.isfinite(history.values).sum(axis=1) == 15).all()
    assert np.isfinite(history.values[:, history.contracts.index("Cal27")]).all()
    assert len(spot.require_complete().starts) == 702 * 24 - 0
    assert 0 < (spot.values < 0).mean() < 0.1
    assert "new quotes" in capsys.readouterr().out
