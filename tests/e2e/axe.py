"""Run axe-core, width and target checks in a page that is open."""

from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1440, "height": 900}


def axe_violations(page: Any) -> list[str]:
    """
    Return each broken rule with the first element that breaks it.

    Best practices hold for our own pages, the law (WCAG) for Django's admin too.
    """
    tags = WCAG if "/admin/" in page.url else [*WCAG, "best-practice"]
    if not SCRIPT.exists():
        pytest.skip("axe-core is not installed: run `npm ci`")
    page.evaluate(SCRIPT.read_text())
    found = page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags},"
        " resultTypes: ['violations']})",
        tags,
    )["violations"]
    return [
        f"{rule['id']}: {rule['nodes'][0]['target']} {rule['nodes'][0]['html'][:120]}"
        for rule in found
    ]


def overflow_width(page: Any) -> int:
    """Return by how many pixels the page is wider than its window, 0 where it fits."""
    return page.evaluate(
        "() => Math.max(0, document.documentElement.scrollWidth - window.innerWidth - 1)"
    )


def small_targets(page: Any) -> list[str]:
    """Return the controls below 24 by 24 pixels; links within a sentence may be lower."""
    return page.evaluate(
        """() => [...document.querySelectorAll(
             'a[href], button, input:not([type=hidden]), select, textarea, [tabindex="0"]')]
           .filter((element) => {
             const box = element.getBoundingClientRect();
             const style = getComputedStyle(element);
             if (box.width < 2 || box.height < 2 || style.visibility === 'hidden') return false;
             if (element.matches('a') && style.display === 'inline') return false;
             return box.width < 24 || box.height < 24;
           })
           .map((element) => element.outerHTML.slice(0, 100))"""
    )


def look_at(page: Any, address: str) -> list[str]:
    """Open an address light and dark on a desk and on a phone; return what is wrong with it."""
    problems: list[str] = []

    def hear(line: Any) -> None:
        if line.type == "error":
            problems.append(f"console: {line.text[:160]}")

    page.on("console", hear)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size(DESK)
        page.goto(address)
        problems += [f"{scheme}: {rule}" for rule in axe_violations(page)]
    page.set_viewport_size(PHONE)
    if excess := overflow_width(page):
        problems.append(f"360 px: {excess} px too wide")
    problems += [f"360 px: {rule}" for rule in axe_violations(page)]
    problems += [f"360 px: target below 24 px: {target}" for target in small_targets(page)]
    page.set_viewport_size(DESK)
    page.remove_listener("console", hear)
    return problems
