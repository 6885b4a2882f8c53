"""The tables of trading, one file a subject."""

from .actuals import Actual, Flow, MeteringPointKind
from .books import Book, Counterparty
from .curves import CurvePoint, CurveSnapshot
from .forecasts import Forecast
from .markets import Market
from .positions import PositionDelta, PositionTotal
from .prices import SPOT, ImportRun, Price
from .quotes import LoadType, Quote, QuoteQuality
from .trades import CaptureBasis, Trade, TradeStatus, TradeVersion

__all__ = [
    "SPOT",
    "Actual",
    "Book",
    "CaptureBasis",
    "Counterparty",
    "CurvePoint",
    "CurveSnapshot",
    "Flow",
    "Forecast",
    "ImportRun",
    "LoadType",
    "Market",
    "MeteringPointKind",
    "PositionDelta",
    "PositionTotal",
    "Price",
    "Quote",
    "QuoteQuality",
    "Trade",
    "TradeStatus",
    "TradeVersion",
]
