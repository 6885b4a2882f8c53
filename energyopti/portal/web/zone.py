"""Times on pages are written in the reader's own time zone."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone


class ZoneMiddleware:
    """Activate the signed-in person's zone for this request, UTC for everybody else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Pages only: reading the user costs a query that device posts must not pay.
        if request.path.startswith(("/api/", "/health/", "/metrics", "/static/")):
            return self._get_response(request)
        user = request.user
        zone = ZoneInfo(user.time_zone) if user.is_authenticated else ZoneInfo("UTC")
        with timezone.override(zone):
            return self._get_response(request)
