"""Value legs with choices on a basis: options and structures, each in every scenario."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from trading.deals import Structure
from trading.queries.choices import Choice

from .bases import Basis

if TYPE_CHECKING:
    from .bases import Floats

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ChoiceValue:
    """
    One leg with choices and what it is worth; of what a change takes away the value is −.

    trade       reference, empty of a deal that is not booked
    value       None where it cannot be valued, for the reason in `problem`
    notes       sentences on what it is valued on
    """

    trade: str
    what: str
    market: str
    first: date
    last: date
    currency: str
    value: float | None
    problem: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChoicesValued:
    """Legs with choices together, in one currency; as `Valuation`."""

    base_value: float
    pnl: Floats
    rows: tuple[ChoiceValue, ...]
    held: tuple[str, ...] = ()


def value_choices(choices: Sequence[Choice], basis: Basis, *, currency: str) -> ChoicesValued:
    """Return value and P&L vector of legs with choices; the rows say what cannot be valued."""
    rows = tuple(_row(one, None, "has no delta here yet") for one in choices)
    return ChoicesValued(0.0, basis.zeros(), rows)


def _row(
    choice: Choice, value: float | None, problem: str = "", notes: tuple[str, ...] = ()
) -> ChoiceValue:
    leg = choice.leg
    kind = leg.kind if isinstance(leg, Structure) else leg.option_type
    return ChoiceValue(
        trade=choice.trade_ref,
        what=kind.value.replace("_", " ").capitalize(),
        market=" − ".join(dict.fromkeys(index.area.code for index in leg.underlying)),
        first=leg.schedule.period.first,
        last=leg.schedule.period.after - _DAY,
        currency=leg.currency,
        value=value,
        problem=problem,
        notes=notes,
    )
