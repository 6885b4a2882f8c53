"""
Read request bodies with no room for two readings: bounded, UTF-8, unambiguous JSON.

Python's parser takes repeated keys, NaN and half surrogates and falls over deep nesting; two
programs that read such a body differently are how a check is passed with one value and a trade
booked with another. Refused here with 400 (413 for size), naming the place.
"""

import io
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from django.http import HttpRequest, UnreadablePostError
from rest_framework.parsers import BaseParser

from .refusals import Refusal, pointer

MAX_DEPTH = 32
MAX_NUMBER_CHARACTERS = 40
INTEGER_BOUND = 2**63
_READ_CHUNK = 64 * 1024
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")


def read_body(request: HttpRequest, *, limit: int) -> bytes:
    """
    Return the body, reading at most `limit` bytes of it, however it was sent.

    A chunked body carries no length, so the announced one is only the first check. The request
    keeps what was read, with its true length, so that later readers see the same.

    :raises Refusal: 413 above the limit, 400 for a length that is no number or a body cut short.
    """
    if hasattr(request, "_body"):
        body: bytes = request._body
        if len(body) > limit:
            raise _too_large(limit)
        return body
    announced = request.META.get("CONTENT_LENGTH") or "0"
    if not (announced.isascii() and announced.isdigit()):
        raise Refusal(
            "Content-Length must be a whole number of bytes.",
            code="content_length",
            parameter="Content-Length",
        )
    if int(announced) > limit:
        raise _too_large(limit)
    read = _reader(request)
    chunks: list[bytes] = []
    size = 0
    try:
        while chunk := read(min(_READ_CHUNK, limit + 1 - size)):
            chunks.append(chunk)
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
    except UnreadablePostError as error:
        raise Refusal("The body broke off.", code="body_incomplete", pointer="") from error
    body = b"".join(chunks)
    request._body = body  # where Django keeps a body it has read
    request._stream = io.BytesIO(body)
    request.META["CONTENT_LENGTH"] = str(len(body))
    return body


def _reader(request: HttpRequest) -> Callable[[int], bytes]:
    """
    Return what reads the body; Django's own would find a chunked body under WSGI empty.

    :raises Refusal: 411 if the server below cannot tell where a chunked body ends.
    """
    chunked = "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()
    if "wsgi.input" not in request.META or request.META.get("CONTENT_LENGTH") or not chunked:
        return request.read
    if not request.META.get("wsgi.input_terminated"):
        raise Refusal("Send a Content-Length.", code="length_required", status=411)
    read: Callable[[int], bytes] = request.META["wsgi.input"].read
    return read


def _too_large(limit: int) -> Refusal:
    return Refusal(f"The body may have at most {limit:,} bytes.", code="body_too_large", status=413)


class StrictJSONParser(BaseParser):
    """Parse `application/json` with `loads`."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        charset = _charset(media_type or "")
        if charset not in ("", "utf-8", "utf8", "us-ascii"):
            raise Refusal(
                f"JSON is UTF-8 (RFC 8259); the body says “{charset[:40]}”.", code="charset"
            )
        return loads(stream.read())


def _charset(media_type: str) -> str:
    for part in media_type.split(";")[1:]:
        name, _, value = part.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip('"').lower()
    return ""


class _Repeated(dict[str, Any]):
    """An object one of whose keys stands there twice."""

    key: str


class _BadNumber:
    """A number that programs read differently, and the sentence about it."""

    def __init__(self, code: str, detail: str) -> None:
        self.code = code
        self.detail = detail


def loads(body: bytes) -> Any:
    """
    Return the value of a JSON document that has exactly one reading.

    :raises Refusal: 400 with pointer for invalid UTF-8 or JSON, nesting deeper than 32, a
        repeated key, NaN or Infinity, a number too long or too large, half a surrogate pair, NUL.
    """
    _check_depth(body)
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Refusal(
            f"The body is not UTF-8 at byte {error.start}.", code="charset", pointer=""
        ) from error
    suspects = _Suspects()
    try:
        value = json.loads(
            text,
            object_pairs_hook=suspects.object,
            parse_int=suspects.integer,
            parse_float=suspects.float,
            parse_constant=suspects.constant,
        )
    except json.JSONDecodeError as error:
        raise Refusal(
            f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.",
            code="malformed_json",
            pointer="",
        ) from error
    # Only an escape can hide NUL or half a surrogate pair: the decoder refused them raw.
    if suspects.found or "\\u" in text:
        refusal = next(_refusals(value, ()), None)
        if refusal is not None:
            raise refusal
    return value


class _Suspects:
    """Hooks of the JSON decoder, which know no place: they mark, and a second walk finds it."""

    found = False

    def object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) == len(pairs):
            return members
        self.found = True
        repeated = _Repeated(members)
        repeated.key = next(key for key, count in Counter(k for k, _ in pairs).items() if count > 1)
        return repeated

    def integer(self, digits: str) -> Any:
        if len(digits) <= MAX_NUMBER_CHARACTERS and -INTEGER_BOUND <= int(digits) < INTEGER_BOUND:
            return int(digits)
        return self._bad("number_too_large", "Integers lie between −2⁶³ and 2⁶³ − 1.")

    def float(self, digits: str) -> Any:
        if len(digits) > MAX_NUMBER_CHARACTERS:
            rule = f"A number has at most {MAX_NUMBER_CHARACTERS} characters."
            return self._bad("number_too_long", rule)
        value = float(digits)
        if math.isfinite(value):
            return value
        return self._bad("number_too_large", "This number is larger than a double holds.")

    def constant(self, name: str) -> Any:
        return self._bad("not_a_number", f"{name} is not JSON.")

    def _bad(self, code: str, detail: str) -> _BadNumber:
        self.found = True
        return _BadNumber(code, detail)


def _check_depth(body: bytes) -> None:
    """Refuse deep nesting before the recursive decoder meets it, in one linear pass."""
    depth = 0
    for bracket in _BRACKETS.finditer(_STRINGS.sub(b"", body)):
        depth += 1 if bracket.group() in b"[{" else -1
        if depth > MAX_DEPTH:
            raise Refusal(
                f"The body nests deeper than {MAX_DEPTH}.", code="nesting_too_deep", pointer=""
            )


def _refusals(value: Any, place: tuple[str, ...]) -> Iterator[Refusal]:
    if isinstance(value, _BadNumber):
        yield Refusal(value.detail, code=value.code, pointer=pointer(*place))
    elif isinstance(value, str):
        yield from _text_refusals(value, place)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _refusals(item, (*place, str(index)))
    elif isinstance(value, dict):
        if isinstance(value, _Repeated):
            yield Refusal(
                f"The key “{_printable(value.key)}” stands here twice.",
                code="duplicate_key",
                pointer=pointer(*place, _printable(value.key)),
            )
        for key, item in value.items():
            yield from _text_refusals(key, place)
            yield from _refusals(item, (*place, key))


def _text_refusals(text: str, place: tuple[str, ...]) -> Iterator[Refusal]:
    if "\x00" in text:
        yield Refusal("NUL is not text.", code="nul_character", pointer=pointer(*place))
    elif any("\ud800" <= character <= "\udfff" for character in text):
        yield Refusal(
            "Half of a surrogate pair is not text.",
            code="lone_surrogate",
            pointer=pointer(*place),
        )


def _printable(key: str) -> str:
    return key[:80].encode("utf-8", "replace").decode()
