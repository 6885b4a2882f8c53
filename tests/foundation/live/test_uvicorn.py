"""The same consumer behind a real uvicorn, as a browser meets it."""

import asyncio
import json
from typing import Any

import pytest
import uvicorn
from channels.db import database_sync_to_async
from channels.routing import URLRouter
from django.contrib.auth.models import AnonymousUser
from django.urls import re_path
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from energyopti.foundation.live import publish

from .conftest import AS_OF, Counters

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers]


async def test_frames_and_close_codes_over_a_real_socket(user: Any) -> None:
    who = {"user": user}
    router = URLRouter([re_path(r"^(?P<topic>\w+)$", Counters.as_asgi())])

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await router({**scope, **who}, receive, send)

    server = uvicorn.Server(
        uvicorn.Config(
            application, port=0, lifespan="off", log_level="warning", ws="websockets-sansio"
        )
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    address = f"ws://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/a"

    async with connect(address) as first, connect(address) as second:
        for page in (first, second):
            assert json.loads(await page.recv())["value"] == 0
        await database_sync_to_async(publish)("a", {"as_of": AS_OF, "value": 1})
        values = [json.loads(await page.recv())["value"] for page in (first, second)]
    who["user"] = AnonymousUser()
    async with connect(address) as stranger:
        with pytest.raises(ConnectionClosed) as closed:
            await stranger.recv()
    server.should_exit = True
    await serving

    assert values == [1, 1]
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401
