from datetime import timedelta

from django.apps import AppConfig


class DevicesConfig(AppConfig):
    name = "devices"
    label = "devices"
    verbose_name = "Devices"

    def ready(self) -> None:
        from energyopti.accounts.roles import Role, grant_to_roles

        operators = (Role.DEVICE_OPERATOR, Role.ENERGY_MANAGER, Role.UTILITY_OPERATOR)
        grant_to_roles("devices.view_device", *operators, Role.SUPPORT_AGENT, Role.PARTNER)
        grant_to_roles("devices.register_device", Role.DEVICE_OPERATOR, Role.ENERGY_MANAGER)
        grant_to_roles(
            "devices.publish_schedule",
            Role.DEVICE_OPERATOR,
            Role.UTILITY_OPERATOR,
            Role.PARTNER,
        )

        from devices.schedules.services.publication import (
            DraftsOverlap,
            UnknownDevices,
            VersionConflict,
        )
        from energyopti.accounts.scopes import register_scope
        from energyopti.foundation.api.problems import register_problem
        from energyopti.foundation.api.routes import register_api_routes
        from energyopti.foundation.jobs.schedule import PERIODIC, Periodic

        from .scope import register_site_scope

        register_site_scope()
        PERIODIC.register("devices.tidy", Periodic("devices.tidy_tables", timedelta(minutes=5)))
        register_scope("devices:write", "Publish schedules to devices")
        register_api_routes("devices", "devices.api.urls")
        register_problem(UnknownDevices, status=404, code="unknown_devices")
        register_problem(VersionConflict, status=409, code="version_conflict")
        register_problem(DraftsOverlap, status=400, code="schedules_overlap")
