"""
The FIX 4.4 session of an initiator that only listens, without a socket, a clock or a table.

Messages and times go in, steps come out; whoever drives it carries the steps out in order. Rules
after FIX 4.4 volume 2 and the FIX session layer's test cases for buy-side systems.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from trading.markets.fix._codec import BEGIN_STRING, Fields, Message, write_timestamp
from trading.markets.fix._errors import FixError, RejectReason

LOGON_SECONDS = 10.0
LOGOUT_SECONDS = 3.0
MOST_RESENDS = 3
_ADMIN = frozenset("012345A")


class ResetPolicy(StrEnum):
    """Whether sequence numbers may begin again at 1 with a Logon (141=Y)."""

    REFUSE = "REFUSE"
    ACCEPT = "ACCEPT"
    REQUEST = "REQUEST"


@dataclass(frozen=True, slots=True)
class Identity:
    """
    Who speaks with whom, and how.

    heartbeat       seconds without a message after which one is sent
    clock_skew      most that SendingTime (52) may be off, in seconds; 0 does not look
    """

    sender: str
    target: str
    username: str = ""
    password: str = ""
    heartbeat: int = 30
    reset: ResetPolicy = ResetPolicy.REFUSE
    clock_skew: int = 120


@dataclass(frozen=True, slots=True)
class Send:
    """Send a message; it takes the next number unless it fills a gap with one of old."""

    type: str
    fields: Fields = ()
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Accept:
    """Book the message and move on to `following`, in one transaction."""

    message: Message
    following: int


@dataclass(frozen=True, slots=True)
class Advance:
    """Move on to the incoming number `following`: the message needed no booking."""

    following: int


@dataclass(frozen=True, slots=True)
class Restart:
    """Both sides begin again: the next numbers to come in and to go out."""

    incoming: int
    outgoing: int


@dataclass(frozen=True, slots=True)
class Alert:
    """A person should know."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Established:
    """Both sides are logged on."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Close the connection. `is_orderly` if this is how it should end."""

    reason: str
    is_orderly: bool = False


Step = Send | Accept | Advance | Restart | Alert | Established | Disconnect


class _State(StrEnum):
    NEW = "NEW"
    LOGGING_ON = "LOGGING_ON"
    ACTIVE = "ACTIVE"
    LOGGING_OUT = "LOGGING_OUT"
    ENDED = "ENDED"


class Session:
    """
    Answer what arrives on one connection.

    expected    the sequence number that comes next; kept by `Accept`, `Advance` and `Restart`
    outgoing    a mirror of the number that goes out next, for gap fills: the driver sets it
    """

    def __init__(self, identity: Identity, *, expected: int, outgoing: int) -> None:
        self.identity = identity
        self.expected, self.outgoing = expected, outgoing
        self.state = _State.NEW
        self._since: datetime | None = None
        self._received: datetime | None = None
        self._sent: datetime | None = None
        self._tested: datetime | None = None
        # Of a gap: up to which number it is known, when it was last asked for, and how often.
        self._gap_to, self._gap_asked, self._gap_times = 0, 0, 0
        self._gap_at: datetime | None = None

    @property
    def is_active(self) -> bool:
        """Say whether both sides are logged on."""
        return self.state is _State.ACTIVE

    @property
    def is_over(self) -> bool:
        """Say whether the connection is to be closed."""
        return self.state is _State.ENDED

    def open(self, now: datetime) -> Iterator[Step]:
        """Log on."""
        self.state, self._since, self._received = _State.LOGGING_ON, now, now
        identity = self.identity
        fields: list[tuple[int, str | int]] = [(98, 0), (108, identity.heartbeat)]
        if identity.reset is ResetPolicy.REQUEST:
            self.expected = self.outgoing = 1
            yield Restart(1, 1)
            fields.append((141, "Y"))
        if identity.username:
            fields.append((553, identity.username))
        if identity.password:
            fields.append((554, identity.password))
        yield Send("A", fields)

    def close(self, now: datetime) -> Iterator[Step]:
        """Log out, because we were asked to end."""
        if self.state is _State.ACTIVE:
            self.state, self._since = _State.LOGGING_OUT, now
            yield Send("5")
        else:
            yield from self._end("ended before it was established", orderly=True)

    def sent(self, now: datetime) -> None:
        """Take note that something went out."""
        self._sent = now

    def tick(self, now: datetime) -> Iterator[Step]:
        """Do what is due: a heartbeat, a test of a silent line, an end."""
        if self.state is _State.LOGGING_ON and self._past(self._since, now, LOGON_SECONDS):
            yield from self._end(f"no Logon in {LOGON_SECONDS:.0f} seconds")
        elif self.state is _State.LOGGING_OUT and self._past(self._since, now, LOGOUT_SECONDS):
            yield from self._end("no answer to the Logout", orderly=True)
        elif self.state is _State.ACTIVE:
            yield from self._tick_active(now)

    def _tick_active(self, now: datetime) -> Iterator[Step]:
        heartbeat = self.identity.heartbeat
        if self._tested is not None:
            if self._past(self._tested, now, heartbeat):
                yield from self._end(f"silent for {2 * heartbeat} seconds, also when tested")
                return
        elif self._past(self._received, now, heartbeat * 1.2):
            self._tested = now
            yield Send("1", [(112, f"TEST-{now:%H%M%S}")])
        if self._gap_to >= self.expected and self._past(self._gap_at, now, heartbeat):
            yield from self._ask_again(now)
        if self._past(self._sent, now, heartbeat):
            yield Send("0")

    @staticmethod
    def _past(moment: datetime | None, now: datetime, seconds: float) -> bool:
        return moment is not None and now - moment >= timedelta(seconds=seconds)

    def receive(self, message: Message, now: datetime) -> Iterator[Step]:
        """Answer one message whose length and sum are right."""
        if self.is_over:
            return
        self._received, self._tested = now, None
        try:
            self._check_begin(message)
            number = message.integer(34)
        except FixError as error:
            yield from self._refuse(f"{error}", "session.message_unusable")
            return
        try:
            self._check_header(message, now)
        except FixError as error:
            yield from self._reject(message, number, error)
            yield from self._refuse(f"{error}", "session.header_refused")
            return
        if self.state is _State.LOGGING_ON:
            yield from self._logged_on(message, number, now)
        else:
            yield from self._take(message, number, now)

    @staticmethod
    def _check_begin(message: Message) -> None:
        begin = message.get(8)
        if begin.encode("latin-1") != BEGIN_STRING:
            raise FixError(8, f"{begin!r} is spoken and not {BEGIN_STRING.decode()}.")

    def _check_header(self, message: Message, now: datetime) -> None:
        for tag, wanted in ((49, self.identity.target), (56, self.identity.sender)):
            found = message.text(tag)
            if found != wanted:
                raise FixError(tag, f"{found!r} is not {wanted!r}.", RejectReason.COMP_ID_PROBLEM)
        sent_at, skew = message.timestamp(52), self.identity.clock_skew
        if skew and abs(now - sent_at) > timedelta(seconds=skew) and not message.flag(43):
            rule = f"{message.get(52)} is more than {skew} seconds from {write_timestamp(now)}."
            raise FixError(52, rule, RejectReason.SENDING_TIME_INACCURATE)

    def _logged_on(self, message: Message, number: int, now: datetime) -> Iterator[Step]:
        if message.type == "5":
            text = message.get(58) or "no reason given"
            yield Alert("session.logon_refused", text)
            yield from self._end(f"Logon refused: {text}")
            return
        if message.type != "A":
            yield from self._refuse(f"35={message.type} came before a Logon.", "session.no_logon")
            return
        if message.get(141) == "Y" and self.identity.reset is not ResetPolicy.REQUEST:
            if self.identity.reset is ResetPolicy.REFUSE:
                yield from self._refuse(
                    f"ResetSeqNumFlag (141): numbers began again at {number} and {self.expected} "
                    "was due; this venue's policy is to refuse that.",
                    "session.reset_refused",
                )
                return
            if number == 1:
                self.expected, self.outgoing = 1, 2  # our own Logon was the first of the new ones
                yield Restart(1, 2)
        if number < self.expected and not message.flag(43):
            yield from self._too_low(number)
            return
        self.state = _State.ACTIVE
        yield Established()
        if number > self.expected:
            yield from self._gap(message, number, now)
        elif number == self.expected:
            yield self._advance(number + 1)

    def _take(self, message: Message, number: int, now: datetime) -> Iterator[Step]:
        kind = message.type
        if kind == "4" and message.get(123) != "Y":
            yield from self._reset(message, number)
            return
        if number < self.expected:
            yield from self._seen_before(message, number)
            return
        if kind == "2":  # answered even out of order, or both sides wait for each other
            yield from self._fill(message, number)
        if number > self.expected:
            if kind == "5":
                yield from self._logout(message)
            else:
                yield from self._gap(message, number, now)
            return
        if message.fault is not None or kind not in _ADMIN:
            yield Accept(message, number + 1)
            self._moved(number + 1)
        elif kind == "4":
            yield from self._gap_fill(message, number)
        else:
            yield self._advance(number + 1)
            yield from self._administer(message, number)

    def _administer(self, message: Message, number: int) -> Iterator[Step]:
        kind = message.type
        if kind == "1":
            try:
                yield Send("0", [(112, message.text(112))])
            except FixError as error:
                yield from self._reject(message, number, error)
        elif kind == "3":
            about = f"message {message.get(45) or '?'}, tag {message.get(371) or '?'}"
            yield Alert("session.rejected", f"{about}: {message.get(58) or 'no reason given'}")
        elif kind == "5":
            yield from self._logout(message)
        elif kind == "A":
            again = FixError(35, "a second Logon on one connection.")
            yield from self._reject(message, number, again)

    def _logout(self, message: Message) -> Iterator[Step]:
        answered = self.state is _State.LOGGING_OUT
        if not answered:
            yield Send("5")
        text = message.get(58)
        yield from self._end(f"logged out{': ' + text if text else ''}", orderly=True)

    def _seen_before(self, message: Message, number: int) -> Iterator[Step]:
        try:
            repeated = message.flag(43)
        except FixError:
            repeated = False
        if not repeated:
            yield from self._too_low(number)
        # A repeated message below the expected number was booked when it came first.

    def _too_low(self, number: int) -> Iterator[Step]:
        yield from self._refuse(
            f"MsgSeqNum (34) too low: {self.expected} was due and {number} came.",
            "session.sequence_too_low",
        )

    def _gap(self, message: Message, number: int, now: datetime) -> Iterator[Step]:
        """Ask for what is missing, once; again if what is sent again has a hole itself."""
        is_new = self._gap_at is None
        self._gap_to = max(self._gap_to, number)
        has_a_hole = message.get(43) == "Y" and self._gap_asked != self.expected
        if is_new or has_a_hole:
            self._gap_asked, self._gap_times, self._gap_at = self.expected, 1, now
            yield Send("2", [(7, self.expected), (16, 0)])

    def _ask_again(self, now: datetime) -> Iterator[Step]:
        if self._gap_asked == self.expected and self._gap_times >= MOST_RESENDS:
            yield from self._refuse(
                f"{self.expected} to {self._gap_to} were asked for {MOST_RESENDS} times and did "
                "not come.",
                "session.gap_not_filled",
            )
            return
        if self._gap_asked != self.expected:
            self._gap_times = 0
        self._gap_asked, self._gap_at = self.expected, now
        self._gap_times += 1
        yield Send("2", [(7, self.expected), (16, 0)])

    def _gap_fill(self, message: Message, number: int) -> Iterator[Step]:
        try:
            following = message.integer(36)
            if following <= number:
                raise FixError(36, f"{following} does not move on from {number}.")
        except FixError as error:
            yield from self._reject(message, number, error)
            yield self._advance(number + 1)
            return
        yield self._advance(following)

    def _reset(self, message: Message, number: int) -> Iterator[Step]:
        """Follow a SequenceReset in reset mode, which holds whatever its own number is."""
        try:
            following = message.integer(36)
            if following < self.expected:
                raise FixError(36, f"{following} is below {self.expected}, which is due.")
        except FixError as error:
            yield from self._reject(message, number, error)
            return
        if following > self.expected:
            yield Alert(
                "session.sequence_skipped",
                f"{self.expected} to {following - 1} will not come: the venue moved on by a "
                "SequenceReset. Compare its statement with the book.",
            )
        yield self._advance(following)

    def _fill(self, message: Message, number: int) -> Iterator[Step]:
        """We send nothing but session messages, so what is asked for again is a gap to fill."""
        try:
            first, last = message.integer(7), message.integer(16)
            if first < 1 or (last and last < first):
                raise FixError(7, f"{first} to {last} is no range.")
        except FixError as error:
            yield from self._reject(message, number, error)
            return
        if first >= self.outgoing:
            return
        following = self.outgoing if last == 0 else min(last + 1, self.outgoing)
        yield Send("4", [(123, "Y"), (36, following)], number=first)

    def _reject(self, message: Message, number: int, error: FixError) -> Iterator[Step]:
        yield reject(message, number, error)

    def _refuse(self, text: str, kind: str) -> Iterator[Step]:
        yield Alert(kind, text)
        yield Send("5", [(58, text.encode("ascii", "replace").decode())])
        yield from self._end(text)

    def _end(self, reason: str, *, orderly: bool = False) -> Iterator[Step]:
        self.state = _State.ENDED
        yield Disconnect(reason, orderly)

    def _advance(self, following: int) -> Advance:
        self._moved(following)
        return Advance(following)

    def _moved(self, following: int) -> None:
        self.expected = following
        if self._gap_to < following:
            self._gap_to = self._gap_asked = self._gap_times = 0
            self._gap_at = None
        elif self._gap_at is not None:
            self._gap_at = self._received  # the gap is being filled; give it its time


def reject(message: Message, number: int, error: FixError) -> Send:
    """Return the Reject (35=3) of a message, naming the field and the rule."""
    fields: list[tuple[int, str | int]] = [(45, number)]
    if error.tag:
        fields.append((371, error.tag))
    if message.type.isascii() and message.type.isalnum():
        fields.append((372, message.type))
    rule = f"{error.rule}".encode("ascii", "replace").decode().replace("\x01", " ")
    return Send("3", [*fields, (373, int(error.reason)), (58, rule)])
