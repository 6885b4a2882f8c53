"""The risk page, its polled state, limits from the page, and the REST twin."""

import pytest
from django.test import Client
from django.urls import reverse

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from risk.services.snapshots import build_snapshot
from tests.factories.accounts import make_user
from tests.factories.risk import curve, quote_history
from tests.factories.trades import TRADED_AT, make_desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    desk = make_desk()
    quote_history(desk.market)
    curve(desk.market)
    build_snapshot(actor=Actor.system("test"), valued_at=TRADED_AT)
    desk.deal("B 10MW DE base Cal27 @ 80")
    return desk


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_page_states_numbers_and_their_convention(desk, django_assert_max_num_queries):
    client = client_of(desk.officer.user)
    client.get(reverse("risk:home"))

    with django_assert_max_num_queries(26):
        page = client.get(reverse("risk:home")).content.decode()

    assert "99 %, 1 day, historical simulation, 129 scenarios" in page
    assert page.count("data-row") == 12
    assert f'data-src="/ws/risk/{desk.book.pk}/"' in page


def test_the_polled_state_is_what_frames_carry(desk):
    state = client_of(desk.trader.user).get(reverse("risk:state", args=[desk.book.pk])).json()

    assert state["topic"] == f"book:{desk.book.pk}"
    assert state["es"] >= state["var"] > 0
    assert len(state["positions"]) == 12


def test_foreign_books_are_not_there_and_other_roles_stay_out(desk):
    other = make_desk()
    stranger = client_of(other.officer.user)
    operator = client_of(make_user(Role.DEVICE_OPERATOR, organization=desk.organization))
    assert stranger.get(reverse("risk:state", args=[desk.book.pk])).status_code == 404
    api = f"/api/v1/risk/books/{desk.book.pk}"
    assert stranger.get(api).status_code == 404
    assert operator.get(api).status_code == operator.get(reverse("risk:home")).status_code == 403


def test_somebody_without_a_book_is_told_so(desk):
    alone = client_of(make_user(Role.TRADER, organization=desk.organization))

    assert "No book is open to you" in alone.get(reverse("risk:home")).content.decode()


def test_rest_gives_the_same_numbers(desk):
    client = client_of(desk.trader.user)

    books = client.get("/api/v1/risk/books").json()["results"]
    state = client.get(f"/api/v1/risk/books/{books[0]['id']}").json()

    assert books[0]["code"] == "EU"
    polled = client.get(reverse("risk:state", args=[desk.book.pk])).json()
    assert state == {k: v for k, v in polled.items() if k != "topic"}
