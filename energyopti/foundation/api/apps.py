from datetime import timedelta

from django.apps import AppConfig


class ApiConfig(AppConfig):
    name = "energyopti.foundation.api"
    label = "api"
    verbose_name = "API"

    def ready(self) -> None:
        from energyopti.foundation.jobs.schedule import PERIODIC, Periodic

        from . import schema  # noqa: F401  # registers the security scheme of sessions

        PERIODIC.register(
            "api.purge_answers",
            Periodic("api.purge_answers", timedelta(hours=1), expires=timedelta(minutes=30)),
        )
