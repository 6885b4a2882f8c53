"""Trades as files: upload, look at what a dry run says, book as a job; nothing half-way."""

import io
import zipfile
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from energyopti.accounts.actors import Actor
from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation.exports.responses import attachment
from energyopti.foundation.exports.responses import render as rendered
from energyopti.foundation.jobs.models import Job, JobState
from energyopti.foundation.jobs.queries import visible_jobs
from trading.models import CaptureBasis
from trading.queries.books import BookRow, UnknownBook, books_for, counterparties_for
from trading.services.reference_files import FileTooLarge
from trading.services.reference_files.reading import check_size
from trading.services.trade_files import (
    COLUMNS,
    EXAMPLE,
    FileOptions,
    NotInAFile,
    NotYetChecked,
    ProfilesFile,
    RowState,
    StagedTrades,
    TooManyTrades,
    TradesRefused,
    UnknownTradeImport,
    confirm_trades,
    export_trades,
    refusals_table,
    stage_trades,
    staged_trades,
)

PERMISSION = "trading.capture_trade"
SHOWN = 100


class TradeFileForm(forms.Form):
    """A file of trades, and what holds for rows that do not say it themselves."""

    file = forms.FileField(
        label="Trades", help_text="CSV in UTF-8, or XLSX; one row a trade, 50 MB at most.",
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx"}),
    )  # fmt: skip
    profiles = forms.FileField(
        label="Profiles", required=False,
        help_text="CSV of reference, start and mw, for rows with a volume by interval.",
        widget=forms.FileInput(attrs={"accept": ".csv"}),
    )  # fmt: skip
    basis = forms.ChoiceField(
        label="Basis if a row has none", choices=[(b.value, str(b.label)) for b in CaptureBasis],
        help_text="An order can be stopped; an executed fill is a fact.",
    )  # fmt: skip
    book = forms.ChoiceField(label="Book if a row has none", required=False)
    counterparty = forms.ChoiceField(label="Counterparty if a row has none", required=False)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        books: list[BookRow] = books_for(actor, level="trade")
        self.fields["book"].choices = [
            ("", "none: refuse them"),
            *sorted({(row.code, row.code) for row in books}),
        ]
        self.fields["counterparty"].choices = [
            ("", "none: refuse them"),
            *sorted({(row.code, f"{row.code}, {row.name}") for row in counterparties_for(actor)}),
        ]

    def clean(self) -> dict[str, Any]:
        entered: dict[str, Any] = super().clean() or {}
        for name in ("file", "profiles"):
            file = entered.get(name)
            if file:
                try:
                    check_size(file.name, file.size)
                except FileTooLarge as error:
                    self.add_error(name, str(error))
        return entered


@require_http_methods(["GET", "HEAD", "POST"])
@require_permission(PERMISSION)
def trade_imports(request: HttpRequest) -> HttpResponse:
    """Take a file of trades and go on to what a dry run of it says."""
    actor = actor_of(request)
    form = TradeFileForm(actor=actor)
    if request.method == "POST":
        form = TradeFileForm(request.POST, request.FILES, actor=actor)
        staged = _stage(actor, form) if form.is_valid() else None
        if staged is not None:
            return HttpResponseRedirect(reverse("trading:trade_import", args=[staged.id]))
    return render(
        request,
        "trades/import.html",
        {"form": form, "columns": COLUMNS, "example": EXAMPLE, "books": books_for(actor)},
        status=422 if form.errors else 200,
    )


def _stage(actor: Actor, form: TradeFileForm) -> StagedTrades | None:
    entered = form.cleaned_data
    profiles = entered["profiles"]
    try:
        return stage_trades(
            actor=actor,
            name=entered["file"].name,
            content=entered["file"].read(),
            options=FileOptions(
                CaptureBasis(entered["basis"]), entered["book"], entered["counterparty"]
            ),
            profiles=ProfilesFile(profiles.name, profiles.read()) if profiles else None,
        )
    except FileTooLarge as error:  # too many rows in what unpacks from few bytes
        form.add_error("file", str(error))
        return None


@require_GET
@require_permission(PERMISSION)
def trade_import(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Show what a dry run says of an upload, line by line, or what was booked."""
    return _shown(request, _staged_or_404(request, import_id))


def _shown(request: HttpRequest, staged: StagedTrades, status: int = 200) -> HttpResponse:
    found = staged.found
    job = _job_of(request, staged)
    # What a dry run that has ended had to say is on the page.
    is_told = job is not None and job.is_finished and (staged.is_booked or not staged.book_job)
    context: dict[str, Any] = {
        "staged": staged, "job": None if is_told and found is not None else job,
        "was_stopped": job is not None and job.state == JobState.CANCELLED,
    }  # fmt: skip
    if found is not None:
        lines: Any = found.refusals or found.rows
        context |= {
            "found": found,
            "lines": Paginator(lines, SHOWN).get_page(request.GET.get("page")),
            "may_book": found.new
            and not (found.is_refused or staged.is_booked)
            and (not staged.book_job or (job is not None and job.is_finished)),
            "counts": [(state.value, found.count(state)) for state in RowState],
        }
        if staged.is_booked and found.captured_at is not None:
            context["captured_at"] = found.captured_at.isoformat()
    return render(request, "trades/import_found.html", context, status=status)


def _job_of(request: HttpRequest, staged: StagedTrades) -> Job | None:
    """Return the last job of an upload."""
    wanted = staged.book_job or staged.check_job
    return visible_jobs(actor_of(request)).filter(pk=wanted).first() if wanted else None


@require_GET
@require_permission(PERMISSION)
def trade_import_refusals(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Send every refused line of an upload as CSV: file, line, field, rule."""
    staged = _staged_or_404(request, import_id)
    if staged.found is None:
        raise Http404("The file is still being checked.")
    return HttpResponse(
        b"".join(rendered(refusals_table(staged.found), "csv")),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": attachment("refused-lines.csv")},
    )


@require_POST
@require_permission(PERMISSION)
def trade_import_confirm(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Book an upload as a job; a second yes leads to the same one."""
    try:
        job = confirm_trades(actor=actor_of(request), import_id=import_id)
    except UnknownTradeImport as error:
        raise Http404(str(error)) from error
    except (TradesRefused, NotYetChecked) as error:
        messages.error(request, f"Nothing was booked. {error}")
        return _shown(request, _staged_or_404(request, import_id), status=409)
    return HttpResponseRedirect(reverse("jobs:detail", args=[job.pk]))


@require_GET
@require_permission("trading.view_trade")
def trade_files(request: HttpRequest) -> HttpResponse:
    """
    Send the live trades as the files that an import reads, in an archive.

    book    code of one book, with those below it; empty for all
    """
    try:
        files = export_trades(actor=actor_of(request), book=request.GET.get("book", ""))
    except UnknownBook as error:
        raise Http404(str(error)) from error
    except (TooManyTrades, NotInAFile) as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(reverse("trading:trades"))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return HttpResponse(
        archive.getvalue(),
        content_type="application/zip",
        headers={"Content-Disposition": attachment("trades.zip")},
    )


def _staged_or_404(request: HttpRequest, import_id: UUID) -> StagedTrades:
    try:
        return staged_trades(actor=actor_of(request), import_id=import_id)
    except UnknownTradeImport as error:
        raise Http404(str(error)) from error
