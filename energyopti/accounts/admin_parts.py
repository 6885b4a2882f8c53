"""
The tables of installed parts in the admin: with an event, or read-only where code writes them.

Each part registers classes of its own that write past our events, so ours take their place.
"""

from typing import Any

# Imported for what they register, so that it can be replaced below.
import django.contrib.sites.admin  # noqa: F401
import django_celery_beat.admin  # noqa: F401
import waffle.admin  # noqa: F401
from django.contrib import admin
from django.contrib.sites.models import Site as WebSite
from django.http import HttpRequest
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from waffle.models import Flag, Sample, Switch

from .admin_base import EopModelAdmin, ReadOnlyAdmin

SCHEDULES = (ClockedSchedule, CrontabSchedule, IntervalSchedule, SolarSchedule)

for model in (Flag, Sample, Switch, WebSite, PeriodicTask, *SCHEDULES):
    admin.site.unregister(model)


@admin.register(Flag)
class FlagAdmin(EopModelAdmin):
    list_display = ("name", "everyone", "percent", "superusers", "staff", "authenticated", "note")
    list_filter = ("everyone", "superusers", "staff", "authenticated")
    search_fields = ("name", "note")
    raw_id_fields = ("users",)
    ordering = ("name",)
    may_delete = True


@admin.register(Switch)
class SwitchAdmin(EopModelAdmin):
    list_display = ("name", "active", "note", "created", "modified")
    list_filter = ("active",)
    search_fields = ("name", "note")
    ordering = ("name",)
    may_delete = True


@admin.register(Sample)
class SampleAdmin(EopModelAdmin):
    list_display = ("name", "percent", "note", "created", "modified")
    search_fields = ("name", "note")
    ordering = ("name",)
    may_delete = True


@admin.register(WebSite)
class WebSiteAdmin(EopModelAdmin):
    """The one row that links in mails and sign-in read; a second would be read by nobody."""

    list_display = ("domain", "name")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(ReadOnlyAdmin):
    """
    What beat sends and when. The code says it and `sync_schedule` writes it: a row typed here
    could run any task with any arguments, with nobody's permission asked.
    """

    list_display = ("name", "task", "enabled", "interval", "crontab", "last_run_at", "one_off")
    list_filter = ("enabled", "one_off")
    search_fields = ("name", "task")


@admin.register(*SCHEDULES)
class ScheduleAdmin(ReadOnlyAdmin):
    """When beat runs something; `sync_schedule` writes it."""
