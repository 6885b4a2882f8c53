"""The billing app: what it grants to roles and registers elsewhere."""

from django.apps import AppConfig

from energyopti.accounts.roles import Role, grant_to_roles
from energyopti.accounts.scopes import register_scope
from energyopti.foundation.pages import HOME_PANELS, NAVIGATION, HomePanel, NavigationItem

READERS = (
    Role.ENERGY_MANAGER,
    Role.UTILITY_OPERATOR,
    Role.COMPLIANCE_OFFICER,
    Role.SUPPORT_AGENT,
    Role.PARTNER,
)


class BillingConfig(AppConfig):
    name = "billing"
    label = "billing"
    verbose_name = "Billing"

    def ready(self) -> None:
        from energyopti.foundation.api.routes import register_api_routes
        from energyopti.foundation.jobs.schedule import PERIODIC, Periodic

        from .web.home import billing_panel

        grant_to_roles("billing.view_invoice", *READERS)
        grant_to_roles("billing.view_contract", *READERS)
        grant_to_roles("billing.issue_invoice", Role.UTILITY_OPERATOR)
        grant_to_roles("billing.agree_contract", Role.UTILITY_OPERATOR)
        register_scope("billing:read", "Read supply contracts and invoices")
        register_api_routes("billing", "billing.api.urls")
        # Daily: meter data may arrive days after a month's end.
        PERIODIC.register(
            "billing.monthly-invoices", Periodic("billing.issue_due_invoices", "15 4 * * *")
        )
        HOME_PANELS.register(
            "billing.invoices",
            HomePanel(
                roles=frozenset({Role.ENERGY_MANAGER, Role.UTILITY_OPERATOR}),
                template="billing/home_panel.html",
                context=billing_panel,
                permission="billing.view_invoice",
                order=50,
                reads=frozenset({"site"}),
            ),
        )
        NAVIGATION.register(
            "billing",
            NavigationItem(
                label="Billing",
                url_name="billing:overview",
                section="Billing",
                permission="billing.view_invoice",
                shortcut="b",
                order=10,
            ),
        )
        NAVIGATION.register(
            "billing-invoices",
            NavigationItem(
                label="Invoices",
                url_name="billing:invoices",
                section="Billing",
                permission="billing.view_invoice",
                order=20,
            ),
        )
