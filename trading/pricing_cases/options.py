"""Options on forwards: translates the reference cases; `trading.validation` registers by name."""

from collections.abc import Callable
from dataclasses import asdict
from math import exp
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


def option_type(question: Question) -> OptionType:
    """Return what a case calls its `type`."""
    try:
        return OptionType(str(question.inputs["type"]).upper())
    except ValueError as error:
        raise Unsupported(f"type {question.inputs['type']!r} is neither call nor put") from error


def terms_of(question: Question) -> dict[str, Any]:
    """Return the terms of an option on a forward; the cases discount at r over its time T."""
    question.require("type", "F", "K", "T", "r")
    inputs = question.inputs
    return {
        "forward": float(inputs["F"]),
        "strike": float(inputs["K"]),
        "expiry": float(inputs["T"]),
        "discount": exp(-float(inputs["r"]) * float(inputs["T"])),
        "option": option_type(question),
    }


def _answer(
    question: Question, formula: Callable[..., OptionValue], volatility: float
) -> dict[str, float]:
    try:
        value = formula(**terms_of(question), volatility=volatility)
    except PricingError as error:
        raise Unsupported(str(error)) from error
    found = {name: float(term) for name, term in asdict(value).items()}
    # Theirs is of the calendar: what discounting gives back is in it.
    theta = found["theta"] + float(question.inputs["r"]) * found["price"]
    return found | {
        "theta": theta,
        "delta_fwd": found["delta"],
        "gamma_fwd": found["gamma"],
    }


def black76_case(question: Question) -> dict[str, float]:
    """Answer price and Greeks by Black-76."""
    question.require("vol")
    return _answer(question, black76, float(question.inputs["vol"]))


def bachelier_case(question: Question) -> dict[str, float]:
    """Answer price and Greeks by Bachelier."""
    question.require("normal_vol")
    return _answer(question, bachelier, float(question.inputs["normal_vol"]))


def black76_implied_case(question: Question) -> dict[str, float]:
    """Answer the volatility that Black-76 needs for a price."""
    question.require("price")
    try:
        found = black76_implied_volatility(
            **terms_of(question), price=float(question.inputs["price"])
        )
    except PricingError as error:
        raise Unsupported(str(error)) from error
    return {"vol": float(found)}


def pnl_explain(question: Question) -> dict[str, float]:
    """Answer why an option's value changed in a day: Taylor terms and revaluation steps."""
    question.require("type", "F0", "F1", "K", "T0", "dt", "vol0", "vol1", "quantity")
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
