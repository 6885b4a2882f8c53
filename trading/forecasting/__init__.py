"""
Price forecasts: arrays in, arrays out; subjects are opaque and nothing here reads a clock.

Pure. A model is anything with a name, a version and `forecast`; the last axis of arrays is time,
in UTC. What a model may see is decided by who calls it: it gets a history that ends where
knowledge ended.
"""

from trading.forecasting._history import (
    Forecaster,
    MissingHistory,
    PointForecast,
    PriceHistory,
)
from trading.forecasting._metrics import Score, mean_absolute_error, score
from trading.forecasting._similar_day import SimilarDayNaive

__all__ = [
    "Forecaster",
    "MissingHistory",
    "PointForecast",
    "PriceHistory",
    "Score",
    "SimilarDayNaive",
    "mean_absolute_error",
    "score",
]
