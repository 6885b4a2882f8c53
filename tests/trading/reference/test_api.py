"""Reference data over REST: pages, filters, one row each, and posts that may be repeated."""

import pytest
from django.test import Client

from energyopti.accounts.models import Membership, Organization
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from tests.factories.accounts import make_organization, make_user
from tests.factories.trades import make_book, make_counterparty
from trading.models import Agreement, Counterparty, Market

pytestmark = pytest.mark.django_db
ROOT = "/api/v1/trading"
ACME = {"code": "NEWCO", "name": "New Company AG", "lei": "529900T8BM49AURSDO55", "country": "DE"}


@pytest.fixture
def organization(european_desk):
    return Organization.objects.get(pk=european_desk.pk)


@pytest.fixture
def officer(organization):
    return make_user(Role.RISK_OFFICER, organization=organization)


@pytest.fixture
def client(officer):
    return signed_in(officer)


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def post(client, body, **headers):
    return client.post(
        f"{ROOT}/counterparties", body, content_type="application/json", headers=headers
    )


KINDS = ("counterparties", "agreements", "delivery-points", "indices", "books", "shapes")


@pytest.mark.parametrize("kind", KINDS)
def test_lists_come_in_pages_that_lose_nothing(client, kind, django_assert_max_num_queries):
    whole = client.get(f"{ROOT}/{kind}", {"page_size": 500}).json()["results"]
    assert len(whole) > 1

    found, url = [], f"{ROOT}/{kind}?page_size=2"
    while url:
        with django_assert_max_num_queries(18):
            answer = client.get(url).json()
        found += answer["results"]
        url = answer["next"]

    assert found == whole


@pytest.mark.parametrize("kind", KINDS)
def test_who_has_no_role_for_it_is_refused(organization, kind):
    operator = signed_in(make_user(Role.DEVICE_OPERATOR, organization=organization))

    answer = operator.get(f"{ROOT}/{kind}")

    assert (answer.status_code, answer.json()["code"]) == (403, "permission_missing")


def test_filters_narrow_and_unknown_ones_are_refused(client):
    for kind, query in (
        ("delivery-points", {"commodity": "POWER"}), ("delivery-points", {"country": "de"}),
        ("shapes", {"calendar": "EEX", "shape": "PEAK"}), ("agreements", {"kind": "EFET"}),
        ("counterparties", {"status": "ACTIVE"}),
    ):  # fmt: skip
        narrow = client.get(f"{ROOT}/{kind}", query).json()["results"]
        whole = client.get(f"{ROOT}/{kind}", {"page_size": 500}).json()["results"]
        assert 0 < len(narrow) <= len(whole), kind
    wrong = client.get(f"{ROOT}/delivery-points", {"colour": "red"})
    assert (wrong.status_code, wrong.json()["errors"][0]["parameter"]) == (400, "colour")


def test_an_agreement_carries_what_stands_under_it(client):
    row = Agreement.objects.filter(netting_sets__annexes__isnull=False).first()

    shown = client.get(f"{ROOT}/agreements/{row.pk}").json()

    annex = shown["netting_sets"][0]["annexes"][0]
    assert shown["counterparty"] == row.counterparty.code
    assert isinstance(annex["minimum_transfer"], str)
    assert {"kind", "currency", "haircut"} <= set(annex["collateral"][0])


def test_hours_of_a_delivery_point_are_exact(client):
    market = Market.objects.filter(shape_calendar__code="EEX", time_zone="Europe/Berlin").first()
    url = f"{ROOT}/delivery-points/{market.code}/hours"

    rows = {row["shape"]: row for row in client.get(url, {"year": 2027}).json()}

    assert rows["BASE"]["months"][2::7] == ["743", "745"]
    assert (rows["BASE"]["year"], rows["PEAK"]["year"]) == ("8760", "3132")
    assert client.get(url).status_code == 400
    assert client.get(url, {"year": 1999}).status_code == 400
    assert client.get(f"{ROOT}/delivery-points/NO/hours", {"year": 2027}).status_code == 404


def test_delivery_points_say_when_their_days_start(client):
    gas = Market.objects.filter(day_start__gt=Market().day_start).first()

    shown = client.get(f"{ROOT}/delivery-points/{gas.code}").json()

    assert shown["day_start_minutes"] == gas.day_start.total_seconds() / 60 > 0


def test_a_counterparty_is_added_once_whatever_is_repeated(client, organization):
    first = post(client, ACME)
    again = post(client, {**ACME, "lei": ACME["lei"].lower()})
    keyed = [post(client, ACME, **{"Idempotency-Key": "k-1"}) for _ in range(2)]

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() == keyed[0].json() == keyed[1].json()
    assert keyed[1]["Idempotent-Replayed"] == "true"
    row = Counterparty.objects.get(code=ACME["code"])
    assert row.organization == organization
    assert first["Location"].endswith(f"{ROOT}/counterparties/{row.pk}")
    assert client.get(first["Location"]).json() == first.json()
    assert Event.objects.filter(type="counterparty.added", aggregate_id=row.pk).count() == 1


def test_another_company_under_the_code_is_a_conflict(client):
    post(client, ACME)

    answer = post(client, {**ACME, "name": "Other AG"})

    assert (answer.status_code, answer.json()["code"]) == (409, "code_taken")
    assert answer.json()["errors"][0]["pointer"] == "/code"
    assert Counterparty.objects.get(code=ACME["code"]).name == ACME["name"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"lei": "529900T8BM49AURSDO54"}, "/lei"),
        ({"country": "ZZ"}, "/country"),
        ({"code": "two words"}, ""),
        ({"status": "LOST"}, "/status"),
        ({"rating": "AAA"}, "/rating"),
        ({"name": "=HYPERLINK(1)"}, "/name"),
        ({"name": ""}, "/name"),
    ],
)
def test_what_breaks_a_rule_is_named_and_not_kept(client, change, pointer):
    before = Counterparty.objects.count()

    answer = post(client, {**ACME, **change})

    assert answer.status_code == 400
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert Counterparty.objects.count() == before


def test_a_trader_reads_companies_and_adds_none(organization):
    trader = signed_in(make_user(Role.TRADER, organization=organization))

    assert trader.get(f"{ROOT}/counterparties").json()["results"]
    assert post(trader, ACME).status_code == 403


def test_foreign_rows_are_not_there(client):
    theirs = make_organization()
    company, book = make_counterparty(theirs, "THEIRS"), make_book(theirs, "THEIRS")

    assert client.get(f"{ROOT}/counterparties/{company.pk}").status_code == 404
    assert client.get(f"{ROOT}/books/{book.pk}").status_code == 404
    for kind in ("counterparties", "books"):
        answer = client.get(f"{ROOT}/{kind}", {"page_size": 500})
        assert "THEIRS" not in answer.content.decode()
    assert post(client, {**ACME, "organization": str(theirs.pk)}).status_code == 404


def test_who_belongs_to_two_says_for_which(client, officer):
    other = make_organization()
    Membership.objects.create(user=officer, organization=other)

    needed = post(client, ACME)
    assert (needed.status_code, needed.json()["code"]) == (400, "organization_needed")
    assert post(client, {**ACME, "organization": str(other.pk)}).status_code == 201
