"""Every route under /api/v1/ is spelled one way: without a slash at the end."""

from collections.abc import Iterator

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

ROUTES_OF_THE_DESIGN = [
    "/api/v1/devices/3f1c9a52-6f0c-4a44-9a3b-0e5f1f6c1b11/schedule",
    "/api/v1/devices/3f1c9a52-6f0c-4a44-9a3b-0e5f1f6c1b11/acks",
    "/api/v1/devices/3f1c9a52-6f0c-4a44-9a3b-0e5f1f6c1b11/telemetry",
    "/api/v1/devices/schedules/bulk",
    "/api/v1/jobs",
    "/api/v1/jobs/3f1c9a52-6f0c-4a44-9a3b-0e5f1f6c1b11",
    "/api/v1/trading/trades",
    "/api/v1/trading/prices",
]


def routes(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        path = before + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield path
        else:
            yield from routes(pattern, path)


def test_no_route_ends_with_a_slash() -> None:
    found = [path for path in routes(get_resolver()) if path.startswith("api/v1/")]

    assert len(found) > 15
    assert [path for path in found if path.rstrip("$").endswith("/")] == []


@pytest.mark.parametrize("path", ROUTES_OF_THE_DESIGN)
def test_routes_that_others_rely_on_are_there(path: str) -> None:
    assert get_resolver().resolve(path).func


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("path", ROUTES_OF_THE_DESIGN)
def test_a_slash_too_many_is_a_404_that_names_the_route(path: str, method: str) -> None:
    answer = getattr(Client(), method)(f"{path}/")

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "not_found"
    assert problem["detail"] == f"No route of the API ends with a slash: ask {path}."


@pytest.mark.django_db
def test_an_unknown_route_with_a_slash_promises_nothing() -> None:
    problem = Client().get("/api/v1/nowhere/").json()

    assert problem["code"] == "not_found"
    assert "slash" not in problem["detail"]
