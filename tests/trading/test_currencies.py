"""A desk that reports in EUR deals in GBP power and USD gas; no sum mixes them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse

from energyopti.accounts.actors import Actor
from tests.factories.trades import RECEIVED_AT, TRADED_AT, deal_of_words, make_market
from tests.trading.valuation.desk import publish, valued_desk
from trading.models import (
    CaptureBasis,
    Commodity,
    PnlKind,
    PnlStep,
    PublicationPolicy,
    TradeValue,
    TradeVersion,
)
from trading.queries.blotter import selection_sums
from trading.queries.exchange import RateMissing, Rates, Reported, rate_history, reported
from trading.queries.positions import positions_of
from trading.queries.proposals import TradeInvalid
from trading.reference import FxRateTerms
from trading.services.capture_many import NewDeal, weigh_deals, write_deals
from trading.services.curve_definitions import define_curve
from trading.services.four_eyes import set_four_eyes
from trading.services.indices import book_fx_rates
from trading.services.lifecycle import amend_trade
from trading.services.pnl import explain_runs
from trading.services.rates import FxForwardDraft, book_fx_forwards
from trading.services.valuation import prove_run, value_organization

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
SYSTEM = Actor.system("test")
GB = "B 10MW GB base Cal27 @ 70 GBP"
GAS = "B 10lots HH Jan27 @ 4"
NOTIONAL = Decimal("6132000.00")  # 8,760 h × 10 MW × 70


@pytest.fixture
def desk():
    desk = valued_desk()
    gas, _ = Commodity.objects.get_or_create(
        code="GAS",
        defaults={"name": "Gas", "kind": "GAS", "delivery": "FLOW", "quantity_unit": "MMBtu"},
    )
    make_market("GB", time_zone="Europe/London", currency="GBP")
    make_market(
        "HH", time_zone="America/Chicago", currency="USD", commodity=gas, price_unit="MMBtu",
        day_start=timedelta(hours=9),
    )  # fmt: skip
    return desk


def rate(base, quote, number, *, at=TRADED_AT - timedelta(hours=2)):
    book_fx_rates(actor=SYSTEM, rates=[FxRateTerms(base, quote, at, "ecb", Decimal(number))])


def held(receipt):
    return TradeVersion.objects.get(trade__ref=receipt.ref)


def test_an_order_in_another_currency_needs_a_rate_to_the_books(desk):
    with pytest.raises(TradeInvalid, match="no exchange rate GBP/EUR is known at") as refused:
        desk.deal(GB)
    assert refused.value.field == "currency"
    rate("GBP", "EUR", "1.25", at=RECEIVED_AT + timedelta(seconds=1))  # not yet at the order
    with pytest.raises(TradeInvalid, match="GBP/EUR"):
        desk.deal(GB)
    rate("GBP", "EUR", "1.15")

    version = held(desk.deal(GB))

    assert (version.currency, version.notional) == ("GBP", NOTIONAL)
    assert {p.currency for p in positions_of([desk.book.pk])} == {"GBP"}
    stated = next(c for c in version.checks if c["check"] == "exchange_rate")
    assert stated["outcome"] == "PASS" and "in EUR at the spot of 1.15" in stated["reason"]
    assert not any(c["check"] == "exchange_rate" for c in held(desk.deal()).checks)


def test_a_deal_is_in_the_currency_of_its_market(desk):
    with pytest.raises(TradeInvalid, match="EUR: GB is priced in GBP") as refused:
        desk.deal("B 10MW GB base Cal27 @ 80 EUR")

    assert refused.value.field == "currency"


@pytest.mark.parametrize(("threshold", "status"), [("7000000", "PENDING"), ("7100000", "LIVE")])
def test_four_eyes_are_asked_for_by_what_a_deal_is_in_the_books_currency(desk, threshold, status):
    rate("EUR", "GBP", "0.8695652174")  # 1.15 the other way round: 7,051,800 EUR
    set_four_eyes(actor=desk.officer, book_id=desk.book.pk, amount=Decimal(threshold))

    receipt = desk.deal(GB)
    weighed = weigh_deals(
        actor=desk.again(desk.trader), received_at=RECEIVED_AT,
        deals=[
            NewDeal(deal_of_words(GB), CaptureBasis.ORDER, desk.book.pk, desk.counterparty.pk,
                    TRADED_AT - timedelta(hours=1), reason="on the phone")
        ],
    )  # fmt: skip

    assert receipt.status == status
    assert [str(one.status) for one in weighed] == [status]
    (together,) = write_deals(actor=desk.trader, weighed=weighed)
    assert next(c for c in held(together).checks if c["check"] == "exchange_rate")["unit"] == (
        "GBP/EUR"
    )


def test_an_executed_fact_is_booked_without_a_rate_and_says_what_is_missing(desk):
    version = held(desk.deal(GB, fill=True))

    stated = next(c for c in version.checks if c["check"] == "exchange_rate")
    assert stated["outcome"] == "SOFT" and "GBP/EUR is not known" in stated["reason"]
    with pytest.raises(RateMissing, match="GBP/EUR"):
        value_organization(
            actor=Actor.system("test"), organization_id=desk.organization.pk, as_of=RECEIVED_AT
        )


def test_a_fact_whose_delivery_had_begun_is_booked_whole_and_an_order_is_not(desk):
    words = "B 10MW DE base Nov26 @ 85"
    with pytest.raises(TradeInvalid, match="delivery had begun") as refused:
        desk.deal(words)
    assert refused.value.field == "period"

    receipt = desk.deal(words, fill=True)

    version = held(receipt)
    assert (version.hours, version.first_date) == (720, date(2026, 11, 1))
    # Its life goes on: an amendment does not stumble over the begin again.
    amend_trade(
        actor=desk.trader, ref=receipt.ref, expected_version=1, reason="price",
        deal=deal_of_words("B 10MW DE base Nov26 @ 84"), received_at=RECEIVED_AT,
    )  # fmt: skip


def test_values_stand_in_both_currencies_and_the_rates_change_is_a_step_of_its_own(desk):
    for code, at in (("GB", "Europe/London"), ("HH", "America/Chicago")):
        market = make_market(code, time_zone=at)
        define_curve(
            actor=SYSTEM, market=market, code="MARK",
            policy=PublicationPolicy(PublicationPolicy.AUTOMATIC),
        )  # fmt: skip
    rate("GBP", "EUR", "1.15")
    rate("EUR", "USD", "1.25")
    close = datetime(2026, 11, 20, 17, tzinfo=UTC)
    publish(make_market("GB"), {"Cal27": "72"}, at=close)
    publish(make_market("HH"), {"Jan27": "4.5"}, at=close)
    desk.deal(GB)
    desk.deal(GAS)
    first = value_organization(
        actor=Actor.system("test"),
        organization_id=desk.organization.pk,
        as_of=TRADED_AT + timedelta(hours=1),
    )
    # The pound falls by 5 %; of the dollar only a forward curve is known, whose spot counts.
    later = TRADED_AT + timedelta(hours=20)
    rate("GBP", "EUR", "1.0925", at=later)
    book_fx_forwards(
        actor=SYSTEM, base="EUR", quote="USD", valid_from=later, source="bank",
        drafts=[FxForwardDraft(date(2026, 11, 24), Decimal("1.2")),
                FxForwardDraft(date(2027, 11, 24), Decimal("1.3"))],
    )  # fmt: skip
    second = value_organization(
        actor=Actor.system("test"),
        organization_id=desk.organization.pk,
        as_of=later + timedelta(hours=1),
    )
    (report,) = explain_runs(
        actor=Actor.system("test"),
        opening=first,
        closing=second,
        day=date(2026, 11, 21),
        kind=PnlKind.FLASH,
    )

    def values(run):
        return {v.currency: v for v in TradeValue.objects.filter(run=run)}

    before, after = values(first), values(second)
    assert before["GBP"].unrealised == Decimal("175200.00")  # 87,600 MWh × 2 GBP
    assert before["GBP"].unrealised_reporting == Decimal("201480.00")
    assert before["USD"].unrealised == Decimal("50000.00")  # 100,000 MMBtu × 0.50 USD
    assert before["USD"].unrealised_reporting == Decimal("40000.00")
    assert after["USD"].unrealised_reporting == Decimal("41666.67")
    assert ["GBP", "EUR", "1.092500000000"] in second.inputs["rates"]
    steps = {
        step.currency: step.reporting for step in PnlStep.objects.filter(report=report, kind="FX")
    }
    assert steps == {"GBP": Decimal("-10074.00"), "USD": Decimal("1666.67")}
    assert report.total == Decimal("-8407.33")
    assert prove_run(first).is_same and prove_run(second).is_same


def test_sums_stand_by_currency_and_together_at_the_spot(desk, client):
    rate("GBP", "EUR", "1.15")
    ids = [desk.deal(words).trade_id for words in ("B 10MW DE base Cal27 @ 80", GB)]
    trader = desk.again(desk.trader)

    sums = selection_sums(trader, ids, spot_at=RECEIVED_AT)
    home = selection_sums(trader, ids[:1], spot_at=RECEIVED_AT)
    values = reported([("EUR", 10.004), ("GBP", -100.0)], "EUR", Rates(RECEIVED_AT))
    blind = selection_sums(trader, ids, spot_at=TRADED_AT - timedelta(days=9))

    assert dict(sums.notionals) == {"EUR": Decimal("7008000"), "GBP": NOTIONAL}
    assert sums.reported == (("Notional", Reported("EUR", Decimal("14059800.00"))),)
    assert home.reported == ()
    assert blind.reported == (("Notional", Reported("EUR", None, ("GBP/EUR",))),)
    assert values == Reported("EUR", Decimal("-105.00"))
    client.force_login(desk.trader.user)
    foot = client.get(reverse("trading:trade_selection"), {"select": ids}).content.decode()
    assert "Notional in EUR" in foot and "GBP" in foot


def test_the_history_of_a_pair_goes_by_its_inverse_or_a_third_currency_and_grows_stale():
    day = datetime(2026, 11, 9, 16, tzinfo=UTC)
    rate("USD", "EUR", "0.8", at=day)
    rate("GBP", "USD", "1.5", at=day - timedelta(days=2))
    rate("GBP", "USD", "1.4", at=day - timedelta(days=1))

    found = rate_history(["GBP", "EUR"], start=day, end=day + timedelta(days=20))

    assert found.on("EUR", "USD", day.date()) == 1.25
    assert found.on("GBP", "EUR", day.date()) == pytest.approx(1.12)
    assert found.on("GBP", "EUR", day.date() - timedelta(days=1)) is None  # no USD/EUR yet
    assert found.on("GBP", "EUR", day.date() + timedelta(days=6)) == pytest.approx(1.12)
    assert found.on("GBP", "EUR", day.date() + timedelta(days=7)) is None  # GBP/USD is stale
    now, later = Rates(day), Rates(day + timedelta(days=7))
    assert now.of("GBP", "EUR") == later.of("GBP", "EUR") == Decimal("1.12")
    assert (now.stale(), later.stale()) == (
        [], ["GBP/EUR: the latest exchange rate is of 2026-11-08."]
    )  # fmt: skip
