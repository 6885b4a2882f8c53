"""Which hours a product delivers: shapes of a calendar and holidays, both kept by version."""

import uuid
from datetime import timedelta

from django.db import models
from django.db.models.functions import Now

from .commodities import CODE_IS_ONE_WORD, ONE_DAY


class HolidayCalendar(models.Model):
    """A list of holidays with a name; what it says stands in its versions. Shared by all."""

    code = models.CharField(max_length=16)
    name = models.CharField(max_length=120)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.functions.Upper("code"), name="holiday_calendar_code_once"
            ),
            models.CheckConstraint(
                condition=models.Q(code__regex=CODE_IS_ONE_WORD),
                name="holiday_calendar_code_is_one_word",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} – {self.name}"


class HolidayCalendarVersion(models.Model):
    """
    What a holiday calendar said from `recorded_at` on; never changed.

    version     counted from 1; the highest holds, and covers at least what its predecessor did.
    covers_first, covers_after   the dates it speaks for, half-open: outside, it cannot answer.
    """

    append_only = True

    calendar = models.ForeignKey(HolidayCalendar, models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    covers_first = models.DateField()
    covers_after = models.DateField()
    source = models.CharField(max_length=200)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint("calendar", "version", name="holiday_version_once"),
            models.CheckConstraint(
                condition=models.Q(version__gte=1), name="holiday_version_from_one"
            ),
            models.CheckConstraint(
                condition=models.Q(covers_after__gt=models.F("covers_first")),
                name="holiday_covers_some_dates",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.calendar_id} v{self.version}"


class Holiday(models.Model):
    """One date of one version of a holiday calendar; never changed."""

    append_only = True

    version = models.ForeignKey(HolidayCalendarVersion, models.PROTECT, related_name="holidays")
    date = models.DateField()
    name = models.CharField(max_length=80)

    class Meta:
        constraints = [models.UniqueConstraint("version", "date", name="holiday_date_once")]

    def __str__(self) -> str:
        return f"{self.date} {self.name}"


class ShapeCalendar(models.Model):
    """
    A family of shapes that a market trades by: "EEX", "GB-EFA", "US-NERC". Shared by all.

    day_start   of its delivery days, relative to midnight; a market that trades by it starts
                its days then too.
    """

    code = models.CharField(max_length=16)
    name = models.CharField(max_length=120)
    day_start = models.DurationField(default=timedelta(0))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                models.functions.Upper("code"), name="shape_calendar_code_once"
            ),
            models.CheckConstraint(
                condition=models.Q(code__regex=CODE_IS_ONE_WORD),
                name="shape_calendar_code_is_one_word",
            ),
            models.CheckConstraint(
                condition=models.Q(day_start__gt=-ONE_DAY, day_start__lt=ONE_DAY),
                name="shape_calendar_day_start_within_a_day",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} – {self.name}"


class HolidayRule(models.TextChoices):
    """What a shape does on a holiday."""

    IGNORE = "IGNORE", "Like any other day"
    EXCLUDE = "EXCLUDE", "No delivery"
    INCLUDE = "INCLUDE", "Delivers, whatever the weekday"


class LoadShape(models.Model):
    """
    One version of the hours in which a named product delivers; never changed.

    A trade keeps the code and version it was captured under. Of a delivery date, the version
    with the latest `valid_from` not after it holds.

    weekdays        of the delivery day, as digits, Monday 1 … Sunday 7 (ISO 8601).
    from_minute, to_minute   after the delivery day's start, on the wall clock; 0 to 1440.
    holiday_rule    by `holiday_calendar`, which is there unless holidays are ignored.
    complement_of   what this shape leaves out of its own window: off-peak is all hours,
                    complement of peak.
    """

    append_only = True

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    calendar = models.ForeignKey(ShapeCalendar, models.PROTECT, related_name="shapes")
    code = models.CharField(max_length=16)
    version = models.PositiveIntegerField()
    name = models.CharField(max_length=80)
    valid_from = models.DateField()
    weekdays = models.CharField(max_length=7)
    from_minute = models.PositiveSmallIntegerField(default=0)
    to_minute = models.PositiveSmallIntegerField(default=1440)
    holiday_calendar = models.ForeignKey(
        HolidayCalendar, models.PROTECT, null=True, blank=True, related_name="+"
    )
    holiday_rule = models.CharField(max_length=8, choices=HolidayRule, default=HolidayRule.IGNORE)
    complement_of = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="+"
    )
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint("calendar", "code", "version", name="load_shape_version_once"),
            models.UniqueConstraint(
                "calendar", "code", "valid_from", name="load_shape_valid_from_once"
            ),
            models.CheckConstraint(
                condition=models.Q(code__regex=r"^[A-Z0-9][A-Z0-9_-]*$"),
                name="load_shape_code_upper_case",
                violation_error_message="A shape's code is one word in capitals.",
            ),
            models.CheckConstraint(
                condition=models.Q(version__gte=1), name="load_shape_version_from_one"
            ),
            models.CheckConstraint(
                condition=models.Q(weekdays__regex="^1?2?3?4?5?6?7?$") & ~models.Q(weekdays=""),
                name="load_shape_weekdays",
                violation_error_message="Weekdays are digits from 1 (Monday) to 7, in order.",
            ),
            models.CheckConstraint(
                condition=models.Q(to_minute__gt=models.F("from_minute"), to_minute__lte=1440),
                name="load_shape_window",
                violation_error_message="A shape ends after it starts, within one delivery day.",
            ),
            models.CheckConstraint(
                condition=models.Q(holiday_rule="IGNORE", holiday_calendar=None)
                | (~models.Q(holiday_rule="IGNORE") & models.Q(holiday_calendar__isnull=False)),
                name="load_shape_holiday_rule",
                violation_error_message="A rule for holidays needs a calendar of them.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} v{self.version}"
