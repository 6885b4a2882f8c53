"""Between upload and booking: a file of trades with what a dry run of it said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.foundation import clock
from energyopti.foundation.jobs.models import Job, JobState
from energyopti.foundation.jobs.services import enqueue_job
from trading.models import CaptureBasis

from ..capture_many import Progress
from ..locks import lock_keys
from ..reference_files.reading import check_size
from ..staged import StagedFolder, stored
from .findings import TradesFound, TradesRefused
from .importing import import_trades, preview_trades
from .profiles import ProfilesFile
from .rows import NO_OPTIONS, FileOptions

FOLDER = StagedFolder("trades-staged")
RIGHTS = ("trading.capture_trade", "trading.book_fill")
# Above it a worker tries a file: some three hundred rows.
BYTES_OF_A_PAGE = 40_000
_FOUND = "found.json"


class UnknownTradeImport(LookupError):
    """There is no such upload of this actor's, or it has been too old."""


class NotYetChecked(ValueError):
    """An upload was to be booked before its dry run had ended."""


@dataclass(frozen=True, slots=True)
class StagedTrades:
    """
    An upload of trades. Only who uploaded it sees it.

    check_job, book_job     ids of the jobs that try it and that book it; empty where there is none
    found       what the dry run said, or the booking after it; None while nothing has
    is_booked   whether `found` is of a booking
    """

    id: UUID
    name: str
    options: FileOptions
    paths: dict[str, str]
    check_job: str
    book_job: str
    found: TradesFound | None
    is_booked: bool

    @property
    def content(self) -> bytes:
        return stored(self.paths[self.name])

    @property
    def profiles(self) -> ProfilesFile | None:
        other = next((name for name in self.paths if name != self.name), None)
        return None if other is None else ProfilesFile(other, stored(self.paths[other]))


def stage_trades(
    *,
    actor: Actor,
    name: str,
    content: bytes,
    options: FileOptions = NO_OPTIONS,
    profiles: ProfilesFile | None = None,
    is_dry_run: bool = True,
) -> StagedTrades:
    """
    Keep a file, and have a worker try it or, without a dry run, book it; a short one is tried at
    once.

    :raises PermissionMissing: without `trading.capture_trade` or `trading.book_fill`.
    :raises FileTooLarge: for more than 50 MB.
    """
    _require_right(actor)
    check_size(name, len(content))
    # Names are shown and decide how a file is read; where it lies is ours.
    name = PurePath(name).name[:120] or "trades"
    files = {name: content}
    if profiles is not None:
        check_size(profiles.name, len(profiles.content))
        other = PurePath(profiles.name).name[:120]
        files[other if other != name else f"profiles-{other}"] = profiles.content
    FOLDER.forget_old()
    import_id = uuid4()
    note = {
        "actor": actor.id,
        "name": name,
        "paths": FOLDER.save_files(import_id, files),
        "basis": options.basis.value,
        "book": options.book,
        "counterparty": options.counterparty,
        "check_job": "",
        "book_job": "",
    }
    if is_dry_run and sum(map(len, files.values())) <= BYTES_OF_A_PAGE:
        FOLDER.write_note(import_id, note)
        check_trades(actor=actor, import_id=import_id)
        return staged_trades(actor=actor, import_id=import_id)
    verb = "check" if is_dry_run else "book"
    with transaction.atomic():  # the worker starts when the note is there
        job = _enqueue(actor, verb, name, import_id)
        FOLDER.write_note(import_id, {**note, f"{verb}_job": str(job.pk)})
    return staged_trades(actor=actor, import_id=import_id)


def staged_trades(*, actor: Actor, import_id: UUID) -> StagedTrades:
    """
    Return an upload.

    :raises UnknownTradeImport: if there is none of this actor's.
    """
    note = FOLDER.note(import_id)
    if note is None or note["actor"] != actor.id:
        raise UnknownTradeImport("There is no such upload of yours.")
    said = FOLDER.read(import_id, _FOUND)
    return StagedTrades(
        id=import_id,
        name=note["name"],
        options=FileOptions(CaptureBasis(note["basis"]), note["book"], note["counterparty"]),
        paths=note["paths"],
        check_job=note["check_job"],
        book_job=note["book_job"],
        found=None if said is None else TradesFound.from_json(said["found"]),
        is_booked=said is not None and said["is_booked"],
    )


def check_trades(
    *, actor: Actor, import_id: UUID, progress: Progress = lambda *_: None
) -> TradesFound:
    """
    Try an upload with all checks and keep what they say; nothing is booked.

    :raises UnknownTradeImport, FileTooLarge: as `staged_trades` and `preview_trades`.
    """
    staged = staged_trades(actor=actor, import_id=import_id)
    found = preview_trades(actor=actor, **_given(staged), progress=progress)
    _keep(import_id, found, is_booked=False)
    return found


def confirm_trades(*, actor: Actor, import_id: UUID) -> Job:
    """
    Have a worker book an upload; asked again, the same job unless that failed or was stopped.

    :raises PermissionMissing, UnknownTradeImport: as `stage_trades`, `staged_trades`.
    :raises NotYetChecked: while its dry run goes on.
    :raises TradesRefused: if that refused a line.
    """
    _require_right(actor)
    with transaction.atomic():
        lock_keys([f"trade-import:{import_id}"])
        staged = staged_trades(actor=actor, import_id=import_id)
        earlier = Job.objects.filter(pk=staged.book_job).first() if staged.book_job else None
        if earlier is not None and earlier.state not in (JobState.FAILED, JobState.CANCELLED):
            return earlier
        if staged.found is None:
            raise NotYetChecked("The file is still being checked.")
        if staged.found.is_refused:
            raise TradesRefused(staged.found)
        job = _enqueue(actor, "book", staged.name, import_id)
        note = FOLDER.note(import_id) or {}
        FOLDER.write_note(import_id, {**note, "book_job": str(job.pk)})
    return job


def book_trades(
    *, actor: Actor, import_id: UUID, progress: Progress = lambda *_: None
) -> TradesFound:
    """
    Book an upload, every row or none, and keep what became of each.

    A second run finds each row there already: one without a reference goes by file and line.

    :raises TradesRefused, CapturedMeanwhile: as `import_trades`; the upload keeps the lines.
    """
    staged = staged_trades(actor=actor, import_id=import_id)
    try:
        found = import_trades(actor=actor, **_given(staged), progress=progress)
    except TradesRefused as refused:
        _keep(import_id, refused.found, is_booked=False)
        raise
    _keep(import_id, found, is_booked=True)
    return found


def _given(staged: StagedTrades) -> dict[str, Any]:
    received_at: datetime = clock.now()
    return {
        "name": staged.name, "content": staged.content, "options": staged.options,
        "profiles": staged.profiles, "received_at": received_at,
    }  # fmt: skip


def _keep(import_id: UUID, found: TradesFound, *, is_booked: bool) -> None:
    FOLDER.write(import_id, _FOUND, {"is_booked": is_booked, "found": found.as_json()})


def _enqueue(actor: Actor, verb: str, name: str, import_id: UUID) -> Job:
    organizations = sorted(actor.own_organization_ids) if actor.user is not None else []
    return enqueue_job(
        actor=actor,
        kind=f"trades-{verb}",
        title=f"{verb.title()} trades of {name}"[:200],
        task=f"trading.{verb}_trades",
        arguments={"import_id": str(import_id)},
        organization_id=organizations[0] if len(organizations) == 1 else None,
    )


def _require_right(actor: Actor) -> None:
    # Orders need the one, executed facts the other; each row is asked for its own.
    if not any(actor.may(right) for right in RIGHTS):
        raise PermissionMissing(RIGHTS[0])
