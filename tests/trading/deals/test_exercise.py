"""What becomes of an option: its periods, when it may be exercised, what it pays or delivers."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energyopti.foundation.calendars import DatePeriod
from trading.deals import (
    REFERENCE_INDICES,
    REFERENCE_MARKETS,
    DealError,
    Delivery,
    Direction,
    Fixed,
    Floating,
    Option,
    OptionStyle,
    OptionType,
    Profile,
    Schedule,
    Settlement,
    Volume,
    check_exercise,
    deltas,
    exercised_deal,
    mirrored,
    needs_notice,
    option,
    option_cash,
    option_periods,
    payoff,
)

DE = REFERENCE_MARKETS["DE"]
SPOT, FRENCH = REFERENCE_INDICES["EPEX-DE-DA"], REFERENCE_INDICES["EPEX-FR-DA"]
Q1 = DatePeriod(date(2027, 1, 1), date(2027, 4, 1))
EXPIRY = datetime(2026, 12, 15, 12, tzinfo=UTC)
prices = st.decimals(-500, 3000, places=3).map(Fraction)


def terms(option_type=OptionType.CALL, **changes):
    wide = option_type in (OptionType.SPREAD_CALL, OptionType.SPREAD_PUT)
    found = {
        "direction": Direction.RECEIVE, "schedule": Schedule(DE, Q1, Volume.mw(D(10))),
        "style": OptionStyle.EUROPEAN, "option_type": option_type,
        "underlying": (SPOT, FRENCH) if wide else (SPOT,),
        "strikes": (D(60), D(90)) if option_type is OptionType.COLLAR else (D(90),),
        "expiry": EXPIRY, "settlement": Settlement.PHYSICAL,
    }  # fmt: skip
    return Option(**{**found, **changes})


def test_a_cap_is_decided_month_by_month_and_a_call_once():
    cap = option_periods(terms(OptionType.CAP))
    (call,) = option_periods(terms())

    # March 2027 has a day of 23 hours in Berlin.
    assert [period.amount for period in cap] == [7440, 6720, 7430]
    assert call.amount == sum(period.amount for period in cap)
    assert call.interval.start == cap[0].interval.start
    assert call.interval.end == cap[-1].interval.end


def test_the_floor_of_a_profile_is_decided_by_month_with_what_it_delivers():
    march = DatePeriod(date(2027, 3, 1), date(2027, 4, 1))
    quarters = [D(n % 3) for n in range(743 * 4)]
    schedule = Schedule(DE, march, Profile.of_mw(15, quarters))

    (period,) = option_periods(terms(OptionType.FLOOR, schedule=schedule))

    assert period.amount == Fraction(sum(quarters)) / 4


@pytest.mark.parametrize(
    ("option_type", "price", "paid"),
    [
        (OptionType.CALL, 97, 7), (OptionType.CALL, 80, 0), (OptionType.PUT, 80, 10),
        (OptionType.PUT, -20, 110), (OptionType.CAP, 97, 7), (OptionType.FLOOR, 80, 10),
        (OptionType.COLLAR, 97, 7), (OptionType.COLLAR, 70, 0), (OptionType.COLLAR, 50, -10),
        (OptionType.PAYER_SWAPTION, 97, 7), (OptionType.RECEIVER_SWAPTION, 80, 10),
    ],
)  # fmt: skip
def test_pays_its_holder_per_unit(option_type, price, paid):
    assert payoff(terms(option_type), [Fraction(price)]) == paid


@given(prices, prices)
def test_a_call_less_a_put_on_a_spread_is_the_spread_less_the_strike(one, other):
    call, put = terms(OptionType.SPREAD_CALL), terms(OptionType.SPREAD_PUT)

    assert payoff(call, [one, other]) - payoff(put, [one, other]) == one - other - 90


def test_cash_is_rounded_once_and_goes_the_other_way_for_who_wrote_it():
    held, written = terms(), terms(direction=Direction.PAY)

    assert str(option_cash(held, Fraction(7430), Fraction(1, 3))) == "2476.67 EUR"
    assert str(option_cash(written, Fraction(7430), Fraction(1, 3))) == "-2476.67 EUR"


@pytest.mark.parametrize(
    ("option_type", "direction", "side", "gets"),
    [
        (OptionType.CALL, Direction.RECEIVE, "BUY", Direction.RECEIVE),
        (OptionType.CALL, Direction.PAY, "SELL", Direction.PAY),
        (OptionType.PUT, Direction.RECEIVE, "SELL", Direction.PAY),
        (OptionType.PUT, Direction.PAY, "BUY", Direction.RECEIVE),
    ],
)
def test_exercise_delivers_at_the_strike(option_type, direction, side, gets):
    deal = exercised_deal(terms(option_type, direction=direction))

    delivery, paid = deal.legs
    assert (deal.kind, deal.side) == ("PHYSICAL_FORWARD", side)
    assert isinstance(delivery, Delivery)
    assert delivery.direction is gets
    assert isinstance(paid, Fixed)
    assert (paid.direction, paid.price) == (gets.other, D(90))


@pytest.mark.parametrize(
    ("option_type", "direction", "gets"),
    [
        (OptionType.PAYER_SWAPTION, Direction.RECEIVE, Direction.RECEIVE),
        (OptionType.RECEIVER_SWAPTION, Direction.RECEIVE, Direction.PAY),
        (OptionType.PAYER_SWAPTION, Direction.PAY, Direction.PAY),
    ],
)
def test_a_swaption_becomes_its_swap(option_type, direction, gets):
    deal = exercised_deal(terms(option_type, direction=direction))

    floating, fixed = deal.legs
    assert deal.kind == "SWAP"
    assert isinstance(floating, Floating)
    assert (floating.direction, fixed.direction) == (gets, gets.other)
    assert fixed.price == D(90)


def test_both_sides_of_an_exercise_cancel():
    ours = terms()
    theirs = mirrored(option(terms=ours)).options[0]

    mine, other = deltas(exercised_deal(ours)), deltas(exercised_deal(theirs))

    for one, two in zip(mine, other, strict=True):
        assert one.key == two.key
        assert (one.exposure, one.fixed) == (-two.exposure, -two.fixed)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"settlement": Settlement.CASH}, "settlement"),
        ({"option_type": OptionType.CAP}, "option_type"),
        ({"option_type": OptionType.SPREAD_CALL, "underlying": (SPOT, FRENCH)}, "option_type"),
    ],
)
def test_what_has_no_delivery_makes_no_deal(changes, field):
    with pytest.raises(DealError) as refused:
        exercised_deal(replace(terms(), **changes))

    assert refused.value.field == field


HOUR = timedelta(hours=1)
BERMUDAN = {
    "style": OptionStyle.BERMUDAN,
    "exercises": (datetime(2026, 12, 1, 12, tzinfo=UTC), EXPIRY),
}


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({}, EXPIRY), ({}, datetime(2026, 12, 15, 0, tzinfo=UTC)),
        ({"style": OptionStyle.AMERICAN}, datetime(2026, 11, 21, 9, tzinfo=UTC)),
        (BERMUDAN, datetime(2026, 12, 1, 12, tzinfo=UTC)), (BERMUDAN, EXPIRY - HOUR),
    ],
)  # fmt: skip
def test_may_be_exercised_when_the_style_says(changes, at):
    check_exercise(terms(**changes), at)


@pytest.mark.parametrize(
    ("changes", "at", "rule"),
    [
        ({}, EXPIRY + timedelta(microseconds=1), "expired"),
        ({}, EXPIRY - timedelta(days=1), "no day of exercise"),
        ({"style": OptionStyle.AMERICAN}, EXPIRY + HOUR, "expired"),
        (BERMUDAN, datetime(2026, 12, 1, 13, tzinfo=UTC), "no day of exercise"),
        (BERMUDAN, datetime(2026, 12, 8, 9, tzinfo=UTC), "no day of exercise"),
        ({"settlement": Settlement.CASH}, EXPIRY, "without notice"),
        ({"style": OptionStyle.ASIAN}, EXPIRY, "without notice"),
        ({"option_type": OptionType.FLOOR}, EXPIRY, "without notice"),
    ],
)  # fmt: skip
def test_is_not_exercised_at_any_other_time(changes, at, rule):
    with pytest.raises(DealError, match=rule):
        check_exercise(terms(**changes), at)


def test_who_may_choose_the_time_gives_notice_even_for_cash():
    cash = {"settlement": Settlement.CASH}

    assert needs_notice(terms(style=OptionStyle.AMERICAN, **cash))
    assert not needs_notice(terms(**cash))
