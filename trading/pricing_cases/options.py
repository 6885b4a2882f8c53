"""Options on forwards: translates the reference cases; `trading.validation` registers by name."""

from collections.abc import Callable
from dataclasses import asdict
from math import exp, log
from typing import Any

from energyopti.foundation.validation.registry import Question, Unsupported
from trading.pricing import (
    OptionType,
    OptionValue,
    PricingError,
    bachelier,
    black76,
    black76_implied_volatility,
)
from trading.valuation import OptionState, explain_option

_KINDS = {"CALL": OptionType.CALL, "C": OptionType.CALL,
          "PUT": OptionType.PUT, "P": OptionType.PUT}  # fmt: skip


def option_type(question: Question) -> OptionType:
    """Return what a case calls its `type`."""
    try:
        return _KINDS[str(question.inputs["type"]).upper()]
    except KeyError as error:
        raise Unsupported(f"type {question.inputs['type']!r} is neither call nor put") from error


def discount_of(question: Question) -> float:
    """Return a case's discount factor: said as `discount`, or at r over its time T."""
    inputs = question.inputs
    if "discount" in inputs:
        if "r" in inputs:
            raise Unsupported("inputs have both discount and r")
        return float(inputs["discount"])
    question.require("r", "T")
    return exp(-float(inputs["r"]) * float(inputs["T"]))


def terms_of(question: Question, *others: str) -> dict[str, Any]:
    """Return the terms of an option on a forward; `others` are keys that the caller reads."""
    question.require("type", "F", "K", "T", *others)
    question.only("type", "F", "K", "T", "r", "discount", *others)
    inputs = question.inputs
    return {
        "forward": float(inputs["F"]),
        "strike": float(inputs["K"]),
        "expiry": float(inputs["T"]),
        "discount": discount_of(question),
        "option": option_type(question),
    }


def _answer(
    question: Question, formula: Callable[..., OptionValue], volatility: str
) -> dict[str, float]:
    try:
        terms = terms_of(question, volatility)
        value = formula(**terms, volatility=float(question.inputs[volatility]))
    except PricingError as error:
        raise Unsupported(str(error)) from error
    found = {name: float(term) for name, term in asdict(value).items()}
    # Theirs is of the calendar: what discounting gives back is in it.
    rate = question.inputs.get("r")
    if rate is None:
        rate = -log(terms["discount"]) / terms["expiry"] if terms["expiry"] > 0 else 0.0
    theta = found["theta"] + float(rate) * found["price"]
    return found | {
        "theta": theta,
        "delta_fwd": found["delta"],
        "gamma_fwd": found["gamma"],
    }


def black76_case(question: Question) -> dict[str, float]:
    """Answer price and Greeks by Black-76."""
    return _answer(question, black76, "vol")


def bachelier_case(question: Question) -> dict[str, float]:
    """Answer price and Greeks by Bachelier."""
    return _answer(question, bachelier, "normal_vol")


def black76_implied_case(question: Question) -> dict[str, float]:
    """Answer the volatility that Black-76 needs for a price."""
    try:
        found = black76_implied_volatility(
            **terms_of(question, "price"), price=float(question.inputs["price"])
        )
    except PricingError as error:
        raise Unsupported(str(error)) from error
    return {"vol": float(found)}


def pnl_explain(question: Question) -> dict[str, float]:
    """Answer why an option's value changed in a day: Taylor terms and revaluation steps."""
    question.require("type", "F0", "F1", "K", "T0", "dt", "vol0", "vol1", "quantity")
    question.only("type", "F0", "F1", "K", "T0", "dt", "vol0", "vol1", "quantity", "r")
    inputs = question.inputs
    before = OptionState(
        option=option_type(question),
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
