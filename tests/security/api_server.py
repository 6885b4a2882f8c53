"""Entry points of a server process with the sample API."""

from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application

from energyopti.foundation.api.body_limit import BodyLimit

asgi = BodyLimit(get_asgi_application(), limit=20 * 1024 * 1024)
wsgi = get_wsgi_application()
