from devices.enums import Transport

from .credentials import DeviceCredential
from .devices import Device, DeviceStatus

__all__ = ["Device", "DeviceCredential", "DeviceStatus", "Transport"]
