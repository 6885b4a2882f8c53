"""REST of model validation: the same verbs, refusals with pointers, keys, pages."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from energyopti.accounts.models import Organization
from energyopti.accounts.roles import Role
from energyopti.foundation.validation.models import CaseFile, ValidationRun
from tests.factories.accounts import make_organization, make_user

from .conftest import as_file, case, signed_in

pytestmark = pytest.mark.django_db

RunFile = Callable[..., ValidationRun]
ROOT = "/api/v1/validation"


def post(client: Client, path: str, content: Any, **headers: str) -> Any:
    data = content if isinstance(content, bytes) else json.dumps(content)
    return client.post(f"{ROOT}/{path}", data, content_type="application/json", headers=headers)


def test_a_file_is_sent_run_and_read(
    client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    sent = post(client, "case-files?name=audit.json", as_file(case("a"), case("b", expected={})))
    with django_capture_on_commit_callbacks(execute=True):
        started = post(client, "runs", {"case_set": sent.json()["case_set"]})
    run = client.get(started["Location"]).json()
    cases = client.get(f"{started['Location']}/cases?status=unsupported").json()

    assert (sent.status_code, sent.json()["name"], sent.json()["cases"]) == (201, "audit.json", 2)
    assert started.status_code == 202
    assert run["state"] == "SUCCEEDED"
    assert (run["outcome"]["passed"], run["outcome"]["unsupported"]) == (1, 1)
    assert run["by_topic"][0]["topic"] == "dst_day"
    assert (run["against"], run["changes"]) == (None, [])
    assert [one["id"] for one in cases["results"]] == ["b"]
    keys = [one["key"] for one in client.get(f"{ROOT}/case-sets").json()]
    assert keys == ["shipped", sent.json()["case_set"]]


def test_the_same_key_starts_one_run_and_the_same_bytes_are_one_file(client: Client) -> None:
    key = {"Idempotency-Key": str(uuid4())}
    first, again = (post(client, "runs", {"case_set": "shipped"}, **key) for _ in range(2))
    files = [post(client, "case-files", as_file(case())).json()["id"] for _ in range(2)]

    assert first.json()["id"] == again.json()["id"]
    assert again["Idempotent-Replayed"] == "true"
    assert ValidationRun.objects.count() == 1
    assert files[0] == files[1]


def test_faults_have_pointers_and_nothing_is_kept(client: Client) -> None:
    answer = post(client, "case-files", as_file(case(), case(tolerance=-1), case("x", hope=1)))
    twice = post(client, "case-files", b'{"cases": [{"id": "a", "id": "b"}]}')

    assert answer.status_code == twice.status_code == 400
    assert {error["pointer"] for error in answer.json()["errors"]} == {
        "/cases/1/tolerance", "/cases/2/hope",
    }  # fmt: skip
    assert "is there twice" in twice.json()["detail"]
    assert not CaseFile.objects.exists()


@pytest.mark.parametrize(
    ("asked", "code", "pointer"),
    [
        ({"case_set": "nothing"}, "unknown_case_set", "/case_set"),
        ({"case_set": "shipped", "topics": ["x"]}, "unknown_topic", "/topics"),
        ({"case_set": "shipped", "organization_id": str(uuid4())}, "foreign_organization",
         "/organization_id"),
        ({"case_set": "shipped", "speed": 1}, "validation_failed", "/speed"),
        ({}, "validation_failed", "/case_set"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_refused_at_its_field(
    client: Client, asked: dict[str, Any], code: str, pointer: str
) -> None:
    answer = post(client, "runs", asked)

    assert answer.status_code == 400
    assert answer.json()["code"] == code
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert not ValidationRun.objects.exists()


def test_a_run_is_compared_with_an_earlier_one(client: Client, run_file: RunFile) -> None:
    before, now = run_file(case()), run_file(case(expected={"n60": 24}))

    found = client.get(f"{ROOT}/runs/{now.pk}?against={before.pk}").json()
    later = client.get(f"{ROOT}/runs/{before.pk}?against={now.pk}")

    assert found["against"] == str(before.pk)
    assert [(c["kind"], c["case_id"], c["is_same_case"]) for c in found["changes"]] == [
        ("Newly failing", "c1", False)
    ]
    assert (later.status_code, later.json()["code"]) == (400, "not_an_earlier_run")


def test_strangers_and_other_roles_read_nothing(
    run_file: RunFile, organization: Organization
) -> None:
    run = run_file(case())
    stranger = signed_in(make_user(Role.RISK_OFFICER, organization=make_organization()))
    trader = signed_in(make_user(Role.TRADER, organization=organization))

    assert stranger.get(f"{ROOT}/runs").json()["results"] == []
    for path in (f"runs/{run.pk}", f"runs/{run.pk}/cases"):
        assert stranger.get(f"{ROOT}/{path}").status_code == 404
        assert trader.get(f"{ROOT}/{path}").status_code == 403
    assert post(stranger, "runs", {"case_set": run.case_file.case_set_key}).status_code == 400
    for path in ("runs", "case-files"):
        assert post(trader, path, {"case_set": "shipped"}).status_code == 403
    assert Client().get(f"{ROOT}/runs").status_code == 401


def test_lists_ask_a_fixed_number_of_queries(
    client: Client, run_file: RunFile, django_assert_max_num_queries: Any
) -> None:
    for number in range(4):
        run = run_file(case(expected={"n60": number}))

    with django_assert_max_num_queries(10):
        listed = client.get(f"{ROOT}/runs?source=UPLOAD&page_size=2").json()
    with django_assert_max_num_queries(12):
        client.get(f"{ROOT}/runs/{run.pk}/cases")

    assert len(listed["results"]) == 2
    assert listed["results"][0]["id"] == str(run.pk)
