"""
Audit a running server: every page it has, light and dark, desk and phone.

    python -m tests.e2e.audit_pages http://127.0.0.1:8000 --cookie sessionid=KEY [--paths FILE]

`--paths` writes the addresses found, one a line, for a deeper audit by another tool. Exit 1 if a
page has an accessibility violation, is wider than a phone or has targets below 24 px.
"""

import argparse
import os
from pathlib import Path

import django
import httpx


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base")
    parser.add_argument("--cookie", default="", help="name=value of a signed-in session")
    parser.add_argument("--paths", type=Path, help="write the addresses found to this file")
    parser.add_argument("--only-list", action="store_true", help="do not open a browser")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "energyopti.settings.local")
    django.setup()  # the routes are read from the project, the pages from the server

    from tests.e2e.crawl import page_paths

    name, _, value = options.cookie.partition("=")
    cookies = {name: value} if name else {}
    with httpx.Client(base_url=options.base, cookies=cookies, timeout=30) as client:

        def fetch(path: str) -> tuple[int, str, str]:
            answer = client.get(path)
            return answer.status_code, answer.headers.get("content-type", ""), answer.text

        paths = page_paths(fetch)
    if options.paths:
        options.paths.write_text("\n".join(paths) + "\n")
    print(f"{len(paths)} pages")
    if options.only_list:
        return 0
    return _look_at_all(options.base, cookies, paths)


def _look_at_all(base: str, cookies: dict[str, str], paths: list[str]) -> int:
    from tests.e2e.axe import look_at
    from tests.e2e.browsers import browser_page

    failed = 0
    with browser_page() as page:
        page.context.add_cookies(
            [{"name": name, "value": value, "url": base} for name, value in cookies.items()]
        )
        for path in paths:
            problems = look_at(page, base + path)
            failed += bool(problems)
            print(f"{'FAIL' if problems else 'ok  '} {path}", flush=True)
            for problem in problems:
                print(f"       {problem}")
    print(f"{failed} of {len(paths)} pages fail")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
