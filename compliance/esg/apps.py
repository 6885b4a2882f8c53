"""The ESG app: factors, carbon reports, the month's task of the clock, and who may use them."""

from django.apps import AppConfig

from energyopti.accounts.roles import Role, grant_to_roles
from energyopti.accounts.scopes import register_scope
from energyopti.foundation.pages import HOME_PANELS, NAVIGATION, HomePanel, NavigationItem


class EsgConfig(AppConfig):
    name = "compliance.esg"
    label = "esg"
    verbose_name = "ESG reports"

    def ready(self) -> None:
        from energyopti.foundation.api.routes import register_api_routes
        from energyopti.foundation.jobs.schedule import PERIODIC, Periodic

        from .web.home import carbon_panel

        for permission in ("view_carbonreport", "view_factor"):
            grant_to_roles(
                f"esg.{permission}",
                Role.ESG_OFFICER,
                Role.ENERGY_MANAGER,
                Role.COMPLIANCE_OFFICER,
                Role.PARTNER,
            )
        grant_to_roles("esg.build_carbonreport", Role.ESG_OFFICER)
        grant_to_roles("esg.publish_factor", Role.ESG_OFFICER)
        register_scope("carbon:read", "Read carbon reports")
        register_api_routes("compliance", "compliance.api.urls")
        # Daily, because a month ends at another instant in each zone; done once per month.
        PERIODIC.register("esg.monthly-reports", Periodic("esg.request_due_reports", "30 3 * * *"))
        HOME_PANELS.register(
            "esg.carbon",
            HomePanel(
                roles=frozenset({Role.ESG_OFFICER, Role.ENERGY_MANAGER, Role.COMPLIANCE_OFFICER}),
                template="esg/home_panel.html",
                context=carbon_panel,
                permission="esg.view_carbonreport",
                order=60,
                reads=frozenset({"site"}),
            ),
        )
        NAVIGATION.register(
            "esg-reports",
            NavigationItem(
                label="Carbon reports",
                url_name="esg:reports",
                section="Compliance",
                permission="esg.view_carbonreport",
                shortcut="e",
                order=20,
            ),
        )
