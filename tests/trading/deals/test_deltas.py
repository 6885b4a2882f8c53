"""What deals add to positions: written-out months, exact laws, and a slow twin of the profile."""

import time
from collections import defaultdict
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energyopti.foundation.calendars import DatePeriod
from trading.deals import (
    DealError,
    Delta,
    DeltaBasis,
    Frequency,
    Profile,
    ProfileDelta,
    Volume,
    basis_swap,
    deal_totals,
    deltas,
    fixed_float_swap,
    future,
    index_forward,
    is_zero,
    mirror,
    negate,
    net,
    physical_forward,
    profile_forward,
    strip,
)

from .markets import (
    BRENT,
    BUY,
    DE,
    DE_SPOT,
    FR_SPOT,
    NBP,
    OIL,
    SELL,
    TTF,
    mw,
    period,
)  # fmt: skip
from .strategies import linear, profile_deals, with_text

D = Decimal


def figures(deal):
    return [
        (d.market, d.month.month, d.basis.value, d.count, d.physical, d.exposure, d.fixed)
        for d in deltas(deal)
    ]


@pytest.mark.parametrize(
    ("deal", "expected"),
    [
        (
            physical_forward(side=BUY, area=DE, period=period("q1_27"), volume=mw("10"),
                             price=D("85.20"), shape="PEAK"),
            [("DE", 1, "HOUR", 252, 10, 10, 852), ("DE", 2, "HOUR", 240, 10, 10, 852),
             ("DE", 3, "HOUR", 276, 10, 10, 852)],
        ),
        (
            physical_forward(side=SELL, area=DE, period=period("mar27"), volume=mw("10"),
                             price=D("-1.5")),
            [("DE", 3, "HOUR", 743, -10, -10, 15)],
        ),
        (  # at its own market's price, only the spread is fixed
            index_forward(side=BUY, area=DE, period=period("mar27"), volume=mw("10"),
                          index=DE_SPOT, spread=D("1.5")),
            [("DE", 3, "HOUR", 743, 10, 0, 15)],
        ),
        (
            index_forward(side=BUY, area=DE, period=period("mar27"), volume=mw("10"),
                          index=DE_SPOT, multiplier=D("0.95")),
            [("DE", 3, "HOUR", 743, 10, D("0.5"), 0)],
        ),
        (
            fixed_float_swap(side=SELL, area=DE, period=period("oct27"), volume=mw("4"),
                             price=D(80), index=DE_SPOT),
            [("DE", 10, "HOUR", 745, 0, -4, -320)],
        ),
        (
            basis_swap(side=BUY, area=DE, period=period("mar27"), volume=mw("10"),
                       receive_index=FR_SPOT, pay_index=DE_SPOT, spread=D(2)),
            [("DE", 3, "HOUR", 743, 0, -10, 20), ("FR", 3, "HOUR", 743, 0, 10, 0)],
        ),
        (
            future(side=BUY, area=BRENT, period=period("jan27"), lots=D(5), price=D("80.5"),
                   mic="IFEU"),
            [("BRENT", 1, "AMOUNT", 1, 0, 5000, 402500)],
        ),
        (
            physical_forward(side=BUY, area=NBP, period=period("feb27"), price=D("0.8"),
                             volume=Volume(D(30000), "therm", Frequency.DAY)),
            [("NBP", 2, "DAY", 28, 30000, 30000, 24000)],
        ),
        (  # therms where the price is per MWh: no end in decimals, so nine of them
            physical_forward(side=BUY, area=TTF, period=period("feb27"), price=D(30),
                             volume=Volume(D(1000), "therm", Frequency.DAY)),
            [("TTF", 2, "DAY", 28, D("29.307107017"), D("29.307107017"), D("879.213210517"))],
        ),
        (  # 1 t of 0.85 kg/L is 7.399776… bbl
            physical_forward(side=BUY, area=OIL, period=period("jan27"), price=D(1),
                             volume=Volume(D(1000), "t", Frequency.MONTH)),
            [("CRUDE", 1, "AMOUNT", 1, D("7399.777376979"), D("7399.777376979"),
              D("7399.777376979"))],
        ),
        (  # a total is shared out by hours (744 : 672 : 743) and adds up to it
            physical_forward(side=BUY, area=DE, period=period("q1_27"), price=D(2),
                             volume=Volume(D(1000), "MWh", Frequency.TOTAL)),
            [("DE", 1, "AMOUNT", 1, D("344.603983"), D("344.603983"), D("689.207966")),
             ("DE", 2, "AMOUNT", 1, D("311.255211"), D("311.255211"), D("622.510422")),
             ("DE", 3, "AMOUNT", 1, D("344.140806"), D("344.140806"), D("688.281612"))],
        ),
    ],
)  # fmt: skip
def test_deltas_by_month(deal, expected):
    assert figures(deal) == expected


def test_a_delta_says_its_shape_version_and_months_of_the_areas_calendar():
    deal = physical_forward(
        side=BUY, area=TTF, period=DatePeriod(date(2027, 1, 31), date(2027, 2, 2)),
        volume=mw("1"), price=D(30),
    )  # fmt: skip

    first, second = deltas(deal)

    assert (first.shape, first.shape_version, first.unit) == ("BASE", 1, "MWh")
    assert first.month == date(2027, 1, 1)
    assert first.interval.start == datetime.fromisoformat("2027-01-31T05:00+00:00")
    assert second.interval.start == datetime.fromisoformat("2027-02-01T05:00+00:00")


def test_a_price_in_another_currency_stands_apart_from_what_it_buys():
    deal = physical_forward(
        side=BUY, area=DE, period=period("jan27"), volume=mw("1"), price=D(90), currency="USD"
    )

    assert [(d.currency, d.exposure, d.fixed) for d in deltas(deal)] == [
        ("EUR", 1, 0), ("USD", 0, 90),
    ]  # fmt: skip


@settings(deadline=None)
@given(linear)
def test_a_deal_and_its_mirror_are_zero(deal):
    ours, theirs = mirror(deal, "M-1")

    both = net([*deltas(ours), *deltas(theirs)])

    assert both
    assert all(is_zero(delta) for delta in both)
    assert ours.package_id == theirs.package_id == "M-1"


@settings(deadline=None)
@given(linear)
def test_a_reversal_is_exact(deal):
    found = deltas(deal)

    both = net([*found, *map(negate, found)])

    assert len(both) == len(found)
    assert all(is_zero(delta) for delta in both)


def sums(found):
    """Return Σ count × (physical, exposure, fixed) by market and currency, exact."""
    total = defaultdict(lambda: [Fraction(0)] * 3)
    for d in found:
        if isinstance(d, Delta):
            row = [d.count * Fraction(x) for x in (d.physical, d.exposure, d.fixed)]
        else:
            scales = (10**6, 10**6, 10**d.fixed_places)
            rows = zip((d.physical, d.exposure, d.fixed), scales, strict=True)
            # In Python: a sum of int64 may be beyond it.
            row = [d.hours * Fraction(sum(values.tolist()), scale) for values, scale in rows]
        key = (d.market, d.currency)
        total[key] = [a + b for a, b in zip(total[key], row, strict=True)]
    return total


@settings(deadline=None, max_examples=50)
@given(linear.filter(lambda d: d.fixed_legs))
def test_deltas_add_up_to_the_totals(deal):
    (fixed,) = deal.fixed_legs
    sign = 1 if deal.side is BUY else -1
    amount = deal.schedule.amount(deal.schedule.area.price_unit)

    ((_, (physical, exposure, paid)),) = sums(deltas(deal)).items()

    assert exposure == sign * amount
    assert physical == (sign * amount if deal.deliveries else 0)
    assert paid == sign * amount * Fraction(fixed.price)
    rounding = Fraction(1, 200)
    assert abs(abs(paid) - abs(Fraction(deal_totals(deal).notional.amount))) <= rounding


@settings(deadline=None, max_examples=50)
@given(with_text.filter(lambda d: not d.options and getattr(d.schedule.volume, "frequency", "")
                        != "TOTAL"))  # fmt: skip
def test_a_strip_adds_what_the_whole_adds(deal):
    pieces = strip(deal, "S-1")

    together = net([delta for piece in pieces for delta in deltas(piece)])

    assert sums(together) == sums(deltas(deal))


@settings(deadline=None, max_examples=40)
@given(profile_deals(), st.decimals("-50", "150", places=2))
def test_the_profile_equals_its_slow_twin(deal, curve):
    """Interval by interval in exact numbers: value = Σ hours × (curve × exposure − fixed)."""
    profile, sign = deal.schedule.volume, 1 if deal.side is BUY else -1
    hours = Fraction(profile.minutes, 60)
    slow = Fraction(0)
    for micro in profile.micro_mw.tolist():
        power = Fraction(micro, 10**6)
        slow += sign * power * hours * Fraction(curve)
        for leg in deal.fixed_legs:
            slow -= sign * power * hours * Fraction(leg.price)
        for leg in deal.floating_legs:
            floating = (
                power
                if leg.multiplier == 1
                else Fraction((micro * int(leg.multiplier * 10**6) + 500_000) // 10**6, 10**6)
            )
            slow -= sign * hours * (floating * Fraction(curve) + power * Fraction(leg.spread))

    fast = Fraction(0)
    for delta in deltas(deal):
        for exposure, fixed in zip(delta.exposure.tolist(), delta.fixed.tolist(), strict=True):
            fast += delta.hours * (
                Fraction(exposure, 10**6) * Fraction(curve)
                - Fraction(fixed, 10**delta.fixed_places)
            )

    assert fast == slow


def test_a_profile_is_cut_by_month_on_the_grid():
    row = np.arange(1, 745 * 4 + 720 * 4 + 1, dtype=np.int64)
    found = deltas(
        profile_forward(side=SELL, area=DE, period=DatePeriod.months(2027, 10, 2),
                        profile=Profile(15, row), price=D("50.125"))
    )  # fmt: skip

    october, november = found
    assert isinstance(october, ProfileDelta)
    assert (october.exposure.size, november.exposure.size) == (2980, 2880)
    assert november.physical[0] == -2981
    assert november.fixed[0] == -2981 * 50125 and november.fixed_places == 9
    assert november.interval.start == datetime.fromisoformat("2027-10-31T23:00+00:00")


def test_profiles_of_prices_with_other_decimals_add_up():
    def at(price):
        return profile_forward(
            side=BUY, area=DE, period=DatePeriod.day(date(2027, 3, 28)), price=D(price),
            profile=Profile(60, np.full(23, 1_000_000, dtype=np.int64)),
        )  # fmt: skip

    (both,) = net([*deltas(at("50.5")), *deltas(at("1.125"))])

    assert both.fixed_places == 9
    assert both.fixed[0] == 51_625_000_000  # 51.625 per hour
    assert both.exposure[0] == 2_000_000


def test_what_int64_cannot_hold_is_refused():
    deal = profile_forward(
        side=BUY, area=DE, period=DatePeriod.day(date(2027, 3, 28)), price=D("999999.999999"),
        profile=Profile(60, np.full(23, 90_000 * 10**6, dtype=np.int64)),
    )  # fmt: skip
    with pytest.raises(DealError, match="price: "):
        deltas(deal)


def test_ten_years_of_quarter_hours_take_a_fifth_of_a_second():
    decade = DatePeriod.months(2027, 1, 120)
    row = np.random.default_rng(7).integers(0, 10**8, 350_688)

    started = time.perf_counter()
    deal = profile_forward(side=BUY, area=DE, period=decade, profile=Profile(15, row),
                           price=D("62.35"))  # fmt: skip
    found = deltas(deal)
    volume = deal_totals(deal).volume
    took = time.perf_counter() - started

    assert len(found) == 120
    assert sum(delta.exposure.size for delta in found) == 350_688
    assert volume == D(int(row.sum())) / 4 / 10**6
    assert took <= 0.2


def test_bases_do_not_mix_and_equal_keys_add():
    by_hour = physical_forward(side=BUY, area=DE, period=period("jan27"), volume=mw("10"),
                               price=D(80))  # fmt: skip
    in_all = replace_volume(by_hour, Volume(D(10), "MWh", Frequency.TOTAL))

    together = net([*deltas(by_hour), *deltas(by_hour), *deltas(in_all)])

    assert {d.basis: d.exposure for d in together} == {
        DeltaBasis.HOUR: 20, DeltaBasis.AMOUNT: 10,
    }  # fmt: skip


def replace_volume(deal, volume):
    schedule = replace(deal.schedule, volume=volume)
    return replace(deal, legs=tuple(replace(leg, schedule=schedule) for leg in deal.legs))
