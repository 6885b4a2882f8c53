"""The verbs of schedules: publish them, and take in what devices say about them."""

from .acknowledgements import acknowledge
from .publication import PublishedSchedules, publish_schedules

__all__ = ["PublishedSchedules", "acknowledge", "publish_schedules"]
