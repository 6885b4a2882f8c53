from datetime import timedelta

from django.apps import AppConfig


class FleetConfig(AppConfig):
    name = "fleet"
    label = "fleet"
    verbose_name = "Fleet"

    def ready(self) -> None:
        from energyopti.accounts.roles import Role, grant_to_roles
        from energyopti.foundation.jobs.schedule import PERIODIC, Periodic
        from energyopti.foundation.pages import HOME_PANELS, NAVIGATION, HomePanel, NavigationItem

        from .web.home import fleet_panel

        operators = (Role.DEVICE_OPERATOR, Role.ENERGY_MANAGER, Role.UTILITY_OPERATOR)
        grant_to_roles("fleet.view_dispatchrun", *operators)
        grant_to_roles("fleet.view_energysettlement", *operators)
        grant_to_roles("fleet.dispatch_fleet", Role.UTILITY_OPERATOR)
        grant_to_roles("fleet.settle_energy", Role.UTILITY_OPERATOR)
        NAVIGATION.register(
            "fleet",
            NavigationItem(
                label="Batteries",
                url_name="fleet:devices",
                section="Fleet",
                permission="devices.view_device",
                shortcut="f",
            ),
        )
        HOME_PANELS.register(
            "fleet.devices",
            HomePanel(
                roles=frozenset({*operators, Role.SUPPORT_AGENT, Role.ADMIN}),
                template="fleet/home_panel.html",
                context=fleet_panel,
                permission="devices.view_device",
                order=15,
                reads=frozenset({"site"}),
            ),
        )
        # Each asks whether a market's day is due and does it once: a day when its forecast is
        # there, its settlement when the last telemetry has come. Often, for the demo's fast clock.
        often = timedelta(seconds=15)
        PERIODIC.register("fleet.dispatch", Periodic("fleet.dispatch_due", often, expires=often))
        PERIODIC.register("fleet.settle", Periodic("fleet.settle_due", often, expires=often))
