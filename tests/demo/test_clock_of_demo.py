"""The demo's clock stands while the database is filled, and goes on where it stopped."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

from energyopti.demo.__main__ import Clock
from energyopti.foundation.course import Course

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
NINE = NOON.replace(hour=9)


def shown(path: Path) -> datetime:
    return Course.read(path).shows(datetime.now(UTC), 600)


def test_stands_until_it_is_started(tmp_path: Path) -> None:
    path = tmp_path / "course.json"
    with time_machine.travel(NOON, tick=False) as wall:
        clock = Clock(path, speed=600, fresh=False)
        wall.shift(60)
        assert shown(path) == NINE
        clock.save()
        wall.shift(60)
        assert shown(path) == NINE

        clock.start()
        wall.shift(60)

        assert shown(path) == NINE + timedelta(hours=10)
    assert clock.environment == {"CLOCK_SPEED": "600", "CLOCK_FILE": str(path)}


def test_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "course.json"
    with time_machine.travel(NOON, tick=False) as wall:
        first = Clock(path, speed=600, fresh=False)
        first.start()
        wall.shift(300)
        first.save()
        stopped = shown(path)
        wall.shift(3600)

        Clock(path, speed=600, fresh=False)

        assert shown(path) == stopped == NINE + timedelta(hours=50)


def test_starts_anew_when_asked_to(tmp_path: Path) -> None:
    path = tmp_path / "course.json"
    Course(NOON, datetime(2099, 1, 1, tzinfo=UTC)).write(path)

    with time_machine.travel(NOON, tick=False):
        Clock(path, speed=600, fresh=True)

        assert shown(path) == NINE
