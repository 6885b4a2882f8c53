"""Files that must stand at the root of the site: manifest, service worker, offline page, robots."""

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

STYLES = ("css/tokens.css", "css/base.css", "css/layout.css", "css/components.css")


@require_safe
@cache_control(public=True, max_age=3600)
def manifest(request: HttpRequest) -> HttpResponse:
    """Describe the installable app."""
    body = {
        "name": "EnergyOpti-Pro",
        "short_name": "EnergyOpti",
        "description": "Energy trading, live risk and battery fleets.",
        "id": "/",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#f4f6f8",
        "theme_color": "#0b5a9e",
        "icons": [
            {
                "src": static(f"img/mark-{size}.png"),
                "sizes": f"{size}x{size}",
                "type": "image/png",
                "purpose": "any",
            }
            for size in (192, 512)
        ],
    }
    return JsonResponse(body, content_type="application/manifest+json")


@require_safe
@cache_control(no_cache=True)
def service_worker(request: HttpRequest) -> HttpResponse:
    """
    Serve the worker: it keeps the offline page and its styles, and nothing that has figures.

    Its cache is named after the styles' addresses, so a new release replaces it.
    """
    assets = ["/offline/", *(staticfiles_storage.url(path) for path in STYLES)]
    context = {"assets": assets, "version": getattr(settings, "RELEASE", "1")}
    return render(request, "portal/sw.js", context, content_type="text/javascript; charset=utf-8")


@require_safe
def offline(request: HttpRequest) -> HttpResponse:
    """Say that there is no connection; drawn without a session, as it is kept for everybody."""
    return render(request, "portal/offline.html")


@require_safe
@cache_control(public=True, max_age=86400)
def robots(request: HttpRequest) -> HttpResponse:
    return HttpResponse("User-agent: *\nDisallow: /\n", content_type="text/plain; charset=utf-8")
