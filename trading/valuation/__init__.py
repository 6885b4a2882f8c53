"""
What positions are worth on marks, and why that changed from one day to the next.

Arrays in, arrays out: `value_holdings` gives each holding's realised and unrealised value,
`waterfall` walks from one day's state to the next and says what each step added. Facts are
gathered in `trading.queries.valuation`; a single option is attributed by `explain_option`.
Contracts with choices are worth what was chosen and the best of the rest (`StructureHoldings`).
"""

from trading.valuation._bounds import (
    BoundHoldings,
    BoundMarket,
    Bounds,
    BoundValues,
    bound_greeks,
    bound_values,
    revalued_bounds,
    value_bounds,
    valued_bounds,
)
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
    VOL_STEP,
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
from trading.valuation._structure_bumps import (
    NORMAL_VOL_STEP,
    PLAN_STEP,
    Agreement,
    HedgeCheck,
    check_hedge,
)
from trading.valuation._structure_plans import (
    PlanRefused,
    plant_state,
    plant_terms,
    storage_terms,
    swing_terms,
)
from trading.valuation._structure_rules import NOMINATED, check_nominations
from trading.valuation._structure_summary import PlanFact, plan_facts
from trading.valuation._structures import (
    HedgeMonth,
    StructureDay,
    StructureHolding,
    StructureHoldings,
    StructureMarket,
    StructuresValued,
    StructureValue,
)
from trading.valuation._time_values import (
    SIMULATED,
    PriceModels,
    SimulatedDelta,
    TimeValue,
    time_value,
)
from trading.valuation._waterfall import (
    BoundDay,
    DayState,
    Decisions,
    Explained,
    MeteredHoldings,
    OptionDay,
    StepKind,
    StepRow,
    waterfall,
)

__all__ = [
    "NOMINATED",
    "NORMAL_VOL_STEP",
    "PLAN_STEP",
    "SIMULATED",
    "VOL_STEP",
    "YEAR",
    "Agreement",
    "Basis",
    "BoundDay",
    "BoundHoldings",
    "BoundMarket",
    "BoundValues",
    "Bounds",
    "Contract",
    "DayState",
    "Decisions",
    "Explained",
    "FixingSeries",
    "HedgeCheck",
    "HedgeMonth",
    "Holdings",
    "MarketState",
    "MeteredHoldings",
    "OptionDay",
    "OptionExplain",
    "OptionGreeks",
    "OptionHoldings",
    "OptionMarket",
    "OptionState",
    "OptionletValues",
    "Optionlets",
    "PlanFact",
    "PlanRefused",
    "PriceModels",
    "ProfileHolding",
    "RevaluedGreeks",
    "SimulatedDelta",
    "StepKind",
    "StepRow",
    "StructureDay",
    "StructureHolding",
    "StructureHoldings",
    "StructureMarket",
    "StructureValue",
    "StructuresValued",
    "TimeValue",
    "ValuationError",
    "Valued",
    "bound_greeks",
    "bound_values",
    "cents",
    "cents_decimal",
    "check_hedge",
    "check_nominations",
    "discount_factors",
    "explain_option",
    "needs_mark",
    "option_greeks",
    "optionlet_forwards",
    "optionlet_prices",
    "plan_facts",
    "plant_state",
    "plant_terms",
    "revalued_bounds",
    "revalued_greeks",
    "seconds",
    "storage_terms",
    "swing_terms",
    "time_value",
    "value_bounds",
    "value_holdings",
    "value_options",
    "valued_bounds",
    "vol_points",
    "waterfall",
]
