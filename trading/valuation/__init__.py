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
from trading.valuation._options import OptionExplain, OptionState, explain_option
from trading.valuation._waterfall import DayState, Explained, StepKind, StepRow, waterfall

__all__ = [
    "Basis",
    "Contract",
    "DayState",
    "Explained",
    "FixingSeries",
    "Holdings",
    "MarketState",
    "OptionExplain",
    "OptionState",
    "ProfileHolding",
    "StepKind",
    "StepRow",
    "ValuationError",
    "Valued",
    "cents",
    "cents_decimal",
    "explain_option",
    "needs_mark",
    "seconds",
    "value_holdings",
    "waterfall",
]
