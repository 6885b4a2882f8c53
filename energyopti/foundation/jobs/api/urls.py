"""Routes of /api/v1/jobs and below; the app is one collection."""

from django.urls import path

from .views import JobViewSet

app_name = "jobs-api"
urlpatterns = [
    path("jobs", JobViewSet.as_view({"get": "list"}), name="list"),
    path("jobs/<uuid:job_id>", JobViewSet.as_view({"get": "retrieve"}), name="detail"),
    path("jobs/<uuid:job_id>/cancel", JobViewSet.as_view({"post": "cancel"}), name="cancel"),
]
