"""Several markets on the same scenarios, with news that they share. Axis order: scenario, time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from trading.pricing._inputs import Floats, PricingError, numbers
from trading.pricing.processes._paths import Paths, SpotModel, grid, normals


def simulate_together(
    models: Sequence[SpotModel],
    *,
    times: npt.ArrayLike,
    curves: Sequence[npt.ArrayLike],
    correlation: npt.ArrayLike,
    scenarios: int,
    generator: np.random.Generator,
    antithetic: bool = True,
) -> tuple[Paths, ...]:
    """
    Simulate spot prices of several markets whose news of a step are correlated.

    Correlated is the normal noise of each step: of a mean-reverting spot its noise, of two factors
    the move of their sum. Jumps come to each market by itself. Over several steps prices that
    revert at different speeds are less correlated than their news.

    times         years from now, rising;  curves  one a model, as its `simulate` takes it
    correlation   (model, model), symmetric with ones on the diagonal, without a negative variance

    :raises PricingError: naming the argument and index.
    """
    at, _ = grid(times)
    matrix = numbers("correlation", correlation)
    count = len(models)
    if matrix.shape != (count, count) or len(curves) != count:
        raise PricingError(f"correlation: shape {matrix.shape} is not that of {count} models.")
    if not np.array_equal(matrix, matrix.T) or not np.array_equal(np.diag(matrix), np.ones(count)):
        raise PricingError("correlation: must be symmetric with ones on the diagonal.")
    size, axes = np.linalg.eigh(matrix)
    if not size[0] >= -1e-12:
        raise PricingError("correlation: these contradict each other, no prices can move so.")
    if count == 1:
        # The same paths as the model's own.
        own = models[0].simulate(
            times=at, curve=curves[0], scenarios=scenarios, generator=generator,
            antithetic=antithetic,
        )  # fmt: skip
        return (own,)
    root: Floats = axes * np.sqrt(np.maximum(size, 0.0))
    news = normals(generator, scenarios, (len(at), count), antithetic=antithetic) @ root.T
    return tuple(
        model.simulate(
            times=at, curve=curve, scenarios=scenarios, generator=generator,
            antithetic=antithetic, news=np.ascontiguousarray(news[..., n]),
        )
        for n, (model, curve) in enumerate(zip(models, curves, strict=True))
    )  # fmt: skip
