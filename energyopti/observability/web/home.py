"""The panel of an administrator's home: work that failed or stands still."""

from datetime import timedelta
from typing import Any

from django.db.models import Count, Q
from django.db.models.functions import Now

from energyopti.foundation.events.queries import follower_states
from energyopti.foundation.jobs.models import JobState
from energyopti.foundation.jobs.queries import visible_jobs


def system_panel(actor: Any) -> dict[str, Any]:
    """Return the jobs of the last 24 hours and how far the followers are behind, in real time."""
    jobs = visible_jobs(actor).aggregate(
        failed=Count(
            "pk", filter=Q(state=JobState.FAILED, finished_at__gte=Now() - timedelta(hours=24))
        ),
        unfinished=Count("pk", filter=Q(finished_at__isnull=True)),
    )
    followers = follower_states()
    return {
        "jobs": jobs,
        "followers": len(followers),
        "behind": sum(state.behind for state in followers),
        "parked": sum(state.parked for state in followers),
        "waiting": sum(state.waiting for state in followers),
    }
