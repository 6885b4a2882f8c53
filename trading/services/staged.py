"""Files between upload and confirmation, and what was found in them: a folder of the storage."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

KEPT = timedelta(days=1)
_NOTE = "note.json"


@dataclass(frozen=True, slots=True)
class StagedFolder:
    """Uploads of one kind, each in a folder of its own; its note is the JSON that says whose."""

    name: str

    def save_files(self, id_: UUID, files: Mapping[str, bytes]) -> dict[str, str]:
        """Keep files under an upload; return their names in the storage by their own."""
        # A path of ours, so that no name that somebody chose is one of the host.
        return {
            name: default_storage.save(f"{self.name}/{id_}/file-{number}", ContentFile(content))
            for number, (name, content) in enumerate(files.items())
        }

    def write_note(self, id_: UUID, note: Mapping[str, Any]) -> None:
        """Say whose an upload is and what became of it."""
        self.write(id_, _NOTE, note)

    def note(self, id_: UUID) -> dict[str, Any] | None:
        """Return the note of an upload, None if there is no such upload any more."""
        return self.read(id_, _NOTE)

    def write(self, id_: UUID, name: str, content: object) -> None:
        """Keep a JSON value beside the files, in the place of the one of that name."""
        path = f"{self.name}/{id_}/{name}"
        if default_storage.exists(path):
            default_storage.delete(path)
        default_storage.save(path, ContentFile(json.dumps(content).encode()))

    def read(self, id_: UUID, name: str) -> dict[str, Any] | None:
        """Return a JSON value, None where there is none."""
        try:
            with default_storage.open(f"{self.name}/{id_}/{name}", "rb") as file:
                found: dict[str, Any] = json.loads(file.read())
        except FileNotFoundError:
            return None
        return found

    def forget(self, id_: UUID) -> None:
        """Remove an upload with all that stands beside it."""
        folder = f"{self.name}/{id_}"
        for name in default_storage.listdir(folder)[1]:
            default_storage.delete(f"{folder}/{name}")
        with suppress(OSError, FileNotFoundError):
            default_storage.delete(folder)

    def forget_old(self) -> None:
        """Remove uploads of yesterday and before."""
        if not default_storage.exists(self.name):
            return
        for name in default_storage.listdir(self.name)[0]:
            note = f"{self.name}/{name}/{_NOTE}"
            if (
                default_storage.exists(note)
                and default_storage.get_modified_time(note) < timezone.now() - KEPT
            ):
                self.forget(UUID(name))


def stored(path: str) -> bytes:
    """Return what a file of the storage holds."""
    with default_storage.open(path, "rb") as file:
        content: bytes = file.read()
    return content
