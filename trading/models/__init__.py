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
from .amendments import ProposedAmendment
from .approved_products import ApprovedProduct, ProductKind
from .blotter import BlotterRow
from .books import Book, Counterparty, CounterpartyStatus
from .closing import ClosingTime, EndOfDay, EndOfDayProof, EndOfDayState
from .commodities import Commodity, CommodityKind, Delivery
from .curves import (
    CurveDefinition,
    CurveFit,
    CurveMethod,
    CurvePoint,
    CurveSnapshot,
    CurveStatus,
    CurveVersion,
    PriceTolerance,
    PublicationPolicy,
)
from .documents import DocumentKind, DocumentWithdrawal, TradeDocument
from .drop_copy import (
    INBOX_STATES,
    DropCopyAccount,
    DropCopyMessage,
    DropCopyParty,
    DropCopyPeriodRule,
    DropCopyProduct,
    DropCopyProductKind,
    DropCopySession,
    DropCopyVenue,
    InboxState,
    MultilegReports,
    SequenceReset,
)
from .forecasts import Forecast
from .hedging import HedgeTarget
from .indices import FxRate, IndexFrequency, PriceIndex
from .legs import Fee, FeePurpose, Leg, LegKind, Profile, ProfileMonth
from .markets import Market, MarketKind
from .options import YEAR_ENDS, OptionOutcome, OptionOutcomeKind
from .plants import Plant, Technology
from .positions import PROFILE_BASIS, PositionDelta, PositionTotal, Stage
from .prices import SPOT, ImportRun, Price
from .pricing import Discounting, OptionFamily, PricingFormula, PricingModel
from .processes import CalibrationBasis, PriceProcess, ProcessCalibration, ProcessKind
from .quotes import WITHDRAWN, LoadType, Quote, QuoteQuality
from .rates import Compounding, FxForwardQuote, InterestQuote, VolKind, VolQuote
from .shapes import (
    Holiday,
    HolidayCalendar,
    HolidayCalendarVersion,
    HolidayRule,
    LoadShape,
    ShapeCalendar,
)
from .structures import StructureHedgeCheck, StructureNomination, StructureValue
from .trades import CaptureBasis, Trade, TradeEvent, TradeStatus, TradeVersion
from .valuation import (
    AdjustmentStatus,
    OptionGreek,
    PnlAdjustment,
    PnlKind,
    PnlReport,
    PnlStep,
    PnlStepTotal,
    TradeValue,
    ValuationRun,
)

__all__ = [
    "INBOX_STATES",
    "PROFILE_BASIS",
    "SPOT",
    "WITHDRAWN",
    "YEAR_ENDS",
    "Actual",
    "AdjustmentStatus",
    "Agreement",
    "AgreementKind",
    "ApprovedProduct",
    "BlotterRow",
    "Book",
    "CalibrationBasis",
    "CaptureBasis",
    "ClosingTime",
    "CollateralKind",
    "Commodity",
    "CommodityKind",
    "Compounding",
    "Counterparty",
    "CounterpartyStatus",
    "CreditSupportAnnex",
    "CurveDefinition",
    "CurveFit",
    "CurveMethod",
    "CurvePoint",
    "CurveSnapshot",
    "CurveStatus",
    "CurveVersion",
    "Delivery",
    "Discounting",
    "DocumentKind",
    "DocumentWithdrawal",
    "DropCopyAccount",
    "DropCopyMessage",
    "DropCopyParty",
    "DropCopyPeriodRule",
    "DropCopyProduct",
    "DropCopyProductKind",
    "DropCopySession",
    "DropCopyVenue",
    "EligibleCollateral",
    "EndOfDay",
    "EndOfDayProof",
    "EndOfDayState",
    "Fee",
    "FeePurpose",
    "Flow",
    "Forecast",
    "FxForwardQuote",
    "FxRate",
    "HedgeTarget",
    "Holiday",
    "HolidayCalendar",
    "HolidayCalendarVersion",
    "HolidayRule",
    "ImportRun",
    "InboxState",
    "IndexFrequency",
    "InterestQuote",
    "Leg",
    "LegKind",
    "LoadShape",
    "LoadType",
    "Market",
    "MarketKind",
    "MeteringPointKind",
    "MultilegReports",
    "NettingSet",
    "OptionFamily",
    "OptionGreek",
    "OptionOutcome",
    "OptionOutcomeKind",
    "Plant",
    "PnlAdjustment",
    "PnlKind",
    "PnlReport",
    "PnlStep",
    "PnlStepTotal",
    "PositionDelta",
    "PositionTotal",
    "Price",
    "PriceIndex",
    "PriceProcess",
    "PriceTolerance",
    "PricingFormula",
    "PricingModel",
    "ProcessCalibration",
    "ProcessKind",
    "ProductKind",
    "Profile",
    "ProfileMonth",
    "ProposedAmendment",
    "PublicationPolicy",
    "Quote",
    "QuoteQuality",
    "SequenceReset",
    "ShapeCalendar",
    "Stage",
    "StructureHedgeCheck",
    "StructureNomination",
    "StructureValue",
    "Technology",
    "Trade",
    "TradeDocument",
    "TradeEvent",
    "TradeStatus",
    "TradeValue",
    "TradeVersion",
    "ValuationRun",
    "VolKind",
    "VolQuote",
]
