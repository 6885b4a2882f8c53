"""Adapters of model validation: VaR, its attribution and back-tests; `room` names them."""

import re
from decimal import Decimal
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

import numpy as np

from energyopti.foundation.validation.registry import Question, Unsupported
from risk.engine import (
    BackTestError,
    Convention,
    ForwardRows,
    Garch,
    Portfolio,
    QuantileRule,
    ScenarioError,
    ShortfallRule,
    TailError,
    Transitions,
    conditional_coverage,
    delta_normal,
    independence,
    lower_tail,
    nearest_correlation,
    non_rejection_region,
    normal_tail,
    proportion_of_failures,
    revalue,
    student_tail,
    tail_of_rank,
    tail_risk,
    traffic_light,
    transitions,
)
from trading.pricing import ModelChoice, OptionRows, PriceModel

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


def closed_form(question: Question) -> dict[str, float]:
    """Answer VaR and ES of normal or Student-t P&L."""
    question.require("dist", "alpha")
    given = question.inputs
    location, scale = float(given.get("mu", 0.0)), float(given.get("sigma", 1.0))
    alpha = float(given["alpha"])
    try:
        if given["dist"] == "normal":
            tail = normal_tail(location, scale, alpha)
        elif given["dist"] == "student_t":
            question.require("nu")
            tail = student_tail(float(given["nu"]), alpha, location=location, scale=scale)
        else:
            raise Unsupported(f"dist {given['dist']!r} is neither normal nor student_t")
    except TailError as error:
        raise Unsupported(str(error)) from error
    return {"var": tail.var, "es": tail.es}


def components(question: Question) -> dict[str, Any]:
    """Answer delta-normal VaR and ES of positions, and whose they are."""
    question.require("positions", "cov", "alpha")
    given = question.inputs
    try:
        found = delta_normal(given["positions"], given["cov"], float(given["alpha"]))
    except TailError as error:
        raise Unsupported(str(error)) from error
    return {
        "var": found.var,
        "es": found.es,
        "marginal": found.marginal.tolist(),
        "component": found.component.tolist(),
        "incremental": found.incremental.tolist(),
    }


def back_test(question: Question) -> dict[str, float]:
    """Answer Kupiec's and Christoffersen's statistics of counts, or of a series of days."""
    given = question.inputs
    if "p" in given:
        p = float(given["p"])
    else:
        question.require("var_level")
        p = 1.0 - float(given["var_level"])
    found: dict[str, float] = {}
    counts: Transitions | None = None
    try:
        if "exceptions" in given:
            days = [int(day) for day in given["exceptions"]]
            observations, failures, counts = len(days), sum(days), transitions(days)
        else:
            question.require("observations", "failures")
            observations, failures = int(given["observations"]), int(given["failures"])
            if "n00" in given:
                question.require("n01", "n10", "n11")
                counts = Transitions(*(int(given[n]) for n in ("n00", "n01", "n10", "n11")))
        frequency = proportion_of_failures(observations, failures, p)
        found |= {"observations": observations, "failures": failures}
        found |= {"lr_pof": frequency.statistic, "p_pof": frequency.p_value}
        if counts is not None:
            clustering = independence(counts)
            both = conditional_coverage(frequency, clustering)
            found |= {"n00": counts.n00, "n01": counts.n01, "n10": counts.n10, "n11": counts.n11}
            found |= {"lr_ind": clustering.statistic, "p_ind": clustering.p_value}
            found |= {"lr_cc": both.statistic, "p_cc": both.p_value}
    except (BackTestError, ValueError) as error:
        raise Unsupported(str(error)) from error
    return found


def kupiec_region(question: Question) -> dict[str, int | None]:
    """Answer between which counts Kupiec's test does not reject."""
    question.require("p", "T")
    try:
        lo, hi = non_rejection_region(int(question.inputs["T"]), float(question.inputs["p"]))
    except BackTestError as error:
        raise Unsupported(str(error)) from error
    return {"lo": lo, "hi": hi}


def basel_zones(question: Question) -> dict[str, list[Any]]:
    """Answer the probability of so many exceptions or fewer, in percent, and the zones."""
    question.require("T", "p", "x")
    days, p = int(question.inputs["T"]), float(question.inputs["p"])
    try:
        lights = [traffic_light(int(x), observations=days, p=p) for x in question.inputs["x"]]
    except BackTestError as error:
        raise Unsupported(str(error)) from error
    return {
        "cumulative_percent": [100.0 * light.cumulative for light in lights],
        "zone": [light.zone.value.lower() for light in lights],
        "add_on": [light.add_on for light in lights],
    }


def garch_step(question: Question) -> dict[str, float | None]:
    """Answer tomorrow's variance by GARCH(1,1), and what variance returns to."""
    question.require("omega", "alpha", "beta", "sigma_prev", "ret")
    given = {name: float(value) for name, value in question.inputs.items()}
    try:
        model = Garch(given["omega"], given["alpha"], given["beta"])
    except ScenarioError as error:
        raise Unsupported(str(error)) from error
    variance = model.next_variance(given["sigma_prev"] ** 2, given["ret"])
    return {
        "variance": variance,
        "sigma": variance**0.5,
        "longrun_variance": model.long_run_variance,
    }


def nearest(question: Question) -> dict[str, Any]:
    """Answer the nearest correlation matrix."""
    question.require("A")
    try:
        return {"X": nearest_correlation(question.inputs["A"]).tolist()}
    except TailError as error:
        raise Unsupported(str(error)) from error


def full_revaluation(question: Question) -> dict[str, Any]:
    """
    Answer value, VaR and ES of a seeded portfolio that a generator beside the cases makes.

    The generator is a program: it runs for the command that names a file of its host, and never
    for a file that somebody sent.
    """
    question.require("generator", "n", "seed", "scenarios", "rank_from_worst")
    given = question.inputs
    made = _generator(question)
    seed, rank = int(given["seed"]), int(given["rank_from_worst"])
    (prices, vols), trades = made.market(seed), made.trades(int(given["n"]), seed)
    moves, vol_moves = made.hist_shocks(int(given["scenarios"]), seed)
    years, tenor = np.asarray(made.T), trades["tenor"]
    node = trades["curve"].astype(np.int64) * years.size + tenor
    amount = trades["qty"] * np.exp(-made.R * years[tenor])
    is_option = trades["kind"] != 0
    forwards, options = np.flatnonzero(~is_option), np.flatnonzero(is_option)
    rows = OptionRows(
        ModelChoice(PriceModel.BLACK76), node[options], node[options], trades["strike"][options],
        years[tenor[options]], amount[options],
        np.where(trades["kind"][options] > 0, "CALL", "PUT"),
    )  # fmt: skip
    held = Portfolio(
        len(trades), ForwardRows(node[forwards], amount[forwards], trades["strike"][forwards]),
        forwards, (rows,), (options,),
    )  # fmt: skip
    flat = prices.ravel(), vols.ravel()
    shocked = [
        (base * np.exp(move)).reshape(len(move), -1).T
        for base, move in ((prices, moves), (vols, vol_moves))
    ]
    found = revalue(held, *flat, *shocked)
    answer: dict[str, Any] = {"npv": found.value, "var99": -tail_of_rank(found.pnl, rank)[0]}
    for key in question.asked:
        if worst := re.fullmatch(r"es99_(\d+)worst", key):
            answer[key] = -tail_of_rank(found.pnl, int(worst[1]))[1]
        elif first := re.fullmatch(r"pnl_first(\d+)", key):
            answer[key] = found.pnl[: int(first[1])].tolist()
    return answer


def _generator(question: Question) -> Any:
    name = str(question.inputs["generator"])
    if question.folder is None or not re.fullmatch(r"\w+\.py", name):
        raise Unsupported("the generator of a portfolio is not run for a file that was sent")
    spec = spec_from_file_location(f"generator_{name[:-3]}", question.folder / name)
    if spec is None or spec.loader is None or not (question.folder / name).is_file():
        raise Unsupported(f"there is no generator {name} beside the cases")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
