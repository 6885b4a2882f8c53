"""How markets move together in the scenarios: numbers, page and REST."""

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from risk.queries.bases import latest_basis
from risk.queries.correlations import correlations
from risk.services.snapshots import build_snapshot
from tests.factories.accounts import make_user
from tests.factories.risk import curve, quote_history
from tests.factories.trades import TRADED_AT, make_desk, make_market

pytestmark = pytest.mark.django_db
API = "/api/v1/risk/correlations"


@pytest.fixture
def desk():
    desk = make_desk()
    other = make_market("FR")
    for market, seed in ((desk.market, 7), (other, 8)):
        quote_history(market, seed=seed)
        curve(market)
    build_snapshot(actor=Actor.system("test"), valued_at=TRADED_AT)
    return desk


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_they_are_those_of_the_scenarios(desk):
    found = correlations(desk.officer, tenors=(2, 13))

    on = latest_basis()
    assert on is not None
    moves = [
        on.markets[market_id].shocks[:, tenor]
        for market_id in sorted(on.markets)
        for tenor in (2, 13)
    ]
    assert found.names == ("DE +2", "DE +13", "FR +2", "FR +13")
    np.testing.assert_allclose(np.array(found.values), np.corrcoef(moves), atol=1e-12)
    assert found.scenarios == on.scenario_count == 129


def test_what_never_moves_has_none(desk, monkeypatch):
    on = latest_basis()
    market = on.markets[desk.market.pk]
    monkeypatch.setattr("risk.queries.correlations.latest_basis", lambda: on)
    market.shocks[:, 3] = 2.5

    found = correlations(desk.officer, tenors=(1, 3))

    assert found.values[1] == (None,) * 4
    assert [row[1] for row in found.values] == [None] * 4
    assert found.values[0][0] == pytest.approx(1)


def test_the_page_shows_them_and_the_chosen_months(desk, django_assert_max_num_queries):
    client = client_of(desk.officer.user)
    client.get(reverse("risk:correlations"))
    with django_assert_max_num_queries(20):
        page = client.get(reverse("risk:correlations"), {"tenors": ["1", "12"]}).content.decode()

    assert page.count('<th scope="row">') == 4
    assert "DE +12" in page and "+1.00" in page and "DE +3" not in page
    assert client.get(reverse("risk:correlations"), {"tenors": "5"}).status_code == 422
    usual = client.get(reverse("risk:correlations"))
    assert usual.status_code == 200
    assert usual.content.decode().count('scope="row"') == 8


def test_rest_has_the_same_and_names_a_wrong_month(desk):
    client = client_of(desk.officer.user)

    answer = client.get(API, {"tenors": "1,12"}).json()

    assert answer["names"] == ["DE +1", "DE +12", "FR +1", "FR +12"]
    assert answer["values"][0][0] == pytest.approx(1)
    refused = client.get(API, {"tenors": "1,x"})
    assert refused.status_code == 400
    assert "months from 0 to 71" in refused.content.decode()


def test_without_scenarios_both_say_so_and_other_roles_stay_out():
    desk = make_desk()
    client = client_of(desk.officer.user)

    assert "No scenarios yet" in client.get(reverse("risk:correlations")).content.decode()
    assert client.get(API).json()["valued_at"] is None
    operator = client_of(make_user(Role.DEVICE_OPERATOR, organization=desk.organization))
    assert operator.get(reverse("risk:correlations")).status_code == 403
    assert operator.get(API).status_code == 403
