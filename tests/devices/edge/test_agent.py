"""The battery executes its schedule exactly, tells what it did, and forgets nothing."""

import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from devices import wire
from devices.edge.agent import Agent
from devices.edge.cloud import EdgeStore
from devices.edge.simulator import BatteryModel, SiteLoad
from devices.wire import InstructionStatus
from tests.factories.devices import DAY_START, HALF_HOUR, make_schedule

DEVICE = uuid.UUID("5b9d3f6a-21c4-4d6b-8f0a-3c2b1a09f8e7")
MODEL = BatteryModel(10, 5, 5, 0.9, 0.8, 0.1, 0.9)


@pytest.fixture
def store():
    store = EdgeStore(":memory:")
    yield store
    store.close()


def battery(store, soc=0.5, model=MODEL, at=DAY_START):
    return Agent.restore(DEVICE, model, SiteLoad(2.0), store, started_at=at, soc=soc)


def told(store):
    messages = [m.payload for m in store.pending(DEVICE, "acks", 1000)]
    return [wire.parse_device_messages(payload)[0] for payload in messages]


def updates(store):
    return [m for m in told(store) if isinstance(m, wire.InstructionStatusUpdate)]


def batches(store):
    waiting = store.pending(DEVICE, "telemetry", 1000)
    return [wire.parse_telemetry(m.payload)[0] for m in waiting]


def test_executes_orders_and_acknowledges_them_with_metered_energy(store):
    agent = battery(store)
    schedule = make_schedule(DEVICE, modes="cd.", rate_kw=4)
    agent.accept(schedule, received_at=DAY_START)

    agent.advance(DAY_START + 3 * HALF_HOUR)

    reception, *rest = told(store)
    assert (reception.status, reception.version) == ("OK", 1)
    charge, discharge = (wire.command_of(schedule, entry) for entry in schedule.entries)
    assert [(u.command_id, u.status, u.energy_kwh) for u in rest] == [
        (charge, "STARTED", UNSET),
        (charge, "SUCCEEDED", Decimal("2")),
        (discharge, "STARTED", UNSET),
        (discharge, "SUCCEEDED", Decimal("2")),
    ]
    assert agent.twin.soc == pytest.approx(0.5 + 2 * 0.9 / 10 - 2 / 0.8 / 10)


@given(st.lists(st.floats(0.01, 47), min_size=1, max_size=12).map(sorted))
@settings(max_examples=25, deadline=None)
def test_how_often_it_is_advanced_changes_nothing(minutes):
    outcomes = []
    for stops in ([], minutes):
        store = EdgeStore(":memory:")
        agent = battery(store)
        agent.accept(make_schedule(DEVICE, modes="cdcd", rate_kw=3.7), received_at=DAY_START)
        for stop in stops:
            agent.advance(DAY_START + timedelta(minutes=2 * stop))
        agent.advance(DAY_START + 4 * HALF_HOUR)
        outcomes.append(
            (
                agent.twin.import_wh,
                agent.twin.export_wh,
                round(agent.twin.soc, 9),
                [(u.status, u.energy_kwh, u.reported_at) for u in updates(store)],
                [(b.start, b.import_wh, b.export_wh) for b in batches(store)],
            )
        )
        store.close()

    assert outcomes[0] == outcomes[1]


def test_energy_in_acknowledgements_is_energy_in_telemetry(store):
    agent = battery(store)
    agent.accept(make_schedule(DEVICE, modes="ccdd.cd" * 6, rate_kw=4.3), received_at=DAY_START)

    agent.advance(DAY_START + 43 * HALF_HOUR)

    acknowledged = sum(u.energy_kwh for u in updates(store) if u.status == "SUCCEEDED")
    last = batches(store)[-1]
    metered = Decimal(last.import_wh[-1] + last.export_wh[-1]) / 1000
    assert acknowledged == metered > 10


def test_the_battery_stops_at_its_limits_though_it_is_told_to_go_on(store):
    agent = battery(store, soc=0.85)
    agent.accept(make_schedule(DEVICE, modes="cccc", rate_kw=5), received_at=DAY_START)

    agent.advance(DAY_START + 4 * HALF_HOUR)

    assert agent.twin.soc == pytest.approx(0.9)
    assert max(soc for batch in batches(store) for soc in batch.soc) <= 0.9


def test_with_a_target_it_slows_down_where_reality_is_ahead(store):
    agent = battery(store, soc=0.6)
    schedule = make_schedule(DEVICE, modes="c", rate_kw=5)
    entry = wire.ScheduleEntry(
        start_time=DAY_START,
        end_time=DAY_START + HALF_HOUR,
        mode=wire.Mode.CHARGE,
        rate_kw=5,
        target_soc=0.65,
    )
    agent.accept(
        make_schedule(DEVICE, modes="c", entries=(entry,), schedule_id=schedule.schedule_id),
        received_at=DAY_START,
    )

    agent.advance(DAY_START + HALF_HOUR)

    assert agent.twin.soc == pytest.approx(0.65)


def test_a_pressed_button_stops_the_battery_and_aborts_the_order(store):
    agent = battery(store)
    agent.accept(make_schedule(DEVICE, modes="c"), received_at=DAY_START)
    agent.advance(DAY_START + HALF_HOUR / 2)
    before = agent.twin.import_wh

    agent.emergency_stop = True
    agent.advance(DAY_START + HALF_HOUR)

    assert agent.twin.import_wh == before
    last = updates(store)[-1]
    assert (last.status, last.reason, last.energy_kwh) == (
        InstructionStatus.ABORTED,
        "emergency stop",
        Decimal("1"),
    )
    assert batches(store)[-1].state is wire.DeviceState.ERROR


def test_an_order_beyond_the_nameplate_is_rejected_and_never_run(store):
    agent = battery(store)
    schedule = make_schedule(DEVICE, modes="d", rate_kw=6)

    agent.accept(schedule, received_at=DAY_START)
    agent.accept(schedule, received_at=DAY_START)
    agent.advance(DAY_START + HALF_HOUR)

    assert [u.status for u in updates(store)] == [InstructionStatus.REJECTED]
    assert agent.twin.export_wh == 0


def test_another_devices_schedule_is_not_taken(store):
    agent = battery(store)

    agent.accept(make_schedule(uuid.uuid4()), received_at=DAY_START)

    assert agent.schedule is None
    assert told(store)[0].status == "INVALID_CONTENT"


def test_an_older_version_that_was_under_way_changes_nothing(store):
    agent = battery(store)
    newer = make_schedule(DEVICE, modes="c", version=2)
    agent.accept(newer, received_at=DAY_START)

    agent.accept(
        make_schedule(DEVICE, modes="d", schedule_id=newer.schedule_id), received_at=DAY_START
    )

    assert agent.schedule == newer


def test_a_replaced_order_is_revoked_with_what_it_did(store):
    agent = battery(store)
    agent.accept(make_schedule(DEVICE, modes="c"), received_at=DAY_START)
    agent.advance(DAY_START + HALF_HOUR / 2)

    agent.accept(make_schedule(DEVICE, modes="d"), received_at=DAY_START + HALF_HOUR / 2)
    agent.advance(DAY_START + HALF_HOUR)

    assert [(u.status, u.energy_kwh) for u in updates(store)][1] == (
        InstructionStatus.REVOKED,
        Decimal("1"),
    )


def test_after_a_restart_it_goes_on_from_its_own_memory(tmp_path):
    path = tmp_path / "edge.sqlite3"
    store = EdgeStore(path)
    agent = battery(store)
    agent.accept(make_schedule(DEVICE, modes="ccc."), received_at=DAY_START)
    agent.advance(DAY_START + 1.5 * HALF_HOUR)
    store.commit()
    said_before = told(store)
    # Killed: the file is all that is left.
    del agent
    store = EdgeStore(path)

    agent = battery(store, soc=0.123, at=DAY_START + 1.75 * HALF_HOUR)
    agent.advance(DAY_START + 3 * HALF_HOUR)

    said = told(store)
    assert said[: len(said_before)] == said_before
    assert [u.status for u in updates(store)] == [
        "STARTED", "SUCCEEDED", "STARTED", "SUCCEEDED", "STARTED", "SUCCEEDED",
    ]  # fmt: skip
    # A quarter of the second half-hour nobody was there to charge.
    assert [u.energy_kwh for u in updates(store)][3] == Decimal("1.5")
    store.close()


def test_an_order_that_ended_while_the_controller_was_off_is_aborted(tmp_path):
    store = EdgeStore(tmp_path / "edge.sqlite3")
    agent = battery(store)
    agent.accept(make_schedule(DEVICE, modes="c."), received_at=DAY_START)
    agent.advance(DAY_START + HALF_HOUR / 2)
    store.commit()

    battery(store, at=DAY_START + 2 * HALF_HOUR)

    last = updates(store)[-1]
    assert (last.status, last.reason) == ("ABORTED", "the controller was off")
    assert last.reported_at == DAY_START + HALF_HOUR
    store.close()


def test_every_order_is_answered_for_also_those_nobody_was_there_for(tmp_path):
    store = EdgeStore(tmp_path / "edge.sqlite3")
    agent = battery(store)
    agent.accept(make_schedule(DEVICE, modes="cdcd"), received_at=DAY_START)
    agent.advance(DAY_START + HALF_HOUR / 2)
    store.commit()

    agent = battery(store, at=DAY_START + 3.5 * HALF_HOUR)
    agent.advance(DAY_START + 4 * HALF_HOUR)
    agent.accept(agent.schedule, received_at=DAY_START + 4 * HALF_HOUR)

    last_words = {u.command_id: u.status for u in updates(store)}
    assert sorted(last_words.values()) == ["ABORTED"] * 3 + ["SUCCEEDED"]
    store.close()


def test_an_order_that_comes_too_late_is_answered_for(store):
    agent = battery(store, at=DAY_START + 2 * HALF_HOUR)

    agent.accept(make_schedule(DEVICE, modes="cd"), received_at=DAY_START + 2 * HALF_HOUR)

    assert [u.status for u in updates(store)] == ["ABORTED"] * 2
    assert updates(store)[0].reason == "it came when its time was over"


def test_samples_stand_on_the_half_hours_that_settlement_needs(store):
    agent = battery(store)

    agent.advance(DAY_START + 2 * HALF_HOUR)

    first, second = batches(store)
    assert (first.start, first.end) == (DAY_START + timedelta(minutes=5), DAY_START + HALF_HOUR)
    assert second.end == DAY_START + 2 * HALF_HOUR
    assert second.consumption_wh[-1] > first.consumption_wh[-1] > 0


@given(
    soc=st.floats(0, 1),
    power=st.floats(-30, 30),
    hours=st.floats(0.01, 5),
    efficiencies=st.tuples(st.floats(0.5, 1), st.floats(0.5, 1)),
)
def test_the_twin_makes_no_energy(soc, power, hours, efficiencies):
    from devices.edge.simulator import BatteryTwin

    twin = BatteryTwin(BatteryModel(10, 30, 30, *efficiencies), soc=soc)

    possible = twin.run(power, hours)

    assert abs(possible) <= abs(power) + 1e-9
    assert 0 <= twin.soc <= 1
    stored = (twin.soc - soc) * 10
    assert stored == pytest.approx(
        twin.import_kwh * efficiencies[0] - twin.export_kwh / efficiencies[1], abs=1e-9
    )
