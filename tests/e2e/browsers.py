"""A real Chromium, with a virtual passkey device where a test asks for one."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CANDIDATES = ("chromium", "chromium-browser", "google-chrome")


def chromium_path() -> str:
    """Return the browser's path, or skip the test saying what is missing."""
    for name in CANDIDATES:
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium on this machine: apt-get install chromium")


@contextmanager
def browser_page() -> Iterator[Any]:
    """Open one page; errors of the page and broken rules of the CSP fail the test at the end."""
    from playwright.sync_api import sync_playwright

    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "console",
            lambda line: (
                problems.append(line.text) if "Content Security Policy" in line.text else None
            ),
        )
        try:
            yield page
        finally:
            browser.close()
        assert problems == [], problems


def add_passkey_device(page: Any) -> tuple[Any, str]:
    """Plug a virtual platform authenticator into the page; return the session and its id."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    answer = session.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasResidentKey": True,
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    return session, answer["authenticatorId"]
