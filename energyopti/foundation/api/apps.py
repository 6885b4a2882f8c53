from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "energyopti.foundation.api"
    label = "api"
    verbose_name = "API"

    def ready(self) -> None:
        from . import schema  # noqa: F401  # registers the security scheme of sessions
