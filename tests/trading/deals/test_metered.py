"""A share of what a meter read: clock changes, other granularities, and what is refused."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.money import Side
from trading.deals import (
    REFERENCE_INDICES,
    AssetShare,
    DealError,
    Frequency,
    Profile,
    ProfileDelta,
    Readings,
    Volume,
    asset_share,
    deltas,
    deltas_with,
    metered_months,
    metered_share,
    mirrored,
    physical_forward,
    power_area,
    ppa,
)

from .markets import DE

QUARTER = 900
LATER = datetime(2040, 1, 1, tzinfo=UTC)
BERLIN, LORD_HOWE = "Europe/Berlin", "Australia/Lord_Howe"


def share(contracted="50", installed="100"):
    return AssetShare("WIND-1", Decimal(installed), Decimal(contracted))


def deal_of(period, *, minutes=60, mw=10, area=DE, asset=None, **terms):
    span = area.calendar.span(period)
    count = int(span.duration.total_seconds()) // (60 * minutes)
    expected = Profile(minutes, np.full(count, mw * 1_000_000, dtype=np.int64))
    terms = terms or {"price": Decimal("52.25")}
    return asset_share(
        side=Side.BUY, area=area, period=period, asset=asset or share(), expected=expected, **terms
    )


def readings(start, minutes, kwh):
    seconds = int(start.timestamp()) + 60 * minutes * np.arange(len(kwh), dtype=np.int64)
    micro = [int(Fraction(str(value)) * 10**6) for value in kwh]
    return Readings(
        seconds, np.full(len(kwh), minutes, dtype=np.int64), np.array(micro, dtype=np.int64)
    )


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        (BERLIN, date(2027, 3, 28), 23),
        (BERLIN, date(2027, 10, 31), 25),
        (BERLIN, date(2027, 6, 1), 24),
        ("America/New_York", date(2027, 3, 14), 23),
        ("America/New_York", date(2027, 11, 7), 25),
        ("Asia/Kolkata", date(2027, 6, 1), 24),
        (LORD_HOWE, date(2027, 4, 4), 24.5),
        (LORD_HOWE, date(2027, 10, 3), 23.5),
    ],
)
@pytest.mark.parametrize("profile", [15, 30, 60])
@pytest.mark.parametrize("meter", [15, 30, 60])
def test_a_day_of_the_clock_change_is_metered_to_the_interval(zone, day, hours, profile, meter):
    area = power_area("X", zone, "EUR")
    period = DatePeriod.day(day)
    span = area.calendar.span(period)
    if hours % 1:  # half an hour has no whole hours
        profile, meter = min(profile, 30), min(meter, 30)
    deal = deal_of(period, minutes=profile, area=area)
    # 2 MWh more in each hour after the first: 1, 3, 5 … MWh, which quarters divide exactly.
    count = int(span.duration.total_seconds()) // (60 * meter)
    read = readings(span.start, meter, [4 * meter * (n + 1) for n in range(count)])

    (month,) = metered_months(deal, read, until=LATER)

    assert month.is_metered.all()
    assert month.intervals == hours * 60 / profile
    # Half of what the meter read: the share is 50 of 100 MW.
    assert month.metered_mwh * 1000 == sum(2 * meter * (n + 1) for n in range(count))
    assert month.expected_mwh == 10 * Decimal(str(hours))
    first, last = month.micro_mw[0], month.micro_mw[-1]
    edge = max(profile // meter, 1)
    power = 4 * 60 * 500  # watts of our share in the first reading
    assert first == power * sum(range(1, edge + 1)) // edge
    assert last == power * sum(range(count - edge + 1, count + 1)) // edge


def test_the_hour_that_comes_twice_keeps_its_two_readings():
    deal = deal_of(DatePeriod.day(date(2027, 10, 31)))
    start = datetime(2027, 10, 30, 22, tzinfo=UTC)
    read = readings(start, 60, [10_000] * 2 + [30_000, 50_000] + [10_000] * 21)

    (month,) = metered_months(deal, read, until=LATER)

    twice = [
        (start + timedelta(hours=n)).astimezone(ZoneInfo(BERLIN)).strftime("%H:%M") for n in (2, 3)
    ]
    assert twice == ["02:00", "02:00"]
    assert month.micro_mw[[1, 2, 3, 4]].tolist() == [5_000_000, 15_000_000, 25_000_000, 5_000_000]


def test_what_has_no_reading_is_not_over_or_is_half_read_keeps_what_is_expected():
    deal = deal_of(DatePeriod.day(date(2027, 6, 1)))
    start = datetime(2027, 5, 31, 22, tzinfo=UTC)
    # Of the third hour only three quarters are read.
    read = readings(start, 15, [1000] * 11)

    (month,) = metered_months(deal, read, until=LATER)
    (early,) = metered_months(deal, read, until=start + timedelta(minutes=119))

    assert np.flatnonzero(month.is_metered).tolist() == [0, 1]
    assert month.micro_mw[:3].tolist() == [2_000_000, 2_000_000, 10_000_000]
    assert (month.expected_mwh, month.metered_mwh, month.difference_mwh) == (20, 4, -16)
    assert np.flatnonzero(early.is_metered).tolist() == [0]
    assert metered_months(deal, read, until=start) == ()
    assert metered_months(deal, readings(start, 15, []), until=LATER) == ()


def test_a_flat_power_is_metered_by_the_quarter_hour_in_the_months_that_were_read():
    period = DatePeriod.months(2027, 3, 3)
    deal = asset_share(
        side=Side.SELL, area=DE, period=period, asset=share(), expected=Volume.mw(Decimal(8)),
        price=Decimal(60),
    )  # fmt: skip
    april = DE.calendar.month(2027, 4)
    months = metered_months(deal, readings(april.start, 60, [0] * 720), until=LATER)

    found = deltas_with(deal, months)

    assert [m.part.month for m in months] == [date(2027, 4, 1)]
    kinds = {delta.month: type(delta) for delta in found}
    assert kinds[date(2027, 4, 1)] is ProfileDelta
    # Nothing was generated: a month of zeros, not a month that is left out.
    (nothing,) = (d for d in found if isinstance(d, ProfileDelta))
    assert not (nothing.physical.any() or nothing.fixed.any())
    assert (nothing.minutes, nothing.physical.size) == (15, 2880)
    others = [d for d in deltas(deal) if d.month != date(2027, 4, 1)]
    assert [d for d in found if not isinstance(d, ProfileDelta)] == others


@given(
    st.sampled_from([15, 30, 60]),
    st.sampled_from([15, 30, 60]),
    st.integers(0, 400),
    st.integers(1, 300),
    st.integers(0, 2**32 - 1),
    st.sampled_from(["1", "33.333333", "50", "100"]),
)
def test_metered_and_expected_are_each_interval_s_own(profile, meter, skip, count, seed, ours):
    """Against a slow twin that walks quarter hours; both sides of a deal cancel exactly."""
    period = DatePeriod(date(2027, 3, 25), date(2027, 4, 3))
    asset = share(ours)
    deal = deal_of(period, minutes=profile, asset=asset)
    span = DE.calendar.span(period)
    draw = np.random.default_rng(seed)
    micro = draw.integers(0, 10**10, count)
    start = span.start - timedelta(hours=6) + timedelta(minutes=meter * skip)
    starts = int(start.timestamp()) + 60 * meter * np.arange(count, dtype=np.int64)
    kept = draw.random(count) < 0.9
    read = Readings(starts[kept], np.full(int(kept.sum()), meter, dtype=np.int64), micro[kept])
    until = start + timedelta(hours=int(draw.integers(0, 300)))

    months = metered_months(deal, read, until=until)

    quarters = {
        int(at) + QUARTER * n: Fraction(int(energy), meter // 15)
        for at, energy in zip(read.starts, read.micro_kwh, strict=True)
        for n in range(meter // 15)
    }
    rows = {m.part.month: m for m in months}
    for part in deal.schedule.parts:
        month = rows.get(part.month)
        for n in range(int(part.interval.duration.total_seconds()) // (60 * profile)):
            begin = int(part.interval.start.timestamp()) + 60 * profile * n
            inside = [quarters.get(begin + QUARTER * k) for k in range(profile // 15)]
            is_over = begin + 60 * profile <= until.timestamp()
            if None in inside or not is_over:
                assert month is None or not month.is_metered[n]
                assert month is None or month.micro_mw[n] == 10_000_000
                continue
            mwh = sum(inside) / 10**9 * Fraction(asset.contracted_mw) / 100
            assert month.is_metered[n]
            assert abs(mwh * Fraction(60, profile) * 10**6 - int(month.micro_mw[n])) <= Fraction(
                1, 2
            )
    for ours_, theirs in zip(
        deltas_with(deal, months), deltas_with(mirrored(deal), months), strict=True
    ):
        assert not (ours_.physical + theirs.physical).any()
        assert not (ours_.fixed + theirs.fixed).any()


def test_an_index_and_its_spread_follow_the_metered_volume():
    index = next(i for i in REFERENCE_INDICES.values() if i.area.code == "DE")
    deal = deal_of(
        DatePeriod.day(date(2027, 6, 1)), index=index, spread=Decimal("-2.5"),
        multiplier=Decimal("0.9"),
    )  # fmt: skip
    read = readings(datetime(2027, 5, 31, 22, tzinfo=UTC), 60, [40_000] * 24)

    (found,) = deltas_with(deal, metered_months(deal, read, until=LATER))

    assert (found.physical == 20_000_000).all()
    # What is delivered less 90 % of it, which the index pays for.
    assert (found.exposure == 2_000_000).all()
    # We pay the index less 2.50: the spread is received.
    assert (found.fixed.astype(float) / 10**found.fixed_places).tolist() == [-50.0] * 24


YEAR = DatePeriod.year(2027)
MW = Volume.mw(Decimal(5))


@pytest.mark.parametrize(
    "deal",
    [
        physical_forward(side=Side.BUY, area=DE, period=YEAR, volume=MW, price=Decimal(80)),
        ppa(
            side=Side.BUY, area=DE, period=YEAR, asset=share(), expected=MW,
            index=next(i for i in REFERENCE_INDICES.values() if i.area.code == "DE"),
            floor=Decimal(10),
        ),
        asset_share(
            side=Side.BUY, area=DE, period=YEAR, asset=share(), price=Decimal(50),
            expected=Volume(Decimal(8000), "MWh", Frequency.TOTAL),
        ),
        asset_share(
            side=Side.BUY, area=DE, period=YEAR, asset=share(), price=Decimal(50),
            expected=Volume(Decimal(20), "MWh", Frequency.DAY),
        ),
    ],
    ids=["forward", "floor", "total", "a day"],
)  # fmt: skip
def test_a_volume_that_was_agreed_as_such_is_left_alone(deal):
    read = readings(datetime(2026, 12, 31, 23, tzinfo=UTC), 60, [100] * 48)

    assert metered_share(deal) is None
    assert metered_months(deal, read, until=LATER) == ()


def test_readings_in_another_unit_over_each_other_or_off_the_grid_are_refused():
    deal = deal_of(DatePeriod.day(date(2027, 6, 1)))
    start = datetime(2027, 5, 31, 22, tzinfo=UTC)

    with pytest.raises(DealError, match=r"00 UTC reads 60,000.000 MW.*100 MW: are .* kWh"):
        # Watt hours that were booked as kilowatt hours.
        metered_months(deal, readings(start, 60, [60_000_000]), until=LATER)
    with pytest.raises(DealError, match="two readings hold 2027-05-31 22:15 UTC"):
        Readings(int(start.timestamp()) + np.array([0, 900]), np.array([60, 15]), np.array([1, 1]))
    with pytest.raises(DealError, match="22:01 UTC starts no metering period"):
        readings(start + timedelta(minutes=1), 15, [1])
    with pytest.raises(DealError, match="starts no metering period"):
        readings(start, 45, [1])
    with pytest.raises(DealError, match="less than nothing"):
        readings(start, 15, [-1])
