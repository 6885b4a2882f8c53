"""Django app of model validation; it registers what the foundation itself can answer."""

from pathlib import Path

from django.apps import AppConfig


class ValidationConfig(AppConfig):
    name = "energyopti.foundation.validation"
    label = "validation"
    verbose_name = "Model validation"

    def ready(self) -> None:
        from energyopti.foundation.api.routes import register_api_routes
        from energyopti.foundation.pages import NAVIGATION, NavigationItem
        from energyopti.foundation.validation.adapters import register_adapters

        from .services.runs import PERMISSION
        from .shipped import ship_cases

        register_adapters()
        ship_cases("time", Path(__file__).parent / "shipped_cases.json")
        register_api_routes("validation", "energyopti.foundation.validation.api.urls")
        if "validation" not in NAVIGATION:
            NAVIGATION.register(
                "validation",
                NavigationItem(
                    "Model validation",
                    "validation:runs",
                    section="Risk",
                    permission=PERMISSION,
                    order=80,
                ),
            )
