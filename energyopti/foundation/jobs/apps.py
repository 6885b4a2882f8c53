from datetime import timedelta

from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "energyopti.foundation.jobs"
    label = "jobs"
    verbose_name = "Jobs"

    def ready(self) -> None:
        from energyopti.foundation.api.routes import register_api_routes
        from energyopti.foundation.pages import NAVIGATION, NavigationItem

        from .schedule import PERIODIC, Periodic

        register_api_routes("jobs", "energyopti.foundation.jobs.api.urls", is_collection=True)
        PERIODIC.register(
            "jobs.sweep",
            Periodic("jobs.sweep", timedelta(seconds=30), expires=timedelta(seconds=30)),
        )
        NAVIGATION.register(
            "jobs",
            NavigationItem(
                "Jobs", "jobs:list", section="System", permission="jobs.follow_job", order=900
            ),
        )
