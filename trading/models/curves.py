"""Forward curves: how each is made, what was built, and which versions were published."""

from decimal import Decimal

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now

from .commodities import CODE_IS_ONE_WORD


class CurveMethod(models.TextChoices):
    """How a price a contract becomes a price an hour; quotes are met under each."""

    FLAT = "FLAT", "Flat between contracts"
    MAXIMUM_SMOOTHNESS = "MAXIMUM_SMOOTHNESS", "Maximum smoothness"
    HISTORY_SHAPED = "HISTORY_SHAPED", "Shaped by spot history"


class CurveFit(models.TextChoices):
    """What of a quote a curve meets."""

    MIDS = "MIDS", "Prices exactly"
    BANDS = "BANDS", "Within bid and ask"


class PublicationPolicy(models.TextChoices):
    """Who has to look at a curve before positions are valued on it."""

    AUTOMATIC = "AUTOMATIC", "Published when built"
    FOUR_EYES = "FOUR_EYES", "A second person approves"


class CurveDefinition(models.Model):
    """
    A forward curve of a market and how it is made. Shared by all organizations, as its market.

    is_mark         positions of the market are valued on it; one a market.
    minutes         periods of the fine grid: 15, 30 or 60.
    tolerance       currency/unit that a quote may be off what finer ones imply before it is
                    named a conflict.
    history_days    of spot prices that a history-shaped curve learns from.
    fit             within bid and ask, prices are moved as little as makes them agree.
    holiday_calendar    whose days a history-shaped curve takes for Sundays; None where none is.
    owner           who answers for it; None for a curve of the system.
    """

    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="curve_definitions")
    code = models.CharField(max_length=24)
    method = models.CharField(max_length=20, choices=CurveMethod, default=CurveMethod.FLAT)
    minutes = models.PositiveSmallIntegerField(default=60)
    tolerance = models.DecimalField(max_digits=9, decimal_places=4, default=Decimal("0.01"))
    history_days = models.PositiveSmallIntegerField(default=730)
    fit = models.CharField(max_length=5, choices=CurveFit, default=CurveFit.MIDS)
    holiday_calendar = models.ForeignKey(
        "trading.HolidayCalendar", models.PROTECT, null=True, blank=True, related_name="+"
    )
    policy = models.CharField(
        max_length=10, choices=PublicationPolicy, default=PublicationPolicy.FOUR_EYES
    )
    is_mark = models.BooleanField(default=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        permissions = [("define_curve", "Can say how forward curves are made and published")]
        constraints = [
            models.UniqueConstraint(
                "market", models.functions.Upper("code"), name="curve_definition_code_once"
            ),
            models.UniqueConstraint(
                "market",
                condition=models.Q(is_mark=True),
                name="curve_definition_one_mark_a_market",
                violation_error_message="The market is valued on another curve already.",
            ),
            models.CheckConstraint(
                condition=models.Q(code__regex=CODE_IS_ONE_WORD),
                name="curve_definition_code_is_one_word",
            ),
            models.CheckConstraint(
                condition=models.Q(minutes__in=[15, 30, 60]), name="curve_definition_minutes"
            ),
            models.CheckConstraint(
                condition=models.Q(tolerance__gte=0), name="curve_definition_tolerance"
            ),
            models.CheckConstraint(
                condition=models.Q(history_days__gte=1), name="curve_definition_history"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} ({self.get_method_display()})"


class PriceTolerance(models.Model):
    """
    One version of how far another source's price may be off a curve before the end of day names it.

    The larger of the two counts. A change is the next version, nothing is overwritten.

    amount      currency/unit of the market
    percent     of the curve's price
    recorded_at the server's clock under the lock of the market's curves
    """

    append_only = True

    definition = models.ForeignKey(CurveDefinition, models.PROTECT, related_name="price_tolerances")
    version = models.PositiveIntegerField()
    amount = models.DecimalField(max_digits=9, decimal_places=4, validators=[MinValueValidator(0)])
    percent = models.DecimalField(
        max_digits=5, decimal_places=2, validators=[MinValueValidator(0), MaxValueValidator(100)]
    )
    recorded_by = models.CharField(max_length=120)
    recorded_at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint("definition", "version", name="price_tolerance_version_once"),
            models.CheckConstraint(
                condition=models.Q(amount__gte=0, percent__range=(0, 100)),
                name="price_tolerance_range",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} or {self.percent} % of curve {self.definition_id}"


class CurveSnapshot(models.Model):
    """
    What was built: from the quotes valid at `as_of` and known at `known_at`, by `parameters`.

    quote_ids       the quotes it reprices.
    left_out        quotes not built from, each with what the others imply, the amount between
                    the two, and whether that is a conflict.
    conflicts       of these, the sentences about conflicts.
    moved           quotes whose price was moved within bid and ask, from and to.
    edits           nodes set by hand: contract, load, from, to, reason, who.
    parameters      of the definition as they were; all that a rebuild needs beside the cut.
    tzdata, code    versions it was built with; not part of the hash.
    content_hash    SHA-256 over quotes, edits, parameters, hours of the loads and the points.
    """

    append_only = True

    definition = models.ForeignKey(CurveDefinition, models.PROTECT, related_name="snapshots")
    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="curves")
    as_of = models.DateTimeField()
    known_at = models.DateTimeField()
    method = models.CharField(max_length=40)
    method_version = models.CharField(max_length=16)
    quote_ids = ArrayField(models.BigIntegerField())
    left_out = models.JSONField(default=list)
    conflicts = models.JSONField(default=list)
    moved = models.JSONField(default=list)
    edits = models.JSONField(default=list)
    parameters = models.JSONField(default=dict)
    tzdata = models.CharField(max_length=16, default="")
    code = models.CharField(max_length=40, default="")
    content_hash = models.CharField(max_length=64)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        permissions = [("build_curve", "Can build, edit and submit forward curves")]
        constraints = [
            models.UniqueConstraint(
                "market", "as_of", "content_hash", name="curve_snapshot_content_once"
            ),
        ]
        indexes = [models.Index(fields=["market", "-as_of", "-id"], name="curve_latest")]

    def __str__(self) -> str:
        return f"curve of {self.market_id} as of {self.as_of:%Y-%m-%d %H:%M}"


class CurvePoint(models.Model):
    """
    The mean price of one load over one stretch of delivery, at most a month.

    load     code of the shape; BASE is all hours.
    hours    that the load delivers in the stretch.
    """

    append_only = True

    snapshot = models.ForeignKey(CurveSnapshot, models.PROTECT, related_name="points")
    load = models.CharField(max_length=16, default="BASE")
    start = models.DateTimeField()
    end = models.DateTimeField()
    hours = models.FloatField()
    price = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint("snapshot", "load", "start", name="curve_point_once"),
            models.CheckConstraint(
                condition=models.Q(end__gt=models.F("start")), name="curve_point_interval"
            ),
            models.CheckConstraint(condition=models.Q(hours__gt=0), name="curve_point_hours"),
        ]

    def __str__(self) -> str:
        return f"{self.load} {self.start:%Y-%m-%d} {self.price:.2f}"


class CurveStatus(models.TextChoices):
    """Where a version stands; superseded ones were published and remain what was known then."""

    DRAFT = "DRAFT", "Draft"
    PENDING = "PENDING", "Waiting for approval"
    PUBLISHED = "PUBLISHED", "Published"
    SUPERSEDED = "SUPERSEDED", "Published, then replaced"
    REJECTED = "REJECTED", "Rejected"


class CurveVersion(models.Model):
    """
    One numbered version of a curve on its way from draft to published.

    number          counted from 1 in its definition.
    edited_from     the version whose node was set by hand to make this one.
    built_by …      actor ids; who built or edited cannot approve.
    reason          of whoever built it; `decision_reason` of whoever approved or rejected.
    published_at    real time; set once. Until when it was the one to value on follows from the
                    next one published.
    """

    definition = models.ForeignKey(CurveDefinition, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    snapshot = models.ForeignKey(CurveSnapshot, models.PROTECT, related_name="versions")
    status = models.CharField(max_length=10, choices=CurveStatus, default=CurveStatus.DRAFT)
    edited_from = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="edits"
    )
    built_by = models.CharField(max_length=120)
    reason = models.CharField(max_length=400, blank=True)
    recorded_at = models.DateTimeField(db_default=Now())
    submitted_by = models.CharField(max_length=120, blank=True)
    submitted_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=120, blank=True)
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=400, blank=True)
    published_at = models.DateTimeField(null=True)

    class Meta:
        permissions = [("publish_curve", "Can approve or reject forward curves of others")]
        constraints = [
            models.UniqueConstraint("definition", "number", name="curve_version_once"),
            models.CheckConstraint(
                condition=models.Q(
                    status__in=["PUBLISHED", "SUPERSEDED"], published_at__isnull=False
                )
                | models.Q(status__in=["DRAFT", "PENDING", "REJECTED"], published_at=None),
                name="curve_version_published_at",
            ),
            models.CheckConstraint(
                condition=~models.Q(status="REJECTED") | ~models.Q(decision_reason=""),
                name="curve_version_rejected_with_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["definition", "-published_at"], name="curve_version_published"),
        ]

    def __str__(self) -> str:
        return f"v{self.number} {self.get_status_display()}"
