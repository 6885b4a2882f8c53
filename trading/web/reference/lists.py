"""Lists of reference data: counterparties, agreements, delivery points, indices, shapes, rates."""

from collections.abc import Callable
from typing import Any

import django_filters
import django_tables2 as tables
from django import forms
from django.db.models import Count, QuerySet
from django.urls import reverse

from energyopti.foundation.tables.columns import FigureColumn, MomentColumn, StatusColumn
from energyopti.foundation.tables.pages import TablePage
from trading.models import (
    AgreementKind,
    Commodity,
    CounterpartyStatus,
    IndexFrequency,
    MarketKind,
    Technology,
)
from trading.queries.agreements import agreement_rows, counterparty_rows
from trading.queries.reference import (
    commodity_rows,
    fx_rate_rows,
    holiday_rows,
    index_rows,
    market_rows,
    plant_rows,
    shape_rows,
)

from ..blotter import PastMomentFilter, cut_of
from .words import clock_of, day_start_words, weekday_words

STATUS_LEVELS = {"ACTIVE": "good", "PROSPECT": "info", "SUSPENDED": "warn", "CLOSED": "bad"}
ACTIVE = StatusColumn(
    verbose_name="State", levels={True: "good"}, labels={True: "open", False: "closed"}
)


def contains(label: str, **kwargs: Any) -> django_filters.CharFilter:
    return django_filters.CharFilter(
        lookup_expr="icontains",
        label=label,
        widget=forms.TextInput(attrs={"type": "search"}),
        **kwargs,
    )


def exactly(label: str, **kwargs: Any) -> django_filters.CharFilter:
    return django_filters.CharFilter(lookup_expr="iexact", label=label, **kwargs)


class ReferenceList(TablePage):
    """A list with a button for a new row, for those who may add one."""

    template_name = "reference/list.html"
    new_permissions: tuple[str, ...] = ()
    rows_of: Callable[[Any], QuerySet[Any]]

    def rows(self) -> QuerySet[Any]:
        return self.rows_of(self.actor)

    def extra_context(self) -> dict[str, Any]:
        return {"may_add": bool(self.new_url_name) and self._may(*self.new_permissions)}

    def _may(self, *permissions: str) -> bool:
        return all(self.actor.may(permission) for permission in permissions)


class CounterpartyTable(tables.Table):
    code = tables.Column(
        "Counterparty", linkify=("trading:counterparty", {"counterparty_id": tables.A("pk")})
    )
    name = tables.Column()
    legal_name = tables.Column("Legal name")
    lei = tables.Column("LEI")
    country = tables.Column()
    is_internal = StatusColumn(
        verbose_name="Kind", levels={True: "info"}, labels={True: "internal", False: "external"}
    )
    status = StatusColumn(levels=STATUS_LEVELS)


class CounterpartyFilter(django_filters.FilterSet):
    code = contains("Code")
    name = contains("Name")
    lei = exactly("LEI")
    country = exactly("Country")
    status = django_filters.ChoiceFilter(choices=CounterpartyStatus.choices)


class CounterpartyList(ReferenceList):
    name = "trading.counterparties"
    permission = "trading.view_counterparty"
    table_class = CounterpartyTable
    filterset_class = CounterpartyFilter
    title = "Counterparties"
    lead = "Companies that deals are made with; only active ones take new deals."
    default_columns = ("code", "name", "lei", "country", "is_internal", "status")
    default_sort = "code"
    new_url_name = "trading:counterparty_new"
    new_label = "New counterparty"
    new_permissions = ("trading.add_counterparty",)
    empty_title = "No counterparties yet"
    empty_text = "Add one, or import counterparties.csv."
    rows_of = staticmethod(counterparty_rows)


class AgreementTable(tables.Table):
    counterparty = tables.Column(
        accessor="counterparty__code",
        linkify=("trading:counterparty", {"counterparty_id": tables.A("counterparty_id")}),
    )
    kind = tables.Column()
    reference = tables.Column()
    signed_date = MomentColumn(verbose_name="Signed", is_date=True)
    effective_date = MomentColumn(verbose_name="In force from", is_date=True)
    ended_date = MomentColumn(verbose_name="Ended", is_date=True)
    governing_law = tables.Column("Governing law")


class AgreementFilter(django_filters.FilterSet):
    counterparty = exactly("Counterparty code", field_name="counterparty__code")
    kind = django_filters.ChoiceFilter(choices=AgreementKind.choices)
    reference = contains("Reference")
    in_force = django_filters.BooleanFilter(
        field_name="ended_date", lookup_expr="isnull", label="Without an end"
    )


class AgreementList(ReferenceList):
    name = "trading.agreements"
    permission = "trading.view_agreement"
    table_class = AgreementTable
    filterset_class = AgreementFilter
    title = "Agreements"
    lead = "Master agreements; netting sets and collateral stand with the counterparty."
    default_sort = "counterparty,reference"
    empty_title = "No agreements yet"
    empty_text = "They are added on the page of a counterparty, or by agreements.csv."
    rows_of = staticmethod(agreement_rows)


class CommodityTable(tables.Table):
    code = tables.Column(linkify=("trading:commodity_edit", {"code": tables.A("code")}))
    name = tables.Column()
    kind = tables.Column()
    delivery = tables.Column()
    quantity_unit = tables.Column("Unit of size")


class CommodityList(ReferenceList):
    name = "trading.commodities"
    permission = "trading.view_reference_data"
    table_class = CommodityTable
    title = "Commodities"
    lead = "What is delivered: as a rate over time, or in whole units."
    default_sort = "code"
    new_url_name = "trading:commodity_new"
    new_label = "New commodity"
    new_permissions = ("trading.manage_reference_data",)
    empty_title = "No commodities yet"
    empty_text = "Import commodities.csv, or bring in the catalogue."
    rows_of = staticmethod(commodity_rows)


class MarketTable(tables.Table):
    code = tables.Column(
        "Delivery point", linkify=("trading:delivery_point", {"code": tables.A("code")})
    )
    name = tables.Column()
    commodity = tables.Column(accessor="commodity__code")
    kind = tables.Column()
    parent = tables.Column("Belongs to", accessor="parent__code")
    country = tables.Column()
    eic = tables.Column("EIC")
    time_zone = tables.Column("Zone")
    day_start = tables.Column("Day starts")
    currency = tables.Column()
    price_unit = tables.Column("Price per")
    shape_calendar = tables.Column("Shapes", accessor="shape_calendar__code")

    def render_day_start(self, value: Any) -> str:
        return day_start_words(value)

    value_day_start = render_day_start


class MarketFilter(django_filters.FilterSet):
    code = contains("Code")
    name = contains("Name")
    commodity = django_filters.ModelChoiceFilter(
        queryset=Commodity.objects.order_by("code"), to_field_name="code"
    )
    kind = django_filters.ChoiceFilter(choices=MarketKind.choices)
    country = exactly("Country")
    eic = exactly("EIC")


class MarketList(ReferenceList):
    name = "trading.delivery_points"
    permission = "trading.view_reference_data"
    table_class = MarketTable
    filterset_class = MarketFilter
    title = "Delivery points"
    lead = "Bidding zones, hubs, nodes, trading points, terminals and registries."
    default_columns = (
        "code", "name", "commodity", "kind", "parent", "eic", "time_zone", "day_start",
        "currency", "price_unit", "shape_calendar",
    )  # fmt: skip
    default_sort = "code"
    new_url_name = "trading:delivery_point_new"
    new_label = "New delivery point"
    new_permissions = ("trading.manage_reference_data",)
    empty_title = "No delivery points yet"
    empty_text = "Import markets.csv."
    rows_of = staticmethod(market_rows)


def _mark_page(record: Any) -> str:
    return reverse("trading:curve", args=[record.market.code, record.valued_on])


class IndexTable(tables.Table):
    code = tables.Column("Index", linkify=("trading:index", {"code": tables.A("code")}))
    name = tables.Column()
    market = tables.Column(
        "Delivery point",
        accessor="market__code",
        linkify=("trading:delivery_point", {"code": tables.A("market__code")}),
    )
    currency = tables.Column()
    price_unit = tables.Column("Price per")
    frequency = tables.Column()
    load_shape = tables.Column("Shape")
    valued_on = tables.Column("Valued on", linkify=_mark_page)
    source = tables.Column()
    is_active = ACTIVE


class IndexFilter(django_filters.FilterSet):
    code = contains("Code")
    market = exactly("Delivery point", field_name="market__code")
    frequency = django_filters.ChoiceFilter(choices=IndexFrequency.choices)
    source = contains("Source")


class IndexList(ReferenceList):
    name = "trading.indices"
    permission = "trading.view_reference_data"
    table_class = IndexTable
    filterset_class = IndexFilter
    title = "Price indices"
    lead = "Published prices that deals float on."
    default_sort = "code"
    new_url_name = "trading:index_new"
    new_label = "New index"
    new_permissions = ("trading.manage_reference_data",)
    empty_title = "No indices yet"
    empty_text = "Import indices.csv."
    rows_of = staticmethod(index_rows)


class PlantTable(tables.Table):
    code = tables.Column("Plant", linkify=("trading:plant", {"code": tables.A("code")}))
    name = tables.Column()
    technology = tables.Column()
    installed_mwp = FigureColumn(places=3, verbose_name="Installed MWp")
    market = tables.Column(
        "Delivery point",
        accessor="market__code",
        linkify=("trading:delivery_point", {"code": tables.A("market__code")}),
    )
    metering_asset_id = tables.Column("Metered as")
    is_active = ACTIVE


class PlantFilter(django_filters.FilterSet):
    code = contains("Code")
    name = contains("Name")
    market = exactly("Delivery point", field_name="market__code")
    technology = django_filters.ChoiceFilter(choices=Technology.choices)


class PlantList(ReferenceList):
    name = "trading.plants"
    permission = "trading.view_reference_data"
    table_class = PlantTable
    filterset_class = PlantFilter
    title = "Plants"
    lead = "Whose output deals sell as generated, by MWp."
    default_sort = "code"
    new_url_name = "trading:plant_new"
    new_label = "New plant"
    new_permissions = ("trading.manage_reference_data",)
    empty_title = "No plants yet"
    empty_text = "Add one, or import plants.csv."
    rows_of = staticmethod(plant_rows)


class ShapeTable(tables.Table):
    calendar = tables.Column(
        accessor="calendar__code",
        linkify=("trading:shape_calendar", {"code": tables.A("calendar__code")}),
    )
    code = tables.Column("Shape")
    version = FigureColumn()
    name = tables.Column()
    valid_from = MomentColumn(verbose_name="Valid from", is_date=True)
    weekdays = tables.Column("Delivery days")
    from_minute = tables.Column("From")
    to_minute = tables.Column("To")
    holiday_rule = tables.Column("On holidays")
    holiday_calendar = tables.Column("Holidays", accessor="holiday_calendar__code")
    complement_of = tables.Column("Without", accessor="complement_of__code")

    def render_weekdays(self, value: str) -> str:
        return weekday_words(value)

    def render_from_minute(self, value: int) -> str:
        return clock_of(value)

    render_to_minute = render_from_minute


class ShapeFilter(django_filters.FilterSet):
    calendar = exactly("Calendar", field_name="calendar__code")
    code = exactly("Shape")


class ShapeList(ReferenceList):
    name = "trading.shapes"
    permission = "trading.view_reference_data"
    table_class = ShapeTable
    filterset_class = ShapeFilter
    title = "Load shapes"
    lead = "Every version of the hours in which a product delivers; none is ever changed."
    default_sort = "calendar,code,version"
    empty_title = "No shapes yet"
    empty_text = "Bring in the catalogue, or import shapes.csv."
    rows_of = staticmethod(shape_rows)


class HolidayTable(tables.Table):
    calendar = tables.Column(
        accessor="calendar__code",
        linkify=("trading:holidays", {"code": tables.A("calendar__code")}),
    )
    name = tables.Column(accessor="calendar__name")
    version = FigureColumn()
    covers_first = MomentColumn(verbose_name="Speaks from", is_date=True)
    covers_after = MomentColumn(verbose_name="To before", is_date=True)
    dates = FigureColumn(verbose_name="Holidays")
    source = tables.Column()
    recorded_at = MomentColumn(verbose_name="Recorded")


class HolidayList(ReferenceList):
    name = "trading.holidays"
    permission = "trading.view_reference_data"
    table_class = HolidayTable
    title = "Holiday calendars"
    lead = "Every version of every list; the highest holds."
    default_sort = "calendar,-version"
    empty_title = "No holidays yet"
    empty_text = "Bring in the catalogue, or import holidays.csv."

    rows_of = staticmethod(holiday_rows)

    def rows(self) -> QuerySet[Any]:
        return super().rows().prefetch_related(None).annotate(dates=Count("holidays"))


class FxRateTable(tables.Table):
    base = tables.Column("One")
    quote = tables.Column("Costs in")
    rate = FigureColumn(places=6)
    valid_from = MomentColumn(verbose_name="Valid from")
    source = tables.Column()
    recorded_at = MomentColumn(verbose_name="Recorded")


class FxRateFilter(django_filters.FilterSet):
    as_of = PastMomentFilter()
    base = exactly("One")
    quote = exactly("Costs in")
    source = contains("Source")


class FxRateList(ReferenceList):
    name = "trading.fx_rates"
    permission = "trading.view_reference_data"
    table_class = FxRateTable
    filterset_class = FxRateFilter
    title = "Exchange rates"
    lead = (
        "Each rate in the version that holds, or that was known at a past moment; a correction "
        "keeps the one before it."
    )
    default_sort = "-valid_from,base,quote"
    new_url_name = "trading:fx_rate_new"
    new_label = "Book a rate"
    new_permissions = ("trading.manage_reference_data",)
    empty_title = "No exchange rates yet"
    empty_text = "Import fx_rates.csv."

    def rows(self) -> QuerySet[Any]:
        known_at = cut_of(self.request)
        return fx_rate_rows(self.actor, known_at=known_at)  # type: ignore[arg-type]  # accounts' own actor
