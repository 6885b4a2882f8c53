"""Arbitrage between quotes is named with both sides and the money, and resolved by the rule."""

from datetime import UTC, datetime

import pytest

from tests.trading.curves.factories import BERLIN, eex_loads, quote
from trading.curves import (
    CurveError,
    CurveQuote,
    QuoteQuality,
    bootstrap,
    bootstrap_within_bands,
    contract_interval,
)

MORNING = datetime(2026, 11, 20, 9, tzinfo=UTC)
EVENING = datetime(2026, 11, 20, 17, tzinfo=UTC)


def test_year_against_its_quarters_names_the_hedge_and_the_money():
    quarters = [quote(f"Q{n}-27", price) for n, price in enumerate((90.0, 60.0, 62.0, 88.0), 1)]

    curve = bootstrap([quote("Cal27", 76.0), *quarters], calendar=BERLIN)

    (conflict,) = curve.conflicts
    implied = (90 * 2159 + 60 * 2184 + 62 * 2208 + 88 * 2209) / 8760
    assert conflict.against == ("Q1-27", "Q2-27", "Q3-27", "Q4-27")
    assert [leg.megawatts for leg in conflict.replicated_by] == pytest.approx([1.0] * 4)
    assert conflict.amount == pytest.approx(76.0 - implied, abs=1e-9)
    assert conflict.profit == pytest.approx((76.0 - implied) * 8760, abs=1e-5)
    assert str(conflict).endswith("selling 1 MW of it against them earns 9,122.00")


def test_base_against_peak_and_off_peak_is_found():
    quotes = [
        quote("Mar27", 60.0),
        quote("Mar27", 75.0, load="PEAK"),
        quote("Mar27", 50.0, load="OFFPEAK"),
    ]

    curve = bootstrap(quotes, calendar=BERLIN, loads=eex_loads())

    (conflict,) = curve.conflicts
    implied = (75.0 * 276 + 50.0 * 467) / 743
    assert conflict.quote.name == "Mar27"
    assert set(conflict.against) == {"Mar27 PEAK", "Mar27 OFFPEAK"}
    assert conflict.implied == pytest.approx(implied, abs=1e-9)
    assert conflict.profit == pytest.approx(60.0 * 743 - implied * 743, abs=1e-6)


def test_no_two_of_them_overlap_wholly_but_four_contradict():
    # given Jan+Feb, Feb+Mar and Feb, which imply Q1
    def span(first, last, price):
        start, end = contract_interval(first, BERLIN), contract_interval(last, BERLIN)
        return CurveQuote(f"{first}+{last}", type(start)(start.start, end.end), price)

    quotes = [
        span("Jan27", "Feb27", 80.0),
        span("Feb27", "Mar27", 70.0),
        quote("Feb27", 90.0),
        quote("Q1-27", 70.0),
    ]

    curve = bootstrap(quotes, calendar=BERLIN)

    (conflict,) = curve.conflicts
    legs = {leg.quote.name: leg.megawatts for leg in conflict.replicated_by}
    assert conflict.quote.name == "Q1-27"
    assert legs == pytest.approx({"Jan27+Feb27": 1.0, "Feb27+Mar27": 1.0, "Feb27": -1.0})
    implied = (80 * 1416 + 70 * 1415 - 90 * 672) / 2159
    assert conflict.implied == pytest.approx(implied, abs=1e-9)


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        # same contract: better quality, whenever made
        (
            {"quality": QuoteQuality.SETTLEMENT, "valid_from": MORNING},
            {"quality": QuoteQuality.SIMULATED, "valid_from": EVENING},
            80.0,
        ),
        (
            {"quality": QuoteQuality.SIMULATED, "valid_from": MORNING},
            {"quality": QuoteQuality.INDICATIVE, "valid_from": MORNING},
            81.0,
        ),
        # same quality: the later made
        ({"valid_from": MORNING}, {"valid_from": EVENING}, 81.0),
        # one with an instant is later than one without
        ({}, {"valid_from": MORNING}, 81.0),
    ],
)
def test_one_contract_quoted_twice(first, second, kept):
    quotes = [quote("Cal27", 80.0, **first), quote("Cal27", 81.0, **second)]

    curve = bootstrap(quotes, calendar=BERLIN)

    assert [q.price for q in curve.quotes] == [kept]
    (conflict,) = curve.conflicts
    assert abs(conflict.amount) == pytest.approx(1.0)
    assert conflict.profit == pytest.approx(8760.0)


def test_a_finer_contract_wins_over_a_better_one():
    months = [
        quote(code, 90.0, quality=QuoteQuality.SIMULATED) for code in ("Jan27", "Feb27", "Mar27")
    ]

    curve = bootstrap([*months, quote("Q1-27", 80.0)], calendar=BERLIN)

    assert [item.quote.name for item in curve.conflicts] == ["Q1-27"]


def test_among_base_peak_and_off_peak_the_worst_quality_yields():
    quotes = [
        quote("Mar27", 60.0),
        quote("Mar27", 75.0, load="PEAK"),
        quote("Mar27", 50.0, load="OFFPEAK", quality=QuoteQuality.SIMULATED),
    ]

    curve = bootstrap(quotes, calendar=BERLIN, loads=eex_loads())

    assert [item.quote.name for item in curve.conflicts] == ["Mar27 OFFPEAK"]


def test_bands_that_touch_are_no_conflict():
    quarters = [
        quote(f"Q{n}-27", price, bid=price - 0.5, ask=price + 0.5)
        for n, price in enumerate((90.0, 60.0, 62.0, 88.0), 1)
    ]
    year = quote("Cal27", 75.5, bid=75.2, ask=75.8)

    banded = bootstrap_within_bands([*quarters, year], calendar=BERLIN)

    assert banded.conflicts == ()
    for item in [*quarters, year]:
        price = banded.curve.average(item.interval)
        assert item.bid - 0.01 <= price <= item.ask + 0.01
    # four quarters imply 74.945; the least squares move each of them up
    assert [before.name for before, _ in banded.moved] == ["Q1-27", "Q2-27", "Q3-27", "Q4-27"]
    assert all(after.price > before.price for before, after in banded.moved)


def test_bands_apart_are_a_conflict_of_what_is_left_between_them():
    quarters = [
        quote(f"Q{n}-27", price, bid=price - 0.5, ask=price + 0.5)
        for n, price in enumerate((90.0, 60.0, 62.0, 88.0), 1)
    ]
    year = quote("Cal27", 77.0, bid=76.5, ask=77.5)

    banded = bootstrap_within_bands([*quarters, year], calendar=BERLIN)

    (conflict,) = banded.conflicts
    highest = (90.5 * 2159 + 60.5 * 2184 + 62.5 * 2208 + 88.5 * 2209) / 8760
    assert conflict.quote.name == "Cal27"
    assert conflict.implied == pytest.approx(highest, abs=1e-6)
    assert banded.moved == ()
    assert [q.price for q in banded.curve.quotes] == [90.0, 60.0, 62.0, 88.0]


def test_without_bands_they_are_the_plain_bootstrap():
    quotes = [quote("Jan27", 90.0), quote("Q1-27", 80.0), quote("Cal27", 75.0)]

    banded = bootstrap_within_bands(quotes, calendar=BERLIN)

    plain = bootstrap(quotes, calendar=BERLIN)
    assert banded.curve.prices.tolist() == plain.prices.tolist()
    assert (banded.moved, banded.redundant, banded.conflicts) == ((), (), ())


def test_a_price_outside_its_band_is_refused():
    with pytest.raises(CurveError, match=r"price: Cal27 is 80, outside its band 81 to 82"):
        quote("Cal27", 80.0, bid=81.0, ask=82.0)
