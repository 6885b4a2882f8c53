"""Spreads with a heat rate, and of two deliveries of one market: valued, hedged and settled."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from math import erf, exp, pi, sqrt

import numpy as np
import pytest
from django.db.models import Sum

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import DatePeriod
from tests.factories.curves import SYSTEM
from tests.factories.trades import make_market
from trading import deals
from trading.deals import REFERENCE_MARKETS, OptionType, PriceIndex
from trading.models import (
    OptionFamily,
    OptionGreek,
    OptionOutcome,
    PricingFormula,
    PublicationPolicy,
    TradeVersion,
)
from trading.queries.option_values import option_of_trade
from trading.services.curve_definitions import define_curve
from trading.services.exercise import decide_options
from trading.services.locks import server_time
from trading.services.pricing_models import ModelTerms
from trading.services.valuation import value_organization

from .desk import publish
from .options_desk import (
    CALL,
    CLOSE,
    EVENING,
    INDEX,
    RATE,
    choose,
    index_in,
    option,
    option_desk,
    quote_vols,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
D = Decimal
Q3 = DatePeriod.months(2027, 7, 3)
YEARS = (CALL.expiry - EVENING).total_seconds() / (365 * 86400)
# Cash is paid five business days after the 20th of December; rates count days.
PAID = exp(-RATE * (date(2026, 12, 25) - EVENING.date()).days / 365)
SPARK = replace(
    CALL, option_type=OptionType.SPREAD_CALL, strikes=(D(20),), premium=D(0), ratio=D(60),
    ratio_unit="therm", cost=D("3.5"),
    underlying=(INDEX, PriceIndex("GAS-DA", replace(REFERENCE_MARKETS["NBP"], code="GAS",
                                                    currency="EUR"))),
)  # fmt: skip
CALENDAR = replace(
    CALL, option_type=OptionType.SPREAD_PUT, underlying=(INDEX, INDEX), strikes=(D(22),),
    premium=D(0), second_period=Q3,
)  # fmt: skip


def by_grid(payoff, rho, points=1601, width=7.5):
    """E[payoff(Z1, Z2)] of two normals on a grid, which knows nothing of the product's formula."""
    z, step = np.linspace(-width, width, points, retstep=True)
    density = np.exp(-z * z / 2) / sqrt(2 * np.pi) * step
    first = z[:, None]
    second = rho * first + sqrt(1 - rho * rho) * z[None, :]
    return float(density @ payoff(first, second) @ density)


def lognormal(forward, sigma, z):
    return forward * np.exp(sigma * sqrt(YEARS) * z - sigma * sigma * YEARS / 2)


def run_of(desk, as_of=EVENING):
    return value_organization(
        actor=Actor.system("test"), organization_id=desk.organization.pk, as_of=as_of
    )


def view_of(receipt):
    version = TradeVersion.objects.select_related("trade").get(trade__ref=receipt.ref, version=1)
    return option_of_trade(version, now=EVENING, known_at=server_time())


def deltas_of(run, **which):
    return float(OptionGreek.objects.filter(run=run, **which).aggregate(d=Sum("delta"))["d"] or 0)


def spark_desk():
    """DE at 95 and 45 %, gas at 0.90 EUR/therm and 60 %, which move together by a half."""
    desk = option_desk(with_model=False)
    gas = make_market("GAS", price_unit="therm")
    define_curve(
        actor=SYSTEM, market=gas, code="MARK",
        policy=PublicationPolicy(PublicationPolicy.AUTOMATIC),
    )  # fmt: skip
    index_in(gas, "GAS-DA", price_unit="therm")
    publish(gas, {"Q1-27": "0.90"}, at=CLOSE)
    quote_vols(gas, {"Q1-27": "0.60"}, at=CLOSE)
    choose(desk, ModelTerms("DE", OptionFamily.SPREAD, PricingFormula.BLACK76,
                            second_market="GAS", correlation=D("0.5")))  # fmt: skip
    return desk


def test_a_spark_spread_is_worth_its_heat_rate_hedged_in_therms_and_settled_by_it():
    desk = spark_desk()
    receipt = desk.deal(deal=option(SPARK))

    run = run_of(desk)

    def price(power=95.0, gas=0.90):
        return by_grid(
            lambda one, two: np.maximum(
                lognormal(power, 0.45, one) - 60 * lognormal(gas, 0.60, two) - 3.5 - 20, 0
            ),
            0.5,
        )

    value = run.values.get(trade__ref=receipt.ref)
    assert value.is_valued, run.findings
    assert float(value.unrealised) == pytest.approx(21590 * PAID * price(), rel=2e-5)
    step = 0.01
    by_power = (price(power=95 + step) - price(power=95 - step)) / (2 * step)
    by_gas = (price(gas=0.9 + step / 60) - price(gas=0.9 - step / 60)) / (2 * step / 60)
    assert deltas_of(run, market__code="DE") == pytest.approx(21590 * PAID * by_power, rel=2e-3)
    # In therms: sixty of them for each MWh of power.
    assert deltas_of(run, market__code="GAS") == pytest.approx(21590 * PAID * by_gas, rel=2e-3)
    assert -21590 * 60 < 21590 * PAID * by_gas < -21590 * 20
    view = view_of(receipt)
    assert {(row.market, row.unit) for row in view.greeks} == {("DE", "MWh"), ("GAS", "therm")}
    assert all(row.agrees for row in view.greeks) and all(
        row.agrees is not False for row in view.compared
    )
    assert {row.unit for row in view.compared if row.name.startswith("Delta")} == {"MWh", "therm"}
    (right,) = view.rights
    assert right.strike == 23.5
    assert right.forwards == (pytest.approx(95), pytest.approx(54))

    at = datetime(2026, 12, 18, 17, tzinfo=UTC)
    publish(desk.market, {"Cal27": "90", "Q1-27": "99.5"}, at=at)
    publish(make_market("GAS"), {"Q1-27": "0.95"}, at=at)
    decide_options(actor=Actor.system("beat"), as_of=CALL.expiry)
    outcome = OptionOutcome.objects.get()
    assert outcome.prices == ["99.500000", "0.950000"]
    assert outcome.cash == D("410210.00")  # 21,590 MWh × (99.5 − 60 × 0.95 − 3.5 − 20)
    found = run_of(desk, CALL.expiry).values.get(trade__ref=receipt.ref)
    assert (found.realised, found.unrealised) == (outcome.cash, 0)


def test_a_normal_volatility_of_the_second_leg_counts_with_its_heat_rate():
    desk = spark_desk()
    quote_vols(desk.market, {"Q1-27": "30"}, at=CLOSE, kind="NORMAL")
    quote_vols(make_market("GAS"), {"Q1-27": "0.5"}, at=CLOSE, kind="NORMAL")
    choose(desk, ModelTerms("DE", OptionFamily.SPREAD, PricingFormula.BACHELIER,
                            second_market="GAS", correlation=D("0.5")))  # fmt: skip
    receipt = desk.deal(deal=option(SPARK))

    run = run_of(desk)

    def price(power=30.0, gas=0.5):
        # 41 of a spread at 23.5, whose 60 therms move by 30 EUR/MWh.
        sigma = sqrt(power**2 + (60 * gas) ** 2 - 2 * 0.5 * power * 60 * gas) * sqrt(YEARS)
        d = (41 - 23.5) / sigma
        return 17.5 * (1 + erf(d / sqrt(2))) / 2 + sigma * exp(-d * d / 2) / sqrt(2 * pi)

    scale = 21590 * PAID
    found = run.values.get(trade__ref=receipt.ref)
    assert float(found.unrealised) == pytest.approx(scale * price(), rel=1e-6)
    vegas = OptionGreek.objects.filter(run=run).values_list("market__code").annotate(v=Sum("vega"))
    by_power = (price(power=30.01) - price(power=29.99)) / 0.02
    by_gas = (price(gas=0.5001) - price(gas=0.4999)) / 0.0002
    assert {code: float(v) for code, v in vegas} == {
        "DE": pytest.approx(scale * by_power, rel=1e-4),
        # For 1 EUR/therm of volatility.
        "GAS": pytest.approx(scale * by_gas, rel=1e-4),
    }
    assert [row.name for row in view_of(receipt).compared if row.agrees is False] == []


def calendar_price(formula):
    """Q1 at 95 less Q3 at 75, struck at 22, with a correlation of contracts of 0.9."""
    if formula == "BACHELIER":
        spread = sqrt(30**2 + 20**2 - 2 * 0.9 * 30 * 20) * sqrt(YEARS)
        return by_grid(lambda one, two: np.maximum(2 - spread * one + 0 * two, 0), 0.0)
    shift = 15.0 if formula == "DISPLACED_BLACK" else 0.0
    return by_grid(
        lambda one, two: np.maximum(
            22 - (lognormal(95 + shift, 0.45, one) - lognormal(75 + shift, 0.35, two)), 0
        ),
        0.9,
    )


@pytest.mark.parametrize(
    "formula",
    [
        "BLACK76",
        *(pytest.param(f, marks=pytest.mark.slow) for f in ("BACHELIER", "DISPLACED_BLACK")),
    ],
)
def test_a_calendar_spread_is_on_two_forwards_of_one_curve(formula):
    desk = option_desk(with_model=False)
    prices = {"Cal27": "82.00", "Q1-27": "95.00", "Q3-27": "75.00"}
    publish(desk.market, prices, at=CLOSE.replace(minute=20))
    vols, kind = {"Q1-27": "0.45", "Q3-27": "0.35"}, "LOGNORMAL"
    if formula == "BACHELIER":
        vols, kind = {"Q1-27": "30", "Q3-27": "20"}, "NORMAL"
    quote_vols(desk.market, vols, at=CLOSE, kind=kind)
    choose(desk, ModelTerms(
        "DE", OptionFamily.VANILLA, PricingFormula(formula), contract_correlation=D("0.9"),
        displacement=D(15) if formula == "DISPLACED_BLACK" else D(0),
    ))  # fmt: skip
    receipt = desk.deal(deal=option(CALENDAR))

    run = run_of(desk)

    value = run.values.get(trade__ref=receipt.ref)
    assert value.is_valued, run.findings
    worth = 21590 * PAID * calendar_price(formula)
    assert float(value.unrealised) == pytest.approx(worth, rel=2e-5)
    assert any("valued at a correlation of 0.9 between" in line for line in run.findings)
    # The holder of the put gains as the first falls and the second rises; both in MWh of DE.
    winter = deltas_of(run, month__lt=date(2027, 4, 1))
    summer = deltas_of(run, month__gte=date(2027, 7, 1))
    assert -21590 < winter < -5000 and 5000 < summer < 21590
    view = view_of(receipt)
    assert [row.month.month for row in view.greeks] == [1, 2, 3, 7, 8, 9]
    assert all(row.agrees for row in view.greeks)
    assert [row.name for row in view.compared if row.agrees is False] == []
    (right,) = view.rights
    assert (right.forwards, right.correlation) == ((pytest.approx(95), pytest.approx(75)), 0.9)
    assert right.second == (Q3.first, date(2027, 9, 30))


@pytest.mark.slow
def test_two_quarters_of_which_only_months_are_quoted_move_with_the_covariance_of_those():
    desk = option_desk(with_model=False)
    prices = {"Cal27": "82.00", "Q1-27": "95.00", "Jan27": "95.00", "Q3-27": "75.00"}
    publish(desk.market, prices, at=CLOSE.replace(minute=20))
    winter, summer = [0.55, 0.45, 0.40], [0.35, 0.30, 0.25]
    names = ("Jan27", "Feb27", "Mar27", "Jul27", "Aug27", "Sep27")
    vols = {name: str(vol) for name, vol in zip(names, winter + summer, strict=True)}
    quote_vols(desk.market, vols, at=CLOSE, source="months")
    choose(desk, ModelTerms("DE", OptionFamily.VANILLA, PricingFormula.BLACK76,
                            contract_correlation=D("0.8"), vol_source="months"))  # fmt: skip
    receipt = desk.deal(deal=option(CALENDAR))

    run = run_of(desk)

    # Months of one price count by their days; each pair of months moves together by 0.8.
    shares = [np.array([31, 28, 31]) / 90, np.array([31, 31, 30]) / 92]
    sigmas = [np.array(winter), np.array(summer)]

    def moment(n, m):
        pairs = np.full((3, 3), 0.8) + (0.2 * np.eye(3) if n == m else 0)
        grown = np.exp(pairs * np.outer(sigmas[n], sigmas[m]) * YEARS)
        return np.log(shares[n] @ grown @ shares[m]) / YEARS

    view = view_of(receipt)
    (right,) = view.rights
    one, two = sqrt(moment(0, 0)), sqrt(moment(1, 1))
    rho = moment(0, 1) / (one * two)
    assert right.volatilities == (pytest.approx(one, rel=1e-4), pytest.approx(two, rel=1e-4))
    assert right.correlation == pytest.approx(rho, rel=1e-4) and 0.8 < rho < 1
    price = by_grid(
        lambda a, b: np.maximum(22 - lognormal(95, one, a) + lognormal(75, two, b), 0), rho
    )
    found = run.values.get(trade__ref=receipt.ref)
    assert float(found.unrealised) == pytest.approx(21590 * PAID * price, rel=2e-4)
    assert f"0.8 between contracts, {right.correlation:.4f} between the two sums" in right.note


def test_a_calendar_spread_is_settled_on_the_curve_of_its_expiry():
    desk = option_desk()
    receipt = desk.deal(deal=option(CALENDAR))
    quote_vols(desk.market, {"Q1-27": "0.45", "Cal27": "0.35"}, at=CLOSE)
    run = run_of(desk)
    # Nobody stated a correlation of contracts, so it is one, and the run says so.
    assert any("1 between contracts, the lower bound" in line for line in run.findings)
    at = datetime(2026, 12, 18, 17, tzinfo=UTC)
    publish(desk.market, {"Cal27": "82", "Q1-27": "94.5", "Q3-27": "77.25"}, at=at)

    decide_options(actor=Actor.system("beat"), as_of=CALL.expiry)

    outcome = OptionOutcome.objects.get(trade__ref=receipt.ref)
    assert outcome.prices == ["94.500000", "77.250000"]
    assert outcome.cash == D("102552.50")  # 21,590 MWh × (22 − 17.25)
    assert outcome.source.count("DE curve") == 1
    again = value_organization(
        actor=Actor.system("test"), organization_id=desk.organization.pk, as_of=CALL.expiry
    )
    found = again.values.get(trade__ref=receipt.ref)
    assert (found.realised, found.unrealised) == (outcome.cash, 0)


def test_a_dark_spread_counts_tonnes_beside_megawatt_hours():
    desk = option_desk(with_model=False)
    coal = make_market("COAL", price_unit="t")
    define_curve(
        actor=SYSTEM, market=coal, code="MARK",
        policy=PublicationPolicy(PublicationPolicy.AUTOMATIC),
    )  # fmt: skip
    index_in(coal, "COAL-M1", price_unit="t")
    publish(coal, {"Q1-27": "100"}, at=CLOSE)
    quote_vols(coal, {"Q1-27": "0.30"}, at=CLOSE)
    choose(desk, ModelTerms("DE", OptionFamily.SPREAD, PricingFormula.BLACK76,
                            second_market="COAL", correlation=D("0.2")))  # fmt: skip
    area = replace(REFERENCE_MARKETS["API2"], code="COAL", currency="EUR")
    receipt = desk.deal(deal=deals.option(terms=replace(
        SPARK, underlying=(INDEX, PriceIndex("COAL-M1", area)), ratio=D("0.372"), ratio_unit="t",
    )))  # fmt: skip

    run = run_of(desk)

    price = by_grid(
        lambda one, two: np.maximum(
            lognormal(95, 0.45, one) - 0.372 * lognormal(100, 0.30, two) - 23.5, 0
        ),
        0.2,
    )
    value = run.values.get(trade__ref=receipt.ref)
    assert value.is_valued, run.findings
    assert float(value.unrealised) == pytest.approx(21590 * PAID * price, rel=2e-5)
    hedge = deltas_of(run, market__code="COAL")
    assert -0.372 * 21590 < hedge < -0.372 * 21590 / 2
    assert {row.unit for row in view_of(receipt).greeks} == {"MWh", "t"}
