from django.apps import AppConfig


class PartitionsConfig(AppConfig):
    name = "energyopti.foundation.partitions"
    label = "partitions"
    verbose_name = "Monthly partitions"
