"""The scope bar: the URL decides, the session remembers, the unknown is refused."""

from datetime import date
from types import SimpleNamespace

import pytest
from django.test import RequestFactory

from energyopti.foundation.pages import SCOPES, ScopeDimension, ScopeOption
from energyopti.foundation.registry import Registry
from energyopti.foundation.scope import ScopeUnknown, scope_of

TODAY = date(2027, 3, 28)
ACTOR = SimpleNamespace(may=lambda permission: permission == "x.open")


@pytest.fixture
def dimensions(monkeypatch: pytest.MonkeyPatch) -> Registry[ScopeDimension]:
    registry: Registry[ScopeDimension] = Registry("scope of a test")
    monkeypatch.setattr("energyopti.foundation.scope.SCOPES", registry)
    books = [ScopeOption("P1", "Power"), ScopeOption("G1", "Gas")]
    registry.register("book", ScopeDimension("Book", "All books", lambda actor: books))
    registry.register(
        "site", ScopeDimension("Site", "All sites", lambda actor: [], permission="x.hidden")
    )
    return registry


def request(query: str = "", session: dict | None = None):
    made = RequestFactory().get(f"/?{query}")
    made.session = {} if session is None else session
    return made


def test_nothing_chosen_is_all_books_today(dimensions) -> None:
    made = request()

    scope = scope_of(made, actor=ACTOR, today=TODAY)

    assert scope.value("book") is None
    assert scope.is_today
    assert made.session == {}


def test_choice_is_remembered_on_the_next_page(dimensions) -> None:
    session: dict = {}
    scope_of(request("book=G1&date=2027-02-01", session), actor=ACTOR, today=TODAY)

    scope = scope_of(request("", session), actor=ACTOR, today=TODAY)

    assert scope.value("book") == "G1"
    assert scope.date == date(2027, 2, 1)
    assert not scope.is_today


def test_empty_parameter_returns_to_all(dimensions) -> None:
    session = {"scope": {"book": "G1", "date": "2027-02-01"}}

    scope = scope_of(request("book=&date=2027-03-28", session), actor=ACTOR, today=TODAY)

    assert scope.value("book") is None
    assert session["scope"] == {}


def test_remembered_book_that_is_gone_falls_back_to_all(dimensions) -> None:
    session = {"scope": {"book": "OLD"}}

    assert scope_of(request("", session), actor=ACTOR, today=TODAY).value("book") is None


@pytest.mark.parametrize("query", ["book=X", "date=28.3.2027", "date=2027-02-30"])
def test_unknown_choice_in_the_url_is_refused_by_name(dimensions, query: str) -> None:
    with pytest.raises(ScopeUnknown, match=query.split("=")[0]):
        scope_of(request(query), actor=ACTOR, today=TODAY)


def test_dimension_without_permission_is_not_offered(dimensions) -> None:
    scope = scope_of(request("site=1"), actor=ACTOR, today=TODAY)

    assert [choice.parameter for choice in scope.choices] == ["book"]


def test_the_real_registry_is_the_one_that_apps_fill() -> None:
    assert SCOPES.subject == "scope bar"
