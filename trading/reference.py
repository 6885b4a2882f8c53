"""Reference data as values: what a form, a file and a service say of a row, by codes not ids."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class CommodityTerms:
    """A commodity; words and units as in `models.Commodity`."""

    code: str
    name: str
    kind: str
    delivery: str
    quantity_unit: str


@dataclass(frozen=True, slots=True)
class MarketTerms:
    """A delivery point; `parent`, `commodity` and `shape_calendar` by code, empty for none."""

    code: str
    name: str
    commodity: str
    kind: str
    time_zone: str
    currency: str
    parent: str = ""
    country: str = ""
    eic: str = ""
    day_start: timedelta = timedelta(0)
    price_unit: str = "MWh"
    shape_calendar: str = ""
    period_minutes: int = 60
    gate_closure: time = time(12)
    publication_minutes: int = 60


@dataclass(frozen=True, slots=True)
class HolidayTerms:
    """One version of a holiday calendar; `holidays` are (date, name), by date."""

    calendar: str
    calendar_name: str
    version: int
    covers_first: date
    covers_last: date
    source: str
    holidays: tuple[tuple[date, str], ...]


@dataclass(frozen=True, slots=True)
class ShapeTerms:
    """
    One version of a load shape with the calendar it belongs to.

    weekdays            "12345", Monday 1
    from_minute, to_minute   after the delivery day's start
    complement_of       code of a shape of the same calendar, empty for none
    """

    calendar: str
    calendar_name: str
    day_start: timedelta
    shape: str
    version: int
    name: str
    valid_from: date
    weekdays: str = "1234567"
    from_minute: int = 0
    to_minute: int = 1440
    holiday_calendar: str = ""
    holiday_rule: str = "IGNORE"
    complement_of: str = ""


@dataclass(frozen=True, slots=True)
class IndexTerms:
    """A price index; `load_shape` is the code of a shape of the market, empty for all hours."""

    code: str
    market: str
    name: str
    currency: str
    price_unit: str
    frequency: str
    load_shape: str
    publication_days: int
    publication_time: time
    source: str
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class PlantTerms:
    """A plant; `capacity_factors` is one number from 0 to 1 or twelve, with a space between."""

    code: str
    name: str
    market: str
    technology: str
    installed_mwp: Decimal
    capacity_factors: str
    metering_asset_id: str = ""
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class FxRateTerms:
    """What one unit of `base` cost in `quote`, as a source said of an instant."""

    base: str
    quote: str
    valid_from: datetime
    source: str
    rate: Decimal


@dataclass(frozen=True, slots=True)
class CounterpartyTerms:
    """A company that is dealt with."""

    code: str
    name: str
    legal_name: str = ""
    lei: str = ""
    country: str = ""
    is_internal: bool = False
    status: str = "ACTIVE"


@dataclass(frozen=True, slots=True)
class AgreementTerms:
    """A master agreement with a counterparty; in force to before `ended_date`."""

    counterparty: str
    reference: str
    kind: str
    signed_date: date
    effective_date: date
    ended_date: date | None
    governing_law: str


@dataclass(frozen=True, slots=True)
class NettingSetTerms:
    """What nets under an agreement; no commodities is all of them."""

    counterparty: str
    agreement: str
    code: str
    name: str
    commodities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class CollateralTerms:
    """What an annex takes as collateral; haircut as a fraction."""

    kind: str
    currency: str
    haircut: Decimal


@dataclass(frozen=True, slots=True)
class AnnexTerms:
    """A credit support annex; a threshold of None is without limit."""

    counterparty: str
    agreement: str
    netting_set: str
    valid_from: date
    valid_to: date | None
    currency: str
    threshold_ours: Decimal | None
    threshold_theirs: Decimal | None
    minimum_transfer: Decimal
    rounding: Decimal
    independent_amount: Decimal = Decimal(0)
    collateral: tuple[CollateralTerms, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class BookTerms:
    """A book; `parent` by code and `owner` by e-mail address, empty for none."""

    code: str
    name: str
    parent: str
    reporting_currency: str
    owner: str = ""
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class ApprovedProductTerms:
    """A line of a book's list of approved products; what is empty narrows nothing."""

    book: str
    commodity: str
    market: str = ""
    product_kind: str = ""
    load_shapes: tuple[str, ...] = ()
    maximum_tenor_months: int | None = None
