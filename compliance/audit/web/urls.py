"""Routes of the audit pages."""

from django.urls import path

from . import pages
from .lists import TrailList

app_name = "audit"
urlpatterns = [
    path("", TrailList.as_view(), name="trail"),
    path("<uuid:uid>/", pages.event, name="event"),
]
