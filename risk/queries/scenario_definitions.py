"""Definitions of scenarios: what holds, every version for the page, and a method in words."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Prefetch, QuerySet

from energyopti.accounts.actors import Actor
from energyopti.foundation.proposals.models import VersionStatus
from risk.models import MoveMapping, MoveRule, ScenarioDefinition, ScenarioRule, Weighting

VIEW = "risk.view_scenariodefinition"
# What books are valued on.
DESK = "DESK"
_NAMED = 4
_RULES = {
    MoveRule.ABSOLUTE: "absolute changes",
    MoveRule.RELATIVE: "relative changes",
    MoveRule.LOGARITHMIC: "logarithmic changes",
    MoveRule.DISPLACED: "logarithmic changes above −{displacement:g}",
}
_MAPPINGS = {
    MoveMapping.TIME_TO_DELIVERY: "by time to delivery",
    MoveMapping.CONTRACT: "by contract",
}


class UnknownDefinition(LookupError):
    """There is no such definition of scenarios."""


def _with_rules() -> QuerySet[ScenarioDefinition]:
    rules = ScenarioRule.objects.select_related("market", "proxy_market").order_by(
        "market__code", "id"
    )
    return ScenarioDefinition.objects.prefetch_related(Prefetch("rules", rules))


def definitions_in_force() -> dict[str, ScenarioDefinition]:
    """Return the version of each code that was approved last; two queries."""
    rows = _with_rules().filter(status=VersionStatus.APPROVED).order_by("decided_at", "id")
    return {row.code: row for row in rows}


def definitions(actor: Actor) -> QuerySet[ScenarioDefinition]:
    """
    Return every version with its rules, those of a code together, the latest first.

    :raises PermissionMissing: without `risk.view_scenariodefinition`, as all readers here.
    """
    actor.require(VIEW)
    return _with_rules().order_by("code", "-number")


def definition_of(actor: Actor, definition_id: int) -> ScenarioDefinition:
    """
    Return a version.

    :raises UnknownDefinition: without one.
    """
    found = definitions(actor).filter(pk=definition_id).first()
    if found is None:
        raise UnknownDefinition("definition: there is no such version.")
    return found


def default_rule(rules: Sequence[ScenarioRule]) -> ScenarioRule:
    """Return the rule of the markets that have none of their own."""
    return next(rule for rule in rules if rule.market_id is None)


def method_of(definition: ScenarioDefinition, *, has_loads: bool) -> str:
    """Return how a definition makes scenarios, in words, as shown beside every number."""
    rules = list(definition.rules.all())
    usual = default_rule(rules)
    words = [f"{_moves(usual)} of forward contracts {_MAPPINGS[MoveMapping(usual.mapping)]}"]
    if definition.horizon_days > 1:
        words[0] += f" over {definition.horizon_days} days"
    words[0] += f", {_weights(definition)}"
    own = [
        f"{rule.market.code} {_moves(rule)} {_MAPPINGS[MoveMapping(rule.mapping)]}"
        for rule in rules
        if rule.market is not None
        and (rule.rule, rule.displacement, rule.mapping)
        != (usual.rule, usual.displacement, usual.mapping)
    ]
    if len(own) > _NAMED:
        own = [*own[:_NAMED], f"{len(own) - _NAMED} more markets by rules of their own"]
    words += own
    if definition.window_from or definition.window_until:
        first = f" from {definition.window_from}" if definition.window_from else ""
        last = f" until {definition.window_until}" if definition.window_until else ""
        words.append(f"days{first}{last}")
    if has_loads:
        words.append("base and quoted loads are nodes, off-peak is what they leave")
    return "; ".join([*words, f"definition {definition}"])


def _moves(rule: ScenarioRule) -> str:
    return _RULES[MoveRule(rule.rule)].format(displacement=rule.displacement)


def _weights(definition: ScenarioDefinition) -> str:
    if definition.weighting == Weighting.EWMA:
        return f"filtered to today's volatility (EWMA, decay {definition.decay:g})"
    if definition.weighting == Weighting.GARCH:
        return (
            f"filtered to today's volatility (GARCH(1,1), α {definition.garch_alpha:g}, β"
            f" {definition.garch_beta:g})"
        )
    return "unweighted"
