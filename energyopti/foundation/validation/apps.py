"""Django app of model validation; it registers what the foundation itself can answer."""

from django.apps import AppConfig


class ValidationConfig(AppConfig):
    name = "energyopti.foundation.validation"
    label = "validation"
    verbose_name = "Model validation"

    def ready(self) -> None:
        from energyopti.foundation.validation.adapters import register_adapters

        register_adapters()
