"""WSGI entry point for granian."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "energyopti.settings.local")
application = get_wsgi_application()

from energyopti.foundation.registry import verify_guards  # noqa: E402

verify_guards()
