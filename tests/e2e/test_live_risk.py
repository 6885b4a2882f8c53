"""An officer's open risk page shows a trader's deal within a second, in a real browser."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.test import Client

from energyopti.accounts.actors import Actor
from energyopti.accounts.services.roles import synchronize_roles
from risk.routing import websocket_urlpatterns
from risk.services.snapshots import build_snapshot
from tests.e2e.browsers import browser_page
from tests.factories.risk import curve, quote_history
from tests.factories.trades import TRADED_AT, make_desk

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    # Static files come from whitenoise, which answers in the old way under ASGI.
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
]


@contextmanager
def served() -> Iterator[str]:
    """Pages and sockets behind one uvicorn, in a thread of this process."""
    application = ProtocolTypeRouter(
        {
            "http": get_asgi_application(),
            "websocket": AuthMiddlewareStack(URLRouter(websocket_urlpatterns)),
        }
    )
    config = uvicorn.Config(
        application, port=0, lifespan="off", log_level="warning", ws="websockets-sansio"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


def in_a_thread(work) -> None:
    """Run work on the database beside the browser's event loop, which this thread is in."""
    failures = []

    def run() -> None:
        from django.db import connection

        try:
            work()
        except Exception as error:  # noqa: BLE001 - handed on below
            failures.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(20)
    assert failures == []


def test_the_officers_page_follows_the_traders_deal() -> None:
    synchronize_roles()
    desk = make_desk()
    quote_history(desk.market)
    curve(desk.market)
    build_snapshot(actor=Actor.system("test"), valued_at=TRADED_AT)
    client = Client()
    client.force_login(desk.officer.user)
    session = client.cookies["sessionid"].value

    with served() as base, browser_page() as page:
        page.context.add_cookies([{"name": "sessionid", "value": session, "url": base}])
        page.goto(f"{base}/risk/")
        page.locator("live-feed[data-state=live]").wait_for()
        before = page.locator("[data-live=var]").inner_text()
        rows_before = page.locator("#positions tbody tr").count()

        in_a_thread(lambda: desk.deal("B 10MW DE base Cal27 @ 80"))
        started = time.perf_counter()
        page.locator("risk-page[data-revision='1']").wait_for(timeout=1000)
        seconds = time.perf_counter() - started
        page.wait_for_function("document.querySelector('[data-live=var]').textContent !== '0.00'")

        assert (before, rows_before) == ("0.00", 0)
        assert page.locator("#positions tbody tr").count() == 12
        assert page.locator("#positions tbody tr").first.inner_text().startswith("2027-01")
        assert seconds < 1, f"{seconds:.3f} s"
