"""The risk app: what it grants, and what it registers with trading, is said here, once."""

from django.apps import AppConfig

from energyopti.accounts.roles import Role, grant_to_roles


class RiskConfig(AppConfig):
    name = "risk"
    label = "risk"
    verbose_name = "Risk"

    def ready(self) -> None:
        from energyopti.accounts.scopes import register_scope
        from energyopti.foundation.api.routes import register_api_routes

        from .room import register_room

        readers = (Role.TRADER, Role.RISK_OFFICER, Role.COMPLIANCE_OFFICER)
        for permission in (
            "view_risk",
            "view_limit",
            "view_limitbreach",
            "view_scenariodefinition",
        ):
            grant_to_roles(f"risk.{permission}", *readers)
        grant_to_roles("risk.view_risk", Role.PARTNER)
        for permission in (
            "set_limit", "approve_limit", "rebase_risk", "acknowledge_breach", "propose_scenarios",
            "approve_scenarios",
        ):  # fmt: skip
            grant_to_roles(f"risk.{permission}", Role.RISK_OFFICER)
        grant_to_roles("risk.ask_riskrun", Role.TRADER, Role.RISK_OFFICER)
        register_scope("risk:read", "Read risk numbers and limits")
        register_scope(
            "risk:write",
            "Propose and decide on limits and scenarios, ask for runs, mind breaches",
        )
        register_api_routes("risk", "risk.api.urls")
        register_room()
