"""Between upload and confirmation: files with the difference that somebody is looking at."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.jobs.models import Job
from energyopti.foundation.jobs.services import enqueue_job

from ..staged import StagedFolder, stored
from .findings import DiffChanged, ReferenceDiff, ReferenceRefused
from .importing import (
    Progress,
    import_reference,
    preview_reference,
    request_import,
    require_rights,
)

FOLDER = StagedFolder("reference-staged")
# Above it a worker compares and imports: a row costs some five milliseconds.
LINES_OF_A_PAGE = 1_500


class UnknownImport(LookupError):
    """There is no such upload of this actor's; it may have been confirmed, or been too old."""


@dataclass(frozen=True, slots=True)
class StagedImport:
    """
    Files that wait for a yes. Only who uploaded them sees them.

    paths   name in the storage by file name
    diff    None while a worker is still comparing
    job_id  of that worker's job, empty where the page compared at once
    """

    id: UUID
    organization_id: UUID | None
    paths: dict[str, str]
    job_id: str
    diff: ReferenceDiff | None

    @property
    def files(self) -> dict[str, bytes]:
        return {name: stored(path) for name, path in self.paths.items()}


def stage_import(
    *, actor: Actor, files: Mapping[str, bytes], organization_id: UUID | None
) -> StagedImport:
    """
    Keep uploaded files and what they would change, at once or, if they are long, by a worker.

    :raises PermissionMissing, ForeignOrganization, OrganizationNeeded, FileTooLarge: as
        `preview_reference`.
    """
    require_rights(actor=actor, files=files, organization_id=organization_id)
    FOLDER.forget_old()
    import_id = uuid4()
    paths = FOLDER.save_files(import_id, files)
    note = {
        "actor": actor.id,
        "organization": str(organization_id) if organization_id else "",
        "paths": paths,
        "job": "",
    }
    if not _is_long(files):
        FOLDER.write_note(import_id, note)
        compare_staged(actor=actor, import_id=import_id)
    else:
        with transaction.atomic():  # the worker starts when the note is there
            job = enqueue_job(
                actor=actor,
                kind="reference-compare",
                title=f"Compare {', '.join(sorted(files))}"[:200],
                task="trading.compare_reference",
                arguments={"import_id": str(import_id)},
                organization_id=organization_id,
            )
            FOLDER.write_note(import_id, {**note, "job": str(job.pk)})
    return staged_import(actor=actor, import_id=import_id)


def staged_import(*, actor: Actor, import_id: UUID) -> StagedImport:
    """
    Return an upload that waits.

    :raises UnknownImport: if there is none of this actor's.
    """
    note = FOLDER.note(import_id)
    if note is None or note["actor"] != actor.id:
        raise UnknownImport("There is no such upload of yours.")
    diff = FOLDER.read(import_id, "diff.json")
    return StagedImport(
        id=import_id,
        organization_id=UUID(note["organization"]) if note["organization"] else None,
        paths=note["paths"],
        job_id=note["job"],
        diff=None if diff is None else ReferenceDiff.from_json(diff),
    )


def compare_staged(
    *, actor: Actor, import_id: UUID, progress: Progress = lambda *_: None
) -> ReferenceDiff:
    """
    Work out what an upload would change now, and keep it for its page.

    :raises UnknownImport: as `staged_import`.
    """
    staged = staged_import(actor=actor, import_id=import_id)
    diff = preview_reference(
        actor=actor,
        files=staged.files,
        organization_id=staged.organization_id,
        progress=progress,
    )
    FOLDER.write(import_id, "diff.json", diff.as_json())
    return diff


def confirm_import(*, actor: Actor, import_id: UUID) -> ReferenceDiff | Job:
    """
    Import an upload as its page shows it; return what changed, or the job that does it.

    :raises UnknownImport: as `staged_import`, and while it is still being compared.
    :raises ReferenceRefused, DiffChanged: as `import_reference`; the page then shows how the
        difference is now.
    """
    staged = staged_import(actor=actor, import_id=import_id)
    if staged.diff is None:
        raise UnknownImport("The upload is still being compared.")
    if staged.diff.is_refused:
        raise ReferenceRefused(staged.diff)
    if staged.job_id:
        # Its own copies of the files stay with the job, which may be tried again.
        done: ReferenceDiff | Job = request_import(
            actor=actor,
            files=staged.files,
            organization_id=staged.organization_id,
            expected=staged.diff.digest,
        )
    else:
        try:
            done = import_reference(
                actor=actor,
                files=staged.files,
                organization_id=staged.organization_id,
                expected=staged.diff.digest,
            )
        except (DiffChanged, ReferenceRefused) as error:
            FOLDER.write(import_id, "diff.json", error.diff.as_json())
            raise
    FOLDER.forget(import_id)
    return done


def _is_long(files: Mapping[str, bytes]) -> bool:
    return sum(content.count(b"\n") for content in files.values()) > LINES_OF_A_PAGE
