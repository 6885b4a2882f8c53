from django.apps import AppConfig
from django.conf import settings


class ObservabilityConfig(AppConfig):
    name = "energyopti.observability"
    label = "observability"
    verbose_name = "Observability"

    def ready(self) -> None:
        from energyopti.accounts.roles import Role
        from energyopti.foundation.pages import HOME_PANELS, HomePanel

        from .logs import configure_logs
        from .readiness import READINESS, register_probes
        from .web.home import system_panel

        configure_logs()
        if "database" not in READINESS:
            register_probes()
        if "observability.system" not in HOME_PANELS:
            HOME_PANELS.register(
                "observability.system",
                HomePanel(
                    roles=frozenset({Role.ADMIN}),
                    template="observability/home_panel.html",
                    context=system_panel,
                    permission="jobs.follow_all_jobs",
                    order=10,
                ),
            )
        if settings.OTEL_ENABLED:
            from .traces import start_traces

            start_traces()
