"""Pages of market data: who may see them, what they show of an awkward day, what they refuse."""

from datetime import UTC, date, datetime

import pytest
from django.test import Client

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from tests.factories.accounts import make_user
from trading.services.forecasts import issue_forecast
from trading.services.simulation import simulate_market

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 10, 25, 11, 30, tzinfo=UTC)
SYSTEM = Actor.system("test")


@pytest.fixture
def market(monkeypatch):
    """A simulated market on the day when clocks go back in Berlin, with a forecast of that day."""
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: NOW)
    history = simulate_market(
        actor=SYSTEM,
        code="SIM",
        trading_days=12,
        until=date(2026, 10, 26),
        seed=3,
        received_at=NOW,
    )
    issue_forecast(
        actor=SYSTEM,
        market=history.market,
        delivery_date=date(2026, 10, 25),
        issued_at=datetime(2026, 10, 24, 9, tzinfo=UTC),
    )
    return history.market


def signed_in(*roles: Role) -> Client:
    client = Client()
    client.force_login(make_user(*roles), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_market_page_shows_25_hours_forecast_and_error(market):
    page = signed_in(Role.TRADER).get("/prices/SIM/?date=2026-10-25")

    text = page.content.decode()
    assert page.status_code == 200
    assert text.count('<th scope="row"><time') == 25
    assert "CEST" in text and "CET" in text
    assert "Forecast error (MAE)" in text
    assert "25 of 25 periods have a price" in text


def test_prices_not_published_yet_are_not_shown(market):
    page = signed_in(Role.TRADER).get("/prices/SIM/?date=2026-10-26")

    assert b"Nothing is known of this day yet" in page.content


@pytest.mark.parametrize("path", ["/prices/", "/prices/SIM/", "/curves/", "/curves/?market=SIM"])
@pytest.mark.parametrize(
    ("roles", "status"), [((Role.TRADER,), 200), ((Role.ESG_OFFICER,), 200), ((), 403)]
)
def test_pages_open_to_roles_that_read_markets_only(market, path, roles, status):
    assert signed_in(*roles).get(path).status_code == status
    assert Client().get(path).status_code == 302


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/prices/NOPE/", 404),
        ("/curves/?market=NOPE", 404),
        ("/prices/SIM/?date=tomorrow", 400),
        ("/curves/?market=SIM&date=9999-12-31", 400),
    ],
)
def test_what_is_not_there_or_not_a_date_is_refused(market, path, status):
    assert signed_in(Role.TRADER).get(path).status_code == status


def test_curve_page_marks_quotes_built_from_and_implied(market):
    text = signed_in(Role.RISK_OFFICER).get("/curves/?market=SIM").content.decode()

    assert text.count("Built from") + text.count("Implied by finer ones") == 15
    assert "Cal27" in text


def test_day_downloads_with_units_and_offsets(market):
    answer = signed_in(Role.TRADER).get("/prices/SIM/?date=2026-10-25&format=csv")

    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert "prices-SIM-2026-10-25.csv" in answer["Content-Disposition"]
    assert len(lines) == 26
    assert "2026-10-24T22:00:00Z" in lines[1]


def test_list_page_takes_few_queries(market, django_assert_max_num_queries):
    client = signed_in(Role.TRADER)
    client.get("/prices/")

    with django_assert_max_num_queries(14):
        assert b"SIM" in client.get("/prices/").content
