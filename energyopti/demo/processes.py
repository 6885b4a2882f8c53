"""
The processes of the demo: started together, started again when one dies, stopped together.

No Django here: this is the parent that outlives a killed web server, worker or database.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

STOP_SECONDS = 12
RESTART_PAUSE_SECONDS = 0.5
CRASHES_BEFORE_GIVING_UP = 8


class ProcessFailed(Exception):
    """A process of the demo cannot run; the message says where its words are."""


@dataclass
class Process:
    """One program of the demo and its present incarnation."""

    name: str
    command: list[str]
    popen: subprocess.Popen[bytes] | None = None
    started: list[float] = field(default_factory=list)


class Supervisor:
    """
    Keep a set of programs running in one environment, each with a log file of its own.

    A program that dies is started again; one that dies eight times within a minute is given up
    and `failure` names it.
    """

    def __init__(
        self,
        *,
        environment: Mapping[str, str],
        log_dir: Path,
        root: Path,
        report: Callable[[str], None],
    ) -> None:
        self.environment = dict(environment)
        self.log_dir = log_dir
        self.root = root
        self.report = report
        self.failure = ""
        self._processes: dict[str, Process] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        log_dir.mkdir(parents=True, exist_ok=True)

    def run_once(self, name: str, command: list[str]) -> None:
        """
        Run a program to its end.

        :raises ProcessFailed: with its last words, when it does not end well.
        """
        log = self.log_dir / f"{name}.log"
        with log.open("wb") as output:
            result = subprocess.run(
                [sys.executable, *command],
                cwd=self.root,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        if result.returncode:
            words = log.read_text(errors="replace").strip().splitlines()[-12:]
            raise ProcessFailed("\n".join([*words, f"“{name}” did not work; all of it: {log}"]))

    def run_shown(self, name: str, command: list[str]) -> None:
        """
        Run a program to its end with its words on our own terminal.

        :raises ProcessFailed: when it does not end well.
        """
        result = subprocess.run(
            [sys.executable, *command],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
        )
        if self.failure:
            raise ProcessFailed(self.failure)
        if result.returncode:
            raise ProcessFailed(f"“{name}” did not work; logs of all processes: {self.log_dir}")

    def start(self, name: str, command: list[str]) -> None:
        """Start a program that goes on until `stop`."""
        process = Process(name, command)
        self._processes[name] = process
        self._spawn(process)
        if not self._thread.is_alive():
            self._thread.start()

    def pid(self, name: str) -> int:
        popen = self._processes[name].popen
        assert popen is not None
        return popen.pid

    def names(self) -> list[str]:
        return list(self._processes)

    def stop(self) -> None:
        """
        End all that was started here, politely first; the latest first.

        The word goes to each program alone, which tells its own children (a worker whose pool
        dies under it reports a lost task); what is left of its group afterwards is killed.
        """
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        alive = [
            process.popen
            for process in reversed(self._processes.values())
            if process.popen and process.popen.poll() is None
        ]
        for popen in alive:
            popen.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for popen in alive:
            try:
                popen.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                popen.kill()
                popen.wait()
            _kill_group(popen)

    def _spawn(self, process: Process) -> None:
        # The child keeps the file open; a session of its own keeps the terminal's Ctrl-C from
        # reaching it before we have decided in which order things stop.
        with (self.log_dir / f"{process.name}.log").open("ab") as output:
            process.popen = subprocess.Popen(
                [sys.executable, *process.command],
                cwd=self.root,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )
        process.started.append(time.monotonic())

    def _watch(self) -> None:
        while not self._stopping.wait(RESTART_PAUSE_SECONDS):
            for process in self._processes.values():
                if process.popen is None or process.popen.poll() is None:
                    continue
                recent = [at for at in process.started if at > time.monotonic() - 60]
                if len(recent) >= CRASHES_BEFORE_GIVING_UP:
                    self.failure = (
                        f"“{process.name}” died {len(recent)} times within a minute; "
                        f"its words: {self.log_dir / process.name}.log"
                    )
                    self._stopping.set()
                    return
                self.report(f"{process.name} ended ({process.popen.returncode}); started again")
                self._spawn(process)


def _end_with_parent() -> None:
    """Ask the kernel for a SIGTERM when the parent ends, however it ends (Linux prctl(2))."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)


def _kill_group(popen: subprocess.Popen[bytes]) -> None:
    # Each program was started in a session of its own, so its group is what it started.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(popen.pid, signal.SIGKILL)
