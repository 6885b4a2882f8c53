"""Linear deals, pure: terms, what they deliver and cost exactly, and the text that names them."""

from trading.deals._areas import (
    EEX_PEAK,
    REFERENCE_AREAS,
    LoadType,
    NoPeakDefinition,
    PowerArea,
    peak_of_zone,
)
from trading.deals._quick_text import (
    PRODUCT_WORDS,
    QuickDeal,
    QuickTextError,
    parse_quick_text,
    period_name,
    render_quick_text,
)
from trading.deals._terms import (
    DealError,
    DealTotals,
    MonthDelivery,
    PowerForward,
    month_deliveries,
    shape_hours,
    totals,
)

__all__ = [
    "EEX_PEAK",
    "PRODUCT_WORDS",
    "REFERENCE_AREAS",
    "DealError",
    "DealTotals",
    "LoadType",
    "MonthDelivery",
    "NoPeakDefinition",
    "PowerArea",
    "PowerForward",
    "QuickDeal",
    "QuickTextError",
    "month_deliveries",
    "parse_quick_text",
    "peak_of_zone",
    "period_name",
    "render_quick_text",
    "shape_hours",
    "totals",
]
