"""The scope bar: the URL decides, the session remembers, the unknown is refused."""

from datetime import date
from types import SimpleNamespace

import pytest
from django.test import RequestFactory

from energyopti.foundation.pages import SCOPES, ScopeDimension, ScopeOption
from energyopti.foundation.registry import Registry
from energyopti.foundation.scope import DayUnreadable, ScopeUnknown, scope_of

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


def read(made, *reads: str, **options):
    reads = reads or ("book", "site", "date")
    return scope_of(made, actor=ACTOR, today=TODAY, reads=reads, **options)


def test_nothing_chosen_is_all_books_today(dimensions) -> None:
    made = request()

    scope = read(made)

    assert scope.value("book") is None
    assert scope.is_today
    assert made.session == {}


def test_choice_is_remembered_on_the_next_page(dimensions) -> None:
    session: dict = {}
    read(request("book=G1&date=2027-02-01", session))

    scope = read(request("", session))

    assert scope.value("book") == "G1"
    assert scope.date == date(2027, 2, 1)
    assert not scope.is_today


def test_empty_parameter_returns_to_all(dimensions) -> None:
    session = {"scope": {"book": "G1", "date": "2027-02-01"}}

    scope = read(request("book=&date=2027-03-28", session))

    assert scope.value("book") is None
    assert session["scope"] == {}


def test_remembered_book_that_is_gone_falls_back_to_all(dimensions) -> None:
    session = {"scope": {"book": "OLD"}}

    assert read(request("", session)).value("book") is None


def test_unknown_book_in_the_url_is_refused_by_name(dimensions) -> None:
    with pytest.raises(ScopeUnknown, match="book"):
        read(request("book=X"))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("28.3.2027", "write it like"),
        ("2027-02-30", "write it like"),
        ("9999-12-31", "from 1990-01-02 to"),
    ],
)
def test_unreadable_day_in_the_url_is_refused_with_its_rule(dimensions, text, rule) -> None:
    with pytest.raises(DayUnreadable, match=f"date: .*{rule}"):
        read(request(f"date={text}"))


def test_a_page_offers_what_it_declares_and_cannot_read_more(dimensions) -> None:
    made = request("book=G1&date=2027-02-01")

    scope = read(made, "date")

    assert (scope.choices, scope.offers_date) == ((), True)
    assert scope.unread == ("Book",)
    assert made.page_scope is scope
    with pytest.raises(LookupError, match="book"):
        scope.value("book")
    with pytest.raises(LookupError, match="date"):
        _ = read(request("", {}), "book").date


def test_what_a_page_does_not_read_is_kept_for_the_next(dimensions) -> None:
    session = {"scope": {"book": "G1", "date": "2027-02-01"}}

    read(request("date=2027-02-02", session), "date")
    read(request("", session), "site")

    assert session["scope"] == {"book": "G1", "date": "2027-02-02"}


def test_a_page_of_one_book_shows_the_first_and_chooses_it_for_no_other_page(dimensions) -> None:
    session: dict = {}

    scope = read(request("", session), "book", one_of={"book"})

    assert scope.value("book") == "P1"
    assert not scope.choices[0].has_all
    assert session == {}
    assert read(request("", session)).value("book") is None


def test_what_is_chosen_is_written_in_words_and_as_parameters(dimensions) -> None:
    scope = read(request("book=G1&date=2027-02-01"))

    assert scope.in_words == {"Book": "Gas", "Day": "2027-02-01"}
    assert scope.parameters == {"book": "G1", "date": "2027-02-01"}
    assert (read(request()).in_words, read(request()).parameters) == ({}, {})


def test_dimension_without_permission_is_not_offered(dimensions) -> None:
    scope = read(request("site=1"))

    assert [choice.parameter for choice in scope.choices] == ["book"]


def test_the_real_registry_is_the_one_that_apps_fill() -> None:
    assert SCOPES.subject == "scope bar"
