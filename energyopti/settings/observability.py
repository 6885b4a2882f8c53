"""
Settings of logs, metrics and traces. A part of `base`.

Logs are one JSON object a line on standard error; `LOG_FORMAT=console` is for a developer's eyes.
"""

import os
from typing import Any

import environ

env = environ.Env()

LOG_FORMAT: str = env("LOG_FORMAT", default="json")
LOG_LEVEL: str = env("LOG_LEVEL", default="INFO")

DJANGO_STRUCTLOG_CELERY_ENABLED = True
# One line a request: when it has finished, with its status. Its start is for debugging.
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = 10
DJANGO_STRUCTLOG_STATUS_4XX_LOG_LEVEL = 20
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = False

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": {
            "()": "energyopti.observability.logs.formatter",
            "log_format": LOG_FORMAT,
        },
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "structured"},
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django.server": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        # The request line of django_structlog says the same with the correlation id.
        "django.request": {"level": "ERROR"},
        # A line for each poll of each battery says nothing that the server does not say.
        "httpx": {"level": "WARNING"},
    },
}

# Who may read /metrics: these addresses, or whoever shows this bearer token.
METRICS_ALLOWED_ADDRESSES: list[str] = env.list(
    "METRICS_ALLOWED_ADDRESSES", default=["127.0.0.1", "::1"]
)
METRICS_TOKEN: str = env("METRICS_TOKEN", default="")
PROMETHEUS_EXPORT_MIGRATIONS = False

# Traces are exported when the standard variable names a collector, and cost nothing otherwise.
OTEL_ENABLED: bool = bool(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"))
