"""Fixtures that every part of the suite shares."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.servers import started

# No timed assertions: a busy machine is no finding. A failing example prints how to repeat it.
settings.register_profile(
    "suite", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("suite")

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data that lies beside the project, where there is one."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("../shared/data is not on this machine")
    return folder


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
) -> Callable[[], None]:
    """Let the test database begin as a copy of a migrated one; return what follows its making."""
    from tests import migrated

    if not (started and "postgres" in started[0].running):
        return lambda: None  # a server of the machine's own may have no such programs, or roles
    return migrated.begin(started[0].environment["DATABASE_OWNER_URL"])


@pytest.fixture(scope="session")
def django_db_setup(django_db_modify_db_settings: Any, django_db_setup: None) -> None:
    """Keep a dump of a database that has just been migrated, before a test writes to it."""
    django_db_modify_db_settings()
