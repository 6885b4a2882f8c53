"""Calibration of two-factor forwards to curve history or to quoted volatilities, fit shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import (
    Floats,
    NonPositivePrice,
    PricingError,
    broadcast,
    check,
    numbers,
)
from trading.pricing.processes._forwards import TwoFactorForwards
from trading.pricing.processes._likelihood import Parameter, maximize

# mean reversion, short and long volatility, correlation: what the searches start from
_STARTS = [(k, s, long, 0.0) for k in (0.3, 1.5, 8.0) for s, long in ((1.0, 0.5), (0.4, 1.0))]
# Transforms: logarithms of the first three, the inverse hyperbolic tangent of the last.
_BOUNDS = [(-5.0, 7.0), (-12.0, 3.0), (-12.0, 3.0), (-3.5, 3.5)]
_NAMES = ("mean_reversion", "short_volatility", "long_volatility", "correlation")


@dataclass(frozen=True, slots=True, eq=False)
class HistoryFit:
    """
    Two-factor forwards calibrated to past curves, with how well they fit.

    parameters      of the model, and `noise`: what moves one delivery alone, per √year
    observations    log returns
    explained       share of their variance that the two factors have, 0 to 1
    seen, modelled  volatility of each delivery over the history, per √year: of its returns, and
                    as the model has it; 0 where it was never quoted on two dates in a row
    rmse            of `modelled` against `seen`
    has_settled     whether the search ended by its own rule
    """

    model: TwoFactorForwards
    parameters: tuple[Parameter, ...]
    log_likelihood: float
    observations: int
    explained: float
    seen: Floats
    modelled: Floats
    rmse: float
    has_settled: bool


@dataclass(frozen=True, slots=True, eq=False)
class QuoteFit:
    """
    Two-factor forwards calibrated to quoted volatilities, with how well they fit.

    parameters        standard errors from the quotes' residuals; infinite where there are no
                      more quotes than parameters, or the quotes do not tell the parameter
    quoted, modelled  one a quote, per √year
    rmse              of `modelled` against `quoted`
    has_settled       whether the search ended by its own rule
    """

    model: TwoFactorForwards
    parameters: tuple[Parameter, ...]
    quoted: Floats
    modelled: Floats
    rmse: float
    has_settled: bool


def fit_forwards_to_history(
    times: npt.ArrayLike,
    forwards: npt.ArrayLike,
    *,
    delivery: npt.ArrayLike,
    length: npt.ArrayLike = 0.0,
) -> HistoryFit:
    """
    Calibrate to a history of curves by maximum likelihood of their joint log returns.

    times      (time,), years, rising
    forwards   (time, delivery), currency/MWh, > 0; NaN is "not quoted", and a return needs the
               same delivery quoted on two dates in a row, both before it begins
    delivery   (delivery,), years to the start on the axis of the times
    length     (delivery,), years that each delivers

    Returns are martingale increments with the model's covariance and a noise of each delivery;
    a premium that makes curves drift is not estimated (over a day it is far below the noise).

    :raises PricingError: naming the argument and index; for fewer than 30 returns, or curves of
        one delivery at a time, which cannot tell two factors apart.
    """
    t = numbers("times", times)
    price = numbers("forwards", forwards)
    if t.ndim != 1 or price.ndim != 2 or len(price) != len(t):
        raise PricingError(f"forwards: shape {price.shape} is not (time, delivery) of {t.shape}.")
    check("times", t, np.diff(t, prepend=-np.inf) > 0, "must rise")
    _, start, period = broadcast(
        forwards=np.zeros(price.shape[1]), delivery=delivery, length=length
    )
    check("delivery", start, np.isfinite(start), "must be a number")
    check("length", period, period >= 0, "must not be negative")
    is_quoted = ~np.isnan(price)
    known = np.where(is_quoted, price, 1.0)
    check("forwards", known, known > 0, "must be above 0", NonPositivePrice)
    moves = _Moves.of(t, np.log(known), is_quoted, start, period)
    count = int(moves.is_seen.sum())
    if count < 30 or not (moves.is_seen.sum(axis=1) > 1).any():
        raise PricingError(f"forwards: {count} returns cannot tell two factors and a noise.")
    typical = float(np.sqrt((moves.returns**2).sum() / (moves.is_seen * moves.step).sum()))
    if typical == 0.0:
        raise PricingError("forwards: no price ever moves.")
    found = maximize(
        lambda at: moves.log_likelihood(_model(at), float(np.exp(at[4]))),
        starts=[[*_transformed(guess, typical), float(np.log(0.2 * typical))] for guess in _STARTS],
        bounds=[*_BOUNDS, (-14.0, 3.0)],
        observations=count,
    )
    model, noise = _model(found.at), float(np.exp(found.at[4]))
    seen, modelled = moves.volatilities(model, noise)
    has = moves.is_seen.any(axis=0)
    return HistoryFit(
        model=model,
        parameters=(
            *_parameters(model, found.deviation[:4]),
            Parameter("noise", noise, float(noise * found.deviation[4])),
        ),
        log_likelihood=found.log_likelihood,
        observations=count,
        explained=moves.explained(model, noise),
        seen=seen,
        modelled=modelled,
        rmse=float(np.sqrt(np.mean((seen - modelled)[has] ** 2))),
        has_settled=found.has_settled,
    )


def fit_forwards_to_volatilities(
    volatility: npt.ArrayLike,
    *,
    expiry: npt.ArrayLike,
    delivery: npt.ArrayLike,
    length: npt.ArrayLike = 0.0,
    correlation: float | None = None,
) -> QuoteFit:
    """
    Calibrate to quoted Black-76 volatilities by least squares.

    volatility    (quote,), per √year, > 0
    expiry        years to each option's expiry, > 0 and ≤ delivery
    delivery      years to the start of what it is on; length, years that this delivers
    correlation   held, where history knows it better than volatilities do; None fits it too

    :raises PricingError: naming the argument and index, or for fewer quotes than parameters.
    """
    from scipy.optimize import least_squares

    quoted, until, start, period = np.atleast_1d(
        *broadcast(volatility=volatility, expiry=expiry, delivery=delivery, length=length)
    )
    if quoted.ndim != 1:
        raise PricingError(f"volatility: shape {quoted.shape} is not (quote,).")
    check("volatility", quoted, quoted > 0, "must be above 0")
    check("expiry", until, (until > 0) & (until <= start), "must be above 0, not after delivery")
    check("length", period, period >= 0, "must not be negative")
    if correlation is not None and not abs(correlation) < 0.998:
        raise PricingError(f"correlation: {correlation} is not between −0.998 and 0.998.")
    free = 4 if correlation is None else 3
    if len(quoted) < free:
        raise PricingError(f"volatility: {len(quoted)} quotes cannot fit {free} parameters.")

    def whole(at: Floats) -> Floats:
        return at if correlation is None else np.append(at, np.arctanh(correlation))

    def misses(at: Floats) -> Floats:
        model = _model(whole(at))
        return model.volatility(expiry=until, delivery=start, length=period) - quoted

    low, high = np.array(_BOUNDS[:free]).T
    tries = [
        least_squares(
            misses,
            np.clip(_transformed(guess, float(quoted.mean()))[:free], low, high),
            bounds=(low, high), xtol=1e-12, ftol=1e-12, gtol=1e-12,
        )
        for guess in _STARTS
    ]  # fmt: skip
    best = min(tries, key=lambda found: float(found.cost))
    model = _model(whole(np.asarray(best.x, dtype=np.float64)))
    missed = misses(np.asarray(best.x, dtype=np.float64))
    return QuoteFit(
        model=model,
        parameters=_parameters(model, _quote_deviation(np.asarray(best.jac), missed)),
        quoted=quoted,
        modelled=quoted + missed,
        rmse=float(np.sqrt(np.mean(missed**2))),
        has_settled=bool(best.success),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Moves:
    """Log returns, (step, delivery), and where and when they were seen; 0 where they were not."""

    returns: Floats
    is_seen: npt.NDArray[np.bool_]
    ahead: Floats  # years from the step's end to delivery
    period: Floats
    step: Floats  # (step, 1), years

    @classmethod
    def of(
        cls,
        t: Floats,
        logs: Floats,
        is_quoted: npt.NDArray[np.bool_],
        start: Floats,
        length: Floats,
    ) -> _Moves:
        """Return the moves between dates in a row."""
        ahead = start - t[1:, None]
        is_seen = is_quoted[1:] & is_quoted[:-1] & (ahead >= 0)
        return cls(
            returns=np.where(is_seen, np.diff(logs, axis=0), 0.0),
            is_seen=is_seen,
            ahead=np.where(is_seen, ahead, 0.0),
            period=np.broadcast_to(length, is_seen.shape),
            step=np.diff(t)[:, None],
        )

    def log_likelihood(self, model: TwoFactorForwards, noise: float) -> float:
        """
        Return the sum of log densities of the steps' returns.

        A step's returns are normal with covariance L C L' + η² dt: only 2×2 systems are solved
        (the determinant lemma and Woodbury's identity).
        """
        load = np.where(self.is_seen, model.loading(self.ahead, self.period), 0.0)
        one = self.is_seen.astype(np.float64)
        cover = model.covariance(self.step[:, 0])
        floor = noise**2 * self.step[:, 0]
        variance = load**2 * cover[0, 0][:, None] + 2.0 * load * cover[0, 1][:, None]
        moved = self.returns + 0.5 * one * (variance + cover[1, 1][:, None])
        count = one.sum(axis=1)
        both = load.sum(axis=1)
        gram = np.array([[(load**2).sum(axis=1), both], [both, count]])
        seen = np.array([(load * moved).sum(axis=1), moved.sum(axis=1)])
        inner = np.einsum("ijn,jkn->ikn", gram, cover) + floor * np.eye(2)[..., None]
        determinant = inner[0, 0] * inner[1, 1] - inner[0, 1] * inner[1, 0]
        solved = (
            np.array([inner[1, 1] * seen[0] - inner[0, 1] * seen[1],
                      inner[0, 0] * seen[1] - inner[1, 0] * seen[0]])
            / determinant
        )  # fmt: skip
        explained = np.einsum("in,ijn,jn->n", seen, cover, solved)
        distance = ((moved**2).sum(axis=1) - explained) / floor
        log_determinant = (count - 2.0) * np.log(floor) + np.log(determinant)
        some = count > 0
        found = -0.5 * (distance + log_determinant + count * np.log(2.0 * np.pi))
        return float(found[some].sum())

    def volatilities(self, model: TwoFactorForwards, noise: float) -> tuple[Floats, Floats]:
        """Return each delivery's volatility as seen and as modelled, per √year."""
        times = np.maximum((self.is_seen * self.step).sum(axis=0), 1e-300)
        seen = np.sqrt((self.returns**2).sum(axis=0) / times)
        variance = self._variance(model) + self.is_seen * noise**2 * self.step
        return seen, np.sqrt(variance.sum(axis=0) / times)

    def explained(self, model: TwoFactorForwards, noise: float) -> float:
        """Return the factors' share of the modelled variance of all returns."""
        factors = float(self._variance(model).sum())
        return factors / (factors + noise**2 * float((self.is_seen * self.step).sum()))

    def _variance(self, model: TwoFactorForwards) -> Floats:
        load = model.loading(self.ahead, self.period)
        cover = model.covariance(self.step)
        variance = load**2 * cover[0, 0] + 2.0 * load * cover[0, 1] + cover[1, 1]
        return np.where(self.is_seen, variance, 0.0)


def _model(at: Floats) -> TwoFactorForwards:
    k, short, long = (float(np.exp(value)) for value in at[:3])
    return TwoFactorForwards(k, short, long, float(np.tanh(at[3])))


def _transformed(guess: tuple[float, ...], level: float) -> list[float]:
    k, short, long, correlation = guess
    return [float(np.log(k)), float(np.log(short * level)), float(np.log(long * level)),
            float(np.arctanh(correlation))]  # fmt: skip


def _parameters(model: TwoFactorForwards, deviation: Floats) -> tuple[Parameter, ...]:
    """Return the model's parameters; the errors of the transforms become their own."""
    values = [getattr(model, name) for name in _NAMES]
    slopes = [*values[:3], 1.0 - values[3] ** 2]
    # A held parameter has no error.
    errors = np.append(deviation, np.zeros(4 - len(deviation)))
    return tuple(
        Parameter(name, value, float(slope * error))
        for name, value, slope, error in zip(_NAMES, values, slopes, errors, strict=True)
    )


def _quote_deviation(jacobian: Floats, missed: Floats) -> Floats:
    """Return the errors of the transforms from the residuals, infinite where nothing tells."""
    count, free = jacobian.shape
    if count <= free:
        return np.full(free, np.inf)
    _, sizes, across = np.linalg.svd(jacobian, full_matrices=False)
    flat = sizes <= 1e-7 * sizes[0]
    inverse = np.where(flat, 0.0, 1.0 / np.where(flat, 1.0, sizes) ** 2)
    variance = (across.T**2) @ inverse * float(missed @ missed) / (count - free)
    unknown = (np.abs(across.T[:, flat]) > 1e-3).any(axis=1)
    return np.where(unknown, np.inf, np.sqrt(variance))
