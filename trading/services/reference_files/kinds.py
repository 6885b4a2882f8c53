"""The kinds of file, in the order in which they are applied; docs/reference-data.md has them."""

from typing import Any

from trading.models import (
    AgreementKind,
    CommodityKind,
    CounterpartyStatus,
    Delivery,
    HolidayRule,
    IndexFrequency,
    MarketKind,
    ProductKind,
    Technology,
)
from trading.queries import agreements as own
from trading.queries import reference as shared
from trading.reference import (
    AgreementTerms,
    AnnexTerms,
    ApprovedProductTerms,
    BookTerms,
    CommodityTerms,
    CounterpartyTerms,
    FxRateTerms,
    HolidayTerms,
    IndexTerms,
    MarketTerms,
    NettingSetTerms,
    PlantTerms,
    ShapeTerms,
)

from ..agreements import (
    add_agreement,
    add_annex,
    add_netting_set,
    amend_agreement,
    amend_annex,
    amend_netting_set,
)
from ..approved_products import amend_approved_product, approve_product
from ..books import amend_book, open_book_as
from ..changes import MANAGE
from ..commodities import add_commodity, amend_commodity
from ..counterparties import add_company, amend_counterparty
from ..delivery_points import add_delivery_point, amend_delivery_point
from ..indices import add_index, amend_index, book_fx_rates, checked_rate
from ..plants import add_plant, amend_plant
from ..shapes import publish_holidays, publish_shape
from .cells import (
    AsGiven,
    Choice,
    Clock,
    Collateral,
    Day,
    DayStart,
    Instant,
    MinuteOfDay,
    Number,
    Text,
    Whole,
    Words,
    YesNo,
)
from .resource import TermsResource, column


class Commodities(TermsResource):
    terms, key, permissions = CommodityTerms, ("code",), (MANAGE,)
    code = column("code", Text())
    name = column("name", Text())
    kind = column("kind", Choice(CommodityKind))
    delivery = column("delivery", Choice(Delivery))
    quantity_unit = column("quantity_unit", Text())

    def existing(self) -> list[Any]:
        return [shared.commodity_terms(row) for row in shared.commodity_rows(self.scope.actor)]

    def add(self, terms: Any) -> None:
        add_commodity(actor=self.scope.actor, terms=terms)

    def amend(self, terms: Any) -> None:
        amend_commodity(actor=self.scope.actor, terms=terms)


class Holidays(TermsResource):
    terms, key, permissions = HolidayTerms, ("calendar", "version"), (MANAGE,)
    is_published = True
    calendar = column("calendar", Text())
    calendar_name = column("calendar_name", Text())
    version = column("version", Whole())
    covers_first = column("covers_first", Day())
    covers_last = column("covers_last", Day())
    source = column("source", Text())
    holidays = column("holidays", AsGiven())

    def existing(self) -> list[Any]:
        return [shared.holiday_terms(row) for row in shared.holiday_rows(self.scope.actor)]

    def add(self, terms: Any) -> None:
        publish_holidays(actor=self.scope.actor, terms=terms)


class Shapes(TermsResource):
    terms, key, permissions = ShapeTerms, ("calendar", "shape", "version"), (MANAGE,)
    is_published = True
    waits = (("calendar", "complement_of"), ("calendar", "shape"))
    calendar = column("calendar", Text())
    calendar_name = column("calendar_name", Text())
    day_start = column("day_start", DayStart())
    shape = column("shape", Text())
    version = column("version", Whole())
    name = column("name", Text())
    valid_from = column("valid_from", Day())
    weekdays = column("weekdays", Text())
    from_minute = column("from_minute", MinuteOfDay(), "from")
    to_minute = column("to_minute", MinuteOfDay(), "to")
    holiday_calendar = column("holiday_calendar", Text(optional=True))
    holiday_rule = column("holiday_rule", Choice(HolidayRule))
    complement_of = column("complement_of", Text(optional=True))

    def existing(self) -> list[Any]:
        return [shared.shape_terms(row) for row in shared.shape_rows(self.scope.actor)]

    def add(self, terms: Any) -> None:
        publish_shape(actor=self.scope.actor, terms=terms)


class Markets(TermsResource):
    terms, key, permissions = MarketTerms, ("code",), (MANAGE,)
    waits = (("parent",), ("code",))
    code = column("code", Text())
    name = column("name", Text())
    commodity = column("commodity", Text())
    kind = column("kind", Choice(MarketKind))
    parent = column("parent", Text(optional=True))
    country = column("country", Text(optional=True))
    eic = column("eic", Text(optional=True))
    time_zone = column("time_zone", Text())
    day_start = column("day_start", DayStart())
    currency = column("currency", Text())
    price_unit = column("price_unit", Text())
    shape_calendar = column("shape_calendar", Text(optional=True))
    period_minutes = column("period_minutes", Whole())
    gate_closure = column("gate_closure", Clock())
    publication_minutes = column("publication_minutes", Whole())

    def existing(self) -> list[Any]:
        return [shared.market_terms(row) for row in shared.market_rows(self.scope.actor)]

    def add(self, terms: Any) -> None:
        add_delivery_point(actor=self.scope.actor, terms=terms)

    def amend(self, terms: Any) -> None:
        amend_delivery_point(actor=self.scope.actor, terms=terms)


class Indices(TermsResource):
    terms, key, permissions = IndexTerms, ("code",), (MANAGE,)
    code = column("code", Text())
    market = column("market", Text())
    name = column("name", Text())
    currency = column("currency", Text())
    price_unit = column("price_unit", Text())
    frequency = column("frequency", Choice(IndexFrequency))
    load_shape = column("load_shape", Text(optional=True))
    publication_days = column("publication_days", Whole())
    publication_time = column("publication_time", Clock())
    source = column("source", Text())
    is_active = column("is_active", YesNo())

    def existing(self) -> list[Any]:
        return [shared.index_terms(row) for row in shared.index_rows(self.scope.actor)]

    def add(self, terms: Any) -> None:
        add_index(actor=self.scope.actor, terms=terms)

    def amend(self, terms: Any) -> None:
        amend_index(actor=self.scope.actor, terms=terms)


class Plants(TermsResource):
    terms, key, permissions = PlantTerms, ("code",), (MANAGE,)
    code = column("code", Text())
    name = column("name", Text())
    market = column("market", Text())
    technology = column("technology", Choice(Technology))
    installed_mwp = column("installed_mwp", Number())
    capacity_factors = column("capacity_factors", Text())
    metering_asset_id = column("metering_asset_id", Text(optional=True))
    is_active = column("is_active", YesNo())

    def existing(self) -> list[Any]:
        return [shared.plant_terms(row) for row in shared.plant_rows(self.scope.actor)]

    def add(self, terms: Any) -> None:
        add_plant(actor=self.scope.actor, terms=terms)

    def amend(self, terms: Any) -> None:
        amend_plant(actor=self.scope.actor, terms=terms)


class FxRates(TermsResource):
    """Rates are judged one by one and booked together: files of them are long."""

    terms, key, permissions = FxRateTerms, ("base", "quote", "source", "valid_from"), (MANAGE,)
    base = column("base", Text())
    quote = column("quote", Text())
    valid_from = column("valid_from", Instant())
    source = column("source", Text())
    rate = column("rate", Number())

    def __init__(self, scope: Any) -> None:
        super().__init__(scope)
        self.judged: list[FxRateTerms] = []

    def existing(self) -> list[Any]:
        rows = shared.fx_rate_rows(self.scope.actor)
        return [shared.fx_rate_terms(row) for row in rows]

    def add(self, terms: Any) -> None:
        checked_rate(terms)
        self.judged.append(terms)

    amend = add

    def after_import(self, dataset: Any, result: Any, **_: Any) -> None:
        if self.judged:
            book_fx_rates(actor=self.scope.actor, rates=self.judged)


class Counterparties(TermsResource):
    terms, key = CounterpartyTerms, ("code",)
    permissions = ("trading.add_counterparty", "trading.change_counterparty")
    code = column("code", Text())
    name = column("name", Text())
    legal_name = column("legal_name", Text(optional=True))
    lei = column("lei", Text(optional=True))
    country = column("country", Text(optional=True))
    is_internal = column("is_internal", YesNo())
    status = column("status", Choice(CounterpartyStatus))

    def existing(self) -> list[Any]:
        rows = own.counterparty_rows(self.scope.actor).filter(organization_id=self.scope.own)
        return [own.counterparty_terms(row) for row in rows]

    def add(self, terms: Any) -> None:
        add_company(actor=self.scope.actor, organization_id=self.scope.own, terms=terms)

    def amend(self, terms: Any) -> None:
        amend_counterparty(actor=self.scope.actor, organization_id=self.scope.own, terms=terms)


class Agreements(TermsResource):
    terms, key = AgreementTerms, ("counterparty", "reference")
    permissions = ("trading.add_agreement", "trading.change_agreement")
    counterparty = column("counterparty", Text())
    reference = column("reference", Text())
    kind = column("kind", Choice(AgreementKind))
    signed_date = column("signed_date", Day())
    effective_date = column("effective_date", Day())
    ended_date = column("ended_date", Day(optional=True))
    governing_law = column("governing_law", Text())

    def existing(self) -> list[Any]:
        rows = own.agreement_rows(self.scope.actor).filter(
            counterparty__organization_id=self.scope.own
        )
        return [own.agreement_terms(row) for row in rows]

    def add(self, terms: Any) -> None:
        add_agreement(actor=self.scope.actor, organization_id=self.scope.own, terms=terms)

    def amend(self, terms: Any) -> None:
        amend_agreement(actor=self.scope.actor, organization_id=self.scope.own, terms=terms)


class NettingSets(TermsResource):
    terms, key = NettingSetTerms, ("counterparty", "agreement", "code")
    permissions = Agreements.permissions
    counterparty = column("counterparty", Text())
    agreement = column("agreement", Text())
    code = column("code", Text())
    name = column("name", Text())
    commodities = column("commodities", Words(optional=True))

    def existing(self) -> list[Any]:
        rows = own.netting_set_rows(self.scope.actor).filter(
            agreement__counterparty__organization_id=self.scope.own
        )
        return [own.netting_set_terms(row) for row in rows]

    def add(self, terms: Any) -> None:
        add_netting_set(actor=self.scope.actor, organization_id=self.scope.own, terms=terms)

    def amend(self, terms: Any) -> None:
        amend_netting_set(actor=self.scope.actor, organization_id=self.scope.own, terms=terms)


class Annexes(TermsResource):
    terms, key = AnnexTerms, ("counterparty", "agreement", "netting_set", "valid_from")
    permissions = Agreements.permissions
    counterparty = column("counterparty", Text())
    agreement = column("agreement", Text())
    netting_set = column("netting_set", Text())
    valid_from = column("valid_from", Day())
    valid_to = column("valid_to", Day(optional=True))
    currency = column("currency", Text())
    threshold_ours = column("threshold_ours", Number(optional=True))
    threshold_theirs = column("threshold_theirs", Number(optional=True))
    minimum_transfer = column("minimum_transfer", Number())
    rounding = column("rounding", Number())
    independent_amount = column("independent_amount", Number())
    collateral = column("collateral", Collateral(optional=True))

    def existing(self) -> list[Any]:
        rows = own.annex_rows(self.scope.actor).filter(
            netting_set__agreement__counterparty__organization_id=self.scope.own
        )
        return [own.annex_terms(row) for row in rows]

    def add(self, terms: Any) -> None:
        add_annex(actor=self.scope.actor, organization_id=self.scope.own, terms=terms)

    def amend(self, terms: Any) -> None:
        amend_annex(actor=self.scope.actor, organization_id=self.scope.own, terms=terms)


class Books(TermsResource):
    terms, key, permissions = BookTerms, ("code",), ("trading.add_book", "trading.change_book")
    waits = (("parent",), ("code",))
    code = column("code", Text())
    name = column("name", Text())
    parent = column("parent", Text(optional=True))
    reporting_currency = column("reporting_currency", Text())
    owner = column("owner", Text(optional=True))
    is_active = column("is_active", YesNo())

    def existing(self) -> list[Any]:
        rows = own.book_rows(self.scope.actor).filter(organization_id=self.scope.own)
        return [own.book_terms(row) for row in rows]

    def add(self, terms: Any) -> None:
        open_book_as(actor=self.scope.actor, organization_id=self.scope.own, terms=terms)

    def amend(self, terms: Any) -> None:
        amend_book(actor=self.scope.actor, organization_id=self.scope.own, terms=terms)


class ApprovedProducts(TermsResource):
    terms, key = ApprovedProductTerms, ("book", "commodity", "market", "product_kind")
    permissions = ("trading.add_approvedproduct", "trading.change_approvedproduct")
    book = column("book", Text())
    commodity = column("commodity", Text())
    market = column("market", Text(optional=True))
    product_kind = column("product_kind", Choice(ProductKind, optional=True))
    load_shapes = column("load_shapes", Words(optional=True))
    maximum_tenor_months = column("maximum_tenor_months", Whole(optional=True))

    def existing(self) -> list[Any]:
        rows = own.approved_product_rows(self.scope.actor).filter(
            book__organization_id=self.scope.own
        )
        return [own.approved_product_terms(row) for row in rows]

    def add(self, terms: Any) -> None:
        approve_product(actor=self.scope.actor, organization_id=self.scope.own, terms=terms)

    def amend(self, terms: Any) -> None:
        amend_approved_product(actor=self.scope.actor, organization_id=self.scope.own, terms=terms)


# By the stem of the file's name, in the order of dependence.
KINDS: dict[str, type[TermsResource]] = {
    "commodities": Commodities,
    "holidays": Holidays,
    "shapes": Shapes,
    "markets": Markets,
    "indices": Indices,
    "plants": Plants,
    "fx_rates": FxRates,
    "counterparties": Counterparties,
    "agreements": Agreements,
    "netting_sets": NettingSets,
    "csas": Annexes,
    "books": Books,
    "approved_products": ApprovedProducts,
}
SHARED = frozenset(
    {"commodities", "holidays", "shapes", "markets", "indices", "plants", "fx_rates"}
)
