"""Propose how the prices of a market move, and decide on what another proposed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite

from django.core.exceptions import ValidationError
from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.proposals.services import (
    DecisionRefused,
    decide_version,
    next_number,
    said_why,
)
from trading.models import Market, PriceProcess, ProcessCalibration, ProcessKind
from trading.queries.price_processes import (
    PARAMETERS,
    UnknownCalibration,
    process_key,
    process_of,
)

from .curve_definitions import require_operator
from .locks import lock_keys, server_time
from .pricing_models import MODELS_KEY, named_market

PROPOSE = "trading.propose_price_process"
APPROVE = "trading.approve_price_process"


class PriceProcessRefused(DecisionRefused):
    """A decision does not fit the version; names the field and the rule."""


@dataclass(frozen=True, slots=True)
class ProcessTerms:
    """What a process says; fields as in `trading.models.PriceProcess`, markets by code."""

    market: str
    kind: ProcessKind
    parameters: Mapping[str, float] = field(default_factory=dict)
    second_market: str = ""


def propose_process(*, actor: Actor, terms: ProcessTerms, reason: str) -> PriceProcess:
    """
    Propose stated parameters as the next version; nothing uses it until another approves it.

    :raises PermissionMissing: without `trading.propose_price_process` in an operating company.
    :raises ValidationError: naming the field, a parameter by its name.
    """
    require_operator(actor, PROPOSE)
    words = said_why(reason)
    parameters = _checked(terms)
    market = named_market("market", terms.market)
    second = None
    if terms.kind == ProcessKind.CORRELATION:
        if not terms.second_market:
            raise ValidationError({"second_market": "A correlation is of two markets."})
        second = named_market("second_market", terms.second_market)
        if second == market:
            raise ValidationError({"second_market": "Is another than the first."})
        # A pair has one correlation, whichever is named first.
        first_code, _ = process_key(market.code, second.code)
        market, second = (market, second) if market.code == first_code else (second, market)
    elif terms.second_market:
        raise ValidationError({"second_market": "Only a correlation has one."})
    return _add(actor, market, second, terms.kind, parameters, None, words)


def propose_calibrated(*, actor: Actor, calibration_id: int, reason: str) -> PriceProcess:
    """
    Propose what a calibration found, as it is; refusals as of `propose_process`.

    :raises UnknownCalibration: without one.
    """
    require_operator(actor, PROPOSE)
    words = said_why(reason)
    row = ProcessCalibration.objects.select_related("market").filter(pk=calibration_id).first()
    if row is None:
        raise UnknownCalibration("calibration: there is no such calibration.")
    kind = ProcessKind(row.kind)
    names = PARAMETERS[kind]
    found = {name: value for name, value, _ in row.parameters if name in names}
    parameters = _checked(ProcessTerms(row.market.code, kind, found))
    return _add(actor, row.market, None, kind, parameters, row, words)


def _add(
    actor: Actor,
    market: Market,
    second: Market | None,
    kind: ProcessKind,
    parameters: dict[str, float],
    calibration: ProcessCalibration | None,
    words: str,
) -> PriceProcess:
    with transaction.atomic():
        lock_keys([MODELS_KEY])
        same = PriceProcess.objects.filter(market=market, second_market=second)
        row = PriceProcess(
            market=market, second_market=second, kind=kind,
            number=next_number(same),
            parameters=parameters, calibration=calibration, reason=words, proposed_by=actor.id,
            recorded_at=server_time(),
        )  # fmt: skip
        row.full_clean()
        row.save(force_insert=True)
        _tell(actor, row, "price_process.proposed", words)
    return row


def decide_process(*, actor: Actor, process_id: int, approve: bool, reason: str) -> PriceProcess:
    """
    Approve or decline a version; an approved one simulates from now on, in cuts that know of it.

    :raises PermissionMissing: without `trading.approve_price_process` in an operating company.
    :raises PriceProcessRefused: for one that is not there, decided already, or declined without a
        reason.
    :raises SecondPersonNeeded: for who proposed it.
    """
    require_operator(actor, APPROVE)
    with transaction.atomic():
        lock_keys([MODELS_KEY])
        row = decide_version(
            PriceProcess, process_id, beside=("market", "second_market", "calibration"),
            what="process", actor=actor, approve=approve, reason=reason,
            decided_at=server_time(), refused=PriceProcessRefused,
        )  # fmt: skip
        _tell(actor, row, f"price_process.{row.status.lower()}", row.decision_reason)
    return row


def _checked(terms: ProcessTerms) -> dict[str, float]:
    """
    Return the parameters of a kind, in their order.

    :raises ValidationError: naming the parameter.
    """
    from trading.pricing import PricingError

    wanted = PARAMETERS[terms.kind]
    for name in terms.parameters:
        if name not in wanted:
            label = ProcessKind(terms.kind).label.lower()
            raise ValidationError({name: f"Is no parameter of a {label}."})
    found = {}
    for name in wanted:
        value = terms.parameters.get(name, 0.0 if name.startswith("jump_") else None)
        if value is None:
            raise ValidationError({name: "Is needed."})
        if not isfinite(value) or abs(value) > 1e9:
            raise ValidationError({name: "Is a number that is not beyond 1,000,000,000."})
        found[name] = float(value)
    if terms.kind == ProcessKind.CORRELATION:
        if not -1 <= found["correlation"] <= 1:
            raise ValidationError({"correlation": "Is from −1 to 1."})
        return found
    try:
        process_of(terms.kind, found)
    except PricingError as error:
        name, _, rule = str(error).partition(": ")
        raise ValidationError({name if name in found else "parameters": rule}) from error
    moves = [name for name in found if name.endswith(("volatility", "intensity"))]
    if not any(found[name] for name in moves):
        raise ValidationError({moves[0]: "Nothing moves: one of the volatilities is above 0."})
    return found


def _tell(actor: Actor, row: PriceProcess, kind: str, reason: str) -> None:
    record_event(
        type=kind,
        actor=actor,
        aggregate_type="price_process",
        aggregate_id=row.pk,
        organization_id=None,
        key=f"market:{row.market.code}",
        payload={
            "market": row.market.code,
            "second_market": "" if row.second_market is None else row.second_market.code,
            "kind": str(row.kind), "number": row.number, "parameters": row.parameters,
            "calibration": row.calibration_id, "reason": reason,
        },
    )  # fmt: skip
