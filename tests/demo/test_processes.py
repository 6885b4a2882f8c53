"""The demo's parent starts, revives and ends what it started, and nothing else."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from energyopti.demo.processes import ProcessFailed, Supervisor


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]) -> Iterator[Supervisor]:
    supervisor = Supervisor(
        environment=os.environ, log_dir=tmp_path / "log", root=tmp_path, report=said.append
    )
    yield supervisor
    supervisor.stop()


def test_a_killed_program_comes_back(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.start("sleeper", ["-c", "import time; time.sleep(60)"])
    first = supervisor.pid("sleeper")

    os.kill(first, signal.SIGKILL)

    assert wait_until(lambda: supervisor.pid("sleeper") != first)
    assert alive(supervisor.pid("sleeper"))
    assert said == ["sleeper ended (-9); started again"]


def test_stop_ends_programs_and_their_children(supervisor: Supervisor, tmp_path: Path) -> None:
    child_file = tmp_path / "child"
    supervisor.start(
        "parent",
        [
            "-c",
            "import subprocess, pathlib, time\n"
            "child = subprocess.Popen(['sleep', '60'])\n"
            f"pathlib.Path({str(child_file)!r}).write_text(str(child.pid))\n"
            "time.sleep(60)",
        ],
    )
    assert wait_until(lambda: child_file.exists() and child_file.read_text() != "")
    bystander = subprocess.Popen(["sleep", "60"])

    supervisor.stop()

    assert not alive(supervisor.pid("parent"))
    assert wait_until(lambda: not alive(int(child_file.read_text())))
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_a_program_that_cannot_run_is_named_with_its_last_words(supervisor: Supervisor) -> None:
    with pytest.raises(ProcessFailed, match=r"no such table[\s\S]*“migrate” did not work"):
        supervisor.run_once("migrate", ["-c", "raise SystemExit('no such table')"])


def test_a_program_that_dies_again_and_again_is_given_up(supervisor: Supervisor) -> None:
    supervisor.start("broken", ["-c", "raise SystemExit(3)"])

    assert wait_until(lambda: bool(supervisor.failure), seconds=30)
    assert "“broken” died" in supervisor.failure


def test_programs_end_when_the_parent_is_killed(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    program = (
        "import os, pathlib, time\n"
        "from energyopti.demo.processes import Supervisor\n"
        f"folder = pathlib.Path({str(tmp_path)!r})\n"
        "s = Supervisor(environment=os.environ, log_dir=folder, root=folder, report=print)\n"
        "s.start('sleeper', ['-c', 'import time; time.sleep(60)'])\n"
        "(folder / 'pid').write_text(str(s.pid('sleeper')))\n"
        "time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=Path.cwd())
    assert wait_until(lambda: pid_file.exists() and pid_file.read_text() != "")

    parent.kill()
    parent.wait()

    assert wait_until(lambda: not alive(int(pid_file.read_text())))
