"""The support app: alert rules, notifications and tickets; who may use them."""

from datetime import timedelta

from django.apps import AppConfig

from energyopti.accounts.roles import Role, grant_to_roles
from energyopti.foundation.pages import HOME_PANELS, NAVIGATION, HomePanel, NavigationItem

ALERT_READERS = (
    Role.TRADER,
    Role.RISK_OFFICER,
    Role.ENERGY_MANAGER,
    Role.UTILITY_OPERATOR,
    Role.SUPPORT_AGENT,
)


class SupportConfig(AppConfig):
    name = "support"
    label = "support"
    verbose_name = "Alerts and support"

    def ready(self) -> None:
        from energyopti.foundation.events.followers import Start, register_follower
        from energyopti.foundation.jobs.schedule import PERIODIC, Periodic

        from .followers import evaluate_on_event
        from .web.home import alert_panel, ticket_panel

        for permission in ("view_alert", "view_alertrule", "acknowledge_alert"):
            grant_to_roles(f"support.{permission}", *ALERT_READERS)
        grant_to_roles(
            "support.manage_alertrule",
            Role.TRADER,
            Role.ENERGY_MANAGER,
            Role.UTILITY_OPERATOR,
            Role.SUPPORT_AGENT,
        )
        for permission in ("view_ticket", "open_ticket", "answer_ticket"):
            grant_to_roles(f"support.{permission}", *Role)
        grant_to_roles("support.handle_ticket", Role.SUPPORT_AGENT)
        register_follower(
            "alerts",
            evaluate_on_event,
            event_types=["prices.imported", "alertrule.created"],
            start=Start.NOW,
        )
        # Time alone fires and resolves alerts: the window moves over prices known already.
        PERIODIC.register(
            "support.evaluate-prices",
            Periodic("support.evaluate_prices", timedelta(minutes=1), expires=timedelta(minutes=1)),
        )
        PERIODIC.register(
            "support.deliver-notifications",
            Periodic(
                "support.deliver_notifications",
                timedelta(minutes=1),
                expires=timedelta(minutes=1),
            ),
        )
        HOME_PANELS.register(
            "support.tickets",
            HomePanel(
                roles=frozenset({Role.SUPPORT_AGENT}),
                template="support/home_tickets.html",
                context=ticket_panel,
                permission="support.view_ticket",
                order=10,
            ),
        )
        HOME_PANELS.register(
            "support.alerts",
            HomePanel(
                roles=frozenset({*ALERT_READERS, Role.ADMIN}),
                template="support/home_alerts.html",
                context=alert_panel,
                permission="support.view_alert",
                order=40,
            ),
        )
        NAVIGATION.register(
            "alerts",
            NavigationItem(
                label="Alerts",
                url_name="support:alerts",
                section="Support",
                permission="support.view_alert",
                shortcut="a",
                order=10,
            ),
        )
        NAVIGATION.register(
            "alert-rules",
            NavigationItem(
                label="Alert rules",
                url_name="support:rules",
                section="Support",
                permission="support.view_alertrule",
                order=20,
            ),
        )
        NAVIGATION.register(
            "tickets",
            NavigationItem(
                label="Tickets",
                url_name="support:tickets",
                section="Support",
                permission="support.view_ticket",
                shortcut="s",
                order=30,
            ),
        )
