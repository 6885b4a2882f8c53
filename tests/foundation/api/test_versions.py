"""A client of an older day keeps its shapes, in both directions, across several changes."""

from datetime import date

import pytest

from energyopti.foundation.api import views
from energyopti.foundation.api.versions import FIRST_VERSION, VersionChange, VersionRegistry

from .test_problems import problem_of

NOTES = "/api/v1/sample/notes/"


def lift_name(data):
    return {("title" if key == "name" else key): value for key, value in data.items()}


def lower_name(data):
    return {("name" if key == "title" else key): value for key, value in data.items()}


def lift_leg(data):
    return {"legs": [data["leg"]], **{k: v for k, v in data.items() if k != "leg"}}


def lower_leg(data):
    return {"leg": data["legs"][0], **{k: v for k, v in data.items() if k != "legs"}}


@pytest.fixture
def changes(monkeypatch):
    registry = VersionRegistry("API version changes")
    routes = frozenset({"sample-notes"})
    registry.register(
        "legs", VersionChange(date(2027, 3, 1), routes, "Several legs.", lift_leg, lower_leg)
    )
    registry.register(
        "title", VersionChange(date(2027, 1, 1), routes, "name is title.", lift_name, lower_name)
    )
    from energyopti.foundation.api import versions

    monkeypatch.setattr(versions, "API_VERSIONS", registry)
    monkeypatch.setattr(views, "API_VERSIONS", registry)
    return registry


LEG = {"quantity": "1", "side": "BUY"}


@pytest.mark.parametrize(
    ("version", "body"),
    [
        ("2026-11-21", {"name": "Base", "leg": LEG}),
        ("2027-01-01", {"title": "Base", "leg": LEG}),
        ("2027-03-01", {"title": "Base", "legs": [LEG]}),
    ],
)
def test_each_version_speaks_its_own_shapes(client, changes, version, body):
    response = client.post(NOTES, body, headers={"Api-Version": version})

    assert response.status_code == 200, response.content
    assert response.json() == body
    assert response["Api-Version"] == version


def test_without_a_header_the_current_version_is_spoken(client, changes):
    response = client.post(NOTES, {"title": "Base", "legs": [LEG]})

    assert response["Api-Version"] == "2027-03-01"


def test_the_shapes_of_another_version_are_refused(client, changes):
    response = client.post(NOTES, {"title": "Base", "leg": LEG})

    assert problem_of(response, 400)["errors"][0]["pointer"] == "/leg"


@pytest.mark.parametrize("version", ["2026-11-22", "v1", "", "2026-11-21T00:00", "21.11.2026"])
def test_an_unknown_version_is_refused(client, version):
    problem = problem_of(client.post(NOTES, {"title": "x"}, headers={"Api-Version": version}), 400)

    assert problem["code"] == "unknown_version"
    assert FIRST_VERSION.isoformat() in problem["detail"]


def test_a_change_of_one_route_leaves_others_alone(client, changes):
    response = client.post(
        "/api/v1/sample/open/", {"name": "x"}, headers={"Api-Version": "2026-11-21"}
    )

    assert response.json() == {"received": {"name": "x"}}


def test_a_stored_answer_is_of_the_version_that_was_spoken(client, changes):
    headers = {"Api-Version": "2026-11-21", "Idempotency-Key": "v-1"}
    body = {"name": "Base", "leg": LEG}

    first = client.post(NOTES, body, headers=headers)
    second = client.post(NOTES, body, headers=headers)

    assert second["Idempotent-Replayed"] == "true"
    assert second.json() == first.json() == body


def test_the_versions_are_the_first_and_each_date_of_a_change(changes):
    assert [version.isoformat() for version in changes.versions] == [
        "2026-11-21",
        "2027-01-01",
        "2027-03-01",
    ]
