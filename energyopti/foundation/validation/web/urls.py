"""Routes under /model-validation/."""

from django.urls import path

from . import cases, runs, upload

app_name = "validation"
urlpatterns = [
    path("", runs.RunList.as_view(), name="runs"),
    path("start/", runs.start, name="start"),
    path("upload/", upload.upload, name="upload"),
    path("example.json", upload.example, name="example"),
    path("<uuid:run_id>/", runs.run, name="run"),
    path("<uuid:run_id>/cases/", cases.CaseList.as_view(), name="cases"),
    path("<uuid:run_id>/cases/<int:number>/", cases.case, name="case"),
]
