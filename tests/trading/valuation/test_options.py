"""The day of an option: both ways of explaining it add up to what it is worth."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.pricing import OptionType, PricingError, black76
from trading.valuation import OptionState, explain_option


@given(
    option=st.sampled_from(OptionType),
    forward=st.floats(20.0, 200.0),
    strike=st.floats(20.0, 200.0),
    moved=st.floats(0.9, 1.1),
    vol=st.floats(0.1, 1.0),
    bump=st.floats(-0.05, 0.05),
)
def test_both_ways_sum_to_the_change_of_value(option, forward, strike, moved, vol, bump):
    before = OptionState(option, forward, strike, 0.5, vol, 0.03)

    found = explain_option(
        before, days=1 / 365, forward=forward * moved, volatility=vol + bump, quantity=-2500.0
    )

    greeks = found.theta + found.delta + found.gamma + found.vega + found.vanna
    assert greeks + found.unexplained == pytest.approx(found.total, abs=1e-6)
    steps = found.step_time + found.step_price + found.step_vol
    assert steps == pytest.approx(found.total, abs=1e-6)


def test_an_option_that_expires_today_goes_to_its_payoff():
    before = OptionState(OptionType.CALL, 80.0, 75.0, 1 / 365, 0.4, 0.0)

    found = explain_option(before, days=1 / 365, forward=82.0, volatility=0.4, quantity=100.0)

    worth = float(black76(forward=80.0, strike=75.0, expiry=1 / 365, volatility=0.4).price)
    assert found.total == pytest.approx(100 * (7.0 - worth))
    assert found.step_vol == 0.0


def test_more_time_than_is_left_is_refused():
    before = OptionState(OptionType.CALL, 80.0, 75.0, 0.01, 0.4, 0.0)

    with pytest.raises(PricingError, match="expiry"):
        explain_option(before, days=0.02, forward=80.0, volatility=0.4, quantity=1.0)
