"""Pages and their styles travel compressed, also where no proxy stands before the application."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

# Devices compare ETags byte by byte and their answers are small; compression would weaken the tags.
UNTOUCHED = ("/api/", "/health/", "/metrics")


class PageCompression(GZipMiddleware):
    """Django's own compression (with its padding against BREACH), for everything but APIs."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if request.path.startswith(UNTOUCHED):
            return response
        return super().process_response(request, response)
