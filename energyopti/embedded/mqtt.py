"""An MQTT broker: Mosquitto where the machine has one, else `amqtt` in a process of its own."""

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from energyopti.embedded.account import write_as
from energyopti.embedded.errors import ServerUnavailable
from energyopti.embedded.server_process import EmbeddedServer
from energyopti.embedded.wire import mqtt_answers

# Debian keeps servers where an ordinary user's PATH does not look.
SYSTEM_FOLDERS = "/usr/sbin:/usr/local/sbin:/sbin"
AMQTT_BROKER = Path(__file__).with_name("amqtt_broker.py")

CONFIGURATION = """\
listener {port} 127.0.0.1
allow_anonymous true
persistence {persistence}
persistence_location {folder}/
# Seconds: with the default of 30 minutes a killed broker loses what it had acknowledged.
autosave_interval 1
autosave_on_changes false
persistent_client_expiration 14d
max_queued_messages 100000
max_inflight_messages 1000
set_tcp_nodelay true
connection_messages false
log_dest stderr
log_type error
log_type warning
log_type notice
"""


class EmbeddedMqtt(EmbeddedServer):
    """
    A broker for the programs of this machine, without passwords.

    `kind` says which: Mosquitto speaks MQTT 5 and keeps queued and retained messages through a
    crash (what is older than a second); amqtt speaks MQTT 3.1.1 and forgets them.
    """

    title = "The MQTT broker"
    folder_name = "mqtt"

    def __init__(
        self,
        data_dir: Path,
        port: int | None = None,
        durable: bool = True,
        *,
        kind: Literal["mosquitto", "amqtt"] | None = None,
    ) -> None:
        super().__init__(data_dir, port, durable)
        self._mosquitto = None if kind == "amqtt" else find_mosquitto()
        if kind == "mosquitto" and self._mosquitto is None:
            raise ServerUnavailable(
                "Mosquitto is not installed: install it (Debian: apt-get install mosquitto), or "
                "set MQTT_URL to a broker of your own."
            )

    @property
    def kind(self) -> Literal["mosquitto", "amqtt"]:
        """Return which broker this is."""
        return "amqtt" if self._mosquitto is None else "mosquitto"

    @property
    def url(self) -> str:
        """Return the broker's URL."""
        return f"mqtt://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        """Tell whether clients are accepted now."""
        return mqtt_answers(self.port)

    def _prepare(self) -> None:
        if self._mosquitto is None:
            if find_spec("amqtt") is None:
                raise ServerUnavailable(
                    "Neither Mosquitto nor the package amqtt is installed: install one (Debian: "
                    "apt-get install mosquitto), or set MQTT_URL to a broker of your own."
                )
            # Python and its packages may be where only we can read.
            self.account = None

    def _command(self) -> list[str]:
        if self._mosquitto is None:
            # -P: this folder's modules must not stand before the standard library's.
            return [sys.executable, "-P", str(AMQTT_BROKER), str(self.port)]
        configuration = self.folder / "mosquitto.conf"
        text = CONFIGURATION.format(
            port=self.port,
            folder=self.folder,
            persistence="true" if self.durable else "false",
        )
        write_as(self.account, configuration, text)
        return [str(self._mosquitto), "-c", str(configuration)]


def find_mosquitto() -> Path | None:
    """Return Mosquitto's program on PATH or where Debian puts it, or None."""
    search = os.pathsep.join([os.environ.get("PATH", os.defpath), SYSTEM_FOLDERS])
    found = shutil.which("mosquitto", path=search)
    return Path(found) if found else None
