"""Which sets of reference cases can be run, and their cases."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from energyopti.foundation.jobs.queries import Viewer

from ..cases import CaseProblem, MalformedCases, ReferenceCase, parse_cases
from ..models import CaseFile, CaseSource
from ..shipped import SHIPPED

SHIPPED_KEY, SHIPPED_NAME = "shipped", "Shipped cases"
_FOLDER, _UPLOAD = "folder:", "upload:"
OFFERED = 50


class UnknownCaseSet(LookupError):
    """There is no such set of cases for this actor."""

    pointer = "/case_set"


@dataclass(frozen=True, slots=True)
class CaseSet:
    """
    A set of reference cases.

    key     "shipped", "folder:<file name>", "upload:<id>"
    source  a `CaseSource`; without Django's stubs mypy takes its members for tuples
    """

    key: str
    name: str
    source: Any
    case_file_id: UUID | None = None


def case_sets(viewer: Viewer) -> list[CaseSet]:
    """Return what the viewer may run: the shipped cases, the folder's files, latest sent files."""
    sent = visible_files(viewer).order_by("-recorded_at", "id").defer("content")[:OFFERED]
    return [
        CaseSet(SHIPPED_KEY, SHIPPED_NAME, CaseSource.SHIPPED),
        *(
            CaseSet(f"{_FOLDER}{path.name}", path.name, CaseSource.FOLDER)
            for path in _folder_files()
        ),
        *(CaseSet(f"{_UPLOAD}{f.pk}", f.name, CaseSource.UPLOAD, f.pk) for f in sent),
    ]


def case_set(viewer: Viewer, key: str) -> CaseSet:
    """
    Return one set.

    :raises UnknownCaseSet: if there is none of that key that the viewer may run.
    """
    if key == SHIPPED_KEY:
        return CaseSet(SHIPPED_KEY, SHIPPED_NAME, CaseSource.SHIPPED)
    if key.startswith(_UPLOAD):
        try:
            wanted = UUID(key.removeprefix(_UPLOAD))
        except ValueError:
            wanted = None
        if wanted and (file := visible_files(viewer).filter(pk=wanted).only("name").first()):
            return CaseSet(key, file.name, CaseSource.UPLOAD, file.pk)
    for path in _folder_files():
        if key == f"{_FOLDER}{path.name}":
            return CaseSet(key, path.name, CaseSource.FOLDER)
    raise UnknownCaseSet(f"case_set: there is no “{key[:80]}”.")


def visible_files(viewer: Viewer) -> QuerySet[CaseFile]:
    """Return the sent files of the viewer's organizations, and its own without one."""
    return CaseFile.objects.filter(
        Q(organization_id__in=viewer.organization_ids)
        | Q(organization_id__isnull=True, sent_by=viewer.id)
    )


def cases_of(source: str, name: str, file: CaseFile | None) -> tuple[list[ReferenceCase], str]:
    """
    Return the cases of a set as it is now, and the SHA-256 of what they were read from.

    :raises MalformedCases: if a file is gone or holds something else.
    """
    if file is not None:
        return parse_cases(file.content.encode(), name=file.name, is_strict=True), file.sha256
    if source == CaseSource.FOLDER:
        path = next((path for path in _folder_files() if path.name == name), None)
        if path is None:
            raise MalformedCases((CaseProblem("", "is not in the folder any more."),), name=name)
        return _read(path)
    found: list[ReferenceCase] = []
    hashes = []
    for path in SHIPPED.values():
        cases, sha256 = _read(path)
        found += cases
        hashes.append(sha256)
    return found, hashlib.sha256(",".join(hashes).encode()).hexdigest()


def _read(path: Path) -> tuple[list[ReferenceCase], str]:
    content = path.read_bytes()
    cases = parse_cases(content, name=path.name, folder=path.parent)
    return cases, hashlib.sha256(content).hexdigest()


def _folder_files() -> list[Path]:
    folder = settings.REFERENCE_CASES_DIR
    return sorted(Path(folder).glob("*.json")) if folder else []
