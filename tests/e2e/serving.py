"""The product as it is served, pages and sockets, in a thread beside the browser."""

import gc
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn


@contextmanager
def served() -> Iterator[str]:
    """The project's own ASGI application behind one uvicorn, in a thread of this process."""
    from energyopti.asgi import application

    config = uvicorn.Config(
        application, port=0, lifespan="off", log_level="warning", ws="websockets-sansio"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "uvicorn did not start"
        time.sleep(0.01)
    try:
        yield f"http://localhost:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        # A browser that moves on aborts answers; Django under ASGI leaves their files to the
        # collector. Collect them here, where nobody else's unclosed file can hide among them.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


def in_a_thread(work: Callable[[], object]) -> None:
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
    assert not thread.is_alive(), "the work on the database did not end"
    assert failures == []
