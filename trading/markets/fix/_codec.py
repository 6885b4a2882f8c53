"""
FIX 4.4 tag=value encoding: frames out of a stream of bytes, fields out of a frame, and back.

A frame counts only if BodyLength (9) and CheckSum (10) both hold; anything else is garbled, is
named, and is passed over up to the next "8=FIX", as FIX 4.4 volume 2 rules. A session then sees
the gap in the sequence numbers and asks again, so nothing is lost by passing over it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from trading.markets.fix._errors import FixError, RejectReason

SOH = b"\x01"
BEGIN_STRING = b"FIX.4.4"
MAXIMUM_BODY = 65_536
Fields = Sequence[tuple[int, str | int]]

_START = b"8=FIX"
_HEAD = re.compile(rb"8=(FIX[!-~]{1,10})\x019=([0-9]{1,7})\x01")
_TRAILER = re.compile(rb"10=([0-9]{3})\x01")
_LONGEST_HEAD = 32
_TRAILER_LENGTH = 7
_NEXT_MESSAGE = re.compile(rb"\x0110=[0-9]{3}\x01(?=8=FIX)")
_TAG = re.compile(rb"[1-9][0-9]{0,8}")
# Data fields may hold any byte; the field before each says how many (FIX 4.4, type "data").
_DATA_LENGTHS = {
    90: 91, 93: 89, 95: 96, 212: 213, 348: 349, 350: 351, 352: 353, 354: 355, 356: 357, 358: 359,
    360: 361, 362: 363, 364: 365, 445: 446, 618: 619, 621: 622,
}  # fmt: skip
_NUMBER = re.compile(r"-?[0-9]{1,18}(\.[0-9]{0,12})?|-?\.[0-9]{1,12}")
_INTEGER = re.compile(r"[0-9]{1,15}")
_TIMESTAMP = re.compile(
    r"([0-9]{4})([0-9]{2})([0-9]{2})-([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,12}))?"
)


@dataclass(frozen=True, slots=True)
class Garbled:
    """Bytes of a stream that are no message, and why."""

    error: FixError
    skipped: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """
    A frame whose length and sum are right.

    fields      in their order, BeginString to CheckSum
    fault       the first field that is no field, where there is one; those before it are there
    """

    fields: tuple[tuple[int, bytes], ...]
    raw: bytes
    fault: FixError | None = None

    @property
    def type(self) -> str:
        """Return MsgType (35), empty if there is none."""
        return self.get(35)

    def get(self, tag: int) -> str:
        """Return the first value of a field as text, empty if there is none."""
        for each, value in self.fields:
            if each == tag:
                return value.decode("latin-1")
        return ""

    def has(self, tag: int) -> bool:
        """Say whether a field is there."""
        return any(each == tag for each, _ in self.fields)

    def text(self, tag: int) -> str:
        """
        Return a field that must be there once, in printable ASCII.

        :raises FixError: naming the tag.
        """
        values = [value for each, value in self.fields if each == tag]
        if not values:
            raise FixError(tag, "is missing.", RejectReason.REQUIRED_TAG_MISSING)
        if len(values) > 1:
            raise FixError(tag, f"stands {len(values)} times.", RejectReason.TAG_TWICE)
        return _ascii(tag, values[0])

    def optional(self, tag: int) -> str:
        """Return a field that may be absent, empty if it is; else as `text`."""
        return self.text(tag) if self.has(tag) else ""

    def integer(self, tag: int) -> int:
        """Return a whole number ≥ 0. :raises FixError: naming the tag."""
        return as_integer(tag, self.text(tag))

    def number(self, tag: int) -> Decimal:
        """Return a decimal number, exact. :raises FixError: naming the tag."""
        return as_number(tag, self.text(tag))

    def timestamp(self, tag: int) -> datetime:
        """Return a UTCTimestamp, to the microsecond. :raises FixError: naming the tag."""
        return as_timestamp(tag, self.text(tag))

    def day(self, tag: int) -> date:
        """Return a LocalMktDate (YYYYMMDD). :raises FixError: naming the tag."""
        value = self.text(tag)
        if re.fullmatch(r"[0-9]{8}", value):
            try:
                return date(int(value[:4]), int(value[4:6]), int(value[6:]))
            except ValueError:
                pass
        raise FixError(tag, f"{value!r} is no date YYYYMMDD.", RejectReason.FORMAT_INCORRECT)

    def flag(self, tag: int) -> bool:
        """Return a Boolean, false where the field is absent. :raises FixError: naming the tag."""
        value = self.optional(tag) or "N"
        if value not in ("Y", "N"):
            raise FixError(tag, f"{value!r} is neither Y nor N.", RejectReason.FORMAT_INCORRECT)
        return value == "Y"

    def group(self, count_tag: int, members: tuple[int, ...]) -> tuple[dict[int, str], ...]:
        """
        Return the entries of a repeating group, each by tag; its first member opens an entry.

        Fields that the entries hold beside `members` (a group within the group) are passed over.

        :raises FixError: naming the count, if there are more or fewer entries than it says.
        """
        if not self.has(count_tag):
            return ()
        wanted, entries = self.integer(count_tag), list[dict[int, str]]()
        tags = [tag for tag, _ in self.fields]
        for tag, value in self.fields[tags.index(count_tag) + 1 :]:
            if tag == members[0]:
                entries.append({})
            elif not entries:
                break
            if tag in members:
                if tag in entries[-1]:
                    raise FixError(tag, "stands twice in one entry.", RejectReason.TAG_TWICE)
                entries[-1][tag] = _ascii(tag, value)
        if len(entries) != wanted:
            raise FixError(
                count_tag,
                f"says {wanted} and there are {len(entries)}.",
                RejectReason.GROUP_COUNT_INCORRECT,
            )
        return tuple(entries)


def _ascii(tag: int, value: bytes) -> str:
    if not value.isascii() or not value.decode("ascii").isprintable():
        raise FixError(tag, "is not printable ASCII.", RejectReason.FORMAT_INCORRECT)
    return value.decode("ascii")


def as_integer(tag: int, value: str) -> int:
    """Return a whole number ≥ 0. :raises FixError: naming the tag."""
    if _INTEGER.fullmatch(value) is None:
        raise FixError(tag, f"{value[:40]!r} is no whole number.", RejectReason.FORMAT_INCORRECT)
    return int(value)


def as_number(tag: int, value: str) -> Decimal:
    """Return a FIX float, exact: digits with or without a point, no exponent."""
    if _NUMBER.fullmatch(value) is None:
        raise FixError(tag, f"{value[:40]!r} is no number.", RejectReason.FORMAT_INCORRECT)
    return Decimal(value)


def as_timestamp(tag: int, value: str) -> datetime:
    """Return a UTCTimestamp YYYYMMDD-HH:MM:SS[.fraction], to the microsecond."""
    if match := _TIMESTAMP.fullmatch(value):
        year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
        micros = int(((match[7] or "") + "000000")[:6])
        # A leap second is 60; the clock here has none, so it is the last moment before it.
        if second == 60:
            second, micros = 59, 999_999
        try:
            return datetime(year, month, day, hour, minute, second, micros, tzinfo=UTC)
        except ValueError:
            pass
    raise FixError(
        tag, f"{value[:40]!r} is no time YYYYMMDD-HH:MM:SS.", RejectReason.FORMAT_INCORRECT
    )


def write_timestamp(moment: datetime) -> str:
    """Return a UTCTimestamp with milliseconds."""
    moment = moment.astimezone(UTC)
    return f"{moment:%Y%m%d-%H:%M:%S}.{moment.microsecond // 1000:03d}"


def encode(fields: Fields) -> bytes:
    """
    Return a message of fields from MsgType (35) on, with BodyLength and CheckSum.

    :raises FixError: naming a tag whose value is empty or holds the separator.
    """
    body = bytearray()
    for tag, value in fields:
        text = str(value)
        if not text:
            raise FixError(tag, "is empty.", RejectReason.EMPTY_VALUE)
        if "\x01" in text or not text.isascii():
            raise FixError(tag, "is not ASCII on one line.", RejectReason.FORMAT_INCORRECT)
        body += f"{tag}={text}".encode("ascii") + SOH
    start = b"8=" + BEGIN_STRING + SOH + b"9=%d" % len(body) + SOH + bytes(body)
    return start + b"10=%03d" % (sum(start) % 256) + SOH


def decode(frame: bytes) -> Message:
    """
    Return the message that the bytes are, whole and alone.

    :raises FixError: naming the tag and the rule; nothing else, whatever the bytes are.
    """
    head = _HEAD.match(frame)
    if head is None:
        raise FixError(8, "a message starts with 8=FIX… and 9=length.")
    length = int(head[2])
    if length > MAXIMUM_BODY:
        raise FixError(9, f"{length} is more than {MAXIMUM_BODY} bytes.")
    end = head.end() + length
    trailer = _TRAILER.match(frame, end)
    if trailer is None or frame[end - 1 : end] != SOH:
        raise FixError(9, f"{length} bytes on there is no CheckSum (10).")
    if len(frame) != trailer.end():
        raise FixError(9, f"{len(frame) - trailer.end()} bytes follow the CheckSum (10).")
    summed = sum(frame[:end]) % 256
    if int(trailer[1]) != summed:
        raise FixError(10, f"is {trailer[1].decode()} and the bytes add up to {summed:03d}.")
    return _split(frame)


def _split(frame: bytes) -> Message:
    fields: list[tuple[int, bytes]] = []
    position, data_tag, data_length = 0, 0, 0
    while position < len(frame):
        equals = frame.find(b"=", position)
        tag_bytes = frame[position:equals] if equals > 0 else frame[position:]
        if equals < 0 or _TAG.fullmatch(tag_bytes) is None:
            rule = f"{tag_bytes[:20]!r} stands where a tag should."
            return Message(tuple(fields), frame, FixError(0, rule, RejectReason.INVALID_TAG))
        tag, start = int(tag_bytes), equals + 1
        if data_tag and tag == data_tag:
            end = start + data_length
            if frame[end : end + 1] != SOH:
                rule = f"has not the {data_length} bytes that the field before it says."
                return Message(tuple(fields), frame, FixError(tag, rule))
        else:
            end = frame.find(SOH, start)
            if end < 0:
                return Message(tuple(fields), frame, FixError(tag, "does not end."))
        value = frame[start:end]
        if not value:
            error = FixError(tag, "is empty.", RejectReason.EMPTY_VALUE)
            return Message(tuple(fields), frame, error)
        fields.append((tag, value))
        data_tag = _DATA_LENGTHS.get(tag, 0)
        if data_tag:
            if not re.fullmatch(rb"[0-9]{1,6}", value):
                error = FixError(tag, "is no length.", RejectReason.FORMAT_INCORRECT)
                return Message(tuple(fields), frame, error)
            data_length = int(value)
        position = end + 1
    return Message(tuple(fields), frame)


class Framer:
    """Cut a stream of bytes into messages, and name what is none."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, arrived: bytes) -> Iterator[Message | Garbled]:
        """Take bytes as they arrive and yield what is complete; never raises."""
        self._buffer += arrived
        while (found := self._next()) is not None:
            yield found

    def _next(self) -> Message | Garbled | None:
        buffer = self._buffer
        start = buffer.find(_START)
        if start != 0:
            return self._skip_to(start)
        head = _HEAD.match(buffer)
        if head is None:
            if len(buffer) < _LONGEST_HEAD:
                return None
            return self._skip(FixError(9, "is not the second field, or no length."))
        length = int(head[2])
        if length > MAXIMUM_BODY:
            return self._skip(FixError(9, f"{length} is more than {MAXIMUM_BODY} bytes."))
        size = head.end() + length + _TRAILER_LENGTH
        if len(buffer) < size:
            # A length too large must not swallow the messages behind it.
            if _NEXT_MESSAGE.search(buffer, head.end()):
                return self._skip(FixError(9, f"{length} reaches into the next message."))
            return None
        try:
            message = decode(bytes(buffer[:size]))
        except FixError as error:
            if error.tag == 10:  # the trailer is where it should be: the frame ends there
                return self._cut(size, error)
            return self._skip(error)
        del buffer[:size]
        return message

    def _skip_to(self, start: int) -> Garbled | None:
        """Pass over what comes before a start of message, or keep what may become one."""
        if start < 0:
            start = self._tail()
        if start == 0:
            return None
        return self._cut(start, FixError(8, "a message starts with 8=FIX."))

    def _skip(self, error: FixError) -> Garbled:
        following = self._buffer.find(_START, 1)
        return self._cut(following if following > 0 else max(1, self._tail()), error)

    def _tail(self) -> int:
        """Return where the bytes end, less what may be the start of a message to come."""
        size = len(self._buffer)
        for kept in range(min(len(_START) - 1, size), 0, -1):
            if self._buffer.endswith(_START[:kept]):
                return size - kept
        return size

    def _cut(self, size: int, error: FixError) -> Garbled:
        skipped = bytes(self._buffer[:size])
        del self._buffer[:size]
        return Garbled(error, skipped)
