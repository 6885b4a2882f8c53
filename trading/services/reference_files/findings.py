"""What an import would do or did: row by row what changes, line by line what is refused."""

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class RowState(StrEnum):
    """What a line of a file does to the row it names."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One column of a changed row, as files write it; `before` is empty in a new row."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RowChange:
    """What the line of a file (the first of several, for holidays) does to the row `key`."""

    file: str
    line: int
    key: str
    state: RowState
    fields: tuple[FieldChange, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class Refusal:
    """Why a file cannot be imported: line (0 is the file itself), column and rule."""

    file: str
    line: int
    field: str
    rule: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}, {self.field}: {self.rule}"


@dataclass(frozen=True, slots=True)
class ReferenceDiff:
    """All that a set of files does, in the order in which it is applied."""

    changes: tuple[RowChange, ...]
    refusals: tuple[Refusal, ...]

    @property
    def is_refused(self) -> bool:
        return bool(self.refusals)

    def count(self, state: RowState) -> int:
        return sum(change.state is state for change in self.changes)

    @property
    def digest(self) -> str:
        """Return what tells this difference from any other."""
        return hashlib.sha256(json.dumps(self.as_json()).encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        return {
            "changes": [asdict(change) for change in self.changes],
            "refusals": [asdict(refusal) for refusal in self.refusals],
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "ReferenceDiff":
        return cls(
            tuple(
                RowChange(
                    **{
                        **change,
                        "state": RowState(change["state"]),
                        "fields": tuple(FieldChange(**field) for field in change["fields"]),
                    }
                )
                for change in stored["changes"]
            ),
            tuple(Refusal(**refusal) for refusal in stored["refusals"]),
        )


class ReferenceRefused(ValueError):
    """Files were not imported; `diff.refusals` has every line, column and rule."""

    def __init__(self, diff: ReferenceDiff) -> None:
        self.diff = diff
        first = diff.refusals[0]
        more = len(diff.refusals) - 1
        super().__init__(f"{first}" + (f" (and {more} more)" if more else ""))


class DiffChanged(ValueError):
    """The tables moved since the difference was shown; nothing was imported, `diff` is new."""

    def __init__(self, diff: ReferenceDiff) -> None:
        self.diff = diff
        super().__init__("The tables changed since you looked; look at the difference again.")
