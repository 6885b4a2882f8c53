"""The demo's wind farm: bought as generated, read hour by hour, and added up another way."""

from datetime import UTC, datetime, timedelta

import pytest

from energyopti.accounts.actors import Actor
from energyopti.demo.people import COMPANY
from energyopti.demo.plant import METER, read_plant, seed_plant
from energyopti.demo.summary import reconcile_plants, reconcile_positions
from tests.factories.trades import make_counterparty, make_desk
from trading.models import Actual, PositionTotal, Trade
from trading.services.metering import true_up_trades

pytestmark = pytest.mark.django_db
# The day after a clock change, so that a month of 745 hours is among those that are read.
NOW = datetime(2026, 11, 1, 10, 30, tzinfo=UTC)


def test_the_wind_farm_is_metered_and_adds_up_exactly():
    desk = make_desk()
    desk.organization.name = COMPANY
    desk.organization.save()
    make_counterparty(desk.organization, "BRISE")
    system = Actor.system("demo")

    for _ in range(2):  # a second start finds everything there
        seed_plant(actor=Actor.system("demo"), company=desk.organization, now=NOW)
    assert not reconcile_plants().agrees  # nothing is metered yet
    trued_up = true_up_trades(
        actor=system, organization_id=desk.organization.pk, as_of=NOW - timedelta(hours=2)
    )

    assert (Trade.objects.count(), trued_up.changed, trued_up.refused) == (1, 1, ())
    assert Actual.objects.filter(asset_id=METER).count() == 745 + 11
    first = reconcile_plants()
    assert first.agrees, first.words
    assert first.words == "754 hours metered, 2 book-months compared, 0 differ"

    read_plant(
        actor=system, company=desk.organization, market=desk.market, start=NOW - timedelta(days=1),
        end=NOW + timedelta(days=2),
    )  # fmt: skip
    desk.deal("B 10MW DE base Cal27 @ 85.20", traded_at=NOW, received_at=NOW)
    assert reconcile_plants().agrees  # what no version has taken yet changes nothing
    true_up_trades(
        actor=system, organization_id=desk.organization.pk, as_of=NOW + timedelta(days=3)
    )

    assert reconcile_plants().agrees
    assert reconcile_positions().words == "12 book-months compared, 0 differ"
    total = PositionTotal.objects.filter(minutes__gt=0).order_by("month")[0]
    PositionTotal.objects.filter(pk=total.pk).update(physical=total.physical + 1)
    assert not reconcile_plants().agrees
