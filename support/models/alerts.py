"""Rules that watch a market's prices, and what they found."""

from django.db import models
from django.db.models.functions import Now

from energyopti.accounts.models.ownership import OwnedQuerySet


class Metric(models.TextChoices):
    """What a rule compares with its threshold."""

    PRICE_ABOVE = "PRICE_ABOVE", "Spot price above"
    PRICE_BELOW = "PRICE_BELOW", "Spot price below"


class Severity(models.TextChoices):
    """How much it matters; decides how soon the ticket must be answered."""

    INFO = "INFO", "Information"
    WARNING = "WARNING", "Warning"
    CRITICAL = "CRITICAL", "Critical"


class AlertState(models.TextChoices):
    """Where an alert stands."""

    FIRING = "FIRING", "Firing"
    ACKNOWLEDGED = "ACKNOWLEDGED", "Acknowledged"
    RESOLVED = "RESOLVED", "Resolved"


class AlertRule(models.Model):
    """
    An organization's wish to be told when a market's price passes a threshold.

    threshold            currency of the market per MWh.
    look_ahead_hours     published prices of so many hours from now on are watched.
    cooldown_minutes     after an alert was resolved, so long nothing new fires.
    channel_url          an apprise address beside e-mail; checked when saved and when used.
    """

    organization = models.ForeignKey(
        "accounts.Organization", models.PROTECT, related_name="alert_rules"
    )
    name = models.CharField(max_length=120)
    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="+")
    metric = models.CharField(max_length=12, choices=Metric)
    threshold = models.DecimalField(max_digits=14, decimal_places=4)
    severity = models.CharField(max_length=8, choices=Severity, default=Severity.WARNING)
    look_ahead_hours = models.PositiveSmallIntegerField(default=36)
    cooldown_minutes = models.PositiveIntegerField(default=60)
    channel_url = models.CharField(max_length=400, blank=True)
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField()

    objects = OwnedQuerySet.as_manager()

    class Meta:
        permissions = [("manage_alertrule", "Can create and switch alert rules")]
        constraints = [
            models.UniqueConstraint("organization", "name", name="alert_rule_name_once"),
            models.CheckConstraint(
                condition=models.Q(look_ahead_hours__gte=1, look_ahead_hours__lte=72),
                name="alert_rule_look_ahead",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.organization_id})"


class Alert(models.Model):
    """
    That a rule's condition holds; one open alert a fingerprint, however often it is seen.

    fingerprint      of rule and condition, so that repeats count instead of multiplying.
    value            the most extreme price seen, in the market's currency per MWh.
    interval_start   the first period that met the condition; `interval_end` ends the last.
    reason           the evaluated expression in words: why did this fire.
    """

    organization = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="alerts")
    rule = models.ForeignKey(AlertRule, models.PROTECT, related_name="alerts")
    fingerprint = models.CharField(max_length=64)
    state = models.CharField(max_length=12, choices=AlertState, default=AlertState.FIRING)
    severity = models.CharField(max_length=8, choices=Severity)
    value = models.DecimalField(max_digits=18, decimal_places=6)
    interval_start = models.DateTimeField()
    interval_end = models.DateTimeField()
    periods = models.PositiveIntegerField()
    reason = models.CharField(max_length=400)
    fired_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    evaluations = models.PositiveIntegerField(default=1)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=120, blank=True)
    resolved_at = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField(db_default=Now())

    objects = OwnedQuerySet.as_manager()

    class Meta:
        permissions = [("acknowledge_alert", "Can acknowledge and resolve alerts")]
        constraints = [
            models.UniqueConstraint(
                "fingerprint", condition=~models.Q(state="RESOLVED"), name="alert_open_once"
            ),
            models.CheckConstraint(
                condition=models.Q(state="RESOLVED") ^ models.Q(resolved_at__isnull=True),
                name="alert_resolved_time",
            ),
        ]
        indexes = [models.Index(fields=["organization", "-fired_at", "-id"], name="alert_inbox")]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.state} since {self.fired_at:%Y-%m-%d %H:%M}"
