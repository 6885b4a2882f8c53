"""Say why one proposes, and decide on what another proposed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Max, QuerySet

from ..events.services import Originator
from ..texts import check_words
from .models import ProposedVersion, VersionStatus

V = TypeVar("V", bound=ProposedVersion)


class SecondPersonNeeded(ValueError):
    """Four eyes: whoever made the terms cannot be the one who lets them through."""


class DecisionRefused(ValueError):
    """A decision does not fit the version; names the field and the rule."""


def said_why(reason: str) -> str:
    """
    Return the reason of a proposal without white space around it.

    :raises ValidationError: naming the field, for none and for one that is no plain text.
    """
    words = reason.strip()
    if not words:
        raise ValidationError({"reason": "Say why."})
    try:
        check_words(words)
    except ValueError as error:
        raise ValidationError({"reason": str(error)}) from error
    return words


def next_number(same: QuerySet[Any]) -> int:
    """Return the number after the last of some versions; the caller holds their lock."""
    last: int | None = same.aggregate(Max("number"))["number__max"]
    return (last or 0) + 1


def decide_version(
    model: type[V],
    pk: int,
    *,
    beside: Sequence[str] = (),
    what: str,
    actor: Originator,
    approve: bool,
    reason: str,
    decided_at: datetime,
    refused: type[DecisionRefused],
    needs_reason: bool = False,
) -> V:
    """
    Approve or decline a version; the caller has the transaction and what else locks.

    beside      related rows that the caller reads too
    what        names the version in refusals, as a field does
    needs_reason    to approve too; declining always does

    :raises DecisionRefused: as `refused`, for one that is not there, decided already, or declined
        without a reason.
    :raises SecondPersonNeeded: for who proposed it.
    """
    words = reason.strip()
    try:
        check_words(words)
    except ValueError as error:
        raise refused(f"reason: {error}") from error
    rows = model._default_manager.select_for_update(of=("self",)).select_related(*beside)
    row = rows.filter(pk=pk).first()
    if row is None:
        raise refused(f"{what}: there is no such version.")
    if row.status != VersionStatus.PENDING:
        raise refused(f"{what}: is {VersionStatus(row.status).label.lower()} already.")
    if row.proposed_by == actor.id:
        raise SecondPersonNeeded(f"{what}: another person than who proposed decides on it.")
    if not approve and not words:
        raise refused("reason: say why it is declined.")
    if needs_reason and not words:
        raise refused("reason: say why it is approved.")
    row.status = VersionStatus.APPROVED if approve else VersionStatus.DECLINED
    row.decided_by, row.decided_at, row.decision_reason = actor.id, decided_at, words
    row.save(update_fields=["status", "decided_by", "decided_at", "decision_reason"])
    return row
