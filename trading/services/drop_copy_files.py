"""Logs of FIX messages: the same messages as a session brings, from a file, line by line."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from energyopti.accounts.actors import Actor
from trading.markets.fix import (
    ExecKind,
    FixError,
    Message,
    content_hash,
    decode,
    execution_kind,
    natural_key,
    read_execution,
)
from trading.models import DropCopyMessage, DropCopyVenue, InboxState, MultilegReports
from trading.queries.drop_copy_matching import Unmatched, VenueWords, match_execution, match_legs

from .drop_copy import Taken, receive_messages
from .drop_copy_booking import examine

MOST_BYTES = 50 * 1024 * 1024
LINES_TOGETHER = 100


class LogRefused(ValueError):
    """The file cannot be a log of messages; nothing was read from it."""


@dataclass(frozen=True, slots=True)
class LineFinding:
    """
    What a line is.

    outcome     an `InboxState`, or NEW (would be booked), SEEN, SKIPPED, REFUSED
    """

    line: int
    outcome: str
    text: str
    exec_id: str = ""
    trade_ref: str = ""

    def __str__(self) -> str:
        about = f" {self.exec_id}" if self.exec_id else ""
        return f"line {self.line}: {self.outcome}{about}: {self.text}"


def log_lines(content: bytes) -> Iterator[tuple[int, bytes]]:
    """
    Yield the lines that are not empty, with their numbers, as bytes with SOH between fields.

    What a log writes before "8=FIX" (time, direction) is left out.

    :raises LogRefused: for a file of more than 50 MB.
    """
    if len(content) > MOST_BYTES:
        raise LogRefused(f"file: {len(content):,} bytes; at most {MOST_BYTES:,} are read.")
    for number, line in enumerate(content.split(b"\n"), start=1):
        line = line.strip(b"\r\t ")
        if not line:
            continue
        start = line.find(b"8=FIX")
        frame = line[start:] if start >= 0 else line
        if b"\x01" not in frame:
            frame = frame.replace(b"|", b"\x01")
        yield number, frame if frame.endswith(b"\x01") else frame + b"\x01"


def import_log(
    *, actor: Actor, venue: DropCopyVenue, content: bytes, source: str, received_at: datetime
) -> Iterator[LineFinding]:
    """
    Book the executions of a log, a hundred lines a transaction; a session is not moved.

    A file imported again books nothing again, nor what a session has brought already.

    :raises PermissionMissing: without `trading.book_fill`.
    :raises LogRefused: as `log_lines`.
    """
    actor.require("trading.book_fill")
    lines = iter(log_lines(content))
    while batch := list(islice(lines, LINES_TOGETHER)):
        read = [(line, _read(venue, line, frame)) for line, frame in batch]
        messages = [found for _, found in read if isinstance(found, Message)]
        answers = iter(
            receive_messages(
                actor=actor, venue=venue, messages=messages, received_at=received_at, source=source
            )
        )
        for line, found in read:
            if isinstance(found, LineFinding):
                yield found
            else:
                yield _found(line, found, next(answers))


def _found(line: int, message: Message, taken: Taken) -> LineFinding:
    text = taken.reason or "booked"
    if not taken.is_new:
        text = f"came before ({taken.state}{': ' + taken.reason if taken.reason else ''})"
    state = taken.state if taken.is_new else "SEEN"
    return LineFinding(line, state, text, message.get(17), taken.trade_ref)


def examine_log(
    *, actor: Actor, venue: DropCopyVenue, content: bytes, received_at: datetime
) -> Iterator[LineFinding]:
    """
    Say of each line what `import_log` would do; write nothing and lock nothing.

    :raises PermissionMissing, LogRefused: as `import_log`.
    """
    actor.require("trading.book_fill")
    words = VenueWords(venue)
    seen: set[str] = set()
    names: dict[tuple[str, object], str] = {}
    for line, frame in log_lines(content):
        message = _read(venue, line, frame)
        if isinstance(message, LineFinding):
            yield message
            continue
        digest = content_hash(message)
        if digest in seen or DropCopyMessage.objects.filter(
            venue=venue, content_hash=digest
        ).exists():  # fmt: skip
            yield LineFinding(line, "SEEN", "came before", message.get(17))
        else:
            seen.add(digest)
            yield _examined(actor, words, line, message, names, digest, received_at)


def _examined(
    actor: Actor,
    words: VenueWords,
    line: int,
    message: Message,
    names: dict[tuple[str, object], str],
    digest: str,
    received_at: datetime,
) -> LineFinding:
    exec_id, venue = message.get(17), words.venue
    try:
        if message.type != "8":
            return LineFinding(line, InboxState.NO_TRADE, f"35={message.type}", exec_id)
        key = natural_key(message, zone=venue.time_zone)
        known = DropCopyMessage.objects.filter(venue=venue, exec_id=key[0], trade_date=key[1])
        if names.setdefault(key, digest) != digest or known.exists():
            text = "this ExecID (17) came before with other terms"
            return LineFinding(line, InboxState.BY_HAND, f"tag 17: {text}", exec_id)
        if execution_kind(message) is None:
            return LineFinding(line, InboxState.NO_TRADE, "news of an order", exec_id)
        execution = read_execution(message, zone=venue.time_zone)
        if execution.kind is not ExecKind.TRADE:
            text = f"{execution.kind.name.lower()} of {execution.refers_to}"
            return LineFinding(line, execution.kind.name, text, exec_id)
        if execution.legs and venue.multileg == MultilegReports.APART:
            return LineFinding(line, InboxState.NO_TRADE, "its legs come by themselves", exec_id)
        if execution.legs and venue.multileg == MultilegReports.PACKAGE:
            legs = match_legs(words, execution)
            for leg in legs:
                examine(actor=actor, fill=leg, received_at=received_at)
            return LineFinding(line, "NEW", f"a package of {len(legs)} deals", exec_id)
        fill = match_execution(words, execution)
        examine(actor=actor, fill=fill, received_at=received_at)
    except (FixError, Unmatched) as error:
        return LineFinding(line, InboxState.UNMATCHED, str(error), exec_id)
    deal = fill.deal
    text = (
        f"{deal.side.value} {execution.quantity} of {execution.instrument.symbol} at "
        f"{execution.price} {deal.fixed_legs[0].currency}, {deal.kind.value}, book "
        f"{fill.book_code}"
    )
    return LineFinding(line, "NEW", " ".join([text, *execution.remarks]), exec_id)


def _read(venue: DropCopyVenue, line: int, frame: bytes) -> Message | LineFinding:
    try:
        message = decode(frame)
    except FixError as error:
        return LineFinding(line, "REFUSED", str(error))
    if message.get(49) != venue.target_comp_id or message.get(56) != venue.sender_comp_id:
        way = f"{message.get(49) or '?'} to {message.get(56) or '?'}"
        text = f"{way}: not from the venue to us"
        return LineFinding(line, "SKIPPED", text, message.get(17))
    if message.type in frozenset("012345A"):
        return LineFinding(line, "SKIPPED", f"35={message.type} is of the session")
    return message
