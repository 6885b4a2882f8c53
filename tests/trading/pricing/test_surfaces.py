"""Polynomials of two moves: exact for polynomials, with errors that hold elsewhere."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial.polynomial import polyval2d

from trading.pricing import Lattice, PricingError, Surfaces, sum_surfaces


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.sampled_from([Lattice(8, 5), Lattice(16, 8), Lattice(8, 1)]))
def test_a_polynomial_is_found_again(seed, lattice):
    powers = np.random.default_rng(seed).normal(size=(3, lattice.rows, lattice.columns))
    x, y = lattice.points
    found, error = lattice.fit(np.stack([polyval2d(y, x, one) for one in powers]))
    assert found == pytest.approx(powers, abs=1e-6)
    assert (error < 1e-9).all()


@pytest.mark.parametrize("width", [0.1, 1.0, 4.0])
def test_the_error_is_that_of_other_points(width):
    def bump(x, y):
        return np.exp(-0.5 * (width * x - 0.3) ** 2 + 0.2 * y)

    lattice = Lattice(8, 5)
    powers, error = lattice.fit(bump(*lattice.points)[None])
    x, y = np.random.default_rng(1).uniform(-1, 1, (2, 20_000))
    assert np.abs(polyval2d(y, x, powers[0]) - bump(x, y)).max() <= 2 * error[0]


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(1, 700), st.sampled_from([8, 16]))
def test_surfaces_sum_on_each_path_whatever_the_threads(seed, paths, columns):
    rng = np.random.default_rng(seed)
    loadings, draws = rng.normal(size=(3, 6)) * 0.3, rng.normal(size=(paths, 3))
    parts = (
        Surfaces(np.array([0, 1, 0]), np.array([4, 5, 5]), rng.normal(size=(3, 5, columns))),
        Surfaces(np.array([2]), np.array([2]), rng.normal(size=(1, 1, columns))),
    )
    total, farthest = sum_surfaces(parts, draws, loadings, workers=1)
    moves = (draws @ loadings).T
    slow = sum(
        polyval2d(moves[b], moves[a], powers)
        for part in parts
        for a, b, powers in zip(part.first, part.second, part.powers, strict=True)
    )
    assert total == pytest.approx(slow, rel=1e-9, abs=1e-9 * np.abs(slow).max())
    assert farthest == pytest.approx(np.abs(moves[[0, 1, 2, 4, 5]]).max(axis=0))
    again = sum_surfaces(parts, draws, loadings, workers=3)
    assert (total.tobytes(), farthest.tobytes()) == tuple(row.tobytes() for row in again)


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"first": np.array([2])}, "first: must be positions of 2"),
        ({"second": np.array([-1])}, "second: must be positions of 2"),
        ({"second": np.array([0, 1])}, "first, second: must be one for each"),
        ({"powers": np.ones((1, 1, 7))}, "powers"),
        ({"powers": np.ones((1, 0, 8))}, "powers"),
    ],
)
def test_refuses_by_name(terms, said):
    whole = {"first": np.array([0]), "second": np.array([1]), "powers": np.ones((1, 1, 8))}
    with pytest.raises(PricingError, match=said):
        sum_surfaces([Surfaces(**(whole | terms))], np.ones((3, 1)), np.ones((1, 2)))
