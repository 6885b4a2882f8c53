"""ASGI entry point: pages over HTTP and the live feeds under /ws/."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "energyopti.settings.local")
django_application = get_asgi_application()  # loads the apps before anything below imports models

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.conf import settings  # noqa: E402

from energyopti.foundation.api.body_limit import BodyLimit  # noqa: E402
from energyopti.foundation.registry import verify_guards  # noqa: E402
from energyopti.observability.correlation import CorrelatedSockets  # noqa: E402
from energyopti.urls import websocket_urlpatterns  # noqa: E402

verify_guards()
application = ProtocolTypeRouter(
    {
        "http": BodyLimit(django_application, limit=settings.ASGI_MAX_BODY_BYTES),
        "websocket": CorrelatedSockets(
            AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns)))
        ),
    }
)
