"""What the battery is asked to do."""

from devices.edge.control._follower import ScheduleFollower, entry_at

__all__ = ["ScheduleFollower", "entry_at"]
