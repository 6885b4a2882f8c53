"""The way of a curve's version from draft to published, under four eyes."""

from datetime import datetime

from django.db import connection, transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event

from ..models import CurveDefinition, CurveStatus, CurveVersion
from .curve_definitions import CurveRefused, require_operator
from .locks import lock_keys


class StaleCurve(CurveRefused):
    """The version was changed by somebody else since it was looked at."""


def submit_version(
    *, actor: Actor, version: CurveVersion, expected_status: str | None = None
) -> CurveVersion:
    """
    Ask for the approval of a draft.

    :raises CurveRefused: unless it is a draft.
    """
    require_operator(actor, "trading.build_curve")
    with transaction.atomic():
        row = _locked(version, expected_status)
        _require_status(row, CurveStatus(CurveStatus.DRAFT))
        row.status = CurveStatus.PENDING
        row.submitted_by = actor.id
        row.submitted_at = _now()
        row.save(update_fields=["status", "submitted_by", "submitted_at"])
        tell("curve.submitted", actor, row, "DRAFT")
    return row


def approve_version(
    *, actor: Actor, version: CurveVersion, reason: str = "", expected_status: str | None = None
) -> CurveVersion:
    """
    Publish a version that waits for approval: from now on positions are valued on it.

    :raises CurveRefused: unless it waits; or for whoever built, edited or submitted it.
    """
    require_operator(actor, "trading.publish_curve")
    with transaction.atomic():
        row = _locked(version, expected_status)
        _require_status(row, CurveStatus(CurveStatus.PENDING))
        if actor.id in _hands(row):
            raise CurveRefused("approver: whoever built, edited or submitted it cannot approve it.")
        publish(actor, row, reason)
    return row


def reject_version(
    *, actor: Actor, version: CurveVersion, reason: str, expected_status: str | None = None
) -> CurveVersion:
    """
    Turn down a version that waits for approval.

    :raises CurveRefused: unless it waits; without a reason; or for whoever built it.
    """
    require_operator(actor, "trading.publish_curve")
    if not reason.strip():
        raise CurveRefused("reason: say what is wrong with it.")
    with transaction.atomic():
        row = _locked(version, expected_status)
        _require_status(row, CurveStatus(CurveStatus.PENDING))
        if actor.id in _hands(row):
            raise CurveRefused("approver: whoever built, edited or submitted it cannot decide.")
        row.status = CurveStatus.REJECTED
        row.decided_by, row.decided_at = actor.id, _now()
        row.decision_reason = reason.strip()
        row.save(update_fields=["status", "decided_by", "decided_at", "decision_reason"])
        tell("curve.rejected", actor, row, "PENDING")
    return row


def publish(actor: Actor, row: CurveVersion, reason: str) -> None:
    """Make a version the one to value on; the caller holds the curve's lock and has the right."""
    before = row.status
    now = _now()
    row.definition.versions.filter(
        status=CurveStatus.PUBLISHED, snapshot__as_of=row.snapshot.as_of
    ).update(status=CurveStatus.SUPERSEDED)
    row.status = CurveStatus.PUBLISHED
    row.published_at = row.decided_at = now
    row.decided_by, row.decision_reason = actor.id, reason.strip()
    row.save(
        update_fields=["status", "published_at", "decided_at", "decided_by", "decision_reason"]
    )
    tell("curve.published", actor, row, before)


def tell(type: str, actor: Actor, row: CurveVersion, before: str | None) -> None:
    """Record what became of a version."""
    snapshot = row.snapshot
    record_event(
        type=type,
        actor=actor,
        aggregate_type="curve",
        aggregate_id=row.pk,
        organization_id=None,
        key=f"market:{row.definition.market.code}",
        payload={
            "market": row.definition.market.code,
            "curve": row.definition.code,
            "version": row.number,
            "as_of": snapshot.as_of.isoformat(),
            "quotes": len(snapshot.quote_ids),
            "conflicts": snapshot.conflicts,
            "edits": snapshot.edits,
            "reason": row.decision_reason or row.reason,
            "content_hash": snapshot.content_hash,
        },
        changes={"status": (before, row.status)},
    )


def _locked(version: CurveVersion, expected_status: str | None) -> CurveVersion:
    lock_keys([lock_of(version.definition)])
    row = CurveVersion.objects.select_related("definition__market", "snapshot").get(pk=version.pk)
    if expected_status is not None and row.status != expected_status:
        raise StaleCurve(
            f"status: version {row.number} is {row.get_status_display().lower()} by now; look at"
            " it again."
        )
    return row


def _require_status(row: CurveVersion, status: CurveStatus) -> None:
    if row.status != status:
        raise CurveRefused(
            f"status: version {row.number} is {row.get_status_display().lower()};"
            f" this takes one that is {status.label.lower()}."
        )


def _hands(row: CurveVersion) -> set[str]:
    """Return who built, edited or submitted a version."""
    return {row.built_by, row.submitted_by, *(edit["actor_id"] for edit in row.snapshot.edits)}


def lock_of(definition: CurveDefinition) -> str:
    """Return the name of the lock that whoever writes versions of a curve holds."""
    return f"curve:{definition.market_id}"


def _now() -> datetime:
    """Return the time by the database's clock, which published times are compared with."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found: datetime = cursor.fetchone()[0]
    return found
