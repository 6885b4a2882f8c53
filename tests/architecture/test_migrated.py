"""The test database, a copy of a dump, is what the migrations make of an empty one."""

import os
import subprocess
import sys

import psycopg
import pytest

from tests import migrated
from tests.servers import started

pytestmark = pytest.mark.django_db


@pytest.mark.slow
def test_a_copy_has_every_table_rule_and_right_that_the_migrations_make(tmp_path):
    if not started:
        pytest.skip("the database server is not the tests' own")
    owner_url = started[0].environment["DATABASE_OWNER_URL"]
    with psycopg.connect(owner_url, autocommit=True) as server:
        server.execute("CREATE DATABASE eop_from_scratch")
    migrate(owner_url, "eop_from_scratch")
    # PostgreSQL writes some rules with other casts once it has read them back.
    dump = tmp_path / "from_scratch"
    migrated.dumped(owner_url, "eop_from_scratch", "--format=custom", f"--file={dump}")
    migrated.restore(dump, owner_url, "eop_read_back")
    migrate(owner_url, "eop_read_back")
    # A copy of its own: the tests before this one may have made partitions in theirs.
    migrated.restore(migrated.dump_file(), owner_url, "eop_copied")
    migrate(owner_url, "eop_copied")

    made = schema(owner_url, "eop_read_back")
    copied = schema(owner_url, "eop_copied")

    assert len(made) > 4_000
    assert copied == made


def migrate(owner_url: str, database: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"],
        check=True,
        env=os.environ | {"DATABASE_OWNER_URL": f"{owner_url.rpartition('/')[0]}/{database}"},
    )


def schema(owner_url: str, database: str) -> list[str]:
    """Every line that makes it, in an order of its own: rows of a dump come by their numbers."""
    return sorted(
        line
        for line in migrated.dumped(owner_url, database, "--schema-only").splitlines()
        if line and not line.startswith(("--", "\\restrict", "\\unrestrict"))
    )
