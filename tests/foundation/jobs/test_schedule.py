"""The schedule: written once, corrected, leased; a verb once a period."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from celery import current_app
from django.conf import settings as django_settings
from django.core.management import call_command
from django.db import connection, transaction
from django_celery_beat.models import PeriodicTask

from energyopti.foundation.jobs.beat import STAND_BY_SECONDS, LeasedScheduler
from energyopti.foundation.jobs.schedule import PERIODIC, Periodic, once_per_period
from energyopti.foundation.jobs.tasks import sweep
from energyopti.foundation.leases import Lease

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> dict[str, Periodic]:
    entries = {
        "every minute": Periodic(
            "tests.minute", timedelta(minutes=1), {"a": 1}, expires=timedelta(seconds=50)
        ),
        "at night": Periodic("tests.night", "15 2 * * 1-5", queue="slow"),
    }
    monkeypatch.setattr(PERIODIC, "_entries", entries)
    return entries


def test_writes_registered_tasks_and_removes_those_gone(
    registered: dict[str, Periodic], capsys: pytest.CaptureFixture[str]
) -> None:
    by_hand = PeriodicTask.objects.create(
        name="by hand", task="x", interval=_seconds(5), description="a person's"
    )
    call_command("sync_schedule")
    minute, night = (PeriodicTask.objects.get(name=name) for name in registered)
    del registered["at night"]
    registered["every minute"] = Periodic("tests.minute", timedelta(minutes=2))
    call_command("sync_schedule")

    assert (minute.interval.every, minute.expire_seconds, json.loads(minute.kwargs)) == (
        *(60, 50),
        {"a": 1},
    )
    assert (night.crontab.hour, night.crontab.day_of_week, night.queue) == ("2", "1-5", "slow")
    minute.refresh_from_db()
    assert (minute.interval.every, minute.expire_seconds) == (120, None)
    assert not PeriodicTask.objects.filter(name="at night").exists()
    assert PeriodicTask.objects.filter(pk=by_hand.pk).exists()
    assert "No longer scheduled: at night." in capsys.readouterr().out


def _seconds(every: int) -> Any:
    from django_celery_beat.models import IntervalSchedule

    return IntervalSchedule.objects.create(every=every, period=IntervalSchedule.SECONDS)


def test_a_task_that_a_person_switched_off_stays_off(registered: dict[str, Periodic]) -> None:
    call_command("sync_schedule")
    PeriodicTask.objects.filter(name="at night").update(enabled=False)

    call_command("sync_schedule")

    assert not PeriodicTask.objects.get(name="at night").enabled


def test_under_an_accelerated_clock_no_task_waits_long(
    registered: dict[str, Periodic], settings: Any
) -> None:
    settings.CLOCK_SPEED = 1500

    call_command("sync_schedule")

    rows = PeriodicTask.objects.filter(name__in=registered)
    assert {row.expire_seconds for row in rows} == {15}
    assert {row.interval.every for row in rows} == {2}


def test_fractions_of_a_second_are_refused(registered: dict[str, Periodic]) -> None:
    registered["too often"] = Periodic("x", timedelta(milliseconds=500))

    with pytest.raises(ValueError, match="too often: when must be whole seconds"):
        call_command("sync_schedule")

    assert not PeriodicTask.objects.exclude(name="celery.backend_cleanup").exists()


def test_a_verb_is_done_once_a_period_and_again_after_a_failure() -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        assert once_per_period(name="report", period="2027-03")
        raise RuntimeError("failed")

    tries = [once_per_period(name="report", period="2027-03") for _ in range(2)]

    assert tries == [True, False]
    assert once_per_period(name="report", period="2027-04")


@pytest.fixture
def direct(settings: Any) -> None:
    database = connection.settings_dict
    settings.DATABASE_DIRECT_URL = psycopg.conninfo.make_conninfo(
        host=database["HOST"],
        port=database["PORT"],
        user=database["USER"],
        password=database["PASSWORD"],
        dbname=database["NAME"],
    )


@pytest.mark.servers
@pytest.mark.usefixtures("direct")
def test_a_beat_that_takes_over_knows_what_the_other_has_sent(
    registered: dict[str, Periodic], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "django_celery_beat.schedulers.DatabaseScheduler.tick", lambda self, *_, **__: 5.0
    )
    call_command("sync_schedule")
    scheduler = LeasedScheduler(app=current_app, lazy=True)
    with Lease(django_settings.DATABASE_DIRECT_URL, "beat") as other:
        assert other.hold()
        assert scheduler.tick() == STAND_BY_SECONDS
        assert "every minute" in scheduler.schedule
        # As the other beat writes it: without a word to those who wait.
        sent_at = datetime(2027, 3, 28, 1, tzinfo=UTC)
        PeriodicTask.objects.filter(name="every minute").update(last_run_at=sent_at)

    scheduler.tick()

    known = scheduler.schedule["every minute"].last_run_at
    scheduler.close()
    assert known == sent_at


@pytest.mark.servers
@pytest.mark.usefixtures("direct")
def test_of_two_beats_one_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = []
    monkeypatch.setattr(
        "django_celery_beat.schedulers.DatabaseScheduler.tick",
        lambda self, *_, **__: ticks.append(self) or 5.0,
    )
    first, second = (LeasedScheduler(app=current_app, lazy=True) for _ in range(2))

    pauses = [first.tick(), second.tick(), first.tick()]
    first.close()
    pauses.append(second.tick())
    second.close()

    assert ticks == [first, first, second]
    assert pauses == [5.0, STAND_BY_SECONDS, 5.0, 5.0]


def test_a_beat_without_a_database_stands_by(settings: Any) -> None:
    settings.DATABASE_DIRECT_URL = "postgresql://nobody@127.0.0.1:1/none"
    scheduler = LeasedScheduler(app=current_app, lazy=True)

    assert scheduler.tick() == STAND_BY_SECONDS


def test_the_sweep_is_a_task() -> None:
    assert sweep.apply().get() == {"requeued": 0, "failed": 0, "resent": 0}
