"""For machines: is it alive, is it ready, and the numbers that Prometheus collects."""

import hmac
import ipaddress

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from ..readiness import probe_all


@never_cache
@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """The process answers; nothing else is asked, or a slow database would restart them all."""
    return JsonResponse({"status": "alive"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """503 names the part that fails, in words that tell an attacker nothing."""
    parts = probe_all()
    is_ready = all(part.is_ready for part in parts)
    return JsonResponse(
        {
            "status": "ready" if is_ready else "not ready",
            "parts": {part.name: part.problem or "ready" for part in parts},
        },
        status=200 if is_ready else 503,
    )


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """
    Prometheus text, for a collector with the token or at an address that the settings allow.

    Everybody else gets 404. The address is the peer's: X-Forwarded-For is not asked, so that
    behind a proxy of ours on this machine the token is the way (then METRICS_ALLOWED_ADDRESSES
    is set empty).
    """
    if not (_shows_token(request) or _is_allowed(request)):
        return HttpResponse("Not found", status=404, content_type="text/plain")
    from django_prometheus.exports import ExportToDjangoView
    from prometheus_client import generate_latest

    from ..backlog import BACKLOG

    answer: HttpResponse = ExportToDjangoView(request)
    answer.write(generate_latest(BACKLOG))
    return answer


def _shows_token(request: HttpRequest) -> bool:
    expected = f"Bearer {settings.METRICS_TOKEN}"
    shown = request.headers.get("Authorization", "")
    return bool(settings.METRICS_TOKEN) and hmac.compare_digest(shown.encode(), expected.encode())


def _is_allowed(request: HttpRequest) -> bool:
    if "HTTP_X_FORWARDED_FOR" in request.META:
        return False  # it came through a proxy, whose own address says nothing about the caller
    try:
        peer = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
        allowed = [ipaddress.ip_network(entry) for entry in settings.METRICS_ALLOWED_ADDRESSES]
    except ValueError:
        return False
    return any(peer in network for network in allowed)
