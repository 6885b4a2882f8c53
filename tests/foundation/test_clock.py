from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import LazySettings

from energyopti.foundation import clock


@time_machine.travel(datetime(2027, 3, 28, 0, 59, tzinfo=UTC), tick=False)
def test_is_the_wall_clock_at_speed_one() -> None:
    assert clock.now() == datetime(2027, 3, 28, 0, 59, tzinfo=UTC)
    assert not clock.is_accelerated()


@pytest.mark.parametrize(("speed", "hours"), [(60, 1), (1440, 24)])
def test_runs_ahead_from_its_anchor(settings: LazySettings, speed: int, hours: int) -> None:
    settings.CLOCK_SPEED = speed
    settings.CLOCK_WALL_ANCHOR = datetime(2026, 1, 1, tzinfo=UTC)
    settings.CLOCK_ANCHOR = datetime(2027, 3, 28, tzinfo=UTC)

    with time_machine.travel(datetime(2026, 1, 1, 0, 1, tzinfo=UTC), tick=False):
        shown = clock.now()

    assert shown == datetime(2027, 3, 28, tzinfo=UTC) + timedelta(hours=hours)
    assert clock.is_accelerated()


def test_stands_before_its_wall_anchor(settings: LazySettings) -> None:
    settings.CLOCK_SPEED = 600
    settings.CLOCK_WALL_ANCHOR = datetime(2026, 1, 1, tzinfo=UTC)
    settings.CLOCK_ANCHOR = datetime(2027, 3, 28, tzinfo=UTC)

    with time_machine.travel(datetime(2025, 12, 31, 23, 59, tzinfo=UTC), tick=False):
        assert clock.now() == datetime(2027, 3, 28, tzinfo=UTC)
