"""Prices, forecasts and curves over REST."""

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
DAY = {"market": "SIM", "start": "2026-10-24T22:00:00Z", "end": "2026-10-25T23:00:00Z"}


@pytest.fixture
def client(monkeypatch):
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: NOW)
    simulate_market(
        actor=SYSTEM,
        code="SIM",
        trading_days=12,
        until=date(2026, 10, 26),
        seed=3,
        received_at=NOW,
    )
    client = Client()
    client.force_login(make_user(Role.TRADER), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_pages_walk_the_interval_forward_and_back_without_loss(client):
    first = client.get("/api/v1/trading/prices", {**DAY, "page_size": 10}).json()
    second = client.get(first["next"]).json()
    third = client.get(second["next"]).json()
    back = client.get(third["previous"]).json()

    starts = [row["start"] for page in (first, second, third) for row in page["results"]]
    assert len(starts) == len(set(starts)) == 25
    assert starts == sorted(starts)
    assert (first["previous"], third["next"]) == (None, None)
    assert back["results"] == second["results"]
    assert isinstance(first["results"][0]["value"], str)


def test_known_at_hides_what_was_not_published(client):
    monday = {"start": "2026-10-25T23:00:00Z", "end": "2026-10-26T23:00:00Z", "market": "SIM"}

    everything = client.get("/api/v1/trading/prices", monday).json()["results"]
    known = client.get(
        "/api/v1/trading/prices", {**monday, "known_at": "2026-10-25T11:00:00Z"}
    ).json()["results"]

    assert (len(everything), known) == (24, [])


@pytest.mark.parametrize(
    ("query", "status", "parameter"),
    [
        ({**DAY, "market": "NOPE"}, 404, None),
        ({**DAY, "start": "2026-10-24T22:00:00"}, 400, "start"),
        ({**DAY, "end": DAY["start"]}, 400, "end"),
        ({**DAY, "end": "2126-10-24T22:00:00Z"}, 400, "end"),
        ({**DAY, "sort": "price"}, 400, "sort"),
        ({**DAY, "cursor": "made-up"}, 400, "cursor"),
        ({**DAY, "page_size": "5000"}, 400, "page_size"),
        ({"market": "SIM"}, 400, "start"),
    ],
)
def test_wrong_questions_are_refused_naming_the_parameter(client, query, status, parameter):
    answer = client.get("/api/v1/trading/prices", query)

    assert answer.status_code == status
    assert answer["Content-Type"].startswith("application/problem+json")
    if parameter:
        assert parameter in str(answer.json()["errors"])


def test_forecast_and_curve_are_there(client):
    from trading.models import Market

    issue_forecast(
        actor=SYSTEM,
        market=Market.objects.get(code="SIM"),
        delivery_date=date(2026, 10, 26),
        issued_at=datetime(2026, 10, 25, 10, tzinfo=UTC),
    )

    forecast = client.get(
        "/api/v1/trading/forecasts", {"market": "SIM", "delivery_date": "2026-10-26"}
    ).json()
    curve = client.get("/api/v1/trading/curves", {"market": "SIM"}).json()
    markets = client.get("/api/v1/trading/markets").json()

    assert (len(forecast["values"]), forecast["model"]) == (24, "similar-day 1")
    assert curve["points"][0]["start"] == "2026-10-31T23:00:00Z"
    assert curve["conflicts"] == []
    assert [row["code"] for row in markets["results"]] == ["SIM"]
    assert (
        client.get(
            "/api/v1/trading/forecasts", {"market": "SIM", "delivery_date": "2026-10-27"}
        ).status_code
        == 404
    )


def test_a_role_without_the_permission_is_refused(client):
    stranger = Client()
    stranger.force_login(make_user(), backend="django.contrib.auth.backends.ModelBackend")

    assert stranger.get("/api/v1/trading/prices", DAY).status_code == 403
    assert Client().get("/api/v1/trading/prices", DAY).status_code in (401, 403)
