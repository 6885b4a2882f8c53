"""Clocks that can be handed in: the wall's, an accelerated one, one that tests set."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the program asks for the time; aware, UTC."""

    def now(self) -> datetime: ...


@dataclass(frozen=True)
class SpeedClock:
    """
    A clock that showed `anchor` when the wall showed `wall_anchor` and runs `speed` times as fast.

    Speed 1 with equal anchors is the wall clock; before its wall anchor it stands. Both anchors
    are aware.
    """

    speed: float
    wall_anchor: datetime
    anchor: datetime

    def now(self) -> datetime:
        elapsed = max(timedelta(0), datetime.now(UTC) - self.wall_anchor)
        return self.anchor + elapsed * self.speed


@dataclass
class SetClock:
    """A clock that stands until it is set."""

    time: datetime

    def now(self) -> datetime:
        return self.time

    def advance(self, by: timedelta) -> None:
        self.time += by
