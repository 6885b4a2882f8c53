"""Periodic work of the jobs themselves."""

from typing import Any

from celery import shared_task

from .services import sweep_jobs


@shared_task(name="jobs.sweep")
def sweep(**_: Any) -> dict[str, int]:
    """Queue jobs of dead workers again, and send what was never sent."""
    return sweep_jobs()
