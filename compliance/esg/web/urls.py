"""Routes of the ESG pages."""

from django.urls import path

from . import pages
from .lists import ReportList

app_name = "esg"
urlpatterns = [
    path("reports/", ReportList.as_view(), name="reports"),
    path("reports/build/", pages.build, name="build"),
    path("reports/<int:report_id>/", pages.report, name="report"),
    path("reports/<int:report_id>.<str:format_name>", pages.download, name="download"),
    path("factors/", pages.factors, name="factors"),
]
