"""Options on spreads and exchanges: translates the reference cases."""

from typing import Any

from energyopti.foundation.validation.registry import Question, Unsupported
from trading.pricing import OptionType, PricingError, kirk_spread, margrabe, spread_option
from trading.pricing_cases.options import discount_of, option_type


def _terms(question: Question) -> dict[str, Any]:
    names = ("F1", "F2", "K", "T", "vol1", "vol2", "rho")
    question.require(*names)
    question.only(*names, "r", "discount", "type")
    inputs = question.inputs
    return {
        "first": float(inputs["F1"]),
        "second": float(inputs["F2"]),
        "strike": float(inputs["K"]),
        "expiry": float(inputs["T"]),
        "volatility1": float(inputs["vol1"]),
        "volatility2": float(inputs["vol2"]),
        "correlation": float(inputs["rho"]),
        "discount": discount_of(question),
        "option": option_type(question) if "type" in inputs else OptionType.CALL,
    }


def kirk_case(question: Question) -> dict[str, float]:
    """Answer Kirk's approximation."""
    try:
        return {"price": float(kirk_spread(**_terms(question)))}
    except PricingError as error:
        raise Unsupported(str(error)) from error


def spread_case(question: Question) -> dict[str, float]:
    """Answer the exact value, and Kirk's beside it where a case asks and Kirk has one."""
    terms = _terms(question)
    try:
        exact = spread_option(**terms)
        kirk = {"kirk": float(kirk_spread(**terms))} if "kirk" in question.asked else {}
    except PricingError as error:
        raise Unsupported(str(error)) from error
    return {
        "exact": float(exact.price),
        "price": float(exact.price),
        "delta1": float(exact.delta1),
        "delta2": float(exact.delta2),
        "gamma1": float(exact.gamma11),
        "gamma2": float(exact.gamma22),
    } | kirk


def margrabe_case(question: Question) -> dict[str, float]:
    """Answer price and Greeks of an exchange option."""
    question.require("S1", "S2", "T", "vol1", "vol2", "rho")
    # An interest rate is no part of the value: both assets are paid for with each other.
    question.only("S1", "S2", "Q1", "Q2", "q1", "q2", "T", "vol1", "vol2", "rho", "r")
    given: dict[str, float] = {"Q1": 1.0, "Q2": 1.0, "q1": 0.0, "q2": 0.0, **question.inputs}
    S1, S2, Q1, Q2, q1, q2 = (float(given[name]) for name in ("S1", "S2", "Q1", "Q2", "q1", "q2"))
    try:
        value = margrabe(
            first=S1, second=S2, quantity1=Q1, quantity2=Q2, yield1=q1, yield2=q2,
            expiry=float(question.inputs["T"]),
            volatility1=float(question.inputs["vol1"]),
            volatility2=float(question.inputs["vol2"]),
            correlation=float(question.inputs["rho"]),
        )  # fmt: skip
    except PricingError as error:
        raise Unsupported(str(error)) from error
    delta1, delta2 = float(value.delta1), float(value.delta2)
    # The published table takes a gamma by unit of quantity, and counts each quantity twice in what
    # the yields earn; ours are the derivatives, which agree with it where both quantities are 1.
    return {
        "price": float(value.price),
        "delta1": delta1,
        "delta2": delta2,
        "gamma1": float(value.gamma1) / Q1,
        "gamma2": float(value.gamma2) / Q2,
        "theta": float(value.theta) + (Q1 - 1) * q1 * S1 * delta1 + (Q2 - 1) * q2 * S2 * delta2,
    }
