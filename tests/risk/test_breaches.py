"""The life of a breach: opened by facts and by the market, acknowledged, acted on, resolved."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.roles import Role
from energyopti.foundation.events.models import Event
from risk.enums import BreachState, LimitMeasure
from risk.models import LimitBreach
from risk.queries.limit_pages import UnknownBreach, breach_for
from risk.services.breaches import (
    ESCALATED_AFTER,
    BreachRefused,
    acknowledge_breach,
    assign_breach,
    escalate_breaches,
    note_breach,
    record_action,
    resolve_breach,
    watch_limits,
)
from risk.services.limits import decide_increase, propose_increase
from tests.factories.accounts import make_user
from tests.factories.risk import colleague_of, hold
from tests.factories.trades import RECEIVED_AT, make_desk

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system("test")


@pytest.fixture
def desk():
    desk = make_desk()
    hold(desk, 5, measure=LimitMeasure.NET_VOLUME, unit="MW")
    return desk


@pytest.fixture
def breach(desk):
    desk.deal("B 10MW DE base Cal27 @ 85", fill=True)
    return LimitBreach.objects.get()


def test_a_fill_opens_a_breach_with_numbers_and_another_adds_one(desk, breach):
    assert (breach.before, breach.after, breach.amount) == (
        0, pytest.approx(10), Decimal("5.00"),
    )  # fmt: skip
    assert (breach.state, breach.caused_by) == (BreachState.DETECTED, desk.trader.id)
    told = Event.objects.get(type="limit.breached").payload
    assert (told["measure"], told["unit"], told["cause"]) == ("NET_VOLUME", "MW", breach.cause)

    desk.deal("S 1MW DE base Cal27 @ 85", fill=True)  # lowers the excess
    assert LimitBreach.objects.count() == 1
    desk.deal("B 2MW DE base Cal27 @ 85", fill=True)
    assert LimitBreach.objects.latest("id").after == pytest.approx(11)


def test_from_detected_to_resolved_with_a_log_that_only_grows(desk, breach):
    second = colleague_of(desk)
    with pytest.raises(PermissionMissing):
        acknowledge_breach(actor=desk.trader, breach_id=breach.pk)
    with pytest.raises(UnknownBreach):
        acknowledge_breach(actor=make_desk().officer, breach_id=breach.pk)
    with pytest.raises(BreachRefused, match="is detected"):
        resolve_breach(actor=desk.officer, breach_id=breach.pk, note="gone")

    acknowledge_breach(actor=desk.officer, breach_id=breach.pk, note="calling")
    with pytest.raises(BreachRefused, match="is acknowledged"):
        acknowledge_breach(actor=second, breach_id=breach.pk)
    assign_breach(actor=desk.officer, breach_id=breach.pk, user_id=second.user.pk)
    record_action(actor=second, breach_id=breach.pk, note="5 MW are sold")
    note_breach(actor=second, breach_id=breach.pk, note="agreed with the head of desk")
    with pytest.raises(BreachRefused, match="note"):
        resolve_breach(actor=second, breach_id=breach.pk, note=" ")
    done = resolve_breach(actor=second, breach_id=breach.pk, note="within again")

    assert (done.state, done.owner) == (BreachState.RESOLVED, second.id)
    assert [step.kind for step in breach.steps.order_by("id")] == [
        "DETECTED", "ACKNOWLEDGED", "ASSIGNED", "ACTION", "NOTE", "RESOLVED",
    ]  # fmt: skip
    types = Event.objects.filter(type__startswith="limit.breach").order_by("id")
    assert [event.type for event in types] == [
        "limit.breached", "limit.breach_acknowledged", "limit.breach_assigned",
        "limit.breach_action", "limit.breach_note", "limit.breach_resolved",
    ]  # fmt: skip
    with pytest.raises(BreachRefused, match="is resolved"):
        record_action(actor=second, breach_id=breach.pk, note="late")


def test_who_caused_it_does_not_resolve_it(desk):
    both = Actor.for_user(make_user(Role.ADMIN, organization=desk.organization))
    desk.deal("B 10MW DE base Cal27 @ 85", fill=True, actor=both)
    breach = LimitBreach.objects.get()
    acknowledge_breach(actor=desk.again(both), breach_id=breach.pk)

    with pytest.raises(BreachRefused, match="another person"):
        resolve_breach(actor=desk.again(both), breach_id=breach.pk, note="fine")

    resolve_breach(actor=desk.officer, breach_id=breach.pk, note="sold")


def test_what_nobody_acknowledges_in_time_is_escalated_once(desk, breach):
    soon = timezone.now() + ESCALATED_AFTER - timedelta(minutes=1)
    late = timezone.now() + ESCALATED_AFTER + timedelta(minutes=1)

    assert escalate_breaches(actor=SYSTEM, at=soon) == 0
    assert escalate_breaches(actor=SYSTEM, at=late) == 1
    assert escalate_breaches(actor=SYSTEM, at=late) == 0

    assert breach_for(desk.officer, breach.pk).is_escalated
    assert Event.objects.filter(type="limit.breach_escalated").count() == 1


def test_the_watch_opens_one_breach_where_an_increase_ended_and_none_while_it_is_open(desk):
    from risk.models import Limit

    increase = propose_increase(
        actor=desk.officer, limit_id=Limit.objects.get().pk, amount=Decimal(10),
        start_at=RECEIVED_AT, end_at=RECEIVED_AT + timedelta(hours=1), reason="outage",
        at=RECEIVED_AT,
    )  # fmt: skip
    decide_increase(actor=colleague_of(desk), increase_id=increase.pk, approve=True, reason="")
    desk.deal("B 10MW DE base Cal27 @ 85")
    over = RECEIVED_AT + timedelta(hours=1)

    assert watch_limits(actor=SYSTEM, at=RECEIVED_AT) == 0
    assert watch_limits(actor=SYSTEM, at=over) == 1
    assert watch_limits(actor=SYSTEM, at=over) == 0

    breach = LimitBreach.objects.get()
    assert (breach.before, breach.after, breach.caused_by) == (None, pytest.approx(10), "")
    acknowledge_breach(actor=desk.officer, breach_id=breach.pk)
    resolve_breach(actor=desk.officer, breach_id=breach.pk, note="seen")
    assert watch_limits(actor=SYSTEM, at=over) == 1  # it stands over it still
