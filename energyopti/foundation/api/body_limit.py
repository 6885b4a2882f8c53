"""
Bound what an ASGI server takes in: Django spools a body without a length to disk until it ends.

Wrapped around the whole HTTP application. Views refuse earlier and by their own, smaller bounds;
this one only keeps an endless upload from filling the disk.
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from .refusals import MEDIA_TYPE, problem_document

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


class _TooLarge(Exception):
    """More came than may come; caught in this module only."""


class BodyLimit:
    """An ASGI application that hands on HTTP requests of at most `limit` bytes of body."""

    def __init__(self, application: Application, *, limit: int) -> None:
        self.application = application
        self.limit = limit

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        taken = 0

        async def bounded_receive() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.limit:
                raise _TooLarge
            return message

        try:
            if self._announced(scope) > self.limit:
                raise _TooLarge
            await self.application(scope, bounded_receive, send)
        except _TooLarge:
            await self._refuse(send)

    @staticmethod
    def _announced(scope: MutableMapping[str, Any]) -> int:
        lengths = [value for name, value in scope["headers"] if name == b"content-length"]
        return int(lengths[0]) if lengths and lengths[0].isdigit() else 0

    async def _refuse(self, send: Send) -> None:
        detail = f"The body may have at most {self.limit:,} bytes."
        body = json.dumps(problem_document(status=413, detail=detail)).encode()
        headers = [(b"content-type", MEDIA_TYPE.encode()), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": body})
