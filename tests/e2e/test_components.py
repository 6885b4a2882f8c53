"""What the scripts add to pages, in a real browser; and that pages work without them."""

import json

import pytest

from energyopti.accounts.roles import Role
from energyopti.foundation.tables.models import ColumnChoice
from tests.e2e.axe import axe_violations

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


def test_palette_opens_by_keys_finds_a_page_and_goes_there(page_as) -> None:
    page = page_as(Role.TRADER, path="/gallery/")

    page.keyboard.press("Control+k")
    page.wait_for_selector("#palette[open] [role=option]")
    assert axe_violations(page) == []
    page.keyboard.type("example")
    page.wait_for_selector("#palette [role=option]:has-text('Example list')")
    page.keyboard.press("Enter")

    page.wait_for_url("**/gallery/table/")


def test_single_keys_go_and_stay_silent_in_inputs(page_as) -> None:
    page = page_as(Role.TRADER, path="/gallery/table/")

    page.focus("#id_name")
    page.keyboard.type("gh?")
    assert page.input_value("#id_name") == "gh?"

    page.focus("h1 >> xpath=ancestor::main")
    page.keyboard.press("?")
    page.wait_for_selector("#shortcuts[open]")
    assert axe_violations(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("h")
    page.wait_for_selector("h1:has-text('Home')")


def test_typing_a_filter_swaps_the_rows_and_the_address_without_losing_the_focus(page_as) -> None:
    page = page_as(Role.TRADER, path="/gallery/table/")

    page.focus("#id_name")
    page.keyboard.type("organization")
    page.wait_for_url("**name=organization**")
    page.wait_for_selector(".chip:has-text('organization')")

    assert page.evaluate("document.activeElement.id") == "id_name"
    assert "name=organization" in page.get_attribute("a.item[href*='export=csv']", "href")
    page.go_back()
    page.wait_for_selector("table tbody tr")
    assert page.locator(".chip").count() == 0


def test_rows_are_walked_and_selected_by_keys(page_as) -> None:
    page = page_as(Role.TRADER, path="/gallery/table/")
    assert not page.is_visible("[data-bulk]")

    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")

    assert page.text_content("[data-bulk-count]") == "1 selected"
    assert page.locator("tr.current.selected").count() == 1
    page.click("text=Check …")
    page.wait_for_selector("h1:has-text('Check 1 row?')")


def test_columns_move_by_buttons_and_are_saved(page_as) -> None:
    page = page_as(Role.TRADER, path="/gallery/table/")

    page.click("summary:has-text('Columns')")
    assert axe_violations(page) == []
    page.click("button[value='up:codename']")
    page.uncheck("#column-length")
    page.click("text=Save columns")
    page.wait_for_selector(".toast.good")

    assert ColumnChoice.objects.get().columns == ["codename", "name", "area", "content_type"]


def test_menus_close_by_escape_and_return_the_focus(page_as) -> None:
    page = page_as(Role.TRADER, path="/gallery/table/")

    page.focus("summary:has-text('Views')")
    page.keyboard.press("Enter")
    page.wait_for_selector("#view-name")
    assert axe_violations(page) == []
    page.keyboard.press("Escape")

    assert not page.is_visible("#view-name")
    assert "Views" in page.evaluate("document.activeElement.textContent")


def test_theme_switch_changes_at_once_and_is_kept(page_as) -> None:
    page = page_as(Role.TRADER, path="/gallery/")
    page.emulate_media(color_scheme="light")

    with page.expect_response("**/settings/theme/"):
        page.click("[data-theme-switch] button")
    assert page.get_attribute("html", "data-theme") == "dark"

    page.reload()
    assert page.get_attribute("html", "data-theme") == "dark"
    assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"


def test_dialog_asks_before_harm_and_gives_the_focus_back(page_as) -> None:
    page = page_as(Role.TRADER, path="/gallery/")

    page.click(".page-actions >> text=Cancel deal …")
    page.wait_for_selector("#confirm-cancel[open]")
    assert axe_violations(page) == []
    page.keyboard.press("Escape")

    assert not page.is_visible("#confirm-cancel")
    assert "Cancel deal" in page.evaluate("document.activeElement.textContent")


def test_lost_feed_says_so_and_polls_and_comes_back(page_as, base_url: str) -> None:
    sockets: list = []
    page = page_as(Role.TRADER, path="/offline/")
    page.route_web_socket("**/ws/test/", lambda socket: sockets.append(socket))
    page.route(
        "**/poll/",
        lambda route: route.fulfill(
            json=[{"topic": "t", "sequence": 2, "pnl": 2000.5, "as_of": "x"}]
        ),
    )
    page.goto(f"{base_url}/gallery/")
    page.evaluate(
        """() => { const feed = document.createElement('live-feed');
             feed.dataset.src = '/ws/test/'; feed.dataset.poll = '/poll/';
             feed.innerHTML = '<span data-feed-text></span>'; feed.id = 'feed';
             document.querySelector('main').append(feed); }"""
    )

    def send(frame: dict) -> None:
        sockets[-1].send(json.dumps(frame))

    page.wait_for_timeout(300)
    send({"topic": "t", "sequence": 1, "pnl": -1234.5, "as_of": "x"})
    page.wait_for_selector("[data-live=pnl]:has-text('−1,234.50')")
    assert page.get_attribute("#feed", "data-state") == "live"

    send({"topic": "t", "sequence": 0, "pnl": 7, "as_of": "x"})  # older: not drawn
    sockets[-1].close(code=1012)
    page.wait_for_selector("#feed[data-state=lost]:has-text('Live feed lost')")
    page.wait_for_selector("[data-live=pnl]:has-text('2,000.50')")
    assert page.locator("[data-live=pnl].feed-lost").count() == 1

    page.wait_for_timeout(800)  # the first try to connect again is after half a second
    send({"topic": "t", "sequence": 3, "pnl": 3, "as_of": "x"})
    page.wait_for_selector("[data-live=pnl]:has-text('3.00')")
    assert page.get_attribute("#feed", "data-state") == "live"
    assert page.locator(".feed-lost").count() == 0


def test_charts_are_drawn_where_the_bundle_was_built(page_as) -> None:
    page = page_as(Role.TRADER, path="/gallery/")
    if page.locator("eop-chart[data-bundle]").count() == 0:
        assert page.locator(".twin[open] table").count() == 1
        return

    page.wait_for_selector("eop-chart canvas")
    page.click("text=Figures as a table")
    assert page.locator(".twin tbody tr").count() == 23


def test_without_scripts_one_signs_in_filters_and_chooses_columns(base_url: str) -> None:
    from playwright.sync_api import sync_playwright

    from tests.e2e.browsers import chromium_path
    from tests.factories.accounts import PASSWORD, make_organization, make_user

    user = make_user(Role.TRADER, organization=make_organization())
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_context(java_script_enabled=False).new_page()
        page.goto(f"{base_url}/accounts/login/?next=/gallery/table/")
        page.fill("input[name=login]", user.email)
        page.fill("input[name=password]", PASSWORD)
        page.click("button:has-text('Sign in')")
        page.fill("input[name=codename]", "view_")
        page.click("form.filters button:has-text('Filter')")
        assert page.locator(".chip").count() == 1
        page.click("summary:has-text('Columns')")
        page.click("button[value='up:codename']")
        header = page.locator("thead th").nth(1).text_content()
        page.goto(f"{base_url}/gallery/")
        page.click(".page-actions >> text=Cancel deal …")
        dialog_is_open = page.is_visible("#confirm-cancel")
        browser.close()

    assert "Codename" in header
    assert dialog_is_open
