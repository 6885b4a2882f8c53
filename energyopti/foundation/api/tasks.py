"""Periodic work of the API."""

from typing import Any

from celery import shared_task

from .idempotency import purge_answers


@shared_task(name="api.purge_answers")
def purge_stored_answers(**_: Any) -> int:
    """Remove answers to Idempotency-Keys that are past their time."""
    return purge_answers()
