"""One allowance a client, counted in Redis, told in headers, not to be dodged."""

import threading

import pytest
import redis
from django.contrib.auth.models import Group
from django.test import RequestFactory
from rest_framework.test import APIClient

from energyopti.foundation.api import throttling
from energyopti.foundation.api.clients import address_of
from energyopti.foundation.api.throttling import spend

from .test_problems import problem_of

OPEN = "/api/v1/sample/open/"
RATES = {"anonymous": (3, 60), "default": (5, 60), "Partner": (8, 60)}


@pytest.fixture(autouse=True)
def small_rates(settings):
    settings.API_THROTTLE_RATES = RATES


def test_a_client_is_told_what_is_left(client):
    response = client.get(OPEN)

    assert response["RateLimit-Limit"] == "5"
    assert response["RateLimit-Remaining"] == "4"
    assert response["RateLimit-Reset"] == "12"


def test_one_request_too_many_waits(client):
    for _ in range(5):
        assert client.get(OPEN).status_code == 200

    response = client.get(OPEN)

    assert problem_of(response, 429)["code"] == "throttled"
    assert 1 <= int(response["Retry-After"]) <= 12
    assert response["RateLimit-Remaining"] == "0"


def test_a_role_sizes_the_allowance(client, user):
    user.groups.add(Group.objects.get_or_create(name="Partner")[0])

    assert client.get(OPEN)["RateLimit-Limit"] == "8"


def test_two_sessions_of_a_user_share_one_allowance(client, user):
    second = APIClient()
    second.force_login(user)

    client.get(OPEN)

    assert second.get(OPEN)["RateLimit-Remaining"] == "3"


@pytest.mark.parametrize(
    "header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "CF-Connecting-IP"]
)
def test_no_header_of_the_callers_own_makes_a_new_stranger(stranger, header):
    answers = [
        stranger.get(OPEN, headers={header: f"10.0.0.{number}"}).status_code for number in range(4)
    ]

    assert answers == [200, 200, 200, 429]


def test_guessing_tokens_is_throttled_by_address(stranger):
    answers = [
        stranger.get(OPEN, headers={"Authorization": f"Bearer guess{number}"}).status_code
        for number in range(4)
    ]

    assert answers == [401, 401, 401, 429]


def test_a_refusal_counts_too(client):
    for _ in range(5):
        client.post("/api/v1/sample/notes/", {"wrong": 1})

    problem_of(client.get(OPEN), 429)


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "1.1.1.1", "9.9.9.9"),
        (1, "6.6.6.6, 1.1.1.1", "1.1.1.1"),
        (2, "6.6.6.6, 1.1.1.1, 2.2.2.2", "1.1.1.1"),
        (2, "1.1.1.1", "9.9.9.9"),
        (1, "nonsense", "9.9.9.9"),
        (1, "", "9.9.9.9"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (1, "::ffff:1.2.3.4", "1.2.3.4"),
    ],
)
def test_a_stranger_is_the_address_that_our_proxy_saw(settings, proxies, forwarded, expected):
    settings.API_TRUSTED_PROXY_COUNT = proxies
    request = RequestFactory().get(OPEN, REMOTE_ADDR="9.9.9.9", HTTP_X_FORWARDED_FOR=forwarded)

    assert address_of(request) == expected


def test_a_peer_without_address_has_a_name():
    assert address_of(RequestFactory().get(OPEN, REMOTE_ADDR="")) == "unknown"


def test_many_at_once_are_granted_exactly_the_limit():
    granted = []

    def run():
        for _ in range(20):
            granted.append(spend("race", limit=50, period_seconds=3600).granted)

    threads = [threading.Thread(target=run) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(granted) == 50


def test_the_allowance_comes_back_with_time():
    assert spend("slow", limit=1, period_seconds=1).granted
    refused = spend("slow", limit=1, period_seconds=1)
    assert not refused.granted and 0 < refused.wait_seconds <= 1

    threading.Event().wait(refused.wait_seconds + 0.05)

    assert spend("slow", limit=1, period_seconds=1).granted


def test_a_heavy_call_costs_more():
    assert spend("heavy", limit=10, period_seconds=60, cost=7).remaining == 3
    assert not spend("heavy", limit=10, period_seconds=60, cost=7).granted
    assert spend("heavy", limit=10, period_seconds=60, cost=3).granted


def test_keys_leave_redis_when_the_allowance_is_whole(settings):
    spend("gone", limit=10, period_seconds=60)

    connection = redis.Redis.from_url(settings.REDIS_URL)
    left_ms = connection.pttl(f"{settings.REDIS_PREFIX}:throttle:gone")
    connection.close()

    assert 0 < left_ms <= 6001


def test_without_redis_work_goes_on_and_the_log_says_so(client, settings, caplog, request):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    throttling._script.cache_clear()
    request.addfinalizer(throttling._script.cache_clear)

    response = client.get(OPEN)

    assert response.status_code == 200
    assert "RateLimit-Limit" not in response
    assert "throttle_unavailable" in caplog.text
