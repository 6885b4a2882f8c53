"""How prices move: processes by market, proposed, approved, never overwritten, and their fits."""

from django.db import models
from django.db.models.functions import Now

from energyopti.foundation.proposals.models import ProposedVersion, two_persons

from ..enums import CalibrationBasis, ProcessKind


class ProcessCalibration(models.Model):
    """
    One fit of a process to what was known of a market. Added, never changed; values nothing.

    minutes         of FIXINGS what one price is the mean of: 1440 a local day, 60 an hour
    first_date,     local days that were asked for, both included; of VOLATILITIES the first is None
    until_date
    vol_source      whose volatilities; empty for the latest of whichever source
    as_of           no price or quote of later; known_at, real time, nothing recorded later
    parameters      [name, value, standard error], the last None where nothing tells it
    days            that prices or quotes came from; observations: what the likelihood is of
    figures         [label, value, unit] on how well it fits
    columns, rows   of the picture: [label, ISO instant, [a number for each column]]
    findings        sentences on what was left out, and on the fit
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="calibrations")
    kind = models.CharField(max_length=16, choices=ProcessKind)
    basis = models.CharField(max_length=12, choices=CalibrationBasis)
    minutes = models.PositiveSmallIntegerField(default=1440)
    first_date = models.DateField(null=True)
    until_date = models.DateField()
    vol_source = models.CharField(max_length=80, blank=True)
    as_of = models.DateTimeField()
    known_at = models.DateTimeField()
    parameters = models.JSONField()
    days = models.PositiveIntegerField()
    observations = models.PositiveIntegerField()
    figures = models.JSONField(default=list)
    columns = models.JSONField(default=list)
    rows = models.JSONField(default=list)
    findings = models.JSONField(default=list)
    content_hash = models.CharField(max_length=64)
    actor_id = models.CharField(max_length=120)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(first_date__isnull=True)
                | models.Q(first_date__lt=models.F("until_date")),
                name="process_calibration_days_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"calibration {self.pk} of {self.get_kind_display().lower()}"


class PriceProcess(ProposedVersion):
    """
    One version of how a market's prices move, or two markets' go together; what is approved holds.

    Shared by all organizations, as curves are. Decided once, by another person than who proposed;
    nothing else of a row changes. A market has one process, of whichever kind; a pair of markets,
    in the order of their codes, has one correlation.

    number          counted from 1 for the market, or the pair.
    parameters      name to number, as `trading.pricing.processes` has them
    calibration     that they were taken from as they are; None where they are stated
    decided_at      real time; from then on a cut of knowledge knows the decision.
    """

    id = models.BigAutoField(primary_key=True)
    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="price_processes")
    second_market = models.ForeignKey(
        "trading.Market", models.PROTECT, null=True, blank=True, related_name="+"
    )
    kind = models.CharField(max_length=16, choices=ProcessKind)
    parameters = models.JSONField()
    calibration = models.ForeignKey(
        ProcessCalibration, models.PROTECT, null=True, blank=True, related_name="processes"
    )

    class Meta:
        permissions = [
            ("propose_price_process", "Can calibrate and propose how the prices of a market move"),
            ("approve_price_process", "Can decide on price processes that others proposed"),
        ]
        constraints = [
            models.UniqueConstraint(
                "market", "second_market", "number", name="price_process_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=models.Q(kind="CORRELATION", second_market__isnull=False,
                                   calibration__isnull=True)
                | (~models.Q(kind="CORRELATION") & models.Q(second_market__isnull=True)),
                name="price_process_correlation_is_of_two",
            ),
            models.CheckConstraint(
                condition=~models.Q(second_market=models.F("market")),
                name="price_process_two_markets",
            ),
            *two_persons("price_process"),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.name} process v{self.number}"

    @property
    def name(self) -> str:
        """Return the market or markets that it is of; reads the markets' rows."""
        pair = "" if self.second_market is None else f" with {self.second_market.code}"
        return f"{self.market.code}{pair}"
