"""The tables of trading, one file a subject."""

from .actuals import Actual, Flow
from .curves import CurvePoint, CurveSnapshot
from .forecasts import Forecast
from .markets import Market
from .prices import SPOT, ImportRun, Price
from .quotes import LoadType, Quote, QuoteQuality

__all__ = [
    "SPOT",
    "Actual",
    "CurvePoint",
    "CurveSnapshot",
    "Flow",
    "Forecast",
    "ImportRun",
    "LoadType",
    "Market",
    "Price",
    "Quote",
    "QuoteQuality",
]
