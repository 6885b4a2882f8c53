"""Create alert rules and switch them on and off."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event

from ..channels import ChannelRefused, check_channel
from ..models import AlertRule, Metric, Severity


class RuleRefused(ValueError):
    """An alert rule breaks a rule of ours; names the field and the rule."""


def create_rule(
    *,
    actor: Actor,
    organization_id: UUID,
    name: str,
    market: Any,
    metric: Metric,
    threshold: Decimal,
    created_at: datetime,
    severity: Severity = Severity.WARNING,  # type: ignore[assignment]  # mypy has no Django plugin
    look_ahead_hours: int = 36,
    cooldown_minutes: int = 60,
    channel_url: str = "",
) -> AlertRule:
    """
    Create a rule that watches the published prices of a market.

    market       a `trading.Market`
    threshold    currency of the market per MWh

    :raises RuleRefused: naming the field.
    """
    actor.require("support.manage_alertrule")
    if organization_id not in actor.organization_ids:
        raise RuleRefused("organization: choose one of your organizations.")
    if not name.strip() or len(name) > 120:
        raise RuleRefused("name: give the rule a name of up to 120 characters.")
    if not threshold.is_finite() or threshold != round(threshold, 4) or abs(threshold) >= 10**9:
        raise RuleRefused("threshold: give a number with at most 4 decimals.")
    if not 1 <= look_ahead_hours <= 72:
        raise RuleRefused("look_ahead_hours: must be between 1 and 72.")
    if cooldown_minutes < 0:
        raise RuleRefused("cooldown_minutes: must not be negative.")
    if channel_url:
        try:
            check_channel(channel_url)
        except ChannelRefused as error:
            raise RuleRefused(str(error)) from error
    with transaction.atomic():
        if AlertRule.objects.filter(organization_id=organization_id, name=name.strip()).exists():
            raise RuleRefused(f"name: there is already a rule “{name.strip()}”.")
        rule = AlertRule.objects.create(
            organization_id=organization_id,
            name=name.strip(),
            market=market,
            metric=metric,
            threshold=threshold,
            severity=severity,
            look_ahead_hours=look_ahead_hours,
            cooldown_minutes=cooldown_minutes,
            channel_url=channel_url.strip(),
            created_at=created_at,
        )
        record_event(
            type="alertrule.created",
            actor=actor,
            aggregate_type="alertrule",
            aggregate_id=rule.pk,
            organization_id=organization_id,
            payload={
                "name": rule.name,
                "market": market.code,
                "metric": metric,
                "threshold": f"{threshold:f}",
                "severity": severity,
                "has_channel": bool(channel_url),
            },
        )
    return rule


def switch_rule(*, actor: Actor, rule: AlertRule, is_enabled: bool) -> AlertRule:
    """Switch a rule on or off; the state it has already changes nothing."""
    actor.require("support.manage_alertrule")
    with transaction.atomic():
        found: AlertRule = AlertRule.objects.select_for_update().get(
            pk=rule.pk, organization_id__in=actor.organization_ids
        )
        if found.is_enabled != is_enabled:
            found.is_enabled = is_enabled
            found.save(update_fields=["is_enabled"])
            record_event(
                type="alertrule.switched",
                actor=actor,
                aggregate_type="alertrule",
                aggregate_id=found.pk,
                organization_id=found.organization_id,
                changes={"is_enabled": (not is_enabled, is_enabled)},
            )
    return found
