"""Put our admin site in the place of Django's; apart, because apps load before models."""

from django.contrib.admin.apps import AdminConfig


class EnergyAdminConfig(AdminConfig):
    default_site = "energyopti.accounts.admin_site.EnergyAdminSite"
