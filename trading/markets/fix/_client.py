"""
Drive a session over TCP or TLS, and connect again when it ends.

What must outlive this process is the journal's: it books a message and moves the sequence number
in one transaction, so the process may be killed at any instruction.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import ssl
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from trading.markets.fix._codec import Framer, Garbled, Message, encode, write_timestamp
from trading.markets.fix._errors import FixError
from trading.markets.fix._session import (
    Accept,
    Advance,
    Alert,
    Disconnect,
    Established,
    Identity,
    Restart,
    Send,
    Session,
    Step,
    reject,
)

logger = logging.getLogger(__name__)
CONNECT_SECONDS = 10.0
TICK_SECONDS = 0.5
# Executions booked in one transaction: it holds the locks of their books.
MOST_TOGETHER = 100
Result = TypeVar("Result")


class JournalUnavailable(OSError):
    """The journal cannot be written now; nothing was, and the connection is closed for it."""


class JournalMoved(RuntimeError):
    """Another process has moved the sequence numbers: this one is no longer at work."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """The next sequence numbers of a session."""

    incoming: int
    outgoing: int


class Journal(Protocol):
    """What a client needs remembered; every call is one transaction, committed when it returns."""

    def numbers(self) -> Numbers: ...
    def take_outgoing(self) -> int: ...
    def accept(self, messages: Sequence[Message], following: int) -> list[FixError | None]: ...
    def advance(self, following: int) -> None: ...
    def restart(self, incoming: int, outgoing: int) -> None: ...
    def alert(self, kind: str, text: str) -> None: ...
    def connected(self) -> None: ...
    def disconnected(self, reason: str) -> None: ...
    def may_go_on(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Address:
    """Where a venue listens; `tls` None is plain TCP."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait before connecting again: doubling, with jitter, back after a Logon."""

    first: float = 1.0
    longest: float = 60.0


class Client:
    """Keep one session of a venue going until told to stop."""

    def __init__(
        self,
        address: Address,
        identity: Identity,
        journal: Journal,
        *,
        clock: Callable[[], datetime],
        backoff: Backoff | None = None,
    ) -> None:
        self._address, self._identity, self._journal = address, identity, journal
        self._clock, self._backoff = clock, backoff or Backoff()
        # One thread for the journal: its calls are in order and share one database connection.
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="fix-journal")
        self._established = False

    async def run(self, stop: asyncio.Event, *, close_journal: Callable[[], None]) -> None:
        """
        Connect, listen, connect again.

        close_journal   called last, in the journal's own thread

        :raises JournalMoved: if another process is at work with the same session.
        """
        delay = self._backoff.first
        try:
            while not stop.is_set():
                self._established = False
                reason = await self._converse(stop)
                if stop.is_set():
                    break
                delay = self._backoff.first if self._established else delay
                wait = delay * random.uniform(0.75, 1.25)  # noqa: S311 - spreads reconnects
                logger.warning("drop copy: %s; again in %.1f s", reason, wait)
                delay = min(2 * delay, self._backoff.longest)
                await _first_of(stop.wait(), wait)
        finally:
            await self._journaled(close_journal)
            self._worker.shutdown()

    async def _journaled(self, call: Callable[..., Result], *arguments: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._worker, call, *arguments)

    async def _converse(self, stop: asyncio.Event) -> str:
        """Hold one connection from connect to close, and return why it ended."""
        try:
            numbers = await self._journaled(self._journal.numbers)
            reader, writer = await asyncio.wait_for(
                asyncio.open_connection(
                    self._address.host, self._address.port, ssl=self._address.tls
                ),
                CONNECT_SECONDS,
            )
        except (OSError, TimeoutError) as error:
            return f"no connection to the venue ({error or type(error).__name__})"
        session = Session(self._identity, expected=numbers.incoming, outgoing=numbers.outgoing)
        line = _Line(session, writer, self)
        try:
            reason = await self._listen(line, reader, stop)
        except (OSError, TimeoutError) as error:
            reason = f"the line broke ({error or type(error).__name__})"
        finally:
            if line.is_broken:
                writer.transport.abort()
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        if self._established:
            try:
                await self._journaled(self._journal.disconnected, reason)
            except JournalUnavailable as error:
                reason = f"{reason}; {error}"
        return reason

    async def _listen(self, line: _Line, reader: asyncio.StreamReader, stop: asyncio.Event) -> str:
        framer, session, is_leaving = Framer(), line.session, False
        await line.carry_out(session.open(self._clock()))
        reading: asyncio.Task[bytes] | None = None
        try:
            while not session.is_over:
                reading = reading or asyncio.ensure_future(reader.read(65_536))
                await asyncio.wait({reading}, timeout=TICK_SECONDS)
                if reading.done():
                    arrived, reading = reading.result(), None
                    if not arrived:
                        return "the venue closed the connection"
                    await self._take(line, framer, arrived)
                if not await self._journaled(self._journal.may_go_on):
                    raise JournalMoved("the lease on this venue is lost.")
                await line.carry_out(session.tick(self._clock()))
                if stop.is_set() and not is_leaving:
                    is_leaving = True  # the Logout goes out; what is left is its answer
                    await line.carry_out(session.close(self._clock()))
        finally:
            if reading is not None:
                reading.cancel()
        return line.reason

    async def _take(self, line: _Line, framer: Framer, arrived: bytes) -> None:
        """Answer what one read brought; executions that follow on each other are booked at once."""
        for found in framer.feed(arrived):
            if line.session.is_over:
                break
            if isinstance(found, Garbled):
                # Passed over, as the standard says: the gap it leaves is asked for.
                logger.warning(
                    "drop copy: %d bytes passed over: %s", len(found.skipped), found.error
                )
                continue
            await line.carry_out(line.session.receive(found, self._clock()))
        await line.book()

    async def note_established(self) -> None:
        self._established = True
        await self._journaled(self._journal.connected)


class _Line:
    """
    Carry out the steps of a session, each before the next is asked for.

    Messages to be booked are held back up to the next step of another kind, or `book`: until
    then nothing else is written or sent.
    """

    def __init__(self, session: Session, writer: asyncio.StreamWriter, client: Client) -> None:
        self.session, self.reason = session, "ended"
        self.is_broken = True
        self._writer, self._client = writer, client
        self._waiting: list[Accept] = []

    async def carry_out(self, steps: Iterable[Step]) -> None:
        journal, journaled = self._client._journal, self._client._journaled
        for step in steps:
            if isinstance(step, Accept):
                self._waiting.append(step)
                if len(self._waiting) >= MOST_TOGETHER:
                    await self.book()
                continue
            await self.book()
            if isinstance(step, Send):
                await self._send(step)
            elif isinstance(step, Advance):
                await journaled(journal.advance, step.following)
            elif isinstance(step, Restart):
                await journaled(journal.restart, step.incoming, step.outgoing)
                self.session.outgoing = step.outgoing
            elif isinstance(step, Alert):
                logger.error("drop copy: %s: %s", step.kind, step.text)
                await journaled(journal.alert, step.kind, step.text)
            elif isinstance(step, Established):
                await self._client.note_established()
            elif isinstance(step, Disconnect):
                self.reason, self.is_broken = step.reason, False

    async def book(self) -> None:
        """Book what waits, in one transaction, and tell the venue what was malformed."""
        steps, self._waiting = self._waiting, []
        if not steps:
            return
        errors = await self._client._journaled(
            self._client._journal.accept, [step.message for step in steps], steps[-1].following
        )
        for step, error in zip(steps, errors, strict=True):
            if error is not None:
                await self._send(reject(step.message, step.following - 1, error))

    async def _send(self, step: Send) -> None:
        fills_a_gap = step.number is not None
        if step.number is not None:
            number = step.number
        else:
            # Committed before it is sent: a number is never used for two messages.
            number = await self._client._journaled(self._client._journal.take_outgoing)
            self.session.outgoing = number + 1
        identity, now = self.session.identity, self._client._clock()
        header: list[tuple[int, str | int]] = [
            (35, step.type), (49, identity.sender), (56, identity.target), (34, number),
            (52, write_timestamp(now)),
        ]  # fmt: skip
        if fills_a_gap:
            header += [(43, "Y"), (122, write_timestamp(now))]
        self._writer.write(encode([*header, *step.fields]))
        await asyncio.wait_for(self._writer.drain(), CONNECT_SECONDS)
        self.session.sent(now)


async def _first_of(waiting: Any, seconds: float) -> None:
    try:
        await asyncio.wait_for(waiting, seconds)
    except TimeoutError:
        return
