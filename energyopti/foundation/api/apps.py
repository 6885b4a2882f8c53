from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "energyopti.foundation.api"
    label = "api"
    verbose_name = "API"
