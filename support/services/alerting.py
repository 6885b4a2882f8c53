"""Look at prices, fire alerts, and carry them through acknowledgement to their end."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import connection, transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.intervals import Interval
from trading.queries.prices import ExactPrice, exact_prices

from ..models import Alert, AlertRule, AlertState, Metric
from .notifying import notify
from .ticketing import open_ticket_for_alert


class AlertTransitionRefused(ValueError):
    """An alert cannot go from its state to the one asked for."""


@dataclass(frozen=True)
class Exceedance:
    """The prices of the window that meet a rule's condition, in order; at least one."""

    prices: tuple[ExactPrice, ...]
    worst: Decimal

    @property
    def interval(self) -> Interval:
        """Return from the first such period's start to the last one's end."""
        return Interval(self.prices[0].interval.start, self.prices[-1].interval.end)


def evaluate_price_rules(
    *, actor: Actor, evaluated_at: datetime, market_code: str | None = None
) -> list[Alert]:
    """
    Evaluate enabled rules against published prices from now on, and return alerts that fired now.

    A condition that still holds is counted on its open alert; one that no longer holds resolves
    it. A new alert notifies and opens its ticket in the same transaction.
    """
    rules = AlertRule.objects.filter(
        is_enabled=True, organization_id__in=actor.organization_ids
    ).select_related("market", "organization")
    if market_code is not None:
        rules = rules.filter(market__code=market_code)
    fired = []
    for rule in rules.order_by("pk"):
        with transaction.atomic():
            alert = _evaluate(actor, rule, evaluated_at)
        if alert is not None:
            fired.append(alert)
    return fired


def acknowledge_alert(*, actor: Actor, alert: Alert, acknowledged_at: datetime) -> Alert:
    """
    Say that somebody looks after an alert; a second time changes nothing.

    :raises AlertTransitionRefused: if it is resolved already.
    """
    actor.require("support.acknowledge_alert")
    with transaction.atomic():
        alert = Alert.objects.select_for_update().get(
            pk=alert.pk, organization_id__in=actor.organization_ids
        )
        if alert.state == AlertState.ACKNOWLEDGED:
            return alert
        if alert.state == AlertState.RESOLVED:
            raise AlertTransitionRefused("state: the alert is resolved already.")
        before = alert.state
        alert.state = AlertState.ACKNOWLEDGED
        alert.acknowledged_at = acknowledged_at
        alert.acknowledged_by = actor.id
        alert.save(update_fields=["state", "acknowledged_at", "acknowledged_by"])
        _tell(actor, alert, "alert.acknowledged", before)
    return alert


def _evaluate(actor: Actor, rule: AlertRule, evaluated_at: datetime) -> Alert | None:
    fingerprint = fingerprint_of(rule)
    _lock(fingerprint)
    found = _exceedance(rule, evaluated_at)
    present = (
        Alert.objects.select_for_update()
        .filter(fingerprint=fingerprint)
        .exclude(state=AlertState.RESOLVED)
        .first()
    )
    if present is not None:
        if found is None:
            _resolve(actor, present, evaluated_at)
        else:
            _count(present, found, evaluated_at)
        return None
    if found is None or _cools_down(rule, fingerprint, evaluated_at):
        return None
    return _fire(actor, rule, fingerprint, found, evaluated_at)


def fingerprint_of(rule: AlertRule) -> str:
    """Return what makes two alerts the same: the rule with its condition."""
    condition = f"{rule.pk}|{rule.market_id}|{rule.metric}|{rule.threshold.normalize():f}"
    return hashlib.sha256(condition.encode()).hexdigest()


def _exceedance(rule: AlertRule, evaluated_at: datetime) -> Exceedance | None:
    """Return what meets the condition in the window, of prices published by now."""
    window = Interval(evaluated_at, evaluated_at + timedelta(hours=rule.look_ahead_hours))
    # The period that runs now began before the window; the longest period is an hour.
    asked = Interval(window.start - timedelta(hours=1), window.end)
    prices = [
        price
        for price in exact_prices(rule.market, asked, known_at=evaluated_at)
        if price.interval.overlaps(window)
    ]
    above = rule.metric == Metric.PRICE_ABOVE
    meeting = tuple(
        price
        for price in prices
        if (price.value > rule.threshold if above else price.value < rule.threshold)
    )
    if not meeting:
        return None
    values = [price.value for price in meeting]
    return Exceedance(meeting, max(values) if above else min(values))


def _fire(
    actor: Actor, rule: AlertRule, fingerprint: str, found: Exceedance, evaluated_at: datetime
) -> Alert:
    alert = Alert.objects.create(
        organization_id=rule.organization_id,
        rule=rule,
        fingerprint=fingerprint,
        severity=rule.severity,
        value=found.worst,
        interval_start=found.interval.start,
        interval_end=found.interval.end,
        periods=len(found.prices),
        reason=_reason(rule, found),
        fired_at=evaluated_at,
        seen_at=evaluated_at,
    )
    record_event(
        type="alert.fired",
        actor=actor,
        aggregate_type="alert",
        aggregate_id=alert.pk,
        organization_id=alert.organization_id,
        payload={
            "rule": rule.name,
            "market": rule.market.code,
            "metric": rule.metric,
            "threshold": f"{rule.threshold:f}",
            "value": f"{found.worst:f}",
            "interval_start": found.interval.start.isoformat(),
            "interval_end": found.interval.end.isoformat(),
            "severity": rule.severity,
        },
    )
    notify(actor=actor, alert=alert, written_at=evaluated_at)
    open_ticket_for_alert(actor=actor, alert=alert, opened_at=evaluated_at)
    return alert


def _reason(rule: AlertRule, found: Exceedance) -> str:
    sign = ">" if rule.metric == Metric.PRICE_ABOVE else "<"
    local = found.interval.start.astimezone(rule.market.calendar.zone)
    return (
        f"{rule.market.code} spot {found.worst.normalize():f} {sign} {rule.threshold.normalize():f}"
        f" {rule.market.currency}/MWh in {len(found.prices)} periods from"
        f" {local:%Y-%m-%d %H:%M %Z}"
    )


def _count(alert: Alert, found: Exceedance, evaluated_at: datetime) -> None:
    """Note that the condition still holds; no event, because nothing new happened."""
    alert.seen_at = evaluated_at
    alert.evaluations += 1
    extreme = max if alert.rule.metric == Metric.PRICE_ABOVE else min
    alert.value = extreme(alert.value, found.worst)
    alert.interval_end = max(alert.interval_end, found.interval.end)
    alert.save(update_fields=["seen_at", "evaluations", "value", "interval_end"])


def _resolve(actor: Actor, alert: Alert, evaluated_at: datetime) -> None:
    before = alert.state
    alert.state = AlertState.RESOLVED
    alert.resolved_at = evaluated_at
    alert.save(update_fields=["state", "resolved_at"])
    _tell(actor, alert, "alert.resolved", before)


def _cools_down(rule: AlertRule, fingerprint: str, evaluated_at: datetime) -> bool:
    since = evaluated_at - timedelta(minutes=rule.cooldown_minutes)
    return Alert.objects.filter(fingerprint=fingerprint, resolved_at__gt=since).exists()


def _tell(actor: Actor, alert: Alert, kind: str, before: str) -> None:
    record_event(
        type=kind,
        actor=actor,
        aggregate_type="alert",
        aggregate_id=alert.pk,
        organization_id=alert.organization_id,
        payload={"rule": alert.rule.name},
        changes={"state": (str(before), str(alert.state))},
    )


def _lock(fingerprint: str) -> None:
    """Let one evaluation of a condition run at a time, until its transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"support.alert:{fingerprint}"],
        )
