"""Named events of the past, and what a market did between their two days."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from risk.engine._errors import ScenarioError
from risk.engine._scenarios import QuoteDay, ShockMapping, TenorGap, tenor_shocks
from risk.engine._shocks import ShockRule

Floats = npt.NDArray[np.float64]

# A day without quotes takes those of the last day before it, which may be a long weekend away.
_BEFORE = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class HistoricalEvent:
    """
    A move that has a name: from the close of one day to that of another.

    :raises ScenarioError: unless the first comes before the last.
    """

    name: str
    first: date
    last: date

    def __post_init__(self) -> None:
        if self.first >= self.last:
            raise ScenarioError(f"{self.name}: {self.first} must come before {self.last}.")


# European energy: from the last quiet close to that of the peak, or of the trough.
NAMED_EVENTS = (
    HistoricalEvent("Pandemic, spring 2020", date(2020, 2, 20), date(2020, 3, 18)),
    HistoricalEvent("Gas shortage, December 2021", date(2021, 12, 1), date(2021, 12, 21)),
    HistoricalEvent("Invasion of Ukraine, 2022", date(2022, 2, 23), date(2022, 3, 7)),
    HistoricalEvent("Gas peak, August 2022", date(2022, 7, 29), date(2022, 8, 26)),
)


@dataclass(frozen=True, slots=True, eq=False)
class EventMoves:
    """
    What an event did to one market.

    values      (tenor,), by the rule: what `StressShock` takes as moves
    first, last the quote days that were found for the event's
    gaps        which tenors had no move of their own, so that the next later one stood in
    """

    event: HistoricalEvent
    values: Floats
    first: date
    last: date
    gaps: tuple[TenorGap, ...]


def event_moves(
    event: HistoricalEvent,
    history: Sequence[QuoteDay],
    hours: Callable[[int], float],
    *,
    tenors: int,
    rule: ShockRule = ShockRule.RELATIVE,
    displacement: float = 0.0,
    mapping: ShockMapping = ShockMapping.TIME_TO_DELIVERY,
    origin: int | None = None,
) -> EventMoves:
    """
    Return what each tenor did between the two days of an event, within contracts.

    history     ascending in day; a day without quotes takes the last before it, of a week at most.
                The rest is that of `tenor_shocks`

    :raises ScenarioError: naming the event and the day that has no quotes, and as `tenor_shocks`.
    """
    first, last = (_quoted(event, day, history) for day in (event.first, event.last))
    if first.day == last.day:
        raise ScenarioError(f"{event.name}: {first.day} has the only quotes of both its days.")
    try:
        found = tenor_shocks(
            (first, last), hours, scenarios=1, tenors=tenors, rule=rule,
            displacement=displacement, mapping=mapping, origin=origin,
        )  # fmt: skip
    except ScenarioError as error:
        raise ScenarioError(f"{event.name}: {error}") from error
    return EventMoves(event, found.values[0], first.day, last.day, found.gaps())


def _quoted(event: HistoricalEvent, day: date, history: Sequence[QuoteDay]) -> QuoteDay:
    for quoted in reversed(history):
        if quoted.day <= day:
            if quoted.day < day - _BEFORE or not quoted.quotes:
                break
            return quoted
    raise ScenarioError(f"{event.name}: nothing was quoted on {day} or in the week before.")
