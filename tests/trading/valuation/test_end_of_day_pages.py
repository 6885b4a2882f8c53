"""The end of day where people and programs meet it: pages, REST, the clock; run as jobs."""

from datetime import UTC, date, datetime, time

import pytest
from django.test import Client
from django.urls import reverse

from energyopti.accounts.actors import Actor
from energyopti.accounts.roles import Role
from energyopti.foundation.jobs.models import Job, PeriodRun
from energyopti.foundation.jobs.schedule import PERIODIC
from energyopti.foundation.jobs.services import cancel_job
from tests.factories.accounts import make_user
from tests.factories.curves import SYSTEM, quote
from tests.factories.trades import RECEIVED_AT, deal_of_words, make_book, make_desk
from trading.models import EndOfDay, EndOfDayProof, ValuationRun
from trading.reference import HolidayTerms
from trading.services.closing_times import ClosingTerms, set_closing_time, start_due_closings
from trading.services.end_of_day import ClosingRefused, sign_end_of_day, start_end_of_day
from trading.services.lifecycle import amend_trade
from trading.services.shapes import publish_holidays
from trading.tasks import close_days

from .desk import publish, valued_desk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
FRIDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 23)
DAYS = "/api/v1/trading/end-of-days"


def at(day, hour=17):
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def client_of(actor) -> Client:
    client = Client()
    client.force_login(actor.user)
    return client


@pytest.fixture
def desk():
    return valued_desk()


@pytest.fixture
def second(desk):
    return Actor.for_user(make_user(Role.RISK_OFFICER, organization=desk.organization))


@pytest.fixture
def jobs(django_capture_on_commit_callbacks):
    """Within `with jobs():` what is enqueued runs at its end, as a worker would run it."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def now(monkeypatch):
    """Set the product's clock."""

    def set_to(moment):
        monkeypatch.setattr("energyopti.foundation.clock.now", lambda: moment)

    set_to(at(FRIDAY, 20))
    return set_to


def test_a_day_goes_from_run_to_signed_to_restated_by_clicks(
    desk, second, jobs, now, django_assert_max_num_queries
):
    publish(desk.market, {"Cal27": "90.00"}, at=at(FRIDAY), source="exchange")
    quote(desk.market, {("Q1-27", "BASE"): "93.00"}, at=at(FRIDAY), source="broker")
    receipt = desk.deal("B 10MW DE base Cal27 @ 85.20")
    officer, other, trader = map(client_of, (desk.officer, second, desk.trader))
    asked = {
        "organization": desk.organization.pk, "day": "2026-11-20", "as_of": "2026-11-20T19:00:00Z"
    }  # fmt: skip

    # Run: a trader may look and not run; what is nonsense is said at the form.
    assert trader.post(reverse("trading:start_end_of_day"), asked).status_code == 403
    late = officer.post(
        reverse("trading:start_end_of_day"), {**asked, "as_of": "2026-11-20T21:00:00Z"}
    )
    assert late.status_code == 409 and "has not been yet" in late.content.decode()
    unsaid = officer.post(reverse("trading:start_end_of_day"), {**asked, "as_of": ""})
    assert unsaid.status_code == 400 and "no closing time is set" in unsaid.content.decode()
    with jobs():
        started = officer.post(reverse("trading:start_end_of_day"), asked)
    row = EndOfDay.objects.get()
    assert started["Location"] == reverse("trading:end_of_day", args=[row.pk])
    assert (row.state, Job.objects.get().state) == ("READY", "SUCCEEDED")
    assert Job.objects.get().result_url == started["Location"]

    # Look: findings with where they are mended, prices beside each other.
    with django_assert_max_num_queries(30):
        page = trader.get(started["Location"]).content.decode()
    assert "broker is +3.00 EUR" in page
    assert reverse("trading:curve", args=["DE", "MARK"]) in page
    assert "93.00 EUR" in page and "1 prices of other sources compared" in page
    assert row.run.result_hash in page
    listed = trader.get(reverse("trading:end_of_days"), {"state": "FINDINGS"}).content.decode()
    assert "Checks failed" in listed and started["Location"] in listed
    assert started["Location"] not in trader.get(
        reverse("trading:end_of_days"), {"state": "SIGNED"}
    ).content.decode()  # fmt: skip
    assert client_of(make_desk("Stranger").officer).get(started["Location"]).status_code == 404

    # Sign: another officer, with a reason.
    address = reverse("trading:sign_end_of_day", args=[row.pk])
    assert trader.post(address).status_code == 403
    for client, said, words in (
        (officer, {"reason": "fine"}, "another person"),
        (other, {}, "with 1 findings"),
    ):
        assert words in client.post(address, said, follow=True).content.decode()
        row.refresh_from_db()
        assert row.state == "READY"
    other.post(address, {"reason": "the broker quotes the old contract"})
    row.refresh_from_db()
    assert (row.state, row.signed_by) == ("SIGNED", second.id)
    again = officer.post(reverse("trading:start_end_of_day"), asked)
    assert again.status_code == 409 and "restate it" in again.content.decode()

    # Restate after an amendment: it stands beside the official run, which stays what it was.
    amend_trade(
        actor=desk.trader, ref=receipt.ref, expected_version=1, received_at=RECEIVED_AT,
        deal=deal_of_words("B 12MW DE base Cal27 @ 85.20"), reason="two more",
    )  # fmt: skip
    # A deal agreed after the close is none of its restatement.
    desk.deal("B 1MW DE base Cal27 @ 88", traded_at=at(FRIDAY, 20), received_at=at(FRIDAY, 20))
    page = trader.get(started["Location"]).content.decode()
    assert "Recorded since this close" in page and receipt.ref in page
    restate = reverse("trading:restate_end_of_day", args=[row.pk])
    assert "say why" in officer.post(restate, {"reason": " "}, follow=True).content.decode()
    with jobs():
        officer.post(restate, {"reason": "two more were agreed"})
    restated = EndOfDay.objects.get(is_restatement=True)
    assert (restated.state, restated.as_of, restated.number) == ("READY", row.as_of, 2)
    page = other.get(started["Location"]).content.decode()
    for words in (
        "two more were agreed", row.run.result_hash[:12], restated.run.result_hash[:12],
        "420,480.00", "504,576.00", "+84,096.00",
    ):  # fmt: skip
        assert words in page
    assert "Restated" in trader.get(reverse("trading:end_of_days")).content.decode()
    row.refresh_from_db()
    assert row.state == "SIGNED"


def test_every_past_end_of_day_restates_to_its_hash_and_a_changed_one_is_told(
    desk, second, jobs, now
):
    officer, other = client_of(desk.officer), client_of(second)
    publish(desk.market, {"Cal27": "90.00"}, at=at(FRIDAY))
    receipt = desk.deal("B 10MW DE base Cal27 @ 85.20")
    for day in (FRIDAY, MONDAY):
        now(at(day, 20))
        publish(desk.market, {"Cal27": f"9{day.day % 10}.00"}, at=at(day))
        body = {"day": day.isoformat(), "as_of": at(day, 19).isoformat()}
        with jobs():
            answer = officer.post(DAYS, body, content_type="application/json")
        assert answer.status_code == 202, answer.content
        signed = other.post(
            f"{DAYS}/{answer.json()['id']}/sign", {}, content_type="application/json"
        )
        assert (signed.status_code, signed.json()["state"]) == (200, "SIGNED"), signed.content
    # Everything that was known is changed since: the trade, the quotes, the curve.
    amend_trade(
        actor=desk.trader, ref=receipt.ref, expected_version=1, received_at=RECEIVED_AT,
        deal=deal_of_words("B 3MW DE base Cal27 @ 80.00"), reason="less",
    )  # fmt: skip
    for day in (FRIDAY, MONDAY):
        publish(desk.market, {"Cal27": "40.00"}, at=at(day))
    friday, monday = EndOfDay.objects.order_by("day")
    with jobs():
        officer.post(
            f"{DAYS}/{friday.pk}/restate", {"reason": "corrected"}, content_type="application/json"
        )

    for row in EndOfDay.objects.order_by("pk"):
        with jobs():
            clicked = officer.post(reverse("trading:prove_end_of_day", args=[row.pk]))
        assert clicked.status_code == 302
        proof = row.proofs.get()
        assert proof.differences == [], row
        assert (proof.input_hash, proof.result_hash) == (row.run.input_hash, row.run.result_hash)
        assert list(proof.reports) == ["EU"]
        assert "the same" in officer.get(
            reverse("trading:end_of_day", args=[row.pk])
        ).content.decode()  # fmt: skip
    restated = EndOfDay.objects.get(is_restatement=True)
    assert restated.run.result_hash != friday.run.result_hash
    # A stored figure that somebody changed does not come out again.
    computed = monday.run.result_hash
    ValuationRun.objects.filter(pk=monday.run_id).update(result_hash="0" * 64)
    with jobs():
        officer.post(f"{DAYS}/{monday.pk}/prove")
    assert len(EndOfDayProof.objects.latest("pk").differences) == 2
    shown = officer.get(f"{DAYS}/{monday.pk}").json()["proofs"][0]
    assert (shown["is_same"], shown["result_hash"]) == (False, computed)


def test_rest_lists_starts_and_restates(desk, second, jobs, now):
    publish(desk.market, {"Cal27": "90.00"}, at=at(FRIDAY))
    receipt = desk.deal("B 10MW DE base Cal27 @ 85.20")
    officer, other, trader = map(client_of, (desk.officer, second, desk.trader))
    json = {"content_type": "application/json"}
    body = {"day": "2026-11-20", "as_of": "2026-11-20T19:00:00Z"}

    assert trader.post(DAYS, body, **json).status_code == 403
    assert officer.post(DAYS, {"day": "2026-11-20"}, **json).json()["errors"][0]["pointer"] == (
        "/as_of"
    )
    assert officer.post(DAYS, {**body, "state": "SIGNED"}, **json).status_code == 400
    with jobs():
        started = officer.post(DAYS, body, **json, headers={"Idempotency-Key": "k"})
    assert (started.status_code, started.json()["state"]) == (202, "RUNNING")
    one = started["Location"]
    detail = trader.get(one).json()
    assert [step["step"] for step in detail["steps"]] == [
        "metering", "valuation", "checks", "price_check", "pnl", "hedges", "risk_run",
    ]  # fmt: skip
    assert (detail["state"], detail["findings"], detail["late"]) == ("READY", 0, [])

    refused = officer.post(f"{one}/sign", {}, **json)
    assert (refused.status_code, refused.json()["code"]) == (409, "second_person_needed")
    assert officer.post(f"{one}/restate", {"reason": "x"}, **json).status_code == 409
    assert other.post(f"{one}/sign", {}, **json).status_code == 200
    amend_trade(
        actor=desk.trader, ref=receipt.ref, expected_version=1, received_at=RECEIVED_AT,
        deal=deal_of_words("B 12MW DE base Cal27 @ 85.20"), reason="two more",
    )  # fmt: skip
    with jobs():
        restated = officer.post(f"{one}/restate", {"reason": "two more"}, **json)
    (difference,) = officer.get(restated["Location"]).json()["differences"]
    assert (difference["book"], difference["value_difference"]) == ("EU", "84096.00")
    (listed,) = trader.get(DAYS, {"state": "RESTATED", "first_day": "2026-11-20"}).json()["results"]
    assert (listed["restatements"], listed["result_hash"]) == (1, detail["result_hash"])
    assert trader.get(DAYS, {"last_day": "2026-11-19"}).json()["results"] == []
    assert client_of(make_desk("Stranger").trader).get(DAYS).json()["results"] == []


def test_days_are_signed_in_their_order_and_reopened_by_none(desk, second, jobs, now):
    publish(desk.market, {"Cal27": "90.00"}, at=at(FRIDAY))
    asked = {"actor": desk.officer, "organization_id": desk.organization.pk}

    def close(day):
        now(at(day, 20))
        with jobs():
            row = start_end_of_day(**asked, day=day, as_of=at(day, 19), asked_at=at(day, 20))
        row.refresh_from_db()
        return row

    def sign(row):
        return sign_end_of_day(
            actor=second, end_of_day_id=row.pk, signed_at=at(MONDAY, 21), reason="seen"
        )

    friday, monday = close(FRIDAY), close(MONDAY)
    assert monday.opening == friday.run
    with pytest.raises(ClosingRefused, match="2026-11-20 comes first"):
        sign(monday)
    sign(close(FRIDAY))
    with pytest.raises(ClosingRefused, match="2026-11-20 was closed again since"):
        sign(monday)
    sign(close(MONDAY))
    with pytest.raises(ClosingRefused, match="no day before it"):
        close(date(2026, 11, 19))


def test_a_day_whose_job_was_stopped_can_be_started_again(desk, jobs):
    asked = {
        "actor": desk.officer, "organization_id": desk.organization.pk, "day": FRIDAY,
        "as_of": at(FRIDAY, 19), "asked_at": at(FRIDAY, 20),
    }  # fmt: skip
    stopped = start_end_of_day(**asked)  # its message is never sent
    with pytest.raises(ClosingRefused, match="being closed already"):
        start_end_of_day(**asked)
    cancel_job(actor=desk.officer, job_id=stopped.job_id)

    with jobs():
        again = start_end_of_day(**asked)

    stopped.refresh_from_db()
    again.refresh_from_db()
    assert (stopped.state, again.state, again.number) == ("FAILED", "READY", 2)


def test_a_late_trade_of_a_book_out_of_reach_stays_unnamed(desk, jobs, now):
    publish(desk.market, {"Cal27": "90.00"}, at=at(FRIDAY))
    hidden = make_book(desk.organization, "SECRET")
    desk.deal()
    row = None
    for day in (FRIDAY, MONDAY):
        publish(desk.market, {"Cal27": "90.00"}, at=at(day))
        if day == MONDAY:
            ref = desk.deal(book_id=hidden.pk, actor=SYSTEM).ref
        with jobs():
            row = start_end_of_day(
                actor=Actor.system("test"), organization_id=desk.organization.pk, day=day,
                as_of=at(day, 19), asked_at=at(day, 20),
            )  # fmt: skip
    address = reverse("trading:end_of_day", args=[row.pk])

    seen, unseen = (
        client_of(actor).get(address).content.decode() for actor in (desk.officer, desk.trader)
    )

    assert ref in seen
    assert ref not in unseen and "A trade of a book that you do not see." in unseen


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        # Closing at 18:00 in Berlin: 16:00 UTC in summer, 17:00 in winter.
        (datetime(2026, 10, 23, 15, 59, tzinfo=UTC), date(2026, 10, 22)),
        (datetime(2026, 10, 23, 16, 0, tzinfo=UTC), date(2026, 10, 23)),
        (datetime(2026, 10, 26, 16, 59, tzinfo=UTC), date(2026, 10, 23)),
        (datetime(2026, 10, 26, 17, 0, tzinfo=UTC), date(2026, 10, 26)),
        # Saturday, and a Friday that is a holiday.
        (datetime(2026, 12, 26, 20, 0, tzinfo=UTC), date(2026, 12, 24)),
    ],
)
def test_the_clock_closes_the_last_business_day_at_the_markets_hour(desk, jobs, moment, day):
    publish_holidays(
        actor=SYSTEM,
        terms=HolidayTerms(
            calendar="XMAS", calendar_name="Christmas", version=1, source="test",
            covers_first=date(2026, 1, 1), covers_last=date(2026, 12, 31),
            holidays=((date(2026, 12, 25), "Christmas"),),
        ),
    )  # fmt: skip
    set_closing_time(
        actor=desk.officer, organization_id=desk.organization.pk,
        terms=ClosingTerms("DE", time(18), "XMAS"),
    )  # fmt: skip

    (row,) = start_due_closings(actor=Actor.system("test"), now=moment)

    assert (row.day, row.as_of.hour) == (day, 16 if day < date(2026, 10, 25) else 17)


def test_beat_runs_each_day_once_and_in_order_and_a_person_signs(desk, second, jobs, now):
    publish(desk.market, {"Cal27": "90.00"}, at=at(FRIDAY, 16))
    desk.deal()
    assert PERIODIC["trading.close_days"].task == "trading.close_days"
    assert close_days() == 0  # nobody has said when
    page = client_of(desk.officer)
    said = {
        "organization": desk.organization.pk, "market": "DE", "closes_at": "18:00",
        "is_active": "on",
    }  # fmt: skip
    assert client_of(desk.trader).post(reverse("trading:closing_time"), said).status_code == 403
    assert page.post(reverse("trading:closing_time"), said).status_code == 302
    assert "18:00 Europe/Berlin" in page.get(reverse("trading:end_of_days")).content.decode()

    for moment, started in ((at(FRIDAY, 16), 1), (at(FRIDAY, 17), 1), (at(FRIDAY, 18), 0)):
        now(moment)
        with jobs():
            assert close_days.apply(throw=True).get() == started, moment
    now(at(date(2026, 11, 25), 18))
    for _ in range(4):
        with jobs():
            close_days.apply(throw=True)

    rows = EndOfDay.objects.order_by("day")
    assert [(row.day.day, row.state) for row in rows] == [
        (19, "READY"), (20, "READY"), (23, "READY"), (24, "READY"), (25, "READY"),
    ]  # fmt: skip
    assert [row.opening_id for row in rows[1:]] == [row.run_id for row in rows[:4]]
    assert {row.requested_by for row in rows} == {"system:beat"}
    assert PeriodRun.objects.filter(name="trading.end_of_day").count() == 5
    # One person is enough where the clock ran it.
    address = reverse("trading:sign_end_of_day", args=[rows[0].pk])
    page.post(address, {"reason": "first day"})
    assert EndOfDay.objects.get(pk=rows[0].pk).signed_by == desk.officer.id


def test_closing_times_over_rest(desk):
    officer, trader = client_of(desk.officer), client_of(desk.trader)
    address, json = "/api/v1/trading/closing-times", {"content_type": "application/json"}
    body = {"market": "DE", "closes_at": "17:30", "is_active": False}

    assert trader.put(address, body, **json).status_code == 403
    for wrong, status in (
        ({"market": "XX"}, 409), ({"holidays": "NONE"}, 409), ({"closes_at": "24:30"}, 400),
        ({"organization": str(make_desk("Other").organization.pk)}, 404),
    ):  # fmt: skip
        assert officer.put(address, {**body, **wrong}, **json).status_code == status, wrong
    assert officer.put(address, body, **json).status_code == 200
    (shown,) = trader.get(address).json()
    assert (shown["closes_at"], shown["time_zone"], shown["is_active"]) == (
        "17:30", "Europe/Berlin", False
    )  # fmt: skip
    assert start_due_closings(actor=Actor.system("test"), now=at(MONDAY, 20)) == []
