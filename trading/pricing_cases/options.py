"""Options on forwards: translates the reference cases; `trading.validation` registers by name."""

from dataclasses import asdict

from energyopti.foundation.validation.registry import Question, Unsupported
from trading.pricing import OptionType, PricingError
from trading.valuation import OptionState, explain_option


def pnl_explain(question: Question) -> dict[str, float]:
    """Answer why an option's value changed in a day: Taylor terms and revaluation steps."""
    question.require("type", "F0", "F1", "K", "T0", "dt", "vol0", "vol1", "quantity")
    inputs = question.inputs
    try:
        option = OptionType(str(inputs["type"]).upper())
    except ValueError as error:
        raise Unsupported(f"type {inputs['type']!r} is neither call nor put") from error
    before = OptionState(
        option=option,
        forward=float(inputs["F0"]),
        strike=float(inputs["K"]),
        expiry=float(inputs["T0"]),
        volatility=float(inputs["vol0"]),
        rate=float(inputs.get("r", 0.0)),
    )
    try:
        explained = explain_option(
            before,
            days=float(inputs["dt"]),
            forward=float(inputs["F1"]),
            volatility=float(inputs["vol1"]),
            quantity=float(inputs["quantity"]),
        )
    except PricingError as error:
        raise Unsupported(str(error)) from error
    return asdict(explained)
