"""Canonical JSON: one value one hash, two values two hashes, official test vectors."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.canonical import canonical_json, read_exactly, sha256_of

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=12,
)


def test_known_hash() -> None:
    # SHA-256 of {"a":1,"b":[true,null]}
    value = {"b": [True, None], "a": 1}

    assert canonical_json(value) == b'{"a":1,"b":[true,null]}'
    assert sha256_of({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


@given(json_values)
def test_reading_what_was_written_gives_the_same_form(value: object) -> None:
    assert canonical_json(read_exactly(json.dumps(value))) == canonical_json(value)


@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20),
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20),
)
def test_numbers_share_a_hash_only_if_they_are_equal(left: Decimal, right: Decimal) -> None:
    hashes = [sha256_of(read_exactly(f"{number:f}")) for number in (left, right)]

    # Spellings of one number (1.0, 1.00) may differ beyond float64; values never collide.
    if left != right:
        assert hashes[0] != hashes[1]


@pytest.mark.parametrize(
    "texts",
    [
        ("0.1", "0.1000000000000000055511151231257827"),
        ("9007199254740993", "9007199254740992"),
        ("1e400", "1e401"),
        ("1e-400", "0"),
    ],
)
def test_numbers_beyond_floats_are_told_apart(texts: tuple[str, str]) -> None:
    assert sha256_of(read_exactly(texts[0])) != sha256_of(read_exactly(texts[1]))


@pytest.mark.parametrize("value", [Decimal(1), float("nan"), "\ud800", object(), 2**60])
def test_what_is_not_json_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="value"):
        canonical_json(value)


def test_not_a_number_is_refused_when_read() -> None:
    with pytest.raises(ValueError, match="NaN is not a JSON number"):
        read_exactly("[NaN]")


def test_official_vectors(shared_data: Path) -> None:
    folder = shared_data / "standards" / "jcs"
    inputs = sorted((folder / "input").glob("*.json"))

    assert inputs
    for path in inputs:
        expected = (folder / "output" / path.name).read_bytes()
        assert canonical_json(json.loads(path.read_text("utf-8"))) == expected.rstrip(b"\n"), path
