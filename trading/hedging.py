"""What a book expects, what hedges it, and what is to be traded to reach a target ratio."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal, Inexact
from enum import StrEnum

_PERCENT = Decimal(100)
_ZERO = Decimal(0)
# Volumes have six places, ratios four: their products are exact, and a loss would raise.
_EXACT = Context(prec=60, traps=[Inexact])
_SHOWN = Context(prec=28)


class HedgeState(StrEnum):
    """Where a hedge ratio is against its target and band."""

    NO_TARGET = "NO_TARGET"
    NO_VOLUME = "NO_VOLUME"
    INSIDE = "INSIDE"
    UNDER = "UNDER"
    OVER = "OVER"

    @property
    def label(self) -> str:
        """Return the words for it."""
        return _WORDS[self]


_WORDS = {
    HedgeState.NO_TARGET: "No target",
    HedgeState.NO_VOLUME: "No expected volume",
    HedgeState.INSIDE: "Inside the band",
    HedgeState.UNDER: "Hedged too little",
    HedgeState.OVER: "Hedged too much",
}


@dataclass(frozen=True, slots=True)
class HedgeTerms:
    """
    What somebody aims at in one delivery month.

    own_volume_mwh      expected without a deal: output +, supply obligation −
    ratio_percent       of the expected volume that hedges shall take away, 0 … 150
    tolerance_points    percentage points that the ratio may be off, either way
    """

    own_volume_mwh: Decimal
    ratio_percent: Decimal
    tolerance_points: Decimal


@dataclass(frozen=True, slots=True)
class HedgeFigures:
    """
    One delivery month, in MWh; what one has is +, what one needs −, bought +, sold −.

    generated   what deals on the output of an asset bring
    hedges      all other deals that are held
    terms       None without a target
    deltas      of options and contracts with choices, where they count as hedges
    """

    generated: Decimal
    hedges: Decimal
    terms: HedgeTerms | None
    deltas: Decimal = _ZERO

    @property
    def own(self) -> Decimal:
        return _ZERO if self.terms is None else self.terms.own_volume_mwh

    @property
    def expected(self) -> Decimal:
        """Return E, what is there to be hedged."""
        return _EXACT.add(self.own, self.generated)

    @property
    def hedged(self) -> Decimal:
        """Return H: the deals, and the deltas that count."""
        return _EXACT.add(self.hedges, self.deltas)

    @property
    def open_volume(self) -> Decimal:
        """Return E + H, what the price still moves."""
        return _EXACT.add(self.expected, self.hedged)

    @property
    def ratio_percent(self) -> Decimal | None:
        """Return −H ÷ E in percent, rounded to 28 digits; None where nothing is expected."""
        if not self.expected:
            return None
        return _SHOWN.divide(-self.hedged * _PERCENT, self.expected)

    @property
    def to_trade(self) -> Decimal | None:
        """Return −τE − H, what brings the ratio to its target: buy +, sell −."""
        if self.terms is None:
            return None
        aimed = _EXACT.multiply(self.expected, self.terms.ratio_percent.scaleb(-2))
        return _EXACT.subtract(-aimed, self.hedged) + _ZERO

    @property
    def state(self) -> HedgeState:
        """Return where the ratio is; a band's own ends are inside."""
        if self.terms is None:
            return HedgeState.NO_TARGET
        if not self.expected:
            return HedgeState.NO_VOLUME
        # Compared as volumes: the ratio itself may have no end.
        off = self.to_trade
        assert off is not None
        band = _EXACT.multiply(abs(self.expected), self.terms.tolerance_points.scaleb(-2))
        if abs(off) <= band:
            return HedgeState.INSIDE
        # Who has a volume hedges by selling: what is left to sell is missing.
        return HedgeState.UNDER if (off < 0) == (self.expected > 0) else HedgeState.OVER
