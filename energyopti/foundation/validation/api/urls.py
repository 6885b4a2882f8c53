"""Routes under /api/v1/validation/."""

from django.urls import path

from .views import CaseFiles, CaseSets, RunCases, Runs

app_name = "validation-api"
urlpatterns = [
    path("case-sets", CaseSets.as_view(), name="case-sets"),
    path("case-files", CaseFiles.as_view(), name="case-files"),
    path("runs", Runs.as_view({"get": "list", "post": "create"}), name="runs"),
    path("runs/<uuid:run_id>", Runs.as_view({"get": "retrieve"}), name="run"),
    path("runs/<uuid:run_id>/cases", RunCases.as_view({"get": "list"}), name="run-cases"),
]
