"""Awards of an auction become trades: by market time unit, once, all or nothing."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from energyopti.accounts.actors import PermissionMissing
from energyopti.foundation.calendars import DatePeriod
from tests.factories.trades import make_desk
from trading.models import PriceIndex, Trade
from trading.queries.areas import delivery_areas, price_indices
from trading.queries.deals import deal_of
from trading.queries.proposals import TradeInvalid
from trading.queries.trades import trade_by_ref
from trading.services.awards import AuctionAward, book_award
from trading.services.capture import ReferenceReused

pytestmark = pytest.mark.django_db
AUTUMN = date(2027, 10, 31)
AWARDED_AT = datetime(2027, 10, 30, 10, 55, tzinfo=UTC)
HOURS = [Decimal(mw) for mw in ("5", "-3.5", "0", *["2.25"] * 21, "-1")]  # 25 of them


@pytest.fixture
def desk():
    desk = make_desk()
    PriceIndex.objects.create(
        code="EPEX-DE-DA", name="Day ahead", market=desk.market, currency="EUR",
        price_unit="MWh", frequency="PERIOD", publication_time=time(12, 57), source="EPEX",
    )  # fmt: skip
    return desk


@pytest.fixture
def award(desk) -> AuctionAward:
    areas = delivery_areas(["DE"])
    return AuctionAward(
        mic="EXAA", auction_id="DA-2027-10-31-P1", area=areas["DE"],
        index=price_indices(areas)["EPEX-DE-DA"], period=DatePeriod.day(AUTUMN), minutes=60,
        signed_mw=HOURS,
    )  # fmt: skip


def book(desk, award, **changes):
    return book_award(**{
        "actor": desk.trader, "award": award, "book_id": desk.book.pk,
        "counterparty_id": desk.counterparty.pk, "awarded_at": AWARDED_AT,
        "received_at": AWARDED_AT, **changes,
    })  # fmt: skip


def test_what_was_bought_and_what_was_sold_are_two_facts(desk, award):
    receipts = book(desk, award)

    bought, sold = (deal_of(trade_by_ref(desk.trader, r.ref)) for r in receipts)
    signed = bought.schedule.volume.micro_mw - sold.schedule.volume.micro_mw
    assert signed.tolist() == [int(mw * 1_000_000) for mw in HOURS]
    assert {leg.index.code for deal in (bought, sold) for leg in deal.floating_legs} == {
        "EPEX-DE-DA"
    }
    assert {t.basis for t in Trade.objects.all()} == {"FILL"}


def test_the_same_award_again_books_nothing(desk, award):
    first = book(desk, award)

    again = book(desk, award)

    assert [r.ref for r in again] == [r.ref for r in first]
    assert not any(r.is_new for r in again)
    assert Trade.objects.count() == 2


def test_another_award_under_the_same_number_is_refused_whole(desk, award):
    book(desk, award)

    with pytest.raises(ReferenceReused, match="DA-2027-10-31-P1:SELL"):
        book(desk, replace(award, signed_mw=[*HOURS[:-1], Decimal("-2")]))

    assert Trade.objects.count() == 2


def test_an_award_of_nothing_is_no_trade(desk, award):
    assert book(desk, replace(award, signed_mw=[Decimal(0)] * 25)) == ()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"signed_mw": HOURS[:24]}, "volume"),  # an autumn day has 25
        ({"signed_mw": [*HOURS[:24], Decimal("1.0000001")]}, "volume"),
        ({"minutes": 20}, "minutes"),
        ({"auction_id": " "}, "auction_id"),
    ],
)
def test_a_wrong_award_is_refused_by_field(desk, award, changes, field):
    with pytest.raises(TradeInvalid) as refused:
        book(desk, replace(award, **changes))

    assert refused.value.field == field
    assert not Trade.objects.exists()


def test_an_officer_books_no_awards(desk, award):
    with pytest.raises(PermissionMissing):
        book(desk, award, actor=desk.officer)
