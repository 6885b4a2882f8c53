"""What the terms of a contract with choices allow of its nominations, seen as a whole."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from trading.deals import BatteryTerms, StorageTerms, StructureKind, SwingTerms, TollingTerms
from trading.pricing import PricingError
from trading.valuation._market import Floats
from trading.valuation._structure_plans import (
    PlanRefused,
    battery_levels,
    storage_terms,
    swing_terms,
)
from trading.valuation._structures import StructureHolding

_TOLERANCE = 1e-6
NOMINATED = frozenset(StructureKind) - {StructureKind.TRANSMISSION_RIGHT}


def check_nominations(holding: StructureHolding, at: int) -> None:
    """
    Refuse nominations that break the terms, or leave what is open no way to keep them.

    Intervals before the last one nominated without a word of their own, and those begun, count as
    silent: the least of a day of a swing contract, nothing of others.

    :raises PlanRefused: naming the day and the rule.
    """
    terms = holding.leg.terms
    if isinstance(terms, SwingTerms):
        _check_swing(holding, terms, at)
    elif isinstance(terms, StorageTerms):
        _check_storage(holding, terms, at)
    elif isinstance(terms, TollingTerms):
        _check_plant(holding, terms)
    elif isinstance(terms, BatteryTerms):
        _check_battery(holding, terms)
    else:
        name = holding.leg.kind.value.replace("_", " ").lower()
        raise PlanRefused(f"a {name} is not nominated here.")


def _check_swing(holding: StructureHolding, terms: SwingTerms, at: int) -> None:
    low, high = float(terms.daily_minimum), float(holding.leg.most)
    said = holding.nominated
    for n in np.flatnonzero(~np.isnan(said)).tolist():
        if not low - _TOLERANCE <= said[n] <= high + _TOLERANCE:
            raise PlanRefused(f"{holding.dates[n]}: {said[n]:g} is not from {low:g} to {high:g}.")
    begun = holding.begun(at)
    silent = np.isnan(said)
    past = np.arange(len(said)) < begun
    least = np.where(silent, low, said)
    most = np.where(silent, np.where(past, low, high), said)
    try:
        swing_terms(holding.leg, holding.dates, least, most)
    except PricingError as error:
        raise PlanRefused(f"The contract year would not be kept: {error}") from error


def _check_storage(holding: StructureHolding, terms: StorageTerms, at: int) -> None:
    said = holding.nominated
    last = max(holding.begun(at), _after_last(said))
    flow = np.where(np.isnan(said[:last]), 0.0, said[:last])
    level = float(terms.start_inventory)
    volume = float(terms.working_volume)
    store = storage_terms(holding.leg, holding.dates, 0.0, ends=False)
    into, out = store.injection, store.withdrawal
    for n in range(last):
        if flow[n]:
            curve, way = (out, "withdrawn") if flow[n] > 0 else (into, "injected")
            most = float(np.interp(level, np.asarray(curve.inventory), np.asarray(curve.rate)))
            if abs(flow[n]) > most + _TOLERANCE:
                raise PlanRefused(
                    f"{holding.dates[n]}: with {level:g} in store at most {most:g} can be {way},"
                    f" not {abs(flow[n]):g}."
                )
        level -= float(flow[n])
        if not -_TOLERANCE <= level <= volume + _TOLERANCE:
            raise PlanRefused(
                f"{holding.dates[n]}: {level:g} would be in store, not from 0 to {volume:g}."
            )
    if last == len(said):
        if level < float(terms.end_inventory) - _TOLERANCE:
            raise PlanRefused(
                f"{level:g} would be left at the end, less than {terms.end_inventory}."
            )
        return
    try:
        storage_terms(holding.leg, holding.dates[last:], level)
    except PricingError as error:
        raise PlanRefused(f"The inventory at the end could not be reached: {error}") from error


def _check_plant(holding: StructureHolding, terms: TollingTerms) -> None:
    said = holding.nominated
    low, high = float(terms.minimum_mw), float(holding.leg.most)
    output = np.nan_to_num(said[: _after_last(said)])
    for n in np.flatnonzero(output != 0).tolist():
        if not low - _TOLERANCE <= output[n] <= high + _TOLERANCE:
            raise PlanRefused(
                f"{holding.dates[n]}: {output[n]:g} MW is neither 0 nor from {low:g} to {high:g}."
            )
    on = (output > 0).astype(np.int64)
    changes = [0, *(np.flatnonzero(np.diff(on)) + 1).tolist()]
    # How long it was as it is found, and how long it stays as it is left, nobody has said.
    for start, end in list(pairwise(changes))[1:]:
        least = int(terms.minimum_up_hours if on[start] else terms.minimum_down_hours)
        if end - start < least:
            state = "on" if on[start] else "off"
            raise PlanRefused(
                f"{holding.dates[start]}: {end - start} hours {state}, fewer than {least}."
            )


def _check_battery(holding: StructureHolding, terms: BatteryTerms) -> None:
    said = holding.nominated
    quantity = np.nan_to_num(said[: _after_last(said)])
    high, energy = float(holding.leg.most), float(terms.energy_mwh)
    for n in np.flatnonzero(np.abs(quantity) > high + _TOLERANCE).tolist():
        raise PlanRefused(f"{holding.dates[n]}: {abs(quantity[n]):g} MW is above {high:g}.")
    level = battery_levels(terms, quantity)
    for n in np.flatnonzero((level < -_TOLERANCE) | (level > energy + _TOLERANCE)).tolist():
        raise PlanRefused(
            f"{holding.dates[n - 1]}: {level[n]:g} MWh would be stored, not from 0 to {energy:g}."
        )
    if terms.daily_cycles:
        days, place = np.unique(holding.dates[: len(quantity)], return_inverse=True)
        cycles = np.bincount(place, np.maximum(-np.diff(level), 0.0)) / energy
        for n in np.flatnonzero(cycles > float(terms.daily_cycles) + _TOLERANCE).tolist():
            raise PlanRefused(
                f"{days[n]}: {cycles[n]:.2f} cycles, more than {terms.daily_cycles} a day."
            )


def _after_last(said: Floats) -> int:
    known = np.flatnonzero(~np.isnan(said))
    return int(known[-1]) + 1 if known.size else 0
