"""ESG pages: ask for a report, read it, download it, see the factors."""

from decimal import Decimal

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from compliance.esg.models import CarbonReport
from compliance.esg.queries.factors import factor_rows
from compliance.esg.queries.reports import (
    NoSuchReport,
    file_of_report,
    report_by_id,
    reporting_organizations,
)
from compliance.esg.services.reports import pdf_of_report, request_carbon_report
from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock
from energyopti.foundation.exports.pdf import PdfUnavailable

from .forms import BuildForm

MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "pdf": "application/pdf"}


@require_http_methods(["GET", "HEAD", "POST"])
@require_permission("esg.build_carbonreport")
def build(request: HttpRequest) -> HttpResponse:
    """Ask for a month's report; the job's page shows how far it is."""
    actor = actor_of(request)
    form = BuildForm(request.POST or None, organizations=reporting_organizations(actor))
    if request.method == "POST" and form.is_valid():
        job = request_carbon_report(
            actor=actor,
            organization=form.cleaned_data["organization"],
            month=form.cleaned_data["month"],
        )
        return HttpResponseRedirect(reverse("jobs:detail", args=[job.pk]))
    status = 422 if form.is_bound else 200
    return render(request, "esg/build.html", {"form": form}, status=status)


@require_permission("esg.view_carbonreport")
def report(request: HttpRequest, report_id: int) -> HttpResponse:
    """Show a report's lines, factors and proof."""
    found = _report(request, report_id)
    content = found.content
    lines = [
        {
            **line,
            "energy_kwh": Decimal(line["energy_kwh"]),
            "emissions_t": Decimal(line["emissions_t"]),
        }
        for line in content["lines"]
    ]
    return render(request, "esg/report.html", {**content, "report": found, "lines": lines})


@require_permission("esg.view_carbonreport")
def download(request: HttpRequest, report_id: int, format_name: str) -> HttpResponse:
    """Send a report's file, the same bytes each time."""
    if format_name not in MEDIA_TYPES:
        raise Http404(f"format: there is no {format_name}.")
    found = _report(request, report_id)
    try:
        file = file_of_report(found, format_name) or pdf_of_report(
            report=found, rendered_at=clock.now()
        )
    except PdfUnavailable as error:
        return HttpResponse(str(error), status=503, content_type="text/plain; charset=utf-8")
    name = f"carbon-{found.month:%Y-%m}-v{found.version}.{format_name}"
    return HttpResponse(
        bytes(file.content),
        content_type=MEDIA_TYPES[format_name],
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )


@require_permission("esg.view_factor")
def factors(request: HttpRequest) -> HttpResponse:
    """Show the emission factors in their latest versions."""
    return render(request, "esg/factors.html", {"factors": factor_rows()})


def _report(request: HttpRequest, report_id: int) -> CarbonReport:
    try:
        return report_by_id(actor_of(request), report_id)
    except NoSuchReport as error:
        raise Http404(str(error)) from error
