"""Build carbon reports: the same data is the same report, other data the next version."""

import hashlib
from datetime import date, datetime
from decimal import Decimal

from django.db import connection, transaction
from django.template.loader import render_to_string

from compliance.canonical import sha256_of
from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Organization
from energyopti.foundation.calendars import Calendar
from energyopti.foundation.events.services import record_event
from energyopti.foundation.exports.csv import write_csv
from energyopti.foundation.exports.pdf import render_pdf
from energyopti.foundation.exports.tables import Column, Kind, Table
from energyopti.foundation.jobs.models import Job
from energyopti.foundation.jobs.services import enqueue_job
from energyopti.foundation.money import Rounding, round_exact

from ..models import CarbonReport, CarbonReportFile
from ..queries.accounts import carbon_account

_GRAM = Decimal("0.000001")


class ReportRefused(ValueError):
    """A report cannot be built as asked; names the field and the rule."""


def request_carbon_report(*, actor: Actor, organization: Organization, month: date) -> Job:
    """
    Queue the building of a month's report as a job of the actor.

    :raises ReportRefused: if the month is not given by its first day.
    """
    actor.require("esg.build_carbonreport")
    _check(actor, organization, month)
    return enqueue_job(
        actor=actor,
        kind="carbon-report",
        title=f"Carbon report {month:%Y-%m} of {organization.name}"[:200],
        task="esg.build_carbon_report",
        arguments={"organization_id": str(organization.pk), "month": month.isoformat()},
        organization_id=organization.pk,
    )


def build_carbon_report(
    *, actor: Actor, organization: Organization, month: date, built_at: datetime
) -> CarbonReport:
    """
    Build and lock the report of a local month; the same data again returns the report there is.

    A month that still runs gives a report of what was metered so far, marked incomplete.

    :raises ReportRefused: for a month that has not begun.
    :raises CarbonError: if nothing was metered, or a factor is missing.
    """
    actor.require("esg.build_carbonreport")
    _check(actor, organization, month)
    if built_at < Calendar(organization.time_zone).month(month.year, month.month).start:
        raise ReportRefused(f"month: {month:%Y-%m} has not begun.")
    with transaction.atomic():
        _lock(organization, month)
        account = carbon_account(organization, month)
        content_hash = sha256_of(account.content)
        versions = CarbonReport.objects.filter(organization=organization, month=month)
        present = versions.filter(content_hash=content_hash).first()
        if present is not None:
            return present
        latest = versions.order_by("-version").first()
        report = CarbonReport.objects.create(
            organization=organization,
            month=month,
            version=latest.version + 1 if latest else 1,
            period_start=account.interval.start,
            period_end=account.interval.end,
            energy_kwh=_rounded(account.content["energy_kwh"]),
            emissions_t=_rounded(account.content["emissions_t"]),
            is_complete=account.is_complete,
            content=account.content,
            content_hash=content_hash,
            built_at=built_at,
        )
        _keep(report, "csv", b"".join(write_csv(table_of(report))), built_at)
        record_event(
            type="carbon_report.built",
            actor=actor,
            aggregate_type="carbon_report",
            aggregate_id=report.pk,
            organization_id=organization.pk,
            payload={
                "month": f"{month:%Y-%m}",
                "version": report.version,
                "is_complete": report.is_complete,
                "energy_kwh": account.content["energy_kwh"],
                "emissions_t": account.content["emissions_t"],
                "content_hash": content_hash,
            },
            changes={
                "emissions_t": (
                    f"{latest.emissions_t:f}" if latest else None,
                    f"{report.emissions_t:f}",
                )
            },
        )
    return report


def pdf_of_report(*, report: CarbonReport, rendered_at: datetime) -> CarbonReportFile:
    """
    Return the report's PDF: drawn once, the same file ever after.

    :raises PdfUnavailable: where this machine cannot draw one.
    """
    present = report.files.filter(format="pdf").first()
    if present is not None:
        return present
    content = render_pdf(
        render_to_string("esg/report_document.html", {"report": report, **report.content})
    )
    return _keep(report, "pdf", content, rendered_at)


def table_of(report: CarbonReport) -> Table:
    """Return the report's lines as a table for export."""
    factors = {f"{entry['zone']} v{entry['version']}": entry for entry in report.content["factors"]}
    rows = [
        {
            "place": line["place"],
            "zone": line["zone"],
            "energy_kwh": Decimal(line["energy_kwh"]),
            "factor": Decimal(factors[line["factor"]]["value"]),
            "factor_unit": factors[line["factor"]]["unit"],
            "factor_version": line["factor"],
            "source": factors[line["factor"]]["source"],
            "emissions_t": Decimal(line["emissions_t"]),
        }
        for line in report.content["lines"]
    ]
    return Table(
        title=f"Carbon report {report.content['month']} v{report.version}",
        columns=[
            Column("place", "Place"),
            Column("zone", "Zone"),
            Column("energy_kwh", "Energy", Kind.DECIMAL, unit="kWh"),
            Column("factor", "Factor", Kind.DECIMAL),
            Column("factor_unit", "Factor unit"),
            Column("factor_version", "Factor version"),
            Column("source", "Source"),
            Column("emissions_t", "Emissions", Kind.DECIMAL, unit="tCO2e"),
        ],
        rows=rows,
        time_zone=report.content["time_zone"],
    )


def _keep(
    report: CarbonReport, format_name: str, content: bytes, rendered_at: datetime
) -> CarbonReportFile:
    file, _created = CarbonReportFile.objects.get_or_create(
        report=report,
        format=format_name,
        defaults={
            "content": content,
            "sha256": hashlib.sha256(content).hexdigest(),
            "rendered_at": rendered_at,
        },
    )
    return file


def _check(actor: Actor, organization: Organization, month: date) -> None:
    if organization.pk not in actor.organization_ids:
        raise ReportRefused("organization: choose one of your organizations.")
    if month.day != 1:
        raise ReportRefused(f"month: {month} is not the first day of a month.")


def _rounded(text: str) -> Decimal:
    return round_exact(Decimal(text), quantum=_GRAM, rounding=Rounding.HALF_EVEN)


def _lock(organization: Organization, month: date) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"esg.report:{organization.pk}:{month}"],
        )
