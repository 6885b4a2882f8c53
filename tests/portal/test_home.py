"""Home, navigation and search show what the person's roles may see, and no more."""

from datetime import date

import pytest
from django.test import Client

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from energyopti.foundation.pages import (
    HomePanel,
    NavigationItem,
    ScopeDimension,
    ScopeOption,
    SearchHit,
)
from energyopti.foundation.registry import Registry
from energyopti.foundation.scope import Scope
from energyopti.portal.checks import check_pages
from energyopti.portal.queries.home import drawn_panels, panels_of, read_by, roles_of
from energyopti.portal.queries.navigation import navigation_for
from energyopti.portal.queries.search import LIMIT, find
from tests.factories.accounts import make_user

NAVIGATION = "energyopti.portal.queries.navigation.NAVIGATION"
PANELS = "energyopti.portal.queries.home.HOME_PANELS"
NOTHING_CHOSEN = Scope((), date(2027, 3, 28), date(2027, 3, 28), frozenset())
SEARCH = "energyopti.portal.queries.search.SEARCH"


@pytest.fixture
def navigation(monkeypatch: pytest.MonkeyPatch) -> Registry[NavigationItem]:
    registry: Registry[NavigationItem] = Registry("navigation of a test")
    monkeypatch.setattr(NAVIGATION, registry)
    monkeypatch.setattr("energyopti.portal.checks.NAVIGATION", registry)
    registry.register("home", NavigationItem("Home", "portal:home", "", shortcut="h", order=0))
    registry.register("find", NavigationItem("Find", "portal:search", "Tools", order=20))
    registry.register("page", NavigationItem("Pages", "portal:preferences", "Tools", order=10))
    registry.register(
        "secret", NavigationItem("Secret", "portal:offline", "Tools", permission="x.open_secret")
    )
    registry.register("ghost", NavigationItem("Ghost", "portal:no-such-route", "Tools"))
    return registry


@pytest.fixture
def panels(monkeypatch: pytest.MonkeyPatch) -> Registry[HomePanel]:
    registry: Registry[HomePanel] = Registry("panels of a test")
    monkeypatch.setattr(PANELS, registry)
    monkeypatch.setattr("energyopti.portal.checks.HOME_PANELS", registry)
    return registry


def test_stranger_is_sent_to_sign_in() -> None:
    assert Client().get("/")["Location"] == "/accounts/login/?next=/"


def test_home_without_panels_says_so(client: Client, panels) -> None:
    page = client.get("/").content.decode()

    assert "Nothing to show yet" in page
    assert "What matters now for Trader." in page


def test_home_without_role_says_who_can_help(db, panels) -> None:
    client = Client()
    client.force_login(make_user(), backend="django.contrib.auth.backends.ModelBackend")

    assert "An administrator of your organization can give you one." in (
        client.get("/").content.decode()
    )


def test_home_shows_the_panels_of_ones_roles_in_order(trader, panels) -> None:
    actor = Actor.for_user(trader)
    for name, roles, order, permission in [
        ("late", {Role.TRADER}, 20, None),
        ("early", {Role.TRADER, Role.RISK_OFFICER}, 10, None),
        ("other role", {Role.ESG_OFFICER}, 5, None),
        ("not permitted", {Role.TRADER}, 1, "x.never"),
    ]:
        panels.register(
            name,
            HomePanel(
                frozenset(roles), f"{name}.html", lambda actor: {"who": actor.id}, permission, order
            ),
        )

    found = panels_of(actor, roles=roles_of(actor))
    drawn = drawn_panels(actor, panels=found, scope=NOTHING_CHOSEN)

    assert [panel.name for panel in drawn] == ["early", "late"]
    assert drawn[0].context == {"who": actor.id}
    assert roles_of(Actor.system("beat")) == []


def test_home_draws_a_panel_from_its_dictionary(client: Client, panels) -> None:
    panels.register(
        "errors",
        HomePanel(
            frozenset({Role.TRADER}), "errors/body.html", lambda actor: {"safe": "Three trades."}
        ),
    )

    assert "<p>Three trades.</p>" in client.get("/").content.decode()


def test_home_offers_what_its_panels_read_and_says_which_do_not(
    client: Client, panels, monkeypatch: pytest.MonkeyPatch
) -> None:
    scopes: Registry[ScopeDimension] = Registry("scopes of a test")
    monkeypatch.setattr("energyopti.foundation.scope.SCOPES", scopes)
    for name, option in (("book", "Power"), ("site", "Depot"), ("zone", "North")):
        found = [ScopeOption(option, option)]
        scopes.register(
            name, ScopeDimension(name.title(), f"All {name}s", lambda actor, found=found: found)
        )
    for name, context in (
        ("book", lambda actor, book: {"safe": f"book is {book}"}),
        ("site", lambda actor, site: {"safe": f"site is {site}"}),
    ):
        panels.register(
            name,
            HomePanel(
                frozenset({Role.TRADER}), "errors/body.html", context, reads=frozenset({name})
            ),
        )

    page = client.get("/", {"site": "Depot"}).content.decode()

    assert '<select name="book">' in page and '<select name="site">' in page
    assert '<select name="zone">' not in page and 'type="date"' not in page
    assert "book is None" in page and "site is Depot" in page
    assert page.count("these figures are not kept by") == 1
    assert "these figures are not kept by site." in page
    assert client.get("/", {"book": "Gas"}).status_code == 404
    assert read_by([]) == frozenset()


def test_check_names_a_dimension_that_no_app_offers(panels) -> None:
    panels.register(
        "p", HomePanel(frozenset(), "errors/body.html", lambda actor: {}, reads=frozenset({"moon"}))
    )

    assert [error.id for error in check_pages(None)] == ["portal.W003"]


def test_home_costs_a_fixed_number_of_queries(
    client: Client, panels, navigation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("energyopti.foundation.scope.SCOPES", Registry("no scopes"))
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get("/")  # the first page of a session reads the preferences
    with CaptureQueriesContext(connection) as queries:
        client.get("/")

    # session, user, roles, permissions, the rest is allauth keeping its record of the session
    assert len(queries) <= 10, [query["sql"][:90] for query in queries]


def test_navigation_has_permitted_entries_in_sections(trader, navigation) -> None:
    sections = navigation_for(Actor.for_user(trader), path="/search/")

    assert [(s.label, [e.label for e in s.entries]) for s in sections] == [
        ("", ["Home"]),
        ("Tools", ["Pages", "Find"]),
    ]
    assert [e.label for s in sections for e in s.entries if e.is_current] == ["Find"]


def test_home_is_the_open_entry_only_on_itself(trader, navigation) -> None:
    def current(path: str) -> list[str]:
        sections = navigation_for(Actor.for_user(trader), path=path)
        return [e.label for s in sections for e in s.entries if e.is_current]

    assert current("/") == ["Home"]
    assert current("/elsewhere/") == []


def test_check_names_routes_and_templates_that_are_missing(navigation, panels) -> None:
    panels.register("p", HomePanel(frozenset(), "no/such.html", lambda actor: {}))

    found = {(error.id, error.msg) for error in check_pages(None)}

    assert found == {
        ("portal.W001", "navigation “ghost”: there is no route “portal:no-such-route”"),
        ("portal.W002", "home panel “p”: no template “no/such.html”"),
    }


def test_every_app_registered_what_can_be_drawn() -> None:
    assert check_pages(None) == []


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    registry: Registry = Registry("search of a test")
    monkeypatch.setattr(SEARCH, registry)
    asked: list[str] = []

    def trades(*, actor, text: str, limit: int) -> list[SearchHit]:
        asked.append(text)
        return [SearchHit(f"Trade {n}", f"/t/{n}/", "Trade") for n in range(30)]

    registry.register("trades", trades)
    return asked


def test_search_finds_pages_first_and_then_what_apps_know(trader, navigation, sources) -> None:
    hits = find(Actor.for_user(trader), text=" tools find ")

    assert hits[0].label == "Find"
    assert hits[1].kind == "Trade"
    assert len(hits) == LIMIT
    assert sources == ["tools find"]


def test_search_for_nothing_lists_pages_and_asks_no_app(trader, navigation, sources) -> None:
    hits = find(Actor.for_user(trader), text="")

    assert [hit.label for hit in hits] == ["Home", "Pages", "Find"]
    assert sources == []


def test_search_answers_json_and_a_page(client: Client, navigation, sources) -> None:
    answer = client.get("/search/", {"q": "find", "format": "json"}).json()
    page = client.get("/search/", {"q": "find"}).content.decode()

    assert answer["hits"][0] == {"label": "Find", "url": "/search/", "kind": "Tools"}
    assert '<a href="/t/0/">Trade 0</a>' in page


def test_search_says_when_nothing_is_found(client: Client, navigation) -> None:
    assert "Nothing found" in client.get("/search/", {"q": "<zzz>"}).content.decode()
