"""The page that gives a member books and sites, and takes them back."""

import pytest
from django.test import Client

from energyopti.accounts.actors import Actor
from energyopti.accounts.models import User
from energyopti.accounts.roles import Role
from energyopti.accounts.services.grants import grant_access
from energyopti.foundation.events.models import Event
from tests.factories.accounts import make_organization, make_site, make_user
from tests.factories.trades import make_book

pytestmark = pytest.mark.django_db


@pytest.fixture
def company():
    return make_organization("Voltara")


@pytest.fixture
def kim(company) -> User:
    return make_user(Role.TRADER, organization=company)


def signed_in(role: Role, organization) -> Client:
    browser = Client()
    browser.force_login(make_user(role, organization=organization))
    return browser


def page_of(user: User) -> str:
    return f"/settings/members/{user.pk}/access/"


def test_admin_gives_a_book_and_withdraws_it_again(company, kim) -> None:
    book = make_book(company)
    browser = signed_in(Role.ADMIN, company)
    entry = {"container": f"book:{book.pk}", "level": "trade"}

    page = browser.post(page_of(kim), entry, follow=True)

    assert "now has “trade” on" in page.text
    assert Actor.for_user(kim).container_ids("book", "trade") == {book.pk}
    assert 'href="#withdraw-1"' in page.text and "Keep as it is" in page.text  # asked first
    assert page.text.count(f'name="container" value="book:{book.pk}"') == 1

    page = browser.post(page_of(kim) + "withdraw/", entry, follow=True)

    assert "no longer has “trade” on" in page.text
    assert Actor.for_user(kim).container_ids("book", "trade") == frozenset()
    events = Event.objects.filter(aggregate_id=str(book.pk), type__startswith="access.")
    assert list(events.order_by("pk").values_list("type", flat=True)) == [
        "access.granted",
        "access.revoked",
    ]


def test_the_page_of_a_member_leads_here(company, kim) -> None:
    browser = signed_in(Role.ADMIN, company)

    assert f'href="{page_of(kim)}"' in browser.get(f"/settings/members/{kim.pk}/").text


def test_reading_the_withdrawal_is_not_withdrawing(company, kim) -> None:
    assert signed_in(Role.ADMIN, company).get(page_of(kim) + "withdraw/").status_code == 405


def test_foreign_book_is_not_offered_and_not_given(company, kim) -> None:
    foreign = make_book(make_organization(), code="FAR")
    browser = signed_in(Role.ADMIN, company)

    assert str(foreign.pk) not in browser.get(page_of(kim)).text
    answer = browser.post(page_of(kim), {"container": f"book:{foreign.pk}", "level": "view"})

    assert answer.status_code == 422
    assert "Book or site" in answer.text
    assert not Event.objects.filter(type="access.granted").exists()


def test_level_that_the_kind_lacks_is_refused_at_its_field(company, kim) -> None:
    site = make_site(company)

    answer = signed_in(Role.ADMIN, company).post(
        page_of(kim), {"container": f"site:{site.pk}", "level": "trade"}
    )

    assert answer.status_code == 422
    assert "A site has view and operate only." in answer.text
    assert not Event.objects.filter(type="access.granted").exists()


def test_withdrawing_what_was_never_given_says_so(company, kim) -> None:
    site = make_site(company)

    page = signed_in(Role.ADMIN, company).post(
        page_of(kim) + "withdraw/", {"container": f"site:{site.pk}", "level": "view"}, follow=True
    )

    assert "has no grant “view”" in page.text
    assert not Event.objects.filter(type="access.revoked").exists()


def test_foreign_member_is_not_found(company) -> None:
    stranger = make_user(Role.TRADER, organization=make_organization())
    browser = signed_in(Role.ADMIN, company)

    assert browser.get(page_of(stranger)).status_code == 404
    assert browser.post(page_of(stranger) + "withdraw/", {}).status_code == 404


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_other_roles_are_refused(company, kim, role) -> None:
    browser = signed_in(role, company)

    assert browser.get(page_of(kim)).status_code == 403
    assert browser.post(page_of(kim), {"level": "view"}).status_code == 403
    assert browser.post(page_of(kim) + "withdraw/", {"level": "view"}).status_code == 403


def test_cost_does_not_grow_with_sites_and_grants(
    company, kim, django_assert_max_num_queries
) -> None:
    admin = make_user(Role.ADMIN, organization=company)
    for number in range(12):
        site = make_site(company, f"Depot {number}")
        grant_access(
            actor=Actor.for_user(admin), user=kim, kind="site", container_id=site.pk, level="view"
        )
    browser = Client()
    browser.force_login(admin)

    with django_assert_max_num_queries(30):
        assert browser.get(page_of(kim)).text.count("Withdraw …") == 12
