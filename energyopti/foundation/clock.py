"""
The one place where the present time is read; views, tasks and commands hand it on as an argument.

The demo runs the whole product faster than life: every process derives the same accelerated time
from three settings, so pages, workers and devices agree on it without talking to each other.
"""

from datetime import UTC, datetime, timedelta

from django.conf import settings


def now() -> datetime:
    """Return the present time in UTC: the wall clock, or the demo's accelerated one."""
    wall = datetime.now(UTC)
    if settings.CLOCK_SPEED == 1:
        return wall
    elapsed = (wall - settings.CLOCK_WALL_ANCHOR).total_seconds()
    return settings.CLOCK_ANCHOR + timedelta(seconds=elapsed * settings.CLOCK_SPEED)


def is_accelerated() -> bool:
    return bool(settings.CLOCK_SPEED != 1)
