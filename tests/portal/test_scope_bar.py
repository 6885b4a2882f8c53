"""The bar follows the page: what it offers is read, and what is not read is not offered."""

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import get_resolver

from energyopti.accounts.roles import Role
from energyopti.foundation.pages import HOME_PANELS, SCOPES
from energyopti.foundation.scope import DATE, Scope
from energyopti.foundation.tables.pages import TablePage
from tests.factories.accounts import make_site, make_user
from tests.factories.trades import make_desk
from tests.security.routes import all_routes

pytestmark = pytest.mark.django_db

READ = {
    "/": {"book", "site"},
    "/trades/": {"book"},
    "/positions/": {"book"},
    "/risk/": {"book"},
    "/fleet/": {"site"},
    "/billing/": {"site"},
    "/billing/invoices/": {"site"},
    "/curves/": {"date"},
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What pages ask of their scope, in the order of asking."""
    names: set[str] = set()
    value, date = Scope.value, Scope.date.fget

    def noted(scope: Scope, parameter: str) -> str | None:
        names.add(parameter)
        return value(scope, parameter)

    def noted_date(scope: Scope) -> object:
        names.add(DATE)
        return date(scope)

    monkeypatch.setattr(Scope, "value", noted)
    monkeypatch.setattr(Scope, "date", property(noted_date))
    return names


@pytest.fixture
def client() -> Client:
    """Somebody with every role in an organization that has a book, a market and a site."""
    desk = make_desk()
    make_site(desk.organization)
    client = Client()
    client.force_login(
        make_user(*Role, organization=desk.organization),
        backend="django.contrib.auth.backends.ModelBackend",
    )
    return client


def offered(page: str) -> set[str]:
    bar = re.search(r'<form class="scope".*?</form>', page, re.DOTALL)
    return set(re.findall(r'(?:select|input type="date") name="(\w+)"', bar[0])) if bar else set()


def test_every_page_reads_all_that_its_bar_offers(client: Client, asked: set[str]) -> None:
    found = {}
    for route in all_routes():
        if route.arguments or route.is_api:
            continue
        asked.clear()
        answer = client.get(route.url())
        if answer.status_code != 200 or "html" not in answer["Content-Type"]:
            continue
        page = b"".join(answer.streaming_content) if answer.streaming else answer.content
        bar = offered(page.decode())
        assert bar <= asked, f"{route.url()} offers {bar} and reads {asked}"
        if bar:
            found[route.url()] = bar

    assert {path: bar for path, bar in found.items() if path in READ} == READ
    for path in ("/prices/", "/alerts/", "/support/", "/reports/", "/audit/", "/settings/profile/"):
        assert path not in found


def test_no_filter_of_a_list_takes_a_parameter_of_the_bar() -> None:
    assert get_resolver().url_patterns  # loads every list

    for page in _below(TablePage):
        filters = page.filterset_class.base_filters if page.filterset_class else {}
        assert not {*SCOPES, DATE} & set(filters), page.__name__


def test_panels_read_what_apps_offer() -> None:
    for name, panel in HOME_PANELS.items():
        assert panel.reads <= set(SCOPES), name


def test_the_choice_goes_from_page_to_page_and_waits_on_those_that_do_not_read_it(
    client: Client,
) -> None:
    book = re.search(r'<option value="([^"]{36})"', client.get("/trades/").content.decode())[1]
    chosen = f'<option value="{book}" selected>'

    assert chosen in client.get("/trades/", {"book": book}).content.decode()
    client.get("/fleet/")
    client.get("/curves/", {"date": "2027-03-01"})

    assert chosen in client.get("/positions/").content.decode()
    assert chosen in client.get("/").content.decode()
    assert 'name="date" value="2027-03-01"' in client.get("/curves/").content.decode()


def test_what_a_page_does_not_read_is_said_when_the_url_asks_for_it(client: Client) -> None:
    page = client.get("/fleet/", {"date": "2027-03-01"}).content.decode()

    assert "Not read by day here" in page
    assert offered(page) == {"site"}


@pytest.mark.parametrize("path", sorted(READ))
def test_a_foreign_book_or_site_is_not_there(client: Client, path: str) -> None:
    theirs = make_desk()
    foreign = {"book": theirs.book.pk, "site": make_site(theirs.organization).pk, "date": "x"}

    for name in READ[path]:
        status = 400 if name == DATE else 404
        assert client.get(path, {name: str(foreign[name])}).status_code == status


def _below(page: type[TablePage]) -> Iterator[type[TablePage]]:
    for below in page.__subclasses__():
        yield below
        yield from _below(below)
