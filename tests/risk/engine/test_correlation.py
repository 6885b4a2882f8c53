"""The nearest correlation matrix: valid, nearest, and the given one where that is valid."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from risk.engine import (
    NotNearest,
    TailError,
    delta_normal,
    nearest_correlation,
    repaired_covariance,
    stressed_covariance,
)

seeds = st.integers(0, 2**32 - 1)


def broken(rng, n, size=0.4):
    """Return a correlation matrix with errors, as estimates from different days have."""
    x = rng.normal(size=(3 * n, n))
    x[:, 1:] += x[:, :1]
    noise = rng.normal(size=(n, n)) * size
    found = np.clip(np.corrcoef(x.T) + (noise + noise.T) / 2, -1, 1)
    np.fill_diagonal(found, 1.0)
    return found


def test_equals_the_published_example():
    # Higham (2002), 4: three correlations of 1, 1 and 0 cannot be.
    found = nearest_correlation([[1, 1, 0], [1, 1, 1], [0, 1, 1]])
    assert found == pytest.approx(
        np.array([[1, 0.7607, 0.1573], [0.7607, 1, 0.7607], [0.1573, 0.7607, 1]]), abs=5e-5
    )


@settings(max_examples=40)
@given(seeds, st.integers(2, 12), st.sampled_from([0.0, 1e-6, 0.05]))
def test_is_a_correlation_and_nearer_than_clipped_eigenvalues(seed, n, least):
    given_ = broken(np.random.default_rng(seed), n)
    found = nearest_correlation(given_, least_eigenvalue=least, tolerance=1e-9)
    assert (np.diag(found) == 1.0).all()
    assert (found == found.T).all()
    assert np.linalg.eigvalsh(found)[0] >= least - 1e-12
    assert np.abs(found).max() <= 1 + 1e-12
    values, vectors = np.linalg.eigh(given_)
    clipped = (vectors * np.maximum(values, least)) @ vectors.T
    scale = np.sqrt(np.diag(clipped))
    clipped /= np.outer(scale, scale)
    # Scaling back may leave the clipped one below the least eigenvalue: then it is no rival.
    if np.linalg.eigvalsh(clipped)[0] >= least - 1e-12:
        assert np.linalg.norm(found - given_) <= np.linalg.norm(clipped - given_) + 1e-6


@settings(max_examples=20)
@given(seeds, st.integers(2, 8))
def test_what_is_a_correlation_stays(seed, n):
    x = np.random.default_rng(seed).normal(size=(5 * n, n))
    given_ = np.corrcoef(x.T)
    np.fill_diagonal(given_, 1.0)
    assert nearest_correlation(given_) == pytest.approx(given_, abs=1e-12)


def test_no_other_correlation_near_by_is_nearer():
    rng = np.random.default_rng(3)
    given_ = broken(rng, 6, 0.6)
    found = nearest_correlation(given_)
    best = np.linalg.norm(found - given_)
    for _ in range(200):
        other = nearest_correlation(
            np.clip(found + broken(rng, 6, 0.05) * 0.02, -1, 1) * (1 - np.eye(6)) + np.eye(6)
        )
        assert np.linalg.norm(other - given_) >= best - 1e-7


@settings(max_examples=25)
@given(seeds, st.integers(2, 8))
def test_a_covariance_keeps_its_variances(seed, n):
    rng = np.random.default_rng(seed)
    scale = np.exp(rng.normal(size=n))
    scale[0] = 0.0
    given_ = broken(rng, n) * np.outer(scale, scale)
    found = repaired_covariance(given_)
    assert np.diag(found) == pytest.approx(np.diag(given_))
    assert np.linalg.eigvalsh(found)[0] >= -1e-12 * scale.max() ** 2
    assert (found[0] == 0).all()


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: nearest_correlation([[1.0, 0.5]]), "square"),
        (lambda: nearest_correlation(np.zeros((0, 0))), "square"),
        (lambda: nearest_correlation([[1.0, np.nan], [np.nan, 1.0]]), r"nan at \[0, 1\]"),
        (lambda: nearest_correlation([[1.0, 0.5], [0.4, 1.0]]), "symmetric"),
        (lambda: nearest_correlation(np.eye(2), least_eigenvalue=1.0), "least_eigenvalue"),
        (lambda: repaired_covariance([[-1.0]]), "negative variance"),
        (lambda: repaired_covariance([[1.0, 0.0]]), "square"),
    ],
)
def test_refuses_by_name(call, said):
    with pytest.raises(TailError, match=said):
        call()


def test_says_when_it_has_not_settled():
    with pytest.raises(NotNearest, match="after 2 projections"):
        nearest_correlation([[1, 1, 0], [1, 1, 1], [0, 1, 1]], iterations=2)


def test_correlations_go_part_of_the_way_and_variances_stay():
    covariance = np.array([[4.0, 1.2, 0.0], [1.2, 9.0, -0.9], [0.0, -0.9, 1.0]])
    found = stressed_covariance(covariance, 1.0, 0.5)
    deviations = np.sqrt(np.diag(covariance))
    assert np.diag(found) == pytest.approx([4.0, 9.0, 1.0])
    correlation = found / np.outer(deviations, deviations)
    assert correlation[0, 1] == pytest.approx((0.2 + 1.0) / 2)
    assert correlation[1, 2] == pytest.approx((-0.3 + 1.0) / 2)
    assert stressed_covariance(covariance, 0.3, 0.0) == pytest.approx(covariance)
    # A spread loses its hedge: what moved together no longer does.
    spread = np.array([1.0, -0.7, 0.0])
    apart = stressed_covariance(covariance, 0.0, 1.0)
    assert delta_normal(spread, apart, 0.99).var > delta_normal(spread, covariance, 0.99).var


def test_correlations_that_contradict_each_other_end_at_the_nearest():
    found = stressed_covariance(np.eye(3), -1.0, 1.0)
    assert found == pytest.approx(1.5 * np.eye(3) - 0.5, abs=1e-6)
    assert np.linalg.eigvalsh(found)[0] > -1e-12


@pytest.mark.parametrize(
    ("towards", "share", "said"),
    [(1.2, 0.5, "towards"), (np.nan, 0.5, "towards"), (np.eye(2), 0.5, "towards"),
     (1.0, 1.1, "share"), (1.0, np.nan, "share")],
)  # fmt: skip
def test_a_shock_of_correlation_is_refused_by_name(towards, share, said):
    with pytest.raises(TailError, match=said):
        stressed_covariance(np.eye(3), towards, share)
