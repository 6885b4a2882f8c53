"""What a meter read is a step of its own in the P&L, and what is realised is what was metered."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import DatePeriod
from tests.factories.billing import book_hourly_prices
from tests.factories.plants import feed_in, make_plant, output_deal
from trading.models import EndOfDay, PnlKind, TradeValue, TradeVersion
from trading.queries.pnl import days_of_pnl
from trading.services.end_of_day import (
    restate_end_of_day,
    run_end_of_day,
    sign_end_of_day,
    start_end_of_day,
)
from trading.services.lifecycle import amend_trade
from trading.services.valuation import prove_run

from .desk import publish, valued_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
DECEMBER = DatePeriod.months(2026, 12)
START = datetime(2026, 11, 30, 23, tzinfo=UTC)
MONDAY, WEDNESDAY, THURSDAY = date(2026, 11, 30), date(2026, 12, 2), date(2026, 12, 3)
HOURS = 744


def close_of(day):
    return datetime(day.year, day.month, day.day, 17, tzinfo=UTC)


def closed(desk, day):
    row = start_end_of_day(
        actor=desk.again(desk.officer), organization_id=desk.organization.pk, day=day,
        as_of=close_of(day), asked_at=close_of(day) + timedelta(hours=1),
    )  # fmt: skip
    return run_end_of_day(actor=Actor.system("test"), end_of_day_id=row.pk)


def read(desk, megawatts, start=START):
    feed_in(desk.organization.pk, desk.market, start, megawatts)


@pytest.fixture
def desk():
    """Half of a plant bought at 52.25 for December, expected at 10 MW; the curve stays at 100."""
    desk = valued_desk()
    make_plant(desk.market)
    publish(desk.market, {"Dec26": "100.00"}, at=close_of(MONDAY) - timedelta(hours=3))
    before = close_of(MONDAY) - timedelta(days=2)
    desk.receipt = desk.deal(deal=output_deal(DECEMBER), traded_at=before, received_at=before)
    closed(desk, MONDAY)
    book_hourly_prices(desk.market, START, ["60.00"] * 90)
    return desk


def steps_of(desk, day, kind=PnlKind.OFFICIAL):
    (found,) = days_of_pnl(desk.again(desk.trader), day=day, kind=kind)
    assert sum(step.amount for step in found.steps) == found.total
    return {step.kind: step.amount for step in found.steps if step.amount}


def values(row):
    value = TradeValue.objects.get(run=row.run)
    return value.realised, value.unrealised


def test_volumes_stand_apart_from_fixings_and_amendments_to_the_cent(desk):
    # By Wednesday 17:00 UTC 42 hours were delivered; the first 24 have been read, at 15 for us.
    read(desk, [30] * 24)

    row = closed(desk, WEDNESDAY)

    assert row.steps[0] == {
        "step": "metering", "said": "1 trades on an asset's output, 1 trued up.",
    }  # fmt: skip
    assert steps_of(desk, WEDNESDAY) == {
        "FIXING": Decimal(42 * 10 * (60 - 100)), "VOLUME": 24 * 5 * Decimal("7.75"),
    }  # fmt: skip
    delivered, ahead = 24 * 15 + 18 * 10, (HOURS - 42) * 10
    assert values(row) == (delivered * Decimal("7.75"), ahead * Decimal("47.75"))

    # Thursday: a correction, another day of readings, and a new price.
    read(desk, [10] * 2)
    read(desk, [0] * 24, start=START + timedelta(days=1))
    amend_trade(
        actor=desk.trader, ref=desk.receipt.ref, expected_version=2, reason="agreed anew",
        deal=output_deal(DECEMBER, price=Decimal("50.25")), received_at=close_of(WEDNESDAY),
    )  # fmt: skip
    after = closed(desk, THURSDAY)

    volume = -2 * 10 - 24 * 10
    assert steps_of(desk, THURSDAY) == {
        "FIXING": Decimal(24 * 10 * (60 - 100)),
        # The meter was read after the new price was agreed, so its volumes are at that price.
        "VOLUME": volume * Decimal("9.75"),
        "AMENDMENT": (HOURS * 10 + 24 * 5) * Decimal(2),
    }
    delivered = 22 * 15 + 2 * 5 + 18 * 10
    assert values(after) == (delivered * Decimal("9.75"), (HOURS - 66) * 10 * Decimal("49.75"))
    for each in EndOfDay.objects.all():
        assert prove_run(each.run).is_same


def test_a_late_reading_changes_a_restatement_and_no_official_day(desk):
    read(desk, [30] * 24)
    row = closed(desk, WEDNESDAY)
    official = steps_of(desk, WEDNESDAY)
    signer = Actor.system("signer")
    for each in EndOfDay.objects.order_by("day"):
        sign_end_of_day(
            actor=signer, end_of_day_id=each.pk, signed_at=close_of(WEDNESDAY), reason="seen"
        )
    read(desk, [40] * 24)

    again = restate_end_of_day(
        actor=desk.officer, end_of_day_id=row.pk, reason="the grid operator corrected its readings"
    )
    restated = run_end_of_day(actor=Actor.system("test"), end_of_day_id=again.pk)

    assert restated.steps[0]["said"].endswith("1 trued up.")
    assert steps_of(desk, WEDNESDAY) == official
    assert steps_of(desk, WEDNESDAY, PnlKind.RESTATED) == {
        **official, "VOLUME": 24 * 10 * Decimal("7.75"),
    }  # fmt: skip
    assert prove_run(row.run).is_same and prove_run(restated.run).is_same


def test_what_a_new_deal_metered_at_once_is_worth_is_all_of_it_new(desk):
    read(desk, [30] * 24)
    before = close_of(WEDNESDAY) - timedelta(hours=5)
    desk.deal(
        deal=output_deal(DECEMBER, contracted="25", mw=5), traded_at=before, received_at=before,
        fill=True,
    )  # fmt: skip

    closed(desk, WEDNESDAY)

    steps = steps_of(desk, WEDNESDAY)
    assert steps["VOLUME"] == 24 * 5 * Decimal("7.75")
    delivered, ahead = 24 * Decimal("7.5") + 18 * 5, (HOURS - 42) * 5
    assert steps["NEW"] == delivered * Decimal("7.75") + ahead * Decimal("47.75")
    assert "AMENDMENT" not in steps


def test_a_reading_that_cannot_be_is_a_finding_and_the_day_is_closed_all_the_same(desk):
    read(desk, [30_000] * 24)

    row = closed(desk, WEDNESDAY)

    assert row.state == "READY"
    (found,) = [finding for finding in row.checks if finding["step"] == "metering"]
    assert found["about"] == "TRADE" and found["key"] == desk.receipt.ref
    assert "are the readings in kWh?" in found["text"]
    assert not TradeVersion.objects.filter(event="METER").exists()


def test_the_page_and_rest_name_both_steps(desk):
    read(desk, [30] * 24)
    closed(desk, WEDNESDAY)
    client = Client()
    client.force_login(desk.trader.user)

    page = client.get(reverse("trading:pnl"), {"date": WEDNESDAY.isoformat()}).content.decode()
    (answer,) = client.get("/api/v1/trading/pnl", {"day": WEDNESDAY.isoformat()}).json()

    assert ">Volumes<" in page and ">Fixings<" in page and "Fixings and volumes" not in page
    kinds = {step["kind"]: step["amount"] for step in answer["steps"]}
    assert (kinds["FIXING"], kinds["VOLUME"]) == ("-16800.00", "930.00")
