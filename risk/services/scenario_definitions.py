"""Propose how scenarios are made, and decide on what another proposed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import isfinite

from django.core.exceptions import ValidationError
from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from energyopti.foundation.proposals.models import VersionStatus
from energyopti.foundation.proposals.services import (
    DecisionRefused,
    decide_version,
    next_number,
    said_why,
)
from energyopti.foundation.texts import check_words
from risk.models import (
    MoveMapping,
    MoveRule,
    ProxyRule,
    ScenarioDefinition,
    ScenarioRule,
    Weighting,
)
from risk.queries.scenario_definitions import DESK, definitions_in_force, method_of
from trading.queries.markets import NoSuchMarket, market_by_code
from trading.queries.marks import MarketMarks, month_marks
from trading.queries.quote_days import quote_days
from trading.services.curve_definitions import require_operator
from trading.services.locks import lock_keys, server_time

PROPOSE = "risk.propose_scenarios"
APPROVE = "risk.approve_scenarios"
KEY = "risk:definitions"
FEWEST, MOST = 100, 2000
_ABSOLUTE = MoveRule(MoveRule.ABSOLUTE)
_BY_TIME = MoveMapping(MoveMapping.TIME_TO_DELIVERY)
_NONE = Weighting(Weighting.NONE)


class DefinitionRefused(DecisionRefused):
    """A decision does not fit the version; names the field and the rule."""


@dataclass(frozen=True, slots=True)
class RuleTerms:
    """How a market moves; fields as in `risk.models.ScenarioRule`, markets by code."""

    market: str = ""
    rule: MoveRule = _ABSOLUTE
    displacement: float = 0.0
    mapping: MoveMapping = _BY_TIME
    proxy_market: str = ""
    proxy_rule: ProxyRule | None = None


@dataclass(frozen=True, slots=True)
class DefinitionTerms:
    """
    What a definition says; fields as in `risk.models.ScenarioDefinition`.

    rules   that of no market is for all that have none of their own
    """

    code: str
    owner: str
    scenarios: int = 500
    horizon_days: int = 1
    window_from: date | None = None
    window_until: date | None = None
    weighting: Weighting = _NONE
    decay: float | None = None
    garch_alpha: float | None = None
    garch_beta: float | None = None
    rules: tuple[RuleTerms, ...] = (RuleTerms(),)


def propose_definition(
    *, actor: Actor, terms: DefinitionTerms, reason: str, as_of: datetime
) -> ScenarioDefinition:
    """
    Propose the next version of a code; nothing uses it until another approves it.

    as_of   until when curves and quotes are read to see that every rule can take their prices

    :raises PermissionMissing: without `risk.propose_scenarios` in an operating company.
    :raises ValidationError: naming the field; of a market's rule `rules.TTF.displacement`.
    """
    require_operator(actor, PROPOSE)
    words = said_why(reason)
    _check(terms)
    rules = [_rule(one) for one in terms.rules]
    _check_proxies(rules)
    _check_prices(rules, terms, as_of)
    with transaction.atomic():
        lock_keys([KEY])
        row = _write(terms, rules, words, actor.id)
        _tell(actor, row, "scenario_definition.proposed", words)
    return row


def decide_definition(
    *, actor: Actor, definition_id: int, approve: bool, reason: str
) -> ScenarioDefinition:
    """
    Approve or decline a version, with a reason; an approved DESK values the books from now on.

    :raises PermissionMissing: without `risk.approve_scenarios` in an operating company.
    :raises DefinitionRefused: for one that is not there, decided already, or without a reason.
    :raises SecondPersonNeeded: for who proposed it.
    """
    require_operator(actor, APPROVE)
    with transaction.atomic():
        lock_keys([KEY])
        row = decide_version(
            ScenarioDefinition, definition_id, what="definition", actor=actor, approve=approve,
            reason=reason, decided_at=server_time(), refused=DefinitionRefused, needs_reason=True,
        )  # fmt: skip
        _tell(actor, row, f"scenario_definition.{row.status.lower()}", row.decision_reason)
    return row


def desk_definition() -> ScenarioDefinition:
    """
    Return the definition that books are valued on.

    The first time it writes what the product comes with as version 1: 500 daily absolute changes
    by time to delivery, unweighted.
    """
    if found := definitions_in_force().get(DESK):
        return found
    with transaction.atomic():
        lock_keys([KEY])
        if not ScenarioDefinition.objects.filter(code=DESK, status=VersionStatus.APPROVED).exists():
            row = _write(
                DefinitionTerms(DESK, "Market risk"), [ScenarioRule()],
                "What the product comes with.", "system:product",
            )  # fmt: skip
            row.status, row.decided_by = VersionStatus.APPROVED, "system:risk"
            row.decided_at = server_time()
            row.save(update_fields=["status", "decided_by", "decided_at"])
    return definitions_in_force()[DESK]


def _write(
    terms: DefinitionTerms, rules: Sequence[ScenarioRule], words: str, actor_id: str
) -> ScenarioDefinition:
    same = ScenarioDefinition.objects.filter(code=terms.code)
    row = ScenarioDefinition(
        code=terms.code, number=next_number(same), owner=terms.owner.strip(),
        scenarios=terms.scenarios, horizon_days=terms.horizon_days,
        window_from=terms.window_from, window_until=terms.window_until,
        weighting=terms.weighting, decay=terms.decay, garch_alpha=terms.garch_alpha,
        garch_beta=terms.garch_beta, reason=words, proposed_by=actor_id,
    )  # fmt: skip
    row.full_clean(exclude=["recorded_at"])
    row.save(force_insert=True)
    for rule in rules:
        rule.definition = row
    ScenarioRule.objects.bulk_create(rules)
    row.refresh_from_db()
    return row


def _check(terms: DefinitionTerms) -> None:
    if not (terms.code.isascii() and terms.code.isalnum() and terms.code.isupper()
            and len(terms.code) <= 16):  # fmt: skip
        raise ValidationError({"code": "Is at most 16 capital letters and digits."})
    if not terms.owner.strip():
        raise ValidationError({"owner": "Say who answers for it."})
    try:
        check_words(terms.owner.strip(), most=80)
    except ValueError as error:
        raise ValidationError({"owner": str(error)}) from error
    if not FEWEST <= terms.scenarios <= MOST:
        raise ValidationError({"scenarios": f"Is from {FEWEST} to {MOST}."})
    if not 1 <= terms.horizon_days <= 20:
        raise ValidationError({"horizon_days": "Is from 1 to 20 trading days."})
    if terms.code == DESK and terms.horizon_days != 1:
        raise ValidationError(
            {"horizon_days": f"Of {DESK} is 1: the limits of books are of one day."}
        )
    if terms.window_from and terms.window_until and terms.window_from >= terms.window_until:
        raise ValidationError({"window_until": "Is after window_from."})
    _check_weighting(terms)
    codes = [rule.market for rule in terms.rules]
    if "" not in codes:
        raise ValidationError({"rules": "One is of no market, for all that have none."})
    if twice := sorted({code for code in codes if codes.count(code) > 1}):
        raise ValidationError({"rules": f"{twice[0] or 'The default'} is given twice."})


def _check_weighting(terms: DefinitionTerms) -> None:
    wanted = {Weighting.EWMA: ("decay",), Weighting.GARCH: ("garch_alpha", "garch_beta")}
    for name in ("decay", "garch_alpha", "garch_beta"):
        value: float | None = getattr(terms, name)
        if name not in wanted.get(terms.weighting, ()):
            if value is not None:
                raise ValidationError({name: f"Is none of weighting {terms.weighting}."})
        elif value is None or not isfinite(value) or not 0 < value < 1:
            raise ValidationError({name: "Is above 0 and below 1."})
    if terms.weighting == Weighting.NONE:
        return
    if (terms.garch_alpha or 0.0) + (terms.garch_beta or 0.0) >= 1:
        raise ValidationError({"garch_beta": "With garch_alpha is below 1."})
    if terms.horizon_days > 1:
        raise ValidationError({"weighting": "Filters daily moves; horizon_days is 1 with it."})
    if terms.window_until:
        raise ValidationError(
            {"weighting": "Filters to today's volatility; window_until is empty with it."}
        )


def _rule(terms: RuleTerms) -> ScenarioRule:
    where = f"rules.{terms.market or 'default'}"
    if not isfinite(terms.displacement) or terms.displacement < 0:
        raise ValidationError({f"{where}.displacement": "Is a number, 0 or more."})
    if (terms.rule == MoveRule.DISPLACED) is not (terms.displacement > 0):
        raise ValidationError(
            {f"{where}.displacement": "Is above 0 for rule DISPLACED, and 0 for others."}
        )
    if bool(terms.proxy_market) is (terms.proxy_rule is None):
        raise ValidationError({f"{where}.proxy_rule": "Goes with proxy_market, and only with it."})
    if terms.proxy_market and not terms.market:
        raise ValidationError({f"{where}.proxy_market": "Is of one market, not of all."})
    row = ScenarioRule(
        rule=terms.rule, displacement=terms.displacement, mapping=terms.mapping,
        proxy_rule=terms.proxy_rule or "",
    )  # fmt: skip
    for name, code in (("market", terms.market), ("proxy_market", terms.proxy_market)):
        if code:
            try:
                setattr(row, name, market_by_code(code))
            except NoSuchMarket as error:
                raise ValidationError({f"{where}.{name}": str(error)}) from error
    return row


def _check_proxies(rules: Sequence[ScenarioRule]) -> None:
    by_market = {rule.market_id: rule for rule in rules}
    for rule in rules:
        if rule.market is None or rule.proxy_market is None:
            continue
        where, other = f"rules.{rule.market.code}.proxy_market", rule.proxy_market
        if other == rule.market:
            raise ValidationError({where: "Is another than the market."})
        of_other = by_market.get(other.pk, by_market[None])
        if of_other.proxy_market_id is not None:
            raise ValidationError({where: f"{other.code} goes by a proxy itself."})
        if (of_other.rule == MoveRule.ABSOLUTE) is not (rule.rule == MoveRule.ABSOLUTE):
            raise ValidationError(
                {where: f"{other.code} moves by {of_other.rule}, {rule.market.code} by {rule.rule}:"
                 " amounts do not stand in for shares."}
            )  # fmt: skip
        units = [(one.currency, one.price_unit) for one in (rule.market, other)]
        if rule.proxy_rule == ProxyRule.AS_IS and rule.rule == MoveRule.ABSOLUTE and (
            units[0] != units[1]
        ):  # fmt: skip
            raise ValidationError(
                {f"rules.{rule.market.code}.proxy_rule": f"{other.code} is priced in"
                 f" {'/'.join(units[1])}, {rule.market.code} in {'/'.join(units[0])}: use SCALED."}
            )  # fmt: skip


def _check_prices(rules: Sequence[ScenarioRule], terms: DefinitionTerms, as_of: datetime) -> None:
    """Refuse rules that the quoted history or today's curve has a price too low for."""
    own = {rule.market_id: rule for rule in rules}
    if all(rule.rule == MoveRule.ABSOLUTE for rule in rules):
        return
    for market_id, mark in month_marks(as_of=as_of).items():
        rule = own.get(market_id, own[None])
        if rule.rule == MoveRule.ABSOLUTE:
            continue
        lowest, where = _lowest(mark, terms, as_of)
        if lowest <= -rule.displacement:
            name = mark.market_code if market_id in own else "default"
            need = (
                f"above {-lowest:g}" if rule.rule == MoveRule.DISPLACED else "DISPLACED or ABSOLUTE"
            )
            raise ValidationError(
                {f"rules.{name}.{'displacement' if rule.rule == MoveRule.DISPLACED else 'rule'}":
                 f"{mark.market_code} was at {lowest:g} {where}: must be {need}."}
            )  # fmt: skip


def _lowest(mark: MarketMarks, terms: DefinitionTerms, as_of: datetime) -> tuple[float, str]:
    """Return the lowest price of a market's curve and of the quotes that scenarios are of."""
    found = [
        (price, f"on the curve for {month:%Y-%m}")
        for load in mark.shape_codes()
        for month, price in mark.by_shape.get(load, mark.prices).items()
    ]
    for load in mark.shape_codes():
        for day in quote_days(
            market_id=mark.market_id, as_of=as_of, days=2 * terms.scenarios, load=load
        ):
            if terms.window_from and day.day < terms.window_from:
                continue
            if terms.window_until and day.day > terms.window_until:
                continue
            found += [(one.price, f"on {day.day}") for one in day.contracts]
    return min(found)


def _tell(actor: Actor, row: ScenarioDefinition, kind: str, reason: str) -> None:
    record_event(
        type=kind,
        actor=actor,
        aggregate_type="scenario_definition",
        aggregate_id=row.pk,
        organization_id=None,
        key=f"scenarios:{row.code}",
        payload={
            "code": row.code, "number": row.number, "owner": row.owner,
            "method": method_of(row, has_loads=False), "scenarios": row.scenarios,
            "reason": reason,
        },
    )  # fmt: skip
