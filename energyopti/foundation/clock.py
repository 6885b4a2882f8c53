"""
The one place where the present time is read; views, tasks and commands hand it on as an argument.

The demo runs the whole product faster than life: every process derives the same accelerated time
from a speed and the `Course` in one file, so pages, workers and devices agree on it without talking
to each other. That clock stands until all is up, and waits where its driver told it to: what must
be done by a moment is done by then on a slow machine too.
"""

from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from .course import Course


def now() -> datetime:
    """Return the present time in UTC: the wall clock, or the demo's accelerated one."""
    wall = datetime.now(UTC)
    if settings.CLOCK_SPEED == 1:
        return wall
    return _course().shows(wall, settings.CLOCK_SPEED)


def go_on(*, until: datetime | None) -> None:
    """Let the accelerated clock go on from what it shows, and wait at a moment, or at none."""
    course = _course().going_on(datetime.now(UTC), settings.CLOCK_SPEED, until)
    course.write(Path(settings.CLOCK_FILE))


def is_accelerated() -> bool:
    return bool(settings.CLOCK_SPEED != 1)


def _course() -> Course:
    path = Path(settings.CLOCK_FILE)
    found = path.stat()
    return _read(path, found.st_ino, found.st_mtime_ns)


@lru_cache(maxsize=1)
def _read(path: Path, _inode: int, _changed: int) -> Course:
    return Course.read(path)
