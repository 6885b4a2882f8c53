"""Routes: pages at the root, REST under /api/v1/, live feeds under /ws/."""

from typing import Any

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from risk.routing import websocket_urlpatterns as risk_routes
from trading.routing import websocket_urlpatterns as trading_routes

urlpatterns: list[URLPattern | URLResolver] = [
    path("admin/", admin.site.urls),
    path("", include("energyopti.accounts.web.urls")),  # guards some of allauth's routes below
    path("accounts/", include("allauth.urls")),
    path("_allauth/", include("allauth.headless.urls")),
    path("", include("allauth.idp.urls")),
    path("", include("energyopti.observability.web.urls")),
    path("", include("energyopti.portal.web.urls")),
    path("", include("trading.web.urls")),
    path("risk/", include("risk.web.urls")),
    path("jobs/", include("energyopti.foundation.jobs.web.urls")),
    path("model-validation/", include("energyopti.foundation.validation.web.urls")),
    path("audit/", include("compliance.audit.web.urls")),
    path("esg/", include("compliance.esg.web.urls")),
    path("billing/", include("billing.web.urls")),
    path("", include("support.web.urls")),
    path("", include("devices.web.urls")),
    path("", include("fleet.web.urls")),
    path("api/", include("energyopti.foundation.api.urls")),
]

websocket_urlpatterns: list[Any] = [*risk_routes, *trading_routes]

handler400 = "energyopti.portal.web.errors.bad_request"
handler403 = "energyopti.portal.web.errors.permission_denied"
handler404 = "energyopti.portal.web.errors.page_not_found"
handler500 = "energyopti.portal.web.errors.server_error"
