"""The terms a curve is built on and what it is made of, as versions keep them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from typing import Any

from energyopti.foundation.intervals import Interval

from ..models import CurveDefinition, CurveMethod

# All curves' hashes hold these: code to history_days.
_FIRST_TERMS = 5


class NoCurve(LookupError):
    """A market has no quote, so there is no curve."""


class EditRefused(ValueError):
    """A node set by hand cannot be; names the field and the rule."""


@dataclass(frozen=True, slots=True)
class CurveTerms:
    """
    How a curve is made; words and units as in `models.CurveDefinition`.

    What came to be a term later has a default that means what was done before it, and is not
    hashed then: a curve built before is built again to the same hash.

    spline_end    `trading.curves.SplineEnd`
    day_kinds     `trading.curves.DayKinds`
    holidays      code of a holiday calendar; empty is none
    spread        `trading.curves.SpreadRule`
    """

    code: str = "FORWARD"
    method: str = "FLAT"
    minutes: int = 60
    tolerance: str = "0.01"
    history_days: int = 730
    fit: str = "MIDS"
    spline_end: str = "FREE"
    day_kinds: str = "WEEKEND"
    holidays: str = ""
    spread: str = "LEVEL"

    @classmethod
    def of(cls, definition: CurveDefinition) -> CurveTerms:
        is_smooth = definition.method == CurveMethod.MAXIMUM_SMOOTHNESS
        is_shaped = definition.method == CurveMethod.HISTORY_SHAPED
        holidays = definition.holiday_calendar
        return cls(
            definition.code,
            str(definition.method),
            definition.minutes,
            f"{Decimal(definition.tolerance).normalize():f}",
            definition.history_days,
            str(definition.fit),
            "FLAT" if is_smooth else "FREE",
            "SUNDAY" if is_shaped else "WEEKEND",
            holidays.code if is_shaped and holidays is not None else "",
            "PREMIUM",
        )

    def hashed(self) -> dict[str, Any]:
        """Return what a curve's hash holds of them."""
        later = {each.name: each.default for each in fields(self)[_FIRST_TERMS:]}
        return {
            name: value
            for name, value in asdict(self).items()
            if name not in later or value != later[name]
        }


@dataclass(frozen=True, slots=True)
class NodeEdit:
    """
    A node of a curve set by hand: the price of a contract and load.

    was     what was quoted, or what the curve implied where nothing was
    """

    contract: str
    load: str
    was: float
    price: float
    reason: str
    actor_id: str


@dataclass(frozen=True, slots=True)
class Point:
    """The mean price of one load over one stretch of delivery, at most a month."""

    load: str
    interval: Interval
    hours: float
    price: float


@dataclass(frozen=True, slots=True)
class MovedQuote:
    """A quote whose price was moved within its bid and ask, so that all agree."""

    quote_id: int
    contract: str
    load: str
    source: str
    price: float
    taken: float

    @property
    def amount(self) -> float:
        return self.taken - self.price


@dataclass(frozen=True, slots=True)
class OneLeftOut:
    """A quote that was not built from; words and units as in `trading.curves.LeftOut`."""

    quote_id: int
    contract: str
    load: str
    source: str
    price: float
    implied: float
    amount: float
    profit: float
    hours: float
    is_conflict: bool
    against: tuple[str, ...]
    text: str
