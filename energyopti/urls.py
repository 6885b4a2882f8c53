"""Routes: pages at the root, REST under /api/v1/, live feeds under /ws/."""

from typing import Any

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("accounts/", include("allauth.urls")),
    path("_allauth/", include("allauth.headless.urls")),
    path("", include("allauth.idp.urls")),
    path("api/", include("energyopti.foundation.api.urls")),
]

websocket_urlpatterns: list[Any] = []
