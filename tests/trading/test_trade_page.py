"""A trade's page and its verbs: who may do what when, what is shown before, and stale versions."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from energyopti.accounts.roles import Role
from energyopti.foundation.calendars import DatePeriod
from tests.factories.accounts import make_user
from tests.factories.trades import deal_of_words, make_counterparty, make_desk, make_market
from trading import deals
from trading.models import Commodity, PriceIndex, Trade, TradeVersion
from trading.queries.areas import delivery_areas, price_indices
from trading.queries.deals import deal_of
from trading.queries.trade_page import cash_flows
from trading.services.capture import save_draft
from trading.services.lifecycle import amend_trade

pytestmark = pytest.mark.django_db
DEAL = "B 10MW DE base Cal30 @ 85.20"


@pytest.fixture
def desk():
    return make_desk()


def client_of(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def trader(desk):
    return client_of(desk.trader.user)


def colleague(desk, role=Role.TRADER, levels=("view_book", "trade_book")):
    user = make_user(role, organization=desk.organization)
    for level in levels:
        assign_perm(f"trading.{level}", user, desk.book)
    return user


def address(receipt, verb=""):
    if verb:
        return reverse("trading:trade_verb", args=[receipt.ref, verb])
    return reverse("trading:trade", args=[receipt.ref])


def status(receipt):
    return Trade.objects.get(ref=receipt.ref).status


def hidden(page: str, name: str) -> str:
    found = re.search(rf'name="{name}"[^>]*value="([^"]*)"', page)
    assert found, name
    return found.group(1)


def fields(client, receipt, verb):
    """What a form of a verb says when it is opened."""
    answer = client.get(address(receipt, verb))
    assert answer.status_code == 200
    found = {}
    for form in (answer.context["form"], answer.context["deal_form"]):
        for field in form or ():
            value = field.value()
            if value is not None:
                found[field.name] = value
    return found


def preview_and_do(client, receipt, verb, **changes):
    entry = {**fields(client, receipt, verb), "reason": "agreed by phone", **changes}
    shown = client.post(address(receipt, verb), entry)
    page = shown.content.decode()
    assert shown.status_code == 200, shown.context["form"].errors
    return page, client.post(
        address(receipt, verb), {**entry, "previewed": hidden(page, "previewed")}
    )


def test_the_page_shows_legs_cash_by_month_and_versions(desk, trader):
    receipt = desk.deal(DEAL)

    page = trader.get(address(receipt)).content.decode()

    for words in (
        "Fixed price", "85.2 EUR/MWh", "−633,888.00 EUR", "−7,463,520.00 EUR", "rounded once",
    ):  # fmt: skip
        assert words in page
    assert 'href="#do-cancel"' in page and 'href="#do-release"' not in page


def test_cash_of_each_month_adds_up_to_the_notional(desk):
    receipt = desk.deal("S 7.5MW DE peak Cal30 @ 85.23")
    version = TradeVersion.objects.get(trade__ref=receipt.ref)

    cash = cash_flows(version, deal_of(version))

    assert dict(cash.totals) == {"EUR": version.notional.quantize(Decimal("0.01"))}
    assert [row.month for row in cash.months] == [date(2030, month, 1) for month in range(1, 13)]
    assert abs(sum(row.amount for row in cash.months) - version.notional) <= Decimal("0.06")


def test_the_page_costs_the_same_with_many_versions(desk, trader, django_assert_max_num_queries):
    receipt = desk.deal(DEAL)
    for number in range(1, 7):
        amend_trade(
            actor=desk.trader, ref=receipt.ref, expected_version=number, reason=f"change {number}",
            deal=deal_of_words(f"B {10 + number}MW DE base Cal30 @ 85"), received_at=_later(),
        )  # fmt: skip
    trader.get(address(receipt))

    with django_assert_max_num_queries(40):
        page = trader.get(address(receipt), {"from": "1", "to": "7"}).content.decode()

    assert 'data-label="Version 1">10<' in page and 'data-label="Version 7">16<' in page


def test_an_amendment_is_previewed_with_what_changes_and_then_done(desk, trader):
    receipt = desk.deal(DEAL)

    page, done = preview_and_do(trader, receipt, "amend", quantity="12")

    assert "Terms that change" in page and Trade.objects.get().latest_version == 2
    assert done.url == address(receipt)
    latest = TradeVersion.objects.get(version=2)
    assert (latest.event, latest.quantity, latest.reason) == ("AMEND", 12, "agreed by phone")


def test_the_heat_rate_of_a_spark_spread_is_amended_and_compared(desk, trader):
    gas = make_market("TTF", commodity=Commodity.objects.create(
        code="GAS", name="Gas", kind="GAS", delivery="FLOW", quantity_unit="MW",
    ))  # fmt: skip
    for code, market in (("EPEX-DE-DA", desk.market), ("TTF-DA", gas)):
        PriceIndex.objects.create(
            code=code, market=market, name=code, currency="EUR", price_unit="MWh",
            frequency="PERIOD", publication_time="12:57", source="test",
        )  # fmt: skip
    areas = delivery_areas()
    power, heat = price_indices(areas)["EPEX-DE-DA"], price_indices(areas)["TTF-DA"]
    schedule = deals.Schedule(areas["DE"], DatePeriod.year(2030), deals.Volume.mw(Decimal(10)))
    receipt = desk.deal(deal=deals.option(terms=deals.Option(
        deals.Direction.RECEIVE, schedule, deals.OptionStyle.EUROPEAN,
        deals.OptionType.SPREAD_CALL, (power, heat), (Decimal(20),),
        datetime(2029, 12, 20, 11, tzinfo=UTC), ratio=Decimal("1.8181"), cost=Decimal("3.2"),
    )))  # fmt: skip

    page, _ = preview_and_do(trader, receipt, "amend", ratio="2", cost="")

    assert "1.8181" in page
    (leg,) = deal_of(TradeVersion.objects.get(version=2)).options
    assert (leg.ratio, leg.ratio_unit, leg.cost) == (2, "MWh", 0)
    shown = trader.get(address(receipt), {"from": "1", "to": "2"}).content.decode()
    assert "spread call on EPEX-DE-DA − 2 × TTF-DA (50.0 % efficient), until" in shown
    assert 'data-label="Version 1">1.8181<' in shown and 'data-label="Version 2">2<' in shown


def test_an_amendment_changed_after_its_preview_is_previewed_again(desk, trader):
    receipt = desk.deal(DEAL)
    entry = {**fields(trader, receipt, "amend"), "reason": "x", "quantity": "12"}
    page = trader.post(address(receipt, "amend"), entry).content.decode()

    again = trader.post(
        address(receipt, "amend"),
        {**entry, "quantity": "120", "previewed": hidden(page, "previewed")},
    )

    assert again.status_code == 200 and "Terms that change" in again.content.decode()
    assert Trade.objects.get().latest_version == 1


def test_a_correction_is_a_version_from_the_start(desk, trader):
    receipt = desk.deal(DEAL)
    preview_and_do(trader, receipt, "correct", side="SELL")

    latest = TradeVersion.objects.get(version=2)
    assert (latest.event, latest.side) == ("CORRECT", "SELL")
    assert latest.effective_at == latest.traded_at


def test_a_novation_goes_on_with_another_counterparty(desk, trader):
    make_counterparty(desk.organization, "BETA")
    receipt = desk.deal(DEAL)

    page, _ = preview_and_do(trader, receipt, "novate", counterparty="BETA", from_date="2030-07-01")

    assert "Stays" in page and "Passes on" in page and "44,170.000 MWh" in page
    old, new = Trade.objects.order_by("id")
    assert (old.status, new.status, new.replaces_id) == ("NOVATED", "LIVE", old.pk)
    assert new.counterparty.code == "BETA"
    assert old.ref in trader.get(reverse("trading:trade", args=[new.ref])).content.decode()


def test_a_termination_has_a_fee_in_the_cash(desk, trader):
    receipt = desk.deal(DEAL)

    preview_and_do(trader, receipt, "terminate", from_date="2030-07-01", fee="2500", payer="them")

    assert status(receipt) == "TERMINATED"
    page = trader.get(address(receipt)).content.decode()
    assert "Termination fee" in page and "+2,500.00 EUR" in page


@pytest.mark.parametrize("day", ["2031-01-01", "2020-01-01", "soon"])
def test_a_day_that_it_cannot_end_on_is_refused_at_the_field(desk, trader, day):
    receipt = desk.deal(DEAL)

    answer = trader.post(
        address(receipt, "terminate"),
        {"expected_version": "1", "reason": "x", "from_date": day},
    )

    assert answer.status_code == 422
    assert 'id="id_from_date_error"' in answer.content.decode()
    assert status(receipt) == "LIVE"


def test_cancelling_needs_a_reason(desk, trader):
    receipt = desk.deal(DEAL)

    refused = trader.post(address(receipt, "cancel"), {"expected_version": "1", "reason": " "})
    assert refused.status_code == 422 and status(receipt) == "LIVE"
    done = trader.post(address(receipt, "cancel"), {"expected_version": "1", "reason": "twice"})

    assert (done.status_code, status(receipt)) == (302, "CANCELLED")
    page = trader.get(address(receipt)).content.decode()
    assert "It adds nothing to positions" in page
    assert trader.get(address(receipt, "amend")).status_code == 409


@pytest.mark.parametrize("verb", ["amend", "cancel", "terminate"])
def test_a_stale_version_shows_both_and_keeps_what_was_typed(desk, trader, verb):
    receipt = desk.deal(DEAL)
    entry = {"reason": "my own reason", **fields(trader, receipt, verb)}
    if verb == "amend":
        entry["price"] = "77.5"
    if verb == "terminate":
        entry |= {"from_date": "2030-07-01"}
    other = client_of(colleague(desk))
    preview_and_do(other, receipt, "amend", quantity="12", reason="the other one's")

    answer = trader.post(address(receipt, verb), entry)

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "You read, version 1" in page and "Holds now, version 2" in page
    assert "my own reason" in page and "the other one&#x27;s" in page
    assert hidden(page, "expected_version") == "2"
    if verb == "amend":
        assert 'value="77.5"' in page
    assert Trade.objects.get().latest_version == 2
    # Sent again for the version that holds, it is done.
    entry["expected_version"] = "2"
    again = trader.post(address(receipt, verb), entry)
    assert again.status_code == (302 if verb == "cancel" else 200)


def test_a_draft_is_submitted_released_by_another_person_or_sent_back(desk, trader):
    desk.book.four_eyes_from = Decimal(1000)
    desk.book.save()
    receipt = save_draft(
        actor=desk.trader, deal=deal_of_words(DEAL), book_id=desk.book.pk,
        counterparty_id=desk.counterparty.pk, traded_at=_later(), received_at=_later(),
    )  # fmt: skip
    second = client_of(colleague(desk))
    waits = reverse("trading:waiting")
    assert receipt.ref in trader.get(waits).content.decode()

    trader.post(address(receipt, "submit"), {"expected_version": "1", "reason": "go"})
    assert status(receipt) == "PENDING"
    own = trader.get(address(receipt)).content.decode()
    assert 'id="do-release"' not in own
    forced = trader.post(address(receipt, "release"), {"expected_version": "2"})
    assert forced.status_code == 409 and "another person" in forced.content.decode()
    assert 'id="do-release"' in second.get(address(receipt)).content.decode()
    second.post(address(receipt, "reject"), {"expected_version": "2", "reason": "too dear"})
    assert status(receipt) == "DRAFT"
    trader.post(address(receipt, "submit"), {"expected_version": "3", "reason": "go"})
    second.post(address(receipt, "release"), {"expected_version": "4"})

    assert status(receipt) == "LIVE"
    assert [table["rows"] for table in trader.get(waits).context["tables"]] == [[], [], []]


def test_a_draft_without_a_reason_for_a_remark_comes_back_at_the_reason(desk, trader):
    receipt = save_draft(
        actor=desk.trader, deal=deal_of_words(DEAL), book_id=desk.book.pk,
        counterparty_id=desk.counterparty.pk, traded_at=_later(), received_at=_later(),
    )  # fmt: skip

    answer = trader.post(address(receipt, "submit"), {"expected_version": "1"})

    assert answer.status_code == 422
    assert 'id="id_reason_error"' in answer.content.decode()


def test_permissions_grants_and_foreign_trades(desk, trader):
    receipt, foreign = desk.deal(DEAL), make_desk().deal(DEAL)
    officer = client_of(desk.officer.user)
    reader = client_of(colleague(desk, levels=("view_book",)))

    assert officer.get(address(receipt)).status_code == 200
    assert officer.get(address(receipt, "amend")).status_code == 403
    assert officer.post(address(receipt, "cancel"), {"expected_version": "1"}).status_code == 403
    assert trader.get(address(foreign, "cancel")).status_code == 404
    answer = trader.post(address(foreign, "cancel"), {"expected_version": "1", "reason": "x"})
    assert answer.status_code == 404 and status(foreign) == "LIVE"
    assert trader.get(address(receipt, "explode")).status_code == 404
    seen = reader.get(address(receipt)).content.decode()
    assert "do-cancel" not in seen
    answer = reader.post(address(receipt, "cancel"), {"expected_version": "1", "reason": "x"})
    assert answer.status_code == 403 and status(receipt) == "LIVE"


def test_an_index_price_stays_open_in_the_cash(desk, trader):
    PriceIndex.objects.create(
        code="EPEX-DE-DA", market=desk.market, name="Day-ahead", currency="EUR", price_unit="MWh",
        frequency="PERIOD", publication_time="12:57", source="test",
    )  # fmt: skip
    receipt = desk.deal("B 10MW DE base Q1-30 @ EPEX-DE-DA+1.50")

    page = trader.get(address(receipt)).content.decode()

    assert "Open until published: EPEX-DE-DA" in page and "EPEX-DE-DA + 1.5 EUR" in page


def test_who_reads_the_trail_sees_the_events_of_the_trade(desk, trader):
    receipt = desk.deal(DEAL)
    officer = make_user(Role.COMPLIANCE_OFFICER, organization=desk.organization)

    page = client_of(officer).get(address(receipt)).content.decode()

    assert "trade.captured" in page
    assert "trade.captured" not in trader.get(address(receipt)).content.decode()


def _later():
    from tests.factories.trades import RECEIVED_AT

    return RECEIVED_AT
