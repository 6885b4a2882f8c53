"""
Transmission rights from a source to a sink: the right to the price spread, hour by hour.

Options are valued one by one for each interval, so a volatility is that of the spread of one
hour (or quarter hour), not that of a month's average. Axis order: scenario or trade, interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from trading.pricing._bachelier import bachelier
from trading.pricing._inputs import Floats, NonPositivePrice, by_interval, check, member
from trading.pricing._spread import spread_option

_Slopes = dict[str, Floats]
_GREEKS = (
    "delta_source", "delta_sink", "gamma_source", "gamma_sink", "gamma_across", "vega",
    "vega_source", "vega_sink", "correlation_risk",
)  # fmt: skip


class RightKind(StrEnum):
    """
    What the holder gets of a spread.

    OBLIGATION pays sink − source − strike, which may be owed; OPTION never less than nothing,
    as physical rights under use-it-or-sell-it do.
    """

    OBLIGATION = "OBLIGATION"
    OPTION = "OPTION"


@dataclass(frozen=True, slots=True, eq=False)
class LegVolatilities:
    """
    Lognormal volatilities of an interval's two prices, per √year, with their correlation.

    Numbers or rows of intervals: source and sink ≥ 0, correlation of the logarithms −1 … 1.
    """

    source: npt.ArrayLike
    sink: npt.ArrayLike
    correlation: npt.ArrayLike


@dataclass(frozen=True, slots=True, eq=False)
class TransmissionRight:
    """
    What a right is worth and how that moves, each of shape (…, intervals), for the volume held.

    value           currency, discounted; settled intervals at the published spread
    intrinsic       value if all forwards came true, currency
    delta_source    currency per currency/MWh of the source's forward, so MWh, discounted
    delta_sink      likewise of the sink's; selling both is the hedge
    gamma_source    of delta_source, per currency/MWh of the source
    gamma_sink      of delta_sink, per currency/MWh of the sink
    gamma_across    of one leg's delta, per currency/MWh of the other
    vega            currency per 1.00 currency/MWh of a normal spread's volatility, else 0
    vega_source     currency per 1.00 of the source's lognormal volatility, 0 of a normal spread
    vega_sink       likewise of the sink's
    correlation_risk    currency per 1.00 of the logarithms' correlation, 0 of a normal spread
    settled         True where prices were published
    """

    value: Floats
    intrinsic: Floats
    delta_source: Floats
    delta_sink: Floats
    gamma_source: Floats
    gamma_sink: Floats
    gamma_across: Floats
    vega: Floats
    vega_source: Floats
    vega_sink: Floats
    correlation_risk: Floats
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
    volatility: npt.ArrayLike | LegVolatilities = 0.0,
    discount: npt.ArrayLike = 1.0,
    firmness: npt.ArrayLike = 1.0,
    settled: npt.ArrayLike = False,
) -> TransmissionRight:
    """
    Value a transmission right (FTR, PTR, contract for the area price difference) by intervals.

    The spread sink − source is normal (Bachelier), so prices and spreads may have any sign; or
    with `LegVolatilities` both prices are lognormal, and the option is integrated exactly
    (`spread_option`). All arguments broadcast over the shape (…, intervals); `volume` has at least
    the interval axis. What was paid for the right at auction is a leg of its own.

    volume          MWh in each interval, bought +, sold −
    source, sink    currency/MWh: forwards, or the published prices where settled
    strike          what use of the right costs (losses, grid charge), currency/MWh; any sign
    expiry          years to the fixing of each interval (ACT/365), ≥ 0; not read where settled
    volatility      of the interval's spread, currency/MWh per √year, ≥ 0, or of both legs; likewise
    discount        factor to the payment date, > 0
    firmness        share of open volume expected to be neither curtailed nor bought back below
                    the spread, 0 to 1; 1 for rights compensated at the spread
    settled         True for intervals whose prices are published; they have no Greeks

    :raises NonPositivePrice: for an open forward at or below zero with `LegVolatilities`.
    :raises PricingError: naming the argument and the first offending index.
    """
    kind, legs = member("kind", RightKind, kind), isinstance(volatility, LegVolatilities)
    V, source, sink, K, T, D, share, published, *sigmas = by_interval(
        volume=volume, source=source, sink=sink, strike=strike, expiry=expiry, discount=discount,
        firmness=firmness, settled=settled, **_volatilities(volatility),
    )  # fmt: skip
    for name, row in (("volume", V), ("source", source), ("sink", sink), ("strike", K)):
        check(name, row, np.isfinite(row), "must be a number")
    for name, row in (("expiry", T), *zip(_volatilities(volatility), sigmas[:2], strict=False)):
        check(name, row, row >= 0, "must not be negative")
    check("discount", D, D > 0, "must be above 0")
    check("firmness", share, (share >= 0) & (share <= 1), "must be from 0 to 1")
    check("settled", published, (published == 0) | (published == 1), "must be true or false")
    if legs:
        rho = sigmas[2]
        check("volatility.correlation", rho, np.abs(rho) <= 1, "must be from -1 to 1")
    every = (V, source, sink, K, T, D, share, published, *sigmas)
    done = np.broadcast_to(published == 1, np.broadcast_shapes(*(row.shape for row in every)))
    paid = D * V * np.where(done, 1.0, share)
    moves = np.where(done, 0.0, paid)
    spread = np.broadcast_to(sink - source - K, done.shape)
    payoff = spread if kind is RightKind.OBLIGATION else np.maximum(spread, 0.0)
    if kind is RightKind.OBLIGATION:
        price, slopes = payoff, {"delta_source": -np.ones(()), "delta_sink": np.ones(())}
    elif legs:
        for name, row in (("source", source), ("sink", sink)):
            each = np.broadcast_to(row, done.shape)
            check(name, each, done | (each > 0), "must be above 0 if lognormal", NonPositivePrice)
        # What is settled may have been negative, and needs no model.
        price, slopes = _lognormal(
            np.where(done, 1.0, source), np.where(done, 1.0, sink), K, T, sigmas
        )
        price = np.where(done, payoff, price)
    else:
        price, slopes = _normal(sink - source, K, np.where(done, 0.0, T), sigmas[0])
    still = np.zeros(done.shape)
    greeks = {name: moves * slopes[name] if name in slopes else still for name in _GREEKS}
    return TransmissionRight(value=paid * price, intrinsic=paid * payoff, settled=done, **greeks)


def _normal(spread: Floats, K: Floats, T: Floats, sigma: Floats) -> tuple[Floats, _Slopes]:
    """Return an option's value and derivatives a MWh, of a normal spread."""
    found = bachelier(forward=spread, strike=K, expiry=T, volatility=sigma)
    return found.price, {
        "delta_source": -found.delta,
        "delta_sink": found.delta,
        "gamma_source": found.gamma,
        "gamma_sink": found.gamma,
        "gamma_across": -found.gamma,
        "vega": found.vega,
    }


def _lognormal(
    source: Floats, sink: Floats, K: Floats, T: Floats, sigmas: Sequence[Floats]
) -> tuple[Floats, _Slopes]:
    """Return an option's value and derivatives a MWh, of two lognormal prices."""
    at_source, at_sink, rho = sigmas
    found = spread_option(
        first=sink, second=source, strike=K, expiry=T, volatility1=at_sink,
        volatility2=at_source, correlation=rho,
    )  # fmt: skip
    return found.price, {
        "delta_source": found.delta2,
        "delta_sink": found.delta1,
        "gamma_source": found.gamma22,
        "gamma_sink": found.gamma11,
        "gamma_across": found.gamma12,
        "vega_source": found.vega2,
        "vega_sink": found.vega1,
        "correlation_risk": found.correlation_risk,
    }


def _volatilities(volatility: npt.ArrayLike | LegVolatilities) -> dict[str, npt.ArrayLike]:
    """Return a spread's volatility, or its legs' and their correlation, by name."""
    if isinstance(volatility, LegVolatilities):
        return {
            "volatility.source": volatility.source,
            "volatility.sink": volatility.sink,
            "volatility.correlation": volatility.correlation,
        }
    return {"volatility": volatility}


def _sum(values: Floats, where: npt.NDArray[np.bool_]) -> Floats:
    found: Floats = np.asarray(np.where(where, values, 0.0).sum(axis=-1), dtype=np.float64)
    return found
