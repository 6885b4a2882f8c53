"""Build versions of forward curves from the quotes known, and set nodes by hand."""

from dataclasses import asdict
from datetime import datetime

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.calendars import tzdata_version
from energyopti.foundation.code_version import code_version

from ..models import (
    CurveDefinition,
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
    known_curve,
)
from ..queries.curve_terms import CurveTerms, EditRefused, NoCurve, NodeEdit
from ..queries.curve_versions import rebuilt
from .curve_definitions import define_curve, require_operator
from .curve_publication import lock_of, publish, tell
from .locks import lock_keys
from .quotes import known_loads, lock_quotes

FORWARD = "FORWARD"


class NoQuotes(LookupError):
    """A market has no quote at the time a curve is asked for."""


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
    require_operator(actor, "trading.build_curve")
    with transaction.atomic():
        lock_keys([lock_of(definition)])
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

    require_operator(actor, "trading.build_curve")
    if not reason.strip():
        raise EditRefused("reason: say why the curve is not what the quotes say.")
    if not math.isfinite(price):
        raise EditRefused(f"price: {price} is not a finite price.")
    with transaction.atomic():
        lock_keys([lock_of(version.definition)])
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
    tell("curve.built", actor, version, None)
    is_automatic = definition.policy == PublicationPolicy.AUTOMATIC
    # What a person has set by hand is looked at by a second one, whatever the policy.
    if is_automatic and not built.edits:
        publish(actor, version, "")
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
        moved=[asdict(each) for each in built.moved],
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


def _cut(definition: CurveDefinition, known_at: datetime | None) -> datetime:
    now = lock_quotes(definition.market_id)
    return now if known_at is None else min(known_at, now)
