"""Whatever goes wrong under /api/, the answer is a problem document that leaks nothing."""

import json

import pytest

from energyopti.foundation.api.problems import flatten, register_problem
from energyopti.foundation.api.refusals import pointer, problem_document

from .sample_urls import RuleBroken

register_problem(RuleBroken, status=409, code="limit_exceeded", title="A limit is in the way")


def problem_of(response, status):
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    problem = json.loads(response.content)
    assert problem["status"] == status
    assert problem["request_id"] == response["X-Request-ID"]
    assert problem["type"] == f"urn:energyopti:problem:{problem['code']}"
    assert problem["title"] and problem["detail"]
    assert "Traceback" not in response.content.decode()
    assert "secret" not in response.content.decode()
    return problem


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("crash", 500, "internal_error"),
        ("permission", 403, "permission_missing"),
        ("denied", 403, "permission_denied"),
        ("missing", 404, "not_found"),
        ("database", 503, "database_unavailable"),
        ("connection", 503, "database_unavailable"),
        ("rule", 409, "limit_exceeded"),
        ("model", 400, "validation_failed"),
        ("plain", 400, "validation_failed"),
    ],
)
def test_an_exception_of_a_view_becomes_its_problem(stranger, kind, status, code):
    response = stranger.get(f"/api/v1/sample/refuse/{kind}/")

    assert problem_of(response, status)["code"] == code


def test_a_missing_permission_is_named(stranger):
    problem = problem_of(stranger.get("/api/v1/sample/refuse/permission/"), 403)

    assert problem["permission"] == "trading.capture_trade"
    assert "trading.capture_trade" in problem["detail"]


def test_a_foreign_object_is_told_apart_from_nothing_by_nobody(stranger):
    problem = problem_of(stranger.get("/api/v1/sample/refuse/missing/"), 404)

    assert "organization" not in problem["detail"]


def test_a_rule_of_a_service_points_at_its_field(stranger):
    problem = problem_of(stranger.get("/api/v1/sample/refuse/rule/"), 409)

    assert problem["title"] == "A limit is in the way"
    assert problem["errors"] == [
        {"code": "limit_exceeded", "detail": "The limit leaves no room.", "pointer": "/every"}
    ]


def test_a_model_that_refuses_names_its_fields(stranger):
    problem = problem_of(stranger.get("/api/v1/sample/refuse/model/"), 400)

    assert {error["pointer"] for error in problem["errors"]} == {"/every", ""}


def test_a_database_that_is_away_is_not_described_but_says_when_to_come_back(stranger):
    response = stranger.get("/api/v1/sample/refuse/database/")

    assert "10.0.0.3" not in problem_of(response, 503)["detail"]
    assert response["Retry-After"] == "2"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("get", "/api/v1/sample/nowhere/", 404, "not_found"),
        ("get", "/api/nowhere", 404, "not_found"),
        ("put", "/api/v1/sample/open/", 405, "method_not_allowed"),
        ("options", "/api/v1/sample/open/", 405, "method_not_allowed"),
        ("trace", "/api/v1/sample/open/", 405, "method_not_allowed"),
        ("delete", "/api/docs/", 405, "method_not_allowed"),
        ("get", "/api/v1/sample/number/", 500, "internal_error"),
    ],
)
def test_what_django_refuses_is_a_problem_too(stranger, method, path, status, code):
    response = stranger.generic(method.upper(), path)

    assert problem_of(response, status)["code"] == code


def test_a_method_that_is_not_offered_names_those_that_are(stranger):
    response = stranger.put("/api/v1/sample/open/")

    assert set(response["Allow"].replace(" ", "").split(",")) >= {"GET", "POST"}


def test_a_refused_host_is_a_problem(stranger):
    response = stranger.get("/api/v1/sample/open/", headers={"host": "evil.example"})

    problem_of(response, 400)


def test_a_stranger_is_asked_to_sign_in_by_challenge(stranger):
    response = stranger.post("/api/v1/sample/notes/", {"title": "x"})

    assert problem_of(response, 401)["code"] == "not_authenticated"
    assert "realm=" in response["WWW-Authenticate"]


def test_a_session_without_csrf_token_may_not_write(user):
    from rest_framework.test import APIClient

    client = APIClient(enforce_csrf_checks=True)
    client.force_login(user)

    response = client.post("/api/v1/sample/notes/", {"title": "x"})

    assert "CSRF" in problem_of(response, 403)["detail"]


def test_a_body_of_another_kind_is_refused(client):
    response = client.post("/api/v1/sample/notes/", "title=x", content_type="text/plain")

    assert problem_of(response, 415)["code"] == "unsupported_media_type"


def test_every_field_at_fault_is_listed_with_its_pointer(client):
    legs = [{"quantity": "1", "side": "BUY"}, {"quantity": 0.1, "side": "HOLD", "book": 7}]

    response = client.post("/api/v1/sample/notes/", {"legs": legs, "ti/tle": "x", "status": "done"})

    problem = problem_of(response, 400)
    assert problem["code"] == "validation_failed"
    assert {(error["code"], error["pointer"]) for error in problem["errors"]} == {
        ("required", "/title"),
        ("unknown_field", "/ti~1tle"),
        ("read_only_field", "/status"),
        ("not_a_string", "/legs/1/quantity"),
        ("invalid_choice", "/legs/1/side"),
        ("unknown_field", "/legs/1/book"),
    }


@pytest.mark.parametrize("body", ["[]", '"x"', "3", "null", '{"title": {"a": 1}}'])
def test_a_body_of_the_wrong_shape_is_refused(client, body):
    response = client.post("/api/v1/sample/notes/", body, content_type="application/json")

    problem_of(response, 400)


def test_a_harmless_request_id_of_the_caller_is_kept(stranger):
    response = stranger.get("/api/nowhere", headers={"X-Request-ID": "4f1c2a7e-0001"})

    assert len(problem_of(response, 404)["request_id"]) >= 8


@pytest.mark.parametrize("named", ["x\r\nSet-Cookie: a=b", "a" * 300, "<script>", "\x1b[31m"])
def test_a_harmful_request_id_is_replaced(stranger, named):
    response = stranger.get("/api/nowhere", headers={"X-Request-ID": named})

    assert named not in problem_of(response, 404)["request_id"]


def test_pointers_escape_as_rfc_6901_says():
    assert pointer("a/b", "m~n", "0") == "/a~1b/m~0n/0"
    assert pointer() == ""


def test_nested_lists_count_from_zero_in_each_list():
    from rest_framework.exceptions import ErrorDetail

    wrong = ErrorDetail("no", "bad")
    detail = {"a": [{}, {"b": [wrong]}], "c": {2: [wrong]}}

    assert [error["pointer"] for error in flatten(detail)] == ["/a/1/b", "/c/2"]


def test_a_status_without_a_name_still_has_a_document():
    assert problem_document(status=499)["code"] == "refused"


def test_a_service_cannot_register_a_success_as_its_problem():
    with pytest.raises(ValueError, match="status: 200"):
        register_problem(KeyError, status=200, code="fine")
