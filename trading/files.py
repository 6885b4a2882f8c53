"""
What a file is, told from its bytes.

A name or a browser may say anything; only a file whose bytes are of the kind that its name says is
taken, and none that could run: no HTML, SVG or script, no office file with macros.
"""

from __future__ import annotations

import zipfile
from io import BytesIO

_OFFICE = "application/vnd.openxmlformats-officedocument."
# Ending → media type.
MEDIA_TYPES = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "txt": "text/plain",
    "csv": "text/csv",
    "docx": f"{_OFFICE}wordprocessingml.document",
    "xlsx": f"{_OFFICE}spreadsheetml.sheet",
}
_BEGINNINGS = {"pdf": b"%PDF-", "png": b"\x89PNG\r\n\x1a\n", "jpg": b"\xff\xd8\xff"}
_PARTS = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml"}


class FileRefused(ValueError):
    """The file is none that is taken; `rule` says why."""

    def __init__(self, rule: str) -> None:
        self.rule = rule
        super().__init__(f"file: {rule}")


def clean_name(name: str) -> str:
    """
    Return the last part of a file's name, without what a header or a shell could trip over.

    :raises FileRefused: for a name that is empty or longer than 120 characters.
    """
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(c for c in last if c.isprintable() and c not in '"<>|:*?').strip(" .")
    if not kept or len(kept) > 120:
        raise FileRefused("needs a name of 1 to 120 characters.")
    return kept


def media_type_of(name: str, content: bytes) -> str:
    """
    Return the media type that both name and bytes agree on.

    :raises FileRefused: for a kind that is not taken, or bytes of another kind than the name.
    """
    ending = name.rsplit(".", 1)[-1].lower() if "." in name else ""
    if ending not in MEDIA_TYPES:
        raise FileRefused(f"“{name}” is no {', '.join(MEDIA_TYPES)}.")
    if not _is(("jpg" if ending == "jpeg" else ending), content):
        raise FileRefused(f"“{name}” does not hold what its ending says.")
    return MEDIA_TYPES[ending]


def _is(ending: str, content: bytes) -> bool:
    if ending in _BEGINNINGS:
        return content.startswith(_BEGINNINGS[ending])
    if ending in _PARTS:
        return _is_office(_PARTS[ending], content)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    # Browsers that guess would make a page of text that begins like one.
    return "\x00" not in text and not text.lstrip().startswith("<")


def _is_office(part: str, content: bytes) -> bool:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            names = set(archive.namelist())
    except zipfile.BadZipFile:
        return False
    return (
        part in names
        and "[Content_Types].xml" in names
        and not any(name.lower().endswith(("vbaproject.bin", ".exe", ".js")) for name in names)
    )
