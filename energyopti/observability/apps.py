from django.apps import AppConfig


class ObservabilityConfig(AppConfig):
    name = "energyopti.observability"
    label = "observability"
