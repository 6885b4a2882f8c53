"""The line of text for every product: what it means, where it is refused, that it reads back."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.money import Money
from trading.deals import (
    DealError,
    DealText,
    Fee,
    FeeKind,
    QuickTextError,
    deal_totals,
    index_forward,
    option,
    parse_deal_text,
    parse_period,
    period_name,
    physical_forward,
    profile_forward,
    render_deal_text,
)
from trading.deals import Direction as Way

from .markets import BUY, DE, DE_SPOT, INDICES, MARKETS, TRADED_AT, WIND, mw
from .strategies import profile_deals, with_text
from .test_products import HALF_DAY, SPRING, call

D = Decimal
ASSETS = {WIND.asset_id: WIND}


def parse(text, **known):
    return parse_deal_text(
        text, areas=MARKETS, traded_at=TRADED_AT, indices=INDICES, assets=ASSETS, **known
    )


@pytest.mark.parametrize(
    ("text", "kind", "hours", "volume", "notional"),
    [
        ("B 10MW DE base Cal27 @ 85.20", "PHYSICAL_FORWARD", "8760", "87600 MWh", "7463520.00 EUR"),
        ("B 5MW DE peak Cal27 @ 95", "PHYSICAL_FORWARD", "3132", "15660 MWh", "1487700.00 EUR"),
        ("s 5 mw de OFFPEAK q1-27 @60", "PHYSICAL_FORWARD", "1391", "6955 MWh", "417300.00 EUR"),
        ("B 1GW DE base Mar27 @ 1", "PHYSICAL_FORWARD", "743", "743000 MWh", "743000.00 EUR"),
        ("B 1000MWh DE base Q1-27 @ 80", "PHYSICAL_FORWARD", "2159", "1000 MWh", "80000.00 EUR"),
        ("B 24MWh/d DE peak Mar27 @ 1", "PHYSICAL_FORWARD", "276", "552 MWh", "552.00 EUR"),
        ("B 1MW DE H08-H20 Mar27 @ 1", "PHYSICAL_FORWARD", "372", "372 MWh", "372.00 EUR"),
        ("B 1MW DE HE09-HE20 Mar27 @ 1", "PHYSICAL_FORWARD", "372", "372 MWh", "372.00 EUR"),
        ("B 3MW GB-EFA efa1 2027-10-31 @ 50", "PHYSICAL_FORWARD", "5", "15 MWh", "750.00 GBP"),
        ("B 25MW PJM-W 5x16 Cal27 @ 2", "PHYSICAL_FORWARD", "4096", "102400 MWh", "204800.00 USD"),
        ("B 30MW TTF 2027-03-27 @ 30", "PHYSICAL_FORWARD", "23", "690 MWh", "20700.00 EUR"),
        ("B 30MW TTF base GY27 @ 30", "PHYSICAL_FORWARD", "8784", "263520 MWh", "7905600.00 EUR"),
        ("B 1000therm/d NBP Q1-27 @ 0.8", "PHYSICAL_FORWARD", "2159", "90000 therm",
         "72000.00 GBP"),
        ("B 10000MMBtu/d HH Jan27 @ 3.5", "PHYSICAL_FORWARD", "744", "310000 MMBtu",
         "1085000.00 USD"),
        ("B 50000bbl BRENT Q1-27 @ 80", "PHYSICAL_FORWARD", None, "150000 bbl", "12000000.00 USD"),
        ("B 10lots NBP Feb27 @ 0.8", "PHYSICAL_FORWARD", "672", "280000 therm", "224000.00 GBP"),
        ("B 5lots BRENT Cal27 @ 80 fut:ifeu acct:A1", "FUTURE", None, "60000 bbl",
         "4800000.00 USD"),
        ("B 5lots DE peak Cal27 @ 95 fut:XEEE", "FUTURE", "3132", "15660 MWh", "1487700.00 EUR"),
        ("B 10MW DE base Q1-27 @ 85 swap", "SWAP", "2159", "21590 MWh", "1835150.00 EUR"),
        ("B 10MW DE base Q1-27 @ 85 USD swap:epex-fr-da", "SWAP", "2159", "21590 MWh",
         "1835150.00 USD"),
        ("B 10MW DE base Q1-27 @ EPEX-DE-DA+1.50", "INDEX_FORWARD", "2159", "21590 MWh", None),
        ("B 10MW DE base Q1-27 @ EPEX-DE-DA-2 swap:EPEX-FR-DA", "BASIS_SWAP", "2159",
         "21590 MWh", None),
        ("B 10lots EUA Dec27 @ 75", "CERTIFICATE", None, "10000 tCO2", "750000.00 EUR"),
        ("S 5000t EUA 2027-12-13 @ 75 vintage:2027 reg:EUETS", "CERTIFICATE", None, "5000 tCO2",
         "375000.00 EUR"),
        ("B 5000cert GO-EU 2027-03-31 @ 2.5", "CERTIFICATE", None, "5000 certificate",
         "12500.00 EUR"),
        ("B 20MWp DE base Q1-27 @ 50 asset:wind-1", "PPA", "2159", "17272.2 MWh", "863610.00 EUR"),
    ],
)  # fmt: skip
def test_a_line_means(text, kind, hours, volume, notional):
    deal = parse(text).deal

    found = deal_totals(deal)

    assert deal.kind.value == kind
    assert found.hours == (None if hours is None else D(hours))
    assert f"{found.volume.normalize():f} {found.unit}" == volume
    if notional is None:
        assert found.notional is None
    else:
        value, currency = notional.split()
        assert found.notional == Money(D(value), currency)


def test_index_terms_come_from_the_price():
    floating = parse("B 10MW DE base Q1-27 @ epex-de-da+1.50").deal.floating_legs[0]
    basis = parse("S 10MW DE base Q1-27 @ EPEX-DE-DA-2 swap:EPEX-FR-DA").deal.floating_legs
    bounded = parse("B 20MWp DE base Cal27..Cal28 @ EPEX-DE-DA asset:WIND-1 floor:20 cap:90").deal

    assert (floating.index, floating.spread) == (DE_SPOT, D("1.50"))
    assert [(leg.direction, leg.index.code, leg.spread) for leg in basis] == [
        (Way.PAY, "EPEX-FR-DA", 0), (Way.RECEIVE, "EPEX-DE-DA", -2),
    ]  # fmt: skip
    assert [(o.direction, o.option_type.value, o.strikes) for o in bounded.options] == [
        (Way.PAY, "FLOOR", (20,)), (Way.RECEIVE, "CAP", (90,)),
    ]  # fmt: skip
    assert bounded.schedule.period == DatePeriod.months(2027, 1, 24)


def test_a_future_names_its_exchange_and_account_and_a_package_its_id():
    deal = parse("B 5lots DE base Cal27 @ 85 fut:xeee acct:A-1 pkg:P7").deal

    assert (deal.mic, deal.clearing_account, deal.package_id) == ("XEEE", "A-1", "P7")


@pytest.mark.parametrize(
    ("text", "area", "traded_at", "name"),
    [
        ("DA", "DE", "2027-03-27T22:59+00:00", "2027-03-28"),
        ("DA", "DE", "2027-03-27T23:00+00:00", "2027-03-29"),
        ("DA", "GB-EFA", "2027-03-27T23:00+00:00", "2027-03-29"),
        ("DA", "TTF", "2027-03-28T03:59+00:00", "2027-03-28"),  # before 06:00 it is Saturday's day
        ("DA", "TTF", "2027-03-28T04:00+00:00", "2027-03-29"),
        ("WE", "DE", "2027-03-26T12:00+00:00", "2027-03-27..2027-03-28"),  # a Friday
        ("WE", "DE", "2027-03-27T12:00+00:00", "2027-04-03..2027-04-04"),  # a Saturday
        ("we", "DE", "2027-03-29T12:00+00:00", "2027-04-03..2027-04-04"),
        ("2027-03-28..2027-04-02", "DE", "2027-01-01T00:00+00:00", "2027-03-28..2027-04-02"),
        ("Jan27..Mar27", "DE", "2027-01-01T00:00+00:00", "Q1-27"),
        ("GY27", "TTF", "2027-01-01T00:00+00:00", "GY27"),
        ("gy-2027", "TTF", "2027-01-01T00:00+00:00", "GY27"),
        ("Win27..Sum28", "TTF", "2027-01-01T00:00+00:00", "GY27"),
        ("W53-26", "DE", "2027-01-01T00:00+00:00", "W53-26"),
        ("Cal27..Cal36", "DE", "2027-01-01T00:00+00:00", "2027-01-01..2036-12-31"),
    ],
)
def test_periods(text, area, traded_at, name):
    found = parse_period(
        text, calendar=MARKETS[area].calendar, traded_at=datetime.fromisoformat(traded_at)
    )

    assert period_name(found) == name


@pytest.mark.parametrize(
    ("text", "position", "token", "nearest"),
    [
        ("B 10MW", 6, "", ""),
        ("B 10MWs DE base Cal27 @ 1", 2, "10MWs", "MW"),
        ("B 10bbl DE base Cal27 @ 1", 2, "10bbl", ""),
        ("B 10MW BRENT Cal27 @ 1", 2, "10MW", ""),
        ("B 10t BRENT Jan27 @ 80", 2, "10t", ""),  # no density to make barrels of it
        ("B 1.5lots BRENT Jan27 @ 80", 2, "1.5lots", ""),
        ("B 10lots GO-EU 2027-03-31 @ 2", 2, "10lots", ""),
        ("B 10MW DEE base Cal27 @ 1", 7, "DEE", "DE"),
        ("B 10MW DE Cal27 @ 1", 10, "Cal27", ""),
        ("B 10MW DE offpaek Cal27 @ 1", 10, "offpaek", "offpeak"),
        ("B 10MW DE efa1 Cal27 @ 1", 10, "efa1", "peak"),
        ("B 10MW DE H08-H08 Cal27 @ 1", 10, "H08-H08", ""),
        ("B 10MW TTF peak Cal27 @ 1", 11, "peak", ""),
        ("B 10MW TTF pek Cal27 @ 1", 11, "pek", ""),
        ("B 10MW DE H02-H03 2027-03-28 @ 1", 18, "2027-03-28", ""),
        ("B 10MW DE base 2027-02-30 @ 1", 15, "2027-02-30", "2027-03-28"),
        ("B 10MW DE base 2027-03-28..2027-03-01 @ 1", 15, "2027-03-28..2027-03-01",
         "2027-03-28..2027-04-02"),
        ("B 10MW DE base 9999 @ 1", 15, "9999", ""),
        ("B 10MW DE base 0001-01-01 @ 1", 15, "0001-01-01", ""),
        ("B 25MW PJM-W 5x16 Cal28 @ 2", 18, "Cal28", ""),  # holidays end with 2027
        ("B 1000bbl BRENT 2027-01-05 @ 80", 16, "2027-01-05", ""),
        ("B 10MW DE base Cal27 @ EPEX-DE-DB+1", 23, "EPEX-DE-DB+1", "EPEX-DE-DA"),
        ("B 10MW DE base Cal27 @ EPEX-DE-DA+1..5", 23, "EPEX-DE-DA+1..5", ""),
        ("B 10MW DE base Cal27 @ EPEX-DE-DA+1 USD", 36, "USD", ""),
        ("B 10MW DE base Cal27 @ 1_000", 23, "1_000", ""),
        ("B 10MW DE base Cal27 @ 1e3", 23, "1e3", ""),
        ("B 10MW DE base Cal27 @ 85 swop", 26, "swop", "swap"),
        ("B 10MW DE base Cal27 @ 85 swap:EPEX-DE", 31, "EPEX-DE", "EPEX-DE-DA"),
        ("B 10MW FR base Cal27 @ 85 swap", 26, "swap", ""),
        ("B 10MW DE base Cal27 @ EPEX-DE-DA swap", 34, "swap", ""),  # against itself
        ("B 10MW DE base Cal27 @ 85 fut:XEEE", 2, "10MW", ""),
        ("B 5lots DE base Cal27 @ 85 fut:ICE", 31, "ICE", ""),
        ("B 5lots DE base Cal27 @ EPEX-DE-DA fut:XEEE", 24, "EPEX-DE-DA", ""),
        ("B 5lots DE base Cal27 @ 85 fut:XEEE acct:a@b", 42, "@", ""),
        ("B 10MW DE base Cal27 @ 85 acct:A1", 31, "A1", ""),
        ("B 10MW DE base Cal27 @ 85 vintage:2026", 34, "2026", ""),
        ("B 10cert GO-EU 2027-03-31 @ 2 vintage:26", 38, "26", ""),
        ("B 10cert GO-EU 2027-03-31 @ 2 vintage:1999", 38, "1999", ""),
        ("B 10.5cert GO-EU 2027-03-31 @ 2", 2, "10.5cert", ""),
        ("B 10cert GO-EU Q1-27 @ 2", 15, "Q1-27", ""),
        ("B 20MWp DE base Q1-27 @ 50", 2, "20MWp", ""),
        ("B 41MWp DE base Q1-27 @ 50 asset:WIND-1", 2, "41MWp", ""),
        ("B 20MWp DE peak Q1-27 @ 50 asset:WIND-1", 11, "peak", ""),
        ("B 20MWp FR base Q1-27 @ 50 asset:WIND-1", 33, "WIND-1", ""),
        ("B 20MWp DE base Q1-27 @ 50 asset:WIND-2", 33, "WIND-2", "WIND-1"),
        ("B 20MWp DE base Q1-27 @ 50 asset:WIND-1 floor:5", 46, "5", ""),
        ("B 20MWp DE base Q1-27 @ EPEX-DE-DA asset:WIND-1 cap:x", 52, "x", ""),
        ("B 10MW DE base Cal27 @ 85 swap swap", 31, "swap", ""),
        ("B 10MW DE base Cal27 @ 85 pkg:%", 30, "%", ""),
        ("B 10MW DE base Cal27 @ 85 cpyt:ACME", 26, "cpyt:ACME", "cpty:"),
        ("B 10MW DE base Cal27 @ 85 cpty:ACMEE", 31, "ACMEE", "ACME"),
    ],
)  # fmt: skip
def test_an_error_points_at_the_word_and_offers_the_nearest(text, position, token, nearest):
    with pytest.raises(QuickTextError) as refused:
        parse(text, counterparties={"ACME"})

    error = refused.value
    assert (error.position, error.token, error.nearest) == (position, token, nearest), str(error)


@settings(deadline=None)
@given(with_text, st.sampled_from(["", "ACME"]), st.lists(st.sampled_from("abc"), max_size=2))
def test_reading_what_was_written_gives_the_same_deal(deal, code, tags):
    written = DealText(replace(deal, package_id=code), code, code, tuple(tags))

    assert parse(render_deal_text(written)) == written


@given(profile_deals())
def test_a_profile_has_no_line(deal):
    with pytest.raises(DealError, match="volume: "):
        render_deal_text(DealText(deal))


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("price", DealText(option(terms=call()))),
        ("fee", DealText(physical_forward(
            side=BUY, area=DE, period=SPRING, volume=mw("1"), price=D(1),
            fees=(Fee(Way.PAY, FeeKind.BROKER, D(1), "EUR"),)))),
        ("multiplier", DealText(index_forward(
            side=BUY, area=DE, period=SPRING, volume=mw("1"), index=DE_SPOT,
            multiplier=D("0.95")))),
        ("volume", DealText(profile_forward(
            side=BUY, area=DE, period=SPRING, profile=HALF_DAY, price=D(1)))),
        ("text", DealText(physical_forward(
            side=BUY, area=DE, period=SPRING, volume=mw("1"), price=D(1)), "two words")),
    ],
)  # fmt: skip
def test_what_has_no_line_is_refused_by_field(field, text):
    with pytest.raises(DealError) as refused:
        render_deal_text(text)
    assert refused.value.field == field


WORDS = [
    "B", "S", "10MW", "10", "MW", "5lots", "1000therm/d", "20MWp", "50000bbl", "7t", "3cert", "0MW",
    "DE", "FR", "TTF", "NBP", "BRENT", "EUA", "GO-EU", "LHI", "PJM-W", "GB-EFA", "base", "peak",
    "5x16", "efa3", "H08-H20", "HE01-HE24", "H24-H06", "Cal27", "Cal99", "Q1-27", "DA", "WE",
    "GY27", "2027-03-28", "9999-12-31", "0001-01-01", "1899-12-30", "2027-03-28..2027-04-02",
    "Cal28..Cal27", "..", "a..b", "@", "85.20", "-1", "1e9", "NaN", "99999999", "EPEX-DE-DA",
    "EPEX-DE-DA+1.5", "EPEX-DE-DA--1", "TTF-M1", "EUR", "XXX", "swap", "swap:EPEX-FR-DA", "swap:",
    "fut:XEEE", "fut:x", "acct:1", "asset:WIND-1", "floor:1", "cap:0", "cap:-9e9", "vintage:2026",
    "vintage:0", "reg:AIB", "pkg:p", "cpty:A", "tag:t", ":", "é", "１０MW", "\u0661", "\x00",
]  # fmt: skip
lines = st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join)
almost = st.tuples(
    st.sampled_from(["B", "S"]),
    st.sampled_from([w for w in WORDS if w[0].isdigit() and not w.startswith(("20", "9999"))]),
    st.sampled_from(["DE", "TTF", "NBP", "BRENT", "EUA", "GO-EU", "LHI", "PJM-W", "GB-EFA"]),
    st.sampled_from(["base", "peak", "H22-H06", "efa3", "5x16", "H02-H03"]),
    st.sampled_from(
        [w for w in WORDS if w[:2] in ("Ca", "Q1", "DA", "WE", "GY", "20", "99", "00")]
    ),
    st.just("@"),
    st.sampled_from(["85.20", "EPEX-DE-DA+1.5", "TTF-M1", "-0"]),
    st.lists(st.sampled_from([w for w in WORDS if ":" in w or w == "swap"]), max_size=4).map(
        " ".join
    ),
).map(" ".join)


@settings(deadline=None, max_examples=400)
@given(st.one_of(st.text(max_size=60), lines, almost))
def test_any_text_is_a_deal_or_a_refusal_that_points_inside_it(text):
    try:
        found = parse(text)
    except QuickTextError as error:
        assert 0 <= error.position <= len(text)
        assert text[error.position :].startswith(error.token)
    else:
        assert parse(render_deal_text(found)) == found


def test_the_example_of_the_ui_guide_has_its_numbers():
    found = parse("B 10MW DE base Cal27 @ 85.20 cpty:ACME book:EU tag:hedge")

    assert (found.counterparty_code, found.book_code, found.tags) == ("ACME", "EU", ("hedge",))
    assert deal_totals(found.deal).notional == Money(D("7463520.00"), "EUR")
