"""A signed-in client of the sample API, and a clean allowance for each test."""

import pytest
import redis
from django.contrib.auth import get_user_model
from rest_framework.test import APIClient


@pytest.fixture(autouse=True)
def sample_urls(settings):
    settings.ROOT_URLCONF = "tests.foundation.api.sample_urls"


@pytest.fixture(autouse=True)
def forget_allowances(settings):
    connection = redis.Redis.from_url(settings.REDIS_URL)
    for key in connection.scan_iter(f"{settings.REDIS_PREFIX}:*"):
        connection.delete(key)
    connection.close()


@pytest.fixture
def user(db):
    return get_user_model().objects.create_user(email="tess@example.com", password="x" * 14)


@pytest.fixture
def client(user):
    client = APIClient(raise_request_exception=False)
    client.force_login(user)
    return client


@pytest.fixture
def stranger(db):
    return APIClient(raise_request_exception=False)
