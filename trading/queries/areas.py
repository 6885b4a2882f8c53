"""Delivery areas and indices of deals, made from the tables of reference data."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal

from trading import deals
from trading.deals import CommodityKind, DeliveryArea, Frequency, Lot, power_area
from trading.models import LoadShape, Market, Plant, PriceIndex

from .load_shapes import load_shapes


def delivery_areas(codes: Iterable[str] | None = None) -> dict[str, DeliveryArea]:
    """Return the areas that deals can name: the markets, by code. At most four queries."""
    markets = Market.objects.select_related("commodity").order_by("code")
    if codes is not None:
        markets = markets.filter(code__in=list(codes))
    rows = list(markets)
    shapes = _shapes({row.shape_calendar_id for row in rows if row.shape_calendar_id is not None})
    return {row.code: _area(row, shapes) for row in rows}


def price_indices(areas: Mapping[str, DeliveryArea]) -> dict[str, deals.PriceIndex]:
    """Return the active indices whose markets are among the areas, by code."""
    rows = (
        PriceIndex.objects.filter(market__code__in=list(areas), is_active=True)
        .select_related("market")
        .order_by("code")
    )
    return {row.code: index_of(row, areas[row.market.code]) for row in rows}


def index_of(row: PriceIndex, area: DeliveryArea) -> deals.PriceIndex:
    """Return an index as deals know it."""
    return deals.PriceIndex(
        row.code, area, row.currency, row.price_unit, deals.IndexFrequency(row.frequency)
    )


def generating_assets(areas: Mapping[str, DeliveryArea]) -> dict[str, deals.GeneratingAsset]:
    """Return the active plants that deliver in the areas, by code."""
    rows = Plant.objects.filter(market__code__in=list(areas), is_active=True).select_related(
        "market"
    )
    return {
        row.code: deals.GeneratingAsset(
            row.code, areas[row.market.code], row.installed_mwp,
            deals.read_capacity_factors(row.capacity_factors),
        )
        for row in rows.order_by("code")
    }  # fmt: skip


def _area(row: Market, shapes: Mapping[int, tuple[deals.LoadShape, ...]]) -> DeliveryArea:
    kind = CommodityKind(row.commodity.kind)
    known = deals.REFERENCE_MARKETS.get(row.code)
    if kind is CommodityKind.POWER and row.shape_calendar_id is None:
        # A market without a calendar of its own is traded by its zone's usual peak.
        area = replace(
            power_area(row.code, row.time_zone, row.currency),
            day_start=row.day_start, price_unit=row.price_unit,
        )  # fmt: skip
    else:
        lot = Lot(Decimal(1), "MW", Frequency.HOUR) if kind is CommodityKind.POWER else None
        area = DeliveryArea(
            row.code, row.time_zone, row.currency, kind, row.day_start, row.price_unit,
            shapes.get(row.shape_calendar_id or 0, ()), lot,
        )  # fmt: skip
    if known is not None and known.commodity is kind:
        # The size of a lot is the contract's, not the market's table's.
        area = replace(area, lot=known.lot, index_code=known.index_code)
    return area


def _shapes(calendar_ids: set[int]) -> dict[int, tuple[deals.LoadShape, ...]]:
    if not calendar_ids:
        return {}
    rows = (
        LoadShape.objects.filter(calendar_id__in=calendar_ids)
        .select_related("complement_of")
        .order_by("code", "version")
    )
    found: dict[int, list[deals.LoadShape]] = defaultdict(list)
    for row, shape in load_shapes(rows):
        found[row.calendar_id].append(shape)
    return {calendar_id: tuple(shapes) for calendar_id, shapes in found.items()}
