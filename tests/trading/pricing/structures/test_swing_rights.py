"""Swing rights on a lognormal spot: limits, bounds, and the published cases with settlement."""

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.pricing import OptionType, PricingError, black76
from trading.pricing.structures import (
    SettlementRule,
    discount_factors,
    payment_dates,
    swing_rights,
    years_actual_actual,
)
from trading.pricing.structures._kernels import smooth

ORACLES = Path("/work/shared/data/oracles/trading_risk.json")
MONTHS = np.arange(1, 13) / 12.0


@pytest.mark.skipif(not ORACLES.exists(), reason="the reference cases are not here")
def test_every_reference_case_of_the_structures_passes(capsys):
    topics = ("swing_option", "storage_intrinsic", "vpp_intrinsic")

    call_command("validate_models", str(ORACLES), topic=list(topics))

    assert "pass, 0 fail, 0 unsupported" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "strike", "dividend", "volatility", "weeks", "rights"),
    [(OptionType.CALL, 30.0, 0.02, 0.4, 4, 8), (OptionType.CALL, 28.0, 0.06, 0.5, 1, 5),
     (OptionType.PUT, 35.0, 0.0, 0.6, 8, 3)],
)  # fmt: skip
def test_agrees_with_finite_differences(option, strike, dividend, volatility, weeks, rights):
    ql = pytest.importorskip("QuantLib")
    today, count = ql.Date(20, 11, 2026), ql.Actual365Fixed()
    ql.Settings.instance().evaluationDate = today
    dates = [today + ql.Period(n * weeks, ql.Weeks) for n in range(1, 13)]
    kind = ql.Option.Call if option is OptionType.CALL else ql.Option.Put
    contract = ql.VanillaSwingOption(
        ql.PlainVanillaPayoff(kind, strike), ql.SwingExercise(dates), 0, rights
    )
    market = ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(30.0)),
        ql.YieldTermStructureHandle(ql.FlatForward(today, dividend, count)),
        ql.YieldTermStructureHandle(ql.FlatForward(today, 0.05, count)),
        ql.BlackVolTermStructureHandle(
            ql.BlackConstantVol(today, ql.NullCalendar(), volatility, count)
        ),
    )
    contract.setPricingEngine(ql.FdSimpleBSSwingEngine(market, 200, 400))
    years = np.arange(1, 13) * weeks * 7 / 365.0

    found = swing_rights(
        forwards=30.0 * np.exp((0.05 - dividend) * years), strike=strike, times=years,
        volatility=volatility, rights=rights, discounts=np.exp(-0.05 * years), option=option,
    )  # fmt: skip

    other = contract.NPV()
    ql.Settings.instance().evaluationDate = ql.Date()  # other tests' clock
    # Its grid of 200 × 400 is what limits the agreement.
    assert found.price == pytest.approx(other, abs=0.01)


@pytest.mark.parametrize("option", list(OptionType))
def test_a_right_for_each_date_is_the_strip_of_europeans(option):
    strip = black76(
        forward=[28.0, 31.0, 33.0, 27.0], strike=[30.0, 30.0, 32.0, 30.0],
        expiry=[0.1, 0.2, 0.9, 1.4], volatility=0.6, discount=[0.99, 0.98, 0.95, 0.9],
        option=option,
    )  # fmt: skip

    found = swing_rights(
        forwards=[28.0, 31.0, 33.0, 27.0], strike=[30.0, 30.0, 32.0, 30.0],
        times=[0.1, 0.2, 0.9, 1.4], volatility=0.6, rights=4, discounts=[0.99, 0.98, 0.95, 0.9],
        option=option,
    )  # fmt: skip

    assert found.price == pytest.approx(float(strip.price.sum()), abs=5e-5)
    assert found.lower_bound == pytest.approx(float(strip.price.sum()))


def test_a_right_for_each_of_many_dates_is_the_strip_of_europeans():
    """The grid of many dates is the coarser one; two dates lie apart for its transform."""
    weeks = np.concatenate([np.arange(1, 66), [120.0]]) / 52.0
    forwards = 30.0 + 6.0 * np.cos(2.0 * np.pi * weeks)
    strip = black76(forward=forwards, strike=32.0, expiry=weeks, volatility=0.6).price

    found = swing_rights(
        forwards=forwards, strike=32.0, times=weeks, volatility=0.6, rights=len(weeks)
    )

    assert found.price == pytest.approx(float(strip.sum()), rel=3e-6)
    assert (np.diff(found.by_rights, n=2) <= 1e-9).all()


def test_the_compiled_sums_equal_their_python():
    rows = np.random.default_rng(3).normal(size=(2, 30))
    weights = np.array([0.4, 0.2, 0.1, 0.0, 0.0])
    both = np.concatenate([weights[:0:-1], weights])

    found = smooth(rows, weights)

    assert found == pytest.approx(np.stack([np.convolve(r, both, "valid") for r in rows]))
    assert smooth.py_func(rows, weights) == pytest.approx(found)


@given(
    st.lists(st.floats(15.0, 60.0), min_size=2, max_size=6), st.floats(15.0, 60.0),
    st.floats(0.05, 1.0), st.sampled_from(list(OptionType)),
)  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_rights_are_worth_ever_less_and_lie_between_the_bounds(forwards, strike, vol, option):
    count = len(forwards)
    found = swing_rights(
        forwards=forwards, strike=strike, times=MONTHS[:count], volatility=vol, rights=count,
        option=option,
    )  # fmt: skip

    each = np.diff(found.by_rights)
    assert (each >= -1e-9).all()
    assert (np.diff(each) <= 1e-9).all()
    assert found.lower_bound - 1e-3 <= found.price <= found.upper_bound + 1e-9
    fewer = swing_rights(
        forwards=forwards, strike=strike, times=MONTHS[:count], volatility=vol, rights=1,
        option=option,
    )  # fmt: skip
    assert fewer.price == pytest.approx(found.by_rights[1], abs=1e-12)
    assert fewer.lower_bound - 1e-3 <= fewer.price


def test_uses_the_best_dates_of_the_curve_without_volatility():
    found = swing_rights(
        forwards=[25.0, 40.0, 20.0, 34.0], strike=30.0, times=[0.0, 0.1, 0.2, 0.3], volatility=0.0,
        rights=3, discounts=[1.0, 0.9, 0.8, 0.7],
    )  # fmt: skip

    assert found.by_rights == pytest.approx([0.0, 9.0, 11.8, 11.8])


def test_knows_the_price_of_a_date_that_is_today():
    found = swing_rights(
        forwards=[35.0, 35.0], strike=30.0, times=[0.0, 0.5], volatility=0.4, rights=2
    )

    later = black76(forward=35.0, strike=30.0, expiry=0.5, volatility=0.4).price
    assert found.price == pytest.approx(5.0 + float(later), abs=5e-5)


@pytest.mark.parametrize(
    ("asked", "says"),
    [({"rights": 0}, "rights: 0 must be 1 to 2"),
     ({"rights": 3}, "rights: 3"),
     ({"times": [0.2, 0.1]}, r"times\[1\]: 0.1"),
     ({"times": []}, "times: shape"),
     ({"forwards": [30.0, 0.0]}, r"forwards\[1\]: 0.0 must be above 0"),
     ({"strike": -1.0}, "strike"),
     ({"volatility": np.nan}, "volatility: nan"),
     ({"discounts": [1.0, np.inf]}, r"discounts\[1\]: inf")],
)  # fmt: skip
def test_refuses_what_has_no_price(asked, says):
    base = {"forwards": [30.0, 31.0], "strike": 30.0, "times": [0.1, 0.2], "volatility": 0.4,
            "rights": 1}  # fmt: skip
    with pytest.raises(PricingError, match=says):
        swing_rights(**base | asked)


def test_counts_days_to_payment_from_the_delivery_or_from_the_end_of_its_month():
    days = np.array(["2028-02-01", "2028-02-29", "2028-12-31"], dtype="datetime64[D]")

    month_end = payment_dates(days, rule=SettlementRule.MONTH_END, days=20)
    delivery = payment_dates(days, rule=SettlementRule.DELIVERY_DAY, days=2)

    assert month_end.astype(str).tolist() == ["2028-03-20", "2028-03-20", "2029-01-20"]
    assert delivery.astype(str).tolist() == ["2028-02-03", "2028-03-02", "2029-01-02"]
    factors = discount_factors(delivery, value_date=np.datetime64("2028-02-03"), rate=0.05)
    assert factors[0] == 1.0
    assert factors[2] == pytest.approx(np.exp(-0.05 * 334 / 365))
    with pytest.raises(PricingError, match=r"payments\[0\]: 2028-02-03 must not be before"):
        discount_factors(delivery, value_date=np.datetime64("2028-02-04"), rate=0.05)


def test_counts_years_by_the_length_of_each_calendar_year():
    # ISDA's own example: 1 November 2003 to 1 May 2004 is 61/365 + 121/366.
    assert years_actual_actual(date(2003, 11, 1), date(2004, 5, 1)) == pytest.approx(
        61 / 365 + 121 / 366
    )
    assert years_actual_actual(date(2004, 5, 1), date(2003, 11, 1)) == pytest.approx(
        -61 / 365 - 121 / 366
    )
    assert years_actual_actual(date(2027, 3, 1), date(2027, 3, 1)) == 0
