"""Define forward curves, build and edit versions, and publish them under four eyes."""

from dataclasses import asdict
from datetime import datetime

from django.db import connection, transaction

from energyopti.accounts.actors import Actor, PermissionMissing
from energyopti.accounts.queries.organizations import operating_organization_ids
from energyopti.foundation.calendars import tzdata_version
from energyopti.foundation.events.services import record_event

from ..models import (
    CurveDefinition,
    CurveMethod,
    CurvePoint,
    CurveSnapshot,
    CurveStatus,
    CurveVersion,
    Market,
    PublicationPolicy,
)
from ..queries.curve_building import (
    BUILD_VERSION,
    BuiltCurve,
    CurveTerms,
    EditRefused,
    NoCurve,
    NodeEdit,
    known_curve,
)
from ..queries.curve_versions import rebuilt
from ..queries.quotes import BASE
from .locks import lock_keys
from .quotes import known_loads, lock_quotes
from .versions import code_version

FORWARD = "FORWARD"
_FLAT = CurveMethod(CurveMethod.FLAT)
_FOUR_EYES = PublicationPolicy(PublicationPolicy.FOUR_EYES)


class NoQuotes(LookupError):
    """A market has no quote at the time a curve is asked for."""


class CurveRefused(ValueError):
    """A verb does not fit the version's status or the person; names the field and the rule."""


class StaleCurve(CurveRefused):
    """The version was changed by somebody else since it was looked at."""


def define_curve(
    *,
    actor: Actor,
    market: Market,
    code: str,
    method: CurveMethod = _FLAT,
    policy: PublicationPolicy = _FOUR_EYES,
    minutes: int = 60,
    tolerance: str = "0.01",
    history_days: int = 730,
    is_mark: bool = True,
) -> CurveDefinition:
    """
    Say how a curve of a market is made, or say it anew; versions built before stay as they are.

    Only the system may publish without a second person.

    :raises PermissionMissing: without `trading.define_curve` in an operating company.
    :raises ValidationError: naming the field.
    :raises CurveRefused: for a person who asks for publication without a second one.
    """
    _require(actor, "trading.define_curve")
    if policy == PublicationPolicy.AUTOMATIC and not (actor.is_system or market.is_simulated):
        raise CurveRefused(
            "policy: only curves of simulated markets are published without a second person."
        )
    with transaction.atomic():
        lock_keys([f"curve:{market.pk}"])
        found = CurveDefinition.objects.filter(market=market, code__iexact=code).first()
        row = found or CurveDefinition(market=market, code=code, owner=actor.user)
        values = {
            "method": method,
            "policy": policy,
            "minutes": minutes,
            "tolerance": tolerance,
            "history_days": history_days,
            "is_mark": is_mark,
        }
        changes = {
            name: (None if found is None else str(getattr(row, name)), str(value))
            for name, value in values.items()
            if found is None or str(getattr(row, name)) != str(value)
        }
        for name, value in values.items():
            setattr(row, name, value)
        row.full_clean()
        row.save()
        if changes:
            record_event(
                type="curve.defined",
                actor=actor,
                aggregate_type="curve_definition",
                aggregate_id=row.pk,
                organization_id=None,
                key=f"market:{market.code}",
                payload={"market": market.code, "code": row.code},
                changes=changes,
            )
    return row


def build_market_curve(
    *, actor: Actor, market: Market, as_of: datetime, known_at: datetime
) -> CurveSnapshot:
    """
    Build the curve that a market is valued on, and publish it if its policy is automatic.

    A market without one gets it defined by the system: flat between contracts, automatic. The
    same quotes and method at the same `as_of` give the snapshot that is there already.

    as_of       no quote valid later counts.
    known_at    no quote recorded later counts: real time, not the demo's accelerated one.

    :raises NoQuotes: if there is none.
    """
    definition = CurveDefinition.objects.filter(market=market, is_mark=True).first()
    actor.require("trading.build_curve")
    with transaction.atomic():
        if definition is None:
            definition = define_curve(
                actor=Actor.system("curves", request_id=actor.request_id),
                market=market,
                code=FORWARD,
                policy=PublicationPolicy(PublicationPolicy.AUTOMATIC),
            )
        try:
            version = build_version(
                actor=actor, definition=definition, as_of=as_of, known_at=known_at
            )
        except NoCurve as error:
            raise NoQuotes(str(error)) from error
    return version.snapshot


def build_version(
    *,
    actor: Actor,
    definition: CurveDefinition,
    as_of: datetime,
    known_at: datetime | None = None,
    reason: str = "",
) -> CurveVersion:
    """
    Build a version of a curve from the quotes known, as a draft; publish it if that is automatic.

    Where the latest version of that time that was not rejected has the same content, it is
    returned.

    known_at    the cut of our knowledge; None, or a time to come, is now

    :raises NoCurve: if no quote is known.
    :raises CurveError, CalendarError: if no curve can be built from the quotes, named.
    """
    _require(actor, "trading.build_curve")
    with transaction.atomic():
        lock_keys([_lock_of(definition)])
        cut = _cut(definition, known_at)
        built = known_curve(definition.market, CurveTerms.of(definition), as_of=as_of, known_at=cut)
        return _keep(actor, definition, built, cut, reason=reason, edited_from=None)


def edit_node(
    *,
    actor: Actor,
    version: CurveVersion,
    contract: str,
    load: str,
    price: float,
    reason: str,
) -> CurveVersion:
    """
    Set a node by hand: a new draft with the same cut and the price of one contract changed.

    Earlier edits stay, but that of the same node.

    :raises EditRefused: without a reason, for a price that is none, a delivery that the curve does
        not cover, or one that finer contracts decide.
    :raises CalendarError: if the contract's code names no delivery period.
    """
    import math

    from ..curves import CurveDoesNotCover, CurveError, contract_interval

    _require(actor, "trading.build_curve")
    if not reason.strip():
        raise EditRefused("reason: say why the curve is not what the quotes say.")
    if not math.isfinite(price):
        raise EditRefused(f"price: {price} is not a finite price.")
    with transaction.atomic():
        lock_keys([_lock_of(version.definition)])
        before = rebuilt(version.snapshot)
        market = version.definition.market
        delivery = contract_interval(contract, market.calendar)
        stored = known_loads(market, {load}, [delivery])[load]
        quoted = [q for q in before.quotes if (q.delivery, q.load) == (delivery, stored)]
        try:
            was = float(quoted[0].value) if quoted else before.average(delivery, stored)
        except (CurveDoesNotCover, CurveError) as error:
            raise EditRefused(f"contract: {error}") from error
        edit = NodeEdit(contract, stored, was, price, reason.strip(), actor.id)
        kept = tuple(e for e in before.edits if (e.contract, e.load) != (contract, stored))
        built = known_curve(
            market,
            before.terms,
            as_of=before.as_of,
            known_at=version.snapshot.known_at,
            edits=(*kept, edit),
        )
        return _keep(
            actor,
            version.definition,
            built,
            version.snapshot.known_at,
            reason=edit.reason,
            edited_from=version,
        )


def submit_version(
    *, actor: Actor, version: CurveVersion, expected_status: str | None = None
) -> CurveVersion:
    """
    Ask for the approval of a draft.

    :raises CurveRefused: unless it is a draft.
    """
    _require(actor, "trading.build_curve")
    with transaction.atomic():
        row = _locked(version, expected_status)
        _require_status(row, CurveStatus(CurveStatus.DRAFT))
        row.status = CurveStatus.PENDING
        row.submitted_by = actor.id
        row.submitted_at = _now()
        row.save(update_fields=["status", "submitted_by", "submitted_at"])
        _tell("curve.submitted", actor, row, "DRAFT")
    return row


def approve_version(
    *, actor: Actor, version: CurveVersion, reason: str = "", expected_status: str | None = None
) -> CurveVersion:
    """
    Publish a version that waits for approval: from now on positions are valued on it.

    :raises CurveRefused: unless it waits; or for whoever built, edited or submitted it.
    """
    _require(actor, "trading.publish_curve")
    with transaction.atomic():
        row = _locked(version, expected_status)
        _require_status(row, CurveStatus(CurveStatus.PENDING))
        if actor.id in _hands(row):
            raise CurveRefused("approver: whoever built, edited or submitted it cannot approve it.")
        _publish(actor, row, reason)
    return row


def reject_version(
    *, actor: Actor, version: CurveVersion, reason: str, expected_status: str | None = None
) -> CurveVersion:
    """
    Turn down a version that waits for approval.

    :raises CurveRefused: unless it waits; without a reason; or for whoever built it.
    """
    _require(actor, "trading.publish_curve")
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
        _tell("curve.rejected", actor, row, "PENDING")
    return row


def _keep(
    actor: Actor,
    definition: CurveDefinition,
    built: BuiltCurve,
    known_at: datetime,
    *,
    reason: str,
    edited_from: CurveVersion | None,
) -> CurveVersion:
    """Write a version, with its snapshot unless an equal one is there; publish if automatic."""
    latest = (
        definition.versions.filter(snapshot__as_of=built.as_of)
        .exclude(status=CurveStatus.REJECTED)
        .select_related("snapshot")
        .order_by("-number")
        .first()
    )
    if latest is not None and latest.snapshot.content_hash == built.content_hash:
        return latest
    snapshot = CurveSnapshot.objects.filter(
        market=definition.market, as_of=built.as_of, content_hash=built.content_hash
    ).first() or _write_snapshot(definition, built, known_at)
    numbers = definition.versions.order_by("-number").values_list("number", flat=True)
    version = CurveVersion.objects.create(
        definition=definition,
        number=(numbers.first() or 0) + 1,
        snapshot=snapshot,
        edited_from=edited_from,
        built_by=actor.id,
        reason=reason,
    )
    _tell("curve.built", actor, version, None)
    is_automatic = definition.policy == PublicationPolicy.AUTOMATIC
    # What a person has set by hand is looked at by a second one, whatever the policy.
    if is_automatic and not built.edits:
        _publish(actor, version, "")
    return version


def _write_snapshot(
    definition: CurveDefinition, built: BuiltCurve, known_at: datetime
) -> CurveSnapshot:
    from ..curves import METHOD, METHOD_VERSION

    snapshot = CurveSnapshot.objects.create(
        definition=definition,
        market=definition.market,
        as_of=built.as_of,
        known_at=known_at,
        method=METHOD,
        method_version=f"{METHOD_VERSION}.{BUILD_VERSION}",
        quote_ids=list(built.taken),
        left_out=[asdict(each) for each in built.left_out],
        conflicts=[each.text for each in built.left_out if each.is_conflict],
        edits=[asdict(each) for each in built.edits],
        parameters=asdict(built.terms),
        tzdata=tzdata_version(),
        code=code_version(),
        content_hash=built.content_hash,
    )
    CurvePoint.objects.bulk_create(
        CurvePoint(
            snapshot=snapshot,
            load=point.load,
            start=point.interval.start,
            end=point.interval.end,
            hours=point.hours,
            price=point.price,
        )
        for point in built.points
    )
    return snapshot


def _publish(actor: Actor, row: CurveVersion, reason: str) -> None:
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
    _tell("curve.published", actor, row, before)


def _tell(type: str, actor: Actor, row: CurveVersion, before: str | None) -> None:
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
    lock_keys([_lock_of(version.definition)])
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


def _require(actor: Actor, permission: str) -> None:
    """Go on only with the permission in an operating company: curves are shared by all."""
    actor.require(permission)
    if actor.user is not None and not operating_organization_ids(actor.own_organization_ids):
        raise PermissionMissing(permission)


def _cut(definition: CurveDefinition, known_at: datetime | None) -> datetime:
    now = lock_quotes(definition.market_id)
    return now if known_at is None else min(known_at, now)


def _lock_of(definition: CurveDefinition) -> str:
    return f"curve:{definition.market_id}"


def _now() -> datetime:
    """Return the time by the database's clock, which published times are compared with."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found: datetime = cursor.fetchone()[0]
    return found


__all__ = [
    "BASE",
    "FORWARD",
    "CurveRefused",
    "EditRefused",
    "NoQuotes",
    "StaleCurve",
    "approve_version",
    "build_market_curve",
    "build_version",
    "define_curve",
    "edit_node",
    "reject_version",
    "submit_version",
]
