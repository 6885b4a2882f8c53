"""The demo's clock stands while the database is filled, and goes on where it stopped."""

import json
from datetime import datetime, timedelta
from pathlib import Path

from energyopti.demo.__main__ import Clock


def test_stands_until_it_is_started(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock.json", speed=600, fresh=False)

    standing = clock.standing
    running = clock.start(after_seconds=0)

    assert standing["CLOCK_SPEED"] == "0"
    assert running["CLOCK_SPEED"] == "600"
    assert running["CLOCK_ANCHOR"] == standing["CLOCK_ANCHOR"]


def test_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    first = Clock(path, speed=600, fresh=False)
    first.start(after_seconds=0)
    first.anchor += timedelta(days=3)
    first.save()

    second = Clock(path, speed=600, fresh=False)

    assert second.anchor >= first.anchor
    assert second.anchor == datetime.fromisoformat(json.loads(path.read_text()))


def test_starts_anew_when_asked_to(tmp_path: Path) -> None:
    path = tmp_path / "clock.json"
    path.write_text(json.dumps("2099-01-01T00:00:00+00:00"))

    assert Clock(path, speed=600, fresh=True).anchor.year < 2099


def test_a_clock_that_never_ran_leaves_nothing_behind(tmp_path: Path) -> None:
    clock = Clock(tmp_path / "clock.json", speed=600, fresh=False)

    clock.save()

    assert not (tmp_path / "clock.json").exists()
