"""Reference data as files: upload, look at the difference, confirm; and take the files out."""

import io
import zipfile
from collections import Counter
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation.jobs.models import Job
from energyopti.foundation.pages import PEOPLE_CHOICES
from trading.services.changes import ForeignOrganization, require_own
from trading.services.reference_files import (
    KINDS,
    DiffChanged,
    FileTooLarge,
    OrganizationNeeded,
    ReferenceRefused,
    RowState,
    StagedImport,
    UnknownImport,
    confirm_import,
    export_reference,
    stage_import,
    staged_import,
)
from trading.services.reference_files.kinds import SHARED
from trading.services.reference_files.reading import check_size

from .forms import ImportForm

VIEW = "trading.view_reference_data"
MANAGE = "trading.manage_reference_data"
SHOWN = 300
TITLES = {
    "commodities": "Commodities",
    "holidays": "Holidays",
    "shapes": "Load shapes",
    "markets": "Delivery points",
    "indices": "Price indices",
    "plants": "Plants",
    "fx_rates": "Exchange rates",
    "counterparties": "Counterparties",
    "agreements": "Agreements",
    "netting_sets": "Netting sets",
    "csas": "Credit support annexes",
    "books": "Books",
    "approved_products": "Approved products",
}


@require_http_methods(["GET", "HEAD", "POST"])
@require_permission(VIEW)
def reference(request: HttpRequest) -> HttpResponse:
    """Show the kinds of file with their exports; take files and go on to what they change."""
    actor = actor_of(request)
    organizations = list(PEOPLE_CHOICES["organizations"](actor))
    form = None
    if actor.may(MANAGE):
        form = (
            ImportForm(request.POST, request.FILES, organizations=organizations)
            if request.method == "POST"
            else ImportForm(organizations=organizations)
        )
    elif request.method == "POST":
        actor.require(MANAGE)
    if form is not None and form.is_bound and form.is_valid():
        staged = _stage(request, form)
        if staged is not None:
            return HttpResponseRedirect(reverse("trading:reference_import", args=[staged.id]))
    return render(
        request,
        "reference/files.html",
        {
            "form": form,
            "kinds": [
                {"kind": kind, "title": TITLES[kind], "is_shared": kind in SHARED}
                for kind in KINDS
                if _may_export(actor, kind)
            ],
            "organizations": organizations,
        },
        status=422 if form is not None and form.errors else 200,
    )


def _stage(request: HttpRequest, form: ImportForm) -> StagedImport | None:
    entered = form.cleaned_data
    try:
        files = {}
        for file in entered["files"]:
            check_size(file.name, file.size)
            files[file.name] = file.read()
        return stage_import(
            actor=actor_of(request),
            files=files,
            organization_id=UUID(entered["organization"]) if entered["organization"] else None,
        )
    except FileTooLarge as error:
        form.add_error("files", str(error))
    except OrganizationNeeded as error:
        form.add_error("organization", str(error))
    return None


@require_GET
@require_permission(MANAGE)
def difference(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Show what an upload adds, changes and is refused for; nothing is imported yet."""
    return _difference(request, _staged_or_404(request, import_id))


def _difference(request: HttpRequest, staged: StagedImport, status: int = 200) -> HttpResponse:
    context: dict[str, Any] = {"staged": staged, "files": sorted(staged.paths)}
    if staged.diff is not None:
        diff = staged.diff
        counts = Counter((change.file, change.state) for change in diff.changes)
        refused = Counter(refusal.file for refusal in diff.refusals)
        moved = [change for change in diff.changes if change.state is not RowState.UNCHANGED]
        context |= {
            "diff": diff,
            "counts": [
                (name, *(counts[name, state] for state in RowState), refused[name])
                for name in sorted(staged.paths)
            ],
            "refusals": diff.refusals[:SHOWN],
            "more_refusals": max(0, len(diff.refusals) - SHOWN),
            "changes": moved[:SHOWN],
            "more_changes": max(0, len(moved) - SHOWN),
            "writes": len(moved),
        }
    return render(request, "reference/difference.html", context, status=status)


@require_POST
@require_permission(MANAGE)
def confirm(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """Import an upload as its page showed it, or show what is different now."""
    actor = actor_of(request)
    try:
        done = confirm_import(actor=actor, import_id=import_id)
    except UnknownImport as error:
        raise Http404(str(error)) from error
    except (DiffChanged, ReferenceRefused) as error:
        messages.error(request, str(error))
        return _difference(request, _staged_or_404(request, import_id), status=409)
    if isinstance(done, Job):
        return HttpResponseRedirect(reverse("jobs:detail", args=[done.pk]))
    counts = ", ".join(f"{done.count(state):,} {state.value}" for state in RowState)
    messages.success(request, f"Imported: {counts}.")
    return HttpResponseRedirect(reverse("trading:reference"))


@require_GET
@require_permission(VIEW)
def export(request: HttpRequest) -> HttpResponse:
    """
    Send the files that an import reads: one kind, or all that may be read, in an archive.

    organization    id, whose books and counterparties; without it the shared kinds only
    kind            one of the kinds
    """
    actor = actor_of(request)
    wanted = request.GET.get("organization", "")
    kind = request.GET.get("kind", "")
    try:
        organization_id = UUID(wanted) if wanted else None
    except ValueError as error:
        raise BadRequest("organization: this is not an id.") from error
    if kind and kind not in KINDS:
        raise BadRequest(f"kind: “{kind}” is none of {', '.join(KINDS)}.")
    if kind and kind not in SHARED and organization_id is None:
        raise BadRequest("organization: say whose.")
    try:
        if organization_id is not None:
            require_own(actor, organization_id)
    except ForeignOrganization as error:
        raise Http404(str(error)) from error
    kinds = [kind] if kind else [
        each
        for each in KINDS
        if (each in SHARED or organization_id is not None) and _may_export(actor, each)
    ]  # fmt: skip
    files = export_reference(actor=actor, organization_id=organization_id, kinds=kinds)
    if kind:
        return _download(files[f"{kind}.csv"], f"{kind}.csv", "text/csv; charset=utf-8")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return _download(archive.getvalue(), "reference-data.zip", "application/zip")


# What an export reads of each kind that belongs to an organization.
_READ = {
    "counterparties": "trading.view_counterparty",
    "agreements": "trading.view_agreement",
    "netting_sets": "trading.view_agreement",
    "csas": "trading.view_agreement",
    "books": "trading.access_every_book",
    "approved_products": "trading.view_approvedproduct",
}


def _may_export(actor: Any, kind: str) -> bool:
    return bool(actor.may(_READ.get(kind, VIEW)))


def _download(content: bytes, name: str, content_type: str) -> HttpResponse:
    return HttpResponse(
        content,
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _staged_or_404(request: HttpRequest, import_id: UUID) -> StagedImport:
    try:
        return staged_import(actor=actor_of(request), import_id=import_id)
    except UnknownImport as error:
        raise Http404(str(error)) from error
