"""The home panel of the fleet: who needs somebody, what flows now."""

from datetime import timedelta

import pytest
import time_machine

from devices.models import DeviceStatus
from energyopti.accounts.roles import Role
from fleet.web.home import fleet_panel
from tests.factories.accounts import make_actor
from tests.factories.devices import DAY_START, make_device, make_organization

pytestmark = pytest.mark.django_db
NOW = DAY_START + timedelta(hours=1)


@pytest.fixture(autouse=True)
def at_one():
    with time_machine.travel(NOW, tick=False):
        yield


def heard(device, **fields):
    DeviceStatus.objects.create(device=device, last_seen_at=NOW, state="RUNNING", **fields)


def test_those_in_need_are_named_with_the_worst_first(django_assert_max_num_queries):
    heard(make_device("A-FINE"), soc=0.5, power_kw=2)
    make_device("B-NEVER")
    heard(make_device("C-FAULT"), soc=0.3, power_kw=0, fault="emergency stop")
    operator = make_actor(Role.DEVICE_OPERATOR, organization=make_organization())

    with django_assert_max_num_queries(9):
        panel = fleet_panel(operator)

    assert [(row["device"].code, row["need"]) for row in panel["in_need"]] == [
        ("C-FAULT", "Fault"),
        ("B-NEVER", "Never heard"),
    ]
    assert (panel["counts"].in_need, panel["counts"].total) == (2, 3)
    assert panel["counts"].power_kw == 2
    assert panel["now"] == NOW


def test_home_links_to_the_battery_in_need(client):
    device = make_device("C-FAULT")
    heard(device, fault="emergency stop")
    operator = make_actor(Role.DEVICE_OPERATOR, organization=make_organization())
    client.force_login(operator.user, backend="django.contrib.auth.backends.ModelBackend")

    page = client.get("/").content.decode()

    assert f'href="/devices/{device.pk}/"' in page
    assert "emergency stop" in page


def test_a_foreign_fleet_is_not_counted():
    heard(make_device("A-FINE"), soc=0.5)
    stranger = make_actor(Role.ENERGY_MANAGER, organization=make_organization("Elsewhere"))

    assert fleet_panel(stranger)["counts"].total == 0
