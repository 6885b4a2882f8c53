"""
pytest plugin: starts the embedded servers once for the whole run, before Django reads its settings.

Servers named by DATABASE_URL, REDIS_URL or MQTT_URL are used as they are.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ or "EOP_TEST_SERVERS" in os.environ:
        return  # the process that started this one has started the servers
    from energyopti.embedded.servers import start_servers

    state_dir = Path(tempfile.mkdtemp(prefix="eop-test-", dir="/var/tmp"))
    servers = start_servers(state_dir, durable=False, environ=os.environ)
    servers.__enter__()
    os.environ.update(servers.environment)
    os.environ["EOP_TEST_SERVERS"] = str(state_dir)

    def stop() -> None:
        servers.__exit__(None, None, None)
        shutil.rmtree(state_dir, ignore_errors=True)

    atexit.register(stop)
