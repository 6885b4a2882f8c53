"""The API's pages in a real browser, under the real Content-Security-Policy."""

import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from energyopti.foundation.api.web import docs

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def visit(address):
    """Open the page; return what it shows, what the console said, and which hosts were asked."""
    from playwright.sync_api import sync_playwright

    said, asked = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        page.on("console", lambda message: said.append((message.type, message.text)))
        page.on("pageerror", lambda error: said.append(("error", str(error))))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        page.wait_for_selector(".opblock", timeout=30_000)
        page.locator(".opblock-summary-control").first.click()
        page.wait_for_selector(".opblock-description", timeout=10_000)
        shown = page.inner_text("#api-docs")
        browser.close()
    return shown, said, asked


@pytest.mark.django_db(transaction=True)
def test_the_page_draws_the_document_without_a_word_in_the_console(live_server, request):
    if not shutil.which("chromium"):
        pytest.skip("chromium is not on this machine")
    docs._document.cache_clear()  # another test may have asked for other routes
    request.addfinalizer(docs._document.cache_clear)

    with ThreadPoolExecutor(1) as pool:  # playwright's own loop must not meet Django's
        shown, said, asked = pool.submit(visit, f"{live_server.url}/api/docs/").result(90)

    assert "/api/v1/sample/effects/" in shown
    assert [words for kind, words in said if kind in ("error", "warning")] == []
    assert len(asked) >= 5
    assert all(address.startswith((live_server.url, "data:")) for address in asked)
