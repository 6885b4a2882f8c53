"""A contract with choices on its page and over REST: valued, nominated, settled once."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from energyopti.foundation.jobs.models import Job
from tests.factories.accounts import make_user
from tests.factories.trades import make_desk
from tests.factories.trading import make_prices
from tests.trading.valuation.structures_desk import (
    EVENING,
    RIGHT,
    STORAGE,
    SWING,
    TOLLING,
    structure,
    structure_desk,
)
from trading.closing import Closing
from trading.deals import Direction
from trading.models import (
    Market,
    OptionOutcome,
    StructureHedgeCheck,
    StructureNomination,
    StructureValue,
)
from trading.queries.proposals import TradeInvalid
from trading.queries.trades import UnknownTrade
from trading.services.hedge_checks import ask_checks
from trading.services.locks import server_time
from trading.services.nominations import nominate_structure
from trading.services.structure_settlement import settle_nominations
from trading.services.structure_values import value_structure
from trading.services.valuation import value_organization
from trading.tasks import value_one_structure

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
FIRST = date(2026, 12, 1)


@pytest.fixture
def desk(monkeypatch):
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: EVENING)
    return structure_desk()


def client_of(user):
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def page_of(desk, receipt):
    return client_of(desk.trader.user).get(reverse("trading:trade", args=[receipt.ref]))


def nominate(desk, receipt, day, *quantities, at=EVENING):
    return nominate_structure(
        actor=desk.again(desk.trader), ref=receipt.ref, day=day,
        quantities=[Decimal(str(one)) for one in quantities], received_at=at,
    )  # fmt: skip


def test_the_page_goes_from_not_valued_to_value_hedge_and_plan_with_its_table(
    desk, django_capture_on_commit_callbacks
):
    receipt = desk.deal(deal=structure(STORAGE))
    client = client_of(desk.trader.user)
    empty = page_of(desk, receipt).text
    assert "Not valued yet" in empty
    assert "Value now" in empty

    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(reverse("trading:structure_value", args=[receipt.ref]))

    job = Job.objects.get(kind="structure_value")
    assert (answer.status_code, str(job.pk) in answer.url) == (302, True)
    assert (job.task, job.arguments) == (value_one_structure.name, {"ref": receipt.ref})
    assert (job.state, job.result_url) == (
        "SUCCEEDED", reverse("trading:trade", args=[receipt.ref]),
    )  # fmt: skip
    kept = StructureValue.objects.get(trade__ref=receipt.ref)
    assert kept.actor_id == desk.trader.id
    page = page_of(desk, receipt).text
    assert "linear programme, intrinsic" in page
    assert "none: all forwards come true" in page
    assert "TTF index Jan 2027" in page
    assert "no interest rate is quoted" in page
    # Days of a quarter cost the same, so many plans are as good: each delta is at a kink.
    check = StructureHedgeCheck.objects.get(value=kept)
    assert {row["agreement"] for row in check.rows} == {"AGREES", "KINK"}
    for row in check.rows:
        assert row["down"] - row["tolerance"] <= row["delta"] <= row["up"] + row["tolerance"]
    assert "moved by 0.01 EUR up and down" in page
    for words in ("Plan by delivery day", "In store", "Figures as a table", "Nominate a day"):
        assert words in page, words
    # The run finds the same, and is what the page shows from then on.
    run = value_organization(
        actor=Actor.system("test"), organization_id=desk.organization.pk, as_of=EVENING
    )
    assert run.structures.get().content_hash == kept.content_hash
    assert "Not revalued yet" in page_of(desk, receipt).text
    with django_capture_on_commit_callbacks(execute=True):
        said = ask_checks(
            Closing(
                organization_id=desk.organization.pk, day=EVENING.date(), as_of=run.as_of,
                known_at=run.known_at, opening=None, run=run, is_restatement=False,
                actor=Actor.system("test"),
            )
        ).said  # fmt: skip
    assert said == "1 contract with choices is revalued by a job beside this one."
    again = StructureHedgeCheck.objects.get(value__run=run)
    assert again.rows == check.rows
    with CaptureQueriesContext(connection) as few:
        assert f"valuation run {run.pk}" in page_of(desk, receipt).text
    for day in range(5):
        nominate(desk, receipt, FIRST + timedelta(days=day), 24)
    with CaptureQueriesContext(connection) as more:
        page_of(desk, receipt)
    assert len(more) == len(few)


def test_others_see_and_start_nothing(desk):
    receipt = desk.deal(deal=structure(SWING))
    stranger = client_of(make_desk("Other").trader.user)
    partner = make_user(Role.COMPLIANCE_OFFICER, organization=desk.organization)
    for name in ("structure_value", "nominate"):
        address = reverse(f"trading:{name}", args=[receipt.ref])
        assert stranger.post(address).status_code == 404
        assert client_of(partner).post(address).status_code == 403
    base = f"/api/v1/trading/trades/{receipt.ref}"
    assert stranger.get(f"{base}/structure-value").status_code == 404
    assert stranger.post(f"{base}/structure-value").status_code == 404
    assert client_of(partner).post(f"{base}/structure-value").status_code == 403
    assert client_of(partner).post(f"{base}/nominations").status_code == 403
    assert stranger.get(f"{base}/nominations").status_code == 404
    with pytest.raises(PermissionMissing):
        nominate_structure(
            actor=desk.officer, ref=receipt.ref, day=FIRST, quantities=[Decimal(24)],
            received_at=EVENING,
        )  # fmt: skip
    other = make_desk("Third").trader
    with pytest.raises(UnknownTrade):
        nominate_structure(
            actor=other, ref=receipt.ref, day=FIRST, quantities=[Decimal(24)],
            received_at=EVENING,
        )  # fmt: skip


def test_rest_gives_value_plan_and_nominations_and_names_what_is_refused(desk):
    receipt = desk.deal(deal=structure(SWING))
    plain = desk.deal()
    client = client_of(desk.trader.user)
    base = f"/api/v1/trading/trades/{receipt.ref}"
    early = client.get(f"{base}/structure-value")
    assert (early.status_code, early.json()["code"]) == (409, "not_valued")
    assert client.post(f"{base}/structure-value").status_code == 202
    value_structure(
        actor=desk.again(desk.trader), ref=receipt.ref, as_of=EVENING, known_at=server_time()
    )

    found = client.get(f"{base}/structure-value").json()

    assert found["method"] == "DYNAMIC_PROGRAMME"
    assert found["run"] is None
    assert len(found["plan"]) == 304
    assert found["plan"][0]["day"] == "2026-12-01"
    assert sum(day["quantity"] for day in found["plan"]) <= 24_000
    assert sum(day["cash"] for day in found["plan"]) == pytest.approx(
        float(found["unrealised"]), abs=2
    )
    given = {"day": "2026-12-01", "quantities": ["240"]}
    made = client.post(f"{base}/nominations", given, content_type="application/json")
    assert (made.status_code, made.json()["quantities"]) == (201, ["240.000"])
    for body, words in (
        ({"day": "2026-12-01", "quantities": ["241"]}, "241 is not from 24 to 240"),
        ({"day": "2026-11-20", "quantities": ["24"]}, "is not from 2026-12-01 to 2027-09-30"),
        ({"day": "2026-12-01", "quantities": ["24", "24"]}, "are one number, not 2"),
    ):
        refused = client.post(f"{base}/nominations", body, content_type="application/json")
        assert refused.status_code == 400
        assert words in str(refused.json())
    assert [row["day"] for row in client.get(f"{base}/nominations").json()] == ["2026-12-01"]
    other = f"/api/v1/trading/trades/{plain.ref}/structure-value"
    assert client.get(other).json()["code"] == "no_structure"
    assert client.post(other).status_code == 409


def test_a_day_is_nominated_by_form_until_it_begins_and_the_last_word_holds(desk, monkeypatch):
    receipt = desk.deal(deal=structure(STORAGE))
    client, address = client_of(desk.trader.user), reverse("trading:nominate", args=[receipt.ref])
    assert client.get(address).status_code == 200

    assert client.post(address, {"day": FIRST, "quantities": "100"}).status_code == 302
    assert client.post(address, {"day": FIRST, "quantities": "−50"}).status_code == 302
    # The gas day begins at six in the morning, five in UTC.
    start = datetime(2026, 12, 1, 5, tzinfo=UTC)
    monkeypatch.setattr("energyopti.foundation.clock.now", lambda: start)
    late = client.post(address, {"day": FIRST, "quantities": "10"})

    assert (late.status_code, "has begun" in late.text) == (422, True)
    assert StructureNomination.objects.count() == 2
    assert Event.objects.filter(type="structure.nominated").count() == 2
    assert "-50" in page_of(desk, receipt).text
    gone = client.post(address, {"withdraw": FIRST}, follow=True)
    assert "nominations closed with its start" in gone.text
    assert "closed</" in gone.text
    with pytest.raises(TradeInvalid, match="at most 120 can be injected"):
        nominate(desk, receipt, FIRST + timedelta(days=1), -121, at=start)
    right = desk.deal(deal=structure(RIGHT))
    with pytest.raises(TradeInvalid, match="has no days that are nominated"):
        nominate(desk, right, date(2027, 3, 1), 10)


def test_a_day_is_taken_back_before_it_begins_and_then_silent_if_the_terms_allow(desk):
    plant = desk.deal(deal=structure(TOLLING))
    client, address = client_of(desk.trader.user), reverse("trading:nominate", args=[plant.ref])
    day = date(2027, 3, 1)
    assert 'value="2027-03-01"' in client.get(address).text

    client.post(address, {"day": day, "quantities": "0*7 50*17"})
    shown = client.get(address).text
    answer = client.post(address, {"withdraw": day}, follow=True)

    assert "0*7 50*17" in shown
    assert "2027-03-01 is taken back; it counts as silent again." in answer.text
    assert "0*7 50*17" not in answer.text
    events = Event.objects.filter(type__startswith="structure.").order_by("id")
    assert [event.type for event in events] == [
        "structure.nominated", "structure.nomination_withdrawn",
    ]  # fmt: skip
    worth = value_structure(
        actor=desk.again(desk.trader), ref=plant.ref, as_of=EVENING, known_at=server_time()
    )
    assert worth[0].chosen == 0
    for body, words in (
        ({"withdraw": day}, "of 2027-03-01 nothing is nominated"),
        ({"withdraw": "tomorrow"}, "is no date"),
    ):
        assert words in client.post(address, body, follow=True).text
    for typed, words in (("50*26", "a day has 1 to 25 hours"), ("50*x", "is no decimal number"),
                         ("50*23", "24 numbers, one an hour, not 23"),
                         ("10*24", "neither 0 nor from 20 to 50")):  # fmt: skip
        refused = client.post(address, {"day": day, "quantities": typed})
        assert (refused.status_code, words in refused.text) == (422, True), typed
    swing = desk.deal(deal=structure(SWING))
    base = f"/api/v1/trading/trades/{swing.ref}/nominations"
    said = {"day": "2026-12-01", "quantities": ["240"]}
    assert client.post(base, said, content_type="application/json").status_code == 201
    back = client.post(base, {**said, "quantities": []}, content_type="application/json")
    assert (back.status_code, back.json()["quantities"]) == (201, [])
    assert client.get(base).json() == []


def test_delivered_days_are_paid_once_at_their_fixings_when_all_are_there(desk):
    store = desk.deal(deal=structure(STORAGE))
    granted = desk.deal(deal=structure(SWING, direction=Direction.PAY))
    nominate(desk, store, FIRST, 100)
    nominate(desk, store, FIRST + timedelta(days=1), -50)
    nominate(desk, granted, FIRST, 240)
    system = Actor.system("test")
    start, later = datetime(2026, 12, 1, 5, tzinfo=UTC), datetime(2026, 12, 3, 5, tzinfo=UTC)
    market = Market.objects.get(code="TTF")
    make_prices(market, start, ["31.00"] * 24 + ["29.00"] * 12, received_at=later)

    assert settle_nominations(actor=system, as_of=later) == 2
    make_prices(market, start + timedelta(hours=36), ["29.00"] * 12, received_at=later)
    assert settle_nominations(actor=system, as_of=later) == 2
    assert settle_nominations(actor=system, as_of=later) == 0

    cash = {
        (row.trade.ref, row.start.day): row.cash
        for row in OptionOutcome.objects.select_related("trade")
    }
    assert cash == {
        (store.ref, 1): Decimal("3075.00"),
        # 50 × 29 × 1.015 + 50 × 0.50
        (store.ref, 2): Decimal("-1496.75"),
        (granted.ref, 1): Decimal("-600.00"),
        # Silent, so the least of a day: 24 at 29.00 less 28.50, to the holder.
        (granted.ref, 2): Decimal("-12.00"),
    }
    assert Event.objects.filter(type="structure.settled").count() == 4
    assert "Fixed and paid" in page_of(desk, store).text
    run = value_organization(actor=system, organization_id=desk.organization.pk, as_of=later)
    value = run.values.get(trade__ref=store.ref)
    assert value.realised == Decimal("3075.00") - Decimal("1496.75")
    with pytest.raises(PermissionMissing):
        settle_nominations(actor=desk.trader, as_of=later)


def test_a_plant_over_midnight_starts_once_and_a_right_needs_no_word(desk):
    plant, right = desk.deal(deal=structure(TOLLING)), desk.deal(deal=structure(RIGHT))
    nominate(desk, plant, date(2027, 3, 1), *[0] * 22, 50, 50)
    nominate(desk, plant, date(2027, 3, 2), 50, 50, *[0] * 22)
    begun = datetime(2027, 2, 28, 23, tzinfo=UTC)
    over = begun + timedelta(days=2)
    for code, price in (("DE", "100.00"), ("FR", "97.50"), ("TTF", "30.00")):
        make_prices(Market.objects.get(code=code), begun, [price] * 48, received_at=over)

    assert settle_nominations(actor=Actor.system("test"), as_of=over) == 4

    cash = {
        (row.trade.ref, row.start - begun): row.cash
        for row in OptionOutcome.objects.select_related("trade")
    }
    # 100 MWh a day at 100 less 1.20 and 1.9 × 30, one start; 240 MWh at 100 less 97.50.
    assert cash == {
        (plant.ref, timedelta(0)): Decimal("4180.00") - 1500,
        (plant.ref, timedelta(days=1)): Decimal("4180.00"),
        (right.ref, timedelta(0)): Decimal("600.00"),
        (right.ref, timedelta(days=1)): Decimal("600.00"),
    }


def test_a_plant_is_paid_by_the_hour_less_fuel_and_starts(desk):
    receipt = desk.deal(deal=structure(TOLLING))
    nominate(desk, receipt, date(2027, 3, 1), *[0] * 6, *[50] * 18)
    begun, over = datetime(2027, 2, 28, 23, tzinfo=UTC), datetime(2027, 3, 1, 23, tzinfo=UTC)
    make_prices(Market.objects.get(code="DE"), begun, ["100.00"] * 24, received_at=over)
    make_prices(
        Market.objects.get(code="TTF"), begun - timedelta(hours=18), ["30.00"] * 48,
        received_at=over,
    )  # fmt: skip

    assert settle_nominations(actor=Actor.system("test"), as_of=over) == 1

    row = OptionOutcome.objects.get()
    # 900 MWh at 100 less 1.20 and 1.9 × 30; one start.
    assert row.cash == 900 * (Decimal(100) - Decimal("1.20") - 57) - 1500
    run = value_organization(
        actor=Actor.system("test"), organization_id=desk.organization.pk, as_of=over
    )
    assert run.values.get().realised == row.cash
    # The second day begins at that very instant, and nothing was said of it.
    assert StructureValue.objects.get(run=run).chosen == 48
