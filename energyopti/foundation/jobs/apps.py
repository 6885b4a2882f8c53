from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "energyopti.foundation.jobs"
    label = "jobs"
    verbose_name = "Jobs"
