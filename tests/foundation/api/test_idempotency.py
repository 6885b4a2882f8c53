"""One key, one effect, one answer: repeated, changed, at once, and across a crash."""

import threading
from datetime import timedelta

import pytest
from django.db import connection, connections
from django.db.models.functions import Now
from django_celery_beat.models import IntervalSchedule
from rest_framework.test import APIClient

from energyopti.foundation.api.idempotency import purge_answers, store
from energyopti.foundation.api.models import StoredAnswer
from energyopti.foundation.api.tasks import purge_stored_answers
from energyopti.foundation.jobs import schedule

from .sample_urls import HOLD
from .test_problems import problem_of

EFFECTS = "/api/v1/sample/effects/"


def post(client, body, key="k-1", path=EFFECTS, **headers):
    return client.post(path, body, headers={"Idempotency-Key": key, **headers})


def test_the_same_request_has_one_effect_and_gets_the_same_answer(client):
    first = post(client, {"every": 7})
    second = post(client, {"every": 7})

    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert second["Location"] == first["Location"] == "/x"
    assert second["Content-Type"] == first["Content-Type"]
    assert second["Idempotent-Replayed"] == "true" and "Idempotent-Replayed" not in first
    assert second["X-Request-ID"] != first["X-Request-ID"]
    assert IntervalSchedule.objects.count() == 1


def test_without_a_key_each_request_counts(client):
    for _ in range(2):
        client.post(EFFECTS, {"every": 7})

    assert IntervalSchedule.objects.count() == 2
    assert not StoredAnswer.objects.exists()


def test_another_body_under_the_key_is_refused(client):
    post(client, {"every": 7})

    problem = problem_of(post(client, {"every": 8}), 422)

    assert problem["code"] == "idempotency_key_reused"
    assert IntervalSchedule.objects.count() == 1


def test_another_route_under_the_key_is_refused(client):
    post(client, {"every": 7})

    response = post(client, {"every": 7}, path="/api/v1/sample/notes/")

    assert problem_of(response, 422)["code"] == "idempotency_key_reused"


def test_a_key_is_its_clients_own(client, django_user_model):
    other = APIClient()
    other.force_login(django_user_model.objects.create_user(email="o@example.com", password="y"))
    post(client, {"every": 7})

    response = post(other, {"every": 7})

    assert "Idempotent-Replayed" not in response
    assert IntervalSchedule.objects.count() == 2


def test_a_refused_body_may_be_corrected_under_its_key(client):
    problem_of(post(client, {"every": 0}), 400)
    problem_of(post(client, {"every": 1, "status": "approved"}), 400)

    assert post(client, {"every": 7}).status_code == 201


def test_a_crash_is_not_stored_and_leaves_no_effect(client):
    problem_of(post(client, {"every": 500}), 500)

    assert not IntervalSchedule.objects.exists()
    assert not StoredAnswer.objects.exists()
    problem_of(post(client, {"every": 500}), 500)


def test_a_refusal_by_a_rule_is_answered_again(client):
    first = post(client, {"every": 409})
    second = post(client, {"every": 409})

    assert problem_of(first, 409)["code"] == "limit_exceeded"
    assert second.status_code == 409 and second["Idempotent-Replayed"] == "true"
    assert second["Content-Type"] == "application/problem+json"


def test_a_stranger_is_refused_before_the_key_is_looked_at(client, stranger):
    post(client, {"every": 7})

    problem_of(post(stranger, {"every": 7}), 401)


def test_posts_with_natural_keys_take_none(client):
    for _ in range(2):
        response = post(client, {"every": 7}, path="/api/v1/sample/natural/")

    assert "Idempotent-Replayed" not in response
    assert IntervalSchedule.objects.count() == 2


@pytest.mark.parametrize("key", ["", " ", "a" * 256, "käse", "a b", '"'])
def test_a_key_that_is_none_is_refused(client, key):
    problem = problem_of(post(client, {"every": 7}, key=key), 400)

    assert problem["errors"][0]["parameter"] == "Idempotency-Key"


def test_a_quoted_key_is_the_same_key(client):
    post(client, {"every": 7}, key='"k-1"')

    assert post(client, {"every": 7}, key="k-1")["Idempotent-Replayed"] == "true"


def test_a_streamed_answer_cannot_be_stored():
    from django.http import StreamingHttpResponse

    with pytest.raises(TypeError, match="idempotent = False"):
        store(client="c", key="k", fingerprint=b"", response=StreamingHttpResponse([]))


def test_answers_are_purged_after_their_time_and_not_before_a_day(client, settings):
    settings.API_IDEMPOTENCY_HOURS = 1
    for key in ("old", "young"):
        post(client, {"every": 7}, key=key)
    StoredAnswer.objects.filter(key="old").update(stored_at=Now() - timedelta(hours=25))
    StoredAnswer.objects.filter(key="young").update(stored_at=Now() - timedelta(hours=23))

    assert purge_stored_answers() == 1

    assert [answer.key for answer in StoredAnswer.objects.all()] == ["young"]
    assert purge_answers(batch=1) == 0


def test_the_purge_is_periodic():
    assert any(periodic.task == "api.purge_answers" for periodic in schedule.PERIODIC.values())


class Held:
    """A request that is running in another thread, inside its transaction, until let go."""

    def __init__(self, user):
        self.client = APIClient(raise_request_exception=False)
        self.client.force_login(user)
        self.answer = None
        self.backend = None
        HOLD.reached, HOLD.gate = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                (self.backend,) = cursor.fetchone()
            self.answer = post(self.client, {"every": 777})
        finally:
            connections.close_all()

    def __enter__(self):
        self.thread.start()
        assert HOLD.reached.wait(20)
        return self

    def let_go(self):
        HOLD.gate.set()
        self.thread.join(20)

    def __exit__(self, *_):
        self.let_go()


@pytest.mark.django_db(transaction=True)
def test_the_same_key_at_once_is_told_to_come_back(user, client):
    with Held(user) as first:
        second = post(client, {"every": 777})
        first.let_go()
    third = post(client, {"every": 777})

    assert problem_of(second, 409)["code"] == "idempotency_key_in_progress"
    assert int(second["Retry-After"]) >= 1
    assert third.content == first.answer.content
    assert IntervalSchedule.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_many_at_once_have_one_effect(user):
    answers = []
    barrier = threading.Barrier(6)

    def run():
        client = APIClient()
        client.force_login(user)
        barrier.wait(20)
        try:
            answers.append(post(client, {"every": 7}))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert IntervalSchedule.objects.count() == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1


@pytest.mark.django_db(transaction=True)
def test_a_server_that_dies_after_the_effect_leaves_neither_effect_nor_key(user, client):
    with Held(user) as first, connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [first.backend])
        first.let_go()

    assert first.answer.status_code >= 500
    assert not IntervalSchedule.objects.exists() and not StoredAnswer.objects.exists()
    again = threading.Thread(target=lambda: (HOLD.reached.wait(20), HOLD.gate.set()))
    again.start()
    assert post(client, {"every": 777}).status_code == 201
    again.join(20)
    assert IntervalSchedule.objects.count() == 1
