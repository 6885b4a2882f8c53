"""`manage.py run_mqtt_bridge`: between broker and tables; of several, one works at a time."""

import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from devices.transport.bridge import Bridge
from energyopti.foundation import clock


class Command(BaseCommand):
    help = "Send schedules to MQTT devices and store what they acknowledge and measure."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        self.stdout.write(f"MQTT bridge: topics {settings.MQTT_TOPIC_ROOT}/…")
        Bridge(
            settings.MQTT_URL,
            settings.MQTT_TOPIC_ROOT,
            clock=clock.now,
            conninfo=settings.DATABASE_DIRECT_URL,
        ).run(stop)
