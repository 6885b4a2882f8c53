"""Interest and volatilities that a cut knew, each read once, with what is told of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from trading.models import VolKind

from ..rates import NoRates, discount_curve, vol_surface
from .contracts import Universe

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from trading.curves import DiscountCurve, VolSurface

    Floats = npt.NDArray[np.float64]
    Seconds = npt.NDArray[np.int64]

_INSTANT = timedelta(microseconds=1)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class VolPart:
    """Delivery days whose volatility is that of a quoted contract."""

    contract: str
    first: date
    after: date


class NotQuoted(LookupError):
    """Nothing is quoted that could be read; the words say of what and what to do."""


class Quoted:
    """
    Curves and surfaces by a cut of knowledge, read when they are asked for.

    discount, volatilities      what is told of those that were used
    """

    def __init__(self, universe: Universe, *, as_of: datetime, known_at: datetime) -> None:
        self.universe, self.as_of, self.known_at = universe, as_of, known_at
        self.discount: list[list[Any]] = []
        self.volatilities: list[list[Any]] = []
        self._surfaces: dict[tuple[int, str, str], VolSurface | None] = {}
        self._curves: dict[str, DiscountCurve | None] = {}

    def told(self) -> dict[str, Any]:
        """Return what is told of what was used, in a run's inputs."""
        return {
            "discount": sorted(self.discount),
            "volatilities": sorted(self.volatilities),
        }

    def curve(self, currency: str) -> DiscountCurve | None:
        """Return a currency's discount curve, None where no rate is quoted."""
        if currency not in self._curves:
            try:
                found = discount_curve(currency, as_of=self.as_of, known_at=self.known_at)
            except NoRates:
                self._curves[currency] = None
            else:
                self._curves[currency] = found
                content = found.dates.astype("<i8").tobytes() + found.log_factors.tobytes()
                self.discount.append(
                    [currency, found.valued_on.isoformat(), hashlib.sha256(content).hexdigest()]
                )
        return self._curves[currency]

    def rates(self, currency: str, days: Sequence[date], payment: Seconds, at: int) -> Floats:
        """
        Return the zero rates to payments on some days, NaN where no rate is quoted.

        payment     when these days begin, seconds, as `at`
        """
        import numpy as np

        from trading.valuation import YEAR

        curve = self.curve(currency)
        if curve is None:
            return np.full(len(days), np.nan)
        today = self.as_of.astimezone(UTC).date()
        # What was paid by now needs no rate; the curve does not go back.
        dates = np.array([max(day, today) for day in days], dtype="datetime64[D]")
        now = curve.log_factor(np.array([today], dtype="datetime64[D]"))[0]
        years = np.maximum(payment - at, 1) / YEAR
        found: Floats = -(curve.log_factor(dates) - now) / years
        return found

    def surface(self, market_id: int, kind: VolKind, source: str) -> VolSurface | None:
        """Return a market's volatilities, None where none is quoted."""
        key = (market_id, str(kind), source)
        if key not in self._surfaces:
            market = self.universe.markets[market_id]
            try:
                found = vol_surface(
                    market, str(kind), as_of=self.as_of, known_at=self.known_at, source=source
                )
            except NoRates:
                self._surfaces[key] = None
            else:
                self._surfaces[key] = found
                digest = hashlib.sha256()
                for one in found.slices:
                    digest.update(f"{one.contract} {one.expiry} ".encode())
                    digest.update(one.nodes.tobytes() + one.vols.tobytes())
                self.volatilities.append(
                    [market.code, str(kind), source, found.valued_on.isoformat(),
                     digest.hexdigest()]
                )  # fmt: skip
        return self._surfaces[key]

    def contract(
        self, market_id: int, kind: VolKind, source: str, first: date, after: date
    ) -> tuple[VolSurface, str]:
        """
        Return a market's volatilities and the shortest quoted contract that covers a delivery.

        :raises NotQuoted: where there is none.
        """
        surface = self.surface(market_id, kind, source)
        code, name = self.universe.markets[market_id].code, kind.value.lower()
        if surface is None:
            raise NotQuoted(f"{code}: no {name} volatility is quoted; import volatilities.")
        contract = covering(surface, first, after)
        if contract is None:
            raise NotQuoted(
                f"{code}: no {name} volatility is quoted for a contract that"
                f" covers {first} to {after - _DAY}."
            )
        return surface, contract

    def parts(
        self, market_id: int, kind: VolKind, source: str, first: date, after: date,
        open_from: date,
    ) -> tuple[VolSurface, tuple[VolPart, ...]]:  # fmt: skip
        """
        Return a market's volatilities, and the quoted contracts of what is open of a delivery.

        One that covers it, as `contract` has it; where there is none, those that it consists of.

        :raises NotQuoted: where part of it has none.
        """
        try:
            surface, contract = self.contract(market_id, kind, source, first, after)
        except NotQuoted as error:
            found = self.surface(market_id, kind, source)
            parts = None if found is None else tiles(found, max(first, open_from), after)
            if found is None:
                raise
            if parts is None:
                raise NotQuoted(f"{error} Nor are all of its parts.") from error
            return found, parts
        return surface, (VolPart(contract, first, after),)

    def expiry(self, market_id: int, surface: VolSurface, instant: datetime) -> date:
        """Return the local day that a volatility is read for, by when a right is decided."""
        calendar = self.universe.markets[market_id].calendar
        return max(calendar.date_of(instant - _INSTANT), surface.valued_on + _DAY)


def covering(surface: VolSurface, first: date, after: date) -> str | None:
    """Return the shortest contract of a surface that delivers on all days asked for."""
    from trading.curves import contract_period

    found = []
    for code in surface.contracts:
        period = contract_period(code)
        if period.first <= first and after <= period.after:
            found.append(((period.after - period.first).days, code))
    return min(found)[1] if found else None


def tiles(surface: VolSurface, first: date, after: date) -> tuple[VolPart, ...] | None:
    """
    Return the quoted contracts that a delivery consists of, None where a day has none.

    From each day on the longest that lies within the delivery, else the shortest over that day.
    """
    from trading.curves import contract_period

    quoted = [(contract_period(code), code) for code in surface.contracts]
    found: list[VolPart] = []
    while first < after:
        over = [(p, code) for p, code in quoted if p.first <= first < p.after]
        within = [(p.after, code) for p, code in over if p.first == first and p.after <= after]
        if not over:
            return None
        if within:
            end, code = max(within, key=lambda one: (one[0], one[1]))
        else:
            _, end, code = min((p.after - p.first, p.after, code) for p, code in over)
        found.append(VolPart(code, first, min(end, after)))
        first = end
    return tuple(found)


def is_flat(surface: VolSurface, contract: str) -> bool:
    """Say whether a contract has the same volatility at all strikes."""
    return all(len(one.nodes) == 1 for one in surface.slices if one.contract == contract)
