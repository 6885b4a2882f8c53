from django.urls import path

from .lists import FleetPage

app_name = "fleet"
urlpatterns = [path("fleet/", FleetPage.as_view(), name="devices")]
