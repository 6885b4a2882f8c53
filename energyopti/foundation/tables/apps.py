from django.apps import AppConfig


class TablesConfig(AppConfig):
    name = "energyopti.foundation.tables"
    label = "tables"
    verbose_name = "List pages and saved views"
