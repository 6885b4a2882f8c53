"""A page's end of a websocket (channels.testing has one, but wants daphne installed)."""

import json
from typing import Any

from asgiref.testing import ApplicationCommunicator


class Page(ApplicationCommunicator):
    """Speaks ASGI websocket messages to a consumer."""

    def __init__(self, application: Any, path: str, **scope: Any) -> None:
        super().__init__(
            application,
            {"type": "websocket", "path": path, "headers": [], "subprotocols": [], **scope},
        )

    async def open(self) -> None:
        await self.send_input({"type": "websocket.connect"})
        message = await self.receive_output(timeout=5)
        assert message["type"] == "websocket.accept", message

    async def read(self) -> dict[str, Any]:
        message = await self.receive_output(timeout=5)
        assert message["type"] == "websocket.send", message
        return json.loads(message["text"])

    async def write(self, text: str) -> None:
        await self.send_input({"type": "websocket.receive", "text": text})

    async def closed_with(self) -> int:
        message = await self.receive_output(timeout=5)
        assert message["type"] == "websocket.close", message
        return message["code"]

    async def leave(self) -> None:
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(timeout=5)
