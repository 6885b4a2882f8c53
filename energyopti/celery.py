"""The Celery application; run as `celery -A energyopti.celery` (never imported by the package)."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "energyopti.settings.local")
app = Celery("energyopti")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
