from django.apps import AppConfig
from django.conf import settings


class ObservabilityConfig(AppConfig):
    name = "energyopti.observability"
    label = "observability"
    verbose_name = "Observability"

    def ready(self) -> None:
        from .logs import configure_logs
        from .readiness import READINESS, register_probes

        configure_logs()
        if "database" not in READINESS:
            register_probes()
        if settings.OTEL_ENABLED:
            from .traces import start_traces

            start_traces()
