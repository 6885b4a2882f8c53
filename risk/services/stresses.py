"""Propose stresses, decide on what another proposed, and take up the library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
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
from energyopti.foundation.texts import check_words
from risk.models import MoveRule, StressScenario, StressShock, StressTarget
from risk.queries.stresses import words_of
from trading.queries.markets import NoSuchMarket, market_by_code
from trading.services.curve_definitions import require_operator
from trading.services.locks import lock_keys, server_time

from .scenario_definitions import APPROVE, PROPOSE

KEY = "risk:stresses"
_RELATIVE = MoveRule(MoveRule.RELATIVE)
_MOST = 20


class StressRefused(DecisionRefused):
    """A decision does not fit the version; names the field and the rule."""


@dataclass(frozen=True, slots=True)
class ShockTerms:
    """One move; fields as in `risk.models.StressShock`, the market by code."""

    name: str
    target: StressTarget
    size: float = 0.0
    market: str = ""
    currency: str = ""
    rule: MoveRule = _RELATIVE
    displacement: float = 0.0
    event_from: date | None = None
    event_until: date | None = None
    first_tenor: int | None = None
    last_tenor: int | None = None


@dataclass(frozen=True, slots=True)
class StressTerms:
    """What a stress says; fields as in `risk.models.StressScenario`."""

    code: str
    name: str
    source: str
    owner: str
    shocks: tuple[ShockTerms, ...]


def _prices(name: str, size: float, **more: int) -> ShockTerms:
    return ShockTerms(name, StressTarget(StressTarget.PRICE), size, **more)  # type: ignore[arg-type]


_VOLATILITY, _RATE = StressTarget(StressTarget.VOLATILITY), StressTarget(StressTarget.RATE)
_STATED = "A stated size, not taken from a history."


@cache
def library() -> tuple[StressTerms, ...]:
    """
    Return the stresses that the product brings, each to be proposed and approved like any other.

    Sizes are stated, and say so; events take theirs from quotes, and only where there are some.
    """
    from risk.engine import NAMED_EVENTS  # loads NumPy

    return (
        StressTerms("PRICES-UP-50", "Prices +50 %", _STATED, "Market risk",
                    (_prices("Prices +50 %", 0.5),)),
        StressTerms("PRICES-DOWN-30", "Prices −30 %", _STATED, "Market risk",
                    (_prices("Prices −30 %", -0.3),)),
        StressTerms("FRONT-UP-100", "Next quarter doubles, the rest +25 %", _STATED, "Market risk",
                    (_prices("Months to +3: +100 %", 1.0, last_tenor=3),
                     _prices("Months from +4: +25 %", 0.25, first_tenor=4))),
        StressTerms("PRICES-AND-VOL-UP", "Prices +30 %, volatility +20 points", _STATED,
                    "Market risk",
                    (_prices("Prices +30 %", 0.3),
                     ShockTerms("Volatility +20 points", _VOLATILITY, 0.2))),
        StressTerms("EUR-DOWN-10", "EUR −10 % against every currency", _STATED, "Market risk",
                    (ShockTerms("EUR −10 %", _RATE, -0.1, currency="EUR"),)),
        StressTerms("PRICES-UP-VOLUME-UP", "Prices +40 % as volumes rise by 15 %", _STATED,
                    "Market risk",
                    (_prices("Prices +40 %", 0.4),
                     ShockTerms("Volumes +15 %", StressTarget(StressTarget.VOLUME), 0.15))),
        *(
            StressTerms(
                f"EVENT-{event.last:%Y-%m}", event.name,
                "Each market's own quotes of the two days; a market without them does not move.",
                "Market risk",
                (ShockTerms(event.name, StressTarget(StressTarget.EVENT), event_from=event.first,
                            event_until=event.last),),
            )
            for event in NAMED_EVENTS
        ),
    )  # fmt: skip


def propose_stress(*, actor: Actor, terms: StressTerms, reason: str) -> StressScenario:
    """
    Propose the next version of a stress; nothing uses it until another approves it.

    :raises PermissionMissing: without `risk.propose_scenarios` in an operating company.
    :raises ValidationError: naming the field; of the second shock `shocks.2.size`.
    """
    require_operator(actor, PROPOSE)
    words = said_why(reason)
    _check(terms)
    shocks = [_shock(n, one) for n, one in enumerate(terms.shocks, start=1)]
    with transaction.atomic():
        lock_keys([KEY])
        row = StressScenario(
            code=terms.code, name=terms.name.strip(), source=terms.source.strip(),
            owner=terms.owner.strip(), reason=words, proposed_by=actor.id,
            number=next_number(StressScenario.objects.filter(code=terms.code)),
        )  # fmt: skip
        row.full_clean(exclude=["recorded_at"])
        row.save(force_insert=True)
        for shock in shocks:
            shock.scenario = row
        StressShock.objects.bulk_create(shocks)
        row.refresh_from_db()
        _tell(actor, row, shocks, "stress.proposed", words)
    return row


def propose_library(*, actor: Actor) -> list[StressScenario]:
    """Propose what the library has and nobody proposed yet, each for another person to approve."""
    require_operator(actor, PROPOSE)
    with transaction.atomic():
        known = set(StressScenario.objects.values_list("code", flat=True))
        return [
            propose_stress(actor=actor, terms=terms, reason="From the library.")
            for terms in library()
            if terms.code not in known
        ]


def decide_stress(*, actor: Actor, stress_id: int, approve: bool, reason: str) -> StressScenario:
    """
    Approve or decline a version, with a reason; an approved one is run from now on.

    :raises PermissionMissing: without `risk.approve_scenarios` in an operating company.
    :raises StressRefused: for one that is not there, decided already, or without a reason.
    :raises SecondPersonNeeded: for who proposed it.
    """
    require_operator(actor, APPROVE)
    with transaction.atomic():
        lock_keys([KEY])
        row = decide_version(
            StressScenario, stress_id, what="stress", actor=actor, approve=approve, reason=reason,
            decided_at=server_time(), refused=StressRefused, needs_reason=True,
        )  # fmt: skip
        shocks = list(row.shocks.select_related("market").order_by("position"))
        _tell(actor, row, shocks, f"stress.{row.status.lower()}", row.decision_reason)
    return row


def _check(terms: StressTerms) -> None:
    plain = terms.code.replace("-", "")
    if not (plain.isascii() and plain.isalnum() and plain.isupper() and len(terms.code) <= 24):
        raise ValidationError({"code": "Is at most 24 capital letters, digits and hyphens."})
    for name, most in (("name", 80), ("source", 200), ("owner", 80)):
        words = getattr(terms, name).strip()
        if not words:
            raise ValidationError({name: "Is needed."})
        try:
            check_words(words, most=most)
        except ValueError as error:
            raise ValidationError({name: str(error)}) from error
    if not 1 <= len(terms.shocks) <= _MOST:
        raise ValidationError({"shocks": f"Are from 1 to {_MOST}."})


def _shock(position: int, terms: ShockTerms) -> StressShock:
    def refused(field: str, rule: str) -> ValidationError:
        return ValidationError({f"shocks.{position}.{field}": rule})

    target, size = terms.target, terms.size
    try:
        check_words(terms.name.strip(), most=80)
    except ValueError as error:
        raise refused("name", str(error)) from error
    if not terms.name.strip():
        raise refused("name", "Is needed.")
    if not isfinite(size) or abs(size) > 1e6:
        raise refused("size", "Is a number not beyond 1,000,000.")
    if target == StressTarget.EVENT:
        if size:
            raise refused("size", "Of an event is what its days did: leave it out.")
        if terms.event_from is None or terms.event_until is None:
            raise refused("event_from", "An event has a first and a last day.")
        if terms.event_from >= terms.event_until:
            raise refused("event_until", "Comes after event_from.")
    elif not size:
        raise refused("size", "Is not 0.")
    elif terms.event_from or terms.event_until:
        raise refused("event_from", "Only an event has days.")
    if (target == StressTarget.RATE) is not bool(terms.currency):
        raise refused("currency", "Is of an exchange rate, and only of one.")
    if target == StressTarget.RATE and terms.market:
        raise refused("market", "An exchange rate is of no market.")
    if target in (StressTarget.RATE, StressTarget.VOLUME) and size <= -1:
        raise refused("size", "Is above −1: a rate or volume stays above zero.")
    if target not in (StressTarget.PRICE, StressTarget.EVENT) and terms.rule != MoveRule.RELATIVE:
        raise refused("rule", "Is of prices; leave it RELATIVE.")
    if target == StressTarget.PRICE and terms.rule == MoveRule.RELATIVE and size <= -1:
        raise refused("size", "Is above −1: say ABSOLUTE to take prices below zero.")
    if not isfinite(terms.displacement) or (terms.rule == MoveRule.DISPLACED) is not (
        terms.displacement > 0
    ):
        raise refused("displacement", "Is above 0 for rule DISPLACED, and 0 for others.")
    first, last = terms.first_tenor, terms.last_tenor
    if (first is not None and first < 0) or (last is not None and last < (first or 0)):
        raise refused("last_tenor", "Is not before first_tenor.")
    market = None
    if terms.market:
        try:
            market = market_by_code(terms.market)
        except NoSuchMarket as error:
            raise refused("market", str(error)) from error
    return StressShock(
        position=position, name=terms.name.strip(), target=target, market=market,
        currency=terms.currency.upper(), rule=terms.rule, displacement=terms.displacement,
        size=size, event_from=terms.event_from, event_until=terms.event_until, first_tenor=first,
        last_tenor=last,
    )  # fmt: skip


def _tell(
    actor: Actor, row: StressScenario, shocks: Sequence[StressShock], kind: str, reason: str
) -> None:
    record_event(
        type=kind,
        actor=actor,
        aggregate_type="stress_scenario",
        aggregate_id=row.pk,
        organization_id=None,
        key=f"stress:{row.code}",
        payload={
            "code": row.code, "number": row.number, "name": row.name, "owner": row.owner,
            "shocks": [words_of(shock) for shock in shocks], "reason": reason,
        },
    )  # fmt: skip
