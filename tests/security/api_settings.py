"""The test settings with the sample API as routes, for servers that tests start as processes."""

from energyopti.settings.test import *  # noqa: F403

ROOT_URLCONF = "tests.foundation.api.sample_urls"
API_THROTTLE_RATES = {"anonymous": (10_000, 60), "default": (10_000, 60)}
