"""Contracts with choices in valuation runs: the library's optimum on the curve, day by day."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import DatePeriod
from tests.factories.trading import make_prices
from trading.deals import Direction, RightForm
from trading.models import (
    Market,
    OptionFamily,
    PnlKind,
    PricingFormula,
    StructureNomination,
    StructureValue,
)
from trading.pricing import bachelier
from trading.pricing.structures import (
    Battery,
    ContractYear,
    GasStorage,
    Plant,
    RateCurve,
    Swing,
    battery_intrinsic,
    plant_intrinsic,
    storage_intrinsic,
    swing_intrinsic,
)
from trading.queries.marks import month_marks
from trading.services.pnl import explain_runs
from trading.services.pricing_models import ModelTerms
from trading.services.valuation import prove_run, value_organization

from .options_desk import choose, quote_interest, quote_vols
from .structures_desk import (
    ALL,
    BATTERY,
    CLOSE,
    EVENING,
    GAS_PRICES,
    MONTH,
    RIGHT,
    STORAGE,
    SUMMER,
    SWING,
    TOLLING,
    curve_of,
    structure,
    structure_desk,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
HOUR = 3600


@pytest.fixture
def desk():
    return structure_desk()


def run_of(desk, as_of=EVENING, **cut):
    return value_organization(
        actor=Actor.system("test"), organization_id=desk.organization.pk, as_of=as_of, **cut
    )


def value_of(run, receipt):
    return run.values.get(trade__ref=receipt.ref)


def hourly(code, period, as_of=EVENING):
    market = Market.objects.get(code=code)
    marks = month_marks(as_of=as_of, market_ids=[market.pk])[market.pk]
    return marks.period_prices(period, minutes=60)


def daily(period=SUMMER, as_of=EVENING):
    """TTF by gas day: 24 hours, but 23 on the one that starts before the clocks go forward."""
    calendar = Market.objects.get(code="TTF").calendar
    days = [period.first + timedelta(days=n) for n in range((period.after - period.first).days)]
    lengths = [calendar.day(day).hours for day in days]
    assert int(min(lengths)) == 23
    edges = np.cumsum([0, *map(int, lengths)])
    prices = hourly("TTF", period, as_of)
    return np.array([prices[a:b].mean() for a, b in pairwise(edges)]), np.array(
        days, dtype="datetime64[D]"
    )


def gas_store(days, start=4000.0):
    return GasStorage(
        dates=days, max_inventory=10_000.0, injection=RateCurve.constant(120.0, 10_000.0),
        withdrawal=RateCurve([0.0, 3000.0, 10_000.0], [96.0, 240.0, 240.0]),
        injection_cost=0.5, withdrawal_cost=0.25, injection_fuel=0.015, start_inventory=start,
        terminal_min=0.0,
    )  # fmt: skip


def test_a_store_is_worth_the_optimum_on_the_daily_curve_and_its_hedge_is_the_plan(desk):
    held = desk.deal(deal=structure(STORAGE))
    granted = desk.deal(deal=structure(STORAGE, direction=Direction.PAY))

    run = run_of(desk)

    prices, days = daily()
    plan = storage_intrinsic(gas_store(days), prices)
    assert float(value_of(run, held).unrealised) == pytest.approx(plan.value, abs=0.01)
    assert value_of(run, granted).unrealised == -value_of(run, held).unrealised
    assert (value_of(run, held).realised, run.unvalued) == (0, 0)
    kept = StructureValue.objects.get(run=run, trade__ref=held.ref)
    assert kept.unrealised == value_of(run, held).unrealised
    assert (kept.method, kept.time_value, kept.standard_error) == ("LINEAR_PROGRAMME", 0, None)
    moved = np.frombuffer(kept.quantity, "<f8")
    level = np.frombuffer(kept.level, "<f8")
    assert level[0] == 4000.0
    assert level[1:] == pytest.approx(level[:-1] - moved[:-1], abs=1e-6)
    assert level.min() >= -1e-6
    assert level.max() <= 10_000 + 1e-6
    # Days of a quarter cost the same, so the plan is one of several: its delta lies between what
    # a higher and a lower price of the month are worth.
    january = days.astype("datetime64[M]") == np.datetime64("2027-01")
    delta = {row["month"]: row["delta"] for row in kept.hedge}["2027-01-01"]
    up, down = (
        storage_intrinsic(gas_store(days), prices + shift * january).value for shift in (0.1, -0.1)
    )
    assert (plan.value - down) / 0.1 - 0.01 <= delta <= (up - plan.value) / 0.1 + 0.01
    assert any("no interest rate is quoted" in finding for finding in run.findings)
    assert prove_run(run).is_same


def test_a_swing_contract_takes_the_best_days_within_its_bounds_less_the_premium(desk):
    held = desk.deal(deal=structure(SWING))

    run = run_of(desk)

    prices, days = daily()
    swing = Swing(
        dates=days, strike=28.5, lot=24.0, max_quantity=240.0, min_quantity=24.0,
        years=(ContractYear(days[0], 24_000.0, 12_000.0),),
    )  # fmt: skip
    value = value_of(run, held)
    assert float(value.unrealised) == pytest.approx(swing_intrinsic(swing, prices).value, abs=0.01)
    assert (value.fees, value.realised) == (Decimal("-5000.00"),) * 2
    taken = np.frombuffer(StructureValue.objects.get(run=run).quantity, "<f8")
    assert 12_000 <= taken.sum() <= 24_000
    assert (taken >= 24).all()


def test_a_plant_runs_by_the_hour_against_the_gas_of_its_gas_day(desk):
    held = desk.deal(deal=structure(TOLLING))

    run = run_of(desk)

    # March has 743 hours, and the plant burns at midnight what the gas day of before delivers.
    power = hourly("DE", MONTH)
    gas = hourly("TTF", DatePeriod(date(2027, 2, 28), date(2027, 4, 1)))[18 : 18 + 743]
    hours = np.repeat(
        np.arange(np.datetime64("2027-03-01"), np.datetime64("2027-04-01")),
        [23 if day == 28 else 24 for day in range(1, 32)],
    )
    plant = Plant.with_heat_rate(
        hours, p_min=20.0, p_max=50.0, heat_rate=1.9, min_up=4, min_down=2, start_cost=1500.0,
        output_cost=1.2,
    )  # fmt: skip
    plan = plant_intrinsic(plant, power, gas)
    assert plan.value > 0
    assert float(value_of(run, held).unrealised) == pytest.approx(plan.value, abs=0.01)
    kept = StructureValue.objects.get(run=run)
    assert np.frombuffer(kept.quantity, "<f8") == pytest.approx(plan.output_mw)
    assert {row["role"] for row in kept.hedge} == {"power", "fuel"}


def test_a_battery_cycles_once_a_day_on_the_hourly_curve(desk):
    held = desk.deal(deal=structure(BATTERY))

    run = run_of(desk)

    hours = np.repeat(
        np.arange(np.datetime64("2027-03-01"), np.datetime64("2027-04-01")),
        [23 if day == 28 else 24 for day in range(1, 32)],
    )
    battery = Battery(
        hours, energy_mwh=20.0, charge_mw=10.0, discharge_mw=10.0, charge_efficiency=0.9,
        discharge_efficiency=0.9, cycle_cost=2.0, daily_cycles=1.0, start_mwh=5.0,
    )  # fmt: skip
    plan = battery_intrinsic(battery, hourly("DE", MONTH))
    assert plan.value > 0
    assert float(value_of(run, held).unrealised) == pytest.approx(plan.value, abs=0.01)
    kept = StructureValue.objects.get(run=run)
    quantity, level = (np.frombuffer(row, "<f8") for row in (kept.quantity, kept.level))
    assert level.min() >= -1e-6
    assert level.max() <= 20 + 1e-6
    taken = np.maximum(quantity, 0) / 0.9
    assert max(taken[hours == day].sum() for day in np.unique(hours)) <= 20 + 1e-6


def test_a_transmission_option_is_bachelier_by_the_hour_with_a_model_and_intrinsic_without(desk):
    held = desk.deal(deal=structure(RIGHT))
    terms = replace(RIGHT.terms, form=RightForm.OBLIGATION, firmness=Decimal(95))
    owed = desk.deal(deal=structure(RIGHT, terms=terms))

    bare = run_of(desk)

    spread = hourly("DE", MONTH) - hourly("FR", MONTH)
    intrinsic = 10 * np.maximum(spread, 0).sum()
    assert float(value_of(bare, held).unrealised) == pytest.approx(intrinsic, abs=0.01)
    assert float(value_of(bare, owed).unrealised) == pytest.approx(9.5 * spread.sum(), abs=0.01)
    assert any("DE − FR: no pricing model" in finding for finding in bare.findings)
    said = {row.trade.ref: " ".join(row.findings) for row in bare.structures.all()}
    assert {ref: "no pricing model" in words for ref, words in said.items()} == {
        held.ref: True, owed.ref: False,
    }  # fmt: skip

    choose(desk, ModelTerms("DE", OptionFamily.SPREAD, PricingFormula.BACHELIER,
                            second_market="FR", correlation=Decimal("0.5")))  # fmt: skip
    quote_interest(CLOSE)
    for code, vol in (("DE", "40"), ("FR", "30")):
        quote_vols(Market.objects.get(code=code), {"Cal27": vol}, at=CLOSE, kind="NORMAL")
    run = run_of(desk)

    start = int(datetime(2027, 2, 28, 23, tzinfo=UTC).timestamp())
    years = (start + HOUR * np.arange(743) - int(EVENING.timestamp())) / (365 * 86400)
    sigma = np.sqrt(40**2 + 30**2 - 40 * 30)
    price = bachelier(forward=spread, strike=0.0, expiry=years, volatility=sigma).price
    # Paid on the 20th of April, 151 days on, at 3 %.
    worth = 10 * price.sum() * np.exp(-0.03 * 151 / 365)
    assert float(value_of(run, held).unrealised) == pytest.approx(worth, abs=0.02)
    kept = StructureValue.objects.get(run=run, trade__ref=held.ref)
    assert kept.method == "BACHELIER"
    assert kept.model is not None
    assert 0 < float(kept.time_value) < float(kept.unrealised)
    assert {row["role"]: row["delta"] > 0 for row in kept.hedge} == {"source": False, "sink": True}
    assert sum(row["vega"] for row in kept.hedge) > 0
    assert prove_run(run).is_same


def nominate(receipt, day, *quantities, at=EVENING):
    version = StructureValue.objects.filter(trade__ref=receipt.ref).latest("id").version
    StructureNomination.objects.create(
        trade=version.trade, version=version, leg=1, day=day,
        quantities=[str(one) for one in quantities], nominated_at=at, actor_id="test",
    )  # fmt: skip


def test_what_was_nominated_is_realised_at_fixings_and_the_rest_starts_from_what_it_left(desk):
    held = desk.deal(deal=structure(STORAGE))
    run_of(desk)
    nominate(held, date(2026, 12, 1), 100)
    # The second day says nothing: nothing is moved.
    nominate(held, date(2026, 12, 3), -50)
    later = datetime(2026, 12, 4, 5, tzinfo=UTC)
    start = datetime(2026, 12, 1, 5, tzinfo=UTC)
    make_prices(
        Market.objects.get(code="TTF"), start, ["31.00"] * 24 + ["32.00"] * 24 + ["29.00"] * 24,
        received_at=later,
    )  # fmt: skip

    run = run_of(desk, later + timedelta(minutes=1))

    # The fourth has begun at that minute too, with nothing said.
    value = value_of(run, held)
    realised = 100 * (31.0 - 0.25) - 50 * 1.015 * 29.0 - 50 * 0.5
    assert float(value.realised) == pytest.approx(realised, abs=0.01)
    prices, days = daily()
    plan = storage_intrinsic(gas_store(days[4:], 3950.0), prices[4:])
    assert float(value.unrealised) == pytest.approx(plan.value, abs=0.01)
    assert StructureValue.objects.get(run=run).chosen == 4


def test_a_day_is_explained_to_the_cent_by_price_and_what_is_left_out_by_the_holder(desk):
    receipts = [desk.deal(deal=structure(one)) for one in ALL.values()]
    opening = run_of(desk)
    moved = {name: str(Decimal(price) + 2) for name, price in GAS_PRICES.items()}
    curve_of(Market.objects.get(code="TTF"), moved, at=CLOSE + timedelta(days=3))
    closing = run_of(desk, EVENING + timedelta(days=3))

    (report,) = explain_runs(
        actor=Actor.system("test"), opening=opening, closing=closing, day=date(2026, 11, 23),
        kind=PnlKind.OFFICIAL,
    )  # fmt: skip

    values = [
        sum(v.realised + v.unrealised for v in run.values.all()) for run in (opening, closing)
    ]
    assert report.total == values[1] - values[0]
    assert sum(step.reporting for step in report.steps.all()) == report.total
    by_kind = {}
    for step in report.steps.filter(trade__ref=receipts[0].ref):
        by_kind[step.kind, step.name] = step.amount
    # The store holds 4,000 MWh more than it must give back: two more on all prices.
    assert set(by_kind) == {("PRICE", "TTF")}
    change = value_of(closing, receipts[0]).unrealised - value_of(opening, receipts[0]).unrealised
    assert by_kind["PRICE", "TTF"] == change
    assert not report.steps.filter(kind="RESIDUAL").exists()


def test_a_delivered_day_is_explained_by_fixing_and_by_what_its_holder_said(desk):
    held = desk.deal(deal=structure(STORAGE))
    opening = run_of(desk, datetime(2026, 12, 1, 4, tzinfo=UTC))
    nominate(held, date(2026, 12, 1), 96, at=datetime(2026, 12, 1, 4, 30, tzinfo=UTC))
    start, later = datetime(2026, 12, 1, 5, tzinfo=UTC), datetime(2026, 12, 2, 4, tzinfo=UTC)
    make_prices(Market.objects.get(code="TTF"), start, ["31.50"] * 23, received_at=later)
    closing = run_of(desk, later)

    (report,) = explain_runs(
        actor=Actor.system("test"), opening=opening, closing=closing, day=date(2026, 12, 1),
        kind=PnlKind.OFFICIAL,
    )  # fmt: skip

    values = [value_of(run, held) for run in (opening, closing)]
    total = [value.realised + value.unrealised for value in values]
    steps = {step.kind: step.amount for step in report.steps.all()}
    assert sum(steps.values()) == total[1] - total[0]
    # Silence would have moved nothing, so all of the day is in what the holder said; the plan had
    # kept the gas for the dearer quarter.
    assert set(steps) <= {"TIME", "AMENDMENT"}
    assert steps["AMENDMENT"] < 0


def test_what_cannot_be_kept_is_named_and_not_valued(desk):
    terms = replace(SWING.terms, minimum=Decimal(24_000), daily_minimum=Decimal(0))
    held = desk.deal(deal=structure(SWING, terms=terms))
    run_of(desk)

    # Until the end of July nothing was taken: 61 days of 240 MWh are left.
    run = run_of(desk, datetime(2027, 8, 1, 12, tzinfo=UTC))

    assert not value_of(run, held).is_valued
    assert any("24000 MWh must be taken, but only" in finding for finding in run.findings)
    assert run.unvalued == 1
