"""Carbon reports of the actor's organizations."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import F, QuerySet

from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Organization
from energyopti.accounts.queries.sites import sites_of

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


@dataclass(frozen=True)
class SiteShare:
    """What one site has in a report; both 0 where the report has no line of the place."""

    report: CarbonReport
    place: str
    energy_kwh: Decimal
    emissions_t: Decimal


def site_share(actor: Actor, site: str) -> SiteShare | None:
    """
    Return a site's part of the newest report of its organization; two queries.

    Reports name a place as it was called when they were built: one renamed since has no part in
    the reports before.
    """
    found = sites_of(actor).filter(pk=site).first()
    report = (
        None
        if found is None
        else CarbonReport.objects.visible_to(actor)
        .filter(organization_id=found.organization_id)
        .select_related("organization")
        .order_by("-month", "-version")
        .first()
    )
    if found is None or report is None:
        return None
    lines = [line for line in report.content["lines"] if line["place"] == found.name]
    return SiteShare(
        report,
        found.name,
        sum((Decimal(line["energy_kwh"]) for line in lines), Decimal(0)),
        sum((Decimal(line["emissions_t"]) for line in lines), Decimal(0)),
    )


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


def reports_at_a_glance(actor: Actor) -> list[dict[str, Any]]:
    """
    Return each visible organization's newest carbon report without its content; one query.

    :raises PermissionMissing: without `esg.view_carbonreport`.
    """
    actor.require("esg.view_carbonreport")
    rows = (
        CarbonReport.objects.visible_to(actor)
        .order_by("organization_id", "-month", "-version")
        .distinct("organization_id")
        .values(
            "month", "version", "energy_kwh", "emissions_t", "is_complete", "content_hash",
            "built_at", organization_name=F("organization__name"),
        )
    )  # fmt: skip
    return sorted(rows, key=lambda row: str(row["organization_name"]))
