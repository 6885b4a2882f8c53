"""Pages of reference data: who may open and change what, what they show, and how many queries."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from energyopti.accounts.models import Organization
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from tests.factories.accounts import make_organization, make_user
from tests.factories.trades import make_book, make_counterparty, make_power
from trading.models import (
    Agreement,
    ApprovedProduct,
    Book,
    Counterparty,
    FxRate,
    HolidayCalendarVersion,
    Market,
    PriceIndex,
)

pytestmark = pytest.mark.django_db
LEI = "529900T8BM49AURSDO55"


class People:
    """An organization with the European desk of the documentation, and people of each sort."""

    def __init__(self, organization: Organization) -> None:
        self.organization = organization
        self.officer_user = make_user(Role.RISK_OFFICER, organization=organization)
        self.officer = signed_in(self.officer_user)

    def somebody(self, *roles: Role) -> Client:
        return signed_in(make_user(*roles, organization=self.organization))


def signed_in(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def people(european_desk: Organization) -> People:
    return People(Organization.objects.get(pk=european_desk.pk))


def page(client: Client, name: str, *args, **query) -> str:
    answer = client.get(reverse(f"trading:{name}", args=args), query)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


LISTS = {
    "counterparties": "counterparties.csv",
    "agreements": "agreements.csv",
    "commodities": "commodities.csv",
    "delivery_points": "markets.csv",
    "indices": "indices.csv",
    "shapes": "shapes.csv",
    "holiday_lists": "holidays.csv",
    "fx_rates": "fx_rates.csv",
}


@pytest.mark.parametrize("name", LISTS)
def test_every_list_shows_its_rows_in_a_fixed_number_of_queries(
    people, name, django_assert_max_num_queries
):
    url = reverse(f"trading:{name}")
    people.officer.get(url)  # what a process looks up once

    with django_assert_max_num_queries(18):
        answer = people.officer.get(url)

    assert answer.status_code == 200
    assert answer.context["total"] > 0
    assert people.officer.get(url, {"export": "csv"}).status_code == 200


@pytest.mark.parametrize("name", [*LISTS, "books", "reference"])
def test_a_device_operator_sees_none_of_it(people, name):
    client = people.somebody(Role.DEVICE_OPERATOR)

    assert client.get(reverse(f"trading:{name}")).status_code == 403
    assert reverse(f"trading:{name}") not in client.get("/").content.decode()


def test_a_trader_reads_and_does_not_write(people):
    trader = people.somebody(Role.TRADER)
    company = Counterparty.objects.filter(organization=people.organization).first()
    market = Market.objects.first()

    assert "New counterparty" not in page(trader, "counterparties")
    shown = page(trader, "counterparty", company.pk)
    assert "Change" not in shown and company.name in shown
    for name, args in (
        ("counterparty_new", []), ("counterparty_edit", [company.pk]),
        ("agreement_new", [company.pk]), ("delivery_point_edit", [market.code]),
        ("commodity_new", []), ("index_new", []), ("fx_rate_new", []), ("book_new", []),
    ):  # fmt: skip
        for method in (trader.get, trader.post):
            assert method(reverse(f"trading:{name}", args=args)).status_code == 403, name
    assert (
        "Import"
        not in page(trader, "reference").split("<main")[1].split("Export")[0].split("</h1>")[1]
    )
    assert trader.post(reverse("trading:reference")).status_code == 403


def test_a_partner_sees_no_agreements_on_a_counterparty(people):
    agreement = Agreement.objects.select_related("counterparty").first()
    partner = people.somebody(Role.PARTNER)

    assert agreement.reference not in page(partner, "counterparty", agreement.counterparty_id)
    assert partner.get(reverse("trading:agreements")).status_code == 403


def test_a_wrong_lei_stands_beside_its_field_and_a_right_one_is_added(people):
    entry = {"code": "NEWCO", "name": "New Co", "lei": LEI[:-1] + "4", "status": "ACTIVE"}
    url = reverse("trading:counterparty_new")

    refused = people.officer.post(url, entry)
    assert refused.status_code == 422
    assert 'id="id_lei_error"' in refused.content.decode()
    assert not Counterparty.objects.filter(code="NEWCO").exists()

    added = people.officer.post(url, {**entry, "lei": ""})
    row = Counterparty.objects.get(code="NEWCO")
    assert (added.status_code, added.url) == (302, reverse("trading:counterparty", args=[row.pk]))
    assert row.organization == people.organization
    assert Event.objects.filter(type="counterparty.added", aggregate_id=str(row.pk)).exists()


def test_a_code_stays_and_a_closed_company_is_said_to_be(people):
    row = make_counterparty(people.organization, "OLDCO")
    url = reverse("trading:counterparty_edit", args=[row.pk])

    people.officer.post(url, {"code": "OTHER", "name": "Old Company", "status": "CLOSED"})

    row.refresh_from_db()
    assert (row.code, row.name, row.status, row.is_active) == (
        "OLDCO", "Old Company", "CLOSED", False,
    )  # fmt: skip
    assert "Closed" in page(people.officer, "counterparty", row.pk)


def test_agreement_netting_set_and_annex_are_added_and_changed_on_pages(people):
    row = make_counterparty(people.organization, "ISDACO")
    post = people.officer.post

    agreement = {
        "reference": "ISDA-7", "kind": "ISDA", "signed_date": "2026-01-02",
        "effective_date": "2026-02-01", "governing_law": "English law",
    }  # fmt: skip
    assert post(reverse("trading:agreement_new", args=[row.pk]), agreement).status_code == 302
    isda = row.agreements.get()
    too_early = {**agreement, "ended_date": "2026-01-31"}
    url = reverse("trading:agreement_edit", args=[isda.pk])
    refused = post(url, too_early)
    assert (refused.status_code, "id_ended_date_error" in refused.content.decode()) == (422, True)

    url = reverse("trading:netting_set_new", args=[isda.pk])
    assert post(url, {"code": "ALL", "name": "All", "commodities": ["POWER"]}).status_code == 302
    netting = isda.netting_sets.get()
    annex = {
        "valid_from": "2026-02-01", "currency": "EUR", "threshold_ours": "1000000",
        "minimum_transfer": "50000", "rounding": "10000", "independent_amount": "0",
        "collateral": "CASH EUR 0;GOVERNMENT_BOND EUR 0.02",
    }  # fmt: skip
    url = reverse("trading:annex_new", args=[netting.pk])
    wrong = post(url, {**annex, "collateral": "CASH EUR"})
    assert "is not kind, currency and haircut" in wrong.content.decode()
    assert post(url, annex).status_code == 302
    overlapping = post(url, {**annex, "valid_from": "2026-03-01"})
    assert overlapping.status_code == 422

    shown = page(people.officer, "counterparty", row.pk)
    assert "1,000,000.00" in shown and "no limit" in shown and "Government bond EUR less 2" in shown
    url = reverse("trading:annex_edit", args=[netting.annexes.get().pk])
    assert 'value="CASH EUR 0;GOVERNMENT_BOND EUR 0.02"' in people.officer.get(url).content.decode()
    assert post(url, {**annex, "collateral": "CASH EUR 0"}).status_code == 302
    assert netting.annexes.get().collateral.count() == 1


def test_a_counterparty_is_read_in_a_fixed_number_of_queries(people, django_assert_max_num_queries):
    row = Agreement.objects.values_list("counterparty_id", flat=True).first()
    url = reverse("trading:counterparty", args=[row])
    people.officer.get(url)

    with django_assert_max_num_queries(18):
        people.officer.get(url)


def test_books_are_a_tree_of_what_the_reader_reaches(people):
    root = make_book(people.organization, "ROOT")
    child = make_book(people.organization, "CHILD", parent=root)
    make_book(people.organization, "GRANDCHILD", parent=child)
    trader = make_user(Role.TRADER, organization=people.organization)
    assign_perm("trading.view_book", trader, child)
    foreign = make_book(make_organization(), "FOREIGN")

    seen = page(signed_in(trader), "books")
    assert "CHILD" in seen and "GRANDCHILD" in seen
    assert ">ROOT<" not in seen and "FOREIGN" not in seen
    whole = page(people.officer, "books")
    assert whole.index(">ROOT<") < whole.index(">CHILD<") < whole.index(">GRANDCHILD<")
    assert signed_in(trader).get(reverse("trading:book", args=[root.pk])).status_code == 404
    assert people.officer.get(reverse("trading:book", args=[foreign.pk])).status_code == 404


def test_a_book_shows_whose_list_it_follows_and_who_may_enter(people):
    root = make_book(people.organization, "ROOT")
    child = make_book(people.organization, "CHILD", parent=root)
    trader = make_user(Role.TRADER, organization=people.organization)
    assign_perm("trading.view_book", trader, root)
    url = reverse("trading:product_new", args=[root.pk])

    assert "may deal in every product" in page(people.officer, "book", child.pk)
    line = {"commodity": "POWER", "product_kind": "FUTURE", "maximum_tenor_months": "36"}
    assert people.officer.post(url, line).status_code == 302
    assert people.officer.post(url, line).status_code == 422  # the list has such a line

    shown = page(people.officer, "book", child.pk)
    assert "follows that of ROOT" in shown and "36 months" in shown and "Future" in shown
    assert trader.email in shown and "ROOT</td>" in shown
    access = reverse("accounts:member-access", args=[trader.pk])
    assert access not in shown
    assert access in page(people.somebody(Role.ADMIN), "book", child.pk)
    assert 'id="grants"' not in page(signed_in(trader), "book", child.pk)

    product = ApprovedProduct.objects.get(book=root)
    assert "id_maximum_tenor_months" in page(people.officer, "product_edit", product.pk)
    people.officer.post(reverse("trading:product_withdraw", args=[product.pk]))
    assert not ApprovedProduct.objects.filter(book=root).exists()
    assert "may deal in every product" in page(people.officer, "book", child.pk)


def test_a_book_is_opened_and_refuses_another_currency_than_its_parent(people):
    make_book(people.organization, "ROOT")
    entry = {"code": "SUB", "name": "Sub", "parent": "ROOT", "reporting_currency": "USD",
             "owner": people.officer_user.email, "is_active": "on"}  # fmt: skip
    url = reverse("trading:book_new")

    assert people.officer.post(url, entry).status_code == 422
    assert people.officer.post(url, {**entry, "reporting_currency": "EUR"}).status_code == 302
    row = Book.objects.get(code="SUB")
    assert (row.parent.code, row.owner) == ("ROOT", people.officer_user)
    nobody = people.officer.post(url, {**entry, "code": "S2", "owner": "no@one.example"})
    assert "id_owner_error" in nobody.content.decode()


def test_the_books_take_a_fixed_number_of_queries(people, django_assert_max_num_queries):
    top = make_book(people.organization, "TOP")
    for number in range(12):
        make_book(people.organization, f"B{number}", parent=top)
    url = reverse("trading:books")
    people.officer.get(url)

    with django_assert_max_num_queries(18):
        people.officer.get(url)


def test_hours_of_shapes_are_exact_over_clock_changes(people):
    market = Market.objects.filter(shape_calendar__code="EEX", time_zone="Europe/Berlin").first()

    answer = people.officer.get(
        reverse("trading:shape_calendar", args=["EEX"]), {"market": market.code, "year": "2027"}
    )

    hours = {row.code: row for row in answer.context["hours"]}
    assert (hours["BASE"].months[2], hours["BASE"].months[9]) == (743, 745)
    assert (hours["BASE"].year, hours["PEAK"].year) == (8760, 3132)
    assert "743" in answer.content.decode() and "3,132" in answer.content.decode()


def test_a_year_that_is_none_and_a_market_of_another_calendar_are_refused(people):
    url = reverse("trading:shape_calendar", args=["EEX"])

    for year in ("1999", "2100", "x", "٢٠٢٧", "-1"):
        assert people.officer.get(url, {"year": year}).status_code == 400
    assert people.officer.get(url, {"market": "NOWHERE"}).status_code == 404
    assert people.officer.get(reverse("trading:shape_calendar", args=["NO"])).status_code == 404


def test_a_version_of_a_shape_is_published_and_the_hours_follow_from_its_date(people):
    entry = {
        "shape": "NIGHT", "version": "1", "name": "Night", "valid_from": "2027-07-01",
        "weekdays": "1234567", "from_minute": "00:00", "to_minute": "06:00",
        "holiday_rule": "IGNORE",
    }  # fmt: skip
    url = reverse("trading:shape_new", args=["EEX"])

    late = people.officer.post(url, {**entry, "to_minute": "25:00"})
    assert "id_to_minute_error" in late.content.decode()
    assert people.officer.post(url, entry).status_code == 302
    again = people.officer.post(url, entry)
    assert "publish version 2" in again.content.decode()
    second = {**entry, "version": "2", "valid_from": "2027-07-16", "to_minute": "05:00"}
    assert people.officer.post(url, second).status_code == 302

    market = Market.objects.filter(shape_calendar__code="EEX", time_zone="Europe/Berlin").first()
    answer = people.officer.get(
        reverse("trading:shape_calendar", args=["EEX"]), {"market": market.code, "year": "2027"}
    )
    (night,) = [row for row in answer.context["hours"] if row.code == "NIGHT"]
    assert night.versions == (1, 2)
    assert night.months[5] == 0
    assert night.months[6] == 15 * 6 + 16 * 5
    assert night.months[9] == 31 * 5 + 1  # the hour from 2 to 3 comes twice


def test_holidays_show_their_dates_and_former_versions(people):
    from trading.models import HolidayCalendarVersion

    row = HolidayCalendarVersion.objects.select_related("calendar").first()
    shown = page(people.officer, "holidays", row.calendar.code)

    assert row.source in shown
    url = reverse("trading:holidays", args=[row.calendar.code])
    assert people.officer.get(url, {"version": "77"}).status_code == 404


def test_a_delivery_point_is_added_with_its_rules_beside_the_fields(people):
    entry = {
        "code": "AT", "name": "Austria", "commodity": "POWER", "kind": "BIDDING_ZONE",
        "country": "AT", "eic": "10YAT-APG------L", "time_zone": "Europe/Vienna",
        "day_start": "00:00", "currency": "EUR", "price_unit": "MWh", "shape_calendar": "EEX",
        "period_minutes": "15", "gate_closure": "12:00", "publication_minutes": "57",
    }  # fmt: skip
    url = reverse("trading:delivery_point_new")
    for field, value in (
        ("eic", "10YAT-APG------X"), ("day_start", "24:00"), ("price_unit", "bbl"),
        ("day_start", "06:00"), ("time_zone", "Europe/Nowhere"),
    ):  # fmt: skip
        refused = people.officer.post(url, {**entry, field: value})
        assert refused.status_code == 422, field
        assert f'id="id_{field}_error"' in refused.content.decode(), field
    assert people.officer.post(url, entry).status_code == 302
    assert Market.objects.get(code="AT").period_minutes == 15
    shown = page(people.officer, "delivery_point", "AT")
    assert "Europe/Vienna" in shown and "EEX" in shown


def test_a_customers_officer_changes_nothing_that_all_share(people):
    customer = make_organization()
    customer.parent = people.organization
    customer.save()
    officer = signed_in(make_user(Role.RISK_OFFICER, organization=customer))
    index = PriceIndex.objects.first()
    entry = {
        "code": "X", "name": "X", "kind": "POWER", "delivery": "FLOW", "quantity_unit": "MW",
    }  # fmt: skip

    assert index.code in page(officer, "index", index.code)
    assert officer.post(reverse("trading:commodity_new"), entry).status_code == 403


def test_a_rate_that_differs_is_a_correction(people):
    entry = {"base": "EUR", "quote": "CHF", "rate": "0.9312", "valid_from": "2026-11-20T15:00",
             "source": "ECB"}  # fmt: skip
    url = reverse("trading:fx_rate_new")

    assert people.officer.post(url, entry).status_code == 302
    assert people.officer.post(url, {**entry, "rate": "0.9315"}).status_code == 302
    assert people.officer.post(url, {**entry, "quote": "EUR"}).status_code == 422

    shown = page(people.officer, "fx_rates", quote="CHF")
    assert "0.931500" in shown and "0.931200" not in shown


def test_a_person_of_two_organizations_says_for_which_a_company_is(people):
    other = make_organization("Zweite")
    from energyopti.accounts.models import Membership

    Membership.objects.create(user=people.officer_user, organization=other)
    url = reverse("trading:counterparty_new")
    entry = {"code": "TWO", "name": "Two", "status": "ACTIVE"}

    assert 'name="organization"' in people.officer.get(url).content.decode()
    assert people.officer.post(url, entry).status_code == 422
    foreign = {**entry, "organization": str(make_organization().pk)}
    assert people.officer.post(url, foreign).status_code == 422
    people.officer.post(url, {**entry, "organization": str(other.pk)})
    assert Counterparty.objects.get(code="TWO").organization == other


def test_power_without_a_shape_calendar_has_no_hours_to_show(people):
    make_power()
    shown = page(people.officer, "shape_calendar", "GB-EFA")

    assert "Versions" in shown


def test_rates_are_shown_as_they_were_known_at_a_past_moment(people) -> None:
    entry = {"base": "EUR", "quote": "CHF", "rate": "0.9312", "valid_from": "2026-11-20T15:00",
             "source": "ECB"}  # fmt: skip
    url = reverse("trading:fx_rate_new")
    people.officer.post(url, entry)
    first = FxRate.objects.get(quote="CHF").recorded_at
    people.officer.post(url, {**entry, "rate": "0.9315"})
    between = (first + timedelta(milliseconds=1)).astimezone(ZoneInfo("Europe/Berlin"))

    then = page(people.officer, "fx_rates", quote="CHF", as_of=between.isoformat())
    before = page(
        people.officer, "fx_rates", quote="CHF", as_of=(first - timedelta(hours=1)).isoformat()
    )

    assert "0.931200" in then and "0.931500" not in then
    assert "0.931200" not in before


def test_a_year_of_holidays_is_shown_beside_what_holds_and_published_with_a_reason(people) -> None:
    held = HolidayCalendarVersion.objects.order_by("version").last()
    code, year = held.calendar.code, held.covers_after.year
    address = reverse("trading:holidays_publish", args=[code])
    entry = {"year": year, "source": "the law", "reason": "next year is announced",
             "dates": f"{year}-01-01, New Year\n{year}-12-25, Christmas"}  # fmt: skip
    assert people.somebody(Role.TRADER).get(address).status_code == 403

    shown = people.officer.post(address, entry)
    assert [row[1:] for row in shown.context["shown"]["rows"]] == [
        ("added", "–", "New Year"), ("added", "–", "Christmas"),
    ]  # fmt: skip
    assert HolidayCalendarVersion.objects.filter(calendar=held.calendar).count() == held.version
    confirmed = {**entry, "previewed": shown.context["shown"]["fingerprint"]}
    changed = people.officer.post(address, {**confirmed, "dates": f"{year}-05-01, May Day"})
    assert changed.status_code == 200  # it is previewed anew
    assert people.officer.post(address, confirmed).status_code == 302

    new = HolidayCalendarVersion.objects.get(calendar=held.calendar, version=held.version + 1)
    assert new.holidays.count() == held.holidays.count() + 2
    assert new.covers_after.year == year + 1
    assert Event.objects.latest("id").payload["reason"] == "next year is announced"
    again = people.officer.post(address, {**entry, "dates": f"{year}-01-01, New Year"})
    assert [row[1] for row in again.context["shown"]["rows"]] == ["gone"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dates": "2099-01-01 New Year"}, "line 1: write a date, a comma and a name"),
        ({"dates": "2098-01-01, X"}, "line 1: 2098-01-01 is not in"),
        ({"dates": "soon, X"}, "is no date like"),
        ({"dates": "2099-01-01, X\n2099-01-01, Y"}, "line 2: 2099-01-01 is there twice"),
        ({"dates": "2099-01-01, X"}, "publish the years between first"),
        ({"reason": ""}, "required"),
    ],
)
def test_a_year_that_cannot_be_published_is_refused_by_line(people, changes, words) -> None:
    code = HolidayCalendarVersion.objects.first().calendar.code
    entry = {"year": 2099, "source": "the law", "reason": "why", "dates": "", **changes}
    answer = people.officer.post(reverse("trading:holidays_publish", args=[code]), entry)
    assert answer.status_code == 422
    assert words in answer.content.decode()
