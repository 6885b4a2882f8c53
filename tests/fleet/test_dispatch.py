"""A day is planned, checked and published; what fails the check does not leave."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from devices import wire
from devices.schedules.queries.documents import documents
from energyopti.accounts.actors import PermissionMissing
from energyopti.foundation.events.models import Event
from fleet.models import DevicePlan, DispatchRun
from fleet.services import dispatch as module
from fleet.services.daily import days_to_dispatch, dispatch_due
from fleet.services.dispatch import DispatchRefused, dispatch_fleet
from tests.factories.devices import system
from tests.factories.fleet import forecast, make_fleet, make_priced_market

pytestmark = pytest.mark.django_db
DAY = date(2027, 3, 10)
MIDNIGHT = datetime(2027, 3, 10, tzinfo=UTC)


@pytest.fixture
def market():
    return make_priced_market(DAY)


@pytest.fixture
def fleet(market):
    return make_fleet(market)


def dispatch(market, planned_at, day=DAY):
    return dispatch_fleet(actor=system(), market=market, delivery_date=day, planned_at=planned_at)


def document_of(device):
    return documents([device.pk])[device.pk][1]


def test_every_device_charges_in_the_cheap_night_and_sells_in_the_dear_evening(market, fleet):
    planned_at = forecast(market, DAY)

    run = dispatch(market, planned_at)

    assert (run.device_count, run.refused_count, run.number) == (3, 0, 1)
    assert run.expected_value > 0
    document = document_of(fleet[0])
    assert (document.valid_from, document.valid_to) == (MIDNIGHT, MIDNIGHT + timedelta(days=1))
    charged = {e.start_time.hour for e in document.entries if e.mode is wire.Mode.CHARGE}
    sold = {e.start_time.hour for e in document.entries if e.mode is wire.Mode.DISCHARGE}
    assert charged and sold
    assert min(sold) >= 17 and max(sold) < 21
    for entry in document.entries:
        assert entry.end_time - entry.start_time == timedelta(minutes=30)
        assert 0.05 - 1e-9 <= entry.target_soc <= 0.95 + 1e-9
        assert entry.rate_kw <= 5


def test_the_orders_add_up_to_the_plan_on_the_battery_itself(market, fleet):
    from devices.edge.simulator import BatteryModel, BatteryTwin

    dispatch(market, forecast(market, DAY))

    twin = BatteryTwin(BatteryModel(10, 5, 5, 0.95, 0.95), soc=0.5)
    for entry in document_of(fleet[0]).entries:
        sign = 1 if entry.mode is wire.Mode.DISCHARGE else -1
        twin.run(sign * entry.rate_kw, 0.5)
        assert twin.soc == pytest.approx(entry.target_soc, abs=1e-6)
    assert twin.soc == pytest.approx(DevicePlan.objects.get(device=fleet[0]).final_soc)


def test_a_replan_of_the_rest_of_the_day_takes_the_next_number(market, fleet):
    dispatch(market, forecast(market, DAY))
    night = [e for e in document_of(fleet[0]).entries if e.start_time < MIDNIGHT.replace(hour=10)]

    run = dispatch(market, MIDNIGHT.replace(hour=9, minute=40))

    assert (run.number, run.start) == (2, MIDNIGHT.replace(hour=10))
    document = document_of(fleet[0])
    assert document.version == 2
    kept = [e for e in document.entries if e.start_time < run.start]
    assert [(e.start_time, e.rate_kw) for e in kept] == [(e.start_time, e.rate_kw) for e in night]


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2027, 3, 28), 23), (date(2026, 10, 25), 25), (date(2027, 3, 10), 24)]
)
def test_days_of_the_clock_change_have_their_own_length(day, hours):
    market = make_priced_market(day, zone="Europe/Berlin")
    (device,) = make_fleet(market, 1)

    run = dispatch(market, forecast(market, day), day)

    assert run.end - run.start == timedelta(hours=hours)
    document = document_of(device)
    assert document.valid_to - document.valid_from == timedelta(hours=hours)


def test_a_plan_that_fails_the_replay_is_refused_and_its_device_idles(market, fleet, monkeypatch):
    planned_at = forecast(market, DAY)
    plan_honestly = module.dispatch_batteries

    def plan_beyond_the_nameplate(prices, batteries, hours):
        plan = plan_honestly(prices, batteries, hours)
        charge = np.array(plan.charge_kw)
        charge[1, 0] = 50.0
        object.__setattr__(plan, "charge_kw", charge)
        return plan

    monkeypatch.setattr(module, "dispatch_batteries", plan_beyond_the_nameplate)
    run = dispatch(market, planned_at)

    assert run.refused_count == 1
    refused = DevicePlan.objects.exclude(refusal="").get(run=run)
    assert "POWER" in refused.refusal
    assert document_of(refused.device).entries == ()
    event = Event.objects.get(type="fleet.dispatched")
    assert list(event.payload["refused"]) == [str(refused.device_id)]
    assert sum(bool(document_of(device).entries) for device in fleet) == 2


def test_without_forecast_or_devices_nothing_leaves(market):
    with pytest.raises(DispatchRefused, match="forecast"):
        dispatch(market, MIDNIGHT)
    with pytest.raises(DispatchRefused, match="devices"):
        dispatch(market, forecast(market, DAY))
    assert not DispatchRun.objects.exists()


def test_a_day_that_is_over_is_refused(market, fleet):
    forecast(market, DAY)

    with pytest.raises(DispatchRefused, match="over"):
        dispatch(market, MIDNIGHT + timedelta(hours=23, minutes=30))


def test_it_needs_the_permission(market, fleet):
    from energyopti.accounts.actors import Actor
    from energyopti.accounts.models import User

    stranger = Actor.for_user(User.objects.create_user("nobody@example.org", "x" * 20))

    with pytest.raises(PermissionMissing, match=r"fleet\.dispatch_fleet"):
        dispatch_fleet(actor=stranger, market=market, delivery_date=DAY, planned_at=MIDNIGHT)


def test_the_clock_dispatches_a_day_once_its_forecast_is_there(market, fleet):
    evening = MIDNIGHT - timedelta(hours=5)
    assert days_to_dispatch(evening) == []
    forecast(market, DAY)

    first = dispatch_due(actor=system(), now=evening)
    second = dispatch_due(actor=system(), now=evening)

    assert [(run.delivery_date, run.number) for run in first] == [(DAY, 1)]
    assert second == []
