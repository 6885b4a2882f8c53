"""
The one place where the present time is read; views, tasks and commands hand it on as an argument.

The demo runs the whole product faster than life: every process derives the same accelerated time
from three settings, so pages, workers and devices agree on it without talking to each other. Before
its wall anchor that clock stands: processes come up without missing what the day holds.
"""

from datetime import UTC, datetime, timedelta

from django.conf import settings


def now() -> datetime:
    """Return the present time in UTC: the wall clock, or the demo's accelerated one."""
    wall = datetime.now(UTC)
    if settings.CLOCK_SPEED == 1:
        return wall
    elapsed = max(0.0, (wall - settings.CLOCK_WALL_ANCHOR).total_seconds())
    return settings.CLOCK_ANCHOR + timedelta(seconds=elapsed * settings.CLOCK_SPEED)


def is_accelerated() -> bool:
    return bool(settings.CLOCK_SPEED != 1)
