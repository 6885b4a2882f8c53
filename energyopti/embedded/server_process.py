"""What the three embedded servers share: folder, lock, port, log, start, stop and restart."""

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from energyopti.embedded.account import Account, account_for, private_folder, process_options
from energyopti.embedded.errors import ServerUnavailable, disk_full, explain_output, explained
from energyopti.embedded.ports import free_port, is_free
from energyopti.embedded.watchdog import Watchdog

WATCHDOG = Watchdog()
START_SECONDS = 60.0
STOP_SECONDS = 15.0
# A predecessor whose owner was killed is being stopped by its watchdog.
PREDECESSOR_SECONDS = 15.0
# Clients may hold the port of a dead server for a moment (half-open connections).
SAME_PORT_SECONDS = 10.0
LOWEST_FREE_BYTES = 100_000_000
LARGEST_LOG_BYTES = 10_000_000
# The server begins at a word of ours, given when the watchdog knows it: were we killed in between,
# the shell reads the end of the pipe and leaves. Each client is an open file, and login shells
# allow 1,024 of them.
GATE = ("/bin/sh", "-c", 'read -r go || exit; ulimit -n "$(ulimit -H -n)"; exec "$@"', "sh")


class EmbeddedServer(ABC):
    """
    A server of ours on 127.0.0.1 with its files in one folder.

    data_dir   ours alone; holds the server's files, its log, its port and its password
    port       wanted port; None takes the one used before when it is free, else a free one
    durable    False trades safety against power loss for speed, for tests
    """

    title: ClassVar[str]
    folder_name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, data_dir: Path, port: int | None = None, durable: bool = True) -> None:
        self.data_dir = Path(data_dir).absolute()
        self.durable = durable
        self.account: Account | None = None
        self.folder = self.data_dir / self.folder_name
        self._wanted_port = port
        self._port: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None

    @abstractmethod
    def _prepare(self) -> None:
        """Find the program and make the server's files where they are missing."""

    @abstractmethod
    def _command(self) -> list[str]:
        """Return the command line of the server on `self.port`."""

    @abstractmethod
    def answers(self) -> bool:
        """Tell whether the server answers in its own protocol now."""

    def _standard_input(self) -> bytes:
        return b""

    def _clear_leftovers(self) -> None:  # noqa: B027  (most servers have nothing to clear)
        """Remove what a killed predecessor left behind."""

    def _explain(self, output: str) -> ServerUnavailable:
        common = explain_output(server=self.title, output=output, folder=self.folder)
        if common is not None:
            return common
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        reason = lines[-1] if lines else "it ended without a word"
        return ServerUnavailable(f"{self.title} did not start: {reason} (see {self.log_path}).")

    @property
    def port(self) -> int:
        """Return the port; known once the server was started."""
        if self._port is None:
            raise ServerUnavailable(f"{self.title} has no port yet: start it first.")
        return self._port

    @property
    def pid(self) -> int | None:
        """Return the server's process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def log_path(self) -> Path:
        """Return where the server's output goes."""
        return self.data_dir / "server.log"

    def start(self) -> None:
        """
        Start the server and return when it answers.

        :raises ServerUnavailable: with a sentence for the person who must act.
        """
        if self.pid is not None:
            return
        with contextlib.ExitStack() as undo, explained(self.data_dir):
            self.data_dir.mkdir(parents=True, exist_ok=True)
            if shutil.disk_usage(self.data_dir).free < LOWEST_FREE_BYTES:
                raise disk_full(self.data_dir)
            self._acquire_lock()
            undo.callback(self._release_lock)
            self.account = account_for(self.data_dir / self.folder_name)
            self.folder = private_folder(self.data_dir, self.folder_name, self.account)
            self._prepare()
            self._launch(self._choose_port())
            undo.pop_all()

    def restart(self) -> None:
        """
        Stop the server if it still runs and start it again on the same port.

        :raises ServerUnavailable: it cannot come back, or another program took the port.
        """
        if self._lock is None or self._port is None:
            self.start()
            return
        self._halt()
        deadline = time.monotonic() + SAME_PORT_SECONDS
        while not is_free(self._port) and time.monotonic() < deadline:
            time.sleep(0.02)
        with explained(self.data_dir):
            self._launch(self._port, fixed=True)

    def stop(self) -> None:
        """Stop the server in order, and let others have its folder."""
        self._halt()
        self._release_lock()

    def destroy(self) -> None:
        """Stop the server and delete its folder with everything in it."""
        self.stop()
        for folder in {self.folder, self.data_dir}:
            if folder.exists():
                shutil.rmtree(folder)

    def has_died(self) -> bool:
        """Tell whether the server was started and has ended without being told to."""
        return self._process is not None and self._process.poll() is not None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _secret(self, name: str) -> str:
        """Return the password kept in the file `name`, made at the first call."""
        path = self.data_dir / name
        with explained(path):
            if path.exists():
                return path.read_text().strip()
            secret = secrets.token_hex(24)
            draft = path.with_name(f"{name}.new")
            draft.unlink(missing_ok=True)
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secret + "\n")
            draft.rename(path)
            return secret

    def _choose_port(self) -> int:
        if self._wanted_port is not None:
            return self._wanted_port
        try:
            remembered = int((self.data_dir / "port").read_text())
        except (FileNotFoundError, ValueError):
            return free_port()
        return remembered if is_free(remembered) else free_port()

    def _launch(self, port: int, *, fixed: bool = False) -> None:
        for _ in range(5):
            if self._attempt(port):
                (self.data_dir / "port").write_text(f"{port}\n")
                return
            if fixed or self._wanted_port is not None:
                break
            port = free_port()
        raise ServerUnavailable(
            f"Port {port} on 127.0.0.1 is taken by another program: "
            f"stop that program or give {self.title} another port."
        )

    def _attempt(self, port: int) -> bool:
        """Start once; False when somebody else has the port."""
        if not is_free(port):
            return False
        self._port = port
        self._clear_leftovers()
        log_start = self._rotate_log()
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                [*GATE, *self._command()],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env=self._environment(),
                start_new_session=True,
                # The server holds the lock too: while any process of it lives the folder is taken.
                pass_fds=() if self._lock is None else (self._lock,),
                preexec_fn=_unblock_signals if _blocked_signals() else None,
                **process_options(self.account),
            )
        with contextlib.ExitStack() as undo:
            undo.callback(self._halt)
            WATCHDOG.guard(self._process.pid, self.stop_signal)
            self._note_owner()
            assert self._process.stdin is not None
            with contextlib.suppress(BrokenPipeError), self._process.stdin as pipe:
                pipe.write(b"go\n" + self._standard_input())
            answered = self._wait_for_answer()
            if answered:
                undo.pop_all()
        if answered:
            return True
        with self.log_path.open("rb") as log:
            log.seek(log_start)
            output = log.read().decode(errors="replace")
        if "Address already in use" in output:
            return False
        raise self._explain(output)

    def _wait_for_answer(self) -> bool:
        assert self._process is not None
        deadline = time.monotonic() + START_SECONDS
        while self._process.poll() is None:
            if self.answers():
                return True
            if time.monotonic() > deadline:
                raise ServerUnavailable(
                    f"{self.title} did not answer within {START_SECONDS:.0f} seconds: "
                    f"look into {self.log_path}."
                )
            time.sleep(0.01)
        return False

    def _environment(self) -> dict[str, str]:
        # Nothing of ours leaks in (PGDATA, PGPORT); English messages, because we read them.
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.folder),
            "LC_ALL": "C",
            "TZ": "UTC",
        }

    def _halt(self) -> None:
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(self.stop_signal)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        WATCHDOG.release(process.pid)
        self._process = None

    def _rotate_log(self) -> int:
        """Keep one older log; return where this run's output begins."""
        if not self.log_path.exists():
            return 0
        size = self.log_path.stat().st_size
        if size < LARGEST_LOG_BYTES:
            return size
        self.log_path.replace(self.log_path.with_suffix(".log.1"))
        return 0

    def _acquire_lock(self) -> None:
        lock = os.open(self.data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        deadline = time.monotonic() + PREDECESSOR_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                owner, server = self._noted_owner(lock)
                if _is_alive(owner) or time.monotonic() > deadline:
                    os.close(lock)
                    raise ServerUnavailable(self._in_use(owner, server)) from None
                time.sleep(0.05)
            else:
                self._lock = lock
                self._note_owner()
                return

    def _in_use(self, owner: int, server: int) -> str:
        found = f"{self.title} already runs on {self.data_dir} (process {server}, "
        if _is_alive(owner):
            return f"{found}started by process {owner}): stop that one or name another folder."
        stop = f"kill -{self.stop_signal.name.removeprefix('SIG')} {server}"
        return f"{found}left behind by process {owner}): end it with `{stop}` and start again."

    def _note_owner(self) -> None:
        if self._lock is not None:
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, f"{os.getpid()} {self.pid or 0}\n".encode(), 0)

    @staticmethod
    def _noted_owner(lock: int) -> tuple[int, int]:
        words = os.pread(lock, 100, 0).split()
        return (int(words[0]), int(words[1])) if len(words) == 2 else (0, 0)

    def _release_lock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _blocked_signals() -> set[signal.Signals | int]:
    return set(signal.pthread_sigmask(signal.SIG_BLOCK, ()))


def _unblock_signals() -> None:
    # A caller that waits for signals has them blocked; a server that inherits this never stops.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _is_alive(pid: int) -> bool:
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
