"""What drop copies bring to the rest: who may see them and who sets them up."""

from energyopti.accounts.roles import Role, grant_to_roles


def register_executions() -> None:
    """Fill the registries; called once, from the app's `ready()`."""
    grant_to_roles(
        "trading.view_drop_copy", Role.TRADER, Role.RISK_OFFICER, Role.COMPLIANCE_OFFICER
    )
    # Who deals does not decide into which book an account goes: the risk officer does.
    grant_to_roles("trading.manage_drop_copy", Role.RISK_OFFICER)
