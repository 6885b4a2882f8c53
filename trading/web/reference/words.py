"""Times and days of shapes as people read them."""

from datetime import timedelta

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def clock_of(minute: int) -> str:
    """Return minutes after a day's start as 08:00."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def day_start_words(start: timedelta) -> str:
    """Return when a delivery day starts: 06:00, or “23:00 the day before”."""
    minutes = start // timedelta(minutes=1)
    return clock_of(minutes % 1440) + (" the day before" if minutes < 0 else "")


def weekday_words(digits: str) -> str:
    """Return weekdays as Mon–Fri, Sat, or every day."""
    if digits == "1234567":
        return "every day"
    runs: list[list[int]] = []
    for day in (int(digit) - 1 for digit in digits):
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    return ", ".join(
        _DAYS[run[0]] if len(run) == 1 else f"{_DAYS[run[0]]}–{_DAYS[run[-1]]}" for run in runs
    )
