"""The tables of trading, one file a subject."""

from .actuals import Actual, Flow, MeteringPointKind
from .agreements import (
    Agreement,
    AgreementKind,
    CollateralKind,
    CreditSupportAnnex,
    EligibleCollateral,
    NettingSet,
)
from .approved_products import ApprovedProduct, ProductKind
from .books import Book, Counterparty, CounterpartyStatus
from .commodities import Commodity, CommodityKind, Delivery
from .curves import CurvePoint, CurveSnapshot
from .forecasts import Forecast
from .indices import FxRate, IndexFrequency, PriceIndex
from .markets import Market, MarketKind
from .positions import PositionDelta, PositionTotal
from .prices import SPOT, ImportRun, Price
from .quotes import LoadType, Quote, QuoteQuality
from .shapes import (
    Holiday,
    HolidayCalendar,
    HolidayCalendarVersion,
    HolidayRule,
    LoadShape,
    ShapeCalendar,
)
from .trades import CaptureBasis, Trade, TradeStatus, TradeVersion

__all__ = [
    "SPOT",
    "Actual",
    "Agreement",
    "AgreementKind",
    "ApprovedProduct",
    "Book",
    "CaptureBasis",
    "CollateralKind",
    "Commodity",
    "CommodityKind",
    "Counterparty",
    "CounterpartyStatus",
    "CreditSupportAnnex",
    "CurvePoint",
    "CurveSnapshot",
    "Delivery",
    "EligibleCollateral",
    "Flow",
    "Forecast",
    "FxRate",
    "Holiday",
    "HolidayCalendar",
    "HolidayCalendarVersion",
    "HolidayRule",
    "ImportRun",
    "IndexFrequency",
    "LoadShape",
    "LoadType",
    "Market",
    "MarketKind",
    "MeteringPointKind",
    "NettingSet",
    "PositionDelta",
    "PositionTotal",
    "Price",
    "PriceIndex",
    "ProductKind",
    "Quote",
    "QuoteQuality",
    "ShapeCalendar",
    "Trade",
    "TradeStatus",
    "TradeVersion",
]
