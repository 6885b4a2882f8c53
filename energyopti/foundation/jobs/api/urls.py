"""Routes under /api/v1/jobs/."""

from django.urls import path

from .views import JobViewSet

app_name = "jobs-api"
urlpatterns = [
    path("", JobViewSet.as_view({"get": "list"}), name="list"),
    path("<uuid:job_id>/", JobViewSet.as_view({"get": "retrieve"}), name="detail"),
    path("<uuid:job_id>/cancel/", JobViewSet.as_view({"post": "cancel"}), name="cancel"),
]
