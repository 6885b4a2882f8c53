"""Gallery, root files, the policy without inline code, and pages without the npm bundle."""

import gzip
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.test import Client, RequestFactory, override_settings

from energyopti.foundation.course import Course
from energyopti.portal.web import frame as frames
from energyopti.portal.web.compression import PageCompression

PAGES = [
    "/", "/me/complete-view/", "/gallery/", "/gallery/table/", "/search/?q=x", "/settings/page/",
    "/offline/",
]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_page_has_no_inline_code_and_one_heading(client: Client, path: str) -> None:
    page = client.get(path).content.decode()

    assert not re.search(r"<[^>]+\sstyle=", page)
    assert not re.search(r"<[^>]+\son[a-z]+=", page)
    assert "<style" not in page
    assert not re.search(r"<script(?![^>]*\ssrc=)", page)
    assert len(re.findall(r"<h1", page)) == 1
    assert 'lang="en"' in page
    assert re.search(r"<title>\s*\S+.*· EnergyOpti-Pro</title>", page)
    assert 'class="skip-link" href="#main"' in page


@pytest.mark.parametrize("path", PAGES)
def test_ids_are_unique(client: Client, path: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', client.get(path).content.decode())

    assert sorted(set(ids)) == sorted(ids)


def test_every_response_carries_the_strict_policy(client: Client) -> None:
    policy = client.get("/")["Content-Security-Policy"]

    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_chart_keeps_its_table_without_the_bundle(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "_bundles", {"bundle/chart.js": "", "bundle/chart.css": ""})

    page = client.get("/gallery/").content.decode()

    assert "data-bundle" not in page
    assert '<details class="twin" open>' in page
    assert 'data-value="62.0"' in page


def test_chart_names_the_bundle_where_it_was_built(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        frames, "_bundles", {"bundle/chart.js": "/c.js", "bundle/chart.css": "/c.css"}
    )

    page = client.get("/gallery/").content.decode()

    assert 'data-bundle="/c.js" data-styles="/c.css"' in page
    assert '<details class="twin">' in page


def test_bundle_that_was_not_built_has_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "_bundles", {})

    assert frames.bundle_url("bundle/never-built.js") == ""
    assert frames.bundle_url("css/base.css") == "/static/css/base.css"


def test_accelerated_clock_is_announced(client: Client, tmp_path: Path) -> None:
    assert "Simulated clock" not in client.get("/").content.decode()
    since = datetime(2026, 11, 21, tzinfo=UTC)
    Course(since, since).write(tmp_path / "course.json")
    with override_settings(CLOCK_SPEED=600, CLOCK_FILE=str(tmp_path / "course.json")):
        assert "Simulated clock, 600 times as fast" in client.get("/").content.decode()


def test_manifest_names_icons_that_exist(db) -> None:
    manifest = Client().get("/manifest.webmanifest").json()

    assert manifest["start_url"] == "/"
    for icon in manifest["icons"]:
        assert finders.find(icon["src"].removeprefix("/static/"))


def test_service_worker_keeps_the_offline_page_and_no_figures(db) -> None:
    response = Client().get("/sw.js")

    assert response["Content-Type"].startswith("text/javascript")
    assert '"/offline/"' in response.content.decode()
    assert '"/"' not in response.content.decode()


def test_offline_page_says_that_no_emergency_stop_can_be_sent(db) -> None:
    assert "emergency stop cannot be sent" in Client().get("/offline/").content.decode()


def test_robots_stay_out(db) -> None:
    assert Client().get("/robots.txt").content == b"User-agent: *\nDisallow: /\n"


def test_sign_in_page_is_in_our_look(db) -> None:
    page = Client().get("/accounts/login/").content.decode()

    assert "css/components.css" in page
    assert 'autocomplete="current-password"' in page
    assert 'class="button primary">Sign in</button>' in page


def test_failed_sign_in_names_the_problem_once_per_field(db) -> None:
    page = Client().post("/accounts/login/", {"login": "", "password": "x"}).content.decode()

    assert 'aria-invalid="true"' in page
    assert 'role="alert"' in page


def test_pages_are_compressed_and_apis_are_not(rf: RequestFactory) -> None:
    middleware = PageCompression(lambda request: HttpResponse("x" * 5000))
    accepts = {"Accept-Encoding": "gzip"}

    page = middleware(rf.get("/trades/", headers=accepts))
    api = middleware(rf.get("/api/v1/devices/1/schedule", headers=accepts))

    assert page["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in api


def test_first_page_is_light(client: Client) -> None:
    """Document, styles and scripts of the first page as they travel: at most 120 KB."""
    page = client.get("/").content
    files = re.findall(r'(?:href|src)="/static/([^"#]+\.(?:css|js))"', page.decode())
    modules = re.findall(r'"\./([a-z]+\.js)"', Path(finders.find("js/app.js")).read_text())

    total = len(gzip.compress(page))
    for name in {*files, *(f"js/{module}" for module in modules)}:
        total += len(gzip.compress(Path(finders.find(name)).read_bytes()))

    assert len(files) > 5 and len(modules) > 8
    assert total < 120 * 1024
