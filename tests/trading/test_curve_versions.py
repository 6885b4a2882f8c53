"""Curves from overlapping quotes of three markets: built, published, corrected, built again."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from django.core.management import call_command

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.roles import Role
from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.events.models import Event
from tests.factories.accounts import make_organization, make_user
from tests.factories.curves import CLOSE, QUOTES, SYSTEM, four_eyes, quote, three_markets
from trading.curves import CurveError, contract_interval
from trading.models import (
    CurveMethod,
    CurvePoint,
    CurveStatus,
    Market,
    PublicationPolicy,
    Quote,
)
from trading.queries.curve_terms import EditRefused
from trading.queries.curve_versions import prove, rebuilt
from trading.queries.curves import NoCurve
from trading.queries.marks import NoMark, month_marks
from trading.services.curve_definitions import CurveRefused, define_curve
from trading.services.curve_publication import (
    StaleCurve,
    approve_version,
    reject_version,
    submit_version,
)
from trading.services.curves import build_version, edit_node
from trading.services.quotes import QuoteRefused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
AT = datetime(2026, 11, 20, 18, tzinfo=UTC)


@pytest.fixture
def people():
    """A trader and a risk officer of the operating company, and an officer of no company."""
    company = make_organization()
    return (
        Actor.for_user(make_user(Role.TRADER, organization=company)),
        Actor.for_user(make_user(Role.RISK_OFFICER, organization=company)),
        Actor.for_user(make_user(Role.RISK_OFFICER)),
    )


def published(trader, officer, definition, as_of=CLOSE):
    version = build_version(actor=trader, definition=definition, as_of=as_of, reason="close")
    submit_version(actor=trader, version=version)
    return approve_version(actor=officer, version=version, reason="looks right")


@pytest.mark.parametrize("method", [CurveMethod.FLAT, CurveMethod.MAXIMUM_SMOOTHNESS])
def test_three_markets_are_published_corrected_republished_and_both_are_built_again(people, method):
    trader, officer, _ = people
    for code, market in three_markets().items():
        quote(market)
        definition = four_eyes(market, method)
        first = published(trader, officer, definition)
        finest = ("Jan27", "BASE") if code == "DE" else ("Apr27", "BASE")
        if code == "PJM":
            finest = ("Jan27", "5X16")
        correction = quote(market, {finest: "70.00"})
        second = published(trader, officer, definition)

        assert (correction.new, correction.corrected) == (0, 1)
        assert (first.number, second.number) == (1, 2)
        first.refresh_from_db()
        assert (first.status, second.status) == (CurveStatus.SUPERSEDED, CurveStatus.PUBLISHED)
        assert first.snapshot.content_hash != second.snapshot.content_hash
        for version, price in ((first, float(QUOTES[code][finest])), (second, 70.0)):
            proof = prove(version)
            assert proof.is_same, (code, version.number)
            again = rebuilt(version.snapshot)
            assert again.average(
                contract_interval(finest[0], market.calendar), finest[1]
            ) == pytest.approx(price, abs=1e-9)
            taken = {q.id: q for q in again.quotes}
            for key in version.snapshot.quote_ids:
                row = taken[key]
                assert again.average(row.delivery, row.load) == pytest.approx(
                    float(row.value), abs=1e-9
                )
        assert month_marks(as_of=CLOSE, known_at=second.published_at)[market.pk].version == 2
        before = second.published_at - timedelta(microseconds=1)
        assert month_marks(as_of=CLOSE, known_at=before)[market.pk].version == 1


def test_a_conflict_is_named_with_its_amount_and_the_finer_contract_wins():
    market = three_markets()["DE"]
    quote(market)

    version = build_version(actor=SYSTEM, definition=four_eyes(market), as_of=CLOSE)

    (left,) = version.snapshot.left_out
    hours = float(contract_interval("Cal27", market.calendar).hours)
    quarters = {c: p for (c, load), p in QUOTES["DE"].items() if c[0] == "Q" and load == "BASE"}
    implied = sum(
        float(p) * float(contract_interval(c, market.calendar).hours) for c, p in quarters.items()
    )
    assert (left["contract"], left["load"], left["is_conflict"]) == ("Cal27", "BASE", True)
    assert left["amount"] == pytest.approx(88.50 - implied / hours, abs=1e-9)
    assert left["profit"] == pytest.approx(abs(left["amount"]) * hours)
    assert version.snapshot.conflicts == [left["text"]]
    assert left["quote_id"] not in version.snapshot.quote_ids


def test_marks_price_base_peak_and_off_peak_of_a_month_without_arbitrage(people):
    trader, officer, _ = people
    market = three_markets()["DE"]
    quote(market)
    published(trader, officer, four_eyes(market))

    marks = month_marks(as_of=CLOSE)[market.pk]

    january = date(2027, 1, 1)
    assert marks.price(january) == pytest.approx(101.75)
    assert marks.price(january, "PEAK") == pytest.approx(126.40)
    hours = {load: marks.hours[load][january] for load in ("BASE", "PEAK", "OFFPEAK")}
    # January 2027 has 21 working days.
    assert hours == {"BASE": 744.0, "PEAK": 21 * 12.0, "OFFPEAK": 744 - 21 * 12.0}
    assert (
        pytest.approx(hours["PEAK"] * 126.40 + hours["OFFPEAK"] * marks.price(january, "OFFPEAK"))
        == 744 * 101.75
    )
    assert marks.price(date(2029, 1, 1), "PEAK") is marks.price(date(2029, 1, 1)) is None
    assert marks.price(january, "NIGHT") is None


def test_base_quotes_alone_say_nothing_of_peak():
    market = three_markets()["DE"]
    quote(market, {("Cal27", "BASE"): "88.50"})
    define_curve(
        actor=SYSTEM, market=market, code="A", policy=PublicationPolicy(PublicationPolicy.AUTOMATIC)
    )
    build_version(actor=SYSTEM, definition=market.curve_definitions.get(), as_of=CLOSE)

    marks = month_marks(as_of=CLOSE)[market.pk]

    assert marks.price(date(2027, 1, 1)) == pytest.approx(88.5)
    assert marks.price(date(2027, 1, 1), "PEAK") is None


def test_a_profile_is_priced_by_the_hours_it_delivers(people):
    trader, officer, _ = people
    market = three_markets()["DE"]
    quote(market)
    published(trader, officer, four_eyes(market))
    marks = month_marks(as_of=CLOSE)[market.pk]
    march = DatePeriod.months(2027, 3)

    prices = marks.period_prices(march, minutes=15)

    assert prices.shape == (743 * 4,)
    flat = np.ones(743 * 4)
    assert marks.profile_price(march, flat, minutes=15) == pytest.approx(
        marks.price(date(2027, 3, 1)), abs=1e-9
    )
    peak = np.isclose(prices, marks.price(date(2027, 3, 1), "PEAK")).astype(float)
    assert peak.sum() == 23 * 12 * 4
    assert marks.profile_price(march, peak, minutes=15) == pytest.approx(
        marks.price(date(2027, 3, 1), "PEAK"), abs=1e-9
    )
    with pytest.raises(NoMark):
        marks.period_prices(DatePeriod.months(2031, 3), minutes=60)
    with pytest.raises(NoMark, match="zero"):
        marks.profile_price(march, flat * 0, minutes=15)
    with pytest.raises(ValueError, match="periods"):
        marks.profile_value(march, flat[1:], minutes=15)


def test_an_edited_node_is_kept_with_reason_and_needs_a_second_person(people):
    trader, officer, _ = people
    market = three_markets()["DE"]
    quote(market)
    first = published(trader, officer, four_eyes(market))

    draft = edit_node(
        actor=trader, version=first, contract="Mar27", load="BASE", price=91.0,
        reason="thin trading",
    )  # fmt: skip

    (edit,) = draft.snapshot.edits
    assert draft.status == CurveStatus.DRAFT and draft.edited_from == first
    assert edit["price"] == 91.0 and edit["reason"] == "thin trading"
    assert edit["was"] == pytest.approx(
        month_marks(as_of=CLOSE)[market.pk].price(date(2027, 3, 1)), abs=1e-9
    )
    assert edit["actor_id"] == trader.id
    assert prove(draft).is_same
    # With January and February, March decides what the quarter is: the quote is left out now.
    assert [x["contract"] for x in draft.snapshot.left_out if x["load"] == "BASE"] == [
        "Q1-27", "Cal27"
    ]  # fmt: skip
    submit_version(actor=officer, version=draft)
    with pytest.raises(CurveRefused, match="approver"):
        approve_version(actor=officer, version=draft)
    approve_version(actor=Actor.system("second"), version=draft)
    assert month_marks(as_of=CLOSE)[market.pk].price(date(2027, 3, 1)) == pytest.approx(91.0)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"reason": " "}, "reason"),
        ({"price": float("nan")}, "price"),
        ({"contract": "Cal40"}, "contract"),
        # Its four quarters are quoted.
        ({"contract": "Cal27"}, "finer"),
    ],
)
def test_edits_that_cannot_be_are_refused(changes, word):
    market = three_markets()["DE"]
    quote(market)
    version = build_version(actor=SYSTEM, definition=four_eyes(market), as_of=CLOSE)
    terms = {"contract": "Mar27", "load": "BASE", "price": 90.0, "reason": "thin"}

    with pytest.raises(EditRefused, match=word):
        edit_node(actor=SYSTEM, version=version, **{**terms, **changes})
    assert version.definition.versions.count() == 1


def test_who_built_or_submitted_cannot_approve_and_states_are_kept(people):
    trader, officer, stranger = people
    market = three_markets()["DE"]
    quote(market)
    definition = four_eyes(market)
    version = build_version(actor=officer, definition=definition, as_of=CLOSE)

    with pytest.raises(CurveRefused, match="status"):
        approve_version(actor=SYSTEM, version=version)
    submit_version(actor=trader, version=version)
    with pytest.raises(CurveRefused, match="approver"):
        approve_version(actor=officer, version=version)
    with pytest.raises(PermissionMissing):
        approve_version(actor=trader, version=version)
    with pytest.raises(PermissionMissing):
        approve_version(actor=stranger, version=version)
    with pytest.raises(CurveRefused, match="reason"):
        reject_version(actor=SYSTEM, version=version, reason="")
    with pytest.raises(StaleCurve):
        approve_version(actor=SYSTEM, version=version, expected_status="DRAFT")
    reject_version(actor=SYSTEM, version=version, reason="peak is off")
    with pytest.raises(CurveRefused, match="status"):
        submit_version(actor=trader, version=version)

    assert month_marks(as_of=CLOSE) == {}
    assert list(
        Event.objects.filter(aggregate_type="curve").order_by("id").values_list("type", flat=True)
    ) == ["curve.built", "curve.submitted", "curve.rejected"]
    # Rejected: the same quotes make a new version.
    assert build_version(actor=trader, definition=definition, as_of=CLOSE).number == 2


def test_only_the_system_publishes_without_a_second_person(people):
    _, officer, _ = people
    market = three_markets()["DE"]

    with pytest.raises(CurveRefused, match="policy"):
        define_curve(
            actor=officer, market=market, code="A",
            policy=PublicationPolicy(PublicationPolicy.AUTOMATIC),
        )  # fmt: skip


def test_quotes_that_go_back_to_what_they_were_are_published_again():
    market = three_markets()["DE"]
    define_curve(
        actor=SYSTEM, market=market, code="A", policy=PublicationPolicy(PublicationPolicy.AUTOMATIC)
    )
    definition = market.curve_definitions.get()
    numbers = []
    for price in ("80", "81", "80"):
        quote(market, {("Cal27", "BASE"): price})
        numbers.append(build_version(actor=SYSTEM, definition=definition, as_of=CLOSE).number)
        marks = month_marks(as_of=CLOSE)[market.pk]
        assert marks.price(date(2027, 1, 1)) == pytest.approx(float(price))
    assert numbers == [1, 2, 3]
    assert Quote.objects.count() == 3


def test_two_sources_of_one_contract_are_compared():
    market = three_markets()["DE"]
    quote(market, {("Cal27", "BASE"): "80.00"})
    quote(market, {("Cal27", "BASE"): "80.40"}, source="broker", at=CLOSE + timedelta(minutes=5))

    version = build_version(
        actor=SYSTEM, definition=four_eyes(market), as_of=CLOSE + timedelta(hours=1)
    )

    (left,) = version.snapshot.left_out
    assert left["source"] == "exchange" and left["amount"] == pytest.approx(-0.4)


def test_a_cut_before_the_quotes_has_no_curve():
    market = three_markets()["DE"]
    quote(market)

    with pytest.raises(NoCurve, match="DE"):
        build_version(
            actor=SYSTEM, definition=four_eyes(market), as_of=CLOSE,
            known_at=datetime(2020, 1, 1, tzinfo=UTC),
        )  # fmt: skip
    with pytest.raises(QuoteRefused, match="load"):
        quote(market, {("Cal27", "EFA1"): "80"})


def test_a_history_shaped_curve_follows_spot_and_prices_peak_everywhere():
    call_command("simulate_market", "SIM", "--days", "290", "--until", "2026-11-20", verbosity=0)
    market = Market.objects.get(code="SIM")
    market.shape_calendar = three_markets()["DE"].shape_calendar
    market.save()
    definition = define_curve(
        actor=SYSTEM, market=market, code="SHAPED", minutes=15, history_days=366,
        method=CurveMethod(CurveMethod.HISTORY_SHAPED),
        policy=PublicationPolicy(PublicationPolicy.AUTOMATIC),
    )  # fmt: skip

    version = build_version(actor=SYSTEM, definition=definition, as_of=AT)

    marks = month_marks(as_of=AT)[market.pk]
    month = date(2027, 2, 1)
    day = marks.period_prices(DatePeriod.day(date(2027, 2, 3)), minutes=15)
    assert prove(version).is_same
    assert np.ptp(day) > 5.0, "hours of a day differ"
    assert marks.price(month, "PEAK") > marks.price(month) > marks.price(month, "OFFPEAK")
    whole = marks.period_prices(DatePeriod.months(2027, 2), minutes=60)
    assert whole.mean() == pytest.approx(marks.price(month), abs=1e-9)


def test_without_spot_history_there_is_no_shape():
    market = three_markets()["DE"]
    quote(market)

    with pytest.raises(CurveError, match="spot price"):
        build_version(
            actor=SYSTEM, definition=four_eyes(market, CurveMethod.HISTORY_SHAPED), as_of=CLOSE
        )
    assert not CurvePoint.objects.exists()
