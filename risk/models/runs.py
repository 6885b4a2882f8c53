"""Risk runs: that one was asked for, and what came of it. Rows are added and never changed."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class RunKind(models.TextChoices):
    """Why a run was made."""

    END_OF_DAY = "END_OF_DAY", "End of day"
    INTRADAY = "INTRADAY", "Intraday"
    AD_HOC = "AD_HOC", "Ad hoc"


class RunMethod(models.TextChoices):
    """How losses come about."""

    HISTORICAL = "HISTORICAL", "Historical simulation"
    MONTE_CARLO = "MONTE_CARLO", "Monte Carlo"
    DELTA_NORMAL = "DELTA_NORMAL", "Parametric, delta-normal"
    DELTA_GAMMA = "DELTA_GAMMA", "Parametric, delta-gamma"

    @property
    def is_parametric(self) -> bool:
        return self in (RunMethod.DELTA_NORMAL, RunMethod.DELTA_GAMMA)


class RiskRun(models.Model):
    """
    A calculation that somebody asked for, of a book with all books below it.

    Its outcome, if it has one, is `RiskRunOutcome`; until then its job says how far it is.

    snapshot    curves, instant and scenarios that it stands on
    known_at    real time: nothing recorded later counts
    parameters  as `risk.queries.run_terms.RunTerms` keeps them
    job         None of one that the end of day made within its own job
    """

    append_only = True

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    book = models.ForeignKey("trading.Book", models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=RunKind)
    method = models.CharField(max_length=12, choices=RunMethod)
    confidences = ArrayField(models.DecimalField(max_digits=6, decimal_places=5))
    horizon_days = models.PositiveSmallIntegerField()
    parameters = models.JSONField()
    snapshot = models.ForeignKey("risk.MarketSnapshot", models.PROTECT, related_name="+")
    known_at = models.DateTimeField()
    job = models.OneToOneField("jobs.Job", models.PROTECT, null=True, related_name="risk_run")
    requested_by = models.CharField(max_length=120)
    requested_at = models.DateTimeField(db_default=Now())

    class Meta:
        permissions = [("ask_riskrun", "Can ask for risk runs")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(horizon_days__gte=1), name="risk_run_horizon_positive"
            ),
            models.CheckConstraint(
                condition=models.Q(confidences__len__gte=1), name="risk_run_has_confidence"
            ),
        ]
        indexes = [models.Index(fields=["book", "-requested_at"], name="risk_run_of_book")]

    def __str__(self) -> str:
        return f"risk run {self.pk}"


def _matrix_path(outcome: "RiskRunOutcome", name: str) -> str:
    return f"risk/runs/{outcome.run_id}/{name}"


class RiskRunOutcome(models.Model):
    """
    What a run found; written once, with its numbers and files, or not at all.

    inputs          of the calculation, by name; `input_hash` is SHA-256 over them
    result_hash     SHA-256 over the input hash, every number and every component
    value           mark-to-market, gains positive, in `currency`
    pnl             of the whole in each scenario or path: float64, little-endian, gains positive;
                    empty of a parametric run
    kept            positions of the scenarios that the P&L of trades is kept of; None: all
    unvalued        what could not be valued: trade, what and why
    statement       a sentence where there is nothing to calculate, else empty
    components      Parquet: a row for each part of a dimension and confidence
    matrix          Parquet: a row for each trade with its P&L in the kept scenarios
    started_at, finished_at     real time
    """

    append_only = True

    run = models.OneToOneField(RiskRun, models.PROTECT, primary_key=True, related_name="outcome")
    currency = models.CharField(max_length=3)
    value = models.FloatField()
    trades = models.PositiveIntegerField()
    pnl = models.BinaryField(default=bytes)
    kept = models.JSONField(null=True)
    inputs = models.JSONField()
    input_hash = models.CharField(max_length=64)
    result_hash = models.CharField(max_length=64)
    unvalued = models.JSONField(default=list)
    findings = models.JSONField(default=list)
    statement = models.CharField(max_length=400, blank=True)
    components = models.FileField(upload_to=_matrix_path, max_length=200)
    matrix = models.FileField(upload_to=_matrix_path, max_length=200)
    code = models.CharField(max_length=40)
    tzdata = models.CharField(max_length=16)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"outcome of {self.run_id}"


class RiskRunNumber(models.Model):
    """
    VaR and ES of a run at one confidence; losses positive, in the outcome's currency.

    components_sum  what components of VaR sum to: the kernel VaR of scenarios, the delta-normal
                    VaR of a parametric run
    scenario        position of the scenario that is the VaR point; None where there is none
    var_error, es_error     standard errors of a simulation, else None
    convention      in words, as it stands beside the number
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    outcome = models.ForeignKey(RiskRunOutcome, models.PROTECT, related_name="numbers")
    confidence = models.DecimalField(max_digits=6, decimal_places=5)
    var = models.FloatField()
    es = models.FloatField()
    components_sum = models.FloatField()
    scenario = models.PositiveIntegerField(null=True)
    var_error = models.FloatField(null=True)
    es_error = models.FloatField(null=True)
    convention = models.CharField(max_length=1000)

    class Meta:
        constraints = [
            models.UniqueConstraint("outcome", "confidence", name="risk_run_number_once"),
        ]

    def __str__(self) -> str:
        return f"{self.confidence} {self.var:.2f}"

    @property
    def percent(self) -> str:
        return f"{(self.confidence * 100).normalize():f} %"
