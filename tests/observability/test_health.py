"""Health and metrics: honest, quick, and closed to strangers where they tell something."""

import socket

import pytest
from django.test import Client

from energyopti.observability.readiness import READINESS, NotReady

pytestmark = pytest.mark.django_db


@pytest.fixture
def broken_port() -> int:
    """A port at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_live_answers_without_touching_anything(django_assert_num_queries) -> None:
    with django_assert_num_queries(0):
        answer = Client().get("/health/live")

    assert answer.json() == {"status": "alive"}


def test_ready_when_all_parts_answer() -> None:
    answer = Client().get("/health/ready")

    assert answer.status_code == 200, answer.content
    assert answer.json()["status"] == "ready"
    assert {"database", "migrations", "redis", "mqtt"} <= answer.json()["parts"].keys()
    assert "no-store" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("setting", "url", "part"),
    [
        ("REDIS_URL", "redis://default:topsecret@127.0.0.1:{port}/0", "redis"),
        ("MQTT_URL", "mqtt://device:topsecret@127.0.0.1:{port}", "mqtt"),
    ],
)
def test_part_that_is_away_is_named_without_its_secret(
    settings, broken_port, setting, url, part
) -> None:
    setattr(settings, setting, url.format(port=broken_port))

    answer = Client().get("/health/ready")

    assert answer.status_code == 503
    body = answer.json()
    assert body["status"] == "not ready"
    assert "does not answer" in body["parts"][part]
    assert body["parts"]["database"] == "ready"
    assert "topsecret" not in answer.content.decode()
    assert str(broken_port) not in answer.content.decode()


def test_waiting_migration_is_not_ready(monkeypatch) -> None:
    from django.db.migrations.recorder import MigrationRecorder

    MigrationRecorder.Migration.objects.filter(app="accounts").delete()

    answer = Client().get("/health/ready")

    assert answer.status_code == 503
    assert "migrations wait" in answer.json()["parts"]["migrations"]


def test_database_that_is_away_is_named(monkeypatch) -> None:
    from django.db import OperationalError

    from energyopti.observability import readiness

    class Away:
        def cursor(self):
            raise OperationalError("connection to server at 10.0.0.5 failed: password")

    monkeypatch.setattr(readiness, "connection", Away())

    with pytest.raises(NotReady, match=r"^The database does not answer\.$"):
        READINESS["database"]()


def test_metrics_are_there_for_this_machine() -> None:
    answer = Client().get("/metrics")

    assert answer.status_code == 200
    assert b"django_http_requests_total_by_method_total" in answer.content


def test_metrics_are_not_there_for_strangers(settings) -> None:
    settings.METRICS_TOKEN = "a-long-token"

    assert Client().get("/metrics", REMOTE_ADDR="203.0.113.5").status_code == 404
    through_proxy = Client().get("/metrics", headers={"x-forwarded-for": "203.0.113.5"})
    assert through_proxy.status_code == 404
    wrong = Client().get(
        "/metrics", REMOTE_ADDR="203.0.113.5", headers={"authorization": "Bearer nope"}
    )
    assert wrong.status_code == 404


def test_metrics_open_with_the_token(settings) -> None:
    settings.METRICS_TOKEN = "a-long-token"

    answer = Client().get(
        "/metrics", REMOTE_ADDR="203.0.113.5", headers={"authorization": "Bearer a-long-token"}
    )

    assert answer.status_code == 200


def test_empty_token_is_no_token(settings) -> None:
    settings.METRICS_TOKEN = ""

    answer = Client().get(
        "/metrics", REMOTE_ADDR="203.0.113.5", headers={"authorization": "Bearer "}
    )

    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
def test_only_reading(path) -> None:
    assert Client().post(path).status_code == 405
