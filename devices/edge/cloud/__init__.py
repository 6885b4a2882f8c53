"""The conversation with the server: what must be told is kept until it is confirmed."""

from devices.edge.cloud._backoff import Backoff
from devices.edge.cloud._http import HttpCloud
from devices.edge.cloud._mqtt import MqttCloud
from devices.edge.cloud._store import EdgeStore, Pending

__all__ = ["Backoff", "EdgeStore", "HttpCloud", "MqttCloud", "Pending"]
