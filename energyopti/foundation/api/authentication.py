"""Sign-in by the browser's session, with CSRF, that answers strangers with 401 instead of 403."""

from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request


class BrowserSession(SessionAuthentication):
    """Authenticate pages of our own site that call the API; partners send a bearer token."""

    def authenticate_header(self, request: Request) -> str:
        return 'Session realm="api"'
