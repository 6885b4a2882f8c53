"""What valuations, P&L and the end of day bring to the rest: grants, navigation, problems."""

from energyopti.accounts.roles import Role, grant_to_roles
from energyopti.foundation.api.problems import register_problem
from energyopti.foundation.pages import NAVIGATION, NavigationItem

READERS = (Role.TRADER, Role.RISK_OFFICER, Role.COMPLIANCE_OFFICER)


def register_results() -> None:
    """Fill the registries; doing it twice changes nothing."""
    from trading.closing import END_OF_DAY
    from trading.queries.exchange import RateMissing
    from trading.queries.pnl import NoReport
    from trading.services.end_of_day import ClosingRefused, check_day, check_prices, explain_day
    from trading.services.pnl import PnlRefused

    for permission in ("view_pnlreport", "view_tradevalue", "view_valuationrun"):
        grant_to_roles(f"trading.{permission}", *READERS, Role.PARTNER)
    grant_to_roles("trading.adjust_pnl", Role.TRADER, Role.RISK_OFFICER)
    for permission in ("value_books", "approve_pnl", "run_end_of_day", "sign_end_of_day"):
        grant_to_roles(f"trading.{permission}", Role.RISK_OFFICER)
    register_problem(NoReport, status=404, code="pnl_unknown")
    register_problem(PnlRefused, status=409, code="pnl_refused")
    register_problem(ClosingRefused, status=409, code="closing_refused")
    register_problem(RateMissing, status=409, code="rate_missing")
    for name, step in (("checks", check_day), ("price_check", check_prices), ("pnl", explain_day)):
        END_OF_DAY.register(name, step)
    if "trading:pnl" not in NAVIGATION:
        item = NavigationItem(
            "P&L",
            "trading:pnl",
            section="Trading",
            permission="trading.view_pnlreport",
            order=25,
        )
        NAVIGATION.register("trading:pnl", item)
