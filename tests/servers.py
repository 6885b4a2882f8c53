"""
pytest plugin: starts embedded servers before Django reads its settings.

Each xdist worker has servers of its own: followers read up to the oldest transaction of the whole
cluster, and clearing the cache empties a Redis, so workers on shared servers would meet. Servers
named by DATABASE_URL, REDIS_URL or MQTT_URL are used as they are; run those in one process.
"""

import atexit
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from energyopti.embedded.servers import Servers

MARK = "EOP_TEST_SERVERS"
started: "list[Servers]" = []


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    hands_out_work = getattr(early_config.known_args_namespace, "numprocesses", None)
    is_worker = "PYTEST_XDIST_WORKER" in os.environ
    if (hands_out_work and not is_worker) or MARK in os.environ:
        return
    from energyopti.embedded.servers import start_servers

    servers = start_servers(None, durable=False, environ=os.environ)
    atexit.register(servers.stop)
    started.append(servers)
    os.environ.update(servers.environment)
    os.environ[MARK] = str(servers.state_dir)
