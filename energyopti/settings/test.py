"""Settings of the test suite: real servers in a temporary folder, fast hashes, mail in memory."""

import os

from .base import *  # noqa: F403
from .base import CACHES, CELERY_BROKER_TRANSPORT_OPTIONS, DATABASES, env

# Every xdist worker has keys and topics of its own on the shared servers.
REDIS_PREFIX = f"eop-test-{os.getppid()}-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
MQTT_TOPIC_ROOT = REDIS_PREFIX
CACHES["default"]["KEY_PREFIX"] = f"{REDIS_PREFIX}:cache"
CELERY_BROKER_TRANSPORT_OPTIONS["global_keyprefix"] = f"{REDIS_PREFIX}:celery:"

SECRET_KEY = "test-only-" + "t" * 50
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
DATABASES["default"]["OPTIONS"].pop("pool")
# The test database is created, migrated and flushed by the role that owns it.
if env("DATABASE_OWNER_URL", default=""):
    DATABASES["default"].update(
        {key: value for key, value in env.db("DATABASE_OWNER_URL").items() if key != "OPTIONS"},
        ENGINE="django.db.backends.postgresql",
    )
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
COMPONENT_GALLERY = True
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
# Beside the run's own servers, so that it goes when they go.
IDP_OIDC_KEY_FILE = f"{os.environ.get('EOP_TEST_SERVERS', '.local')}/token_key.pem"
MFA_REQUIRED_ROLES = []
ACCOUNT_RATE_LIMITS = False  # type: ignore[assignment]  # allauth's own word; tests of the limits bring their own
# Tests share one address and run fast; the tests of the limits bring their own rates.
API_THROTTLE_RATES = {"anonymous": (100_000, 60), "default": (100_000, 60)}
