"""The API's pages: what they say without scripts, and their bars in a real browser."""

import re
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.test import Client

from energyopti.foundation.api.web import docs
from energyopti.foundation.api.web.operations import operations_of
from tests.e2e.axe import look_at

NOTES_POST = "/api/docs/notes_echo/"


@pytest.fixture(autouse=True)
def own_document(request):
    docs._document.cache_clear()  # another test may have asked for other routes
    request.addfinalizer(docs._document.cache_clear)


@pytest.fixture
def browser(db):
    return Client()


def links_of(page: str) -> list[str]:
    return re.findall(r'href="(/api/docs/[^"#]+/)"', page)


def test_every_operation_of_the_document_has_a_page(browser):
    document = browser.get("/api/schema/").json()
    wanted = {
        f"/api/docs/{operation['operationId']}/"
        for item in document["paths"].values()
        for operation in item.values()
    }

    found = links_of(browser.get("/api/docs/").text)

    assert set(found) == wanted and len(found) == len(wanted)
    assert {path: browser.get(path).status_code for path in wanted} == dict.fromkeys(wanted, 200)


def test_the_filter_keeps_operations_that_have_every_word(browser):
    page = browser.get("/api/docs/", {"q": "POST notes:write"}).text

    assert links_of(page) == [NOTES_POST]
    assert "1 of" in page
    assert 'value="POST notes:write"' in page


def test_words_of_the_filter_are_text(browser):
    page = browser.get("/api/docs/", {"q": "<script>alert(1)</script>"}).text

    assert "<script>alert" not in page
    assert "No operation has these words" in page


def test_a_page_says_what_a_client_needs(browser):
    page = browser.get(NOTES_POST).text

    for word in ("notes:write", "notes.write_note", "Idempotency-Key", "Api-Version"):
        assert word in page
    assert "validation_failed" in page and "idempotency_key_reused" in page
    assert "legs[].quantity" in page  # a field within a field
    assert "curl -sS -X POST &quot;http://testserver/api/v1/sample/notes/&quot;" in page
    assert "Authorization: Bearer $TOKEN" in page


def test_the_index_names_scopes_and_the_codes_of_refusals(browser):
    page = browser.get("/api/docs/").text

    assert "grant_type=client_credentials" in page
    assert "permission_missing" in page and "throttled" in page


def test_unknown_operation_is_not_found(browser):
    assert browser.get("/api/docs/no_such_operation/").status_code == 404


def test_the_document_is_built_once_a_process(browser, monkeypatch):
    browser.get("/api/docs/")
    monkeypatch.setattr(docs, "SchemaGenerator", None)  # a second building would fail

    assert browser.get("/api/docs/").status_code == 200
    assert browser.get(NOTES_POST).status_code == 200
    assert browser.get("/api/schema/").status_code == 200


def test_pages_have_no_inline_code_and_travel_compressed(browser):
    response = browser.get(NOTES_POST, headers={"Accept-Encoding": "gzip"})
    page = browser.get(NOTES_POST).text

    assert response["Content-Encoding"] == "gzip"
    assert "<script>" not in page and " style=" not in page and "onclick" not in page
    assert re.findall(r'(?:src|href)="(?:https?:)?//', page) == []
    assert "unsafe" not in response["Content-Security-Policy"]


def test_alternatives_bounds_and_quotes_are_written_out():
    document = {
        "paths": {
            "/api/v1/things/{id}": {
                "put": {
                    "operationId": "things",
                    "description": "Change a thing. More.",
                    "parameters": [
                        {"name": "id", "in": "path", "required": True, "schema": {}},
                        {
                            "name": "at",
                            "in": "query",
                            "required": True,
                            "schema": {"type": "string", "format": "date-time"},
                        },
                    ],
                    "requestBody": {
                        "content": {
                            "application/json": {
                                "schema": {"oneOf": [{"$ref": "#/t"}, {"type": "null"}]},
                                "example": {"name": "it's"},
                            }
                        }
                    },
                    "responses": {"204": {"description": "Changed."}},
                    "security": [{"session": []}],
                }
            }
        },
        "t": {
            "required": ["name"],
            "properties": {
                "name": {"type": "string", "maxLength": 9},
                "mode": {"enum": [1, 2], "description": "How."},
            },
        },
    }

    [operation] = operations_of(document)
    command = docs.curl_command(operation, host="https://host")

    assert operation.body is not None
    assert operation.title == "Change a thing"
    assert [(row.name, row.required, row.description) for row in operation.body.rows] == [
        ("name", True, "At most 9 characters."),
        ("mode", False, "How. One of 1, 2."),
    ]
    assert '"https://host/api/v1/things/${ID}"' in command
    assert '--data-urlencode "at=${AT}"' in command
    assert '-b "sessionid=$SESSION"' in command and "Bearer" not in command
    assert """'"'"'s""" in command  # the shell reads the apostrophe as text


def visit(address: str):
    """Open both pages as a browser would; return breaches of the bars and the hosts asked."""
    from playwright.sync_api import sync_playwright

    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        problems = look_at(page, f"{address}/api/docs/")
        page.fill("#operations-filter", "post trades:write")
        page.wait_for_selector("#operations:has-text('with “post trades:write”')")
        page.click("#operations a:has-text('/api/v1/trading/trades')")
        page.wait_for_selector("[data-copy]:visible")
        problems += look_at(page, page.url)
        browser.close()
    return problems, asked


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_pages_hold_their_bars_in_a_browser(live_server, settings):
    settings.ROOT_URLCONF = "energyopti.urls"  # the product's own document
    if not shutil.which("chromium"):
        pytest.skip("chromium is not on this machine")
    address = live_server.url.replace("127.0.0.1", "localhost")

    with ThreadPoolExecutor(1) as pool:  # playwright's own loop must not meet Django's
        problems, asked = pool.submit(visit, address).result(90)

    assert problems == []
    assert len(asked) >= 5
    assert all(one.startswith((address, "data:")) for one in asked)
