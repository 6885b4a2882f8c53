from .credentials import DeviceCredential
from .devices import Device, DeviceStatus, Transport

__all__ = ["Device", "DeviceCredential", "DeviceStatus", "Transport"]
