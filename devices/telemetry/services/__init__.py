"""Take in what devices measured."""

from .recording import record_telemetry

__all__ = ["record_telemetry"]
