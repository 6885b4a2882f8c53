"""Settings of the processes that the kill test starts: the event log and nothing else."""

import os

import environ

SECRET_KEY = "test-only"
INSTALLED_APPS = ["energyopti.foundation.events"]
DATABASES = {"default": environ.Env().db_url_config(os.environ["KILL_DATABASE_URL"])}
DATABASE_DIRECT_URL = os.environ["KILL_DATABASE_URL"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
