"""A body has one reading, or none."""

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energyopti.foundation.api.parsing import MAX_DEPTH, loads
from energyopti.foundation.api.refusals import Refusal

from .test_problems import problem_of

finite = st.floats(allow_nan=False, allow_infinity=False)
integers = st.integers(-(2**63), 2**63 - 1)
texts = st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=("Cs",)))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), integers, finite, texts),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(texts, inner)),
    max_leaves=20,
)


@given(values, st.booleans())
def test_what_python_writes_is_read_back(value, ascii_only):
    assert loads(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary(max_size=60))
def test_no_bytes_at_all_do_anything_but_parse_or_refuse(body):
    try:
        loads(body)
    except Refusal as refusal:
        assert refusal.status_code == 400


@given(st.text(alphabet='{}[]",:\\u0d8e1+-. nul', max_size=40))
def test_nothing_like_json_does_anything_but_parse_or_refuse(text):
    try:
        loads(text.encode())
    except Refusal as refusal:
        assert refusal.status_code == 400


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        (b'{"a": 1, "a": 2}', "duplicate_key", "/a"),
        (b'{"legs": [{}, {"q": 1, "q/r": {"x": 0, "x": 0}}]}', "duplicate_key", "/legs/1/q~1r/x"),
        (b'{"a": 1, "\\u0061": 2}', "duplicate_key", "/a"),
        (b'{"a": [1, NaN]}', "not_a_number", "/a/1"),
        (b'{"a": -Infinity}', "not_a_number", "/a"),
        (b'{"a": 1e400}', "number_too_large", "/a"),
        (b'{"a": -1e400}', "number_too_large", "/a"),
        (b'{"a": 9223372036854775808}', "number_too_large", "/a"),
        (b'{"a": ' + b"9" * 10_000 + b"}", "number_too_large", "/a"),
        (b'{"a": 0.' + b"1" * 10_000 + b"}", "number_too_long", "/a"),
        (b'{"a": "x\\ud800y"}', "lone_surrogate", "/a"),
        (b'{"a": {"\\udc00": 1}}', "lone_surrogate", "/a"),
        (b'{"a": ["x\\u0000"]}', "nul_character", "/a/0"),
        (b'{"a": "\x00"}', "malformed_json", ""),
        (b'{"a": "\xff"}', "charset", ""),
        ('{"a": 1}'.encode("utf-16"), "charset", ""),
        (b'{"a": "\xed\xa0\x80"}', "charset", ""),
        (b"\xef\xbb\xbf{}", "malformed_json", ""),
        (b"{", "malformed_json", ""),
        (b"{} {}", "malformed_json", ""),
        (b"{'a': 1}", "malformed_json", ""),
        (b"[" * 10_000, "nesting_too_deep", ""),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "nesting_too_deep", ""),
        (b'{"a": 1, "b": "unended', "malformed_json", ""),
    ],
)
def test_a_body_with_two_readings_or_none_is_refused(stranger, body, code, pointer):
    response = stranger.post("/api/v1/sample/open/", body, content_type="application/json")

    problem = problem_of(response, 400)
    assert problem["code"] == code
    assert problem["errors"][0]["pointer"] == pointer


def test_a_pair_of_surrogates_is_a_character():
    assert loads(b'"\\ud83d\\udd0b"') == "🔋"


def test_nesting_up_to_the_bound_is_read():
    assert loads(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)


def test_brackets_inside_texts_do_not_nest():
    assert loads(b'["' + b"[" * 100 + b'\\"{{", "}"]')


@pytest.mark.parametrize("charset", ["utf-16", "iso-8859-1", "utf-7"])
def test_another_charset_is_refused(stranger, charset):
    content_type = f"application/json; charset={charset}"

    response = stranger.generic("POST", "/api/v1/sample/open/", b"{}", content_type=content_type)

    assert problem_of(response, 400)["code"] == "charset"


def test_utf_8_may_be_said(stranger):
    response = stranger.generic(
        "POST",
        "/api/v1/sample/open/",
        b'{"a": 1}',
        content_type='application/json; charset="UTF-8"',
    )

    assert response.json() == {"received": {"a": 1}}


def test_a_body_over_the_bound_is_refused(stranger, settings):
    settings.API_MAX_BODY_BYTES = 100
    body = json.dumps({"a": "x" * 100})

    response = stranger.post("/api/v1/sample/open/", body, content_type="application/json")

    assert problem_of(response, 413)["code"] == "body_too_large"


def test_a_length_that_is_no_number_is_refused(stranger):
    response = stranger.generic(
        "POST",
        "/api/v1/sample/open/",
        b"{}",
        content_type="application/json",
        CONTENT_LENGTH="-5",
    )

    assert problem_of(response, 400)["code"] == "content_length"


@pytest.mark.parametrize(
    ("terminated", "status", "answer"),
    [(True, 200, {"received": {"a": 1}}), (False, 411, None)],
)
def test_a_chunked_body_is_read_to_its_end_or_refused(stranger, terminated, status, answer):
    response = stranger.generic(
        "POST",
        "/api/v1/sample/open/",
        b'{"a": 1}',
        content_type="application/json",
        CONTENT_LENGTH="",
        HTTP_TRANSFER_ENCODING="chunked",
        **{"wsgi.input_terminated": terminated, "wsgi.input": io.BytesIO(b'{"a": 1}')},
    )

    assert response.status_code == status
    if answer:
        assert response.json() == answer
