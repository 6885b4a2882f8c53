import os
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest

from energyopti.embedded import account
from energyopti.embedded.account import (
    account_for,
    can_enter,
    private_folder,
    process_options,
    reachable_copy,
)
from energyopti.embedded.errors import ServerUnavailable
from energyopti.embedded.postgres import EmbeddedPostgres
from energyopti.embedded.valkey import find_program

needs_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root runs servers under another account"
)


@pytest.fixture
def closed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that only root can enter, as /root is, and a shelter that goes with the test."""
    shelters = folder / "shelters"
    shelters.mkdir()
    shelters.chmod(0o755)
    monkeypatch.setattr(account, "SHELTER_PARENT", shelters)
    path = folder / "closed"
    path.mkdir(mode=0o700)
    return path


@needs_root
def test_database_behind_a_closed_door_moves_to_the_shelter_and_keeps_its_rows(closed) -> None:
    data_dir = closed / "postgres"
    with EmbeddedPostgres(data_dir, durable=False) as server:
        with psycopg.connect(server.owner_url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept ()")
        assert server.folder.parent == account.SHELTER_PARENT / "energyopti-0"
        assert (data_dir / "moved-to").read_text() == f"{server.folder}\n"
        assert server.folder.stat().st_mode & 0o777 == 0o700

    with EmbeddedPostgres(data_dir, durable=False) as server:
        with psycopg.connect(server.url) as connection:
            assert connection.execute("SELECT * FROM kept").fetchall() == []
        server.destroy()

    assert not data_dir.exists()
    assert list((account.SHELTER_PARENT / "energyopti-0").iterdir()) == []


@needs_root
def test_program_behind_a_closed_door_is_copied_once_and_runs(closed) -> None:
    nobody = account_for(closed / "nothing-yet")
    program = Path(shutil.copy2(find_program(), closed))
    assert not can_enter(closed, nobody)

    copy = reachable_copy(program, "valkey-test", nobody)
    again = reachable_copy(program, "valkey-test", nobody)

    assert copy == again != program
    version = subprocess.run(
        [copy, "--version"], check=True, capture_output=True, text=True, **process_options(nobody)
    )
    assert "Valkey server" in version.stdout


@needs_root
def test_tree_of_programs_is_copied_with_its_links(closed) -> None:
    tree = closed / "tree"
    (tree / "bin").mkdir(parents=True)
    (tree / "bin" / "real").write_text("program")
    (tree / "bin" / "link").symlink_to("real")

    copy = reachable_copy(tree, "tree-1", account_for(tree / "nothing-yet"))

    assert copy != tree
    assert (copy / "bin" / "link").readlink() == Path("real")
    assert can_enter(copy / "bin", account_for(tree / "nothing-yet"))


@needs_root
def test_shelter_that_belongs_to_somebody_else_is_refused(closed) -> None:
    (account.SHELTER_PARENT / "energyopti-0").symlink_to(closed)

    with pytest.raises(ServerUnavailable, match="belongs to somebody else: remove it"):
        private_folder(closed / "postgres", "pgdata", account_for(closed / "x"))


@needs_root
def test_shelter_that_cannot_be_entered_either_is_refused(closed) -> None:
    account.SHELTER_PARENT.chmod(0o700)

    with pytest.raises(ServerUnavailable, match=r"Neither .* can be entered by user"):
        private_folder(closed / "postgres", "pgdata", account_for(closed / "x"))


@needs_root
def test_files_made_by_a_person_are_served_under_that_persons_account(folder: Path) -> None:
    made = folder / "pgdata"
    made.mkdir()
    os.chown(made, 12345, 12346)

    chosen = account_for(made)

    assert chosen is not None
    assert (chosen.uid, chosen.gid) == (12345, 12346)


def test_without_root_everything_runs_as_ourselves(folder: Path) -> None:
    assert process_options(None) == {}
    assert can_enter(folder, None)
    assert not can_enter(folder / "missing", None)
    assert reachable_copy(folder, "label", None) == folder
    private = private_folder(folder, "private", None)
    assert private == folder / "private"
    assert private.stat().st_mode & 0o777 == 0o700
