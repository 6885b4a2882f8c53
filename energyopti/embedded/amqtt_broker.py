"""An MQTT 3.1.1 broker on 127.0.0.1: `python -m energyopti.embedded.amqtt_broker PORT`."""

import asyncio
import logging
import signal
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from amqtt.broker import Broker

if TYPE_CHECKING:
    from amqtt.session import Session

# Whether the current task answers a SUBSCRIBE.
_subscribing: ContextVar[bool] = ContextVar("subscribing", default=False)


class StandardBroker(Broker):
    """
    amqtt 0.12 without a departure from MQTT 3.1.1 that our clients meet at every connection.

    To each client that connects it sends what is retained for everybody's subscriptions: of n
    devices each got n schedules and the bridge's epoch, and where somebody subscribed meanwhile
    the connection died half open ("dictionary changed size"). Retained messages belong to those
    who subscribe, when they do (MQTT 3.1.1, 3.8.4).
    """

    async def _handle_subscription(self, *arguments: Any, **named: Any) -> None:
        token = _subscribing.set(True)
        try:
            await super()._handle_subscription(*arguments, **named)
        finally:
            _subscribing.reset(token)

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: "Session"
    ) -> None:
        if _subscribing.get():
            await super()._publish_retained_messages_for_subscription(subscription, session)


async def serve(port: int) -> None:
    """Serve anonymous clients on 127.0.0.1:`port` until SIGTERM or SIGINT."""
    broker = StandardBroker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
            },
        }
    )
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    await broker.start()
    await stopped.wait()
    await broker.shutdown()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(serve(int(sys.argv[1])))
