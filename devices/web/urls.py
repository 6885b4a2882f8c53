from django.urls import path

from . import pages

app_name = "devices"
urlpatterns = [path("devices/<uuid:device_id>/", pages.device, name="device")]
