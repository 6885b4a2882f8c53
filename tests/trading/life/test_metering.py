"""Trades on a plant's output take the volumes that its meter reads, version by version."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from guardian.shortcuts import assign_perm

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.events.models import Event
from energyopti.foundation.money import Side
from tests.factories.accounts import make_organization
from tests.factories.plants import METER, feed_in, make_plant, output_deal
from tests.factories.trades import deal_of_words, make_book, make_counterparty, make_desk
from trading.deals import REFERENCE_INDICES, Volume, ppa
from trading.models import Plant, PositionTotal, PriceIndex, Trade, TradeVersion
from trading.queries.areas import delivery_areas
from trading.queries.deals import deal_of
from trading.queries.metering import held_months, shown_months
from trading.queries.positions import positions_by_deltas, positions_of, positions_of_trade
from trading.queries.proposals import TradeInvalid
from trading.queries.trade_page import cash_flows
from trading.services.as_of import positions_as_of
from trading.services.capture import capture_mirror
from trading.services.early_ends import novate_trade, terminate_trade
from trading.services.four_eyes import set_four_eyes
from trading.services.life import StaleVersion, TransitionForbidden
from trading.services.lifecycle import amend_trade, decline_amendment
from trading.services.maturity import mature_trades
from trading.services.metering import true_up_trade, true_up_trades

pytestmark = pytest.mark.django_db
MARCH = DatePeriod.months(2027, 3)
START = datetime(2027, 2, 28, 23, tzinfo=UTC)
HOURS = 743
THIRD = datetime(2027, 3, 2, 23, tzinfo=UTC)
BEFORE = datetime(2027, 2, 20, 12, tzinfo=UTC)


@pytest.fixture
def desk():
    desk = make_desk()
    make_plant(desk.market)
    return desk


def captured(desk, deal=None, **changes):
    arguments = {"traded_at": BEFORE, "received_at": BEFORE, **changes}
    return desk.deal(deal=deal or output_deal(MARCH), **arguments)


def read(desk, megawatts, start=START, **more):
    return feed_in(desk.organization.pk, desk.market, start, megawatts, **more)


def meter(desk, receipt, version=1, at=THIRD, **more):
    return true_up_trade(
        actor=desk.trader, ref=receipt.ref, expected_version=version, received_at=at, **more
    )


def all_of(desk, at=THIRD):
    return true_up_trades(
        actor=Actor.system("test"), organization_id=desk.organization.pk, as_of=at
    )


def held_mwh(receipt):
    return [position.physical for position in positions_of_trade(receipt.trade_id)]


def test_what_was_delivered_counts_as_metered_and_the_rest_as_expected(desk):
    receipt = captured(desk)
    # Two days of the plant at 30 MW; the first hour of the third has not ended.
    read(desk, [30] * 49)

    done = meter(desk, receipt)

    assert (done.is_new, done.version, done.status) == (True, 2, "LIVE")
    assert held_mwh(receipt) == [HOURS * 10 + 48 * 5]
    (position,) = positions_of_trade(receipt.trade_id)
    assert position.fixed == (HOURS * 10 + 48 * 5) * Decimal("52.25")
    assert position.profile[[0, 47, 48]].tolist() == [15_000_000, 15_000_000, 10_000_000]
    version = TradeVersion.objects.get(trade_id=receipt.trade_id, version=2)
    assert (version.event, version.status, version.terms_version_id) == (
        "METER", "LIVE", TradeVersion.objects.get(trade_id=receipt.trade_id, version=1).pk,
    )  # fmt: skip
    assert (version.effective_at, version.reason) == (THIRD, "metered until 2027-03-02 23:00 UTC")
    assert deal_of(version) == output_deal(MARCH)
    told = Event.objects.get(type="trade.metered")
    assert told.payload["metered"] == [
        {
            "month": "2027-03-01", "intervals": HOURS, "metered_intervals": 48, "minutes": 60,
            "expected_mwh": "480", "metered_mwh": "720", "difference_mwh": "240",
        }
    ]  # fmt: skip
    cash = cash_flows(
        version, deal_of(version), held_months(version, deal_of(version), version.market_id)
    )
    assert cash.totals == (("EUR", -(HOURS * 10 + 48 * 5) * Decimal("52.25")),)
    by_total, by_delta = positions_of([desk.book.pk]), positions_by_deltas([desk.book.pk])
    assert [p.exposure for p in by_total] == [p.exposure for p in by_delta]
    assert PositionTotal.objects.get().physical == HOURS * 10 + 240


def test_nothing_newly_metered_is_no_version(desk):
    receipt = captured(desk)

    assert not meter(desk, receipt).is_new
    read(desk, [20] * 24)
    # It was what was expected, to the watt.
    assert not meter(desk, receipt).is_new
    read(desk, [26] * 24)
    assert meter(desk, receipt).is_new
    assert not meter(desk, receipt, 2).is_new
    read(desk, [26] * 24)
    done = all_of(desk)
    assert (done.looked_at, done.changed, done.refused) == (1, 0, ())
    assert TradeVersion.objects.count() == 2


def test_a_correction_is_a_further_version_and_the_past_stays_what_it_was(desk):
    receipt = captured(desk)
    read(desk, [30] * 24)
    meter(desk, receipt)
    first = TradeVersion.objects.get(trade_id=receipt.trade_id, version=2).recorded_at
    # The meter's operator corrects five hours, and the second day arrives.
    read(desk, [44] * 5)
    read(desk, [0] * 24, start=START + timedelta(days=1))

    done = all_of(desk)

    assert (done.looked_at, done.changed) == (1, 1)
    base = HOURS * 10
    assert held_mwh(receipt) == [base + 5 * 12 + 19 * 5 - 24 * 10]
    (then,) = positions_as_of(actor=desk.trader, book_id=desk.book.pk, cut=first)
    assert then.exposure == base + 24 * 5
    assert [v.event for v in Trade.objects.get().versions.order_by("version")] == [
        "CAPTURE", "METER", "METER",
    ]  # fmt: skip


def test_an_earlier_close_leaves_what_was_trued_up_later(desk):
    receipt = captured(desk)
    read(desk, [30] * 72)
    all_of(desk)

    done = all_of(desk, at=START + timedelta(hours=5))

    assert done.changed == 0
    assert held_mwh(receipt) == [HOURS * 10 + 48 * 5]


def test_new_terms_keep_what_was_metered_and_only_that(desk):
    receipt = captured(desk)
    read(desk, [30] * 24)
    meter(desk, receipt)
    read(desk, [30] * 24, start=START + timedelta(days=1))

    amend_trade(
        actor=desk.trader, ref=receipt.ref, expected_version=2, received_at=BEFORE,
        deal=output_deal(MARCH, mw=12, contracted="25"), reason="a quarter of it",
    )  # fmt: skip

    # A day metered at a quarter of 30; the second is read, but no version has taken it yet.
    assert held_mwh(receipt) == [(HOURS - 24) * 12 + 24 * Decimal("7.5")]
    meter(desk, receipt, 3)
    assert held_mwh(receipt) == [(HOURS - 48) * 12 + 48 * Decimal("7.5")]


def test_an_early_end_keeps_what_was_metered_before_it(desk):
    ended, passed, never = (captured(desk) for _ in range(3))
    other = make_counterparty(desk.organization, "NEW")
    read(desk, [30] * 24)
    all_of(desk)
    arguments = {
        "actor": desk.trader, "received_at": THIRD, "reason": "by agreement",
        "from_date": date(2027, 3, 11),
    }  # fmt: skip

    terminate_trade(ref=ended.ref, expected_version=2, **arguments)
    _, successor = novate_trade(
        ref=passed.ref, expected_version=2, counterparty_id=other.pk, **arguments
    )
    terminate_trade(
        **{**arguments, "received_at": BEFORE, "from_date": date(2027, 3, 1)}, ref=never.ref,
        expected_version=2,
    )  # fmt: skip
    read(desk, [30] * 24, start=START + timedelta(days=1))
    done = all_of(desk)

    assert held_mwh(ended) == held_mwh(passed) == [240 * 10 + 48 * 5]
    assert held_mwh(successor) == [(HOURS - 240) * 10]
    assert held_mwh(never) == []
    assert (done.looked_at, done.changed) == (2, 2)


def test_a_final_reading_counts_after_delivery_and_none_after_settlement(desk):
    receipt = captured(desk)
    over = datetime(2027, 4, 2, tzinfo=UTC)
    mature_trades(actor=Actor.system("test"), as_of=over)
    read(desk, [30] * HOURS)

    assert all_of(desk, at=over).changed == 1
    assert held_mwh(receipt) == [HOURS * 15]
    mature_trades(actor=Actor.system("test"), as_of=datetime(2027, 6, 1, tzinfo=UTC))
    read(desk, [40] * HOURS)
    assert all_of(desk, at=over).looked_at == 0
    with pytest.raises(TransitionForbidden, match="is settled and cannot be metered"):
        meter(desk, receipt, Trade.objects.get().latest_version, at=over)


def test_both_sides_of_an_internal_deal_are_metered_together(desk):
    other = make_book(desk.organization, "US")
    for level in ("view_book", "trade_book"):
        assign_perm(f"trading.{level}", desk.trader.user, other)
    desk.trader = desk.again(desk.trader)
    party = make_counterparty(desk.organization, "HOUSE")
    party.is_internal = True
    party.save()
    first, second = capture_mirror(
        actor=desk.trader, package_id="INT-1", deal=output_deal(MARCH), book_id=desk.book.pk,
        mirror_book_id=other.pk, counterparty_id=party.pk, traded_at=BEFORE, received_at=BEFORE,
        reason="to the US book",
    )  # fmt: skip
    read(desk, [30] * 24)

    done = all_of(desk)

    assert done.changed == 2
    assert held_mwh(first) == [HOURS * 10 + 24 * 5]
    assert held_mwh(second) == [-(HOURS * 10 + 24 * 5)]
    read(desk, [0] * 24)
    meter(desk, second, 2)
    assert held_mwh(first) == [HOURS * 10 - 24 * 10]


def test_a_waiting_amendment_is_decided_first(desk):
    receipt = captured(desk)
    set_four_eyes(actor=desk.officer, book_id=desk.book.pk, amount=Decimal(1))
    amend_trade(
        actor=desk.trader, ref=receipt.ref, expected_version=1, received_at=BEFORE,
        deal=output_deal(MARCH, mw=12), reason="more wind",
    )  # fmt: skip
    read(desk, [30] * 24)

    done = all_of(desk)

    assert [(r.ref, r.words) for r in done.refused] == [
        (receipt.ref, "is not trued up while an amendment waits.")
    ]
    with pytest.raises(TransitionForbidden, match="has an amendment that waits"):
        meter(desk, receipt, 2)
    decline_amendment(
        actor=desk.trader, ref=receipt.ref, expected_version=2, received_at=BEFORE, reason="no"
    )
    assert all_of(desk).changed == 1


def test_what_is_not_metered_is_refused_by_name_and_holds_up_no_other(desk):
    good = captured(desk)
    make_plant(desk.market, "BARE", metering_asset_id="")
    make_plant(desk.market, "LOAD", metering_asset_id="m-load")
    make_plant(desk.market, "BIG", metering_asset_id="m-big")
    bad = {code: captured(desk, output_deal(MARCH, plant=code)) for code in ("LOAD", "BIG")}
    bare = captured(desk, output_deal(MARCH, plant="BARE"))
    unknown = captured(desk, output_deal(MARCH, plant="NOBODY"))
    forward = captured(desk, deal_of_words("B 10MW DE base Mar27 @ 85.20"))
    read(desk, [30] * 24)
    read(desk, [30] * 24, meter="m-load", kind="LOAD")
    read(desk, [30_000] * 24, meter="m-big")

    done = all_of(desk)

    assert (done.looked_at, done.changed, done.unmetered) == (5, 1, 2)
    assert held_mwh(good) == [HOURS * 10 + 120]
    said = {refused.ref: refused.words for refused in done.refused}
    assert "metering_point: m-load reads LOAD" in said[bad["LOAD"].ref]
    assert "100 MW: are the readings in kWh?" in said[bad["BIG"].ref]
    for receipt, words in (
        (bare, "metering_point: the plant BARE has none"),
        (unknown, "asset: there is no plant “NOBODY”"),
        (forward, "volume: of T-.* is fixed by its terms"),
        (bad["LOAD"], "metering_point: m-load reads LOAD"),
    ):
        with pytest.raises(TradeInvalid, match=words):
            meter(desk, receipt)
    assert TradeVersion.objects.filter(event="METER").count() == 1


def test_a_floor_on_a_profile_is_metered_and_one_on_a_constant_power_left_alone(desk):
    area = delivery_areas({"DE"})["DE"]
    index = next(i for i in REFERENCE_INDICES.values() if i.area.code == "DE")
    PriceIndex.objects.create(
        code=index.code, market=desk.market, name="Day-ahead", currency="EUR", price_unit="MWh",
        frequency="PERIOD", publication_time="12:57", source="test",
    )  # fmt: skip
    base = output_deal(MARCH)
    terms = {"side": Side.BUY, "area": area, "period": MARCH, "index": index,
             "asset": base.deliveries[0].asset, "floor": Decimal(5)}  # fmt: skip
    profile = captured(desk, ppa(**terms, expected=base.schedule.volume))
    constant = captured(desk, ppa(**terms, expected=Volume.mw(Decimal(10))))
    read(desk, [30] * 24)

    done = all_of(desk)

    assert (done.looked_at, done.changed) == (1, 1)
    assert held_mwh(profile) == [HOURS * 10 + 24 * 5]
    with pytest.raises(TradeInvalid, match="fixed by its terms"):
        meter(desk, constant)


def test_readings_of_another_organization_another_register_or_another_market_do_not_count(desk):
    captured(desk)
    feed_in(make_organization("Other").pk, desk.market, START, [30] * 24)
    read(desk, [30] * 24, flow="IMPORT")

    assert all_of(desk).changed == 0
    from tests.factories.trades import make_market

    feed_in(desk.organization.pk, make_market("FR"), START, [30] * 24)
    (refused,) = all_of(desk).refused
    assert refused.words.endswith(f"metering_point: {METER} is not read in DE.")


def test_a_role_a_seen_version_and_an_organization_decide(desk):
    receipt = captured(desk)
    read(desk, [30] * 24)

    with pytest.raises(PermissionMissing):
        true_up_trade(actor=desk.officer, ref=receipt.ref, expected_version=1, received_at=THIRD)
    with pytest.raises(PermissionMissing):
        true_up_trades(actor=desk.trader, organization_id=desk.organization.pk, as_of=THIRD)
    meter(desk, receipt)
    with pytest.raises(StaleVersion):
        meter(desk, receipt, 1)


def test_many_trades_cost_no_more_reads_of_meters(desk, django_assert_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for _ in range(2):
        for _ in range(2):
            captured(desk)
        all_of(desk)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            all_of(desk)
        counts.append(len(seen))
        assert sum("trading_actual" in query["sql"] for query in seen) == 1
    per_trade = (counts[1] - counts[0]) / 2
    assert per_trade <= 6, counts


def test_a_plant_that_lost_its_meter_says_so_and_keeps_what_was_booked(desk):
    receipt = captured(desk)
    read(desk, [30] * 24)
    meter(desk, receipt)
    read(desk, [30] * 24, meter="m-2", kind="LOAD")
    Plant.objects.update(metering_asset_id="m-2")
    version = TradeVersion.objects.get(trade_id=receipt.trade_id, version=2)

    # What was read of the new meter was recorded later, so it is not in what was trued up.
    assert shown_months(version, deal_of(version)) == ((), "")
    assert held_mwh(receipt) == [HOURS * 10 + 120]
