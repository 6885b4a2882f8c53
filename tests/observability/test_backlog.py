"""The backlog in /metrics: how far each follower is behind, what is parked, which jobs are open."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from energyopti.foundation.events.models import FollowerCursor, ParkedEvent, ParkedState
from energyopti.foundation.events.services import record_event
from energyopti.foundation.jobs.models import Job, JobState
from tests.factories.accounts import make_organization

pytestmark = pytest.mark.django_db


def scrape() -> dict[str, float]:
    answer = Client().get("/metrics")
    assert answer.status_code == 200
    return {
        name: float(value)
        for name, value in re.findall(
            r"^(energyopti_\S+) (\S+)$", answer.content.decode(), re.MULTILINE
        )
    }


def test_follower_that_lags_shows_events_seconds_and_parked_keys() -> None:
    from energyopti.accounts.actors import Actor

    organization = make_organization()
    FollowerCursor.objects.update_or_create(
        name="webhooks.test", defaults={"transaction_id": 0, "event_id": 0}
    )
    before = scrape()['energyopti_follower_events_behind{follower="webhooks.test"}']
    events = [
        record_event(
            type="trade.captured",
            actor=Actor.system("test"),
            aggregate_type="trade",
            aggregate_id=number,
            organization_id=organization.pk,
        )
        for number in (1, 2, 3)
    ]
    for event, state in zip(
        events, (ParkedState.PARKED, ParkedState.WAITING, ParkedState.RETRYING), strict=True
    ):
        ParkedEvent.objects.create(
            follower="webhooks.test", key=str(event.pk), event=event,
            transaction_id=event.transaction_id, state=state, attempts=1,
            next_attempt_at=timezone.now() if state == ParkedState.RETRYING else None,
        )  # fmt: skip

    found = scrape()

    def of(name: str) -> float:
        return found[f'energyopti_follower_{name}{{follower="webhooks.test"}}']

    assert of("events_behind") == before + 3
    assert 0 <= of("seconds_behind") < 3600
    assert (of("parked_keys"), of("waiting_events"), of("retrying_keys")) == (1, 1, 1)
    assert of("registered") == 0
    assert found["energyopti_database_up"] == 1


def test_follower_that_has_read_all_is_not_behind() -> None:
    FollowerCursor.objects.update_or_create(
        name="webhooks.test", defaults={"transaction_id": 2**62, "event_id": 0}
    )

    found = scrape()

    assert found['energyopti_follower_events_behind{follower="webhooks.test"}'] == 0
    assert found['energyopti_follower_seconds_behind{follower="webhooks.test"}'] == 0


def test_open_jobs_are_counted_by_state_at_the_scrape() -> None:
    assert scrape()['energyopti_jobs_open{state="QUEUED"}'] == 0

    for state, finished_at in (
        (JobState.QUEUED, None),
        (JobState.QUEUED, None),
        (JobState.FAILED, timezone.now()),
    ):
        Job.objects.create(
            kind="import", title="t", task="t", requested_by="user:1", state=state,
            finished_at=finished_at, queued_at=timezone.now() - timedelta(minutes=1),
        )  # fmt: skip

    found = scrape()
    assert found['energyopti_jobs_open{state="QUEUED"}'] == 2
    assert found['energyopti_jobs_open{state="RUNNING"}'] == 0
    assert not [name for name in found if "FAILED" in name]


@pytest.mark.django_db(transaction=True)
def test_scrape_without_a_database_says_so_and_keeps_the_rest() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
    connection.close()
    away = {**connection.settings_dict, "PORT": "1"}
    kept, connection.settings_dict = connection.settings_dict, away
    try:
        answer = Client().get("/metrics")
    finally:
        connection.close()
        connection.settings_dict = kept

    body = answer.content.decode()
    assert answer.status_code == 200
    assert "energyopti_database_up 0.0" in body
    assert "energyopti_follower" not in body
    assert "django_http_requests_total_by_method_total" in body
