"""What an import would do or did: row by row what changes, line by line what is refused."""

from dataclasses import dataclass
from enum import StrEnum


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


class ReferenceRefused(ValueError):
    """Files were not imported; `diff.refusals` has every line, column and rule."""

    def __init__(self, diff: ReferenceDiff) -> None:
        self.diff = diff
        first = diff.refusals[0]
        more = len(diff.refusals) - 1
        super().__init__(f"{first}" + (f" (and {more} more)" if more else ""))
