"""Write reference data as the files that an import reads: importing them changes nothing."""

import csv
import io
from collections.abc import Iterable
from uuid import UUID

from energyopti.accounts.actors import Actor

from .folding import HOLIDAY_COLUMNS, unfold_holidays
from .kinds import KINDS, SHARED, Holidays
from .resource import Scope, TermsResource


def export_reference(
    *, actor: Actor, organization_id: UUID | None, kinds: Iterable[str] | None = None
) -> dict[str, bytes]:
    """
    Return files by name: of the kinds, or of all that the organization (None: shared) has.

    :raises PermissionMissing: for a kind that the actor may not read.
    :raises KeyError: for a kind that is none.
    """
    scope = Scope(actor, organization_id)
    if kinds is None:
        kinds = KINDS if organization_id is not None else [k for k in KINDS if k in SHARED]
    return {f"{kind}.csv": _file(KINDS[kind](scope)) for kind in kinds}


def _file(resource: TermsResource) -> bytes:
    # By key and not as the database collates, so that two servers write the same bytes.
    rows = sorted(resource.existing(), key=resource.key_of)
    if isinstance(resource, Holidays):
        header, lines = HOLIDAY_COLUMNS, unfold_holidays(rows)
    else:
        dataset = resource.export([resource.draft(terms) for terms in rows])
        header, lines = list(dataset.headers), [list(line) for line in dataset]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    return text.getvalue().encode()
