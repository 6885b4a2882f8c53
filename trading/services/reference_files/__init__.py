"""Reference data as documented CSV files: preview what they change, import them, export them."""

from .exporting import export_reference
from .findings import (
    DiffChanged,
    FieldChange,
    ReferenceDiff,
    ReferenceRefused,
    Refusal,
    RowChange,
    RowState,
)
from .importing import import_reference, preview_reference, request_import
from .kinds import KINDS
from .reading import MAX_BYTES, FileTooLarge
from .resource import OrganizationNeeded
from .staging import (
    StagedImport,
    UnknownImport,
    compare_staged,
    confirm_import,
    stage_import,
    staged_import,
)

__all__ = [
    "KINDS",
    "MAX_BYTES",
    "DiffChanged",
    "FieldChange",
    "FileTooLarge",
    "OrganizationNeeded",
    "ReferenceDiff",
    "ReferenceRefused",
    "Refusal",
    "RowChange",
    "RowState",
    "StagedImport",
    "UnknownImport",
    "compare_staged",
    "confirm_import",
    "export_reference",
    "import_reference",
    "preview_reference",
    "request_import",
    "stage_import",
    "staged_import",
]
