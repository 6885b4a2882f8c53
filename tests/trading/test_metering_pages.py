"""A trade's page and REST show metered beside expected volume, and true it up."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from energyopti.accounts.roles import Role
from energyopti.foundation import clock
from energyopti.foundation.calendars import DatePeriod
from tests.factories.accounts import make_user
from tests.factories.plants import feed_in, make_plant, output_deal
from tests.factories.trades import deal_of_words, make_desk
from trading.models import Plant, TradeVersion

pytestmark = pytest.mark.django_db
MARCH = DatePeriod.months(2027, 3)
START = datetime(2027, 2, 28, 23, tzinfo=UTC)
BEFORE = datetime(2027, 2, 20, 12, tzinfo=UTC)
API = "/api/v1/trading/trades"


@pytest.fixture
def desk(monkeypatch):
    desk = make_desk()
    make_plant(desk.market)
    monkeypatch.setattr(clock, "now", lambda: START + timedelta(days=3))
    return desk


@pytest.fixture
def receipt(desk):
    return desk.deal(deal=output_deal(MARCH), traded_at=BEFORE, received_at=BEFORE)


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def page_of(client, receipt):
    return client.get(reverse("trading:trade", args=[receipt.ref]))


def post(client, receipt, version):
    return client.post(
        reverse("trading:trade_verb", args=[receipt.ref, "meter"]),
        {"expected_version": version, "reason": ""}, follow=True,
    )  # fmt: skip


def test_the_button_trues_up_and_the_page_shows_both_volumes(desk, receipt):
    client = client_of(desk.trader.user)
    feed_in(desk.organization.pk, desk.market, START, ["30.5"] * 24)
    assert "Metered and expected volume" not in page_of(client, receipt).content.decode()

    done = post(client, receipt, 1).content.decode()
    again = post(client, receipt, 2).content.decode()

    assert f"{receipt.ref} counts as it was metered." in done
    for words in ("Metered and expected volume", "24 of 743", "366.000", "+126.000", "Metered"):
        assert words in done, words
    # Cash is of the volume that is held: (743 × 10 + 126) × 52.25.
    assert "−394,801.00 EUR" in done
    assert f"{receipt.ref} has nothing newly metered." in again
    assert TradeVersion.objects.filter(trade_id=receipt.trade_id).count() == 2


def test_a_refusal_says_what_is_missing(desk, receipt):
    Plant.objects.update(metering_asset_id="")

    answer = post(client_of(desk.trader.user), receipt, 1)

    assert answer.status_code == 422
    assert "metering_point: the plant WIND-1 has none." in answer.content.decode()


def test_what_was_read_and_cannot_be_read_any_more_is_said(desk, receipt):
    client = client_of(desk.trader.user)
    feed_in(desk.organization.pk, desk.market, START, [30] * 24, meter="m-2", kind="LOAD")
    feed_in(desk.organization.pk, desk.market, START, [30] * 24)
    post(client, receipt, 1)
    Plant.objects.update(metering_asset_id="m-2")

    page = page_of(client, receipt).content.decode()
    told = client.get(f"{API}/{receipt.ref}").json()

    assert "What was metered cannot be shown." in page and "m-2 reads LOAD" in page
    assert told["metered"] is None


def test_the_button_is_for_deals_on_plants_and_for_who_may_amend(desk, receipt):
    forward = desk.deal(
        deal=deal_of_words("B 10MW DE base Cal30 @ 85.20"), traded_at=BEFORE, received_at=BEFORE
    )
    trader, officer = client_of(desk.trader.user), client_of(desk.officer.user)
    stranger = client_of(make_user(Role.TRADER, organization=make_desk("Other").organization))

    assert "do-meter" in page_of(trader, receipt).content.decode()
    assert "do-meter" not in page_of(trader, forward).content.decode()
    assert post(officer, receipt, 1).status_code == 403
    assert post(stranger, receipt, 1).status_code == 404


def test_the_page_reads_meters_in_a_fixed_number_of_queries(
    desk, receipt, django_assert_max_num_queries
):
    client = client_of(desk.trader.user)
    for number in range(1, 4):
        feed_in(desk.organization.pk, desk.market, START, [30 + number] * 24)
        post(client, receipt, number)
    page_of(client, receipt)

    with django_assert_max_num_queries(44):
        page = page_of(client, receipt).content.decode()

    assert "24 of 743" in page


def test_rest_trues_up_the_version_that_was_read(desk, receipt):
    client = client_of(desk.trader.user)
    feed_in(desk.organization.pk, desk.market, START, [30] * 24)
    address = f"{API}/{receipt.ref}/meter"
    json = {"content_type": "application/json"}

    done = client.post(address, {}, **json, headers={"If-Match": '"1"'})
    again = client.post(address, {"reason": "final"}, **json, headers={"If-Match": '"2"'})
    stale = client.post(address, {}, **json, headers={"If-Match": '"1"'})

    assert (done.status_code, done["ETag"]) == (200, '"2"'), done.content
    assert done.json()["metered"] == [
        {
            "month": "2027-03-01", "minutes": 60, "intervals": 743, "metered_intervals": 24,
            "expected_mwh": "240.000000000", "metered_mwh": "360.000000000",
            "difference_mwh": "120.000000000",
        }
    ]  # fmt: skip
    assert [v["event"] for v in done.json()["versions"]] == ["CAPTURE", "METER"]
    assert (again.status_code, again["ETag"]) == (200, '"2"')
    assert stale.status_code == 412
    assert client.post(address, {"volume": 1}, **json, headers={"If-Match": '"2"'}).status_code == (
        400
    )
    Plant.objects.update(metering_asset_id="")
    refused = client.post(address, {}, **json, headers={"If-Match": '"2"'})
    assert (refused.status_code, refused.json()["code"]) == (400, "trade_invalid")
    assert Decimal(done.json()["notional"]) == Decimal("388217.5000")
