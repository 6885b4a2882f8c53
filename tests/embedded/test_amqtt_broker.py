import asyncio
import os
import signal

from energyopti.embedded.amqtt_broker import serve
from energyopti.embedded.ports import free_port
from energyopti.embedded.wire import mqtt_answers


async def test_serves_until_told_to_end() -> None:
    port = free_port()
    serving = asyncio.create_task(serve(port))
    while not await asyncio.to_thread(mqtt_answers, port):
        assert not serving.done()

    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.wait_for(serving, 10)

    assert not await asyncio.to_thread(mqtt_answers, port)
