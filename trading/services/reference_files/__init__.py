"""Reference data as documented CSV files: preview what they change, import them, export them."""

from .exporting import export_reference
from .findings import FieldChange, ReferenceDiff, ReferenceRefused, Refusal, RowChange, RowState
from .importing import import_reference, preview_reference, request_import
from .kinds import KINDS
from .reading import MAX_BYTES, FileTooLarge

__all__ = [
    "KINDS",
    "MAX_BYTES",
    "FieldChange",
    "FileTooLarge",
    "ReferenceDiff",
    "ReferenceRefused",
    "Refusal",
    "RowChange",
    "RowState",
    "export_reference",
    "import_reference",
    "preview_reference",
    "request_import",
]
