"""
Settings that hold everywhere. The environment is read here, once, with types.

`local`, `test` and `production` start from this file; only `production` insists on secrets.
"""

import sys
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF

from .api import *  # noqa: F403
from .identity import *  # noqa: F403
from .observability import *  # noqa: F403

BASE_DIR = Path(__file__).resolve().parents[2]
env = environ.Env()

DEBUG = False
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SITE_ID = 1
ROOT_URLCONF = "energyopti.urls"
WSGI_APPLICATION = "energyopti.wsgi.application"
ASGI_APPLICATION = "energyopti.asgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "energyopti.apps.ProjectConfig",
    "energyopti.foundation.events",
    "energyopti.foundation.jobs",
    "energyopti.foundation.api",
    "energyopti.foundation.validation",
    "energyopti.foundation.tables",
    "energyopti.foundation.partitions",
    "energyopti.accounts",
    "energyopti.observability",
    "energyopti.portal",
    "trading",
    "risk",
    "devices",
    "devices.schedules",
    "devices.telemetry",
    "fleet",
    "compliance.audit",
    "compliance.esg",
    "billing",
    "support",
    "energyopti.accounts.admin_config.EnergyAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.sites",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.socialaccount.providers.saml",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.headless",
    "allauth.idp.oidc",
    "guardian",
    "rest_framework",
    "drf_spectacular",
    "drf_standardized_errors",
    "channels",
    "csp",
    "django_celery_beat",
    "django_cotton",
    "django_filters",
    "django_htmx",
    "django_prometheus",
    "django_structlog",
    "django_tables2",
    "waffle",
]

MIDDLEWARE = [
    "django_prometheus.middleware.PrometheusBeforeMiddleware",
    "energyopti.foundation.api.middleware.ApiMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "energyopti.portal.web.compression.PageCompression",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "energyopti.observability.correlation.RequestIdMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "energyopti.portal.web.zone.ZoneMiddleware",
    "energyopti.accounts.sign_in.middleware.SessionActivityMiddleware",
    "energyopti.accounts.sign_in.middleware.SecondFactorMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "waffle.middleware.WaffleMiddleware",
    "django_prometheus.middleware.PrometheusAfterMiddleware",
]

TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "energyopti.portal.web.frame.frame",
            ],
        },
    },
]

# Commands that change the schema run as the owner; every other process runs as the application's
# role, which can neither alter tables nor rewrite facts (DESIGN §6).
SCHEMA_COMMANDS = {"migrate", "sqlmigrate", "makemigrations", "flush", "createcachetable"}
_database_variable = "DATABASE_URL"
if len(sys.argv) > 1 and sys.argv[1] in SCHEMA_COMMANDS and env("DATABASE_OWNER_URL", default=""):
    _database_variable = "DATABASE_OWNER_URL"

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **env.db(_database_variable, default="postgres://eop_app@127.0.0.1/eop"),
        "ATOMIC_REQUESTS": False,
        "CONN_MAX_AGE": 0,
        "OPTIONS": {
            "options": (
                "-c timezone=UTC -c lock_timeout=10s "
                f"-c statement_timeout={env('DATABASE_STATEMENT_TIMEOUT', default='30s')}"
            ),
            "pool": {
                "min_size": 1,
                "max_size": env.int("DATABASE_POOL_MAX", default=8),
                "timeout": 10,
                "reconnect_timeout": 4,
            },
        },
    }
}
DATABASES["default"]["ENGINE"] = "django.db.backends.postgresql"
# The role that the application runs as; `migrate` grants it what it needs and no more.
DATABASE_APPLICATION_ROLE: str = env(
    "DATABASE_APPLICATION_ROLE",
    default=env.db("DATABASE_URL", default="postgres:///").get("USER") or "",
)
# LISTEN and session advisory locks do not work through a transaction pooler.
DATABASE_DIRECT_URL: str = env("DATABASE_DIRECT_URL", default=env("DATABASE_URL", default=""))

# The demo's accelerated clock: how many times as fast as the wall's, and the file of its course.
# Speed 1 is the wall clock.
CLOCK_SPEED: float = env.float("CLOCK_SPEED", default=1)
CLOCK_FILE: str = env("CLOCK_FILE", default="")

REDIS_URL: str = env("REDIS_URL", default="redis://127.0.0.1:6379/0")
REDIS_PREFIX: str = env("REDIS_PREFIX", default="eop")
MQTT_URL: str = env("MQTT_URL", default="mqtt://127.0.0.1:1883")
MQTT_TOPIC_ROOT: str = env("MQTT_TOPIC_ROOT", default="eop")

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": f"{REDIS_PREFIX}:cache",
    }
}

CELERY_BROKER_URL: str = env("CELERY_BROKER_URL", default=REDIS_URL)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": f"{REDIS_PREFIX}:celery:",
    # An unacknowledged task is handed out again after this many seconds; verbs are idempotent.
    "visibility_timeout": 600,
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "energyopti.foundation.jobs.beat:LeasedScheduler"

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "energyopti.portal.web.errors.csrf_failure"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "worker-src": [SELF, "blob:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
# A body larger than this is refused before it is parsed (bulk schedule posts set their own bound).
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static_root"
STATICFILES_DIRS = [BASE_DIR / "static"]
if (BASE_DIR / "static_build").is_dir():  # the npm bundle; pages work without it
    STATICFILES_DIRS.append(BASE_DIR / "static_build")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MEDIA_ROOT = Path(env("MEDIA_ROOT", default=str(BASE_DIR / "media")))

DEFAULT_FROM_EMAIL: str = env(
    "DEFAULT_FROM_EMAIL", default="EnergyOpti-Pro <noreply@energyopti.invalid>"
)
# Where people reach this installation, for links in mails.
PUBLIC_URL: str = env("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
# A folder of files of reference cases that the model-validation page offers beside its own.
REFERENCE_CASES_DIR: str = env("REFERENCE_CASES_DIR", default="")
# Files CODE.password, CODE.ca.pem and CODE.pem of each venue that sends drop copies.
DROP_COPY_SECRETS_DIR: str = env("DROP_COPY_SECRETS_DIR", default="")
# Alert channels may not lead into our own network unless an operator says so.
SUPPORT_ALLOW_PRIVATE_CHANNELS: bool = env.bool("SUPPORT_ALLOW_PRIVATE_CHANNELS", default=False)
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
DJANGO_TABLES2_TEMPLATE = "tables/table.html"
FILTERS_EMPTY_CHOICE_LABEL = "Any"
