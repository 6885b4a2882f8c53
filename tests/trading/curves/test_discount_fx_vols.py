"""Discount factors, forward exchange rates and volatility surfaces."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.curves import (
    Compounding,
    CurveDoesNotCover,
    CurveError,
    DiscountCurve,
    FxForwardCurve,
    VolAxis,
    VolKind,
    VolSlice,
    VolSurface,
    cross,
    triangle_gap,
)

TODAY = date(2026, 11, 20)
SPOT = date(2026, 11, 24)
IN_A_YEAR = date(2027, 11, 20)
IN_TWO = date(2028, 11, 19)


def rates(currency, *levels, compounding=Compounding.CONTINUOUS):
    return DiscountCurve.from_rates(
        currency,
        valued_on=TODAY,
        rates=dict(zip((IN_A_YEAR, IN_TWO), levels, strict=False)),
        compounding=compounding,
    )


@pytest.mark.parametrize(
    ("compounding", "rate", "days", "factor"),
    [
        (Compounding.CONTINUOUS, 0.02, 365, 0.980198673306755),
        (Compounding.ANNUAL, 0.02, 730, 0.961168781237985),
        (Compounding.SIMPLE, 0.04, 73, 0.992063492063492),
        (Compounding.CONTINUOUS, -0.005, 365, 1.005012520859401),
    ],
)
def test_factors_of_rates_by_compounding(compounding, rate, days, factor):
    on = date.fromordinal(TODAY.toordinal() + days)

    curve = DiscountCurve.from_rates(
        "EUR", valued_on=TODAY, rates={on: rate}, compounding=compounding
    )

    assert curve.factor(on) == pytest.approx(factor, abs=1e-14)
    assert curve.zero_rate(on, compounding) == pytest.approx(rate, abs=1e-13)
    assert curve.factor(TODAY) == 1.0


def test_between_nodes_and_after_the_last_the_forward_rate_is_flat():
    curve = rates("EUR", 0.02, 0.03)

    # 2 % for a year and 3 % for two leave 4 % for the second
    assert curve.forward_rate(IN_A_YEAR, IN_TWO) == pytest.approx(0.04, abs=1e-13)
    assert curve.forward_rate(date(2028, 3, 1), date(2028, 6, 1)) == pytest.approx(0.04)
    assert curve.forward_rate(date(2030, 1, 1), date(2031, 1, 1)) == pytest.approx(0.04)


def test_what_cannot_discount_is_refused():
    with pytest.raises(CurveError, match="leaves nothing to discount"):
        rates("EUR", -1.5, compounding=Compounding.SIMPLE)
    with pytest.raises(CurveError, match="later than 2026-11-20"):
        DiscountCurve.from_rates("EUR", valued_on=TODAY, rates={TODAY: 0.02})
    with pytest.raises(CurveDoesNotCover, match="before 2026-11-20"):
        rates("EUR", 0.02).factor(date(2026, 11, 19))
    with pytest.raises(CurveDoesNotCover, match="must be after"):
        rates("EUR", 0.02).zero_rate(TODAY)


def test_forward_points_make_forwards_and_come_back():
    curve = FxForwardCurve.from_points(
        "EUR", "USD", spot=1.085, spot_date=SPOT, points={date(2027, 11, 24): 185.0}
    )

    assert curve.rate(date(2027, 11, 24)) == pytest.approx(1.1035, abs=1e-13)
    assert curve.rate(SPOT) == curve.spot == pytest.approx(1.085)
    assert curve.points(date(2027, 11, 24)) == pytest.approx(185.0, abs=1e-9)
    yen = FxForwardCurve.from_points(
        "USD", "JPY", spot=154.2, spot_date=SPOT, points={IN_TWO: -610.0}, points_per_unit=100
    )
    assert yen.rate(IN_TWO) == pytest.approx(148.1, abs=1e-11)


def test_covered_interest_parity_holds_at_every_date():
    euro, dollar = rates("EUR", 0.02, 0.025), rates("USD", 0.04)

    curve = FxForwardCurve.from_parity(euro, dollar, spot=1.08, spot_date=SPOT)

    for on in (SPOT, date(2027, 3, 9), IN_A_YEAR, date(2028, 5, 1), date(2031, 7, 7)):
        euros = euro.factor(on) / euro.factor(SPOT)
        dollars = dollar.factor(on) / dollar.factor(SPOT)
        assert curve.rate(on) == pytest.approx(1.08 * euros / dollars, rel=1e-13)


@given(st.floats(-0.03, 0.15), st.floats(-0.03, 0.15), st.floats(-0.03, 0.15))
def test_pairs_of_three_discount_curves_close_the_triangle(euro, pound, dollar):
    eur, gbp, usd = rates("EUR", euro, 0.01), rates("GBP", pound), rates("USD", dollar, 0.05)
    eurusd = FxForwardCurve.from_parity(eur, usd, spot=1.08, spot_date=SPOT)
    gbpusd = FxForwardCurve.from_parity(gbp, usd, spot=1.27, spot_date=SPOT)
    eurgbp = FxForwardCurve.from_parity(eur, gbp, spot=1.08 / 1.27, spot_date=SPOT)
    dates = np.array(["2026-11-24", "2027-06-30", "2029-01-02"], dtype="datetime64[D]")

    crossed = cross(eurusd, gbpusd, pivot="USD")

    assert crossed.pair == "EURGBP"
    np.testing.assert_allclose(crossed.rates(dates), eurgbp.rates(dates), rtol=1e-12)
    for direct in (eurgbp, eurgbp.inverted()):
        np.testing.assert_allclose(triangle_gap(direct, gbpusd, eurusd, dates), 0, atol=1e-12)
    np.testing.assert_allclose(
        eurusd.inverted().rates(dates) * eurusd.rates(dates), 1.0, rtol=1e-13
    )


def test_a_direct_rate_off_the_triangle_is_told_as_a_share():
    def pair(base, quote, spot):
        return FxForwardCurve.from_points(base, quote, spot=spot, spot_date=SPOT, points={})

    dates = np.array([SPOT], dtype="datetime64[D]")
    gap = triangle_gap(
        pair("EUR", "GBP", 0.8517), pair("EUR", "USD", 1.08), pair("GBP", "USD", 1.27), dates
    )

    assert gap.tolist() == pytest.approx([0.8517 / (1.08 / 1.27) - 1])
    with pytest.raises(CurveError, match="is not EURCHF"):
        triangle_gap(
            pair("EUR", "CHF", 0.9), pair("EUR", "USD", 1.08), pair("GBP", "USD", 1.27), dates
        )
    with pytest.raises(CurveError, match="does not hold CHF"):
        cross(pair("EUR", "USD", 1.08), pair("GBP", "USD", 1.27), pivot="CHF")


def test_rates_that_are_none_are_refused():
    with pytest.raises(CurveError, match=r"EURUSD at 2027-11-20 is -0\.015"):
        FxForwardCurve.from_points(
            "EUR", "USD", spot=1.085, spot_date=SPOT, points={IN_A_YEAR: -11_000}
        )
    with pytest.raises(CurveError, match="base currency too"):
        FxForwardCurve.from_points("EUR", "EUR", spot=1.0, spot_date=SPOT, points={})
    curve = FxForwardCurve.from_points("EUR", "USD", spot=1.085, spot_date=SPOT, points={})
    with pytest.raises(CurveDoesNotCover, match="before the spot date"):
        curve.rate(TODAY)


def one_slice(contract, expiry, nodes, vols):
    return VolSlice(contract, expiry, np.array(nodes), np.array(vols))


def surface(*slices, kind=VolKind.LOGNORMAL, axis=VolAxis.MONEYNESS):
    return VolSurface(kind=kind, axis=axis, valued_on=TODAY, slices=slices)


def test_total_variance_is_linear_between_strikes_and_expiries():
    cal = surface(
        one_slice("Cal28", IN_A_YEAR, [0.8, 1.0, 1.2], [0.5, 0.4, 0.45]),
        one_slice("Cal28", IN_TWO, [1.0], [0.3]),
    )

    assert cal.vol("Cal28", IN_A_YEAR, 1.0) == pytest.approx(0.4)
    assert cal.vol("Cal28", IN_A_YEAR, 0.9) == pytest.approx(((0.25 + 0.16) / 2) ** 0.5)
    # one and a half years (547.5 days, here 548): 0.16 and 2 × 0.09 of variance
    middle = date.fromordinal(TODAY.toordinal() + 548)
    total = 0.16 + (548 - 365) / 365 * (0.18 - 0.16)
    assert cal.vol("Cal28", middle, 1.0) == pytest.approx((total / (548 / 365)) ** 0.5)
    # beyond the nodes the volatility stays
    assert cal.vol("Cal28", IN_A_YEAR, 3.0) == pytest.approx(0.45)
    assert cal.vol("Cal28", date(2027, 2, 1), 1.0) == pytest.approx(0.4)
    assert cal.vol("Cal28", date(2031, 1, 1), 1.0) == pytest.approx(0.3)
    assert cal.expiries("Cal28") == (IN_A_YEAR, IN_TWO)


def test_falling_total_variance_is_an_arbitrage_at_its_strike():
    cal = surface(
        one_slice("Cal28", IN_TWO, [0.8, 1.0], [0.40, 0.25]),
        one_slice("Cal28", IN_A_YEAR, [0.8, 1.0], [0.40, 0.40]),
        one_slice("Cal29", IN_TWO, [1.0], [0.01]),
    )

    (found,) = cal.calendar_arbitrages()
    assert (found.contract, found.node) == ("Cal28", 1.0)
    assert (found.near, found.far) == (IN_A_YEAR, IN_TWO)
    assert found.amount == pytest.approx(0.16 - 2 * 0.0625)
    assert "falls by 0.035" in str(found)


def test_normal_volatility_takes_negative_strikes_and_lognormal_does_not():
    spread = one_slice("Jan27", IN_A_YEAR, [-20.0, 0.0, 60.0], [18.0, 15.0, 21.0])

    normal = surface(spread, kind=VolKind.NORMAL, axis=VolAxis.STRIKE)

    assert normal.vol("Jan27", IN_A_YEAR, 0.0) == pytest.approx(15.0)
    with pytest.raises(CurveError, match="has -20; must be above zero"):
        surface(spread, axis=VolAxis.STRIKE)


@pytest.mark.parametrize(
    ("slices", "axis", "message"),
    [
        ((), VolAxis.MONEYNESS, "at least one"),
        ([("A", TODAY, [1.0], [0.3])], VolAxis.MONEYNESS, "must be after 2026-11-20"),
        ([("A", IN_TWO, [1.0], [0.3])] * 2, VolAxis.MONEYNESS, "given twice"),
        ([("A", IN_TWO, [0.0, 0.5], [0.3, 0.3])], VolAxis.DELTA, "deltas outside 0 to 1"),
        ([("A", IN_TWO, [1.0, 0.5], [0.3, 0.3])], VolAxis.MONEYNESS, "finite and ascend"),
        ([("A", IN_TWO, [1.0], [-0.3])], VolAxis.MONEYNESS, "holds -0.3"),
        ([("A", IN_TWO, [1.0], [0.3, 0.3])], VolAxis.MONEYNESS, "for each of its nodes"),
    ],
)
def test_what_is_no_surface_is_refused(slices, axis, message):
    with pytest.raises(CurveError, match=message):
        surface(*(one_slice(*one) for one in slices), axis=axis)


def test_an_unknown_contract_has_no_volatility():
    with pytest.raises(CurveDoesNotCover, match="no Cal99"):
        surface(one_slice("Cal28", IN_TWO, [1.0], [0.3])).vol("Cal99", IN_TWO, 1.0)
