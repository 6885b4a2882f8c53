"""Option legs taken apart: when each right is decided, on what, and when it is paid."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

from energyopti.foundation.calendars import DatePeriod
from trading.deals import (
    REFERENCE_INDICES,
    REFERENCE_MARKETS,
    DealError,
    Direction,
    Option,
    OptionletKind,
    OptionStyle,
    OptionType,
    PriceIndex,
    Profile,
    Schedule,
    Settlement,
    Volume,
    needs_notice,
    option_periods,
    optionlets,
)

DE, FR = REFERENCE_MARKETS["DE"], REFERENCE_MARKETS["FR"]
INDEX = REFERENCE_INDICES["EPEX-DE-DA"]
OTHER = PriceIndex("EPEX-FR-DA", FR)
Q1 = Schedule(DE, DatePeriod.months(2027, 1, 3), Volume.mw(Decimal(10)))
EXPIRY = datetime(2026, 12, 20, 11, tzinfo=UTC)
CALL = Option(
    Direction.RECEIVE, Q1, OptionStyle.EUROPEAN, OptionType.CALL, (INDEX,), (Decimal(100),), EXPIRY
)


def test_a_call_is_one_right_on_all_of_its_months():
    (found,) = optionlets(CALL)

    assert (found.kind, found.sign, found.strike) == (OptionletKind.VANILLA, 1, 100)
    assert found.quantity == 21590
    assert [part.amount for part in found.parts] == [7440, 6720, 7430]
    assert found.expires_at == EXPIRY
    assert found.delivery == Q1.period
    # Sunday the 20th of December; five business days later is Friday the 25th.
    assert {part.pays_on for part in found.parts} == {date(2026, 12, 25)}
    (written,) = optionlets(replace(CALL, direction=Direction.PAY, option_type=OptionType.PUT))
    assert (written.sign, written.quantity) == (-1, -21590)


def test_a_strip_is_decided_on_its_forward_before_delivery_and_on_its_fixings_after():
    cap = replace(CALL, option_type=OptionType.CAP, expiry=datetime(2027, 1, 31, 23, tzinfo=UTC))

    january, february, march = optionlets(cap)

    # The cap expires as February begins: January is over, the others go by the curve of then.
    assert january.kind is OptionletKind.AVERAGE
    assert january.expires_at == january.parts[0].delta.interval.end
    assert january.parts[0].pays_on == date(2027, 2, 5)
    assert [one.kind for one in (february, march)] == [OptionletKind.VANILLA] * 2
    assert {one.expires_at for one in (february, march)} == {cap.expiry}
    assert [one.quantity for one in (january, february, march)] == [7440, 6720, 7430]
    assert [one.delivery.first for one in (january, february, march)] == [
        date(2027, month, 1) for month in (1, 2, 3)
    ]


def test_the_holder_of_a_collar_has_the_cap_and_has_written_the_floor():
    collar = replace(CALL, option_type=OptionType.COLLAR, strikes=(Decimal(80), Decimal(110)))

    found = optionlets(collar)

    assert [(one.sign, one.strike, one.quantity > 0) for one in found[:2]] == [
        (1, 110, True), (-1, 80, False),
    ]  # fmt: skip
    assert len(found) == 6


def test_a_swaption_is_paid_by_month_and_a_delivery_on_the_twentieth_after_it():
    swaption = replace(CALL, option_type=OptionType.RECEIVER_SWAPTION,
                       settlement=Settlement.PHYSICAL)  # fmt: skip
    physical = replace(CALL, settlement=Settlement.PHYSICAL)

    (swap,), (delivery,) = optionlets(swaption), optionlets(physical)

    assert swap.sign == -1 and swap.delivers and delivery.delivers
    assert [p.pays_on for p in swap.parts] == [
        date(2027, 2, 5), date(2027, 3, 5), date(2027, 4, 7),
    ]  # fmt: skip
    # The 20th of February and March are Saturdays.
    assert [p.pays_on for p in delivery.parts] == [
        date(2027, 2, 22), date(2027, 3, 22), date(2027, 4, 20),
    ]  # fmt: skip


def test_a_spread_has_a_side_for_each_underlying():
    spread = replace(CALL, option_type=OptionType.SPREAD_CALL, underlying=(INDEX, OTHER))

    (found,) = optionlets(spread)

    assert found.kind is OptionletKind.SPREAD
    assert [(part.side, part.delta.market) for part in found.parts] == [
        *[(0, "DE")] * 3, *[(1, "FR")] * 3,
    ]  # fmt: skip


@pytest.mark.parametrize("kind", [OptionType.CAP, OptionType.COLLAR, OptionType.CALL])
@pytest.mark.parametrize("style", [OptionStyle.EUROPEAN, OptionStyle.ASIAN])
def test_rights_are_decided_for_the_periods_that_the_desk_decides(kind, style):
    strikes = (Decimal(80), Decimal(90)) if kind is OptionType.COLLAR else (Decimal(80),)
    leg = replace(CALL, option_type=kind, style=style, strikes=strikes)

    found, periods = optionlets(leg), option_periods(leg)

    starts = {one.parts[0].delta.interval.start for one in found}
    assert starts == {period.interval.start for period in periods}
    assert sum(abs(one.quantity) for one in found) == (len(strikes)) * sum(
        (period.amount for period in periods), Fraction(0)
    )
    assert all(one.delivers is needs_notice(leg) for one in found)


def test_what_may_be_exercised_early_is_one_right_with_the_payments_of_its_dates():
    dates = (datetime(2026, 12, 3, 11, tzinfo=UTC), EXPIRY)
    terms = replace(CALL, style=OptionStyle.BERMUDAN, exercises=dates)

    (cash,) = optionlets(terms)
    (physical,) = optionlets(replace(terms, settlement=Settlement.PHYSICAL))
    (american,) = optionlets(replace(CALL, style=OptionStyle.AMERICAN))

    # Thursday the 3rd of December; a day of exercise begins at midnight in Berlin.
    assert [(one.opens_at, one.at, one.pays_on) for one in cash.exercises] == [
        (datetime(2026, 12, 2, 23, tzinfo=UTC), dates[0], date(2026, 12, 10)),
        (datetime(2026, 12, 19, 23, tzinfo=UTC), EXPIRY, date(2026, 12, 25)),
    ]
    assert [one.pays_on for one in physical.exercises] == [None, None]
    assert physical.physical and not cash.physical and cash.delivers and american.delivers
    assert {part.pays_on for part in american.parts} == {date(2026, 12, 25)}
    assert (american.style, american.exercises) == (OptionStyle.AMERICAN, ())


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"style": OptionStyle.AMERICAN, "option_type": OptionType.CAP}, "style"),
        ({"style": OptionStyle.AMERICAN, "option_type": OptionType.SPREAD_PUT,
          "underlying": (INDEX, OTHER)}, "style"),
        ({"style": OptionStyle.AMERICAN, "expiry": datetime(2027, 2, 1, tzinfo=UTC)}, "expiry"),
        ({"exercises": (datetime(2026, 12, 1, 11, tzinfo=UTC), EXPIRY)}, "exercises"),
        ({"underlying": (replace(INDEX, currency="USD"),)}, "underlying"),
        ({"expiry": datetime(2027, 2, 1, tzinfo=UTC), "settlement": Settlement.PHYSICAL},
         "expiry"),
        ({"option_type": OptionType.PAYER_SWAPTION, "style": OptionStyle.ASIAN}, "expiry"),
        ({"option_type": OptionType.SPREAD_PUT, "underlying": (INDEX, OTHER),
          "settlement": Settlement.PHYSICAL}, "settlement"),
        ({"style": OptionStyle.ASIAN, "settlement": Settlement.PHYSICAL}, "settlement"),
        ({"option_type": OptionType.CAP, "settlement": Settlement.PHYSICAL}, "settlement"),
        ({"option_type": OptionType.SPREAD_PUT,
          "underlying": (INDEX, replace(INDEX, code="OTHER-DE"))}, "underlying"),
        ({"underlying": (PriceIndex("NBP-M1", REFERENCE_MARKETS["NBP"]),)}, "underlying"),
        ({"underlying": (PriceIndex("PER-TON", DE, price_unit="t"),)}, "underlying"),
        ({"schedule": Schedule(DE, Q1.period, Profile.of_floats(60, np.ones(2159)))}, "volume"),
    ],
)  # fmt: skip
def test_what_has_no_formula_is_refused_by_field(change, field):
    with pytest.raises(DealError) as refused:
        optionlets(replace(CALL, **change))

    assert refused.value.field == field
