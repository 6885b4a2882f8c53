"""What the product knows of commodities, holidays and shapes, and which hours those deliver."""

from datetime import date, timedelta

import pytest

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import CalendarError, DatePeriod, period_starts
from energyopti.foundation.events.models import Event
from tests.factories.trades import make_market
from trading.deals import NoSuchShape, shape_delivery, shape_seconds
from trading.markets.nerc import nerc_holidays
from trading.markets.reference_catalogue import HOLIDAYS, SHAPES
from trading.models import Holiday, LoadShape, Market, ShapeCalendar
from trading.queries.areas import delivery_areas
from trading.queries.load_shapes import shapes_of_market
from trading.services.catalogue import ensure_catalogue
from trading.services.markets import open_market, terms_of

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system("test")
YEAR = DatePeriod.year(2027)


def market_of(zone: str, calendar: str, code: str = "M") -> Market:
    ensure_catalogue(actor=SYSTEM)
    shapes = ShapeCalendar.objects.get(code=calendar)
    return make_market(code, time_zone=zone, shape_calendar=shapes, day_start=shapes.day_start)


def hours(market: Market, code: str, period: DatePeriod = YEAR) -> float:
    shape = shapes_of_market(market, on=period.first)[code]
    return float(shape_delivery(market.calendar, shape, period).hours)


@pytest.mark.parametrize(
    ("year", "days"),
    [
        # 4 July and Christmas: a Sunday moves to the Monday, a Saturday stays.
        (2021, ["01-01", "05-31", "07-05", "09-06", "11-25", "12-25"]),
        (2022, ["01-01", "05-30", "07-04", "09-05", "11-24", "12-26"]),
        (2023, ["01-02", "05-29", "07-04", "09-04", "11-23", "12-25"]),
        (2027, ["01-01", "05-31", "07-05", "09-06", "11-25", "12-25"]),
    ],
)
def test_nerc_holidays_of_a_year(year, days):
    assert [f"{day:%m-%d}" for day, _ in nerc_holidays(year, year)] == days


def test_eex_peak_counts_holidays_and_offpeak_is_the_rest():
    market = market_of("Europe/Berlin", "EEX")

    # 261 working days of 2027, 1 January among them, with 12 hours each.
    assert hours(market, "PEAK") == 3132
    assert hours(market, "OFFPEAK") == 8760 - 3132
    assert hours(market, "PEAK", DatePeriod.day(date(2027, 1, 1))) == 12


def test_us_products_leave_out_holidays_and_tile_the_year():
    market = market_of("America/New_York", "US-NERC")

    # Christmas 2027 is a Saturday: five of the six holidays fall on weekdays.
    assert hours(market, "5X16") == (261 - 5) * 16
    assert hours(market, "2X16") == (365 - 256) * 16
    assert hours(market, "7X8") == 8760 - 365 * 16
    assert hours(market, "5X16") + hours(market, "2X16") + hours(market, "7X8") == 8760
    assert hours(market, "5X16", DatePeriod.day(date(2027, 7, 5))) == 0
    assert hours(market, "2X16", DatePeriod.day(date(2027, 7, 5))) == 16


def test_ercot_peak_starts_an_hour_earlier_than_the_east():
    market = market_of("America/Chicago", "US-ERCOT")
    shape = shapes_of_market(market, on=date(2027, 1, 4))["5X16"]

    (window,) = shape_delivery(market.calendar, shape, DatePeriod.day(date(2027, 1, 4)))
    assert market.calendar.label(window.start).wall.hour == 6
    assert market.calendar.label(window.end).wall.hour == 22


def test_efa_blocks_start_the_evening_before_and_follow_the_clock():
    market = market_of("Europe/London", "GB-EFA")
    spring, autumn = DatePeriod.day(date(2027, 3, 28)), DatePeriod.day(date(2027, 10, 31))

    shape = shapes_of_market(market, on=spring.first)["EFA1"]
    (block,) = shape_delivery(market.calendar, shape, spring)
    assert block.start.isoformat() == "2027-03-27T23:00:00+00:00"
    assert (hours(market, "EFA1", spring), hours(market, "EFA1", autumn)) == (3, 5)
    assert sum(hours(market, f"EFA{n}") for n in range(1, 7)) == 8760
    assert hours(market, "PEAK") == 3132
    # Monday's extended peak ends at 23:00, when Tuesday's EFA day starts.
    assert hours(market, "EXTPEAK", DatePeriod.day(date(2027, 1, 4))) == 16


def test_gas_month_is_flat_from_six_to_six():
    market = market_of("Europe/Amsterdam", "GAS-EU")

    shape = shapes_of_market(market, on=date(2027, 3, 1))["BASE"]
    (month,) = shape_delivery(market.calendar, shape, DatePeriod.months(2027, 3))
    assert month.start.isoformat() == "2027-03-01T05:00:00+00:00"
    assert float(month.hours) == 743


@pytest.mark.parametrize(
    ("zone", "calendar", "codes"),
    [
        ("Europe/Berlin", "EEX", ["BASE", "PEAK", "OFFPEAK"]),
        ("Europe/London", "GB-EFA", ["EFA1", "EFA6", "PEAK", "OFFPEAK"]),
        ("America/New_York", "US-NERC", ["5X16", "2X16", "7X8", "ATC"]),
    ],
)
def test_mask_of_periods_says_what_the_intervals_say(zone, calendar, codes):
    market = market_of(zone, calendar)
    starts = period_starts(market.calendar, YEAR, minutes=30)

    for code in codes:
        shape = shapes_of_market(market, on=YEAR.first)[code]
        seconds = shape_seconds(market.calendar, shape, starts, minutes=30)
        assert seconds.sum() / 3600 == hours(market, code)


def test_a_delivery_that_the_holidays_do_not_cover_is_refused():
    market = market_of("America/New_York", "US-NERC")

    with pytest.raises(CalendarError, match="NERC 1 covers 2010-01-01"):
        hours(market, "5X16", DatePeriod.year(2051))
    assert hours(market, "ATC", DatePeriod.year(2051)) == 8760


def test_catalogue_comes_once_and_gives_markets_their_shapes():
    bare = make_market("DE")
    british = make_market("GB", time_zone="Europe/London", currency="GBP")

    assert ensure_catalogue(actor=SYSTEM) == []
    bare.refresh_from_db()
    british.refresh_from_db()
    assert bare.shape_calendar.code == "EEX"
    assert (british.shape_calendar.code, british.day_start) == ("GB-EFA", timedelta(hours=-1))
    assert LoadShape.objects.count() == len(SHAPES)
    assert Holiday.objects.count() == sum(len(each.holidays) for each in HOLIDAYS)
    assert len(HOLIDAYS[0].holidays) == 41 * 6
    events = Event.objects.count()

    assert ensure_catalogue(actor=SYSTEM) == []
    assert Event.objects.count() == events


def test_a_market_opened_later_has_the_shapes_of_its_zone():
    ensure_catalogue(actor=SYSTEM)

    market = open_market(actor=SYSTEM, code="GB", terms=terms_of(code="GB"), period_minutes=60)

    assert market.commodity.code == "POWER"
    assert (market.shape_calendar.code, market.day_start) == ("GB-EFA", timedelta(hours=-1))
    assert set(shapes_of_market(market, on=date(2027, 1, 1))) >= {"BASE", "PEAK", "EFA3"}


def test_what_a_market_does_not_have_is_named():
    market = market_of("Europe/Berlin", "EEX")

    area = delivery_areas([market.code])[market.code]
    with pytest.raises(NoSuchShape, match="has no 5x16"):
        area.shape("5X16", on=date(2027, 1, 1))
    with pytest.raises(NoSuchShape, match="has no peak"):
        area.shape("PEAK", version=2)
    assert area.shape("PEAK", version=1) == shapes_of_market(market, on=date(2027, 1, 1))["PEAK"]
