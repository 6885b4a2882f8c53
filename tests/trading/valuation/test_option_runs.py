"""Options in valuation runs: the formulas written out, what is not valued, the same for ever."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import erf, exp, log, sqrt

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import DatePeriod
from trading import deals
from trading.deals import REFERENCE_MARKETS, Direction, OptionStyle, OptionType, Settlement, Volume
from trading.models import OptionFamily, OptionGreek, PricingFormula
from trading.pricing import average_option, spread_option
from trading.services.early_ends import terminate_trade
from trading.services.exercise import exercise_option
from trading.services.pricing_models import ModelTerms
from trading.services.valuation import prove_run, value_organization

from .desk import publish
from .options_desk import (
    CALL,
    CLOSE,
    EVENING,
    INDEX,
    INDEX_FR,
    RATE,
    choose,
    option,
    option_desk,
    quote_vols,
    second_market,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
# Q1 2027 in Berlin: 744 + 672 + 743 hours, at 95.
HOURS = {1: 744, 2: 672, 3: 743}


@pytest.fixture
def desk():
    return option_desk()


def run_of(desk, as_of=EVENING, **cut):
    return value_organization(
        actor=Actor.system("test"), organization_id=desk.organization.pk, as_of=as_of, **cut
    )


def values(run):
    return {v.trade.ref: v for v in run.values.select_related("trade")}


def cdf(x):
    return 0.5 * (1 + erf(x / sqrt(2)))


def years(until, since=EVENING):
    return (until - since).total_seconds() / (365 * 86400)


def call(F, K, T, sigma):
    d1 = (log(F / K) + sigma**2 * T / 2) / (sigma * sqrt(T))
    return F * cdf(d1) - K * cdf(d1 - sigma * sqrt(T)), cdf(d1)


def discount(local_day_start, since=EVENING):
    return exp(-RATE * (local_day_start.date() - since.date()).days / 365)


def midnight(year, month, day):
    """The start of a winter day in Berlin, as UTC."""
    return datetime(year, month, day, tzinfo=UTC) - timedelta(hours=1)


# Expires on Sunday the 20th of December; five business days later is Friday the 25th.
PAID = 35


def test_a_call_on_a_quarter_is_black_on_its_hours_weighted_forward_less_the_premium(desk):
    bought = desk.deal(deal=option())
    written = desk.deal(deal=option(direction=Direction.PAY, premium=Decimal(0)))

    run = run_of(desk)

    # Curve: the quarter at 95, January at 99; the months weigh by their hours.
    T = years(CALL.expiry)
    price, N1 = call(95.0, 100.0, T, 0.45)
    worth = 21590 * exp(-RATE * PAID / 365) * price
    found = values(run)
    assert float(found[bought.ref].unrealised) == pytest.approx(worth, abs=0.02)
    assert float(found[written.ref].unrealised) == pytest.approx(-worth, abs=0.02)
    assert (found[bought.ref].fees, found[bought.ref].realised) == (Decimal("-86360.00"),) * 2
    assert all(v.is_valued for v in found.values())
    assert (run.findings, run.unvalued) == ([], 0)
    greeks = list(OptionGreek.objects.filter(run=run, trade__ref=bought.ref).order_by("month"))
    assert [g.month.month for g in greeks] == [1, 2, 3]
    for greek in greeks:
        delta = 10 * HOURS[greek.month.month] * exp(-RATE * PAID / 365) * N1
        assert float(greek.delta) == pytest.approx(delta, rel=1e-6)
    assert run.inputs["options"]["models"][0][3] == "BLACK76"
    assert prove_run(run).is_same


def test_a_cap_is_its_months_each_on_its_own_forward_and_a_collar_two_of_them(desk):
    terms = replace(CALL, option_type=OptionType.CAP, premium=Decimal(0))
    cap = desk.deal(deal=option(terms))
    floor = desk.deal(deal=option(terms, option_type=OptionType.FLOOR, strikes=(Decimal(90),)))
    collar = desk.deal(
        deal=option(terms, option_type=OptionType.COLLAR, strikes=(Decimal(90), Decimal(100)))
    )

    run = run_of(desk)

    # January has a quote of its own and its volatility; February and March share the rest.
    rest = (95 * 2159 - 99 * 744) / (672 + 743)
    worth = 0.0
    for month, hours in HOURS.items():
        F, sigma = (99.0, 0.55) if month == 1 else (rest, 0.45)
        price = call(F, 100.0, years(CALL.expiry), sigma)[0]
        worth += 10 * hours * exp(-RATE * PAID / 365) * price
    found = values(run)
    assert float(found[cap.ref].unrealised) == pytest.approx(worth, abs=0.02)
    assert abs(
        found[collar.ref].unrealised - found[cap.ref].unrealised + found[floor.ref].unrealised
    ) <= Decimal("0.02")


def test_a_payer_swaption_discounts_each_month_to_its_own_payment(desk):
    terms = replace(CALL, option_type=OptionType.PAYER_SWAPTION, premium=Decimal(0),
                    settlement=Settlement.PHYSICAL)  # fmt: skip
    receipt = desk.deal(deal=option(terms))

    run = run_of(desk)

    rest = (95 * 2159 - 99 * 744) / (672 + 743)
    # Five business days after 31 January, 28 February and 31 March: 5 February, 5 March, 7 April.
    days = {1: 77, 2: 105, 3: 138}
    weights = {m: 10 * hours * exp(-RATE * days[m] / 365) for m, hours in HOURS.items()}
    annuity = sum(weights.values())
    F = (weights[1] * 99 + (weights[2] + weights[3]) * rest) / annuity
    worth = annuity * call(F, 100.0, years(CALL.expiry), 0.45)[0]
    assert float(values(run)[receipt.ref].unrealised) == pytest.approx(worth, abs=0.05)


def test_a_spread_is_the_exact_quadrature_on_both_curves(desk):
    second_market(desk)
    terms = replace(
        CALL, option_type=OptionType.SPREAD_CALL, underlying=(INDEX, INDEX_FR),
        strikes=(Decimal(3),), premium=Decimal(0),
    )  # fmt: skip
    receipt = desk.deal(deal=option(terms))

    run = run_of(desk)

    price = spread_option(
        first=95.0, second=90.0, strike=3.0, expiry=years(CALL.expiry), volatility1=0.45,
        volatility2=0.40, correlation=0.8,
    )  # fmt: skip
    worth = 21590 * exp(-RATE * PAID / 365) * float(price.price)
    assert float(values(run)[receipt.ref].unrealised) == pytest.approx(worth, abs=0.05)
    greeks = OptionGreek.objects.filter(run=run)
    by_market = {code: [] for code in ("DE", "FR")}
    for greek in greeks.select_related("market"):
        by_market[greek.market.code].append(float(greek.delta))
    assert sum(by_market["DE"]) == pytest.approx(
        21590 * exp(-RATE * PAID / 365) * float(price.delta1), rel=1e-6
    )
    assert sum(by_market["FR"]) < 0


def test_an_average_takes_the_fixings_of_its_days(desk):
    january = DatePeriod.months(2027, 1)
    terms = replace(
        CALL, style=OptionStyle.ASIAN, premium=Decimal(0), expiry=midnight(2027, 2, 1),
        schedule=deals.Schedule(REFERENCE_MARKETS["DE"], january, Volume.mw(Decimal(10))),
    )  # fmt: skip
    receipt = desk.deal(deal=option(terms))

    run = run_of(desk)

    starts = [midnight(2027, 1, day) for day in range(1, 32)]
    price = average_option(
        forward=np.full(31, 99.0), strike=100.0, times=[years(start) for start in starts],
        volatility=0.55,
    )  # fmt: skip
    # Five business days after Sunday the 31st of January: 5 February.
    worth = 7440 * exp(-RATE * 77 / 365) * float(price.price)
    assert float(values(run)[receipt.ref].unrealised) == pytest.approx(worth, abs=0.05)


def test_what_has_no_model_volatility_or_rate_is_named_and_not_valued():
    desk = option_desk(with_model=False)
    receipt = desk.deal(deal=option())

    run = run_of(desk)

    found = values(run)
    assert (found[receipt.ref].is_valued, found[receipt.ref].unrealised) == (False, 0)
    assert found[receipt.ref].fees == Decimal("-86360.00")
    assert run.unvalued == 1
    assert run.findings == [
        "DE: no pricing model for options on a forward is approved; propose one under Pricing"
        " models. 1 trade is not valued.",
    ]
    choose(desk, ModelTerms("DE", OptionFamily.VANILLA, PricingFormula.BACHELIER))
    assert run_of(desk).findings[0] == (
        "DE: no normal volatility is quoted; import volatilities. 1 trade is not valued."
    )
    quote_vols(desk.market, {"Feb27": "30"}, at=CLOSE, kind="NORMAL")
    assert run_of(desk).findings[0] == (
        "DE: no normal volatility is quoted for a contract that covers 2027-01-01 to 2027-03-31."
        " Nor are all of its parts."
        " 1 trade is not valued."
    )
    quote_vols(desk.market, {"Cal27": "40"}, at=CLOSE, kind="NORMAL", source="exchange")
    assert run_of(desk).unvalued == 0
    assert prove_run(run).is_same


def test_the_volatility_of_a_quarter_is_composed_of_its_months_at_the_stated_correlation(desk):
    model = choose(
        desk, ModelTerms("DE", OptionFamily.VANILLA, PricingFormula.BACHELIER,
                         contract_correlation=Decimal("0.9"))
    )  # fmt: skip
    quote_vols(desk.market, {"Jan27": "40", "Feb27": "35"}, at=CLOSE, kind="NORMAL")
    receipt = desk.deal(deal=option(premium=Decimal(0)))
    without = run_of(desk)
    quote_vols(
        desk.market, {"Jan27": "40", "Feb27": "35", "Mar27": "30"}, at=CLOSE, kind="NORMAL",
        source="again",
    )  # fmt: skip

    run = run_of(desk)

    # March alone has none, so the quarter has none.
    assert without.unvalued == 1
    hours = np.array([744, 672, 743]) / 2159
    moved = hours * np.array([40.0, 35.0, 30.0])
    sigma = sqrt((0.9 * np.outer(moved, moved) + 0.1 * np.diag(moved**2)).sum())
    spread = sigma * sqrt(years(CALL.expiry))
    d = (95 - 100) / spread
    price = (95 - 100) * cdf(d) + spread * exp(-d * d / 2) / sqrt(2 * np.pi)
    worth = 21590 * price * discount(midnight(2026, 12, 24))
    found = values(run)[receipt.ref]
    assert float(found.unrealised) == pytest.approx(worth, rel=2e-4)
    note = (
        "DE 2027-01-01 to 2027-03-31: volatility composed of Jan27 + Feb27 + Mar27 at a"
        " correlation of 0.9 between contracts."
    )
    assert run.findings == [note]
    assert run.inputs["options"]["composed"] == [
        ["DE", "2027-01-01", "2027-04-01", "Jan27 + Feb27 + Mar27", "0.900000"]
    ]
    assert model.contract_correlation == Decimal("0.9") and prove_run(run).is_same


def test_a_price_below_zero_is_no_price_for_black_and_one_for_bachelier(desk):
    prices = {"Cal27": "-2.00", "Q1-27": "-2.00", "Jan27": "-2.00"}
    publish(desk.market, prices, at=CLOSE + timedelta(hours=1))
    desk.deal(deal=option(strikes=(Decimal(1),), premium=Decimal(0)))

    run = run_of(desk)

    assert run.unvalued == 1
    assert run.findings == [
        "DE: the forward of -2.00 is no price for Black-76, lognormal; choose Bachelier or a"
        " larger displacement under Pricing models. 1 trade is not valued."
    ]
    choose(desk, ModelTerms("DE", OptionFamily.VANILLA, PricingFormula.BACHELIER))
    quote_vols(desk.market, {"Cal27": "40"}, at=CLOSE, kind="NORMAL")
    assert run_of(desk).unvalued == 0


def test_a_later_volatility_or_model_changes_no_earlier_cut(desk):
    receipt = desk.deal(deal=option())
    run = run_of(desk)

    quote_vols(desk.market, {"Q1-27": "0.60"}, at=CLOSE)
    corrected = run_of(desk)
    choose(
        desk,
        ModelTerms("DE", OptionFamily.VANILLA, PricingFormula.DISPLACED_BLACK,
                   displacement=Decimal(50)),
    )  # fmt: skip
    displaced = run_of(desk)

    worth = [values(r)[receipt.ref].unrealised for r in (run, corrected, displaced)]
    assert worth[0] < worth[1] < worth[2]
    for each in (run, corrected, displaced):
        assert prove_run(each).is_same
    assert run_of(desk, known_at=run.known_at).result_hash == run.result_hash
    assert len({r.input_hash for r in (run, corrected, displaced)}) == 3


def test_an_expired_option_is_worth_its_payoff_at_the_curve_of_then_and_a_delivering_one_nothing(
    desk,
):
    cash = desk.deal(deal=option(premium=Decimal(0), strikes=(Decimal(80),)))
    physical = desk.deal(
        deal=option(premium=Decimal(0), strikes=(Decimal(81),), settlement=Settlement.PHYSICAL)
    )
    publish(desk.market, {"Cal27": "88.00", "Q1-27": "97.00"},
            at=datetime(2026, 12, 18, 17, tzinfo=UTC))  # fmt: skip
    publish(desk.market, {"Cal27": "88.00", "Q1-27": "70.00"},
            at=datetime(2026, 12, 21, 17, tzinfo=UTC))  # fmt: skip

    run = run_of(desk, as_of=datetime(2027, 1, 11, 12, tzinfo=UTC))

    found = values(run)
    assert float(found[cash.ref].realised) == pytest.approx(21590 * 17.0, abs=0.01)
    assert (found[cash.ref].unrealised, found[physical.ref].realised) == (0, 0)
    assert found[physical.ref].is_valued
    assert not OptionGreek.objects.filter(run=run, delta__gt=0).exists()
    assert prove_run(run).is_same


def test_the_number_of_queries_stays_as_options_grow(desk):
    desk.deal(deal=option())
    run_of(desk)
    with CaptureQueriesContext(connection) as one:
        run_of(desk)
    for strike in (90, 95, 105, 110):
        desk.deal(deal=option(strikes=(Decimal(strike),), option_type=OptionType.PUT))
        desk.deal(
            deal=option(strikes=(Decimal(strike),), option_type=OptionType.CAP,
                        premium=Decimal(0))
        )  # fmt: skip
    with CaptureQueriesContext(connection) as nine:
        run = run_of(desk)

    assert len(nine) == len(one)
    assert (run.trades, run.unvalued) == (9, 0)


def test_an_exercised_option_is_the_trade_that_it_made_and_an_ended_one_its_premium(desk):
    terms = replace(CALL, settlement=Settlement.PHYSICAL, strikes=(Decimal(80),))
    receipt = desk.deal(deal=option(terms))
    ended = desk.deal(deal=option(strikes=(Decimal(85),)))
    run = run_of(desk)
    terminate_trade(
        actor=desk.trader, ref=ended.ref, expected_version=1, from_date=date(2027, 1, 1),
        received_at=EVENING, reason="closed out",
    )  # fmt: skip
    at = CALL.expiry - timedelta(hours=2)
    exercise_option(actor=desk.trader, ref=receipt.ref, expected_version=1, received_at=at)

    later = run_of(desk, as_of=at + timedelta(minutes=5))

    found = values(later)
    assert [found[ref].unrealised for ref in (receipt.ref, ended.ref)] == [0, 0]
    assert [found[ref].fees for ref in (receipt.ref, ended.ref)] == [Decimal("-86360.00")] * 2
    (made,) = set(found) - {receipt.ref, ended.ref}
    # Bought at 80, marked at 95.
    assert found[made].unrealised == 21590 * 15
    assert later.unvalued == 0
    assert prove_run(run).is_same and prove_run(later).is_same
