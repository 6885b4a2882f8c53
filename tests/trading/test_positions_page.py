"""The heat map of positions: columns of every length, clock changes, past moments, its trades."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from energyopti.accounts.roles import Role
from tests.factories.accounts import make_user
from tests.factories.trades import RECEIVED_AT, deal_of_words, make_book, make_desk
from trading.models import Market, TradeVersion
from trading.queries.grid_columns import Bucket, columns_from
from trading.queries.position_grid import Measure, cell_trades, position_grid
from trading.services.lifecycle import amend_trade

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

        found = cell_trades(
            [desk.book.pk], market_id=desk.market.pk, unit="MWh", column=column
        )  # fmt: skip

        assert {one.trade_id for one in found} == {bought.trade_id, sold.trade_id}
        whole = values(desk, bucket, day)[column.label]
        assert sum(one.value for one in found) == pytest.approx(whole)


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
