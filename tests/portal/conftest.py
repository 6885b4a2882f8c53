"""A client that is signed in as a trader."""

import pytest
from django.test import Client

from energyopti.accounts.roles import Role
from tests.factories.accounts import make_organization, make_user

MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"


@pytest.fixture
def trader(db):
    return make_user(Role.TRADER, organization=make_organization())


@pytest.fixture
def client(trader) -> Client:
    client = Client()
    client.force_login(trader, backend=MODEL_BACKEND)
    return client
