"""Settings of the reference of `device_poll`: the product's, with one more route."""

import importlib

globals().update(vars(importlib.import_module("energyopti.settings.test")))
ROOT_URLCONF = "tests.benchmarks.hello_urls"
