"""The heat map of positions: columns of every length, clock changes, past moments, its trades."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from energyopti.accounts.roles import Role
from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.money import Side
from tests.factories.accounts import make_user
from tests.factories.trades import RECEIVED_AT, TRADED_AT, deal_of_words, make_book, make_desk
from trading.deals import Profile, profile_forward
from trading.models import Market, TradeVersion
from trading.queries.areas import delivery_areas
from trading.queries.grid_columns import Bucket, columns_from
from trading.queries.position_grid import Measure, position_grid
from trading.queries.position_shares import CellShares
from trading.services.capture import book_fill
from trading.services.lifecycle import amend_trade, cancel_trade

pytestmark = pytest.mark.django_db
HEAT = "/positions/heat/"


@pytest.fixture
def desk():
    return make_desk()


@pytest.fixture
def trader(desk):
    client = Client()
    client.force_login(desk.trader.user)
    return client


def values(desk, bucket, day, **asked):
    grid = position_grid([desk.book.pk], columns=columns_from(bucket, day), **asked)
    (row,) = grid.rows
    return {cell.column.label: cell.value for cell in row.cells if cell.value is not None}


# 10 MW base in 2027 less 4 MW peak in March 2027: 743 h in March (clock change), 23 peak days.
@pytest.mark.parametrize(
    ("bucket", "day", "label", "wanted"),
    [
        (Bucket.YEAR, date(2027, 6, 1), "Cal 27", 87_600 - 4 * 23 * 12),
        (Bucket.QUARTER, date(2027, 2, 1), "Q1 27", 10 * 2159 - 4 * 23 * 12),
        (Bucket.MONTH, date(2027, 3, 9), "Mar 27", 7430 - 4 * 23 * 12),
        (Bucket.DAY, date(2027, 3, 9), "28 Mar", 230),
        (Bucket.DAY, date(2027, 3, 9), "29 Mar", 240 - 48),
        (Bucket.HOUR, date(2027, 3, 29), "8", 10),
        (Bucket.HOUR, date(2027, 3, 29), "9", 6),
        (Bucket.HOUR, date(2027, 10, 31), "25", 10),
    ],
)
def test_a_column_holds_what_its_hours_deliver(desk, bucket, day, label, wanted):
    desk.deal("B 10MW DE base Cal27 @ 85")
    desk.deal("S 4MW DE peak Mar27 @ 90")

    assert values(desk, bucket, day)[label] == pytest.approx(wanted, abs=1e-9)


def test_the_day_of_the_clock_change_has_23_hours(desk):
    desk.deal("B 10MW DE base Cal27 @ 85")

    assert list(values(desk, Bucket.HOUR, date(2027, 3, 28))) == [str(n) for n in range(1, 24)]


def test_parts_sum_to_the_whole(desk):
    desk.deal("B 10MW DE base Cal27 @ 85")
    desk.deal("S 4MW DE peak Q4-27 @ 90")

    year = values(desk, Bucket.YEAR, date(2027, 1, 1))["Cal 27"]
    quarters = values(desk, Bucket.QUARTER, date(2027, 1, 1))
    months = values(desk, Bucket.MONTH, date(2027, 1, 1))
    october = values(desk, Bucket.DAY, date(2027, 10, 1))
    change = values(desk, Bucket.HOUR, date(2027, 10, 31))

    assert sum(quarters.values()) == pytest.approx(year)
    assert sum(months.values()) == pytest.approx(year)
    assert sum(october.values()) == pytest.approx(months["Oct 27"])
    assert sum(change.values()) == pytest.approx(october["31 Oct"]) == 250


def test_a_future_is_exposed_and_delivers_nothing(desk):
    desk.deal("B 10MW DE base Cal27 @ 85")
    desk.deal("B 5lots DE base Cal27 @ 85 fut:XEEE acct:A1")

    day = date(2027, 1, 1)
    assert values(desk, Bucket.YEAR, day, measure=Measure.EXPOSURE) == {"Cal 27": 131_400}
    assert values(desk, Bucket.YEAR, day, measure=Measure.PHYSICAL) == {"Cal 27": 87_600}


@pytest.mark.parametrize("bucket", [Bucket.MONTH, Bucket.DAY])
def test_yesterdays_map_stays_as_it_was(desk, bucket):
    kept = desk.deal("B 10MW DE base Cal27 @ 85")
    cut = TradeVersion.objects.get().recorded_at + timedelta(microseconds=1)
    then = values(desk, bucket, date(2027, 5, 1))
    desk.deal("S 4MW DE base Cal27 @ 86")
    amend_trade(
        actor=desk.trader, ref=kept.ref, expected_version=1, received_at=RECEIVED_AT,
        deal=deal_of_words("B 12MW DE base Cal27 @ 86"), reason="the client asked",
    )  # fmt: skip

    assert values(desk, bucket, date(2027, 5, 1), cut=cut) == then
    assert values(desk, bucket, date(2027, 5, 1)) != then


def test_the_trades_of_a_cell_sum_to_it(desk):
    bought, sold = desk.deal("B 10MW DE base Cal27 @ 85"), desk.deal("S 4MW DE peak Mar27 @ 90")
    desk.deal("B 3MW DE base Cal28 @ 85")
    for bucket, day in ((Bucket.MONTH, date(2027, 3, 1)), (Bucket.HOUR, date(2027, 3, 29))):
        column = columns_from(bucket, day)[0 if bucket is Bucket.MONTH else 9]

        found = CellShares(
            [desk.book.pk], market_id=desk.market.pk, unit="MWh", column=column
        ).largest(10)

        assert [one.trade_id for one in found.shares] == [bought.trade_id, sold.trade_id]
        whole = values(desk, bucket, day)[column.label]
        assert found.count == 2 and float(found.total) == pytest.approx(whole)
        assert sum(one.value for one in found.shares) == found.total


def profile_of(desk, micro_mw, minutes):
    """Sell March 2027 by the interval: 743 hours."""
    area = delivery_areas(["DE"])["DE"]
    deal = profile_forward(
        side=Side.SELL, area=area, period=DatePeriod.months(2027, 3), price=Decimal(80),
        profile=Profile(minutes, micro_mw),
    )  # fmt: skip
    return book_fill(
        actor=desk.trader, deal=deal, book_id=desk.book.pk, counterparty_id=desk.counterparty.pk,
        traded_at=TRADED_AT, received_at=RECEIVED_AT,
    )  # fmt: skip


@pytest.mark.parametrize("minutes", [15, 60])
@pytest.mark.parametrize(
    ("bucket", "day"), [(Bucket.HOUR, date(2027, 3, 28)), (Bucket.DAY, date(2027, 3, 1)),
                        (Bucket.MONTH, date(2027, 3, 1))],
)  # fmt: skip
def test_shares_of_a_power_by_the_interval_are_those_of_the_map(desk, minutes, bucket, day):
    count = 743 * 60 // minutes
    power = np.arange(count, dtype=np.int64) * 1_234_567  # sold, so that high bytes are set
    receipt = profile_of(desk, power, minutes)

    held = values(desk, bucket, day)

    checked = 0
    for column in columns_from(bucket, day):
        share = CellShares([desk.book.pk], market_id=desk.market.pk, unit="MWh", column=column)
        shares = share.of([receipt.trade_id])
        if column.label not in held:
            assert shares == {}
            continue
        assert float(shares[receipt.trade_id].value) == pytest.approx(held[column.label], rel=1e-12)
        checked += 1
    assert checked == {Bucket.HOUR: 23, Bucket.DAY: 31, Bucket.MONTH: 1}[bucket]


def test_a_trade_that_adds_nothing_any_more_is_no_share(desk):
    kept = desk.deal("B 10MW DE base Cal27 @ 85")
    gone = desk.deal("B 3MW DE peak Mar27 @ 85", actor=desk.again(desk.trader))
    cut = TradeVersion.objects.get(trade_id=gone.trade_id).recorded_at
    cancel_trade(
        actor=desk.again(desk.trader), ref=gone.ref, expected_version=1, received_at=RECEIVED_AT,
        reason="typed twice",
    )  # fmt: skip
    (column, *_) = columns_from(Bucket.MONTH, date(2027, 3, 1))

    def trades(**asked):
        found = CellShares(
            [desk.book.pk], market_id=desk.market.pk, unit="MWh", column=column, **asked
        )
        return [one.trade_id for one in found.largest(10).shares]

    assert trades() == [kept.trade_id]
    assert trades(cut=cut) == [kept.trade_id, gone.trade_id]
    assert trades(cut=cut - timedelta(microseconds=1)) == [kept.trade_id]


def test_a_cell_pages_through_its_trades_the_largest_first(desk, trader, monkeypatch):
    monkeypatch.setattr("trading.web.positions.SHOWN_TRADES", 2)
    refs = [
        desk.deal(f"B {mw}MW DE base Jan27 @ 85", actor=desk.again(desk.trader)).ref
        for mw in (5, 1, 3)
    ]
    address = reverse("trading:position_cell", args=["DE", "2027-01-01"])

    first = trader.get(address).content.decode()
    second = trader.get(address, {"page": 2}).content.decode()

    assert [ref in first for ref in refs] == [True, False, True]
    assert [ref in second for ref in refs] == [False, True, False]
    assert "of 3 trades" in first and "of 3 trades" in second and "Page 1 of 2" in first
    assert "page=2" in first and "page=1" in second
    assert trader.get(address, {"page": 3}).status_code == 404
    assert trader.get(address, {"page": "0"}).status_code == 400


def test_the_queries_of_a_cell_do_not_grow_with_its_trades(desk, trader):
    def queries() -> int:
        address = reverse("trading:position_cell", args=["DE", "2027-01-01"])
        trader.get(address)
        with CaptureQueriesContext(connection) as seen:
            assert trader.get(address).status_code == 200
        return len(seen)

    desk.deal("B 10MW DE peak Cal27 @ 85")
    before = queries()
    for price in range(80, 84):
        desk.deal(f"B 1MW DE peak Q1-27 @ {price}", actor=desk.again(desk.trader))

    assert queries() == before


def test_cells_print_their_value_and_lead_to_their_trades(desk, trader):
    receipt = desk.deal("B 10MW DE base Cal27 @ 85")
    foreign = make_desk().deal("B 99MW DE base Cal27 @ 85")

    page = trader.get(HEAT, {"date": "2027-01-15"}).content.decode()
    link = page.split('class="number long-5"><a href="')[1].split('"')[0].replace("&amp;", "&")
    cell = trader.get(link).content.decode()

    assert "+7,440" in page and "+87,600" in page and "in the unit of the row" in page
    assert receipt.ref in cell and foreign.ref not in cell and "+7,440.0 MWh" in cell


def test_a_row_may_be_a_delivery_point_of_all_books(desk, trader):
    child = make_book(desk.organization, "EU2", parent=desk.book)
    desk.deal("B 10MW DE base Cal27 @ 85")
    desk.deal("B 5MW DE base Cal27 @ 85", book_id=child.pk, actor=desk.again(desk.trader))

    by_book = trader.get(HEAT, {"date": "2027-01-15", "by": "year"}).content.decode()
    by_point = trader.get(
        HEAT, {"date": "2027-01-15", "by": "year", "rows": "point"}
    ).content.decode()

    assert "EU, DE" in by_book and "EU2, DE" in by_book and "+43,800" in by_book
    assert "EU2, DE" not in by_point and "+131,400" in by_point


@pytest.mark.parametrize("by", ["month", "day"])
@pytest.mark.parametrize("as_of", ["", "2026-11-21T00:00:00"])
def test_queries_do_not_grow_with_trades_books_or_points(desk, trader, by, as_of):
    def queries() -> int:
        asked = {"date": "2027-01-15", "by": by, "as_of": as_of}
        trader.get(HEAT, asked)
        with CaptureQueriesContext(connection) as seen:
            assert trader.get(HEAT, asked).status_code == 200
        return len(seen)

    desk.deal("B 10MW DE base Cal27 @ 85")
    before = queries()
    child = make_book(desk.organization, "EU2", parent=desk.book)
    for price in range(80, 84):
        desk.deal(f"B 1MW DE peak Q1-27 @ {price}", actor=desk.again(desk.trader))
    desk.deal("B 5MW DE base Cal27 @ 85", book_id=child.pk, actor=desk.again(desk.trader))

    assert queries() <= before + 2 and before <= 22


@pytest.mark.parametrize(
    "asked",
    [{"by": "week"}, {"measure": "x"}, {"rows": "x"}, {"as_of": "x"}, {"as_of": "2190-01-01"}],
)
def test_what_the_map_does_not_offer_is_refused(trader, asked):
    assert trader.get(HEAT, asked).status_code == 400


def test_cells_of_others_are_not_found(desk, trader):
    foreign = make_desk()

    def cell(market="DE", at="2027-01-01", **asked):
        address = reverse("trading:position_cell", args=[market, at])
        return trader.get(address, asked).status_code

    assert cell() == 200
    assert cell(in_book=str(foreign.book.pk)) == cell(book=str(foreign.book.pk)) == 404
    assert cell(market="XX") == cell(in_book="x") == 404
    assert cell(at="2027-01-02") == cell(at="x") == cell(at="2027-01-01.26", by="hour") == 400
    assert Market.objects.filter(code="XX").count() == 0


def test_roles_decide_who_sees_the_map(desk):
    operator = make_user(Role.DEVICE_OPERATOR, organization=desk.organization)
    client = Client()
    client.force_login(operator)

    assert client.get(HEAT).status_code == 403
    assert Client().get(HEAT).status_code == 302
