"""
What positions are worth on marks, and why that changed from one day to the next.

Arrays in, arrays out: `value_holdings` gives each holding's realised and unrealised value,
`waterfall` walks from one day's state to the next and says what each step added. Facts are
gathered in `trading.queries.valuation`; a single option is attributed by `explain_option`.
"""

from trading.valuation._cents import ValuationError, cents, cents_decimal
from trading.valuation._holdings import Holdings, ProfileHolding, Valued, value_holdings
from trading.valuation._market import (
    Basis,
    Contract,
    FixingSeries,
    MarketState,
    needs_mark,
    seconds,
)
from trading.valuation._option_greeks import (
    OptionGreeks,
    RevaluedGreeks,
    option_greeks,
    revalued_greeks,
    vol_points,
)
from trading.valuation._optionlets import (
    YEAR,
    OptionHoldings,
    Optionlets,
    OptionletValues,
    OptionMarket,
    discount_factors,
    optionlet_forwards,
    optionlet_prices,
    value_options,
)
from trading.valuation._options import OptionExplain, OptionState, explain_option
from trading.valuation._waterfall import (
    DayState,
    Explained,
    OptionDay,
    StepKind,
    StepRow,
    waterfall,
)

__all__ = [
    "YEAR",
    "Basis",
    "Contract",
    "DayState",
    "Explained",
    "FixingSeries",
    "Holdings",
    "MarketState",
    "OptionDay",
    "OptionExplain",
    "OptionGreeks",
    "OptionHoldings",
    "OptionMarket",
    "OptionState",
    "OptionletValues",
    "Optionlets",
    "ProfileHolding",
    "RevaluedGreeks",
    "StepKind",
    "StepRow",
    "ValuationError",
    "Valued",
    "cents",
    "cents_decimal",
    "discount_factors",
    "explain_option",
    "needs_mark",
    "option_greeks",
    "optionlet_forwards",
    "optionlet_prices",
    "revalued_greeks",
    "seconds",
    "value_holdings",
    "value_options",
    "vol_points",
    "waterfall",
]
