from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "energyopti.portal"
    label = "portal"
