"""Apply files of reference data: all of them in one transaction, or none."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from tablib import Dataset

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.jobs.models import Job
from energyopti.foundation.jobs.services import enqueue_job

from ..changes import require_manager, require_own
from .findings import (
    DiffChanged,
    FieldChange,
    ReferenceDiff,
    ReferenceRefused,
    Refusal,
    RowChange,
    RowState,
)
from .folding import HOLIDAY_COLUMNS, fold_holidays
from .kinds import KINDS, SHARED, Holidays
from .reading import check_size, read_lines
from .resource import Scope, TermsResource, folded

Progress = Callable[[str, int, int], None]
_STATES = {"new": RowState.ADDED, "update": RowState.CHANGED, "skip": RowState.UNCHANGED}


def preview_reference(
    *,
    actor: Actor,
    files: Mapping[str, bytes],
    organization_id: UUID | None,
    progress: Progress = lambda *_: None,
) -> ReferenceDiff:
    """
    Return what an import of files would add, change and refuse; nothing stays written.

    files       content by name; the name's stem is the kind ("markets.csv")

    :raises PermissionMissing: for a kind that the actor may not change.
    :raises ForeignOrganization: for an organization that is not the actor's.
    :raises OrganizationNeeded: for a kind that belongs to an organization when none is named.
    :raises FileTooLarge: for a file of more than 50 MB.
    """
    with transaction.atomic():
        diff = _apply(actor, files, organization_id, progress)
        transaction.set_rollback(True)
    return diff


def import_reference(
    *,
    actor: Actor,
    files: Mapping[str, bytes],
    organization_id: UUID | None,
    expected: str = "",
    progress: Progress = lambda *_: None,
) -> ReferenceDiff:
    """
    Import files of reference data, all or nothing, and return what they changed.

    expected    digest of the difference that somebody agreed to; empty agrees to any

    :raises ReferenceRefused: with every line that breaks a rule; then nothing is written.
    :raises DiffChanged: if the difference is another by now; then nothing is written.
    :raises PermissionMissing, ForeignOrganization, OrganizationNeeded, FileTooLarge: as
        `preview_reference`.
    """
    with transaction.atomic():
        diff = _apply(actor, files, organization_id, progress)
        if diff.is_refused:
            raise ReferenceRefused(diff)
        if expected and diff.digest != expected:
            raise DiffChanged(diff)
        if any(change.state is not RowState.UNCHANGED for change in diff.changes):
            record_event(
                type="reference_data.imported",
                actor=actor,
                aggregate_type="reference_data",
                aggregate_id=str(organization_id or "shared"),
                organization_id=organization_id,
                payload={
                    "files": {
                        name: hashlib.sha256(content).hexdigest()
                        for name, content in sorted(files.items())
                    },
                    **{state.value: diff.count(state) for state in RowState},
                },
            )
    return diff


def require_rights(
    *, actor: Actor, files: Mapping[str, bytes], organization_id: UUID | None
) -> None:
    """
    Go on only with files that the actor may import.

    :raises PermissionMissing, ForeignOrganization, OrganizationNeeded, FileTooLarge: as
        `preview_reference`.
    """
    scope = Scope(actor, organization_id)
    for name, content in files.items():
        check_size(name, len(content))
        kind = PurePath(name).stem
        if kind in KINDS:
            _check_permissions(kind, scope)


def request_import(
    *,
    actor: Actor,
    files: Mapping[str, bytes],
    organization_id: UUID | None,
    expected: str = "",
) -> Job:
    """
    Store files and have a worker import them, for what takes longer than a page may.

    expected    as `import_reference` takes it

    :raises PermissionMissing, ForeignOrganization, OrganizationNeeded, FileTooLarge: as
        `preview_reference`, now and not in the worker.
    """
    require_rights(actor=actor, files=files, organization_id=organization_id)
    folder = f"reference-imports/{uuid4()}"
    stored = {
        name: default_storage.save(f"{folder}/{PurePath(name).name}", ContentFile(content))
        for name, content in files.items()
    }
    return enqueue_job(
        actor=actor,
        kind="reference-import",
        title=f"Import {', '.join(sorted(files))}",
        task="trading.import_reference",
        arguments={
            "paths": stored,
            "organization": str(organization_id) if organization_id else "",
            "expected": expected,
        },
        organization_id=organization_id,
    )


def _apply(
    actor: Actor, files: Mapping[str, bytes], organization_id: UUID | None, progress: Progress
) -> ReferenceDiff:
    scope = Scope(actor, organization_id)
    by_kind: dict[str, tuple[str, bytes]] = {}
    changes: list[RowChange] = []
    refusals: list[Refusal] = []
    for name, content in files.items():
        check_size(name, len(content))
        kind = PurePath(name).stem
        if kind not in KINDS or PurePath(name).suffix.lower() != ".csv":
            names = ", ".join(f"{each}.csv" for each in KINDS)
            refusals.append(Refusal(name, 0, "file", f"The name is none of {names}."))
        elif kind in by_kind:
            refusals.append(Refusal(name, 0, "file", f"{by_kind[kind][0]} is of this kind too."))
        else:
            by_kind[kind] = (name, content)
    ordered = [kind for kind in KINDS if kind in by_kind]
    for kind in ordered:
        _check_permissions(kind, scope)
    for done, kind in enumerate(ordered):
        progress(kind, done, len(ordered))
        made, refused = _apply_file(KINDS[kind](scope), *by_kind[kind])
        changes += made
        refusals += refused
    return ReferenceDiff(tuple(changes), tuple(sorted(refusals)))


def _check_permissions(kind: str, scope: Scope) -> None:
    if kind in SHARED:
        require_manager(scope.actor)
        return
    for permission in KINDS[kind].permissions:
        scope.actor.require(permission)
    require_own(scope.actor, scope.own)


def _apply_file(
    resource: TermsResource, name: str, content: bytes
) -> tuple[list[RowChange], list[Refusal]]:
    is_holidays = isinstance(resource, Holidays)
    lines, refusals = read_lines(
        name, content, HOLIDAY_COLUMNS if is_holidays else resource.columns()
    )
    if is_holidays:
        rows, folding = fold_holidays(name, lines)
        refusals += folding
    else:
        rows = _in_order(resource, [(line.number, dict(line.cells)) for line in lines])
    columns = resource.columns()
    dataset = Dataset(headers=columns)
    for _, cells in rows:
        dataset.append([cells[column] for column in columns])
    numbers = [number for number, _ in rows]
    result = resource.import_data(
        dataset, dry_run=False, use_transactions=False, lines=numbers, raise_errors=False
    )
    for error in result.base_errors:
        raise error.error
    changes = []
    for number, row_result in zip(numbers, result.rows, strict=True):
        if row_result.errors:
            raise row_result.errors[0].error
        if row_result.validation_error is not None:
            refusals += _refusals(resource, name, number, row_result.validation_error)
        else:
            changes.append(_change(resource, name, number, row_result))
    return changes, refusals


def _change(resource: TermsResource, name: str, number: int, row_result: Any) -> RowChange:
    state = _STATES[row_result.import_type]
    new = row_result.instance
    old = row_result.original if state is not RowState.ADDED else None
    fields = []
    if state is not RowState.UNCHANGED:
        for field in resource.get_import_fields():
            after = field.export(new)
            before = field.export(old) if old is not None else ""
            if before != after:
                fields.append(FieldChange(field.column_name, before, after))
    key = " ".join(text for each in resource.key if (text := resource.fields[each].export(new)))
    return RowChange(name, number, key, state, tuple(fields))


def _refusals(
    resource: TermsResource, name: str, number: int, error: ValidationError
) -> list[Refusal]:
    if not hasattr(error, "error_dict"):
        return [Refusal(name, number, "row", message) for message in error.messages]
    return [
        Refusal(name, number, resource.column_of(attribute), message)
        for attribute, messages in error.message_dict.items()
        for message in messages
    ]


def _in_order(
    resource: TermsResource, rows: Sequence[tuple[int, dict[str, str]]]
) -> list[tuple[int, dict[str, str]]]:
    """Return rows with each after those of the same file that it names; a circle stays as it is."""
    if resource.waits is None:
        return list(rows)
    own, other = ([resource.column_of(a) for a in side] for side in resource.waits)
    waiting = list(rows)
    placed: list[tuple[int, dict[str, str]]] = []
    while waiting:
        unplaced = {folded(tuple(cells[c] for c in other)) for _, cells in waiting}
        ready: list[tuple[int, dict[str, str]]] = []
        later: list[tuple[int, dict[str, str]]] = []
        for row in waiting:
            names = row[1][own[-1]] and folded(tuple(row[1][c] for c in own)) in unplaced
            (later if names else ready).append(row)
        if not ready:
            return [*placed, *later]
        placed += ready
        waiting = later
    return placed
