"""The trader's panels: true sums, times of the figures, and how many queries they cost."""

from datetime import timedelta

import pytest
import time_machine

from energyopti.foundation.calendars import DatePeriod
from tests.factories.fleet import forecast, make_priced_market
from tests.factories.risk import curve, quote_history
from tests.factories.trades import RECEIVED_AT, make_desk
from trading.queries.valued import valued_positions
from trading.web.home import desk_panel, market_panel

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def evening():
    with time_machine.travel(RECEIVED_AT + timedelta(minutes=1), tick=False):
        yield


def test_the_desk_is_the_sum_of_its_deals(django_assert_max_num_queries):
    desk = make_desk()
    quote_history(desk.market, days=3)
    snapshot = curve(desk.market)
    desk.deal("B 10MW DE base Cal27 @ 85.20")
    desk.deal("S 4MW DE base Cal27 @ 90")

    with django_assert_max_num_queries(9):
        found = desk_panel(desk.again(desk.trader))["desk"]

    assert found.positions.energy_mwh == pytest.approx(6 * 8760)
    assert found.positions.curves_at == snapshot.as_of
    ((currency, value),) = found.positions.values
    assert currency == "EUR"
    assert value == pytest.approx(sum(row.value for row in found.positions.rows))
    assert (found.deals_since, found.deals) == (2, 2)


def test_another_desk_sees_none_of_it():
    make_desk("ours").deal()
    stranger = make_desk("theirs")

    found = desk_panel(stranger.trader)["desk"]

    assert found.positions.rows == ()
    assert found.deals == 0


def test_positions_without_a_curve_have_no_value():
    desk = make_desk()
    desk.deal(fill=True)

    found = valued_positions([desk.book.pk], valued_at=RECEIVED_AT)

    assert found.values == ()
    assert found.curves_at is None
    assert found.unvalued == 12


def test_the_market_shows_the_running_price_and_tomorrow(django_assert_max_num_queries):
    desk = make_desk()
    desk.market.delete()
    tomorrow = RECEIVED_AT.date() + timedelta(days=1)
    market = make_priced_market(tomorrow)
    forecast(market, tomorrow)

    with django_assert_max_num_queries(9):
        panel = market_panel(desk.again(desk.trader))

    assert panel["market"] == market
    assert panel["found"].now == 180  # 18:00, the dear evening
    assert panel["found"].now_start == RECEIVED_AT.replace(second=0)
    assert panel["expected"] is not None
    assert len(panel["rows"]) == 48
    assert DatePeriod.day(tomorrow).first == panel["found"].tomorrow.delivery_date


def test_without_a_market_there_is_no_panel():
    desk = make_desk()
    desk.market.delete()

    assert market_panel(desk.trader)["market"] is None
