"""
Settings of a production host. Refuses to start without its secrets, naming each one missing.

A secret NAME may come from the environment, or from the file that NAME_FILE points at.
"""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

REQUIRED = {
    "SECRET_KEY": "signs sessions; 50 random characters or more",
    "DATABASE_URL": "the application's role on PostgreSQL",
    "REDIS_URL": "cache, queue and live hub",
    "MQTT_URL": "the broker of the devices",
    "ALLOWED_HOSTS": "comma-separated host names that this site answers to",
    "IDP_OIDC_PRIVATE_KEY": "PEM of the RSA key that signs partner tokens",
}

for _name in REQUIRED:
    _file = os.environ.get(f"{_name}_FILE")
    if _file and _name not in os.environ:
        try:
            os.environ[_name] = Path(_file).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{_name}_FILE={_file} cannot be read: {error}") from error
_missing = [f"{name} ({why})" for name, why in REQUIRED.items() if not os.environ.get(name)]
if _missing:
    raise ImproperlyConfigured("production needs: " + "; ".join(_missing))

from .base import *  # noqa: E402, F403
from .base import env  # noqa: E402

SECRET_KEY = env("SECRET_KEY")
if len(SECRET_KEY) < 50:
    raise ImproperlyConfigured("SECRET_KEY is shorter than 50 characters")

SECURE_SSL_REDIRECT = True
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
COMPONENT_GALLERY = False
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https"
