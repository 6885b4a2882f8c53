"""Routes under /jobs/."""

from django.urls import path

from . import pages

app_name = "jobs"
urlpatterns = [
    path("", pages.job_list, name="list"),
    path("<uuid:job_id>/", pages.job_detail, name="detail"),
    path("<uuid:job_id>/cancel/", pages.job_cancel, name="cancel"),
    path("<uuid:job_id>/result/", pages.job_result, name="result"),
]
