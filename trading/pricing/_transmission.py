"""
Transmission rights from a source to a sink: the right to the price spread, hour by hour.

Options are valued one by one for each interval, so a volatility is that of the spread of one
hour (or quarter hour), not that of a month's average. Axis order: scenario or trade, interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from trading.pricing._bachelier import bachelier
from trading.pricing._inputs import Floats, by_interval, check


class RightKind(StrEnum):
    """
    What the holder gets of a spread.

    OBLIGATION pays sink − source − strike, which may be owed; OPTION never less than nothing,
    as physical rights under use-it-or-sell-it do.
    """

    OBLIGATION = "OBLIGATION"
    OPTION = "OPTION"


@dataclass(frozen=True, slots=True, eq=False)
class TransmissionRight:
    """
    What a right is worth and how that moves, each of shape (…, intervals), for the volume held.

    value           currency, discounted; settled intervals at the published spread
    intrinsic       value if all forwards came true, currency
    delta_source    MWh of the source that move with the right, discounted; −delta_sink
    delta_sink      likewise of the sink; sell this, and buy the source's, to hedge
    gamma           of delta_sink per currency/MWh of the sink or the source, −gamma across
    vega            currency per 1.00 currency/MWh of the spread's volatility
    settled         True where prices were published
    """

    value: Floats
    intrinsic: Floats
    delta_source: Floats
    delta_sink: Floats
    gamma: Floats
    vega: Floats
    settled: npt.NDArray[np.bool_]

    @property
    def total(self) -> Floats:
        """Return the value over all intervals."""
        return self.realised + self.unrealised

    @property
    def realised(self) -> Floats:
        """Return the value of what is settled."""
        return _sum(self.value, self.settled)

    @property
    def unrealised(self) -> Floats:
        """Return the value of what is to come."""
        return _sum(self.value, ~self.settled)

    @property
    def time_value(self) -> Floats:
        """Return what the option is worth above its intrinsic value."""
        return _sum(self.value - self.intrinsic, ~self.settled)


def transmission_right(
    *,
    kind: RightKind,
    volume: npt.ArrayLike,
    source: npt.ArrayLike,
    sink: npt.ArrayLike,
    strike: npt.ArrayLike = 0.0,
    expiry: npt.ArrayLike = 0.0,
    volatility: npt.ArrayLike = 0.0,
    discount: npt.ArrayLike = 1.0,
    firmness: npt.ArrayLike = 1.0,
    settled: npt.ArrayLike = False,
) -> TransmissionRight:
    """
    Value a transmission right (FTR, PTR, contract for the area price difference) by intervals.

    The spread sink − source is normal (Bachelier), so prices and spreads may have any sign. All
    arguments broadcast over the shape (…, intervals); `volume` has at least the interval axis.
    What was paid for the right at auction is a leg of its own.

    volume          MWh in each interval, bought +, sold −
    source, sink    currency/MWh: forwards, or the published prices where settled
    strike          what use of the right costs (losses, grid charge), currency/MWh; any sign
    expiry          years to the fixing of each interval (ACT/365), ≥ 0; not read where settled
    volatility      of the interval's spread, currency/MWh per √year, ≥ 0; likewise
    discount        factor to the payment date, > 0
    firmness        share of open volume expected to be neither curtailed nor bought back below
                    the spread, 0 to 1; 1 for rights compensated at the spread
    settled         True for intervals whose prices are published; they have no Greeks

    :raises PricingError: naming the argument and the first offending index.
    """
    V, source, sink, K, T, sigma, D, share, published = by_interval(
        volume=volume, source=source, sink=sink, strike=strike, expiry=expiry,
        volatility=volatility, discount=discount, firmness=firmness, settled=settled,
    )  # fmt: skip
    for name, row in (("volume", V), ("source", source), ("sink", sink), ("strike", K)):
        check(name, row, np.isfinite(row), "must be a number")
    for name, row in (("expiry", T), ("volatility", sigma)):
        check(name, row, row >= 0, "must not be negative")
    check("discount", D, D > 0, "must be above 0")
    check("firmness", share, (share >= 0) & (share <= 1), "must be from 0 to 1")
    check("settled", published, (published == 0) | (published == 1), "must be true or false")
    done = published == 1
    paid = D * V * np.where(done, 1.0, share)
    spread = sink - source - K
    moves = paid * ~done
    if kind is RightKind.OBLIGATION:
        shape = np.broadcast_shapes(spread.shape, moves.shape, sigma.shape, T.shape)
        value = np.broadcast_to(paid * spread, shape)
        still = np.zeros(shape)
        return TransmissionRight(
            value=value, intrinsic=value, delta_source=np.broadcast_to(-moves, shape),
            delta_sink=np.broadcast_to(moves, shape), gamma=still, vega=still, settled=done,
        )  # fmt: skip
    right = bachelier(
        forward=sink - source, strike=K, expiry=np.where(done, 0.0, T), volatility=sigma
    )
    value = paid * right.price
    return TransmissionRight(
        value=value,
        intrinsic=np.broadcast_to(paid * np.maximum(spread, 0.0), value.shape),
        delta_source=-moves * right.delta,
        delta_sink=moves * right.delta,
        gamma=moves * right.gamma,
        vega=moves * right.vega,
        settled=done,
    )


def _sum(values: Floats, where: npt.NDArray[np.bool_]) -> Floats:
    found: Floats = np.asarray(np.where(where, values, 0.0).sum(axis=-1), dtype=np.float64)
    return found
