"""What a spread option says beside its two prices: ratio and unit, a second delivery, a cost."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.units import Basis, ConversionContext, Ratio
from trading.deals import (
    REFERENCE_MARKETS,
    DealError,
    Direction,
    Option,
    OptionletKind,
    OptionStyle,
    OptionType,
    PriceIndex,
    Schedule,
    Volume,
    check_option,
    efficiency,
    optionlets,
    payoff,
    unit_factors,
)
from trading.queries.deals import option_json, option_of
from trading.queries.trade_page import spread_words

D = Decimal
DE = REFERENCE_MARKETS["DE"]
POWER = PriceIndex("EPEX-DE-DA", DE)
GAS = PriceIndex("TTF-DA", REFERENCE_MARKETS["TTF"])
THERMS = PriceIndex("GAS-DA", replace(REFERENCE_MARKETS["NBP"], currency="EUR"))
COAL = PriceIndex("COAL-M1", replace(REFERENCE_MARKETS["API2"], currency="EUR"))
JAN, JUL = DatePeriod.months(2027, 1), DatePeriod.months(2027, 7)
EXPIRY = datetime(2026, 12, 20, 11, tzinfo=UTC)
SPARK = Option(
    Direction.RECEIVE, Schedule(DE, DatePeriod.months(2027, 1, 3), Volume.mw(D(10))),
    OptionStyle.EUROPEAN, OptionType.SPREAD_CALL, (POWER, GAS), (D(20),), EXPIRY,
    ratio=D("1.8181"), cost=D("3.2"),
)  # fmt: skip
CALENDAR = replace(
    SPARK, schedule=Schedule(DE, JAN, Volume.mw(D(10))), underlying=(POWER, POWER), ratio=None,
    ratio_unit="", cost=D(0), second_period=JUL,
)  # fmt: skip


def test_a_spark_spread_takes_its_heat_rate_of_gas_and_lowers_by_its_cost():
    (found,) = optionlets(SPARK)

    assert (found.kind, found.strike, found.quantity) == (OptionletKind.SPREAD, D("23.2"), 21590)
    assert found.factors == (1, Fraction("1.8181"))
    assert unit_factors(SPARK) == (1, 1)
    # Power at 100, gas at 30: 100 − 54.543 − 3.2 − 20.
    assert payoff(SPARK, [Fraction(100), Fraction(30)]) == Fraction("22.257")
    assert round(float(100 * efficiency(SPARK)), 3) == 55.002
    assert spread_words(SPARK) == "EPEX-DE-DA − 1.8181 × TTF-DA (55.0 % efficient) − 3.2"


def test_a_heat_rate_counts_in_the_unit_that_it_names():
    per_mmbtu = replace(SPARK, ratio=D(7), ratio_unit="MMBtu")
    per_therm = replace(SPARK, underlying=(POWER, THERMS), ratio=D(70), ratio_unit="therm")

    (one,), (other,) = optionlets(per_mmbtu), optionlets(per_therm)

    # An MMBtu is 0.29307107017 MWh; gas is priced per MWh here, per therm there.
    assert float(one.factors[1]) == pytest.approx(7 * 0.29307107017, abs=1e-9)
    assert other.factors[1] == 70 and unit_factors(per_therm)[1] == 1
    assert efficiency(per_therm) == efficiency(per_mmbtu)
    assert spread_words(per_therm).startswith("EPEX-DE-DA − 70 therm × GAS-DA (48.7 % ")


def test_a_dark_spread_counts_coal_in_tonnes():
    dark = replace(SPARK, underlying=(POWER, COAL), ratio=D("0.372"), ratio_unit="t")

    (found,) = optionlets(dark)

    assert found.factors == (1, Fraction("0.372"))
    coal = [part for part in found.parts if part.side == 1]
    assert [part.delta.month for part in coal] == [date(2027, n, 1) for n in (1, 2, 3)]
    assert {part.delta.unit for part in coal} == {"t"}
    # Months as the power has hours: 743 of March, as the clock goes forward.
    total = D("0.372") * 21590
    assert [float(part.amount) for part in coal] == pytest.approx(
        [float(total * hours / 2159) for hours in (744, 672, 743)], abs=1e-5
    )
    assert payoff(dark, [Fraction(80), Fraction(100)]) == Fraction("19.6")
    assert efficiency(dark) is None
    heat = ConversionContext(
        calorific_value=Ratio.of(D(25), "MJ", "kg", Basis.NCV), energy_basis=Basis.NCV
    )
    known = replace(COAL.area, context=heat)
    burned = replace(dark, underlying=(POWER, replace(COAL, area=known)))
    assert float(efficiency(burned)) == pytest.approx(3.6 / (0.372 * 25))


def test_a_calendar_spread_has_the_months_of_both_deliveries():
    (found,) = optionlets(CALENDAR)

    assert [(p.side, p.delta.market, p.delta.month) for p in found.parts] == [
        (0, "DE", date(2027, 1, 1)), (1, "DE", date(2027, 7, 1)),
    ]  # fmt: skip
    assert (found.delivery, found.second_delivery, found.quantity) == (JAN, JUL, 7440)
    assert spread_words(CALENDAR) == "EPEX-DE-DA Jan27 − EPEX-DE-DA Jul27"
    other = replace(CALENDAR, second_period=DatePeriod.months(2026, 12), ratio=D(2),
                    expiry=datetime(2026, 11, 30, 11, tzinfo=UTC))  # fmt: skip
    assert optionlets(other)[0].factors == (1, 2)


@pytest.mark.parametrize("leg", [SPARK, CALENDAR, replace(SPARK, ratio=D(7), ratio_unit="MMBtu")])
def test_terms_are_read_back_as_they_were_kept(leg):
    kept = option_json(leg)

    assert option_of(kept, leg.direction, leg.schedule, leg.underlying) == leg
    # Spreads were one for one before they said a ratio.
    for name in ("ratio", "ratio_unit", "second_period", "cost"):
        del kept[name]
    before = option_of(kept, leg.direction, leg.schedule, leg.underlying)
    assert (before.ratio, before.ratio_unit, before.cost) == (1, "MWh", 0)


_ABOVE_ZERO = st.decimals("0.000001", "10000", places=6)


@given(_ABOVE_ZERO, st.decimals("0", "500", places=2), st.decimals("-50", "500", places=2),
       st.decimals("-50", "500", places=2))  # fmt: skip
def test_a_call_less_a_put_is_the_spread_with_its_ratio_and_cost(ratio, cost, power, gas):
    call = replace(SPARK, ratio=ratio, cost=cost)
    put = replace(call, option_type=OptionType.SPREAD_PUT)
    prices = [Fraction(power), Fraction(gas)]

    assert (
        payoff(call, prices) - payoff(put, prices)
        == Fraction(power) - Fraction(ratio) * Fraction(gas) - Fraction(cost) - 20
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"ratio": D(0)}, "ratio"),
        ({"ratio": D("-1.8")}, "ratio"),
        ({"ratio": D("NaN")}, "ratio"),
        ({"ratio": D("Infinity")}, "ratio"),
        ({"ratio": D("1.8181818")}, "ratio"),
        ({"ratio": D(10001)}, "ratio"),
        ({"ratio": None, "ratio_unit": "MMBtu"}, "ratio"),
        ({"ratio_unit": "furlong"}, "ratio_unit"),
        ({"ratio_unit": "t"}, "ratio_unit"),
        ({"ratio_unit": "MW"}, "ratio_unit"),
        ({"underlying": (POWER, THERMS), "ratio_unit": ""}, "ratio_unit"),
        ({"underlying": (POWER, COAL), "ratio": None, "ratio_unit": ""}, "ratio"),
        ({"cost": D(-1)}, "cost"),
        ({"cost": D("0.0000001")}, "cost"),
        ({"underlying": (POWER, POWER)}, "underlying"),
        ({"underlying": (POWER, POWER), "second_period": SPARK.schedule.period}, "second_period"),
        ({"underlying": (POWER, POWER), "second_period": JAN}, "second_period"),
        ({"second_period": SPARK.schedule.period}, "second_period"),
        ({"second_period": DatePeriod.months(2250, 1)}, "second_period"),
        ({"second_period": DatePeriod.months(2026, 12)}, "expiry"),
        ({"second_period": JUL, "expiry": datetime(2027, 1, 10, tzinfo=UTC)}, "expiry"),
        ({"second_period": JUL, "style": OptionStyle.ASIAN}, "style"),
        ({"second_period": JUL, "style": OptionStyle.AMERICAN}, "style"),
    ],
)
def test_what_makes_no_spread_is_refused_by_field(change, field):
    with pytest.raises(DealError) as refused:
        check_option(replace(SPARK, **change))

    assert refused.value.field == field
    assert len(refused.value.rule) > 20


@pytest.mark.parametrize(
    ("field", "value"),
    [("ratio", D(1)), ("ratio", D("1.8")), ("ratio_unit", "MWh"), ("second_period", JUL),
     ("cost", D(3))],
)  # fmt: skip
def test_what_only_a_spread_has_is_refused_on_any_other(field, value):
    with pytest.raises(DealError, match="goes with a spread") as refused:
        Option(SPARK.direction, SPARK.schedule, SPARK.style, OptionType.CALL, (POWER,),
               SPARK.strikes, EXPIRY, **{field: value})  # fmt: skip

    assert refused.value.field == field
