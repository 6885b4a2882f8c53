import os
import pty
import signal
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

import pytest

from energyopti.embedded.__main__ import main
from energyopti.embedded.postgres import processes_in
from energyopti.embedded.servers import read_environment
from tests.embedded.waiting import wait_until

PROJECT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "energyopti.embedded", "--fast"]


def plain_environment(**extra: str) -> dict[str, str]:
    ours = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "MQTT_URL", "MQTT_BROKER")
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    return kept | {"PYTHONPATH": str(PROJECT)} | extra


def run(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    options = {"env": plain_environment(), "cwd": "/"} | options
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False, **options
    )


def run_as_nobody(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run with a Python that `nobody` can reach: ours may live under /root."""
    options = {"user": 65534, "group": 65534, "extra_groups": [], "cwd": "/"}
    for python in (sys.executable, "/usr/bin/python3.11", "/usr/bin/python3"):
        probe = 'test -x "$1" && "$1" -c "import sys; sys.exit(sys.version_info < (3, 11))"'
        if not subprocess.run(
            ["/bin/sh", "-c", probe, "sh", python], check=False, **options
        ).returncode:
            break
    else:
        pytest.skip("no Python 3.11 that the account nobody can run")
    packages = os.pathsep.join([str(PROJECT), sysconfig.get_path("purelib")])
    return subprocess.run(
        [python, "-m", "energyopti.embedded", "--fast", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=plain_environment(PYTHONPATH=packages, **environment),
        **options,
    )


def server_pids(state_dir: Path) -> set[int]:
    """Return the processes that have one of the three servers' folders as current directory."""
    folders = ("postgres/pgdata/cluster", "valkey/valkey", "mqtt/mqtt")
    return set().union(*(processes_in(state_dir / folder) for folder in folders))


def begin(state_dir: Path, *command: str, **options) -> subprocess.Popen:
    process = subprocess.Popen(
        [*COMMAND, "--state", str(state_dir), *command],
        env=plain_environment(),
        cwd="/",
        **options,
    )
    wait_until(lambda: read_environment(state_dir) != {} or process.poll() is not None)
    assert process.poll() is None
    return process


def test_command_sees_the_urls_and_its_exit_code_is_ours() -> None:
    done = run("--", "sh", "-c", 'echo "$DATABASE_URL $DATABASE_OWNER_URL $REDIS_URL"; exit 7')

    assert done.returncode == 7
    assert done.stdout.startswith("postgresql://eop_app:")
    assert "redis://:" in done.stdout
    assert done.stderr == ""


def test_command_ended_by_a_signal_and_command_not_found() -> None:
    killed = run("--", "sh", "-c", "kill -KILL $$")
    missing = run("--", "no-such-command")

    assert killed.returncode == 128 + signal.SIGKILL
    assert missing.returncode == 127
    assert missing.stderr == "no-such-command cannot be run (No such file or directory).\n"


def test_signal_reaches_the_command_and_servers_stop_after_it(folder: Path) -> None:
    state_dir = folder / "state"
    script = f"trap 'exit 5' TERM; touch {folder}/ready; while true; do sleep 0.05; done"
    process = begin(state_dir, "--", "sh", "-c", script)
    wait_until((folder / "ready").exists)

    process.send_signal(signal.SIGTERM)

    assert process.wait(30) == 5
    assert server_pids(state_dir) == set()


def test_ctrl_c_in_a_terminal_reaches_the_command_once(folder: Path) -> None:
    state_dir = folder / "state"
    script = (
        "import signal, sys, time\n"
        "count = []\n"
        "signal.signal(signal.SIGINT, lambda *_: count.append(1))\n"
        f"open({str(folder / 'ready')!r}, 'w').close()\n"
        "while not count: time.sleep(0.05)\n"
        "time.sleep(0.5)\n"
        "sys.exit(40 + len(count))\n"
    )
    (folder / "count.py").write_text(script)
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir("/")
        arguments = ["--state", str(state_dir), "--", sys.executable, str(folder / "count.py")]
        os.execve(sys.executable, [*COMMAND, *arguments], plain_environment())
    wait_until((folder / "ready").exists)

    os.write(terminal, b"\x03")

    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 41
    assert server_pids(state_dir) == set()


def test_without_a_command_prints_urls_and_waits_for_ctrl_c(folder: Path) -> None:
    state_dir = folder / "state"
    process = begin(state_dir, stdout=subprocess.PIPE, text=True)

    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=30)

    assert process.returncode == 0
    assert "DATABASE_URL=postgresql://eop_app:" in output
    assert "Ctrl-C stops the servers." in output
    assert read_environment(state_dir) == {}
    assert server_pids(state_dir) == set()


def test_killed_parent_takes_its_servers_along(folder: Path) -> None:
    state_dir = folder / "state"
    process = begin(state_dir, stdout=subprocess.DEVNULL)
    assert len(server_pids(state_dir)) >= 3

    process.kill()
    process.wait()

    wait_until(lambda: server_pids(state_dir) == set())
    wait_until(lambda: not (state_dir / "servers.env").exists())
    log = (state_dir / "postgres" / "server.log").read_text()
    assert "received fast shutdown request" in log
    # And the next one starts at once, without waiting for anything by hand.
    assert run("--state", str(state_dir), "--", "true").returncode == 0


def test_start_right_after_the_parent_was_killed_waits_for_its_servers(folder: Path) -> None:
    state_dir = folder / "state"
    process = begin(state_dir, stdout=subprocess.DEVNULL)
    process.kill()
    process.wait()

    assert run("--state", str(state_dir), "--", "true").returncode == 0


def test_dead_server_is_revived_and_reported(folder: Path) -> None:
    state_dir = folder / "state"
    process = begin(state_dir, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    (pid,) = processes_in(state_dir / "valkey" / "valkey")

    os.kill(pid, signal.SIGKILL)

    assert process.stderr is not None
    assert process.stderr.readline() == "valkey had died and runs again.\n"
    (revived,) = processes_in(state_dir / "valkey" / "valkey")
    assert revived != pid
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0


def test_refusal_is_one_sentence_without_a_traceback(folder: Path) -> None:
    (folder / "state").write_text("a file")

    refused = run("--state", str(folder / "state"), "--", "true")

    assert refused.returncode == 1
    assert refused.stderr == (
        f"{folder}/state is in the way (File exists): move it or name another folder.\n"
    )


def test_runs_as_an_ordinary_user(folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can try another account; the other tests run as an ordinary user")
    home = Path(tempfile.mkdtemp(dir=folder))
    os.chown(home, 65534, 65534)

    done = run_as_nobody(
        *("--state", str(home / "state"), "--"),
        *("sh", "-c", 'id -u; stat -c %u "$STATE/postgres/pgdata"; echo "$MQTT_URL"'),
        HOME=str(home),
        STATE=str(home / "state"),
    )

    assert done.stderr == ""
    assert done.returncode == 0
    assert done.stdout.startswith("65534\n65534\nmqtt://127.0.0.1:")


def test_folder_of_another_user_is_refused_with_a_sentence(folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make a folder that belongs to another account")

    refused = run_as_nobody("--state", str(folder / "state"), "--", "true")

    assert refused.returncode == 1
    assert refused.stderr == (
        f"{folder}/state is not ours to write (Permission denied): "
        "make the folder writable for this user or name another one.\n"
    )


@pytest.fixture
def given_urls(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "MQTT_URL"):
        monkeypatch.setenv(name, f"{name.lower()}-of-the-caller")


def test_given_urls_reach_the_command(given_urls, folder: Path) -> None:
    seen = folder / "seen"

    code = main(["--", "sh", "-c", f'echo "$DATABASE_URL $REDIS_URL" > {seen}; exit 9'])

    assert code == 9
    assert seen.read_text() == "database_url-of-the-caller redis_url-of-the-caller\n"
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()


def test_signal_from_another_process_is_passed_on(given_urls, folder: Path) -> None:
    # In a process of its own: another thread of pytest's could take the signal and end it.
    script = "trap 'exit 6' TERM; kill -TERM $PPID; while true; do sleep 0.05; done"

    done = subprocess.run([sys.executable, "-m", "energyopti.embedded", "--", "sh", "-c", script])

    assert done.returncode == 6


def test_without_a_command_a_signal_ends_the_wait(given_urls) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "energyopti.embedded"], stdout=subprocess.PIPE, text=True
    ) as waiting:
        assert waiting.stdout is not None
        first = waiting.stdout.readline()
        waiting.terminate()

        assert waiting.wait(20) == 0
        assert first == "DATABASE_URL=database_url-of-the-caller\n"


def test_command_that_does_not_exist_is_named(given_urls, capsys) -> None:
    assert main(["--", "no-such-command"]) == 127
    assert "no-such-command cannot be run" in capsys.readouterr().err


def test_refusal_goes_to_the_error_stream(given_urls, folder: Path, capsys) -> None:
    (folder / "state").write_text("a file")

    assert main(["--state", str(folder / "state"), "--", "true"]) == 1
    assert "is in the way" in capsys.readouterr().err
