"""Deals as legs, pure: terms, what they deliver, cost and add to positions, and their text.

`_products` makes deals, `deltas` and `deal_totals` say what they are, `parse_deal_text` reads a
line.
Everything is exact; money is rounded once. Pricing of options and storage live elsewhere.
"""

from trading.deals._areas import (
    REFERENCE_INDICES,
    REFERENCE_MARKETS,
    CommodityKind,
    DeliveryArea,
    IndexFrequency,
    PriceIndex,
    power_area,
)
from trading.deals._deals import (
    Deal,
    ProductKind,
    mirrored,
)
from trading.deals._deltas import (
    Delta,
    PositionDelta,
    ProfileDelta,
    deltas,
    is_zero,
    negate,
    net,
)
from trading.deals._errors import (
    DealError,
    NoSuchShape,
)
from trading.deals._exercise import (
    OptionPeriod,
    check_exercise,
    exercised_deal,
    needs_notice,
    option_cash,
    option_periods,
    payoff,
    profile_volumes,
)
from trading.deals._legs import (
    AssetShare,
    CertificateTerms,
    Delivery,
    Direction,
    Fee,
    FeeBasis,
    FeeKind,
    Fixed,
    Floating,
    Leg,
    Option,
    OptionStyle,
    OptionType,
    Settlement,
)
from trading.deals._packages import (
    cut,
    mirror,
    package,
    strip,
)
from trading.deals._payments import (
    PaymentRule,
    payment_rule,
)
from trading.deals._periods import (
    PERIOD_WORDS,
    parse_period,
    period_name,
)
from trading.deals._plants import (
    GeneratingAsset,
    asset_share,
    ppa,
    read_capacity_factors,
)
from trading.deals._products import (
    basis_swap,
    certificate,
    financial_forward,
    fixed_float_swap,
    future,
    index_forward,
    option,
    physical_forward,
    profile_forward,
    settlement_index,
)
from trading.deals._quick_text import (
    parse_deal_text,
)
from trading.deals._quick_words import (
    QuickTextError,
)
from trading.deals._schedules import (
    DeltaBasis,
    MonthVolume,
    Schedule,
)
from trading.deals._shapes import (
    BASE,
    EEX_SHAPES,
    EFA_SHAPES,
    HolidayRule,
    LoadShape,
    MonthPart,
    block_shape,
    complement,
    month_parts,
    shape_delivery,
    shape_intervals,
    shape_seconds,
    us_shapes,
    with_peak,
)
from trading.deals._totals import (
    Totals,
    deal_totals,
    fee_cash,
    package_totals,
)
from trading.deals._volumes import (
    CERTIFICATE_UNIT,
    Frequency,
    Lot,
    Profile,
    Volume,
)
from trading.deals._written_deals import (
    DealText,
    render_deal_text,
)

__all__ = [
    "BASE",
    "CERTIFICATE_UNIT",
    "EEX_SHAPES",
    "EFA_SHAPES",
    "PERIOD_WORDS",
    "REFERENCE_INDICES",
    "REFERENCE_MARKETS",
    "AssetShare",
    "CertificateTerms",
    "CommodityKind",
    "Deal",
    "DealError",
    "DealText",
    "Delivery",
    "DeliveryArea",
    "Delta",
    "DeltaBasis",
    "Direction",
    "Fee",
    "FeeBasis",
    "FeeKind",
    "Fixed",
    "Floating",
    "Frequency",
    "GeneratingAsset",
    "HolidayRule",
    "IndexFrequency",
    "Leg",
    "LoadShape",
    "Lot",
    "MonthPart",
    "MonthVolume",
    "NoSuchShape",
    "Option",
    "OptionPeriod",
    "OptionStyle",
    "OptionType",
    "PaymentRule",
    "PositionDelta",
    "PriceIndex",
    "ProductKind",
    "Profile",
    "ProfileDelta",
    "QuickTextError",
    "Schedule",
    "Settlement",
    "Totals",
    "Volume",
    "asset_share",
    "basis_swap",
    "block_shape",
    "certificate",
    "check_exercise",
    "complement",
    "cut",
    "deal_totals",
    "deltas",
    "exercised_deal",
    "fee_cash",
    "financial_forward",
    "fixed_float_swap",
    "future",
    "index_forward",
    "is_zero",
    "mirror",
    "mirrored",
    "month_parts",
    "needs_notice",
    "negate",
    "net",
    "option",
    "option_cash",
    "option_periods",
    "package",
    "package_totals",
    "parse_deal_text",
    "parse_period",
    "payment_rule",
    "payoff",
    "period_name",
    "physical_forward",
    "power_area",
    "ppa",
    "profile_forward",
    "profile_volumes",
    "read_capacity_factors",
    "render_deal_text",
    "settlement_index",
    "shape_delivery",
    "shape_intervals",
    "shape_seconds",
    "strip",
    "us_shapes",
    "with_peak",
]
