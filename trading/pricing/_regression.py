"""
Least-squares Monte Carlo, the part that storage, swing and plants share.

Axis order: `scenario, state` for values, `scenario, factor` for what they are regressed on. The
products do their own backward induction; here are the regression and the honest estimate.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import Floats, PricingError, check, numbers

# A factor that moves less than this against its level is today's, and known.
_MOVES = 1e-12


@dataclass(frozen=True, slots=True)
class Estimate:
    """
    A Monte Carlo figure with its error.

    standard_error   of the value, one standard deviation, same unit
    paths            scenarios behind it, each of an antithetic pair counted
    seed             of the generator that was given; None if it was spawned from another
    """

    value: float
    standard_error: float
    paths: int
    seed: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Continuation:
    """
    The expected value of going on, a polynomial in the state's factors.

    coefficients   (term, state), or (term,) where the fitted values had no state axis
    terms          the factors that each term multiplies: () is the constant
    center, scale, least, greatest    of each factor in the sample of the fit
    """

    coefficients: Floats
    terms: tuple[tuple[int, ...], ...]
    center: Floats
    scale: Floats
    least: Floats
    greatest: Floats

    def __call__(self, factors: npt.ArrayLike) -> Floats:
        """
        Return the expected values at the factors, (scenario, state) or (scenario,).

        factors   (scenario, factor); beyond the sample of the fit the polynomial is held at its
                  border, where it still means something

        :raises PricingError: for another number of factors, or what is not finite.
        """
        rows = _factors(factors)
        if rows.shape[1] != len(self.center):
            raise PricingError(
                f"factors: {rows.shape[1]} a scenario, the fit had {len(self.center)}."
            )
        inside = np.clip(rows, self.least, self.greatest)
        standard = (inside - self.center) / self.scale
        found: Floats = _design(standard, self.terms) @ self.coefficients
        return found


def fit_continuation(
    values: npt.ArrayLike, factors: npt.ArrayLike, *, degree: int = 2
) -> Continuation:
    """
    Regress next values on today's factors: E[value | factors], by ordinary least squares.

    values    (scenario, state), one regression a state (an inventory level, rights left), all by
              one decomposition; or (scenario,). Discounted to the time of the factors.
    factors   (scenario, factor): what is known at that time (spot, or the factors of a process)
    degree    the highest total degree of the monomials of the standardised factors, 0 to 6

    A decision by this function is not optimal, only near: decide by it on a *second*, independent
    set of paths, and `estimate` there is a lower bound. Decided and valued on the same paths it
    is biased upwards, because the fit has seen the future of each path.

    A factor that does not vary (the first day) or repeats another is no error: the solution of
    the least norm is taken.

    :raises PricingError: for shapes that do not fit, too few scenarios, or what is not finite.
    Source: F. Longstaff, E. Schwartz, Review of Financial Studies 14 (2001) 113-147.
    """
    if not 0 <= degree <= 6:
        raise PricingError(f"degree: {degree} is not between 0 and 6.")
    targets = numbers("values", values)
    rows = _factors(factors)
    if targets.ndim not in (1, 2) or len(targets) != len(rows):
        raise PricingError(
            f"values: shape {targets.shape} is not (scenario,) or (scenario, state) "
            f"with the {len(rows)} scenarios of the factors."
        )
    check("values", targets, np.isfinite(targets), "must be a number")
    terms = tuple(
        term
        for size in range(degree + 1)
        for term in combinations_with_replacement(range(rows.shape[1]), size)
    )
    if len(rows) < 2 * len(terms):
        raise PricingError(f"factors: {len(rows)} scenarios cannot fit {len(terms)} terms.")
    center = rows.mean(axis=0)
    spread = rows.std(axis=0)
    moves = spread > _MOVES * (1.0 + np.abs(center))
    scale = np.where(moves, spread, 1.0)
    standard = np.where(moves, (rows - center) / scale, 0.0)
    coefficients = _least_squares(_design(standard, terms), targets)
    return Continuation(
        coefficients=coefficients,
        terms=terms,
        center=center,
        scale=scale,
        # What did not move has one value for the polynomial, whatever comes.
        least=np.where(moves, rows.min(axis=0), center),
        greatest=np.where(moves, rows.max(axis=0), center),
    )


def estimate(payoffs: npt.ArrayLike, *, antithetic: bool, seed: int | None) -> Estimate:
    """
    Return the mean of discounted payoffs and its standard error.

    payoffs      (scenario,), at least two independent ones
    antithetic   whether scenario i and i + n/2 mirror each other, as `Paths` has them: a pair is
                 then one observation, because its two halves are not independent

    :raises PricingError: for fewer, an odd number of mirrored ones, or what is not finite.
    """
    rows = numbers("payoffs", payoffs)
    if rows.ndim != 1:
        raise PricingError(f"payoffs: shape {rows.shape} is not (scenario,).")
    check("payoffs", rows, np.isfinite(rows), "must be a number")
    if antithetic and len(rows) % 2:
        raise PricingError(f"payoffs: {len(rows)} scenarios cannot be antithetic pairs.")
    seen = rows.reshape(2, -1).mean(axis=0) if antithetic else rows
    if len(seen) < 2:
        raise PricingError(f"payoffs: {len(seen)} independent scenarios have no standard error.")
    return Estimate(
        value=float(seen.mean()),
        standard_error=float(seen.std(ddof=1) / np.sqrt(len(seen))),
        paths=len(rows),
        seed=seed,
    )


def seed_of(generator: np.random.Generator) -> int | None:
    """Return the seed a generator was made with, None if it was spawned or has no single one."""
    sequence = getattr(generator.bit_generator, "seed_seq", None)
    if not isinstance(sequence, np.random.SeedSequence) or sequence.spawn_key:
        return None
    return sequence.entropy if isinstance(sequence.entropy, int) else None


def _factors(factors: npt.ArrayLike) -> Floats:
    rows = numbers("factors", factors)
    if rows.ndim != 2:
        raise PricingError(f"factors: shape {rows.shape} is not (scenario, factor).")
    check("factors", rows, np.isfinite(rows), "must be a number")
    return rows


def _least_squares(design: Floats, targets: Floats) -> Floats:
    """
    Return the coefficients of least squares and of least norm, by the normal equations.

    A day's regression has some ten columns and a simulation has hundreds of days: LAPACK on the
    tall matrix would wake its threads each time and be forty times slower on a busy machine. The
    second pass on what the first leaves restores the digits that squaring the matrix costs.
    """
    size, axes = np.linalg.eigh(design.T @ design)
    kept = size > size[-1] * len(size) * np.finfo(np.float64).eps
    inverse = (axes[:, kept] / size[kept]) @ axes[:, kept].T
    first = inverse @ (design.T @ targets)
    found: Floats = first + inverse @ (design.T @ (targets - design @ first))
    return found


def _design(standard: Floats, terms: tuple[tuple[int, ...], ...]) -> Floats:
    columns = [np.ones(len(standard))]
    # Terms come by degree, so each is an earlier one times its last factor.
    place: dict[tuple[int, ...], int] = {(): 0}
    for term in terms[1:]:
        columns.append(columns[place[term[:-1]]] * standard[:, term[-1]])
        place[term] = len(columns) - 1
    return np.stack(columns, axis=1)
