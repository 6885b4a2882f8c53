"""What goes into a curve: quotes of delivery contracts; and why one of them was left out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np

from energyopti.foundation.intervals import Interval, as_utc

BASE = "BASE"
_NAMES_SHOWN = 4


class CurveError(ValueError):
    """Raised when quotes cannot make a curve; names the quote and the rule."""


class CurveDoesNotCover(LookupError):
    """Raised when a price is asked for that no quote of the curve speaks of."""


class QuoteQuality(StrEnum):
    """How a quote came about, best first; the order decides between contracts of one length."""

    SETTLEMENT = "SETTLEMENT"
    INDICATIVE = "INDICATIVE"
    SIMULATED = "SIMULATED"


@dataclass(frozen=True, slots=True)
class CurveQuote:
    """
    The price of a contract, currency/MWh over the hours of its delivery in which its load delivers.

    load          BASE, or a code of the loads given to `bootstrap` (PEAK, OFFPEAK, EFA1 …)
    valid_from    when the price was made; of two otherwise equal quotes the later one holds
    bid, ask      the band within which the price could trade, or None where only a price is known

    :raises CurveError: if a price is not finite (zero and negative are prices), or the price lies
        outside its band.
    """

    name: str
    interval: Interval
    price: float
    load: str = BASE
    quality: QuoteQuality = QuoteQuality.SETTLEMENT
    valid_from: datetime | None = None
    bid: float | None = None
    ask: float | None = None

    def __post_init__(self) -> None:
        for field in ("price", "bid", "ask"):
            value = getattr(self, field)
            if value is not None and not np.isfinite(value):
                raise CurveError(f"{field}: {self.name} is {value}, which is not a price.")
        if not self.band[0] <= self.price <= self.band[1]:
            raise CurveError(
                f"price: {self.name} is {self.price:g}, outside its band"
                f" {self.band[0]:g} to {self.band[1]:g}."
            )
        if self.valid_from is not None:
            as_utc(self.valid_from, field="valid_from")

    @property
    def band(self) -> tuple[float, float]:
        """Return bid and ask; a side that is not known is the price itself."""
        bid = self.price if self.bid is None else self.bid
        return bid, self.price if self.ask is None else self.ask


@dataclass(frozen=True, slots=True)
class HedgeLeg:
    """One contract of the portfolio that delivers what another one does; megawatts bought +."""

    quote: CurveQuote
    megawatts: float


@dataclass(frozen=True, slots=True)
class LeftOut:
    """
    A quote that the curve was not built from, because the quotes taken say its price already.

    implied        what the curve says, currency/MWh
    is_conflict    whether the two are further apart than the tolerance of the build
    replicated_by  the quotes taken which together deliver exactly what 1 MW of this one does
    hours          how long the contract delivers
    """

    quote: CurveQuote
    implied: float
    is_conflict: bool
    replicated_by: tuple[HedgeLeg, ...] = ()
    hours: float = 0.0

    @property
    def amount(self) -> float:
        """Return quoted minus implied, currency/MWh; positive: dear against the others."""
        return self.quote.price - self.implied

    @property
    def profit(self) -> float:
        """Return what trading 1 MW of it against the others earns without risk, currency."""
        return abs(self.amount) * self.hours

    @property
    def against(self) -> tuple[str, ...]:
        """Return the names of the quotes taken that it contradicts or repeats."""
        return tuple(leg.quote.name for leg in self.replicated_by)

    def __str__(self) -> str:
        names = self.against
        shown = ", ".join(names[:_NAMES_SHOWN]) or "the quotes taken"
        if len(names) > _NAMES_SHOWN:
            shown += f" and {len(names) - _NAMES_SHOWN} more"
        text = (
            f"{self.quote.name}: quoted {self.quote.price:g}, {shown}"
            f" imply {self.implied:.4f} ({self.amount:+.4f})"
        )
        if not self.is_conflict:
            return text
        side = "selling" if self.amount > 0 else "buying"
        return f"{text}; {side} 1 MW of it against them earns {self.profit:,.2f}"
