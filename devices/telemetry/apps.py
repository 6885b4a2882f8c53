from django.apps import AppConfig


class TelemetryConfig(AppConfig):
    name = "devices.telemetry"
    label = "telemetry"
    verbose_name = "Device telemetry"

    def ready(self) -> None:
        from energyopti.accounts.roles import Role, grant_to_roles

        grant_to_roles(
            "telemetry.read_telemetry",
            Role.DEVICE_OPERATOR,
            Role.ENERGY_MANAGER,
            Role.UTILITY_OPERATOR,
            Role.SUPPORT_AGENT,
        )
