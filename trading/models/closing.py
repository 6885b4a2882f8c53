"""Days that were closed, when the clock closes them, and proofs that they come out the same."""

from django.db import models
from django.db.models.functions import Now

from .valuation import ValuationRun


class EndOfDayState(models.TextChoices):
    """How far the closing of a day is."""

    RUNNING = "RUNNING", "Running"
    FAILED = "FAILED", "Failed"
    READY = "READY", "Ready for sign-off"
    SIGNED = "SIGNED", "Signed off"


class EndOfDay(models.Model):
    """
    One closing of an organization's day; a re-run is the next number, and nothing is overwritten.

    as_of           the close: what is valued, and the last price that counts.
    is_restatement  made after the sign-off with what is known now; it stands beside the official
                    one and opens no later day.
    opening         the run that the day before ended with; None for the first day.
    checks          what somebody should look at, each with the step that found it, what it is
                    about and figures (`trading.closing.Finding`).
    steps           what ran, in order, each with what it said.
    """

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="+")
    day = models.DateField()
    number = models.PositiveIntegerField()
    as_of = models.DateTimeField()
    is_restatement = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=EndOfDayState, default=EndOfDayState.RUNNING)
    run = models.ForeignKey(ValuationRun, models.PROTECT, null=True, related_name="+")
    opening = models.ForeignKey(ValuationRun, models.PROTECT, null=True, related_name="+")
    job_id = models.UUIDField(null=True)
    checks = models.JSONField(default=list)
    steps = models.JSONField(default=list)
    reason = models.CharField(max_length=400, blank=True)
    requested_by = models.CharField(max_length=120)
    requested_at = models.DateTimeField(db_default=Now())
    signed_by = models.CharField(max_length=120, blank=True)
    signed_at = models.DateTimeField(null=True)
    signed_reason = models.CharField(max_length=400, blank=True)

    class Meta:
        permissions = [
            ("run_end_of_day", "Can close a day and run it again"),
            ("sign_end_of_day", "Can sign off a day that another person closed"),
        ]
        constraints = [
            models.UniqueConstraint("organization", "day", "number", name="end_of_day_number_once"),
            models.CheckConstraint(
                condition=models.Q(state="SIGNED", signed_at__isnull=False, run__isnull=False)
                & ~models.Q(signed_by="")
                & ~models.Q(signed_by=models.F("requested_by"))
                | (~models.Q(state="SIGNED") & models.Q(signed_by="", signed_at=None)),
                name="end_of_day_signed_by_another",
            ),
            models.UniqueConstraint(
                "organization",
                "day",
                condition=models.Q(state="SIGNED", is_restatement=False),
                name="end_of_day_signed_once",
            ),
        ]

    def __str__(self) -> str:
        return f"end of {self.day}, run {self.number}"


class EndOfDayProof(models.Model):
    """
    That a closing was computed again from its cut, and which hashes came out.

    input_hash, result_hash     of the valuation made again.
    reports                     book code → hash of its P&L report made again.
    differences                 what came out otherwise, in sentences; empty when all is the same.
    tzdata, code                versions that it was computed with.
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    end_of_day = models.ForeignKey(EndOfDay, models.PROTECT, related_name="proofs")
    input_hash = models.CharField(max_length=64)
    result_hash = models.CharField(max_length=64)
    reports = models.JSONField(default=dict)
    differences = models.JSONField(default=list)
    tzdata = models.CharField(max_length=16)
    code = models.CharField(max_length=40)
    actor_id = models.CharField(max_length=120)
    recorded_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"proof {self.pk} of closing {self.end_of_day_id}"

    @property
    def is_same(self) -> bool:
        return not self.differences


class ClosingTime(models.Model):
    """
    When the clock closes an organization's days: a local time on the business days of a market.

    market      whose time zone counts.
    closes_at   wall-clock time there; what is valued is as of then.
    holidays    Mondays to Fridays in this list are no business days; None knows no holidays.
    is_active   False leaves the closing to people; the time is still offered to them.
    """

    organization = models.OneToOneField(
        "accounts.Organization", models.PROTECT, related_name="closing_time"
    )
    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="+")
    closes_at = models.TimeField()
    holidays = models.ForeignKey(
        "trading.HolidayCalendar", models.PROTECT, null=True, blank=True, related_name="+"
    )
    is_active = models.BooleanField(default=True)

    def __str__(self) -> str:
        return f"{self.organization_id} closes at {self.closes_at:%H:%M}"
