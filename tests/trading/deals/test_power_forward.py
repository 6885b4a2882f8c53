"""Quick text: what it means to the cent, what it says when it is wrong, and that it round-trips."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.money import Money, Side
from trading.deals import (
    REFERENCE_AREAS,
    LoadType,
    PowerForward,
    QuickDeal,
    QuickTextError,
    month_deliveries,
    parse_quick_text,
    period_name,
    render_quick_text,
    totals,
)

TRADED_AT = datetime(2027, 3, 27, 23, 30, tzinfo=UTC)  # already the 28th in Berlin


def parse(text: str, **known: object) -> QuickDeal:
    return parse_quick_text(text, areas=REFERENCE_AREAS, traded_at=TRADED_AT, **known)


@pytest.mark.parametrize(
    ("text", "hours", "energy", "notional"),
    [
        ("B 10MW DE base Cal27 @ 85.20", "8760", "87600", "7463520.00"),
        ("b 10 mw de BASE cal27 @85.20 eur", "8760", "87600", "7463520.00"),
        ("S 5MW DE peak Cal27 @ 95", "3132", "15660", "1487700.00"),
        ("B 1MW DE base Mar27 @ 1", "743", "743", "743.00"),
        ("B 1MW DE base Oct27 @ 1", "745", "745", "745.00"),
        ("B 1MW DE base 2027-03-28 @ 1", "23", "23", "23.00"),
        ("B 0.125MW DE base W05-27 @ -10.005", "168", "21.000", "-210.11"),
        ("B 1MW GB base Win27 @ 1", "4392", "4392", "4392.00"),
    ],
)
def test_sums_are_exact(text, hours, energy, notional):
    found = totals(parse(text).terms)

    assert found.hours == Decimal(hours)
    assert found.energy_mwh == Decimal(energy)
    assert found.notional == Money(Decimal(notional), parse(text).terms.currency)


def test_day_ahead_is_the_day_after_the_trade_in_the_area():
    assert parse("B 1MW DE base DA @ 1").terms.period == DatePeriod.day(date(2027, 3, 29))
    assert parse("B 1MW GB base DA @ 1").terms.period == DatePeriod.day(date(2027, 3, 28))


def test_named_words_come_in_any_order_and_in_their_own_spelling():
    deal = parse(
        "B 1MW DE base Cal28 @ 1 book:eu tag:a cpty:acme tag:b",
        books={"EU"}, counterparties={"ACME"},
    )  # fmt: skip

    assert (deal.book_code, deal.counterparty_code, deal.tags) == ("EU", "ACME", ("a", "b"))


@pytest.mark.parametrize(
    ("text", "position", "token", "nearest"),
    [
        ("", 0, "", ""),
        ("X 10MW", 0, "X", ""),
        ("B ten DE", 2, "ten", ""),
        ("B 10,5MW DE", 2, "10,5MW", ""),
        ("B 10MWh DE base Cal27 @ 1", 2, "10MWh", "MW"),
        ("B 0MW DE base Cal27 @ 1", 2, "0MW", ""),
        ("B 1.0001MW DE base Cal27 @ 1", 2, "1.0001MW", ""),
        ("B 10MW D base Cal27 @ 1", 7, "D", "DE"),
        ("B 10MW DE bse Cal27 @ 1", 10, "bse", "base"),
        ("B 10MW DE base Cal2 @ 1", 15, "Cal2", "Cal27"),
        ("B 10MW DE base Cal27 85", 21, "85", ""),
        ("B 10MW DE base Cal27 @", 22, "", ""),
        ("B 10MW DE base Cal27 @ 8o", 23, "8o", ""),
        ("B 10MW DE base Cal27 @ Infinity", 23, "Infinity", ""),
        ("B 10MW DE base Cal27 @ 1 EURO", 25, "EURO", "EUR"),
        ("B 10MW DE base Cal27 @ 1 bok:EU", 25, "bok:EU", "book:"),
        ("B 10MW DE base Cal27 @ 1 book:", 30, "", ""),
        ("B 10MW DE base Cal27 @ 1 book:EU2", 30, "EU2", "EU"),
        ("B 10MW DE base Cal27 @ 1 book:EU book:EU", 33, "book:EU", ""),
        ("B 10MW GB peak Cal27 @ 1", 10, "peak", ""),
        ("B 10MW DE peak 2027-03-28 @ 1", 15, "2027-03-28", ""),
        ("B 10MW DE base Cal27 @ 9999999", 23, "9999999", ""),
    ],
)
def test_an_error_points_at_the_word_and_offers_the_nearest(text, position, token, nearest):
    with pytest.raises(QuickTextError) as refused:
        parse(text, books={"EU"}, counterparties={"ACME"})

    assert (refused.value.position, refused.value.token) == (position, token)
    assert refused.value.nearest == nearest


def test_a_text_without_end_is_refused_at_once():
    with pytest.raises(QuickTextError, match="longer than 300"):
        parse("B 10MW DE base Cal27 @ 1 " + "tag:x " * 60)


@given(st.text(max_size=60))
def test_any_text_is_a_deal_or_a_refusal_that_points_inside_it(text):
    try:
        parse(text)
    except QuickTextError as error:
        assert 0 <= error.position <= len(text)


periods = st.one_of(
    st.integers(2028, 2060).map(DatePeriod.year),
    st.builds(DatePeriod.quarter, st.integers(2028, 2060), st.integers(1, 4)),
    st.builds(DatePeriod.months, st.integers(2028, 2060), st.integers(1, 12)),
    st.builds(DatePeriod.iso_week, st.integers(2028, 2060), st.integers(1, 52)),
    st.dates(date(2028, 1, 1), date(2060, 1, 1)).map(DatePeriod.day),
)
words = st.text("abcXYZ019", min_size=1, max_size=8)
deals = st.builds(
    QuickDeal,
    terms=st.builds(
        PowerForward,
        side=st.sampled_from(Side),
        quantity_mw=st.decimals("0.001", "9999", places=3),
        area=st.sampled_from(list(REFERENCE_AREAS.values())),
        load_type=st.just(LoadType.BASE),
        period=periods,
        price=st.decimals("-500", "4000", places=6),
        currency=st.sampled_from(["EUR", "GBP"]),
    ),
    counterparty_code=words,
    book_code=st.one_of(st.just(""), words),
    tags=st.lists(words, max_size=3).map(tuple),
)


@given(deals)
def test_reading_what_was_written_gives_the_same_deal(deal):
    assert parse(render_quick_text(deal)) == deal


@given(deals)
def test_the_months_of_a_deal_add_up_to_it(deal):
    months = month_deliveries(deal.terms)

    assert sum(m.hours for m in months) == totals(deal.terms).hours
    assert months[0].interval.start == deal.terms.interval.start
    assert months[-1].interval.end == deal.terms.interval.end


def test_a_season_and_a_gas_year_have_names_and_any_other_run_of_days_its_ends():
    assert period_name(DatePeriod.summer(2027)) == "Sum27"
    assert period_name(DatePeriod.winter(2027)) == "Win27"
    assert period_name(DatePeriod.months(2027, 10, 12)) == "GY27"
    assert period_name(DatePeriod(date(2027, 1, 2), date(2027, 1, 5))) == "2027-01-02..2027-01-04"
