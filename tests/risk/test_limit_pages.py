"""Limits and breaches on pages and over REST: who sees, who may, and what is refused how."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from energyopti.accounts.roles import Role
from energyopti.foundation import clock
from risk.enums import BreachState, LimitMeasure
from risk.models import Limit, LimitBreach, LimitIncrease
from tests.factories.accounts import make_user
from tests.factories.risk import colleague_of, hold
from tests.factories.trades import make_desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    return make_desk()


def client_of(actor) -> Client:
    client = Client()
    client.force_login(actor.user)
    return client


def entry(desk, **changes):
    return {
        "scope": f"book:{desk.book.pk}", "measure": "NET_VOLUME", "amount": "50", "unit": "MW",
        "confidence": "", "period": "", "dimension": "", "market": "DE", "commodity": "",
        "warn_share": "0.8", "excess": "HARD", "reason": "as the board decided", **changes,
    }  # fmt: skip


def test_a_limit_is_proposed_approved_raised_for_a_time_and_removed_by_pages(desk):
    officer, second = client_of(desk.officer), client_of(colleague_of(desk))
    address = reverse("risk:propose_limit")
    assert client_of(desk.trader).get(address).status_code == 403
    assert officer.get(address).status_code == 200
    refused = officer.post(address, entry(desk, unit="EUR"))
    assert refused.status_code == 422 and "unit" in refused.context["form"].errors
    assert officer.post(address, entry(desk)).status_code == 302
    row = Limit.objects.get()

    decide = reverse("risk:decide_limit", args=[row.pk])
    officer.post(decide, {"verdict": "approve", "reason": ""})
    assert not Limit.objects.get().is_active
    assert "another person decides" in officer.get(reverse("risk:limits")).content.decode()
    assert client_of(desk.trader).post(decide, {"verdict": "approve"}).status_code == 403
    second.post(decide, {"verdict": "approve", "reason": "checked"})
    assert Limit.objects.get().is_active

    now = clock.now()
    asked = {
        "amount": "10", "start_at": f"{now:%Y-%m-%dT%H:%M}", "increase_reason": "outage",
        "end_at": f"{now + timedelta(days=1):%Y-%m-%dT%H:%M}",
    }  # fmt: skip
    ask = reverse("risk:increase_limit", args=[row.pk])
    assert officer.post(ask, {**asked, "end_at": asked["start_at"]}).status_code == 422
    assert officer.post(ask, asked).status_code == 302
    increase = LimitIncrease.objects.get()
    second.post(reverse("risk:decide_increase", args=[increase.pk]), {"verdict": "approve"})
    shown = client_of(desk.trader).get(reverse("risk:limits")).content.decode()
    assert "60.00 MW" in shown and "+10.00 until" in shown and "<meter" in shown

    assert officer.post(
        reverse("risk:remove_limit", args=[row.pk]), {"removal_reason": "closed"}
    ).status_code == 302  # fmt: skip
    removal = Limit.objects.get(is_removal=True)
    second.post(reverse("risk:decide_limit", args=[removal.pk]), {"verdict": "approve"})
    page = officer.get(reverse("risk:limit", args=[row.pk])).content.decode()
    assert "No version of it is in force" in page and "Removed" in page and "outage" in page


def test_the_list_reads_each_scope_once(desk, django_assert_max_num_queries):
    for amount, measure in ((50, LimitMeasure.NET_VOLUME), (80, LimitMeasure.GROSS_VOLUME)):
        hold(desk, amount, measure=measure, unit="MW")
        hold(desk, amount, measure=measure, unit="MW", trader_id=desk.trader.user.pk)
    desk.deal("B 10MW DE base Cal27 @ 85")
    client = client_of(desk.officer)
    client.get(reverse("risk:limits"))

    with django_assert_max_num_queries(42):
        page = client.get(reverse("risk:limits"))

    assert [use.used for use in page.context["uses"]] == [pytest.approx(10)] * 4


def test_a_breach_is_led_to_its_end_by_its_page(desk):
    hold(desk, 5, measure=LimitMeasure.NET_VOLUME, unit="MW")
    ref = desk.deal("B 10MW DE base Cal27 @ 85", fill=True).ref
    breach = LimitBreach.objects.get()
    officer = client_of(desk.officer)

    def act(verb, note="", client=officer):
        return client.post(reverse("risk:act_on_breach", args=[breach.pk, verb]), {"note": note})

    assert ref in officer.get(reverse("risk:breaches")).content.decode()
    assert act("acknowledge", client=client_of(desk.trader)).status_code == 403
    assert act("acknowledge", client=client_of(make_desk().officer)).status_code == 404
    assert act("nonsense").status_code == 404
    assert act("resolve", "gone").status_code == 422  # nobody acknowledged it
    assert act("acknowledge", "calling").status_code == 302
    assert act("action").status_code == 422  # without a note
    assert act("action", "5 MW are sold").status_code == 302
    assert act("resolve", "within again").status_code == 302

    breach.refresh_from_db()
    assert breach.state == BreachState.RESOLVED
    page = client_of(desk.trader).get(reverse("risk:breach", args=[breach.pk])).content.decode()
    assert "calling" in page and "within again" in page and "<textarea" not in page
    listed = officer.get(reverse("risk:breaches"))
    assert listed.context["rows"] == [] and "No breach here" in listed.content.decode()
    assert len(officer.get(reverse("risk:breaches") + "?state=RESOLVED").context["rows"]) == 1


def test_other_roles_and_other_organizations_stay_out(desk):
    limit = hold(desk, 5, measure=LimitMeasure.NET_VOLUME, unit="MW")
    operator = Client()
    operator.force_login(make_user(Role.DEVICE_OPERATOR, organization=desk.organization))
    stranger = client_of(make_desk().officer)

    for name in ("limits", "breaches"):
        assert operator.get(reverse(f"risk:{name}")).status_code == 403
        assert operator.get(f"/api/v1/risk/{name}").status_code == 403
        assert stranger.get(f"/api/v1/risk/{name}").json()["results"] == []
    assert stranger.get(reverse("risk:limit", args=[limit.pk])).status_code == 404
    assert stranger.get(f"/api/v1/risk/limits/{limit.pk}/versions").status_code == 404


def test_limits_and_breaches_over_rest(desk):
    officer, second = client_of(desk.officer), client_of(colleague_of(desk))

    def post(client, path, status, **body):
        answer = client.post(
            f"/api/v1/risk/{path}", json.dumps(body), content_type="application/json"
        )
        assert answer.status_code == status, answer.content
        return answer.json()

    body = {"measure": "NET_VOLUME", "book": str(desk.book.pk), "amount": "5", "unit": "MW"}
    refused = post(officer, "limits", 400, **{**body, "amount": "-5", "reason": "x"})
    assert refused["errors"][0]["pointer"] == "/amount"
    made = post(officer, "limits", 201, **body, reason="as the board decided")
    assert (made["name"], made["status"], made["is_active"]) == (
        "Net volume of a month", "PENDING", False,
    )  # fmt: skip
    path = f"limits/{made['id']}"
    mine = post(officer, f"{path}/decision", 409, verdict="APPROVE")
    assert mine["code"] == "second_person_needed"
    assert post(second, f"{path}/decision", 200, verdict="APPROVE")["is_active"]
    again = post(second, f"{path}/decision", 409, verdict="APPROVE")
    assert again["code"] == "limit_refused"

    desk.deal("B 10MW DE base Cal27 @ 85", fill=True)
    (use,) = officer.get("/api/v1/risk/limits/uses").json()
    assert (use["allowed"], use["level"], use["is_breached"]) == ("5.00", "bad", True)
    assert use["used"] == pytest.approx(10)
    (breach,) = officer.get("/api/v1/risk/breaches?state=DETECTED").json()["results"]
    actions = f"breaches/{breach['id']}/actions"
    early = post(officer, actions, 409, action="RESOLVE", note="gone")
    assert early["code"] == "breach_refused"
    post(officer, actions, 400, action="ASSIGN")
    post(officer, actions, 200, action="ACKNOWLEDGE")
    done = post(officer, actions, 200, action="RESOLVE", note="within again")
    assert [step["kind"] for step in done["steps"]] == ["DETECTED", "ACKNOWLEDGED", "RESOLVED"]

    start = clock.now()
    asked = post(
        officer, f"{path}/increases", 201, amount="10", reason="outage",
        start_at=start.isoformat(), end_at=(start + timedelta(hours=2)).isoformat(),
    )  # fmt: skip
    post(second, f"limits/increases/{asked['id']}/decision", 200, verdict="APPROVE")
    (use,) = officer.get("/api/v1/risk/limits/uses").json()
    assert Decimal(use["allowed"]) == 15 and not use["is_breached"]
    removal = post(officer, f"{path}/removal", 201, reason="closed")
    post(second, f"limits/{removal['id']}/decision", 200, verdict="APPROVE")
    assert officer.get("/api/v1/risk/limits/uses").json() == []
    versions = officer.get(f"/api/v1/risk/{path}/versions").json()
    assert [row["is_removal"] for row in versions] == [True, False]
