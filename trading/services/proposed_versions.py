"""
Versions of rules that one person proposes and another decides on; what is decided stays.

A row has the fields `status` (ModelStatus), `proposed_by`, `decided_by`, `decided_at` and
`decision_reason`; only the last four ever change, once. Who may propose and decide, and what a
version says, is its service's.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Max, QuerySet

from energyopti.accounts.actors import Actor
from trading.enums import ModelStatus

from .changes import check_plain
from .life import SecondPersonNeeded
from .locks import server_time

_LONGEST = 400


def check_words(text: str) -> None:
    """
    Refuse a text that is too long, unreadable, or a formula to a spreadsheet.

    :raises ValueError: naming the rule.
    """
    check_plain(text)
    if "\x00" in text or len(text) > _LONGEST:
        raise ValueError("Has at most 400 characters, and none that nobody can read.")


def proposal_reason(reason: str) -> str:
    """
    Return why a version is proposed, without spaces around it.

    :raises ValidationError: naming `reason`.
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
    versions: QuerySet[Any],
    version_id: int,
    *,
    actor: Actor,
    approve: bool,
    reason: str,
    name: str,
    refused: type[ValueError],
    needs_reason: bool = False,
) -> Any:
    """
    Write a verdict into a version, within the caller's transaction and under its lock.

    name            of the field that stands for the version in refusals
    refused         what is raised
    needs_reason    whether approval needs one too; declining always does

    :raises refused: for a version that is not there, decided already, or without a reason.
    :raises SecondPersonNeeded: for who proposed it.
    """
    words = reason.strip()
    try:
        check_words(words)
    except ValueError as error:
        raise refused(f"reason: {error}") from error
    row = versions.select_for_update(of=("self",)).filter(pk=version_id).first()
    if row is None:
        raise refused(f"{name}: there is no such version.")
    if row.status != ModelStatus.PENDING:
        raise refused(f"{name}: is {row.get_status_display().lower()} already.")
    if row.proposed_by == actor.id:
        raise SecondPersonNeeded(f"{name}: another person than who proposed decides on it.")
    if not words and not approve:
        raise refused("reason: say why it is declined.")
    if not words and needs_reason:
        raise refused("reason: say why it is approved.")
    decision = {
        "status": ModelStatus.APPROVED if approve else ModelStatus.DECLINED,
        "decided_by": actor.id,
        "decided_at": server_time(),
        "decision_reason": words,
    }
    for field, value in decision.items():
        setattr(row, field, value)
    row.save(update_fields=list(decision))
    return row
