"""Emission factors by zone and version, and the carbon reports that pin them."""

from django.db import models
from django.db.models.functions import Now

from compliance.carbon import EmissionFactor
from energyopti.accounts.models.ownership import OwnedQuerySet
from energyopti.foundation.intervals import Interval


class Factor(models.Model):
    """
    Average intensity of a zone's grid, from `valid_from` to `valid_until`, as one version.

    A correction is the next version of the same validity; the highest holds, and reports keep
    the version that they used. Factors are known for past years only, so `valid_until` may be
    later than the year that `source` names: the latest published year stands until the next.
    """

    append_only = True

    zone = models.CharField(max_length=16)
    version = models.PositiveSmallIntegerField()
    value = models.DecimalField(max_digits=14, decimal_places=6)
    unit = models.CharField(max_length=16)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField()
    source = models.CharField(max_length=240)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        permissions = [("publish_factor", "Can publish emission factors")]
        constraints = [
            models.UniqueConstraint("zone", "valid_from", "version", name="factor_version_once"),
            models.CheckConstraint(
                condition=models.Q(valid_until__gt=models.F("valid_from")),
                name="factor_valid_interval",
            ),
            models.CheckConstraint(condition=models.Q(value__gte=0), name="factor_not_negative"),
            models.CheckConstraint(condition=~models.Q(source=""), name="factor_names_source"),
        ]

    def __str__(self) -> str:
        return f"{self.zone} {self.valid_from:%Y} v{self.version}"

    def emission_factor(self) -> EmissionFactor:
        """Return the factor as the arithmetic takes it."""
        return EmissionFactor(
            zone=self.zone,
            value=self.value,
            unit=self.unit,
            valid=Interval(self.valid_from, self.valid_until),
            source=self.source,
            version=self.version,
        )


class CarbonReport(models.Model):
    """
    What an organization's metered consumption emitted in a local month: a locked version.

    Built again from the same data it is the same report; other data makes the next version, and
    the earlier one stays as it was.

    content         canonical data: consumption, factors with version and source, totals; every
                    number a string.
    content_hash    SHA-256 of its RFC 8785 form.
    energy_kwh, emissions_t    totals, rounded to the column's decimals; `content` has more.
    """

    append_only = True

    organization = models.ForeignKey(
        "accounts.Organization", models.PROTECT, related_name="carbon_reports"
    )
    month = models.DateField()
    version = models.PositiveSmallIntegerField()
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    energy_kwh = models.DecimalField(max_digits=18, decimal_places=6)
    emissions_t = models.DecimalField(max_digits=18, decimal_places=6)
    is_complete = models.BooleanField()
    content = models.JSONField()
    content_hash = models.CharField(max_length=64)
    built_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())

    objects = OwnedQuerySet.as_manager()

    class Meta:
        permissions = [("build_carbonreport", "Can have carbon reports built")]
        constraints = [
            models.UniqueConstraint(
                "organization", "month", "version", name="carbon_report_version_once"
            ),
            models.UniqueConstraint(
                "organization", "month", "content_hash", name="carbon_report_content_once"
            ),
            models.CheckConstraint(condition=models.Q(month__day=1), name="carbon_report_month"),
        ]
        indexes = [
            models.Index(
                fields=["organization", "-month", "-version"], name="carbon_report_latest"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organization_id} {self.month:%Y-%m} v{self.version}"


class CarbonReportFile(models.Model):
    """A rendering of a report, kept as first made: a download today is the file of then."""

    append_only = True

    report = models.ForeignKey(CarbonReport, models.PROTECT, related_name="files")
    format = models.CharField(max_length=4, choices=[("csv", "CSV"), ("pdf", "PDF")])
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    rendered_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint("report", "format", name="carbon_report_file_once"),
        ]

    def __str__(self) -> str:
        return f"{self.report_id} {self.format}"
