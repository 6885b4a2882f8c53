"""The page that takes a file of quotes or rates: look at the difference, then import it."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.requests import actor_of, require_permission
from energyopti.foundation import clock

from ..services.quote_files import (
    COLUMNS,
    QuotesMoved,
    digest_of,
    import_quotes,
    preview_quotes,
)
from ..services.rate_files import RATE_KINDS, import_rates, preview_rates
from ..services.reference_files.findings import ReferenceDiff, ReferenceRefused, RowState
from .curve_forms import QuoteFileForm

# What a page holds between the look and the import; larger files go through the command.
_PAGE_BYTES = 1024 * 1024
_SHOWN = 200


@require_http_methods(["GET", "POST"])
@require_permission("trading.view_quote")
def import_file(request: HttpRequest) -> HttpResponse:
    """Upload quotes or rates, look at the difference, import it."""
    actor, now = actor_of(request), clock.now()
    kinds = _kinds_for(actor)
    if not kinds:
        raise PermissionMissing("trading.import_prices")
    form = QuoteFileForm(kinds=kinds, initial={"kind": request.GET.get("kind", "")})
    context: dict[str, Any] = {"form": form, "columns": _columns(kinds)}
    if request.method == "GET":
        return render(request, "trading/curve_quotes.html", context)
    status = 200
    if "content" in request.POST:
        kind = request.POST.get("kind", "")
        if kind not in dict(kinds):
            raise BadRequest("kind: none of those you may import.")
        name, content = request.POST.get("name", "quotes.csv"), request.POST["content"].encode()
        try:
            diff = _import(
                kind, actor=actor, name=name, content=content, received_at=now,
                expected_digest=request.POST.get("digest", ""),
            )  # fmt: skip
        except (ReferenceRefused, QuotesMoved) as error:
            context["problem"], diff, status = str(error), error.diff, 422
        else:
            added, changed = diff.count(RowState.ADDED), diff.count(RowState.CHANGED)
            messages.success(request, f"{added:,} quotes added, {changed:,} corrected.")
            after = "trading:curves" if kind == "quotes" else "trading:rates"
            return HttpResponseRedirect(reverse(after))
    else:
        form = context["form"] = QuoteFileForm(request.POST, request.FILES, kinds=kinds)
        file = form.cleaned_data["file"] if form.is_valid() else None
        if file is not None and file.size > _PAGE_BYTES:
            form.add_error("file", "Over 1 MB: use manage.py import_curves.")
        if file is None or form.errors:
            return render(request, "trading/curve_quotes.html", context, status=422)
        kind, name, content = form.cleaned_data["kind"], file.name, file.read()
        given = {"actor": actor, "name": name, "content": content, "received_at": now}
        diff = preview_quotes(**given) if kind == "quotes" else preview_rates(kind=kind, **given)
        status = 422 if diff.is_refused else 200
    context |= {
        "diff": diff,
        "changes": [c for c in diff.changes if c.state is not RowState.UNCHANGED][:_SHOWN],
        "counts": [(state.value, diff.count(state)) for state in RowState],
        "name": name,
        "kind": kind,
        "content": "" if diff.is_refused else content.decode("utf-8-sig"),
        "digest": digest_of(diff),
    }
    return render(request, "trading/curve_quotes.html", context, status=status)


def _kinds_for(actor: Actor) -> list[tuple[str, str]]:
    """Return the kinds of files that somebody may import, with their names."""
    kinds = [("quotes", "Forward quotes")] if actor.may("trading.import_prices") else []
    if actor.may("trading.manage_reference_data"):
        kinds += [
            ("interest", "Interest rates"), ("fx", "Exchange-rate forwards"),
            ("vol", "Volatilities"),
        ]  # fmt: skip
    return kinds


def _columns(kinds: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [
        (label, ", ".join(COLUMNS if kind == "quotes" else RATE_KINDS[kind].columns))
        for kind, label in kinds
    ]


def _import(kind: str, **given: Any) -> ReferenceDiff:
    return import_quotes(**given) if kind == "quotes" else import_rates(kind=kind, **given)
