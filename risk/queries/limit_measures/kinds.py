"""The one table of what limits measure: of which scopes, with which parameters, and how."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from risk.enums import Dimension, LimitMeasure, LimitScope, LossPeriod
from risk.models import Limit

from . import concentration, credit, loss, sensitivities, tail, volume
from .standing import Part, Standing

ALL = frozenset(LimitScope)
BOOK, PARTY = frozenset({LimitScope.BOOK}), frozenset({LimitScope.COUNTERPARTY})


class UnitRule(StrEnum):
    """In what a limit's amount may be."""

    MONEY = "MONEY"
    VOLUME = "VOLUME"
    """MWh or MW, or the unit of the market or commodity; MW is the mean of a month's hours."""
    QUANTITY = "QUANTITY"
    """MWh, or the unit of the market or commodity."""
    PERCENT = "%"
    MONTHS = "months"


@dataclass(frozen=True, slots=True)
class Kind:
    """
    One measure.

    name        as it stands before a number
    scopes      that it can be held down for
    needs       parts of a standing that it reads
    fields      parameters that a limit of it has; those in `required` always
    used        the number, in the limit's unit
    """

    name: str
    scopes: frozenset[LimitScope]
    needs: frozenset[Part]
    unit: UnitRule
    used: Callable[[Limit, Standing], float]
    fields: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()


_NET, _GROSS, _TAIL = frozenset({Part.NET}), frozenset({Part.GROSS}), frozenset({Part.TAIL})
_NOTIONAL = frozenset({Part.NOTIONAL})
_WHERE, _CONFIDENCE = frozenset({"market", "commodity"}), frozenset({"confidence"})

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        LimitMeasure.VAR: Kind(
            "VaR", ALL, _TAIL, UnitRule.MONEY, tail.var, _CONFIDENCE, _CONFIDENCE
        ),
        LimitMeasure.ES: Kind(
            "ES", ALL, _TAIL, UnitRule.MONEY, tail.shortfall, _CONFIDENCE, _CONFIDENCE
        ),
        LimitMeasure.NET_VOLUME: Kind(
            "Net volume of a month", ALL, _NET, UnitRule.VOLUME, volume.net_volume, _WHERE
        ),
        LimitMeasure.GROSS_VOLUME: Kind(
            "Gross volume of a month", ALL, _GROSS, UnitRule.VOLUME, volume.gross_volume, _WHERE
        ),
        LimitMeasure.DELTA: Kind(
            "Delta", ALL, frozenset({Part.NET, Part.DELTA}), UnitRule.QUANTITY, volume.delta,
            _WHERE,
        ),
        LimitMeasure.VEGA: Kind(
            "Vega", BOOK, frozenset({Part.VEGA}), UnitRule.MONEY, sensitivities.vega,
            frozenset({"market"}),
        ),
        LimitMeasure.LOSS: Kind(
            "Loss", BOOK, frozenset({Part.TAIL, Part.MADE}), UnitRule.MONEY, loss.loss,
            frozenset({"period"}), frozenset({"period"}),
        ),
        LimitMeasure.CONCENTRATION: Kind(
            "Concentration", ALL, _NOTIONAL, UnitRule.PERCENT, concentration.concentration,
            frozenset({"dimension"}), frozenset({"dimension"}),
        ),
        LimitMeasure.STRESS: Kind(
            "Worst stress", ALL, frozenset({Part.STRESS}), UnitRule.MONEY,
            sensitivities.worst_stress,
        ),
        LimitMeasure.CREDIT_NOTIONAL: Kind(
            "Open notional", PARTY, _NOTIONAL, UnitRule.MONEY, credit.open_notional
        ),
        LimitMeasure.CREDIT_TENOR: Kind(
            "Tenor", PARTY, frozenset({Part.UNTIL}), UnitRule.MONTHS, credit.tenor
        ),
    }
)  # fmt: skip


def limit_name(limit: Limit) -> str:
    """Return what a limit holds down, in a few words: "VaR 99 %", "Net volume of a month, DE"."""
    words = KINDS[limit.measure].name
    if limit.confidence is not None:
        words += f" {percent(limit)}"
    if limit.period:
        words += f", {LossPeriod(limit.period).label.lower()}"
    if limit.dimension:
        words += f" by {Dimension(limit.dimension).label.lower()}"
    where = limit.market or limit.commodity
    return f"{words}, {where.code}" if where is not None else words


def percent(limit: Limit) -> str:
    """Return the confidence as people write it."""
    assert limit.confidence is not None
    return f"{(limit.confidence * 100).normalize():f} %"
