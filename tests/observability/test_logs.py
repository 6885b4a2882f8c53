"""Log lines: one JSON object each, forged by nobody, without secrets, with one id per cause."""

import io
import json
import logging

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from energyopti.observability.correlation import correlated, current_request_id
from energyopti.observability.logs import MASK, clean, formatter


@pytest.fixture
def lines():
    """What a logger writes through our formatter, one parsed object a line."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter())
    logger = logging.getLogger("eop.test.logs")
    logger.addHandler(handler)
    logger.setLevel("DEBUG")
    logger.propagate = False

    def read() -> list[dict]:
        return [json.loads(line) for line in stream.getvalue().splitlines()]

    yield logger, read
    logger.removeHandler(handler)


def test_line_end_in_a_user_name_does_not_make_a_second_line(lines) -> None:
    logger, read = lines

    logger.warning("sign-in of %s failed", 'eve\r\n{"level": "info", "event": "sign-in of admin"}')

    [line] = read()
    assert "\\u000d\\u000a" in line["event"]


def test_terminal_escapes_are_visible_text(lines) -> None:
    logger, read = lines

    logger.info("hello \x1b[2J\x1b]0;owned\x07 \u202egnp.exe \x9b31m")

    [line] = read()
    assert not any(
        ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in line["event"]
    )
    assert "\u202e" not in line["event"]


def test_html_stays_text_and_very_long_names_are_cut(lines) -> None:
    logger, read = lines

    logger.info("name %s", "<script>alert(1)</script>" + "x" * 100_000)

    [line] = read()
    assert len(line["event"]) < 4200
    assert "characters)" in line["event"]


@pytest.mark.parametrize(
    "text",
    [
        "password=hunter2secret",
        "client_secret=abcdefgh&scope=x",
        "GET /callback?code=abc123def&state=1",
        "Authorization: Bearer abcdef.ghijkl",
        "basic YWxhZGRpbjpvcGVu",
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----",
        "GET /accounts/password/reset/key/1a-cxyz-tokentoken/ 200",
        "postgres://eop:s3cr3t@db/eop",
        "card 4111 1111 1111 1111 was refused",
    ],
)
def test_secret_inside_a_text_is_masked(text: str) -> None:
    cleaned = clean(text)

    assert MASK in cleaned
    for secret in (
        "hunter2secret",
        "abcdefgh",
        "abc123def",
        "abcdef.ghijkl",
        "YWxhZGRpbjpvcGVu",
        "eyJzdWIi",
        "MIIEvQ",
        "tokentoken",
        "s3cr3t",
        "4111 1111",
    ):
        assert secret not in cleaned


def test_secret_names_are_masked_at_any_depth() -> None:
    cleaned = clean(
        {"user": {"Password": "x", "list": [{"api_key": "y"}]}, "headers": {"Cookie": "z"}, "n": 1}
    )

    assert cleaned == {
        "user": {"Password": MASK, "list": [{"api_key": MASK}]},
        "headers": {"Cookie": MASK},
        "n": 1,
    }


def test_ordinary_numbers_and_ids_are_left_alone() -> None:
    text = "trade 6d4f1780-59cf-40c7-a220-e50acea3adb5 of 12500 MWh at 2026-11-21T05:08:45.679813Z"

    assert clean(text) == text


@given(st.text(max_size=200))
def test_no_text_breaks_out_of_its_line(text: str) -> None:
    cleaned = clean(text)

    assert len(cleaned.splitlines()) <= 1
    assert json.loads(json.dumps(cleaned)) == cleaned


def test_exception_is_one_line_and_masked(lines) -> None:
    logger, read = lines

    try:
        raise ValueError("cannot reach redis://default:topsecret@cache:6379\nsecond line")
    except ValueError:
        logger.exception("it broke")

    [line] = read()
    assert "topsecret" not in json.dumps(line)
    assert "ValueError" in line["exception"]


def test_everything_inside_carries_the_id_and_nothing_after(lines) -> None:
    logger, read = lines

    with correlated("device-7.seq-12", device_id="7") as request_id:
        logger.info("inside")
        structlog.get_logger("eop.test.logs").info("inside, too")
    logger.info("outside")

    inside, _, outside = read()
    assert request_id == "device-7.seq-12"
    assert inside["request_id"] == request_id
    assert inside["device_id"] == "7"
    assert "request_id" not in outside


@pytest.mark.parametrize(
    ("given_id", "kept"),
    [("abc\r\ndef", "abcdef"), ("a" * 500, "a" * 80), ("x/../y;z", "x..yz")],
)
def test_foreign_id_is_cleaned(given_id: str, kept: str) -> None:
    with correlated(given_id) as request_id:
        assert request_id == kept
        assert current_request_id() == kept


def test_without_an_id_a_new_one_is_made() -> None:
    with correlated() as first, correlated() as second:
        assert first != second
    assert current_request_id() == ""
