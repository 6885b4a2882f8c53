"""What valuations, P&L and the end of day bring to the rest: grants, navigation, problems."""

from datetime import timedelta

from energyopti.accounts.roles import Role, grant_to_roles
from energyopti.foundation.api.problems import register_problem
from energyopti.foundation.jobs.schedule import PERIODIC, Periodic
from energyopti.foundation.pages import NAVIGATION, NavigationItem

READERS = (Role.TRADER, Role.RISK_OFFICER, Role.COMPLIANCE_OFFICER)


def register_results() -> None:
    """Fill the registries; doing it twice changes nothing."""
    from trading.closing import BEFORE_VALUES, END_OF_DAY
    from trading.queries.end_of_day import UnknownEndOfDay
    from trading.queries.exchange import RateMissing
    from trading.queries.pnl import NoReport, UnknownAdjustment
    from trading.services.closing_steps import check_day, check_prices, explain_day, true_up
    from trading.services.end_of_day import ClosingRefused
    from trading.services.hedge_checks import ask_checks
    from trading.services.hedging import HedgeTargetsChanged
    from trading.services.pnl import PnlRefused
    from trading.services.structure_values import NoStructure

    for permission in ("view_pnlreport", "view_tradevalue", "view_valuationrun", "view_endofday"):
        grant_to_roles(f"trading.{permission}", *READERS, Role.PARTNER)
    grant_to_roles("trading.view_hedgetarget", *READERS)
    grant_to_roles("trading.set_hedge_targets", Role.RISK_OFFICER)
    grant_to_roles("trading.value_structure", Role.TRADER, Role.RISK_OFFICER)
    grant_to_roles("trading.adjust_pnl", Role.TRADER, Role.RISK_OFFICER)
    for permission in ("value_books", "approve_pnl", "run_end_of_day", "sign_end_of_day"):
        grant_to_roles(f"trading.{permission}", Role.RISK_OFFICER)
    register_problem(NoReport, status=404, code="pnl_unknown")
    register_problem(UnknownAdjustment, status=404, code="adjustment_unknown")
    register_problem(UnknownEndOfDay, status=404, code="end_of_day_unknown")
    register_problem(HedgeTargetsChanged, status=409, code="hedge_targets_changed")
    register_problem(PnlRefused, status=409, code="pnl_refused")
    register_problem(ClosingRefused, status=409, code="closing_refused")
    register_problem(NoStructure, status=409, code="no_structure")
    register_problem(RateMissing, status=409, code="rate_missing")
    BEFORE_VALUES.register("metering", true_up)
    for name, step in (
        ("checks", check_day), ("price_check", check_prices), ("pnl", explain_day),
        ("hedges", ask_checks),
    ):  # fmt: skip
        END_OF_DAY.register(name, step)
    if "trading.close_days" not in PERIODIC:
        often = timedelta(minutes=1)
        PERIODIC.register(
            "trading.close_days", Periodic("trading.close_days", often, expires=often)
        )
    for name, label, permission, order in (
        ("pnl", "P&L", "trading.view_pnlreport", 25),
        ("end_of_days", "End of day", "trading.view_endofday", 26),
    ):
        if f"trading:{name}" not in NAVIGATION:
            item = NavigationItem(
                label, f"trading:{name}", section="Trading", permission=permission, order=order
            )
            NAVIGATION.register(f"trading:{name}", item)
