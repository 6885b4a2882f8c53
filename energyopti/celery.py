"""The Celery application; run as `celery -A energyopti.celery` (never imported by the package)."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_init

from energyopti.foundation.registry import MissingEntry, verify_guards

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "energyopti.settings.local")
app = Celery("energyopti")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def refuse_without_guards(**_: Any) -> None:
    """End a worker whose registries lack a required entry; Celery only logs other exceptions."""
    try:
        verify_guards()
    except MissingEntry as missing:
        raise SystemExit(str(missing)) from missing
