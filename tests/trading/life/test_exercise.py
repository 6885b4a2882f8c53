"""Options in the desk: exercised by notice, fixed by the clock, or lapsed; each period once."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from guardian.shortcuts import assign_perm

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.events.models import Event
from energyopti.foundation.money import Side
from tests.factories.trades import make_book, make_desk, make_market
from tests.factories.trading import make_prices
from trading import deals
from trading.deals import REFERENCE_INDICES, REFERENCE_MARKETS, OptionStyle, OptionType
from trading.models import Counterparty, OptionOutcome, PriceIndex, Trade, TradeVersion
from trading.queries.deals import deal_of
from trading.queries.positions import positions_of_trade
from trading.queries.proposals import TradeInvalid
from trading.services.capture import capture_mirror
from trading.services.exercise import decide_options, exercise_option, undecided_options
from trading.services.life import StaleVersion, TransitionForbidden
from trading.services.maturity import mature_trades

pytestmark = pytest.mark.django_db

DE, INDEX = REFERENCE_MARKETS["DE"], REFERENCE_INDICES["EPEX-DE-DA"]
CLOCK = Actor.system("beat")
# Delivery days in December; traded on 20 November at 18:00.
TWO_DAYS = DatePeriod(date(2026, 12, 1), date(2026, 12, 3))
START = datetime(2026, 11, 30, 23, tzinfo=UTC)
END = START + timedelta(days=2)
EXPIRY = datetime(2026, 11, 27, 11, tzinfo=UTC)
RECEIVED = EXPIRY - timedelta(hours=1)


@pytest.fixture
def desk():
    desk = make_desk()
    PriceIndex.objects.create(
        code="EPEX-DE-DA", market=desk.market, name="Day-ahead", currency="EUR", price_unit="MWh",
        frequency="PERIOD", publication_time="12:45", source="EPEX",
    )  # fmt: skip
    return desk


def terms(**changes):
    found = {
        "direction": deals.Direction.RECEIVE,
        "schedule": deals.Schedule(DE, TWO_DAYS, deals.Volume.mw(D(10))),
        "style": OptionStyle.EUROPEAN, "option_type": OptionType.CALL, "underlying": (INDEX,),
        "strikes": (D(90),), "expiry": EXPIRY, "premium": D("2.50"),
        "settlement": deals.Settlement.PHYSICAL,
    }  # fmt: skip
    return deals.option(terms=deals.Option(**{**found, **changes}))


def bought(desk, **changes):
    return desk.deal(deal=terms(**changes))


def exercised(desk, receipt, **changes):
    arguments = {
        "actor": desk.trader, "ref": receipt.ref, "expected_version": 1, "received_at": RECEIVED,
    }  # fmt: skip
    return exercise_option(**{**arguments, **changes})


def spot(desk, values, start=START):
    return make_prices(desk.market, start, [str(value) for value in values])


def test_an_exercised_call_becomes_the_forward_at_its_strike(desk):
    receipt = bought(desk)

    done = exercised(desk, receipt)

    assert done.status == "MATURED"
    outcome = OptionOutcome.objects.get(trade__ref=receipt.ref)
    forward = outcome.result
    assert (outcome.kind, outcome.cash, outcome.amount) == ("EXERCISED", 0, 480)
    assert (forward.replaces.ref, forward.status, forward.basis) == (receipt.ref, "LIVE", "FILL")
    version = TradeVersion.objects.get(trade=forward)
    assert (version.side, version.price, version.energy_mwh) == ("BUY", D(90), D(480))
    assert version.traded_at == RECEIVED
    (position,) = positions_of_trade(forward.pk)
    assert (position.exposure, position.fixed) == (D(10), D(900))
    told = set(Event.objects.filter(aggregate_id=receipt.ref).values_list("type", flat=True))
    assert {"trade.exercised", "option.exercised"} <= told


def test_a_written_put_that_is_exercised_makes_us_buy(desk):
    receipt = bought(desk, direction=deals.Direction.PAY, option_type=OptionType.PUT)

    exercised(desk, receipt)

    version = TradeVersion.objects.get(trade__replaces__ref=receipt.ref)
    assert deal_of(version).side is Side.BUY


def test_an_exercise_is_not_lost_and_not_done_twice(desk):
    receipt = bought(desk)
    exercised(desk, receipt)

    with pytest.raises(StaleVersion):
        exercised(desk, receipt)
    with pytest.raises(TransitionForbidden):
        exercised(desk, receipt, expected_version=2)

    assert Trade.objects.filter(replaces__ref=receipt.ref).count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"received_at": EXPIRY - timedelta(days=2)}, "exercised_at"),
        ({"exercised_at": EXPIRY + timedelta(minutes=1)}, "exercised_at"),
        ({"received_at": EXPIRY + timedelta(hours=2)}, "reason"),
        ({"received_at": EXPIRY + timedelta(hours=2), "reason": "told late"}, "exercised_at"),
    ],
)
def test_notice_out_of_time_is_refused_by_field_and_changes_nothing(desk, changes, field):
    receipt = bought(desk)

    with pytest.raises(TradeInvalid) as refused:
        exercised(desk, receipt, **changes)

    assert refused.value.field == field
    assert not OptionOutcome.objects.exists()
    assert Trade.objects.count() == 1


@pytest.mark.parametrize(
    ("exercised_at", "words"),
    [
        (RECEIVED.replace(tzinfo=None), "needs a UTC offset"),
        (RECEIVED + timedelta(seconds=1), "lies in the future"),
        (datetime(2026, 11, 20, 17, 59, tzinfo=UTC), "is before the option was traded"),
        (RECEIVED, "there is no settlement price of that time"),
    ],
)
def test_notice_of_an_option_in_cash_says_why_it_is_refused(desk, exercised_at, words):
    receipt = bought(desk, style=OptionStyle.AMERICAN, settlement=deals.Settlement.CASH)

    with pytest.raises(TradeInvalid, match=words) as refused:
        exercised(desk, receipt, exercised_at=exercised_at)

    assert refused.value.field == "exercised_at"
    assert not OptionOutcome.objects.exists()
    assert Trade.objects.get(ref=receipt.ref).status == "LIVE"


def test_a_notice_that_was_given_in_time_may_be_recorded_late_with_a_reason(desk):
    receipt = bought(desk)

    exercised(
        desk, receipt, received_at=EXPIRY + timedelta(hours=2), exercised_at=EXPIRY,
        reason="by phone, recorded after the call",
    )  # fmt: skip

    assert OptionOutcome.objects.get().decided_at == EXPIRY


def test_who_may_not_deal_may_not_exercise(desk):
    receipt = bought(desk)

    with pytest.raises(PermissionMissing):
        exercised(desk, receipt, actor=desk.officer)


def test_a_forward_has_nothing_to_exercise(desk):
    receipt = desk.deal()

    with pytest.raises(TradeInvalid, match="no option"):
        exercised(desk, receipt)


def test_an_internal_option_is_exercised_in_both_books(desk):
    other = make_book(desk.organization, "OPT")
    for level in ("view_book", "trade_book"):
        assign_perm(f"trading.{level}", desk.trader.user, other)
    desk.trader = desk.again(desk.trader)
    Counterparty.objects.filter(pk=desk.counterparty.pk).update(is_internal=True)
    ours, theirs = desk.deal(
        deal=terms(premium=D(0)), mirror_book_id=other.pk, package_id="INT-1", verb=capture_mirror
    )

    exercised(desk, ours)

    made = {t.replaces.ref: t for t in Trade.objects.filter(replaces__isnull=False)}
    assert made.keys() == {ours.ref, theirs.ref}
    assert made[ours.ref].mirror_id == made[theirs.ref].pk
    assert made[ours.ref].book_id != made[theirs.ref].book_id


def test_what_nobody_exercised_lapses_when_it_expires(desk):
    receipt = bought(desk)

    early = decide_options(actor=CLOCK, as_of=EXPIRY - timedelta(seconds=1))
    over = decide_options(actor=CLOCK, as_of=EXPIRY)
    again = decide_options(actor=CLOCK, as_of=EXPIRY + timedelta(days=1))

    assert (early.lapsed, over.lapsed, again.lapsed) == (0, 1, 0)
    outcome = OptionOutcome.objects.get(trade__ref=receipt.ref)
    assert (outcome.kind, outcome.cash, outcome.result) == ("LAPSED", 0, None)
    latest = TradeVersion.objects.filter(trade__ref=receipt.ref).latest("version")
    assert (latest.event, latest.status) == ("EXPIRE", "MATURED")


def test_the_clock_alone_decides(desk):
    with pytest.raises(PermissionMissing):
        decide_options(actor=desk.officer, as_of=EXPIRY)


def test_a_cap_is_fixed_and_paid_by_month_once_its_prices_are_all_there(desk):
    months = DatePeriod(date(2026, 12, 1), date(2027, 2, 1))
    receipt = bought(
        desk, option_type=OptionType.CAP, settlement=deals.Settlement.CASH,
        schedule=deals.Schedule(DE, months, deals.Volume.mw(D(10))),
        expiry=datetime(2027, 1, 31, 23, tzinfo=UTC),
    )  # fmt: skip
    after = datetime(2027, 1, 2, tzinfo=UTC)
    spot(desk, [100] * 743)  # of 744 hours

    waits = decide_options(actor=CLOCK, as_of=after)
    spot(desk, [130], START + timedelta(hours=743))
    fixed = decide_options(actor=CLOCK, as_of=after)
    again = decide_options(actor=CLOCK, as_of=after)

    assert (waits.fixed, fixed.fixed, again.fixed) == (0, 1, 0)
    outcome = OptionOutcome.objects.get(trade__ref=receipt.ref)
    # The mean is (743 × 100 + 130) / 744; above 90 by 10 + 30 / 744, for 7,440 MWh.
    assert outcome.cash == D("74700.00")
    assert outcome.payoff == D("10.040323")
    assert outcome.due_date > date(2026, 12, 31)
    assert Trade.objects.get(ref=receipt.ref).status == "LIVE"


def test_an_average_settles_over_its_delivery_and_then_the_trade_is_over(desk):
    receipt = bought(
        desk, style=OptionStyle.ASIAN, settlement=deals.Settlement.CASH, expiry=END,
        direction=deals.Direction.PAY,
    )  # fmt: skip
    spot(desk, [80] * 24 + [120] * 24)

    assert undecided_options(END - timedelta(hours=1)) == []
    decide_options(actor=CLOCK, as_of=END)

    outcome = OptionOutcome.objects.get(trade__ref=receipt.ref)
    assert outcome.cash == D("-4800.00")  # we wrote it: 480 MWh × (100 − 90)
    assert outcome.prices == ["100.000000"]
    assert Trade.objects.get(ref=receipt.ref).status == "MATURED"


def test_an_option_does_not_settle_while_a_price_of_it_is_missing(desk):
    receipt = bought(desk, style=OptionStyle.ASIAN, settlement=deals.Settlement.CASH, expiry=END)
    spot(desk, [80] * 24)
    late = END + timedelta(days=60)
    mature_trades(actor=CLOCK, as_of=late)

    decide_options(actor=CLOCK, as_of=late)
    mature_trades(actor=CLOCK, as_of=late)
    waited = Trade.objects.get(ref=receipt.ref).status
    spot(desk, [120] * 24, START + timedelta(days=1))
    decide_options(actor=CLOCK, as_of=late)
    mature_trades(actor=CLOCK, as_of=late)

    assert waited == "MATURED"
    assert Trade.objects.get(ref=receipt.ref).status == "SETTLED"
    assert OptionOutcome.objects.get().cash == D("4800.00")


def test_the_floor_of_a_power_purchase_agreement_is_settled_interval_by_interval(desk):
    hours = deals.Profile.of_mw(60, [D(n % 24) for n in range(48)])
    agreement = deals.ppa(
        side=Side.BUY, area=DE, period=TWO_DAYS, expected=hours, index=INDEX, floor=D(30),
        asset=deals.AssetShare("SOLAR-1", D(40), D(23)),
    )  # fmt: skip
    receipt = desk.deal(deal=agreement)
    # Cheap when it produces most: every interval counts by itself.
    prices = [D(40) - n % 24 for n in range(48)]
    spot(desk, prices)

    decide_options(actor=CLOCK, as_of=END)

    owed = sum(max(30 - price, D(0)) * (n % 24) for n, price in enumerate(prices))
    assert OptionOutcome.objects.get(trade__ref=receipt.ref).cash == -owed


@time_machine.travel(RECEIVED, tick=False)
def test_the_page_offers_what_may_be_exercised_and_shows_what_became_of_it(desk):
    receipt = bought(desk, style=OptionStyle.AMERICAN, expiry=START - timedelta(hours=1))
    capped = bought(desk, option_type=OptionType.CAP, settlement=deals.Settlement.CASH, expiry=END)
    client = Client()
    client.force_login(desk.trader.user)
    address = reverse("trading:trade_verb", args=[receipt.ref, "exercise"])

    assert address in client.get(reverse("trading:trade", args=[receipt.ref])).text
    page = client.get(reverse("trading:trade", args=[capped.ref])).text
    assert reverse("trading:trade_verb", args=[capped.ref, "exercise"]) not in page
    done = client.post(address, {"expected_version": "1", "reason": ""}, follow=True)

    assert done.status_code == 200
    result = Trade.objects.get(replaces__ref=receipt.ref)
    assert result.ref in done.text
    assert "Exercised" in done.text
    shown = client.get(reverse("trading:trade", args=[result.ref])).text
    assert "Made by exercise of" in shown


@time_machine.travel(RECEIVED - timedelta(days=3), tick=False)
def test_the_page_says_why_an_exercise_is_refused(desk):
    receipt = bought(desk, expiry=START - timedelta(hours=1))
    client = Client()
    client.force_login(desk.trader.user)

    refused = client.post(
        reverse("trading:trade_verb", args=[receipt.ref, "exercise"]),
        {"expected_version": "1", "exercised_at": "2026-11-23T10:00"},
    )

    assert refused.status_code == 422
    assert "no day of exercise" in refused.text
    assert Trade.objects.get(ref=receipt.ref).status == "LIVE"


@time_machine.travel(RECEIVED, tick=False)
def test_rest_exercises_and_tells_the_outcome(desk):
    receipt = bought(desk)
    client = Client()
    client.force_login(desk.trader.user)
    address = f"/api/v1/trading/trades/{receipt.ref}"

    def exercise(**body):
        return client.post(
            f"{address}/exercise", body, content_type="application/json",
            headers={"If-Match": '"1"'},
        )  # fmt: skip

    refused = exercise(exercised_at="2026-11-25T10:00:00Z")
    done = exercise()

    assert (refused.status_code, refused.json()["code"]) == (400, "trade_invalid")
    assert "exercised_at: is no day of exercise" in refused.json()["detail"]
    assert done.status_code == 200, done.json()
    (outcome,) = done.json()["outcomes"]
    assert (outcome["kind"], outcome["amount"]) == ("EXERCISED", "480.000000")
    assert outcome["result"] == Trade.objects.get(replaces__ref=receipt.ref).ref
    assert done.json()["status"] == "MATURED"


def test_two_markets_of_a_spread_settle_at_their_own_means(desk):
    make_market("FR", time_zone="Europe/Paris")
    french = PriceIndex.objects.create(
        code="EPEX-FR-DA", market=make_market("FR"), name="Day-ahead FR", currency="EUR",
        price_unit="MWh", frequency="PERIOD", publication_time="12:45", source="EPEX",
    )  # fmt: skip
    receipt = bought(
        desk, option_type=OptionType.SPREAD_CALL, settlement=deals.Settlement.CASH, expiry=END,
        underlying=(INDEX, REFERENCE_INDICES["EPEX-FR-DA"]), strikes=(D(5),),
    )  # fmt: skip
    spot(desk, [100] * 48)
    make_prices(french.market, START, ["88"] * 48)

    decide_options(actor=CLOCK, as_of=END)

    outcome = OptionOutcome.objects.get(trade__ref=receipt.ref)
    assert outcome.prices == ["100.000000", "88.000000"]
    assert outcome.cash == D("3360.00")  # 480 MWh × (12 − 5)
