"""The messages: what they refuse, and that parsing undoes rendering."""

import json
import uuid
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import wire
from tests.factories.devices import DAY_START, make_batch, make_schedule, make_update

DEVICE = uuid.UUID("5b9d3f6a-21c4-4d6b-8f0a-3c2b1a09f8e7")


def as_json(schedule: wire.Schedule) -> dict:
    return json.loads(wire.render(schedule))


def test_renders_the_fixed_format():
    schedule = make_schedule(DEVICE, modes="d", rate_kw=7.5, schedule_id=DEVICE)

    rendered = as_json(schedule)

    assert rendered == {
        "schedule_id": str(DEVICE),
        "device_id": str(DEVICE),
        "version": 1,
        "valid_from": "2027-03-01T00:00:00Z",
        "valid_to": "2027-03-01T00:30:00Z",
        "entries": [
            {
                "start_time": "2027-03-01T00:00:00Z",
                "end_time": "2027-03-01T00:30:00Z",
                "mode": 1,
                "rate_kw": 7.5,
            }
        ],
    }


@pytest.mark.parametrize(
    ("change", "pointer", "sentence"),
    [
        ({"rate_kw": 1000.01}, "/0/entries/0/rate_kw", "<= 1000"),
        ({"rate_kw": -1}, "/0/entries/0/rate_kw", ">= 0"),
        ({"rate_kw": "5"}, "/0/entries/0/rate_kw", "float"),
        ({"mode": 3}, "/0/entries/0/mode", "Invalid enum value 3"),
        ({"mode": 0}, "/0/entries/0/mode", "Invalid enum value 0"),
        ({"start_time": "2027-03-01T00:00:00"}, "/0/entries/0/start_time", "timezone"),
        ({"end_time": "2027-03-01T00:00:00Z"}, "/0/entries/0", "must be after start_time"),
        ({"target_soc": 1.2}, "/0/entries/0/target_soc", "<= 1"),
        ({"colour": "red"}, "/0/entries/0", "unknown field `colour`"),
        ({"start_time": "2027-02-28T23:00:00Z"}, "/0", "before valid_from"),
        ({"end_time": "2027-03-01T00:45:00Z"}, "/0", "entries[1].start_time"),
    ],
)
def test_refuses_an_entry_naming_place_and_rule(change, pointer, sentence):
    document = as_json(make_schedule(DEVICE, modes="cd"))
    document["entries"][0].update(change)

    with pytest.raises(wire.WireError) as refusal:
        wire.parse_schedules(json.dumps([document]).encode())

    assert refusal.value.pointer == pointer
    assert sentence in refusal.value.detail


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"version": 0}, ">= 1"),
        ({"valid_to": "2027-03-01T00:00:00Z"}, "must be after valid_from"),
        ({"valid_to": "2027-03-01T00:20:00Z"}, "must not be after valid_to"),
        ({"device_id": "dev-1"}, "UUID"),
    ],
)
def test_refuses_a_header_naming_the_rule(change, sentence):
    document = {**as_json(make_schedule(DEVICE, modes="c")), **change}

    with pytest.raises(wire.WireError, match=sentence):
        wire.parse_schedules(json.dumps([document]).encode())


@pytest.mark.parametrize(
    "hostile",
    [
        b'[{"version":' + b"9" * 10_000 + b"}]",
        b'[{"rate_kw":1e400}]',
        b"[" * 10_000,
        b'[{"source":"\\ud800"}]',
        b'[{"source":"\xed\xa0\x80"}]',
        b'{"message_type":"ReceptionStatus","reason":"\\u0000"}',
        b"\xff\xfe",
        b"",
        b"NaN",
    ],
)
@pytest.mark.parametrize(
    "parse", [wire.parse_schedules, wire.parse_device_messages, wire.parse_telemetry]
)
def test_hostile_json_is_a_wire_error_and_nothing_else(parse, hostile):
    with pytest.raises(wire.WireError):
        parse(hostile)


@pytest.mark.parametrize("twice", ['"version":1,', '"version" : 1,', '"version"\n:\t1,'])
def test_refuses_a_key_that_stands_twice(twice):
    raw = wire.render([make_schedule(DEVICE)]).decode()

    with pytest.raises(wire.DuplicateKey, match="version"):
        wire.parse_schedules(raw.replace('"version":1,', twice + '"version":1,', 1).encode())


def test_refuses_a_key_that_stands_twice_in_an_entry_and_in_a_tagged_message():
    schedule = make_schedule(DEVICE)
    entry = wire.render([schedule]).replace(b'"mode":2', b'"mode":2,"mode":1', 1)
    update = wire.render(make_update(schedule)).replace(
        b'"sequence":1', b'"sequence":1,"sequence":2', 1
    )

    with pytest.raises(wire.DuplicateKey, match="mode"):
        wire.parse_schedules(entry)
    with pytest.raises(wire.DuplicateKey, match="sequence"):
        wire.parse_device_messages(update)


def test_a_reason_that_looks_like_a_key_is_no_duplicate():
    schedule = make_schedule(DEVICE)
    update = make_update(schedule, reason='he said "sequence": twice')

    assert wire.parse_device_messages(wire.render(update)) == (update,)


@pytest.mark.parametrize("energy", ["NaN", "Infinity", "-1", "1e7", "0.1234567", "1e-300"])
def test_refuses_an_energy_that_no_meter_shows(energy):
    raw = wire.render(make_update(make_schedule(DEVICE), energy_kwh=Decimal("1.5")))

    with pytest.raises(wire.WireError, match="energy_kwh"):
        wire.parse_device_messages(raw.replace(b'"1.5"', f'"{energy}"'.encode()))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"import_wh": (0, 2, 1)}, r"import_wh\[2\] runs backwards"),
        ({"power_kw": (1.0,)}, "power_kw has 1 samples"),
        ({"soc": (0.1, 0.2, 1.1)}, "<= 1"),
    ],
)
def test_refuses_telemetry_that_cannot_be(fields, sentence):
    document = {**json.loads(wire.render(make_batch(DEVICE))), **fields}

    with pytest.raises(wire.WireError, match=sentence):
        wire.parse_telemetry(json.dumps(document).encode())


def test_command_id_is_uuid5_of_schedule_version_and_start():
    start = datetime(2027, 10, 31, 2, 30, tzinfo=timezone(timedelta(hours=1)))

    identity = wire.command_id(DEVICE, 3, start)

    assert identity == uuid.uuid5(DEVICE, "3/2027-10-31T01:30:00+00:00")


def test_no_status_follows_an_end_and_none_follows_itself():
    for status in wire.InstructionStatus:
        assert not wire.follows(status, status)
        if status in wire.TERMINAL_STATUSES:
            assert not any(wire.follows(status, after) for after in wire.InstructionStatus)
    assert wire.follows(wire.InstructionStatus.STARTED, wire.InstructionStatus.ABORTED)
    assert not wire.follows(wire.InstructionStatus.STARTED, wire.InstructionStatus.ACCEPTED)


def test_every_message_has_a_json_schema():
    schemas = wire.json_schemas()

    assert schemas["ScheduleEntry"]["properties"]["rate_kw"]["maximum"] == 1000
    assert {"Schedule", "ReceptionStatus", "InstructionStatusUpdate", "TelemetryBatch"} <= set(
        schemas
    )


offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@st.composite
def schedules(draw):
    zone = draw(offsets)
    start = draw(
        st.datetimes(datetime(2000, 1, 2), datetime(2100, 1, 1)).map(
            lambda t: t.replace(microsecond=0, tzinfo=UTC).astimezone(zone)
        )
    )
    entries, at = [], start
    for _ in range(draw(st.integers(0, 6))):
        at += timedelta(minutes=draw(st.integers(0, 90)))
        end = at + timedelta(minutes=draw(st.integers(1, 90)))
        entries.append(
            wire.ScheduleEntry(
                start_time=at,
                end_time=end,
                mode=draw(st.sampled_from(wire.Mode)),
                rate_kw=draw(st.floats(0, 1000)),
                **draw(st.just({}) | st.fixed_dictionaries({"target_soc": st.floats(0, 1)})),
                **draw(st.just({}) | st.fixed_dictionaries({"command_id": st.uuids()})),
            )
        )
        at = end
    return wire.Schedule(
        schedule_id=draw(st.uuids()),
        device_id=draw(st.uuids()),
        version=draw(st.integers(1, 2**31 - 1)),
        valid_from=start,
        valid_to=at + timedelta(minutes=1),
        entries=tuple(entries),
        **draw(st.just({}) | st.fixed_dictionaries({"source": st.text("abü\"':, ", max_size=9)})),
        **draw(
            st.just({}) | st.fixed_dictionaries({"status": st.sampled_from(wire.ScheduleStatus)})
        ),
    )


@given(st.lists(schedules(), max_size=4).map(tuple))
def test_parsing_undoes_rendering_of_schedules(given_schedules):
    rendered = wire.render(given_schedules)

    assert wire.parse_schedules(rendered) == given_schedules
    assert wire.render(wire.parse_schedules(rendered)) == rendered
    # The same document, spaced by another program, is the same message.
    spaced = json.dumps(json.loads(rendered), indent=1).encode()
    assert wire.parse_schedules(spaced) == given_schedules


@given(
    st.decimals(0, 1_000_000, places=3),
    st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f")),
    st.sampled_from(wire.InstructionStatus),
)
def test_parsing_undoes_rendering_of_updates(energy, reason, status):
    update = make_update(
        make_schedule(DEVICE, start=DAY_START), status=status, energy_kwh=energy, reason=reason
    )

    assert wire.parse_device_messages(wire.render([update])) == (update,)
