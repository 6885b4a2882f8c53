"""Adapters of model validation: empirical VaR and ES under their conventions; `room` names them."""

from decimal import Decimal
from typing import Any

import numpy as np

from energyopti.foundation.validation.registry import Question, Unsupported
from risk.engine import Convention, QuantileRule, ShortfallRule, lower_tail, tail_risk

_RULES = {
    "order_stat": (QuantileRule.ORDER_STATISTIC, ShortfallRule.MEAN_OF_K_WORST),
    "linear_type7": (QuantileRule.LINEAR_TYPE7, ShortfallRule.MEAN_OF_K_WORST),
    "acerbi": (QuantileRule.ORDER_STATISTIC, ShortfallRule.ACERBI),
}


def historical_conventions(question: Question) -> dict[str, float]:
    """Answer VaR and ES ("var_order_stat_0.99") of a P&L vector under the rule that a key names."""
    question.require("pnl")
    pnl = np.array(question.inputs["pnl"], dtype=np.float64)
    found: dict[str, float] = {}
    for key in question.asked:
        measure, _, rest = key.partition("_")
        rule, _, confidence = rest.rpartition("_")
        if measure not in ("var", "es") or rule not in _RULES:
            raise Unsupported(f"{key} names no rule here")
        quantile_rule, shortfall_rule = _RULES[rule]
        tail = tail_risk(
            pnl,
            Convention(
                confidence=Decimal(confidence),
                quantile_rule=quantile_rule,
                shortfall_rule=shortfall_rule,
            ),
        )
        found[key] = tail.var if measure == "var" else tail.es
    return found


def historical_vector(question: Question) -> dict[str, Any]:
    """Answer quantiles and lower-tail means of a P&L vector, with the sign of the P&L."""
    question.require("pnl", "quantiles")
    pnl = np.array(question.inputs["pnl"], dtype=np.float64)
    tails = [lower_tail(pnl, Decimal(str(q))) for q in question.inputs["quantiles"]]
    return {"quantile": [q for q, _ in tails], "lower_tail_mean": [mean for _, mean in tails]}
