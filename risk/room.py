"""What risk brings to trading's registries, the clock's schedule, the event log and navigation."""

from datetime import timedelta
from pathlib import Path

from energyopti.accounts.roles import Role
from energyopti.foundation.api.problems import register_problem
from energyopti.foundation.events.followers import FOLLOWERS, register_follower
from energyopti.foundation.jobs.schedule import PERIODIC, Periodic
from energyopti.foundation.pages import HOME_PANELS, NAVIGATION, HomePanel, NavigationItem
from energyopti.foundation.validation.registry import adapters
from energyopti.foundation.validation.shipped import ship_cases
from trading.checks import CHANGE_STEPS, CHECKS, CHECKS_OF_MANY, STEPS_OF_MANY

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
    from risk.queries.var_limit import CHECK, check_var_limit, check_var_limits
    from risk.services.many_vectors import follow_new_trades
    from risk.services.vectors import follow_change
    from risk.web.home import risk_panel

    CHECKS.register(CHECK, check_var_limit)
    CHECKS_OF_MANY.register(CHECK, check_var_limits)
    CHANGE_STEPS.register("risk_vectors", follow_change)
    STEPS_OF_MANY.register("risk_vectors", follow_new_trades)
    for topic, adapter in _CASES.items():
        adapters.register(topic, f"risk.validation:{adapter}")
    ship_cases("risk", Path(__file__).with_name("shipped_cases.json"))
    _register_schedule()
    _register_problems()
    if "risk:scenarios" not in NAVIGATION:
        NAVIGATION.register(
            "risk:scenarios",
            NavigationItem(
                label="Scenarios",
                url_name="risk:scenarios",
                section="Risk",
                permission="risk.view_scenariodefinition",
                order=20,
            ),
        )
    if "risk:correlations" not in NAVIGATION:
        NAVIGATION.register(
            "risk:correlations",
            NavigationItem(
                label="Correlations",
                url_name="risk:correlations",
                section="Risk",
                permission="risk.view_risk",
                order=30,
            ),
        )
    if "risk:stress" not in NAVIGATION:
        NAVIGATION.register(
            "risk:stress",
            NavigationItem(
                label="Stress",
                url_name="risk:stress",
                section="Risk",
                permission="risk.view_scenariodefinition",
                order=25,
            ),
        )
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
    from risk.queries.scenario_definitions import UnknownDefinition
    from risk.queries.scenario_sets import UnknownComparison, UnknownSet
    from risk.queries.stresses import UnknownStressRun
    from risk.services.scenario_definitions import DefinitionRefused
    from risk.services.stresses import StressRefused

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
