"""Open volume against hedge targets: figures by hand, past moments, versions, pages and REST."""

import threading
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.roles import Role
from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.events.models import Event
from energyopti.foundation.money import Side
from tests.factories.accounts import make_user
from tests.factories.trades import RECEIVED_AT, deal_of_words, make_book, make_desk
from trading import deals
from trading.deals import REFERENCE_MARKETS, AssetShare, Profile
from trading.hedging import HedgeFigures, HedgeState, HedgeTerms
from trading.models import HedgeTarget, TradeVersion
from trading.queries.books import UnknownBook
from trading.queries.hedging import hedge_lines, month_columns
from trading.services.four_eyes import set_four_eyes
from trading.services.hedging import (
    HedgeTargetsChanged,
    set_hedge_targets,
    withdraw_hedge_targets,
)
from trading.services.lifecycle import amend_trade, release_trade

PAGE, API = "/positions/targets/", "/api/v1/trading/hedge-"
MARCH, YEAR = date(2027, 3, 1), month_columns(date(2027, 1, 1), date(2028, 1, 1))
database = pytest.mark.django_db


def terms(own="1000", ratio="60", tolerance="5") -> HedgeTerms:
    return HedgeTerms(Decimal(own), Decimal(ratio), Decimal(tolerance))


def wind_of_march() -> deals.Deal:
    """12 MW for 500 h, then 2 MW for the other 243 of March 2027: 6486 MWh."""
    power = np.concatenate([np.full(500, 12.0), np.full(243, 2.0)])
    return deals.ppa(
        side=Side.BUY, area=REFERENCE_MARKETS["DE"], period=DatePeriod.months(2027, 3),
        asset=AssetShare("WIND-7", Decimal(100), Decimal(30)),
        expected=Profile.of_floats(60, power), price=Decimal("57.25"),
    )  # fmt: skip


@pytest.fixture
def desk():
    return make_desk()


@pytest.fixture
def march(desk):
    """The wind park; 4 MW base sold of 743 h and 3 MW peak of 23 days: 2972 + 828 MWh."""
    desk.deal(deal=wind_of_march())
    desk.deal("S 4MW DE base Mar27 @ 80")
    desk.deal("S 3MW DE peak Mar27 @ 90")
    return desk


def aim(desk, first=MARCH, last=None, *, revision=0, actor=None, book=None, **figures):
    return set_hedge_targets(
        actor=actor or desk.again(desk.officer), book_id=(book or desk.book).pk, market="DE",
        first=first, last=last or first, terms=terms(**figures), expected_revision=revision,
        reason="hedging policy 2027",
    )  # fmt: skip


def lines(*books, **asked):
    return list(hedge_lines([book.pk for book in books], columns=YEAR, **asked).lines)


def client_of(actor) -> Client:
    client = Client()
    client.force_login(actor.user)
    return client


volumes = st.decimals("-99999", "99999", places=3)
shares = st.decimals("0", "150", places=2)


@given(generated=volumes, hedges=volumes, own=volumes, ratio=shares, tolerance=shares)
def test_what_is_to_be_traded_brings_the_ratio_to_its_target(
    generated, hedges, own, ratio, tolerance
):
    aimed = HedgeTerms(own, ratio, tolerance)
    found = HedgeFigures(generated, hedges, aimed)
    after = HedgeFigures(generated, hedges + found.to_trade, aimed)

    assert found.open_volume == own + generated + hedges
    if not found.expected:
        assert found.ratio_percent is None and found.state is HedgeState.NO_VOLUME
        assert after.hedges == 0
        return
    assert float(found.open_volume) == pytest.approx(
        float((1 - found.ratio_percent / 100) * found.expected), rel=1e-9, abs=1e-9
    )
    assert after.ratio_percent == ratio and after.to_trade == 0
    assert after.state is HedgeState.INSIDE
    off = found.ratio_percent - ratio
    if abs(abs(off) - tolerance) > Decimal("1e-9"):
        wanted = HedgeState.OVER if off > 0 else HedgeState.UNDER
        assert found.state is (HedgeState.INSIDE if abs(off) <= tolerance else wanted)


@pytest.mark.parametrize(
    ("hedges", "state"),
    [("-55", HedgeState.INSIDE), ("-65", HedgeState.INSIDE), ("-54.999", HedgeState.UNDER),
     ("-65.001", HedgeState.OVER), ("60", HedgeState.UNDER)],
)  # fmt: skip
def test_the_ends_of_the_band_are_inside(hedges, state):
    plant = HedgeFigures(Decimal(100), Decimal(hedges), terms("0", "60", "5"))
    supply = HedgeFigures(Decimal(-100), -Decimal(hedges), terms("0", "60", "5"))

    assert (plant.state, supply.state) == (state, state)


@database
def test_a_month_with_a_clock_change_by_hand(march):
    aim(march)

    (line,) = lines(march.book)
    found = line.figures

    assert (line.book, line.market, line.month) == ("EU", "DE", MARCH)
    assert (found.own, found.generated, found.hedges) == (1000, 6486, -3800)
    assert (found.expected, found.open_volume) == (7486, 3686)
    assert found.ratio_percent.quantize(Decimal("0.0001")) == Decimal("50.7614")
    assert found.to_trade == Decimal("-691.6")  # −60 % of 7486 is −4491.6
    assert found.state is HedgeState.UNDER


@database
def test_a_book_holds_what_the_books_below_it_hold(march):
    below = make_book(march.organization, "WIND", parent=march.book)
    march.deal("S 1MW DE base Mar27 @ 80", book_id=below.pk, actor=march.again(march.trader))
    aim(march)
    aim(march, book=below, own="743", ratio="100", tolerance="0")

    whole, part = lines(march.book, below)

    assert (whole.figures.expected, whole.figures.hedges) == (7486, -4543)
    assert (part.book, part.figures.expected, part.figures.hedges) == ("WIND", 743, -743)
    assert part.figures.state is HedgeState.INSIDE and part.figures.to_trade == 0


@database
def test_a_past_moment_knows_neither_later_deals_nor_later_targets(march):
    (first,) = aim(march)
    cut = first.recorded_at
    then = lines(march.book, cut=cut)
    park = TradeVersion.objects.get(product_kind="PPA").trade
    # From now on the park is an ordinary forward, which the past does not know.
    amend_trade(
        actor=march.again(march.trader), ref=park.ref, expected_version=1,
        received_at=RECEIVED_AT, deal=deal_of_words("B 10MW DE base Mar27 @ 57"), reason="no park",
    )  # fmt: skip
    march.deal("S 1MW DE base Mar27 @ 80", actor=march.again(march.trader))
    aim(march, ratio="80", revision=first.pk)

    (now,), (past,) = lines(march.book), lines(march.book, cut=cut)
    before = lines(march.book, cut=cut - timedelta(microseconds=1))

    assert [past] == then
    assert (past.figures.generated, past.figures.hedges) == (6486, -3800)
    assert past.figures.terms.ratio_percent == 60
    assert (now.figures.generated, now.figures.hedges) == (0, 7430 - 3800 - 743)
    assert now.figures.terms.ratio_percent == 80
    assert before[0].figures.terms is None and before[0].figures.generated == 6486


@database
def test_what_waits_for_a_second_person_is_no_hedge_yet(march):
    aim(march, own="0")
    (before,) = lines(march.book)
    set_four_eyes(actor=march.again(march.officer), book_id=march.book.pk, amount=Decimal(1000))
    waiting = march.deal("S 2MW DE base Mar27 @ 88", actor=march.again(march.trader))

    (meanwhile,) = lines(march.book)
    release_trade(
        actor=march.again(march.officer), ref=waiting.ref, expected_version=1,
        received_at=RECEIVED_AT, reason="seen",
    )  # fmt: skip
    (after,) = lines(march.book)

    assert TradeVersion.objects.get(trade__ref=waiting.ref, version=1).status == "PENDING"
    assert meanwhile.figures == before.figures
    assert after.figures.hedges == before.figures.hedges - 2 * 743
    assert after.figures.open_volume == before.figures.open_volume - 2 * 743


@pytest.mark.django_db(transaction=True)
def test_of_two_who_set_a_target_at_once_one_is_told():
    """Both read revision 0 and meet at the lock; the later one's figures are not lost silently."""
    desk = make_desk()
    start, outcomes = threading.Barrier(2), {}

    def set_to(ratio: str) -> None:
        actor = Actor.for_user(desk.officer.user)
        try:
            start.wait(timeout=30)
            aim(desk, actor=actor, ratio=ratio)
            outcomes[ratio] = "set"
        except HedgeTargetsChanged:
            outcomes[ratio] = "told"
        finally:
            connection.close()

    threads = [threading.Thread(target=set_to, args=(ratio,)) for ratio in ("60", "70")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(outcomes.values()) == ["set", "told"]
    (row,) = HedgeTarget.objects.all()
    assert (row.version, outcomes[f"{row.ratio_percent:.0f}"]) == (1, "set")


@database
def test_versions_are_only_added_and_told_of(desk):
    run = aim(desk, date(2026, 12, 1), date(2027, 2, 1))
    assert [row.month.month for row in run] == [12, 1, 2]
    again = aim(desk, date(2027, 1, 1), ratio="70", revision=run[1].pk)
    assert aim(desk, date(2027, 1, 1), ratio="70", revision=again[0].pk) == []
    with pytest.raises(HedgeTargetsChanged):
        aim(desk, date(2026, 12, 1), date(2027, 2, 1), revision=run[2].pk)

    gone = withdraw_hedge_targets(
        actor=desk.again(desk.officer), book_id=desk.book.pk, market="de",
        first=date(2027, 1, 1), last=date(2027, 3, 1), expected_revision=again[0].pk, reason="sold",
    )  # fmt: skip

    assert [(row.month.month, row.version, row.is_withdrawn) for row in gone] == [
        (1, 3, True), (2, 2, True),
    ]  # fmt: skip
    assert HedgeTarget.objects.count() == 6
    assert [line.month for line in lines(desk.book)] == []
    events = Event.objects.filter(aggregate_type="hedge_target").order_by("id")
    assert [event.type for event in events] == [
        "hedge_targets.set", "hedge_targets.set", "hedge_targets.withdrawn",
    ]  # fmt: skip
    told = events[1].changes["2027-01"]
    assert [told[when]["ratio_percent"] for when in ("before", "after")] == ["60", "70"]


@database
@pytest.mark.parametrize(
    ("changes", "field"),
    [({"ratio": "150.01"}, "ratio_percent"), ({"ratio": "-1"}, "ratio_percent"),
     ({"tolerance": "151"}, "tolerance_points"), ({"first": date(2027, 3, 2)}, "first_month"),
     ({"last": date(2027, 2, 1)}, "last_month"), ({"last": date(2037, 3, 1)}, "last_month")],
)  # fmt: skip
def test_what_is_no_target_is_refused_by_field(desk, changes, field):
    with pytest.raises(ValidationError) as caught:
        aim(desk, **changes)

    assert set(caught.value.message_dict) == {field}
    assert not HedgeTarget.objects.exists()


@database
def test_only_the_officer_of_the_organization_sets(desk):
    with pytest.raises(PermissionMissing):
        aim(desk, actor=desk.again(desk.trader))
    with pytest.raises(UnknownBook):
        aim(desk, actor=make_desk("Other").officer)


@database
@pytest.mark.parametrize("as_of", [False, True])
def test_queries_do_not_grow_with_months_books_and_trades(march, as_of):
    (first,) = aim(march)
    client, asked = client_of(march.trader), {"year": 2027}

    def count() -> int:
        if as_of:
            asked["as_of"] = HedgeTarget.objects.latest("recorded_at").recorded_at.isoformat()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert "Hedged too little" in client.get(PAGE, asked).content.decode()
        return len(queries)

    count()
    few = count()
    below = make_book(march.organization, "WIND", parent=march.book)
    for words in ("B 10MW DE base Cal27 @ 85", "S 2MW DE peak Cal27 @ 99"):
        march.deal(words, book_id=below.pk, actor=march.again(march.trader))
    aim(march, date(2027, 1, 1), date(2027, 12, 1), revision=first.pk)
    aim(march, date(2027, 1, 1), date(2027, 12, 1), book=below)

    assert count() == few <= (20 if as_of else 15)


@database
def test_the_page_prints_figures_in_words_and_as_files(march):
    aim(march)
    client = client_of(march.trader)

    page = client.get(PAGE, {"year": 2027}).content.decode()
    file = b"".join(client.get(PAGE, {"year": 2027, "format": "csv"}).streaming_content).decode()

    for text in ("+7,486", "−3,800", "+3,686", "50.8 %", "60.0 ± 5.0 %", "−691.6",
                 "Hedged too little"):  # fmt: skip
        assert text in page, text
    assert "Set targets" not in page
    row = next(line for line in file.splitlines() if "2027-03" in line)
    assert row == (
        '"EU","DE","2027-03",1000.000,6486.000000,7486.000000,-3800.000000,3686.000000,'
        '50.7614,60.00,5.00,-691.600000,"Hedged too little"'
    )
    assert "Mar 2027" not in client.get(PAGE, {"year": 2028}).content.decode()
    assert "Mar 2027" not in client.get(PAGE, {"year": 2027, "market": "FR"}).content.decode()
    assert client.get(PAGE, {"year": "x"}).status_code == 400
    assert client.get(PAGE, {"as_of": "2999-01-01T00:00"}).status_code == 400


FORM = {
    "market": "DE", "first_month": "2027-03", "last_month": "2027-04", "own_volume_mwh": "1000",
    "ratio_percent": "60", "tolerance_points": "5", "reason": "policy",
}  # fmt: skip


def hidden(page, name: str) -> str:
    return page.context["form"][name].value()


@database
def test_a_run_is_set_after_its_preview_and_withdrawn(march):
    client, form = client_of(march.officer), {**FORM, "book": str(march.book.pk)}
    path = reverse("trading:set_hedge_targets")

    unseen = client.post(path, {**form, "revision": "0", "confirm": "1"})
    assert unseen.status_code == 200 and not HedgeTarget.objects.exists()
    preview = client.post(path, {**form, "preview": "1"})
    assert "−691.6" in preview.content.decode() and "−600.0" in preview.content.decode()
    shown = {name: hidden(preview, name) for name in ("revision", "seen")}
    other = client.post(path, {**form, **shown, "ratio_percent": "90", "confirm": "1"})
    assert other.status_code == 200 and not HedgeTarget.objects.exists()
    done = client.post(path, {**form, **shown, "confirm": "1"})
    assert done.status_code == 302 and HedgeTarget.objects.count() == 2
    stale = client.post(path, {**form, **shown, "confirm": "1"})
    assert stale.status_code == 400 and "Somebody changed" in stale.content.decode()
    late = {**form, "last_month": "2027-02", "preview": "1"}
    assert "Ends a run" in client.post(path, late).content.decode()

    held = HedgeTarget.objects.get(month=MARCH)
    at = [march.book.pk, "DE", "2027-03"]
    withdraw = reverse("trading:withdraw_hedge_target", args=at)
    assert client.post(withdraw, {"reason": "", "revision": held.pk}).status_code == 400
    assert client.post(withdraw, {"reason": "sold", "revision": held.pk}).status_code == 302
    history = client.get(reverse("trading:hedge_target", args=at)).content.decode()
    assert "Withdrawn; no target holds." in history and "Replaced" in history and "sold" in history


@database
@pytest.mark.parametrize(
    ("role", "reads", "sets"),
    [(Role.TRADER, 200, 403), (Role.RISK_OFFICER, 200, 200), (Role.PARTNER, 403, 403),
     (Role.SUPPORT_AGENT, 403, 403)],
)  # fmt: skip
def test_traders_read_and_risk_officers_set(desk, role, reads, sets):
    aim(desk)
    client = Client()
    client.force_login(make_user(role, organization=desk.organization))

    assert client.get(PAGE).status_code == reads
    assert client.get(f"{API}positions").status_code == reads
    assert client.get(f"{API}targets").status_code == reads
    assert client.get(reverse("trading:set_hedge_targets")).status_code == sets
    answer = client.post(f"{API}targets", {}, content_type="application/json")
    assert answer.status_code == {200: 400, 403: 403}[sets]
    client.force_login(make_desk("Other").officer.user)
    at = [desk.book.pk, "DE", "2027-03"]
    assert client.get(reverse("trading:hedge_target", args=at)).status_code == 404
    gone = client.post(
        reverse("trading:withdraw_hedge_target", args=at), {"reason": "x", "revision": 1}
    )
    assert gone.status_code == 404 and HedgeTarget.objects.count() == 1


RUN = {"book": "eu", "market": "DE", "first_month": "2027-03-01", "last_month": "2027-03-01",
       "expected_revision": 0, "reason": "policy"}  # fmt: skip
AIM = {"own_volume_mwh": "1000.000", "ratio_percent": "60.00", "tolerance_points": "5.00"}


@database
def test_rest_sets_shows_and_withdraws(march):
    officer, reader = client_of(march.officer), client_of(march.trader)

    def post(body, path=f"{API}targets"):
        return officer.post(path, body, content_type="application/json")

    made = post({**RUN, **AIM})
    assert made.status_code == 201, made.content
    (new,) = made.json()
    assert (new["book"], new["month"], new["version"]) == ("EU", "2027-03-01", 1)
    stale = post({**RUN, **AIM, "ratio_percent": "70.00"})
    assert (stale.status_code, stale.json()["code"]) == (409, "hedge_targets_changed")
    assert post({**RUN, **AIM, "book": "US"}).status_code == 404
    refused = post({**RUN, **AIM, "ratio_percent": "151.00", "expected_revision": new["revision"]})
    assert refused.status_code == 400 and "/ratio_percent" in refused.content.decode()

    months = {"from": "2027-03-01", "to": "2027-04-01"}
    (line,) = reader.get(f"{API}positions", months).json()["results"]
    assert line == {
        "book": "EU", "market": "DE", "month": "2027-03-01", "own_volume_mwh": "1000.000000",
        "generated_mwh": "6486.000000", "expected_mwh": "7486.000000",
        "hedges_mwh": "-3800.000000", "deltas_mwh": "0.000000", "open_mwh": "3686.000000",
        "hedge_ratio_percent": "50.761421", "target_ratio_percent": "60.00",
        "tolerance_points": "5.00", "to_trade_mwh": "-691.600000", "state": "UNDER",
        "revision": new["revision"],
    }  # fmt: skip
    gone = post({**RUN, "expected_revision": new["revision"], "reason": "sold"},
                f"{API}targets/withdrawals")  # fmt: skip
    assert gone.status_code == 200 and gone.json()[0]["is_withdrawn"] is True
    (line,) = reader.get(f"{API}positions", months).json()["results"]
    assert (line["state"], line["to_trade_mwh"]) == ("NO_TARGET", None)
    past = {**months, "as_of": new["recorded_at"]}
    (then,) = reader.get(f"{API}targets", past).json()["results"]
    assert then == new
    assert reader.get(f"{API}positions", {"book": "US", **months}).json()["results"] == []
    assert reader.get(f"{API}positions", {"from": "2027-03-01"}).status_code == 400
