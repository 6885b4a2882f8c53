from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import LazySettings

from energyopti.foundation import clock
from energyopti.foundation.course import Course


@time_machine.travel(datetime(2027, 3, 28, 0, 59, tzinfo=UTC), tick=False)
def test_is_the_wall_clock_at_speed_one() -> None:
    assert clock.now() == datetime(2027, 3, 28, 0, 59, tzinfo=UTC)
    assert not clock.is_accelerated()


@pytest.fixture
def demo_clock(settings: LazySettings, tmp_path: Path) -> Course:
    """The demo's clock, which began at midnight of the wall and has no moment to wait at."""
    settings.CLOCK_SPEED = 600
    settings.CLOCK_FILE = str(tmp_path / "course.json")
    course = Course(datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 3, 28, tzinfo=UTC))
    course.write(Path(settings.CLOCK_FILE))
    return course


@pytest.mark.parametrize(("speed", "hours"), [(60, 1), (1440, 24)])
def test_runs_ahead_from_its_anchor(
    settings: LazySettings, demo_clock: Course, speed: int, hours: int
) -> None:
    settings.CLOCK_SPEED = speed

    with time_machine.travel(datetime(2026, 1, 1, 0, 1, tzinfo=UTC), tick=False):
        shown = clock.now()

    assert shown == datetime(2027, 3, 28, tzinfo=UTC) + timedelta(hours=hours)
    assert clock.is_accelerated()


def test_stands_before_its_wall_anchor(demo_clock: Course) -> None:
    with time_machine.travel(datetime(2025, 12, 31, 23, 59, tzinfo=UTC), tick=False):
        assert clock.now() == datetime(2027, 3, 28, tzinfo=UTC)


def test_waits_where_it_was_told_to_and_goes_on_from_there(demo_clock: Course) -> None:
    evening = datetime(2027, 3, 28, 19, tzinfo=UTC)
    with time_machine.travel(datetime(2026, 1, 1, tzinfo=UTC), tick=False) as wall:
        clock.go_on(until=evening)
        wall.shift(60)
        assert clock.now() == datetime(2027, 3, 28, 10, tzinfo=UTC)
        wall.shift(3600)
        assert clock.now() == evening

        clock.go_on(until=None)
        assert clock.now() == evening
        wall.shift(6)

        assert clock.now() == evening + timedelta(hours=1)


def test_never_goes_back_to_a_moment_it_has_passed(demo_clock: Course) -> None:
    with time_machine.travel(datetime(2026, 1, 1, 0, 1, tzinfo=UTC), tick=False):
        shown = clock.now()

        clock.go_on(until=shown - timedelta(hours=1))

        assert clock.now() == shown
