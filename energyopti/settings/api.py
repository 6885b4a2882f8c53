"""Settings of the REST API: DRF, problem documents, throttles and the OpenAPI document."""

from typing import Any

import environ

env = environ.Env()

# Proxies in front of us that append to X-Forwarded-For. 0: nobody is believed, the peer counts.
API_TRUSTED_PROXY_COUNT: int = env.int("API_TRUSTED_PROXY_COUNT", default=0)
# A JSON body larger than this is refused with 413; a view may set its own `max_body_bytes`.
API_MAX_BODY_BYTES: int = env.int("API_MAX_BODY_BYTES", default=2 * 1024 * 1024)
# What an ASGI server takes of any body before it closes the line; above every view's own bound.
ASGI_MAX_BODY_BYTES: int = env.int("ASGI_MAX_BODY_BYTES", default=128 * 1024 * 1024)
# (requests, seconds) by role (group); somebody with several roles has the highest rate of them.
API_THROTTLE_RATES: dict[str, tuple[int, int]] = {
    "anonymous": (60, 60),
    "default": (600, 60),
    "Partner": (1200, 60),
    "Utility Operator": (3000, 60),
    "Device Operator": (3000, 60),
    "Admin": (1200, 60),
}
# Answers to an Idempotency-Key are kept at least this long.
API_IDEMPOTENCY_HOURS: int = env.int("API_IDEMPOTENCY_HOURS", default=48)

REST_FRAMEWORK: dict[str, Any] = {
    # The first one says what a stranger is answered (401 with its challenge).
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "energyopti.accounts.api.authentication.BearerAuthentication",
        "energyopti.foundation.api.authentication.BrowserSession",
    ],
    # A view that declares no permission for a method is closed to everybody.
    "DEFAULT_PERMISSION_CLASSES": ["energyopti.accounts.api.permissions.PermissionRequired"],
    "DEFAULT_PARSER_CLASSES": ["energyopti.foundation.api.parsing.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_THROTTLE_CLASSES": ["energyopti.foundation.api.throttling.ClientThrottle"],
    "DEFAULT_PAGINATION_CLASS": "energyopti.foundation.api.pagination.CursorPage",
    "DEFAULT_SCHEMA_CLASS": "energyopti.foundation.api.schema.OperationSchema",
    # OPTIONS answers 405: the OpenAPI document describes the routes.
    "DEFAULT_METADATA_CLASS": None,
    "EXCEPTION_HANDLER": "drf_standardized_errors.handler.exception_handler",
    "COERCE_DECIMAL_TO_STRING": True,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "TEST_REQUEST_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}

DRF_STANDARDIZED_ERRORS = {
    "EXCEPTION_HANDLER_CLASS": "energyopti.foundation.api.problems.ProblemHandler",
    "EXCEPTION_FORMATTER_CLASS": "energyopti.foundation.api.problems.ProblemFormatter",
    # The answer of a debug server is a problem document too; the trace is in its log.
    "ENABLE_IN_DEBUG_FOR_UNHANDLED_EXCEPTIONS": True,
}

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "EnergyOpti-Pro",
    "DESCRIPTION": (
        "Trading, risk, battery fleets, compliance and billing. Decimals travel as strings, times "
        "as ISO 8601 with an offset, periods half-open. Errors are `application/problem+json` "
        "(RFC 9457) with a stable `code`. Unknown fields and repeated keys are refused. See "
        "`docs/api.md` of the project for keys, pages, limits and versions."
    ),
    "VERSION": "v1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": r"/api/v1/",
    "SCHEMA_PATH_PREFIX_TRIM": False,
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "CAMELIZE_NAMES": False,
    "PREPROCESSING_HOOKS": ["energyopti.foundation.api.schema.only_versioned_routes"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "devices.api.schema.describe_device_routes",
        "energyopti.foundation.api.schema.describe_common_parts",
    ],
    "ENUM_NAME_OVERRIDES": {
        "BreachStateEnum": "risk.enums.BREACH_STATES",
        "JobStateEnum": "energyopti.foundation.jobs.models.JobState",
        "CalibrationBasisEnum": "trading.enums.CalibrationBasis",
        "CounterpartyStatusEnum": "trading.models.CounterpartyStatus",
        "CaseStatusEnum": "energyopti.foundation.validation.models.STATUS_CHOICES",
        "ModelStatusEnum": "energyopti.foundation.proposals.models.VersionStatus",
        "ProcessKindEnum": "trading.enums.ProcessKind",
    },
}
