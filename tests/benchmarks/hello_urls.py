"""Routes of the reference of `device_poll`: a view that does nothing, and the product's."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def hello(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"hello", content_type="text/plain")


urlpatterns = [
    path("api/v1/devices/hello", hello),
    path("", include("energyopti.urls")),
]
