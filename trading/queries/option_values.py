"""One option as its pages show it: value, what it was valued on, Greeks beside revaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from math import isnan
from typing import TYPE_CHECKING, Any

from energyopti.foundation.money import Money
from trading.deals import Option, OptionletKind, OptionStyle, unit_factors
from trading.models import (
    Leg,
    LegKind,
    PricingFormula,
    PricingModel,
    ProductKind,
    TradeValue,
    TradeVersion,
    ValuationRun,
)

from .deals import deal_of
from .valuation import (
    BoundFacts,
    HeldBounds,
    OptionFacts,
    Universe,
    bound_facts,
    decided_periods,
    held_bounds,
    held_legs,
    market_facts,
    option_facts,
)

if TYPE_CHECKING:
    from .valuation import HeldOptions, OptionletKey, Period

VIEW = "trading.view_tradevalue"
# By how much a Greek may differ from revaluation, of itself; at least by what pages show.
_DELTA, _SECOND, _LEAST = 1e-3, 1e-2, 1e-3


@dataclass(frozen=True, slots=True)
class EarlyLine:
    """
    What the choice of time of a right is worth, and what exercise now is; of our quantity.

    exercises   the dates that are left, the expiry last; none of an American, which has any time
    any_time    an American
    premium     above the right to decide at the expiry alone
    exercise    what exercise now pays, discounted; zero out of the money, None if today is no day
                of exercise
    hold        worth if not exercised now, nor of an American within a day, of a Bermudan today
    boundary    price of the underlying from which on exercise now is worth more; None without one
    error       what the method may miss
    method      how it was computed
    fixed       payments do not depend on the exercise, so that nothing is gained by an early one
    """

    any_time: bool
    exercises: tuple[datetime, ...]
    premium: float
    exercise: float | None
    hold: float
    boundary: float | None
    error: float
    method: str
    fixed: bool

    @property
    def is_best_now(self) -> bool:
        """Say whether the holder does better to exercise now than to wait."""
        return self.exercise is not None and abs(self.exercise) > abs(self.hold)


@dataclass(frozen=True, slots=True)
class RightLine:
    """
    One right of an option: a month of a strip, else all of it.

    sign            +1 a call, −1 a put
    first, last     delivery days of the underlying
    strike          of a spread with the cost that lowers it
    forwards        the price of each underlying, of an average its mean with what is fixed, the
                    second times its ratio; None where no curve speaks, as of what follows where
                    it is not known or needed
    volatilities    of each underlying, in the model's kind
    discount        what one unit that is paid is worth
    price, value    currency per unit bought, and of our quantity; None where it is not valued
    reason          why not
    early           of an American or Bermudan that is not over and has a price
    note            what the volatility is composed of, empty where a quoted contract has it
    by_interval     a floor or cap of each interval of a month; forward and price are means
    second          first and last delivery days of what a spread subtracts, if they are others
    """

    kind: OptionletKind
    sign: int
    first: date
    last: date
    strike: float
    expires_at: datetime
    is_over: bool
    forwards: tuple[float | None, ...]
    volatilities: tuple[float | None, ...]
    correlation: float | None
    discount: float | None
    quantity: float
    unit: str
    price: float | None
    value: float | None
    model: PricingModel | None
    reason: str
    by_interval: bool = False
    note: str = ""
    style: OptionStyle = OptionStyle.EUROPEAN
    early: EarlyLine | None = None
    second: tuple[date, date] | None = None

    @property
    def what(self) -> str:
        """Return what may be bought or sold."""
        if self.by_interval:
            return f"{'Cap' if self.sign > 0 else 'Floor'} by the interval"
        on = {
            "VANILLA": "forward", "SPREAD": "spread", "AVERAGE": "average",
            "SPREAD_AVERAGE": "average of spreads",
        }[self.kind.value]  # fmt: skip
        name = f"{'call' if self.sign > 0 else 'put'} on {on}"
        if self.style is not OptionStyle.EUROPEAN:
            name = f"{self.style.value} {name}"
        return name.capitalize()


@dataclass(frozen=True, slots=True)
class GreekLine:
    """
    How an option moves with a delivery month; units as `trading.models.OptionGreek`.

    revalued    the same delta, by moving the price of the month and valuing again
    """

    market: str
    month: date
    shape: str
    unit: str
    delta: float
    revalued: float
    gamma: float
    vega: float
    theta: float

    @property
    def hedge(self) -> float:
        """Return what to trade of the month so that its price moves nothing: bought +, sold −."""
        return -self.delta

    @property
    def difference(self) -> float:
        return self.delta - self.revalued

    @property
    def agrees(self) -> bool:
        """Say whether both deltas are the same within 0.1 %, or a thousandth of a unit."""
        return abs(self.difference) <= max(_DELTA * abs(self.revalued), _LEAST)


@dataclass(frozen=True, slots=True)
class Compared:
    """
    A Greek of the whole option by formula and by full revaluation, with its unit.

    share       of the Greek by which both may differ; None where the two are not the same thing
    """

    name: str
    unit: str
    formula: float
    revalued: float
    share: float | None = None

    @property
    def difference(self) -> float:
        return self.formula - self.revalued

    @property
    def tolerance(self) -> float | None:
        return None if self.share is None else max(self.share * abs(self.revalued), _LEAST)

    @property
    def agrees(self) -> bool | None:
        """Say whether both are the same within the tolerance; None where there is none."""
        return None if self.tolerance is None else abs(self.difference) <= self.tolerance


@dataclass(frozen=True, slots=True)
class OptionView:
    """
    An option on the curves of a time by a cut of knowledge; our side.

    run         the valuation run whose cut this is; None of a look at now
    value       discounted, without the premium; None where some of it has no value
    cash        ours, one a currency: the premium, paid −, and what an exercise paid
    findings    why it has no value
    implied     volatility at which an option on one forward, looked at now, is worth its premium;
                None where there is none, or several rights
    """

    as_of: datetime
    known_at: datetime
    run: ValuationRun | None
    currency: str
    value: float | None
    cash: tuple[Money, ...]
    rights: tuple[RightLine, ...]
    greeks: tuple[GreekLine, ...]
    compared: tuple[Compared, ...]
    findings: tuple[str, ...]
    implied: float | None = None

    @property
    def choices(self) -> tuple[RightLine, ...]:
        """Return the rights that may be exercised early."""
        return tuple(row for row in self.rights if row.early is not None)

    @property
    def unit(self) -> str:
        """Return the unit of deltas; "unit" where those of the sides of a spread differ."""
        units = {row.unit for row in self.greeks}
        return units.pop() if len(units) == 1 else "unit"

    @property
    def volume_unit(self) -> str:
        """Return the unit that strikes and prices are per."""
        return self.rights[0].unit if self.rights else self.unit

    @property
    def vol_point(self) -> str:
        """Return what a point of volatility is, by the models that hold."""
        return _point(self.currency, self.unit, self.models)

    @property
    def together(self) -> float | None:
        """Return value and cash of an option that is not decided; None in two currencies."""
        if self.value is None or [money.currency for money in self.cash] != [self.currency]:
            return None
        return self.value + float(self.cash[0].amount)

    @property
    def steps(self) -> tuple[float, float, float]:
        """Return by how much revaluation moves a price, all prices of a market, a volatility."""
        from trading.valuation import CURVATURE_STEP, PRICE_STEP, VOL_STEP

        return PRICE_STEP, CURVATURE_STEP, 100 * VOL_STEP

    @property
    def models(self) -> tuple[PricingModel, ...]:
        """Return what its rights are valued by, each once."""
        found = {row.model.pk: row.model for row in self.rights if row.model is not None}
        return tuple(found.values())

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what volatilities are composed of, each once."""
        return tuple(dict.fromkeys(row.note for row in self.rights if row.note))


def option_of_trade(version: TradeVersion, *, now: datetime, known_at: datetime) -> OptionView:
    """
    Return a trade's options by the cut of the latest run that valued it, else by now.

    Some fifteen queries, whatever the number of months.
    """
    run = (
        ValuationRun.objects.filter(organization_id=version.trade.organization_id)
        .order_by("-as_of", "-id")
        .first()
    )
    valued = (
        TradeValue.objects.filter(run=run, trade_id=version.trade_id)
        .select_related("version__trade")
        .first()
    )
    if version.product_kind == ProductKind.PPA:
        held, at = (valued.version, run.as_of) if valued and run else (version, now)
        return _of_agreement(
            held, as_of=at, known_at=run.known_at if valued and run else known_at,
            run=run if valued else None,
        )  # fmt: skip
    if valued is None or run is None:
        decided = decided_periods([version.trade_id], as_of=now, known_at=known_at)
        return options_of_legs(_legs(version), decided, as_of=now, known_at=known_at)
    cut = {"as_of": run.as_of, "known_at": run.known_at}
    decided = decided_periods([version.trade_id], **cut)
    return options_of_legs(_legs(valued.version), decided, run=run, **cut)


def choices_now(version: TradeVersion, *, now: datetime, known_at: datetime) -> OptionView | None:
    """Return an American or Bermudan on the curves of now, for who decides; None of others."""
    legs = _legs(version)
    if not any(leg.style in (OptionStyle.AMERICAN, OptionStyle.BERMUDAN) for *_, leg in legs):
        return None
    return options_of_legs(legs, as_of=now, known_at=known_at)


def has_options(version: TradeVersion) -> bool:
    """Say whether a trade is an option, or an agreement with a floor or a cap."""
    if version.product_kind != ProductKind.PPA:
        return bool(version.product_kind == ProductKind.OPTION)
    return Leg.objects.filter(version_id=version.terms_version_id, kind=LegKind.OPTION).exists()


def _legs(version: TradeVersion) -> list[tuple[int, int, Option]]:
    return [
        (version.trade_id, number, leg)
        for number, leg in enumerate(deal_of(version).legs, start=1)
        if isinstance(leg, Option)
    ]


def options_of_legs(
    legs: Sequence[tuple[int, int, Option]],
    decided: Mapping[Period, Money] | None = None,
    *,
    as_of: datetime,
    known_at: datetime,
    run: ValuationRun | None = None,
) -> OptionView:
    """
    Value the option legs of one trade, booked or not, on what was known at a cut.

    legs        (trade, number, leg)
    decided     as `held_legs`
    """
    universe = Universe()
    held = held_legs(universe, legs, decided)
    view = _view(universe, held, legs[0][2].currency, as_of=as_of, known_at=known_at, run=run)
    if run is not None or not view.rights:
        return view
    return replace(view, implied=_implied(legs, view.rights, as_of))


def _view(
    universe: Universe, held: HeldOptions, currency: str, *, as_of: datetime, known_at: datetime,
    run: ValuationRun | None,
) -> OptionView:  # fmt: skip
    from trading.valuation import (
        option_greeks,
        optionlet_forwards,
        optionlet_prices,
        revalued_greeks,
        seconds,
        value_options,
    )

    lines = list(universe.lines)
    cash = tuple(Money(amount, lines[line][1]) for line, amount in sorted(held.cash.items()))
    findings = list(dict.fromkeys(held.refused.values()))
    empty = OptionView(
        as_of, known_at, run, currency, None if findings else 0.0, cash, (), (), (),
        tuple(findings),
    )  # fmt: skip
    if not held.trade:
        return empty
    market = market_facts(universe, as_of=as_of, known_at=known_at)
    facts = option_facts(universe, market.state, as_of=as_of, known_at=known_at)
    holdings = held.holdings(len(lines))
    inputs = (universe.contracts, facts.optionlets)
    worth = value_options(*inputs, holdings, market.state, facts.market)
    forwards = optionlet_forwards(*inputs, market.state, facts.market)
    prices = optionlet_prices(*inputs, market.state, facts.market)
    rights = _rights(universe, held, facts, prices, forwards, seconds(as_of))
    findings += dict.fromkeys(facts.reasons.values())
    if worth.missing.any() and not findings:
        findings += market.findings or ["A price of the delivery is missing."]
    greeks = option_greeks(*inputs, holdings, market.state, facts.market)
    again = revalued_greeks(*inputs, holdings, market.state, facts.market)
    months = _months(universe, greeks, again)
    total = float((worth.realised + worth.unrealised).sum())
    return OptionView(
        as_of, known_at, run, currency, None if findings else total, cash, rights, months,
        _compared(currency, facts.models, months, again), tuple(findings),
    )  # fmt: skip


def _implied(
    legs: Sequence[tuple[int, int, Option]], rights: Sequence[RightLine], as_of: datetime
) -> float | None:
    """Return the volatility that a premium implies under the chosen model."""
    from trading.pricing import (
        ModelChoice,
        NoImpliedVolatility,
        OptionType,
        PriceModel,
        implied_volatility,
    )
    from trading.valuation import YEAR

    premium, (right, *others) = legs[0][2].premium, rights
    if others or len(legs) > 1 or not premium or right.is_over or right.price is None:
        return None
    model, forward = right.model, right.forwards[0]
    if model is None or forward is None or right.kind is not OptionletKind.VANILLA:
        return None
    if right.early is not None and not right.early.fixed:
        return None  # the formula that is inverted is the European's
    try:
        found = implied_volatility(
            ModelChoice(
                PriceModel(model.formula),
                float(Fraction(model.displacement) * unit_factors(legs[0][2])[0]),
            ),
            price=float(premium), forward=forward, strike=right.strike,
            expiry=(right.expires_at - as_of).total_seconds() / YEAR,
            discount=right.discount or 1.0,
            option=OptionType.CALL if right.sign > 0 else OptionType.PUT,
        )  # fmt: skip
    except NoImpliedVolatility:
        return None
    return float(found)


def _of_agreement(
    version: TradeVersion, *, as_of: datetime, known_at: datetime, run: ValuationRun | None
) -> OptionView:
    """Value the floor and cap of a purchase agreement on the volume that positions hold of it."""
    from trading.valuation import bound_greeks, bound_values, revalued_bounds, seconds

    universe = Universe()
    terms = {version.terms_version_id: version.trade_id}
    cut = {"books": [version.book_id], "cut": known_at}
    held = held_bounds(universe, terms, cut, as_of=as_of)
    currency = held.terms[0].currency if held.terms else version.currency
    averages = replace(held.averages, refused=held.refused)
    if not held.trade:
        return _view(universe, averages, currency, as_of=as_of, known_at=known_at, run=run)
    market = market_facts(universe, as_of=as_of, known_at=known_at)
    facts = bound_facts(universe, market.state, as_of=as_of, known_at=known_at)
    holdings = held.holdings(len(universe.lines))
    inputs = (universe.contracts, facts.bounds, holdings, market.state, facts.market)
    found = bound_values(*inputs)
    findings = [*dict.fromkeys(held.refused.values()), *dict.fromkeys(facts.reasons.values())]
    if found.missing.any() and not findings:
        findings += market.findings or ["A price of the delivery is missing."]
    again = revalued_bounds(*inputs)
    months = _months(universe, bound_greeks(found, facts.bounds, holdings, facts.market), again)
    total = float((found.realised + found.unrealised).sum())
    cash = tuple(Money(amount, currency) for amount in averages.cash.values())
    return OptionView(
        as_of, known_at, run, currency, None if findings else total, cash,
        _bounds(universe, held, facts, found, market.state, seconds(as_of)), months,
        _compared(currency, facts.models, months, again), tuple(findings),
    )  # fmt: skip


def _bounds(
    universe: Universe, held: HeldBounds, facts: BoundFacts, found: Any, state: Any, at: int
) -> tuple[RightLine, ...]:
    """Return a line a month and bound; price and forward are means over what is held."""
    import numpy as np

    keys, rows = list(universe.bounds), []
    for n, (position, micro_mw) in enumerate(zip(held.bound, held.micro_mw, strict=True)):
        key = keys[position]
        contract = key.contract
        place, market = universe.keys[contract], universe.markets[contract.market_id]
        units = micro_mw * (contract.minutes / 60e6)
        curve = state.fine.get(place, np.full(units.size, state.marks[place]))
        quantity, value = float(units.sum()), float(found.realised[n] + found.unrealised[n])
        is_priced = not found.missing[n]
        years = max(int(facts.bounds.payment[position]) - at, 0) / (365 * 86400)
        rate = facts.market.rate[position] if years else 0.0
        rows.append(
            RightLine(
                kind=OptionletKind.VANILLA,
                sign=key.sign,
                by_interval=True,
                first=market.calendar.date_of(contract.start),
                last=market.calendar.date_of(contract.end - timedelta(microseconds=1)),
                strike=key.strike,
                expires_at=contract.end,
                is_over=contract.end.timestamp() <= at,
                forwards=(_known(float((curve * units).sum()) / quantity),),
                volatilities=(_known(facts.market.volatility[position]),),
                correlation=None,
                discount=_known(float(np.exp(-rate * years))),
                quantity=quantity,
                unit=contract.unit,
                price=value / quantity if is_priced else None,
                value=value if is_priced else None,
                model=facts.models[position],
                reason=facts.reasons.get(position, ""),
            )
        )
    return tuple(rows)


def _rights(
    universe: Universe, held: HeldOptions, facts: OptionFacts, prices: Any, forwards: Any, at: int
) -> tuple[RightLine, ...]:
    keys, found = list(universe.optionlets), []
    for position, quantity in zip(held.optionlet, held.quantity, strict=True):
        key, model = keys[position], facts.models[position]
        sides = (0, 1) if key.kind.is_spread else (0,)
        vols = [facts.market.volatility[side, position] for side in sides]
        rho = facts.market.correlation[position]
        is_priced = bool(prices.priced[position])
        price = float(prices.price[position])
        found.append(
            RightLine(
                kind=key.kind,
                sign=key.sign,
                first=key.first,
                last=_days(key.first, key.after)[1],
                strike=key.strike,
                expires_at=key.expires_at,
                is_over=key.expires_at.timestamp() <= at,
                forwards=tuple(_known(forwards[side, position]) for side in sides),
                volatilities=tuple(map(_known, vols)),
                correlation=_known(rho),
                discount=float(prices.annuity[position]) if is_priced else None,
                quantity=quantity,
                unit=key.unit,
                price=price if is_priced else None,
                value=quantity * price if is_priced else None,
                model=model,
                reason=facts.reasons.get(position, ""),
                note=facts.notes.get(position, ""),
                style=key.style,
                early=_early(key, quantity, prices.early, position, at) if is_priced else None,
                second=None if key.second is None else _days(*key.second),
            )
        )
    return tuple(found)


def _early(
    key: OptionletKey, quantity: float, values: Any, position: int, at: int
) -> EarlyLine | None:
    if values is None or isnan(values.hold[position]):
        return None
    any_time = key.style is OptionStyle.AMERICAN
    dates = tuple(one for one in key.exercises if one.at.timestamp() >= at)
    allowed = any_time or any(one.opens_at.timestamp() <= at for one in dates)
    premium, error = float(values.premium[position]), float(values.error[position])
    method = "European formula: nothing is gained by an early exercise"
    if error > 0:
        steps = ", ".join(f"{n:,}" for n in values.grid.steps)
        method = (
            f"implicit differences on {values.grid.nodes:,} prices in {steps} steps, extrapolated"
        )
    elif premium > 0:
        method = "the payoff: so far in the money that it is exercised as soon as it pays"
    return EarlyLine(
        any_time=any_time,
        exercises=tuple(one.at for one in dates),
        premium=quantity * premium,
        exercise=quantity * float(values.exercise[position]) if allowed else None,
        hold=quantity * float(values.hold[position]),
        boundary=_known(float(values.boundary[position])),
        error=abs(quantity) * error,
        method=method,
        fixed=key.physical,
    )


def _days(first: date, after: date) -> tuple[date, date]:
    return first, after - timedelta(days=1)


def _known(number: float) -> float | None:
    return None if isnan(number) else float(number)


def _months(universe: Universe, greeks: Any, again: Any) -> tuple[GreekLine, ...]:
    keys = list(universe.keys)
    revalued = dict(zip(again.contract.tolist(), again.delta.tolist(), strict=True))
    rows = zip(
        greeks.contract.tolist(), greeks.delta.tolist(), greeks.gamma.tolist(),
        greeks.vega.tolist(), greeks.theta.tolist(), strict=True,
    )  # fmt: skip
    found = [
        GreekLine(
            universe.markets[keys[at].market_id].code, keys[at].month, keys[at].shape,
            keys[at].unit, delta, revalued[at], gamma, vega, theta,
        )
        for at, delta, gamma, vega, theta in rows
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda row: (row.market, row.month, row.shape)))


def _point(currency: str, unit: str, models: Sequence[PricingModel | None]) -> str:
    normal = any(m is not None and m.formula == PricingFormula.BACHELIER for m in models)
    return f"1 {currency}/{unit} of volatility" if normal else "1 % point of volatility"


def _compared(
    currency: str, models: Sequence[PricingModel | None], months: Sequence[GreekLine], again: Any
) -> tuple[Compared, ...]:
    if not months:
        return ()
    found = []
    for code, gamma, vega in zip(
        again.markets, again.gamma.tolist(), again.vega.tolist(), strict=True
    ):
        mine = [row for row in months if row.market == code]
        unit = mine[0].unit
        point = f"{currency} per {_point(currency, unit, models)}"
        found += [
            Compared(f"Delta {code}", unit, sum(row.delta for row in mine),
                     sum(row.revalued for row in mine), _DELTA),
            Compared(f"Gamma {code}", f"{unit} per {currency}/{unit}",
                     sum(row.gamma for row in mine), gamma, _SECOND),
            Compared(f"Vega {code}", point, sum(row.vega for row in mine), vega, _SECOND),
        ]  # fmt: skip
    theta = sum(row.theta for row in months)
    found.append(Compared("Theta", f"{currency} per day", theta, again.theta))
    return tuple(found)
