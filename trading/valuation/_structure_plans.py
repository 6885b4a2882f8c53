"""
What each kind of contract with choices does by interval: as chosen, then at its optimum.

All numbers are of the holder of the choices. Optima are those of `trading.pricing.structures`; on
today's curve, so a plan's value is intrinsic but for options on a spread.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import gcd, sqrt

import numpy as np
import numpy.typing as npt

from trading.deals import (
    BatteryTerms,
    RightForm,
    StorageTerms,
    Structure,
    StructureKind,
    SwingTerms,
    TollingTerms,
    TransmissionTerms,
)
from trading.pricing import LegVolatilities, RightKind, transmission_right
from trading.pricing.structures import (
    Battery,
    ContractYear,
    GasStorage,
    Plant,
    PlantState,
    RateCurve,
    Swing,
    battery_intrinsic,
    plant_intrinsic,
    storage_intrinsic,
    swing_intrinsic,
)
from trading.valuation._market import Floats, Seconds
from trading.valuation._optionlets import YEAR

_PLACES = 1_000_000
_MOST_LOTS = 1_000_000
_TOLERANCE = 1e-9


class PlanRefused(ValueError):
    """A contract has no value here; says why, as a sentence."""


@dataclass(frozen=True, slots=True, eq=False)
class Choices:
    """
    A contract, what was chosen of it and what its prices are; the last axis is the interval.

    chosen      intervals that are no longer open
    factor      of discount to each payment
    at          seconds, now
    Others as in `StructureHolding` and `StructureMarket`.
    """

    leg: Structure
    dates: npt.NDArray[np.datetime64]
    bounds: Seconds
    hours: Floats
    nominated: Floats
    chosen: int
    prices: Floats
    factor: Floats
    at: int
    volatility: Floats | None

    @property
    def most(self) -> float:
        return float(self.leg.most)

    def said(self, otherwise: float) -> Floats:
        """Return what was nominated of the chosen intervals; of those without, the default."""
        past = self.nominated[: self.chosen]
        return np.where(np.isnan(past), otherwise, past)

    def need(self, moved: npt.NDArray[np.bool_]) -> Floats:
        """
        Return prices without gaps, where intervals in which nothing moves need none.

        moved       (interval,), of the chosen ones; open ones all need a price

        :raises PlanRefused: naming the role and the day.
        """
        wanted = np.ones(len(self.dates), dtype=np.bool_)
        wanted[: self.chosen] = moved[: self.chosen]
        bare = np.isnan(self.prices) & wanted
        if bare.any():
            role, at = (int(row[0]) for row in np.nonzero(bare))
            name = type(self.leg.terms).roles[role]
            code = self.leg.underlying[role].area.code
            raise PlanRefused(f"{code}: no price of {self.dates[at]} is known for the {name}.")
        return np.where(np.isnan(self.prices), 0.0, self.prices)


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """
    What happens by interval, of the holder.

    cash        (interval,), currency today, received +
    delta       (role, interval), units that gain with the price, discounted; gamma and vega alike
    time_value  (interval,), currency today above the intrinsic value
    """

    quantity: Floats
    cash: Floats
    delta: Floats
    method: str
    level: Floats | None = None
    gap: float = 0.0
    gamma: Floats = field(default_factory=lambda: np.zeros((1, 0)))
    vega: Floats = field(default_factory=lambda: np.zeros((1, 0)))
    time_value: Floats = field(default_factory=lambda: np.zeros(0))

    def whole(self) -> Plan:
        """Return the plan with zeros in the place of what its kind does not have."""
        nothing = np.zeros_like(self.delta)
        return replace(
            self,
            gamma=self.gamma if self.gamma.shape == nothing.shape else nothing,
            vega=self.vega if self.vega.shape == nothing.shape else nothing,
            time_value=self.time_value if self.time_value.size else np.zeros(len(self.cash)),
        )


def plan_of(choices: Choices) -> Plan:
    """
    Return what was chosen and the best of the rest.

    :raises PlanRefused, PricingError: for what has no value, saying why.
    """
    return _PLANS[choices.leg.kind](choices).whole()


def swing_terms(
    leg: Structure,
    dates: npt.NDArray[np.datetime64],
    least: Floats,
    most: Floats,
) -> Swing:
    """
    Return a swing contract as pricing has it, with bounds of each day.

    A contract year starts with the delivery. Where make-up is agreed, what is short of the least
    is paid at the strike and may be made up without paying again; without, it must be taken.

    :raises PlanRefused: where its quantities have no common lot that is worth counting in.
    :raises PricingError: naming what contradicts itself.
    """
    terms = leg.terms
    assert isinstance(terms, SwingTerms)
    limits = [terms.maximum, terms.minimum, terms.make_up, terms.carry_forward]
    days = np.unique(np.concatenate([least, most]))
    whole = [round(float(limit) * _PLACES) for limit in limits]
    whole += [round(float(day) * _PLACES) for day in days]
    lot = gcd(*whole)
    if not lot:
        raise PlanRefused("quantity: nothing may be taken.")
    if max(whole[0], whole[0] + whole[2] + whole[3]) > lot * _MOST_LOTS:
        raise PlanRefused(
            f"quantity: bounds and nominations are multiples of {lot / _PLACES:g} only; that is"
            " too fine to count in."
        )
    strike = float(terms.strike)
    years = tuple(
        ContractYear(
            first_date=np.datetime64(first, "D"),
            annual_max=float(terms.maximum),
            take_or_pay=float(terms.minimum),
            shortfall_price=strike if terms.make_up else None,
            make_up_price=strike if terms.make_up else 0.0,
        )
        for first in leg.contract_years
    )
    return Swing(
        dates=dates, strike=strike, lot=lot / _PLACES, max_quantity=most, min_quantity=least,
        years=years, make_up_limit=float(terms.make_up),
        carry_forward_limit=float(terms.carry_forward),
    )  # fmt: skip


def _swing(choices: Choices) -> Plan:
    terms = choices.leg.terms
    assert isinstance(terms, SwingTerms)
    said = choices.said(float(terms.daily_minimum))
    least = np.full(len(choices.dates), float(terms.daily_minimum))
    most = np.full(len(choices.dates), choices.most)
    least[: choices.chosen] = most[: choices.chosen] = said
    prices = choices.need(np.concatenate([said != 0, np.ones(len(least) - len(said), np.bool_)]))[0]
    # A day on which nothing was taken may have no price, and needs none.
    prices[: choices.chosen] = np.where(said == 0, float(terms.strike), prices[: choices.chosen])
    swing = swing_terms(choices.leg, choices.dates, least, most)
    found = swing_intrinsic(swing, prices, discount=choices.factor)
    return Plan(
        quantity=found.quantity,
        cash=found.cash_flow,
        delta=(choices.factor * found.quantity)[None],
        method=found.method.value,
        level=np.concatenate([[0.0], np.cumsum(found.quantity)]),
    )


def storage_terms(
    leg: Structure, dates: npt.NDArray[np.datetime64], inventory: float, *, ends: bool = True
) -> GasStorage:
    """
    Return a gas store as pricing has it, from an inventory on; `ends` with what must be left.

    :raises PricingError: naming what contradicts itself; `InfeasibleContract` where the inventory
        at the end cannot be reached.
    """
    terms = leg.terms
    assert isinstance(terms, StorageTerms)
    volume = float(terms.working_volume)
    return GasStorage(
        dates=dates,
        max_inventory=volume,
        injection=_rates(terms.injection_ratchets, float(terms.injection_rate), volume),
        withdrawal=_rates(terms.withdrawal_ratchets, float(leg.most), volume),
        injection_cost=float(terms.injection_cost),
        withdrawal_cost=float(terms.withdrawal_cost),
        injection_fuel=float(terms.injection_fuel) / 100,
        withdrawal_fuel=float(terms.withdrawal_fuel) / 100,
        start_inventory=min(max(inventory, 0.0), volume),
        terminal_min=float(terms.end_inventory) if ends else 0.0,
        terminal_max=volume,
    )


def _rates(points: tuple[tuple[object, object], ...], rate: float, volume: float) -> RateCurve:
    if not points:
        return RateCurve.constant(rate, volume)
    levels, shares = np.array(points, dtype=np.float64).T / 100
    return RateCurve(inventory=levels * volume, rate=shares * rate)


def _storage(choices: Choices) -> Plan:
    terms = choices.leg.terms
    assert isinstance(terms, StorageTerms)
    k, said = choices.chosen, choices.said(0.0)
    prices = choices.need(np.concatenate([said != 0, np.ones(len(choices.dates) - k, np.bool_)]))[0]
    quantity = np.zeros(len(choices.dates))
    quantity[:k] = said
    level = float(terms.start_inventory) - float(said.sum())
    method, gap = "CHOSEN", 0.0
    if k < len(quantity):
        store = storage_terms(choices.leg, choices.dates[k:], level)
        found = storage_intrinsic(store, prices[k:], discount=choices.factor[k:])
        quantity[k:] = found.withdrawn - found.injected
        method, gap = found.method.value, found.gap
    out, into = np.maximum(quantity, 0.0), np.maximum(-quantity, 0.0)
    burnt_in, burnt_out = (float(f) / 100 for f in (terms.injection_fuel, terms.withdrawal_fuel))
    sold = out * (1.0 - burnt_out) - into * (1.0 + burnt_in)
    costs = out * float(terms.withdrawal_cost) + into * float(terms.injection_cost)
    return Plan(
        quantity=quantity,
        cash=choices.factor * (prices * sold - costs),
        delta=(choices.factor * sold)[None],
        method=method,
        level=float(terms.start_inventory) - np.concatenate([[0.0], np.cumsum(quantity)]),
        gap=gap,
    )


def plant_terms(
    leg: Structure, dates: npt.NDArray[np.datetime64], initial: PlantState | None
) -> Plant:
    """
    Return a plant as pricing has it.

    :raises PricingError: naming what contradicts itself.
    """
    terms = leg.terms
    assert isinstance(terms, TollingTerms)
    return Plant.with_heat_rate(
        dates=dates, p_min=float(terms.minimum_mw), p_max=float(leg.most),
        heat_rate=float(terms.heat_rate), min_up=int(terms.minimum_up_hours),
        min_down=int(terms.minimum_down_hours), start_fuel=float(terms.start_fuel),
        start_cost=float(terms.start_cost), fuel_addon=float(terms.fuel_addon),
        carbon_intensity=float(terms.carbon_intensity), output_cost=float(terms.output_cost),
        initial=initial,
    )  # fmt: skip


def plant_state(output: Floats) -> PlantState | None:
    """Return how a plant stands after some hours; None before the first."""
    if not output.size:
        return None
    on = output > 0
    changes = np.flatnonzero(on != on[-1])
    hours = len(on) - (int(changes[-1]) + 1 if changes.size else 0)
    return PlantState(is_on=bool(on[-1]), intervals=hours, output_mw=float(output[-1]))


def _tolling(choices: Choices) -> Plan:
    terms = choices.leg.terms
    assert isinstance(terms, TollingTerms)
    k, said = choices.chosen, choices.said(0.0)
    prices = choices.need(np.concatenate([said != 0, np.ones(len(choices.dates) - k, np.bool_)]))
    power, fuel = prices[0], prices[1]
    carbon = prices[2] if len(prices) > 2 else np.zeros_like(power)
    output = np.zeros(len(choices.dates))
    output[:k] = said
    method, gap = "CHOSEN", 0.0
    if k < len(output):
        plant = plant_terms(choices.leg, choices.dates[k:], plant_state(said))
        found = plant_intrinsic(
            plant, power[k:], fuel[k:], carbon=carbon[k:], discount=choices.factor[k:]
        )
        output[k:] = found.output_mw
        method, gap = found.method.value, found.gap
    on = output > 0
    # Before the first hour it stands as it is found, so that is no start.
    started = on & ~np.concatenate([on[:1], on[:-1]])
    burnt = output * float(terms.heat_rate) + started * float(terms.start_fuel)
    emitted = burnt * float(terms.carbon_intensity)
    own = (
        output * float(terms.output_cost)
        + burnt * float(terms.fuel_addon)
        + started * float(terms.start_cost)
    )
    moved = np.stack([output, -burnt, -emitted][: len(prices)])
    return Plan(
        quantity=output,
        cash=choices.factor * ((moved * prices).sum(axis=0) - own),
        delta=choices.factor * moved,
        method=method,
        gap=gap,
    )


def battery_terms(leg: Structure, dates: npt.NDArray[np.datetime64], stored: float) -> Battery:
    """
    Return a battery as pricing has it, from an energy on; losses are even both ways.

    :raises PricingError: naming what contradicts itself.
    """
    terms = leg.terms
    assert isinstance(terms, BatteryTerms)
    one_way, energy = sqrt(float(terms.efficiency) / 100), float(terms.energy_mwh)
    return Battery(
        dates=dates, energy_mwh=energy, charge_mw=float(leg.most), discharge_mw=float(leg.most),
        charge_efficiency=one_way, discharge_efficiency=one_way,
        cycle_cost=float(terms.cycle_cost),
        daily_cycles=float(terms.daily_cycles) if terms.daily_cycles else None,
        start_mwh=min(max(stored, 0.0), energy),
    )  # fmt: skip


def battery_levels(terms: BatteryTerms, quantity: Floats) -> Floats:
    """Return the MWh in the cells before and after each hour of MWh at the grid."""
    one_way = sqrt(float(terms.efficiency) / 100)
    taken = np.where(quantity > 0, quantity / one_way, quantity * one_way)
    return float(terms.start_energy_mwh) - np.concatenate([[0.0], np.cumsum(taken)])


def _battery(choices: Choices) -> Plan:
    terms = choices.leg.terms
    assert isinstance(terms, BatteryTerms)
    k, said = choices.chosen, choices.said(0.0)
    prices = choices.need(np.concatenate([said != 0, np.ones(len(choices.dates) - k, np.bool_)]))[0]
    quantity = np.zeros(len(choices.dates))
    quantity[:k] = said
    method, gap = "CHOSEN", 0.0
    if k < len(quantity):
        battery = battery_terms(
            choices.leg, choices.dates[k:], float(battery_levels(terms, said)[-1])
        )
        found = battery_intrinsic(battery, prices[k:], discount=choices.factor[k:])
        quantity[k:] = found.discharge_mw - found.charge_mw
        method, gap = found.method.value, found.gap
    wear = float(terms.cycle_cost) * np.maximum(quantity, 0.0)
    return Plan(
        quantity=quantity,
        cash=choices.factor * (prices * quantity - wear),
        delta=(choices.factor * quantity)[None],
        method=method,
        level=battery_levels(terms, quantity),
        gap=gap,
    )


def _transmission(choices: Choices) -> Plan:
    terms = choices.leg.terms
    assert isinstance(terms, TransmissionTerms)
    # The contract pays its firm share of an hour that is delivered as of one that is to come.
    volume = choices.most * choices.hours * float(terms.firmness) / 100
    settled = choices.bounds[1:] <= choices.at
    every = np.ones(len(choices.dates), dtype=np.bool_)
    prices = choices.need(every & (volume != 0))
    is_option = terms.form is RightForm.OPTION
    sigma: Floats | LegVolatilities = np.zeros(len(volume))
    if is_option and choices.volatility is not None:
        rows = choices.volatility
        sigma = rows if rows.ndim == 1 else LegVolatilities(rows[0], rows[1], rows[2])
    found = transmission_right(
        kind=RightKind.OPTION if is_option else RightKind.OBLIGATION,
        volume=volume,
        source=prices[0],
        sink=prices[1],
        # The day-ahead auction fixes an hour before it begins; its start is the latest.
        expiry=np.maximum(choices.bounds[:-1] - choices.at, 0) / YEAR,
        volatility=sigma,
        discount=choices.factor,
        settled=settled,
    )
    method = "INTRINSIC"
    if is_option and choices.volatility is not None:
        method = "BACHELIER" if choices.volatility.ndim == 1 else "QUADRATURE"
    return Plan(
        quantity=volume,
        cash=found.value,
        delta=np.stack([found.delta_source, found.delta_sink]),
        method=method,
        gamma=np.stack([found.gamma_source, found.gamma_sink]),
        vega=np.stack([found.vega + found.vega_source, found.vega_sink]),
        time_value=np.where(settled, 0.0, found.value - found.intrinsic),
    )


_PLANS: Mapping[StructureKind, Callable[[Choices], Plan]] = {
    StructureKind.SWING: _swing,
    StructureKind.STORAGE: _storage,
    StructureKind.TOLLING: _tolling,
    StructureKind.BATTERY_TOLLING: _battery,
    StructureKind.TRANSMISSION_RIGHT: _transmission,
}
