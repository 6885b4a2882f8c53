"""What risk brings to trading's registries, the clock's schedule, the event log and navigation."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from energyopti.accounts.roles import Role
from energyopti.foundation import clock
from energyopti.foundation.api.problems import register_problem
from energyopti.foundation.events.followers import FOLLOWERS, register_follower
from energyopti.foundation.jobs.schedule import PERIODIC, Periodic
from energyopti.foundation.pages import HOME_PANELS, NAVIGATION, HomePanel, NavigationItem
from energyopti.foundation.validation.registry import adapters
from energyopti.foundation.validation.shipped import ship_cases
from trading.checks import (
    CHANGE_STEPS,
    CHECKS,
    CHECKS_OF_MANY,
    STEPS_OF_MANY,
    Change,
    NewTrade,
)
from trading.closing import END_OF_DAY

# By name, because these import NumPy: topic → function of `risk.validation`.
_CASES = {
    "basel_traffic_light": "basel_zones",
    "component_var": "components",
    "garch11": "garch_step",
    "kupiec_christoffersen": "back_test",
    "kupiec_region": "kupiec_region",
    "nearest_correlation": "nearest",
    "portfolio_full_reval": "full_revaluation",
    "var_es_closed_form": "closed_form",
    "var_historical_conventions": "historical_conventions",
    "var_historical_vector": "historical_vector",
}


def register_room() -> None:
    """Fill the registries; called once, from the app's `ready()`."""
    from energyopti.foundation.api.problems import register_problem
    from risk.queries.bases import Basis
    from risk.queries.holdings import Holdings
    from risk.queries.limit_check import CHECK, check_limits, check_limits_of_many
    from risk.queries.limit_measures.sensitivities import STRESSES
    from risk.queries.run_terms import RunRefused
    from risk.queries.runs import UnknownRun
    from risk.services.breaches import open_after_change, open_after_many
    from risk.services.closing import STEP, run_risk_of_day
    from risk.services.many_vectors import follow_new_trades
    from risk.services.vectors import follow_change
    from risk.web.home import risk_panel

    def open_breaches(change: Change) -> None:
        open_after_change(change, at=clock.now())

    def open_breaches_of_many(trades: Sequence[NewTrade]) -> None:
        open_after_many(trades, at=clock.now())

    def gains(holdings: Holdings, on: Basis, currency: str) -> tuple[Mapping[str, float], str]:
        from risk.services.stressed_values import gains_under_stress  # loads NumPy

        return gains_under_stress(holdings, on, currency)

    if "stresses" not in STRESSES:
        STRESSES.register("stresses", gains)
    CHECKS.register(CHECK, check_limits)
    CHECKS_OF_MANY.register(CHECK, check_limits_of_many)
    END_OF_DAY.register(STEP, run_risk_of_day)
    register_problem(RunRefused, status=422, code="run_refused")
    register_problem(UnknownRun, status=404, code="risk_run_unknown")
    CHANGE_STEPS.register("risk_vectors", follow_change)
    STEPS_OF_MANY.register("risk_vectors", follow_new_trades)
    # After the vectors, which breaches are read from.
    CHANGE_STEPS.register("limit_breaches", open_breaches)
    STEPS_OF_MANY.register("limit_breaches", open_breaches_of_many)
    for topic, adapter in _CASES.items():
        adapters.register(topic, f"risk.validation:{adapter}")
    ship_cases("risk", Path(__file__).with_name("shipped_cases.json"))
    _register_schedule()
    _register_problems()
    if "risk:home" not in NAVIGATION:
        NAVIGATION.register(
            "risk:home",
            NavigationItem(
                label="Risk",
                url_name="risk:home",
                section="Risk",
                permission="risk.view_risk",
                shortcut="r",
                order=10,
            ),
        )

    for name, label, permission, order in (
        ("limits", "Limits", "risk.view_limit", 12),
        ("breaches", "Breaches", "risk.view_limitbreach", 14),
        ("scenarios", "Scenarios", "risk.view_scenariodefinition", 20),
        ("runs", "Risk runs", "risk.view_risk", 20),
        ("stress", "Stress", "risk.view_scenariodefinition", 25),
        ("correlations", "Correlations", "risk.view_risk", 30),
    ):
        if f"risk:{name}" not in NAVIGATION:
            NAVIGATION.register(
                f"risk:{name}",
                NavigationItem(
                    label=label, url_name=f"risk:{name}", section="Risk", permission=permission,
                    order=order,
                ),
            )  # fmt: skip

    if "risk.books" not in HOME_PANELS:
        HOME_PANELS.register(
            "risk.books",
            HomePanel(
                roles=frozenset({Role.TRADER, Role.RISK_OFFICER, Role.COMPLIANCE_OFFICER}),
                template="risk/home_panel.html",
                context=risk_panel,
                permission="risk.view_risk",
                order=20,
                reads=frozenset({"book"}),
            ),
        )


def _register_problems() -> None:
    from risk.queries.limit_pages import UnknownBreach, UnknownLimit
    from risk.queries.scenario_definitions import UnknownDefinition
    from risk.queries.scenario_sets import UnknownComparison, UnknownSet
    from risk.queries.stresses import UnknownStressRun
    from risk.services.breaches import BreachRefused
    from risk.services.limit_terms import UnknownTrader
    from risk.services.limits import LimitRefused
    from risk.services.scenario_definitions import DefinitionRefused
    from risk.services.stresses import StressRefused

    register_problem(UnknownLimit, status=404, code="limit_unknown")
    register_problem(UnknownBreach, status=404, code="breach_unknown")
    register_problem(UnknownTrader, status=400, code="trader_unknown")
    register_problem(LimitRefused, status=409, code="limit_refused")
    register_problem(BreachRefused, status=409, code="breach_refused")
    register_problem(DefinitionRefused, status=409, code="scenario_definition_refused")
    register_problem(UnknownDefinition, status=404, code="scenario_definition_unknown")
    register_problem(UnknownSet, status=404, code="scenario_set_unknown")
    register_problem(StressRefused, status=409, code="stress_refused")
    register_problem(UnknownStressRun, status=404, code="stress_run_unknown")
    register_problem(UnknownComparison, status=404, code="scenario_comparison_unknown")


def _register_schedule() -> None:
    from risk.services.following import ask_for_rebase

    if "risk.rebase" not in PERIODIC:
        # A new curve asks for it at once; this one moves the valuation time on, and heals.
        # A new curve asks at once (follower below); this is for the passing of time alone.
        often = timedelta(hours=6)
        PERIODIC.register("risk.rebase", Periodic("risk.rebase", often, expires=often))
        PERIODIC.register("risk.recompute", Periodic("risk.recompute", "17 * * * *"))
        few = timedelta(minutes=5)
        PERIODIC.register("risk.watch_limits", Periodic("risk.watch_limits", few, expires=few))
    if "risk.curves" not in FOLLOWERS:
        register_follower(
            "risk.curves",
            ask_for_rebase,
            event_types=[
                "curve.published",
                "fx_rates.booked",
                "rates.booked",
                "scenario_definition.approved",
            ],
        )
