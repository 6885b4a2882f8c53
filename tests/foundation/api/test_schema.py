"""The OpenAPI document: complete, valid, and of this host alone."""

import io
import json

import pytest
from django.core.management import call_command
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

from energyopti.foundation.api.schema import undocumented
from energyopti.foundation.api.web import docs

from . import sample_urls


@pytest.fixture
def sample_document():
    return SchemaGenerator(urlconf=sample_urls).get_schema(request=None, public=True)


def test_the_products_document_is_made_without_a_warning_and_lacks_nothing(settings):
    settings.ROOT_URLCONF = "energyopti.urls"
    out = io.StringIO()

    call_command(
        "spectacular",
        "--fail-on-warn",
        "--validate",
        "--format=openapi-json",
        "--urlconf=energyopti.urls",
        stdout=out,
    )

    document = json.loads(out.getvalue())
    assert document["openapi"].startswith("3.1")
    assert undocumented(document) == []


def test_what_lacks_is_found(sample_document):
    operation = sample_document["paths"]["/api/v1/sample/effects/"]["post"]
    del operation["description"]
    for media in operation["requestBody"]["content"].values():
        media.pop("examples", None)
    operation["responses"] = {"201": {"content": {"application/json": {}}}}
    del sample_document["paths"]["/api/v1/sample/notes/"]["post"]["responses"]["200"]

    assert undocumented(sample_document) == [
        "POST /api/v1/sample/effects/: no description",
        "POST /api/v1/sample/effects/: no example of a request",
        "POST /api/v1/sample/effects/: no example of the answer 201",
        "POST /api/v1/sample/effects/: no refusals",
        "POST /api/v1/sample/notes/: no successful answer",
    ]


def names(operation):
    return [parameter.get("$ref", "").rsplit("/", 1)[-1] for parameter in operation["parameters"]]


def test_every_operation_tells_its_headers_and_refusals(sample_document):
    validate_schema(sample_document)
    post = sample_document["paths"]["/api/v1/sample/effects/"]["post"]
    get = sample_document["paths"]["/api/v1/sample/rows/"]["get"]

    assert names(post)[-2:] == ["ApiVersion", "IdempotencyKey"]
    assert "IdempotencyKey" not in names(get)
    assert set(post["responses"]) >= {"201", "400", "401", "403", "409", "413", "422", "429", "500"}
    assert {"RateLimit-Remaining", "Api-Version", "X-Request-ID"} <= set(
        post["responses"]["201"]["headers"]
    )
    assert {p["name"] for p in get["parameters"] if "name" in p} >= {"cursor", "page_size"}


def test_posts_with_natural_keys_do_not_offer_one(sample_document):
    assert names(sample_document["paths"]["/api/v1/sample/natural/"]["post"]) == ["ApiVersion"]


def test_decimals_are_strings_and_problems_have_examples(sample_document):
    schemas = sample_document["components"]["schemas"]

    assert schemas["LegInputRequest"]["properties"]["quantity"]["type"] == "string"
    assert schemas["Problem"]["required"]
    for response in sample_document["components"]["responses"].values():
        example = response["content"]["application/problem+json"]["example"]
        assert set(schemas["Problem"]["required"]) <= set(example)


def test_the_ways_to_sign_in_are_described(sample_document):
    schemes = sample_document["components"]["securitySchemes"]
    write = sample_document["paths"]["/api/v1/sample/notes/"]["post"]

    assert set(schemes) >= {"session", "partner"}
    assert schemes["partner"]["flows"]["clientCredentials"]["tokenUrl"].endswith("/token")
    assert {"session": []} in write["security"] and {"partner": ["notes:write"]} in write[
        "security"
    ]
    assert write["x-permission"] == "notes.write_note"


def test_the_document_is_served_once_and_then_by_etag(stranger, request):
    docs._document.cache_clear()
    request.addfinalizer(docs._document.cache_clear)
    first = stranger.get("/api/schema/")
    second = stranger.get("/api/schema/", headers={"If-None-Match": first["ETag"]})

    assert first["Content-Type"] == "application/vnd.oai.openapi+json"
    assert json.loads(first.content)["openapi"].startswith("3.1")
    assert second.status_code == 304 and not second.content
