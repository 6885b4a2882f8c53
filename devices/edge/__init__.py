"""The program on the battery: safety first, then the schedule, then the conversation about it."""
