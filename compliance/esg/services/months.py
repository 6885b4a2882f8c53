"""What the clock does once a month: have the report of each organization built."""

from datetime import date, datetime, timedelta

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import Calendar
from energyopti.foundation.intervals import Interval
from energyopti.foundation.jobs.models import Job
from energyopti.foundation.jobs.schedule import once_per_period

from ..queries.accounts import organizations_with_consumption
from .reports import request_carbon_report


def request_due_reports(*, actor: Actor, due_at: datetime) -> list[Job]:
    """
    Queue the report of the last whole month for each organization that metered something.

    Once per organization and month, however often the clock asks. The month is local to each
    organization, so the clock asks daily.
    """
    jobs = []
    window = Calendar("UTC").day(due_at.date())
    since = window.start - timedelta(days=62)
    for organization in organizations_with_consumption(Interval(since, window.end)):
        today = Calendar(organization.time_zone).date_of(due_at)
        month = (date(today.year, today.month, 1) - timedelta(days=1)).replace(day=1)
        interval = Calendar(organization.time_zone).month(month.year, month.month)
        if organization not in organizations_with_consumption(interval):
            continue
        period = f"{organization.pk}:{month:%Y-%m}"
        if once_per_period(name="esg.monthly-report", period=period):
            jobs.append(request_carbon_report(actor=actor, organization=organization, month=month))
    return jobs
