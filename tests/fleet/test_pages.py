"""The pages of the fleet: who may open them, what stands on top, what a foreigner sees."""

from datetime import date, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group

from devices.models import DeviceStatus
from devices.schedules.services import acknowledge, publish_schedules
from devices.telemetry.services import record_telemetry
from energyopti.accounts.models import Membership, User
from energyopti.accounts.roles import Role
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

pytestmark = pytest.mark.django_db
NOW = DAY_START + timedelta(hours=1)


@pytest.fixture(autouse=True)
def at_one():
    with time_machine.travel(NOW, tick=False):
        yield


def sign_in(client, *roles):
    user = User.objects.create_user("manager@voltara.example", "x" * 20)
    user.groups.set(Group.objects.filter(name__in=roles))
    Membership.objects.create(user=user, organization=make_organization())
    client.force_login(user)
    return user


def heard(device, *, ago=timedelta(minutes=5), **fields):
    return DeviceStatus.objects.create(device=device, last_seen_at=NOW - ago, **fields)


def test_those_in_need_stand_on_top(client):
    sign_in(client, Role.DEVICE_OPERATOR)
    heard(make_device("A-FINE"), state="RUNNING", soc=0.5, power_kw=2)
    heard(make_device("B-SILENT"), ago=timedelta(days=1), state="RUNNING", soc=0.4)
    make_device("C-NEVER")
    heard(make_device("D-FAULT"), state="ERROR", fault="emergency stop", soc=0.3, power_kw=0)

    page = client.get("/fleet/").content.decode()

    places = [page.index(code) for code in ("D-FAULT", "B-SILENT", "C-NEVER", "A-FINE")]
    assert places == sorted(places)
    assert "emergency stop" in page


def test_the_scope_bar_chooses_a_site(client):
    sign_in(client, Role.DEVICE_OPERATOR)
    here = make_device("ALPHA-1")
    there = make_site(make_organization(), "There")
    make_device("BETA-1", site=there)

    everywhere = client.get("/fleet/").content.decode()
    page = client.get("/fleet/", {"site": str(there.pk)}).content.decode()

    assert "ALPHA-1" in everywhere and "BETA-1" in everywhere
    assert "BETA-1" in page and "ALPHA-1" not in page
    assert f'value="{here.site_id}"' in page


def test_a_foreign_site_is_not_there_to_choose(client):
    sign_in(client, Role.DEVICE_OPERATOR)
    foreign = make_site(make_organization("Somebody else"))

    assert client.get("/fleet/", {"site": str(foreign.pk)}).status_code == 404


def test_the_fleet_costs_as_many_queries_for_ten_as_for_two(client, django_assert_max_num_queries):
    sign_in(client, Role.ENERGY_MANAGER)
    for number in range(10):
        heard(make_device(f"BAT-{number}"), state="RUNNING", soc=0.5)

    with django_assert_max_num_queries(40):
        client.get("/fleet/")


def test_a_battery_shows_its_orders_what_it_did_and_what_it_said(client):
    sign_in(client, Role.DEVICE_OPERATOR)
    device = make_device("BAT-7")
    draft = make_schedule(device, modes="cd" + "." * 6 + "d")
    publish_schedules(actor=system(), drafts=[draft], published_at=DAY_START)
    acknowledge(messages=[(device.pk, make_update(draft))], received_at=NOW)
    record_telemetry(batches=[(device.pk, make_batch(device))], received_at=NOW)

    answer = client.get(f"/devices/{device.pk}/")

    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Started" in page
    assert "sent, not confirmed yet" in page
    rows = dict(answer.context["power_rows"])
    assert rows[DAY_START] == (-4.0, -4.0)
    assert rows[DAY_START + timedelta(minutes=30)][0] == 4.0
    assert [e.start_time for e in answer.context["next_orders"]] == [DAY_START + timedelta(hours=4)]


def test_a_foreign_battery_is_404_and_a_lacking_role_403(client):
    user = sign_in(client, Role.DEVICE_OPERATOR)
    own = make_device()
    foreign = make_device("F", site=make_site(make_organization("Somebody else")))

    assert client.get(f"/devices/{own.pk}/").status_code == 200
    assert client.get(f"/devices/{foreign.pk}/").status_code == 404
    assert "Somebody else" not in client.get("/fleet/").content.decode()
    user.groups.clear()
    assert client.get(f"/devices/{own.pk}/").status_code == 403
    assert client.get("/fleet/").status_code == 403


def test_strangers_sign_in_first(client):
    assert client.get("/fleet/").status_code == 302
    assert client.get(f"/devices/{make_device().pk}/").status_code == 302


def test_a_plan_shows_only_the_sums_of_ones_own_devices(client):
    from energyopti.accounts.actors import Actor
    from fleet.queries.runs import latest_plan, latest_settlement
    from fleet.services.dispatch import dispatch_fleet
    from tests.factories.fleet import forecast, make_fleet, make_priced_market

    user = sign_in(client, Role.ENERGY_MANAGER)
    day = date(2027, 3, 10)
    market = make_priced_market(day)
    make_fleet(market, 2)
    other = make_site(make_organization("Somebody else"), "Far")
    other.market_zone = market.code
    other.save()
    make_device("F", site=other)
    run = dispatch_fleet(
        actor=system(), market=market, delivery_date=day, planned_at=forecast(market, day)
    )

    plan = latest_plan(Actor.for_user(user))

    assert (run.device_count, plan.device_count) == (3, 2)
    assert 0 < plan.expected_value < run.expected_value
    assert latest_settlement(Actor.for_user(user)) is None
    assert client.get("/fleet/").status_code == 200
