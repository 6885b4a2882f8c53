"""Every product is kept by its legs, reads back as it was, and adds what `trading.deals` says."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.money import Side
from tests.factories.trades import RECEIVED_AT, make_desk, make_power
from trading import deals
from trading.deals import REFERENCE_MARKETS, Frequency, Profile, Volume
from trading.models import Commodity, Market, PositionDelta, PriceIndex, TradeVersion
from trading.models import ProfileMonth as MonthRow
from trading.queries.deals import deal_of
from trading.queries.positions import positions_by_deltas, positions_of
from trading.services.lifecycle import amend_trade, cancel_trade

pytestmark = pytest.mark.django_db

DE = REFERENCE_MARKETS["DE"]
YEAR = DatePeriod.year(2027)
INDEX = deals.PriceIndex("EPEX-DE-DA", DE)


@pytest.fixture
def desk():
    desk = make_desk()
    PriceIndex.objects.create(
        code="EPEX-DE-DA", market=desk.market, name="Day-ahead", currency="EUR", price_unit="MWh",
        frequency="PERIOD", publication_time="12:57", source="test",
    )  # fmt: skip
    Market.objects.create(
        code="EUA", name="Allowances", time_zone="Europe/Berlin", currency="EUR",
        price_unit="tCO2", kind="REGISTRY", commodity=Commodity.objects.create(
            code="EUA", name="EUA", kind="CARBON", delivery="LOT", quantity_unit="tCO2",
        ),
    )  # fmt: skip
    Market.objects.create(
        code="TTF", name="TTF", time_zone="Europe/Amsterdam", currency="EUR",
        day_start=timedelta(hours=6), kind="VIRTUAL_TRADING_POINT",
        commodity=Commodity.objects.create(
            code="GAS", name="Gas", kind="GAS", delivery="FLOW", quantity_unit="MW"
        ),
    )  # fmt: skip
    make_power()
    return desk


def solar(period=YEAR, minutes=15):
    count = int(DE.calendar.span(period).hours * 60 / minutes)
    hours = np.arange(count) * minutes / 60 % 24
    return Profile.of_floats(minutes, np.clip(30 * np.sin((hours - 6) / 12 * np.pi), 0, None))


def share():
    return deals.AssetShare("SOLAR-1", Decimal(100), Decimal(30))


MW = Volume.mw(Decimal("7.5"))
DEALS = {
    "peak": lambda: deals.physical_forward(
        side=Side.SELL, area=DE, period=YEAR, volume=MW, price=Decimal("95.5"), shape="PEAK"
    ),
    "offpeak": lambda: deals.physical_forward(
        side=Side.BUY, area=DE, period=YEAR, volume=MW, price=Decimal(-3), shape="OFFPEAK"
    ),
    "block": lambda: deals.physical_forward(
        side=Side.BUY, area=DE, period=YEAR, volume=MW, price=Decimal(70), shape="H08-H20"
    ),
    "index": lambda: deals.index_forward(
        side=Side.BUY, area=DE, period=YEAR, volume=MW, index=INDEX, spread=Decimal("1.25"),
        multiplier=Decimal("0.95"),
    ),
    "swap": lambda: deals.fixed_float_swap(
        side=Side.BUY, area=DE, period=YEAR, volume=MW, price=Decimal(84), index=INDEX
    ),
    "future": lambda: deals.future(
        side=Side.BUY, area=DE, period=YEAR, lots=Decimal(12), price=Decimal("84.1"), mic="XEEE",
        clearing_account="A7",
    ),
    "gas": lambda: deals.physical_forward(
        side=Side.BUY, area=REFERENCE_MARKETS["TTF"], period=YEAR,
        volume=Volume(Decimal(240), "MWh", Frequency.DAY), price=Decimal("31.2"),
    ),
    "allowances": lambda: deals.certificate(
        side=Side.BUY, area=REFERENCE_MARKETS["EUA"], delivery=DatePeriod.day(date(2027, 12, 20)),
        price=Decimal("71.5"), lots=Decimal(5), vintage=2027, registry="EU",
    ),
    "as generated": lambda: deals.asset_share(
        side=Side.BUY, area=DE, period=YEAR, asset=share(), expected=solar(),
        price=Decimal("52.25"),
    ),
    "ppa at index with floor and cap": lambda: deals.ppa(
        side=Side.BUY, area=DE, period=YEAR, asset=share(), expected=solar(), index=INDEX,
        spread=Decimal("-2.5"), floor=Decimal(10), cap=Decimal(90),
    ),
    "profile": lambda: deals.profile_forward(
        side=Side.SELL, area=DE, period=YEAR, profile=solar(minutes=60), price=Decimal("61.125")
    ),
    "option": lambda: deals.option(
        terms=deals.Option(
            deals.Direction.RECEIVE, deals.Schedule(DE, YEAR, MW), deals.OptionStyle.BERMUDAN,
            deals.OptionType.CALL, (INDEX,), (Decimal(90),), datetime(2026, 12, 20, 11, tzinfo=UTC),
            exercises=(
                datetime(2026, 12, 10, 11, tzinfo=UTC), datetime(2026, 12, 20, 11, tzinfo=UTC),
            ),
            premium=Decimal("4.25"), premium_date=date(2026, 12, 1),
        )
    ),
}  # fmt: skip


def by_key(positions):
    return {
        (p.month, p.shape, p.minutes, p.start): (
            p.physical, p.exposure, p.fixed, None if p.profile is None else p.profile.tobytes(),
        )
        for p in positions
        if not p.is_nothing
    }  # fmt: skip


@pytest.mark.parametrize("name", list(DEALS))
def test_a_deal_reads_back_as_it_was_and_cancels_to_nothing(desk, name):
    deal = DEALS[name]()
    receipt = desk.deal(deal=deal)

    version = TradeVersion.objects.get(trade__ref=receipt.ref)
    back = deal_of(version)
    # The size of a lot and the desk's other shapes are the market's, not the deal's.
    assert [d.key for d in deals.deltas(back)] == [d.key for d in deals.deltas(deal)]
    assert deals.deal_totals(back) == deals.deal_totals(deal)
    for mine, theirs in zip(back.legs, deal.legs, strict=True):
        assert type(mine) is type(theirs)
        assert mine.schedule.volume == theirs.schedule.volume
        assert mine.schedule.period == theirs.schedule.period
        assert mine.schedule.shape == theirs.schedule.shape
    if deal.options:
        for mine, theirs in zip(back.options, deal.options, strict=True):
            area = theirs.schedule.area
            assert replace(
                mine, schedule=theirs.schedule,
                underlying=tuple(replace(i, area=area) for i in mine.underlying),
            ) == theirs  # fmt: skip
    assert by_key(positions_of([desk.book.pk])) == by_key(positions_by_deltas([desk.book.pk]))
    cancel_trade(
        actor=desk.trader, ref=receipt.ref, expected_version=1, received_at=RECEIVED_AT,
        reason="test",
    )  # fmt: skip
    assert by_key(positions_of([desk.book.pk])) == {}
    assert by_key(positions_by_deltas([desk.book.pk])) == {}


def test_profiles_add_up_to_the_watt_and_their_amounts_to_the_cent(desk):
    first = deals.profile_forward(
        side=Side.BUY, area=DE, period=YEAR, profile=solar(), price=Decimal("50.01")
    )
    second = deals.profile_forward(
        side=Side.SELL, area=DE, period=YEAR, profile=solar(), price=Decimal("60.02")
    )
    desk.deal(deal=first)
    receipt = desk.deal(deal=second)
    held = positions_of([desk.book.pk])

    assert all(not p.profile.any() for p in held)
    notionals = [deals.deal_totals(deal).notional.amount for deal in (first, second)]
    assert abs(sum(p.fixed for p in held) - (notionals[0] - notionals[1])) < Decimal("0.01")

    half = replace(
        second,
        legs=tuple(
            replace(
                leg,
                schedule=replace(
                    leg.schedule, volume=Profile(15, leg.schedule.volume.micro_mw // 2)
                ),
            )
            for leg in second.legs
        ),
    )
    amend_trade(
        actor=desk.trader, ref=receipt.ref, expected_version=1, received_at=RECEIVED_AT,
        reason="half of it", deal=half,
    )  # fmt: skip
    summed = np.concatenate([p.profile for p in positions_of([desk.book.pk])])
    whole = solar().micro_mw
    assert np.array_equal(summed, whole - whole // 2)
    assert by_key(positions_of([desk.book.pk])) == by_key(positions_by_deltas([desk.book.pk]))


def test_a_month_of_a_profile_has_its_true_number_of_intervals(desk):
    desk.deal(deal=DEALS["as generated"]())

    sizes = {m.month.month: len(m.micro_mw) // 8 for m in MonthRow.objects.all()}
    assert (sizes[3], sizes[10], sizes[1]) == (743 * 4, 745 * 4, 744 * 4)
    assert sum(sizes.values()) == 8760 * 4
    assert PositionDelta.objects.filter(minutes=15).count() == 12


def test_an_unknown_index_is_named(desk):
    unknown = deals.PriceIndex("NOWHERE-DA", DE)
    with pytest.raises(ValueError, match="index: NOWHERE-DA"):
        desk.deal(
            deal=deals.index_forward(side=Side.BUY, area=DE, period=YEAR, volume=MW, index=unknown)
        )
