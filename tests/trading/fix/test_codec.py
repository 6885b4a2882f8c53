"""Frames hold length and sum; what is none is named and passed over, and nothing else is raised."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
import simplefix
from hypothesis import given
from hypothesis import strategies as st

from trading.markets.fix import FixError, Framer, Garbled, Message, decode, encode, read_execution

from .reports import fill, fill_fields, message, with_sum

VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)
FIELDS = st.lists(st.tuples(st.integers(20, 30000).filter(lambda t: t not in (
    90, 93, 95, 212, 348, 350, 352, 354, 356, 358, 360, 362, 364, 445, 618, 621)), VALUES),
    max_size=8)  # fmt: skip


@given(FIELDS)
def test_what_is_encoded_decodes_and_another_implementation_agrees(fields):
    frame = encode([(35, "8"), *fields])

    assert decode(frame).fields[2:-1] == tuple(
        (tag, value.encode()) for tag, value in [(35, "8"), *fields]
    )
    parser = simplefix.FixParser()
    parser.append_buffer(frame)
    assert parser.get_message().encode() == frame


@given(st.binary(max_size=400))
def test_any_bytes_give_a_message_or_the_named_error(noise):
    try:
        decode(noise)
    except FixError as error:
        assert error.rule


@given(st.binary(max_size=120).map(lambda body: with_sum(body + b"\x01")))
def test_any_body_with_a_right_sum_gives_a_message_whose_reading_is_refused_by_tag(frame):
    made = decode(frame)
    with pytest.raises(FixError):
        read_execution(made, zone="Europe/Berlin")


@given(st.data())
def test_a_broken_report_is_refused_by_the_named_error_only(data):
    fields = dict(fill_fields())
    for tag in data.draw(st.lists(st.sampled_from(sorted(fields)), min_size=1, max_size=4)):
        fields[tag] = data.draw(VALUES)
    group = data.draw(st.lists(st.tuples(st.sampled_from([453, 448, 452, 136, 137, 139, 12, 13]),
                                         VALUES), max_size=6))  # fmt: skip
    made = decode(message("8", 1, [*fields.items(), *group]))
    try:
        assert read_execution(made, zone="Europe/Berlin").exec_id
    except FixError as error:
        assert error.tag and error.rule


@given(st.lists(st.one_of(
    st.binary(max_size=40).filter(lambda b: b"8" not in b),
    st.integers(1, 5).map(lambda n: fill(n, f"E{n}"))), max_size=8),
    st.integers(1, 97))  # fmt: skip
def test_good_frames_come_out_of_any_noise_and_any_packets(parts, size):
    stream, framer, found = b"".join(parts), Framer(), []
    for start in range(0, len(stream), size):
        found += framer.feed(stream[start : start + size])

    good = [part for part in parts if part.startswith(b"8=FIX")]
    assert [each.raw for each in found if isinstance(each, Message)] == good
    kept = b"".join(e.raw if isinstance(e, Message) else e.skipped for e in found)
    assert stream.startswith(kept)


@given(st.binary(max_size=600), st.integers(1, 50))
def test_a_framer_never_raises_nor_loses_a_byte_it_does_not_name(noise, size):
    stream, framer = noise.replace(b"\x00", b"8=FIX.4.4\x019=5\x01"), Framer()
    cut = 0
    for start in range(0, len(stream), size):
        for each in framer.feed(stream[start : start + size]):
            cut += len(each.raw if isinstance(each, Message) else each.skipped)
    assert cut + len(framer._buffer) == len(stream)


@pytest.mark.parametrize(
    ("spoil", "tag", "rule"),
    [
        (lambda f: f[:-4] + (b"000\x01" if f[-4:-1] != b"000" else b"001\x01"), 10, "add up to"),
        (lambda f: f.replace(b"31=85.20", b"31=85.30"), 10, "add up to"),
        (lambda f: f.replace(b"9=", b"9=1", 1), 9, "no CheckSum"),
        (lambda f: f.replace(b"8=FIX", b"8=FXX", 1), 8, "starts with"),
        (lambda f: f + b"x", 9, "follow the CheckSum"),
        (lambda f: f.replace(b"\x019=", b"\x0135=8\x019=", 1), 8, "9=length"),
    ],
)
def test_a_refusal_names_tag_and_rule(spoil, tag, rule):
    with pytest.raises(FixError, match=rule) as refused:
        decode(spoil(fill(7)))

    assert refused.value.tag == tag


def test_a_length_too_large_does_not_swallow_the_next_message():
    spoiled = fill(1, "E1").replace(b"9=1", b"9=6", 1)
    found = list(Framer().feed(spoiled + fill(2, "E2")))

    assert isinstance(found[0], Garbled) and found[0].error.tag == 9
    assert [each.get(17) for each in found if isinstance(each, Message)] == ["E2"]


def test_data_fields_hold_separators_and_tags_are_checked():
    raw = with_sum(b"35=8\x0195=5\x0196=a\x01=b\x01\x0158=x\x01")
    assert dict(decode(raw).fields)[96] == b"a\x01=b\x01"
    short = decode(with_sum(b"35=8\x0195=9\x0196=ab\x0158=x\x01"))
    assert short.fault is not None and short.fault.tag == 96
    empty = decode(with_sum(b"35=8\x0158=\x01"))
    assert empty.fault is not None and (empty.fault.tag, empty.fault.reason) == (58, 4)


def test_values_are_read_exactly():
    made = decode(fill(1, t31="-0.000001", t60="20261231-23:59:60.123456789"))

    execution = read_execution(made, zone="Europe/Berlin")

    assert execution.price == Decimal("-0.000001")
    assert execution.transacted_at == datetime(2026, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
    for tag, value in ((31, "1e5"), (31, "NaN"), (32, "0"), (60, "20260230-10:00:00"), (54, "7")):
        with pytest.raises(FixError) as refused:
            read_execution(decode(fill(1, **{f"t{tag}": value})), zone="UTC")
        assert refused.value.tag == tag


def test_groups_are_counted():
    parties = [(453, 2), (448, "ACM"), (447, "D"), (452, 17), (448, "BRK"), (452, 30)]
    execution = read_execution(decode(fill(1, extra=parties)), zone="UTC")
    assert [(p.id, p.role) for p in execution.parties] == [("ACM", 17), ("BRK", 30)]
    with pytest.raises(FixError, match="says 3 and there are 2") as refused:
        read_execution(decode(fill(1, extra=[(453, 3), *parties[1:]])), zone="UTC")
    assert refused.value.tag == 453
