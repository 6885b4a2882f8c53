"""Fixtures that every part of the suite shares."""

from collections.abc import Callable, Iterator
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    Count no lines while a property is tried: the hundredth example covers what the first did.

    Coverage makes such a test take up to twice as long. What only properties run is then not
    counted as covered, so the figure is never too high.
    """
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker("no_cover")


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
def django_db_setup(
    django_db_modify_db_settings: Any, django_db_setup: None, django_db_blocker: Any
) -> None:
    """Keep a dump of a database that has just been migrated, and how to come back to it."""
    from tests import emptying

    django_db_modify_db_settings()
    with django_db_blocker.unblock():
        emptying.install()


@pytest.fixture(scope="module")
def rows_of_module(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """
    A transaction around a module, for rows that all its tests begin with.

    Each test runs in a savepoint of it, so a module that asks for it has no test that commits.
    """
    from django.db import transaction

    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def catalogue(rows_of_module: None) -> None:
    """The product's own commodities, holidays and shapes: a second of work, once for a module."""
    from energyopti.accounts.actors import Actor
    from trading.services.catalogue import ensure_catalogue

    ensure_catalogue(actor=Actor.system("test"))
