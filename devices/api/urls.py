"""Routes under /api/v1/devices/."""

from django.urls import path

from . import views
from .bulk import BulkSchedules

app_name = "devices-api"
urlpatterns = [
    path("schedules/bulk", BulkSchedules.as_view(), name="schedules-bulk"),
    path("<uuid:device_id>/schedule", views.schedule, name="schedule"),
    path("<uuid:device_id>/acks", views.acks, name="acks"),
    path("<uuid:device_id>/telemetry", views.telemetry, name="telemetry"),
]
