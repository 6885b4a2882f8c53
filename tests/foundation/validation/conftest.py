"""People and files for the tests of model validation."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.test import Client

from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Organization, User
from energyopti.accounts.roles import Role
from energyopti.accounts.services.roles import synchronize_roles
from energyopti.foundation.validation import tasks  # noqa: F401  # workers find it by themselves
from energyopti.foundation.validation.models import ValidationRun
from energyopti.foundation.validation.services.runs import keep_case_file, start_run
from energyopti.foundation.validation.shipped import SHIPPED
from tests.factories.accounts import make_organization, make_user


def case(id_: str = "c1", **fields: Any) -> dict[str, Any]:
    """Return a case that passes."""
    return {
        "id": id_,
        "topic": "dst_day",
        "inputs": {"date": "2027-03-28", "timezone": "Europe/Berlin", "power_mw": 10},
        "expected": {"n60": 23},
        "tolerance": 0,
        **fields,
    }


def as_file(*cases: Any) -> bytes:
    return json.dumps({"cases": list(cases)}).encode()


@pytest.fixture
def organization(db: None) -> Organization:
    synchronize_roles()
    return make_organization("Nordwind")


@pytest.fixture
def cases_of_time_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ship foundation's own cases: tests/trading/test_shipped_cases.py runs those of all apps."""
    monkeypatch.setattr(SHIPPED, "_entries", {"time": SHIPPED["time"]})


@pytest.fixture
def officer(organization: Organization) -> User:
    return make_user(Role.RISK_OFFICER, organization=organization)


@pytest.fixture
def actor(officer: User) -> Actor:
    return Actor.for_user(officer)


@pytest.fixture
def client(officer: User) -> Client:
    return signed_in(officer)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def start(
    actor: Actor, organization: Organization, django_capture_on_commit_callbacks: Any
) -> Callable[..., ValidationRun]:
    """Start a run that the caller's thread then does, as a worker would after the commit."""

    def start_one(key: str, *, topics: Sequence[str] = (), by: Actor = actor) -> ValidationRun:
        with django_capture_on_commit_callbacks(execute=True):
            (where,) = by.own_organization_ids
            return start_run(actor=by, case_set_key=key, organization_id=where, topics=topics)

    return start_one


@pytest.fixture
def run_file(actor: Actor, start: Callable[..., ValidationRun]) -> Callable[..., ValidationRun]:
    """Send cases as a file and run them."""

    def run(*cases: Any, name: str = "mine.json", by: Actor = actor) -> ValidationRun:
        (where,) = by.own_organization_ids
        kept = keep_case_file(actor=by, name=name, content=as_file(*cases), organization_id=where)
        return start(kept.case_set_key, by=by)

    return run
