"""How the demo's clock runs, as a file that all of its processes read; pure but for that file."""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path


@dataclass(frozen=True)
class Course:
    """
    A clock showed `anchor` when the wall showed `wall_anchor`, runs from there, and stands before.

    until   where it stands and waits, None to run on; all aware
    """

    wall_anchor: datetime
    anchor: datetime
    until: datetime | None = None

    def shows(self, wall: datetime, speed: float) -> datetime:
        """Return what the clock shows at a moment of the wall; `speed` times as fast."""
        elapsed = max(timedelta(0), wall - self.wall_anchor)
        shown = self.anchor + elapsed * speed
        return shown if self.until is None else min(shown, max(self.until, self.anchor))

    def going_on(self, wall: datetime, speed: float, until: datetime | None) -> "Course":
        """Return the course from what it shows at a moment on, until another one."""
        return replace(self, wall_anchor=wall, anchor=self.shows(wall, speed), until=until)

    @classmethod
    def read(cls, path: Path) -> "Course":
        wall_anchor, anchor, until = json.loads(path.read_text())
        return cls(
            datetime.fromisoformat(wall_anchor),
            datetime.fromisoformat(anchor),
            datetime.fromisoformat(until) if until else None,
        )

    def write(self, path: Path) -> None:
        """Write it so that whoever reads finds the old or the new one."""
        draft = path.with_suffix(".new")
        until = self.until.isoformat() if self.until else None
        draft.write_text(json.dumps([self.wall_anchor.isoformat(), self.anchor.isoformat(), until]))
        draft.replace(path)
