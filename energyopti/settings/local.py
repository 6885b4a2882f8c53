"""
Settings of a developer's machine and of the demo: servers from wheels, no secrets of worth.

`make demo` writes the addresses of the servers it started to `.local/servers.env`; a `manage.py`
in a second terminal reads them there, so that both talk to the same database.
"""

import os
from pathlib import Path

import environ

LOCAL_STATE_DIR = Path(
    os.environ.get("EOP_STATE_DIR", Path(__file__).resolve().parents[2] / ".local")
)
environ.Env.read_env(LOCAL_STATE_DIR / "servers.env", overwrite=False)

from .base import *  # noqa: E402, F403
from .base import env  # noqa: E402

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env("SECRET_KEY", default="local-only-not-a-secret-" + "x" * 40)
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = LOCAL_STATE_DIR / "mail"
COMPONENT_GALLERY = True
IDP_OIDC_KEY_FILE = str(LOCAL_STATE_DIR / "token_key.pem")
# The demo's sign-ins have a password only; everywhere else these roles need a second factor.
MFA_REQUIRED_ROLES = env.list("MFA_REQUIRED_ROLES", default=[])
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
MEDIA_ROOT = LOCAL_STATE_DIR / "media"
