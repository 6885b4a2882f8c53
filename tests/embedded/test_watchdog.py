import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from energyopti.embedded.server_process import GATE
from energyopti.embedded.watchdog import Watchdog, watch
from tests.embedded.waiting import wait_until

NO_PROCESS = 2**22 + 1  # above the kernel's largest process id


@pytest.fixture
def watchdog() -> Iterator[Watchdog]:
    watchdog = Watchdog()
    yield watchdog
    watchdog.close()


def heed_signals() -> None:
    """Undo what the run was started with: a shell's background job ignores SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"], preexec_fn=heed_signals)
    yield process
    process.kill()
    process.wait()


def test_closing_ends_what_is_guarded_by_its_signal_and_removes_files(
    folder, watchdog, sleeper
) -> None:
    environment_file, state = folder / "servers.env", folder / "state"
    environment_file.touch()
    (state / "deep").mkdir(parents=True)
    watchdog.guard(sleeper.pid, signal.SIGINT)
    watchdog.remove(environment_file)
    watchdog.remove(state)
    watchdog.remove(folder / "never-made")

    watchdog.close()

    assert sleeper.wait(10) == -signal.SIGINT
    assert not environment_file.exists()
    assert not state.exists()


def test_what_was_released_or_kept_is_left_alone(folder, watchdog, sleeper) -> None:
    kept = folder / "kept"
    kept.touch()
    watchdog.guard(sleeper.pid, signal.SIGINT)
    watchdog.release(sleeper.pid)
    watchdog.remove(kept)
    watchdog.keep(kept)

    watchdog.close()

    assert sleeper.poll() is None
    assert kept.exists()


def test_killed_watchdog_is_replaced_and_knows_what_the_first_one_knew(watchdog, sleeper) -> None:
    watchdog.guard(sleeper.pid, signal.SIGTERM)
    first = watchdog._process
    first.kill()
    first.wait()

    watchdog.release(NO_PROCESS)
    watchdog.guard(NO_PROCESS, signal.SIGTERM)
    assert watchdog._process is not first
    watchdog.close()

    assert sleeper.wait(10) == -signal.SIGTERM


def test_forked_child_does_not_end_its_parents_servers(watchdog, sleeper) -> None:
    watchdog.guard(sleeper.pid, signal.SIGTERM)

    child = os.fork()
    if child == 0:
        watchdog.release(sleeper.pid)
        watchdog.close()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    assert sleeper.poll() is None
    watchdog.close()
    assert sleeper.wait(10) == -signal.SIGTERM


def test_owners_death_counts_even_while_somebody_holds_the_pipe(folder: Path) -> None:
    """A forked worker inherits the pipe, so that it does not close with its owner."""
    script = (
        "import os, subprocess, time\n"
        "from energyopti.embedded.watchdog import Watchdog\n"
        "watchdog = Watchdog()\n"
        "server = subprocess.Popen(['sleep', '60'])\n"
        "watchdog.guard(server.pid, 15)\n"
        "if os.fork() == 0:\n"
        "    time.sleep(60)\n"
        "    os._exit(0)\n"
        "print(server.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    project = Path(__file__).resolve().parents[2]
    owner = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=project,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert owner.stdout is not None
    server = int(owner.stdout.readline())

    owner.kill()
    owner.wait()

    wait_until(lambda: not _runs(server))
    os.killpg(owner.pid, signal.SIGKILL)  # the forked worker, which would sleep on
    owner.stdout.close()


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_stubborn_process_is_killed_after_the_grace(folder, monkeypatch) -> None:
    monkeypatch.setattr("energyopti.embedded.watchdog.GRACE_SECONDS", 0.2)
    stubborn = subprocess.Popen(
        ["/bin/sh", "-c", f"trap '' TERM; touch {folder}/ready; while true; do sleep 0.05; done"]
    )
    wait_until((folder / "ready").exists)
    orders, ours = os.pipe()
    ourselves = os.pidfd_open(os.getpid())
    watching = threading.Thread(target=watch, args=(ourselves, orders))
    watching.start()

    os.write(ours, f"guard\0{stubborn.pid}\0{int(signal.SIGTERM)}\n".encode())
    os.write(ours, f"guard\0{NO_PROCESS}\0{int(signal.SIGTERM)}\nrelease\0{NO_PROCESS}\n".encode())
    os.close(ours)

    assert stubborn.wait(10) == -signal.SIGKILL
    watching.join(10)
    os.close(orders)
    os.close(ourselves)


def test_orders_in_pieces_are_put_together(folder: Path) -> None:
    first, second = folder / "first", folder / "second"
    first.touch()
    second.touch()
    orders, ours = os.pipe()
    ourselves = os.pidfd_open(os.getpid())
    watching = threading.Thread(target=watch, args=(ourselves, orders))

    beginning, rest = str(second)[:4], str(second)[4:]
    os.write(ours, f"remove\0{first}\nremove\0{beginning}".encode())
    watching.start()
    os.write(ours, f"{rest}\nkeep\0{first}\n".encode())
    os.close(ours)
    watching.join(10)

    assert first.exists()
    assert not second.exists()
    os.close(orders)
    os.close(ourselves)


def test_server_whose_owner_dies_before_the_watchdog_knows_it_never_begins(folder: Path) -> None:
    command = [*GATE, "touch", str(folder / "begun")]

    subprocess.run(command, input=b"", check=False, timeout=10)
    assert not (folder / "begun").exists()

    subprocess.run(command, input=b"go\n", check=True, timeout=10)
    assert (folder / "begun").exists()


def test_server_gets_what_follows_the_word() -> None:
    done = subprocess.run([*GATE, "cat"], input=b"go\nport 1\n", check=True, capture_output=True)

    assert done.stdout == b"port 1\n"
