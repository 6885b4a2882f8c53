"""Alerts: fire once, count, notify, open a ticket, cool down, resolve."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core import mail

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.roles import Role
from energyopti.foundation.events.followers import FOLLOWERS
from energyopti.foundation.events.models import Event
from energyopti.foundation.events.relay import advance, ensure_cursor
from energyopti.foundation.jobs.schedule import PERIODIC
from support import followers
from support.models import Alert, AlertState, DeliveryState, Metric, Notification, Ticket
from support.services.alerting import (
    AlertTransitionRefused,
    acknowledge_alert,
    evaluate_price_rules,
)
from support.services.rules import RuleRefused, switch_rule
from support.tasks import deliver_notifications, evaluate_prices
from tests.factories.accounts import make_actor
from tests.factories.billing import Supply, make_supply
from tests.factories.support import NOON, make_rule, publish_prices

pytestmark = pytest.mark.django_db


def evaluate(at: object = NOON) -> list[Alert]:
    return evaluate_price_rules(actor=Actor.system("test"), evaluated_at=at)  # type: ignore[arg-type]


@pytest.fixture
def watched_bakery() -> Supply:
    supply = make_supply()
    make_rule(supply)
    return supply


def test_peak_fires_once_notifies_and_opens_one_ticket(watched_bakery: Supply) -> None:
    publish_prices(watched_bakery, "312.5")

    fired = evaluate()
    again = evaluate(NOON + timedelta(minutes=5))

    (alert,) = fired
    assert again == []
    alert.refresh_from_db()
    assert alert.value == Decimal("312.5")
    assert alert.evaluations == 2
    assert alert.reason == ("DE-LU spot 312.5 > 150 EUR/MWh in 1 periods from 2027-03-02 19:00 CET")
    assert [n.recipient for n in alert.notifications.all()] == [watched_bakery.reader.user.email]
    assert Ticket.objects.get().alert == alert
    assert alert.ticket.due_at == NOON + timedelta(hours=8)
    kinds = Event.objects.filter(type__regex="^(alert|ticket)[.]").order_by("pk")
    assert [event.type for event in kinds] == ["alert.fired", "ticket.opened"]


def test_price_not_yet_published_does_not_fire(watched_bakery: Supply) -> None:
    publish_prices(watched_bakery, "312.5")

    assert evaluate(NOON - timedelta(hours=3)) == []


@pytest.mark.parametrize(
    ("metric", "threshold", "fires"),
    [
        (Metric.PRICE_ABOVE, "312.5", False),
        (Metric.PRICE_ABOVE, "312.4999", True),
        (Metric.PRICE_BELOW, "60", False),
        (Metric.PRICE_BELOW, "60.0001", True),
        (Metric.PRICE_BELOW, "-10", False),
    ],
)
def test_threshold_itself_is_not_passed(metric: Metric, threshold: str, fires: bool) -> None:
    supply = make_supply()
    make_rule(supply, metric=metric, threshold=Decimal(threshold))
    publish_prices(supply, "312.5")

    assert bool(evaluate()) is fires


def test_alert_resolves_when_the_window_has_passed_and_cools_down(watched_bakery: Supply) -> None:
    publish_prices(watched_bakery, "312.5")
    (alert,) = evaluate()
    over = NOON + timedelta(hours=31)

    evaluate(over)
    alert.refresh_from_db()
    publish_prices(watched_bakery, "312.5", base="400")
    soon = evaluate(over + timedelta(minutes=30))
    later = evaluate(over + timedelta(minutes=90))

    assert alert.state == AlertState.RESOLVED
    assert alert.resolved_at == over
    assert soon == []
    assert len(later) == 1
    assert Ticket.objects.count() == 2


def test_rule_switched_off_is_silent(watched_bakery: Supply) -> None:
    publish_prices(watched_bakery, "312.5")
    rule = watched_bakery.customer.alert_rules.get()

    switch_rule(actor=Actor.system("test"), rule=rule, is_enabled=False)

    assert evaluate() == []
    assert Event.objects.get(type="alertrule.switched").changes == {
        "is_enabled": {"before": True, "after": False}
    }


def test_acknowledging_is_recorded_and_refused_when_resolved(watched_bakery: Supply) -> None:
    publish_prices(watched_bakery, "312.5")
    (alert,) = evaluate()
    reader = watched_bakery.reader

    acknowledge_alert(actor=reader, alert=alert, acknowledged_at=NOON)
    acknowledge_alert(actor=reader, alert=alert, acknowledged_at=NOON)
    evaluate(NOON + timedelta(hours=31))

    event = Event.objects.get(type="alert.acknowledged")
    assert event.changes["state"] == {"before": "FIRING", "after": "ACKNOWLEDGED"}
    assert event.actor_id == reader.id
    with pytest.raises(AlertTransitionRefused, match="resolved already"):
        acknowledge_alert(actor=reader, alert=alert, acknowledged_at=NOON)


def test_mail_is_sent_once(watched_bakery: Supply) -> None:
    publish_prices(watched_bakery, "312.5")
    evaluate()

    first, second = deliver_notifications(), deliver_notifications()

    assert (first, second) == (1, 0)
    (message,) = mail.outbox
    assert message.to == [watched_bakery.reader.user.email]
    assert message.subject == "Warning: Expensive hours"
    assert "312.5 > 150" in message.body
    assert Notification.objects.get().state == DeliveryState.SENT


def test_mail_that_fails_is_tried_again_then_given_up(
    watched_bakery: Supply, settings: object
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"  # type: ignore[attr-defined]
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # type: ignore[attr-defined]
    publish_prices(watched_bakery, "312.5")
    evaluate()

    tried = [deliver_notifications() for _attempt in range(6)]

    assert tried == [1, 1, 1, 1, 1, 0]
    notification = Notification.objects.get()
    assert notification.state == DeliveryState.FAILED
    assert "refused" in notification.error
    assert Event.objects.filter(type="notification.failed").count() == 1


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"threshold": Decimal("0.00001")}, "threshold"),
        ({"threshold": Decimal("NaN")}, "threshold"),
        ({"look_ahead_hours": 100}, "look_ahead_hours"),
        ({"cooldown_minutes": -1}, "cooldown_minutes"),
        ({"channel_url": "gopher://127.0.0.1"}, "channel_url"),
        ({"channel_url": "json://127.0.0.1:8000/hook"}, "channel_url"),
    ],
)
def test_impossible_rule_is_refused(fields: dict[str, object], field: str) -> None:
    with pytest.raises(RuleRefused, match=rf"^{field}: "):
        make_rule(make_supply(), **fields)


def test_same_name_or_foreign_organization_is_refused(watched_bakery: Supply) -> None:
    with pytest.raises(RuleRefused, match="already a rule"):
        make_rule(watched_bakery)
    with pytest.raises(RuleRefused, match="organization"):
        make_rule(
            watched_bakery,
            name="Other",
            actor=make_actor(Role.ENERGY_MANAGER, organization=make_supply(name="Mill").customer),
        )
    with pytest.raises(PermissionMissing):
        make_rule(
            watched_bakery,
            name="Other",
            actor=make_actor(Role.ESG_OFFICER, organization=watched_bakery.customer),
        )


@pytest.mark.django_db(transaction=True)
def test_follower_fires_when_prices_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followers.clock, "now", lambda: NOON)
    ensure_cursor(FOLLOWERS["alerts"])
    supply = make_supply()
    make_rule(supply)
    publish_prices(supply, "312.5")

    while advance(FOLLOWERS["alerts"]).more:
        pass

    assert Alert.objects.count() == 1
    assert Ticket.objects.count() == 1
    assert Notification.objects.count() == 1
    assert len(mail.outbox) == 1


def test_clock_evaluates_too(watched_bakery: Supply, monkeypatch: pytest.MonkeyPatch) -> None:
    publish_prices(watched_bakery, "312.5")
    monkeypatch.setattr(followers.clock, "now", lambda: NOON)

    assert evaluate_prices() == 1
    assert evaluate_prices() == 0
    assert {"support.evaluate-prices", "support.deliver-notifications"} <= set(PERIODIC)
