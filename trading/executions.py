"""What drop copies bring to the rest: who may see them and who sets them up."""

from energyopti.accounts.roles import Role, grant_to_roles
from energyopti.foundation.api.problems import register_problem
from energyopti.foundation.pages import NAVIGATION, NavigationItem


def register_executions() -> None:
    """Fill the registries; called once, from the app's `ready()`."""
    from trading.queries.drop_copy import UnknownMessage

    grant_to_roles(
        "trading.view_drop_copy", Role.TRADER, Role.RISK_OFFICER, Role.COMPLIANCE_OFFICER
    )
    # Who deals does not decide into which book an account goes: the risk officer does.
    grant_to_roles("trading.manage_drop_copy", Role.RISK_OFFICER)
    register_problem(UnknownMessage, status=404, code="message_unknown")
    if "trading:drop_copy" not in NAVIGATION:
        item = NavigationItem(
            "Drop copy",
            "trading:drop_copy",
            section="Trading",
            permission="trading.view_drop_copy",
            order=18,
        )
        NAVIGATION.register("trading:drop_copy", item)
