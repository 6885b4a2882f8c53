"""The pages of the fleet in the scope of a site, a battery's in that of a day."""

import json
from datetime import date, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from devices.models import DeviceStatus
from devices.schedules.services import acknowledge, publish_schedules
from devices.telemetry.services import record_telemetry
from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from fleet.models import EnergySettlement
from fleet.queries.runs import latest_plan, latest_settlement
from fleet.services.dispatch import dispatch_fleet
from tests.factories.accounts import make_user
from tests.factories.devices import (
    DAY_START,
    make_batch,
    make_device,
    make_organization,
    make_schedule,
    make_site,
    make_update,
    system,
)
from tests.factories.fleet import forecast, make_fleet, make_priced_market

pytestmark = pytest.mark.django_db
NOW = DAY_START + timedelta(hours=1)


@pytest.fixture(autouse=True)
def at_one():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def sites(client):
    """Two batteries at home and one far away, which is in fault; the client manages them."""
    home, far = make_site(), make_site(name="Far")
    for number, site in enumerate((home, home, far)):
        device = make_device(f"BAT-{number}", site=site)
        DeviceStatus.objects.create(
            device=device, last_seen_at=NOW, state="RUNNING", soc=0.5, power_kw=2,
            fault="stopped" if site == far else "",
        )  # fmt: skip
    user = make_user(Role.ENERGY_MANAGER, organization=make_organization())
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return home, far


def test_the_site_narrows_rows_counts_and_file(client, sites):
    _home, far = sites

    everywhere = client.get("/fleet/")
    there = client.get("/fleet/", {"site": str(far.pk)})
    file = client.get("/fleet/", {"export": "json"})

    counts = everywhere.context["counts"]
    assert (counts.total, counts.fault, counts.power_kw) == (3, 1, 6)
    counts = there.context["counts"]
    assert (counts.total, counts.fault, counts.power_kw, counts.capacity_kwh) == (1, 1, 2, 10)
    assert "BAT-2" in there.content.decode() and "BAT-0" not in there.content.decode()
    written = json.loads(b"".join(file.streaming_content))
    assert "BAT-0" not in json.dumps(written) and "BAT-2" in json.dumps(written)
    assert "Far" in json.dumps(written["filters"])


def test_home_shows_the_chosen_site_in_every_figure_of_the_fleet(client, sites):
    home, _ = sites

    everywhere = client.get("/").content.decode()
    here = client.get("/", {"site": str(home.pk)}).content.decode()

    assert "of 3: 1 in fault" in everywhere and "BAT-2" in everywhere
    assert "of 2: 0 in fault" in here and "BAT-2" not in here
    assert "All fine" in here


def test_a_site_costs_no_more_queries(client, sites):
    home, _ = sites
    client.get("/fleet/", {"site": ""})
    counted = []
    for site in ("", str(home.pk)):
        client.get("/fleet/", {"site": site})
        with CaptureQueriesContext(connection) as queries:
            client.get("/fleet/", {"site": site})
        counted.append(len(queries))

    assert counted[1] <= counted[0]


def test_plan_and_settlement_are_a_sites_own_or_none():
    day = date(2027, 3, 10)
    market = make_priced_market(day)
    here = make_fleet(market, 2)[0].site
    other = make_site(name="Other")
    other.market_zone = market.code
    other.save()
    make_device("OTHER", site=other)
    run = dispatch_fleet(
        actor=system(), market=market, delivery_date=day, planned_at=forecast(market, day)
    )
    EnergySettlement.objects.create(
        market=market, delivery_date=day, settled_at=NOW, device_count=3, import_kwh=1,
        export_kwh=1, consumption_kwh=1, moved_kwh=1, acknowledged_kwh=1, booked_rows=1,
        missing_periods=0, estimated_periods=0,
    )  # fmt: skip
    actor = Actor.for_user(make_user(Role.ENERGY_MANAGER, organization=make_organization()))

    together, part = latest_plan(actor), latest_plan(actor, site=here.pk)

    assert (run.device_count, together.device_count, part.device_count) == (3, 3, 2)
    assert 0 < part.expected_value < together.expected_value
    assert latest_plan(actor, site=make_site(name="Empty").pk) is None
    assert latest_settlement(actor) is not None
    assert latest_settlement(actor, site=here.pk) is None


def test_a_battery_shows_the_chosen_day_of_its_sites_zone(client):
    user = make_user(Role.ENERGY_MANAGER, organization=make_organization())
    device = make_device("BAT-9")
    draft = make_schedule(device, modes="cd" + "." * 6 + "d")
    publish_schedules(actor=system(), drafts=[draft], published_at=DAY_START)
    acknowledge(messages=[(device.pk, make_update(draft))], received_at=NOW)
    record_telemetry(batches=[(device.pk, make_batch(device))], received_at=NOW)
    address = f"/devices/{device.pk}/"

    with time_machine.travel(NOW + timedelta(days=30), tick=False):
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        now = client.get(address)
        then = client.get(address, {"date": DAY_START.date().isoformat()})
        wrong = client.get(address, {"date": "soon"})

    assert all(actual is None for _, (_, actual) in now.context["power_rows"])
    rows = dict(then.context["power_rows"])
    assert rows[DAY_START] == (-4.0, -4.0)
    assert len(rows) == 48
    assert len(then.context["next_orders"]) == 3
    page = then.content.decode()
    assert f"Orders of {DAY_START.date()}" in page and "Started" in page
    assert 'name="site"' not in page
    assert wrong.status_code == 400
