"""Carbon reports of the actor's organizations."""

from typing import Any

from django.db.models import QuerySet

from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Organization

from ..models import CarbonReport, CarbonReportFile


class NoSuchReport(LookupError):
    """No report of the actor's organizations has the number."""


def visible_reports(actor: Actor) -> "QuerySet[CarbonReport]":
    """Return the reports that the actor may see, with their organizations, unordered."""
    return CarbonReport.objects.visible_to(actor).select_related("organization").defer("content")


def report_by_id(actor: Actor, report_id: int) -> CarbonReport:
    """
    Return a report with its content.

    :raises NoSuchReport: also if it belongs to somebody else; the two look the same.
    """
    found: CarbonReport | None = (
        CarbonReport.objects.visible_to(actor)
        .select_related("organization")
        .filter(pk=report_id)
        .first()
    )
    if found is None:
        raise NoSuchReport(f"report: there is no report {report_id}.")
    return found


def file_of_report(report: CarbonReport, format_name: str) -> CarbonReportFile | None:
    """Return a kept rendering of a report, None before it was first made."""
    found: CarbonReportFile | None = report.files.filter(format=format_name).first()
    return found


def reporting_organizations(actor: Actor) -> "QuerySet[Any]":
    """Return the organizations that the actor may have reports built for, by name."""
    return Organization.objects.filter(id__in=actor.organization_ids).order_by("name")


def newest_reports(actor: Actor) -> list[CarbonReport]:
    """Return the latest version of each organization's report of the newest month; two queries."""
    reports = visible_reports(actor)
    newest = reports.order_by("-month").values_list("month", flat=True).first()
    if newest is None:
        return []
    latest = reports.filter(month=newest).order_by("organization_id", "-version")
    return sorted(
        latest.distinct("organization_id"), key=lambda report: str(report.organization.name)
    )
