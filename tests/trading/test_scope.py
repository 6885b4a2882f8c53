"""The desk's pages in the scope of a book, the markets' in that of a day."""

import json
from datetime import UTC, date, datetime, time, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from guardian.shortcuts import assign_perm

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from energyopti.foundation.tables.models import SavedView
from tests.factories.accounts import make_site, make_user
from tests.factories.fleet import make_priced_market
from tests.factories.trades import RECEIVED_AT, make_book, make_desk
from tests.factories.trading import make_prices
from trading.services.simulation import simulate_market
from trading.web.home import desk_panel, market_panel

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    """A book EU with EU-SPOT below it, and a book GAS; one deal of another size in each."""
    desk = make_desk()
    desk.below = make_book(desk.organization, "EU-SPOT", parent=desk.book)
    desk.gas = make_book(desk.organization, "GAS")
    for level in ("view_book", "trade_book"):
        assign_perm(f"trading.{level}", desk.trader.user, desk.gas)
    desk.trader = desk.again(desk.trader)
    desk.deals = {
        "EU": desk.deal("B 10MW DE base Cal29 @ 85"),
        "EU-SPOT": desk.deal("B 3MW DE base Cal29 @ 85", book_id=desk.below.pk),
        "GAS": desk.deal("B 7MW DE base Cal29 @ 85", book_id=desk.gas.pk),
    }
    return desk


@pytest.fixture
def client(desk) -> Client:
    client = Client()
    client.force_login(desk.trader.user)
    return client


def shown(desk, page: str) -> set[str]:
    return {code for code, receipt in desk.deals.items() if receipt.ref in page}


def body(answer) -> str:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return content.decode()


def test_the_blotter_shows_the_chosen_book_with_those_below(desk, client):
    assert shown(desk, body(client.get("/trades/"))) == {"EU", "EU-SPOT", "GAS"}
    for book, codes in ((desk.book, {"EU", "EU-SPOT"}), (desk.below, {"EU-SPOT"})):
        assert shown(desk, body(client.get("/trades/", {"book": str(book.pk)}))) == codes
    assert shown(desk, body(client.get("/trades/", {"sort": "ref"}))) == {"EU-SPOT"}  # remembered
    assert shown(desk, body(client.get("/trades/", {"book": ""}))) == {"EU", "EU-SPOT", "GAS"}
    assert shown(desk, body(client.get("/trades/", {"book_code": "gas"}))) == {"GAS"}


def test_positions_are_those_of_the_chosen_book_with_those_below(desk, client):
    for book, mw in ((None, "+20.000"), (desk.book, "+13.000"), (desk.gas, "+7.000")):
        page = body(client.get("/positions/", {"book": str(book.pk) if book else ""}))
        assert page.count(mw) == 12


def test_a_book_costs_one_query_more_and_its_rows_none(desk, client):
    client.get("/trades/")
    for path, more in (("/trades/", 1), ("/positions/", 1)):
        client.get(path, {"book": ""})
        with CaptureQueriesContext(connection) as all_books:
            client.get(path, {"book": ""})
        client.get(path, {"book": str(desk.book.pk)})
        with CaptureQueriesContext(connection) as one_book:
            client.get(path, {"book": str(desk.book.pk)})
        # the list asks for its rows more than once: to count them and to show them
        assert len(one_book) - len(all_books) <= more + (path == "/trades/"), path


def test_the_desk_panel_sums_the_chosen_book(desk):
    with time_machine.travel(RECEIVED_AT + timedelta(minutes=1), tick=False):
        found = desk_panel(desk.again(desk.trader), book=str(desk.gas.pk))["desk"]

    assert found.positions.energy_mwh == pytest.approx(7 * 8760)
    assert (found.deals_since, found.deals) == (1, 1)


def test_a_file_holds_the_chosen_book_only_and_says_so(desk, client):
    client.get("/trades/", {"book": str(desk.gas.pk)})

    file = json.loads(body(client.get("/trades/", {"export": "json", "side": "BUY"})))

    assert shown(desk, json.dumps(file)) == {"GAS"}
    assert file["filters"] == {"Book": "GAS, GAS", "Side": "Buy"} or (
        "GAS" in json.dumps(file["filters"]) and "Buy" in json.dumps(file["filters"])
    )


def test_a_view_keeps_the_book_it_was_saved_in(desk, client):
    client.get("/trades/", {"book": str(desk.gas.pk)})
    client.post("/trades/?side=BUY", {"action": "save-view", "name": "Gas"})
    view = SavedView.objects.get()

    assert view.query == f"side=BUY&book={desk.gas.pk}"
    client.get("/trades/", {"book": ""})
    assert shown(desk, body(client.get(f"/trades/?{view.query}&view={view.pk}"))) == {"GAS"}


def test_a_default_view_opens_in_the_scope_chosen_elsewhere_and_without_a_lost_book(desk, client):
    client.post(
        f"/trades/?book={desk.gas.pk}", {"action": "save-view", "name": "G", "as_default": "on"}
    )
    view = SavedView.objects.get()
    client.get("/positions/", {"book": str(desk.below.pk)})
    assert shown(desk, body(client.get("/trades/", follow=True))) == {"EU-SPOT"}

    client.get("/positions/", {"book": ""})
    assert shown(desk, body(client.get("/trades/", follow=True))) == {"GAS"}

    desk.gas.is_active = False
    desk.gas.save()
    opened = client.get("/trades/", follow=True)
    assert opened.status_code == 200
    assert "no book that you may open" in body(opened)
    client.post(f"/trades/?view={view.pk}", {"action": "repair-view"})
    view.refresh_from_db()
    assert view.query == ""


def test_an_empty_list_names_the_scope_that_empties_it(desk, client):
    empty = make_book(desk.organization, "IDLE", parent=desk.book)

    page = body(client.get("/trades/", {"book": str(empty.pk)}))

    assert "Nothing here in this scope" in page
    assert "book IDLE" in page


NOW = datetime(2026, 10, 25, 11, 30, tzinfo=UTC)


@pytest.fixture
def reader(monkeypatch) -> Client:
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: NOW)
    simulate_market(
        actor=Actor.system("test"), code="SIM", trading_days=12, until=date(2026, 10, 26), seed=3,
        received_at=NOW,
    )  # fmt: skip
    client = Client()
    client.force_login(make_user(Role.TRADER))
    return client


def test_a_day_chosen_for_prices_is_the_day_of_curves_and_files(reader):
    now = body(reader.get("/prices/SIM/"))
    then = body(reader.get("/prices/SIM/", {"date": "2026-10-20"}))
    curve = body(reader.get("/curves/", {"market": "SIM"}))
    file = reader.get("/prices/SIM/", {"format": "json"})

    assert "delivery on Sunday, 25 October 2026" in now
    assert "delivery on Tuesday, 20 October 2026" in then
    assert 'name="date" value="2026-10-20"' in curve
    assert "As of the end of 2026-10-20" in curve
    assert "prices-SIM-2026-10-20.json" in file["Content-Disposition"]
    assert "2026-10-20" in json.dumps(json.loads(body(file))["filters"])
    assert "25 October" in body(reader.get("/prices/SIM/", {"date": "2026-10-25"}))
    assert "25 October" in body(reader.get("/prices/SIM/"))


def test_the_market_panel_is_that_of_the_chosen_sites_zone():
    desk = make_desk()
    market = make_priced_market(RECEIVED_AT.date())
    midnight = datetime.combine(RECEIVED_AT.date(), time(), UTC)
    make_prices(desk.market, midnight, ["50.00"] * 24, received_at=midnight)
    site, far = make_site(desk.organization), make_site(desk.organization, "Far")
    site.market_zone = market.code
    site.save()

    with time_machine.travel(RECEIVED_AT, tick=False):
        first = market_panel(desk.again(desk.trader))
        here = market_panel(desk.again(desk.trader), site=str(site.pk))
        nowhere = market_panel(desk.again(desk.trader), site=str(far.pk))

    assert (first["market"], here["market"]) == (desk.market, market)
    assert nowhere == {"market": None, "zone": "DE-LU"}
