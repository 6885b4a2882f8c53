"""Send a file of one's own reference cases: refused by case and field, or kept and run."""

from pathlib import Path
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from energyopti.foundation.exports.responses import attachment
from energyopti.foundation.pages import actor_for, permitted

from ..cases import CaseProblem, MalformedCases
from ..registry import adapters
from ..services.runs import (
    MAX_CASES,
    PERMISSION,
    FileTooLarge,
    check_size,
    keep_case_file,
    start_run,
)
from .runs import choose_organization, chosen_organization

EXAMPLE = Path(__file__).resolve().parents[1] / "example_cases.json"


class CasesForm(forms.Form):
    """A file of reference cases."""

    file = forms.FileField(
        label="File of cases",
        help_text=f"JSON in UTF-8, 2 MB and {MAX_CASES:,} cases at most.",
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
    )
    organization = forms.ChoiceField(label="Organization", required=False)

    def __init__(self, *args: Any, actor: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose_organization(self, actor)

    @property
    def organization_id(self) -> UUID | None:
        return chosen_organization(self)

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        try:
            check_size(file.size)
        except FileTooLarge as error:
            raise forms.ValidationError(str(error)) from error
        return file


@require_http_methods(["GET", "HEAD", "POST"])
@permitted(PERMISSION)
def upload(request: HttpRequest) -> HttpResponse:
    """Take a file of cases, and run it if nothing in it is refused."""
    actor: Any = actor_for(request)
    form = CasesForm(actor=actor)
    problems: tuple[CaseProblem, ...] = ()
    if request.method == "POST":
        form = CasesForm(request.POST, request.FILES, actor=actor)
        if form.is_valid():
            try:
                return HttpResponseRedirect(_kept_and_run(actor, form))
            except FileTooLarge as error:
                form.add_error("file", str(error))
            except MalformedCases as error:
                problems = error.problems
                form.add_error("file", "Nothing was kept; what is wrong stands below.")
    context = {"form": form, "problems": problems, "supported": adapters.topics()}
    return render(request, "validation/upload.html", context, status=422 if form.errors else 200)


def _kept_and_run(actor: Any, form: CasesForm) -> str:
    file = form.cleaned_data["file"]
    organization_id = form.organization_id
    kept = keep_case_file(
        actor=actor, name=file.name, content=file.read(), organization_id=organization_id
    )
    run = start_run(actor=actor, case_set_key=kept.case_set_key, organization_id=organization_id)
    return reverse("validation:run", args=[run.pk])


@require_GET
@permitted(PERMISSION)
def example(request: HttpRequest) -> HttpResponse:
    """Send a small file in the format."""
    return HttpResponse(
        EXAMPLE.read_bytes(),
        content_type="application/json",
        headers={"Content-Disposition": attachment("reference-cases-example.json")},
    )
