"""Clocks that can be handed in, and one that tests set."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the program asks for the time; aware, UTC."""

    def now(self) -> datetime: ...


@dataclass
class SetClock:
    """A clock that stands until it is set."""

    time: datetime

    def now(self) -> datetime:
        return self.time

    def advance(self, by: timedelta) -> None:
        self.time += by
