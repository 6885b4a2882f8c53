"""
Durable followers of the event log: who they are. `relay` moves them, `workers` runs them.

A follower registers in its app's `ready()`. Its `handle` runs in the transaction that moves its
cursor, so what it writes to the database happens exactly once. It must not talk to the outside in
there (a rolled-back batch would say it twice): it writes a row that a task then delivers.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from energyopti.foundation.registry import Registry

from .models import Event


class Start(Enum):
    """Where a follower begins that has never run."""

    BEGINNING = "beginning"  # with the first event of the log
    NOW = "now"  # with the first event after its first run


def key_of_event(event: Event) -> str:
    return event.key


@dataclass(frozen=True)
class Follower:
    """
    Somebody who applies every event of the log, each key in order.

    event_types     exact types, or prefixes such as "trade.*"; None follows all.
    key_of          what keeps order and what a poisoned event blocks; the event's key by default.
    batch_size      events in one transaction at most.
    batch_seconds   a batch is cut after this time: its transaction holds back other followers.
    attempts        how often `handle` may raise for one event before it is parked for a person.
    retry_seconds   pause after the first failure; doubles with each, up to a minute.
    """

    name: str
    handle: Callable[[Event], None]
    event_types: frozenset[str] | None = None
    key_of: Callable[[Event], str] = key_of_event
    start: Start = Start.BEGINNING
    batch_size: int = 500
    batch_seconds: float = 0.5
    attempts: int = 5
    retry_seconds: float = 1.0

    def patterns(self) -> list[str] | None:
        """Return `event_types` as LIKE patterns."""
        if self.event_types is None:
            return None
        return sorted(
            kind.replace("\\", r"\\").replace("_", r"\_").replace("%", r"\%").replace("*", "%")
            for kind in self.event_types
        )

    def pause_seconds(self, failures: int) -> float:
        """Return how long to wait after so many failures (1 or more)."""
        return min(60.0, self.retry_seconds * 2.0 ** (failures - 1))


FOLLOWERS: Registry[Follower] = Registry("followers of the event log")


def register_follower(
    name: str,
    handle: Callable[[Event], None],
    *,
    event_types: Iterable[str] | None = None,
    key_of: Callable[[Event], str] = key_of_event,
    start: Start = Start.BEGINNING,
    batch_size: int = 500,
    attempts: int = 5,
    retry_seconds: float = 1.0,
) -> Follower:
    """
    Add a durable follower; see `Follower` for the arguments.

    :raises DuplicateEntry: if another follower has the name.
    """
    follower = Follower(
        name=name,
        handle=handle,
        event_types=None if event_types is None else frozenset(event_types),
        key_of=key_of,
        start=start,
        batch_size=batch_size,
        attempts=attempts,
        retry_seconds=retry_seconds,
    )
    if name in FOLLOWERS and FOLLOWERS[name] == follower:
        return FOLLOWERS[name]
    return FOLLOWERS.register(name, follower)
