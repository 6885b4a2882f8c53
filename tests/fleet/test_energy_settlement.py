"""Counters become booked kWh, to the watt-hour, and agree with what devices said."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import wire
from devices.edge.agent import Agent
from devices.edge.cloud import EdgeStore
from devices.edge.simulator import BatteryModel, SiteLoad
from devices.schedules.queries.documents import documents
from devices.schedules.services import acknowledge
from devices.telemetry.queries.readings import Readings
from devices.telemetry.services import record_telemetry
from energyopti.foundation.intervals import Interval
from fleet.models import EnergySettlement
from fleet.services.daily import settle_due
from fleet.services.dispatch import dispatch_fleet
from fleet.services.energy_settlement import SettlementRefused, meter, settle_energy
from tests.factories.devices import make_batch, system
from tests.factories.fleet import forecast, make_fleet, make_priced_market
from trading.queries.actuals import actuals

DAY = date(2027, 3, 10)
MIDNIGHT = datetime(2027, 3, 10, tzinfo=UTC)
END = MIDNIGHT + timedelta(days=1)
EDGES = np.array([0, 3600, 7200, 10800])


def readings(seconds, counter):
    array = np.array(counter, dtype=np.int64)
    return Readings(np.array(seconds, dtype=np.int64), array, array, array)


def test_a_counter_read_at_the_edges_is_exact():
    metered = meter(readings([0, 1800, 3600, 7200, 10800], [5, 6, 1005, 1005, 1008]), EDGES)

    assert metered.import_wh.tolist() == [1000, 0, 3]
    assert not metered.is_estimated.any()


def test_a_period_without_readings_at_both_ends_is_unknown():
    metered = meter(readings([1800, 3600, 7200, 9000], [0, 10, 30, 40]), EDGES)

    assert metered.import_wh.tolist() == [-1, 20, -1]
    assert metered.is_known.tolist() == [False, True, False]


def test_an_edge_in_a_gap_is_estimated_and_said_to_be():
    metered = meter(readings([0, 9000, 10800], [0, 9000, 9100]), EDGES)

    assert metered.import_wh.tolist() == [3600, 3600, 1900]
    assert metered.is_estimated.tolist() == [True, True, True]


def test_one_reading_alone_settles_nothing():
    assert meter(readings([3600], [7]), EDGES).import_wh.tolist() == [-1, -1, -1]


@given(
    st.lists(st.integers(1, 10799), max_size=30, unique=True).map(sorted),
    st.lists(st.integers(0, 10**9), min_size=32, max_size=32),
)
def test_periods_add_up_to_the_whole_counter(inner, increments):
    seconds = [0, *inner, 10800]
    counter = np.cumsum(increments)[: len(seconds)] + 10**14

    metered = meter(readings(seconds, counter), EDGES)

    assert metered.import_wh.sum() == counter[-1] - counter[0]
    assert (metered.import_wh >= 0).all()


@pytest.fixture
def market():
    return make_priced_market(DAY)


def live_through(devices, *, hours=25, skip=()):
    """Let batteries execute their documents for a day and deliver all that they say."""
    store = EdgeStore(":memory:")
    agents = []
    for device in devices:
        agent = Agent.restore(
            device.pk,
            BatteryModel(10, 5, 5, 0.95, 0.95),
            SiteLoad(2.5),
            store,
            started_at=MIDNIGHT - timedelta(minutes=30),
        )
        agent.accept(documents([device.pk])[device.pk][1], received_at=MIDNIGHT)
        agent.advance(MIDNIGHT + timedelta(hours=hours))
        agents.append(agent)
        told = [
            (device.pk, wire.parse_device_messages(m.payload)[0])
            for m in store.pending(device.pk, "acks", 10_000)
        ]
        measured = [
            (device.pk, wire.parse_telemetry(m.payload)[0])
            for m in store.pending(device.pk, "telemetry", 10_000)
        ]
        acknowledge(messages=told, received_at=END + timedelta(hours=1))
        kept = [pair for n, pair in enumerate(measured) if n not in skip]
        record_telemetry(batches=kept, received_at=END + timedelta(hours=1))
    store.close()
    return agents


def settle(market, at=END + timedelta(hours=1)):
    return settle_energy(actor=system(), market=market, delivery_date=DAY, settled_at=at)


@pytest.mark.django_db
def test_a_day_is_booked_to_the_watt_hour_and_agrees_with_the_acknowledgements(market):
    devices = make_fleet(market)
    dispatch_fleet(
        actor=system(), market=market, delivery_date=DAY, planned_at=forecast(market, DAY)
    )
    agents = live_through(devices)

    settlement = settle(market)

    assert settlement.is_reconciled
    assert settlement.difference_share < Decimal("0.001")
    assert settlement.moved_kwh > 20
    assert (settlement.missing_periods, settlement.estimated_periods) == (0, 0)
    booked = actuals(actor=system(), interval=Interval(MIDNIGHT, END))
    assert len(booked) == settlement.booked_rows == 3 * 3 * 24
    of_first = [a for a in booked if a.asset_id == f"device:{devices[0].pk}"]
    assert {(a.asset_id.partition(":")[0], a.flow, a.metering_point_kind) for a in booked} == {
        ("device", "IMPORT", "STORAGE"),
        ("device", "EXPORT", "STORAGE"),
        ("consumption", "IMPORT", "LOAD"),
    }
    imported = sum(a.energy_kwh for a in of_first if a.flow == "IMPORT")
    assert imported == Decimal(agents[0].twin.import_wh) / 1000
    consumed = sum(a.energy_kwh for a in booked if a.asset_id.startswith("consumption:"))
    assert consumed == settlement.consumption_kwh > 30


@pytest.mark.django_db
def test_settling_again_books_nothing_twice(market):
    devices = make_fleet(market, 1)
    dispatch_fleet(
        actor=system(), market=market, delivery_date=DAY, planned_at=forecast(market, DAY)
    )
    live_through(devices)
    settle(market)

    again = settle(market, END + timedelta(hours=2))

    booked = actuals(actor=system(), interval=Interval(MIDNIGHT, END))
    assert {a.version for a in booked} == {1}
    assert EnergySettlement.objects.count() == 2
    assert again.is_reconciled


@pytest.mark.django_db
def test_lost_telemetry_is_estimated_between_its_neighbours_and_counted(market):
    devices = make_fleet(market, 1)
    dispatch_fleet(
        actor=system(), market=market, delivery_date=DAY, planned_at=forecast(market, DAY)
    )
    live_through(devices, skip=(5, 6, 7, 8))

    settlement = settle(market)

    assert settlement.missing_periods == 0
    assert settlement.estimated_periods > 0
    assert settlement.is_reconciled


@pytest.mark.django_db
def test_energy_that_nobody_acknowledged_does_not_reconcile(market):
    (device,) = make_fleet(market, 1)
    batches = [
        make_batch(
            device,
            start=MIDNIGHT + timedelta(hours=hour),
            samples=5,
            import_wh=tuple(1000 * (4 * hour + i) for i in range(5)),
            consumption_wh=tuple(0 for _ in range(5)),
        )
        for hour in range(24)
    ]
    record_telemetry(batches=[(device.pk, b) for b in batches], received_at=END)

    settlement = settle(market)

    assert settlement.import_kwh == 96
    assert not settlement.is_reconciled


@pytest.mark.django_db
def test_a_day_that_is_not_over_and_a_market_without_devices_are_refused(market):
    with pytest.raises(SettlementRefused, match="devices"):
        settle(market)
    make_fleet(market, 1)
    with pytest.raises(SettlementRefused, match="settled_at"):
        settle(market, END - timedelta(minutes=1))


@pytest.mark.django_db
def test_the_clock_settles_a_day_once_its_telemetry_is_in(market):
    devices = make_fleet(market, 1)
    dispatch_fleet(
        actor=system(), market=market, delivery_date=DAY, planned_at=forecast(market, DAY)
    )
    live_through(devices)

    early = settle_due(actor=system(), now=END + timedelta(minutes=30))
    due = settle_due(actor=system(), now=END + timedelta(hours=1))
    again = settle_due(actor=system(), now=END + timedelta(hours=2))

    assert ([len(early), len(due), len(again)], due[0].delivery_date) == ([0, 1, 0], DAY)
