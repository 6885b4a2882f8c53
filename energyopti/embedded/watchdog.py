"""
A small process that stops our servers when we die without doing it ourselves.

It starts on demand, one for each process that owns servers, reads from its standard input which
processes to stop by which signal and which files to remove, and acts when its owner is gone.
(`PR_SET_PDEATHSIG` would act when the *thread* that started a server ends, and would not wait.)
Run as a plain script, so it imports nothing but the standard library.
"""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO

GRACE_SECONDS = 10.0


class Watchdog:
    """Our end of the pipe to the watching process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def guard(self, pid: int, stop_signal: int) -> None:
        """Have `pid` stopped by `stop_signal` when this process dies."""
        self._send("guard", str(pid), str(int(stop_signal)))

    def release(self, pid: int) -> None:
        """Forget `pid`: it has stopped."""
        self._send("release", str(pid))

    def remove(self, path: Path) -> None:
        """Have the file or folder `path` deleted after the servers when this process dies."""
        self._send("remove", str(path))

    def keep(self, path: Path) -> None:
        """Forget `path`: leave it or it is gone."""
        self._send("keep", str(path))

    def _send(self, *words: str) -> None:
        with self._lock:
            pipe = self._pipe()
            pipe.write("\0".join(words).encode() + b"\n")
            pipe.flush()

    def _pipe(self) -> IO[bytes]:
        # After a fork the pipe belongs to the parent's watchdog; a child needs its own.
        alive = self._process is not None and self._process.poll() is None
        if not alive or self._owner != os.getpid():
            self._owner = os.getpid()
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", __file__, str(self._owner)],
                stdin=subprocess.PIPE,
                cwd="/",
                # Ctrl-C in the terminal is for the owner, who stops things in order.
                start_new_session=True,
            )
        assert self._process is not None and self._process.stdin is not None
        return self._process.stdin


def watch(owner_pid: int, orders: int) -> None:
    """
    Follow `orders` (a file descriptor) until it closes or `owner_pid` is gone, then clean up.

    Processes are held by pidfd, so a number that the kernel gave to somebody else is never hit.
    """
    guarded: dict[int, tuple[int, int]] = {}
    removals: dict[str, None] = {}
    poller = select.poll()
    poller.register(orders, select.POLLIN)
    with contextlib.suppress(ProcessLookupError):
        poller.register(os.pidfd_open(owner_pid), select.POLLIN)
    pending = b""
    while True:
        ready = [descriptor for descriptor, _ in poller.poll()]
        # Orders first: what the owner still said counts even when it is already gone.
        chunk = os.read(orders, 65536) if orders in ready else b""
        pending += chunk
        *lines, pending = pending.split(b"\n")
        for line in lines:
            verb, *arguments = line.decode().split("\0")
            _obey(verb, arguments, guarded, removals)
        if not chunk:
            break
    _stop(guarded.values())
    for path in removals:
        if os.path.isdir(path):
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(FileNotFoundError):
                os.remove(path)


def _obey(
    verb: str,
    arguments: list[str],
    guarded: dict[int, tuple[int, int]],
    removals: dict[str, None],
) -> None:
    if verb == "guard":
        pid, stop_signal = map(int, arguments)
        with contextlib.suppress(ProcessLookupError):
            guarded[pid] = (os.pidfd_open(pid), stop_signal)
    elif verb == "release":
        held = guarded.pop(int(arguments[0]), None)
        if held:
            os.close(held[0])
    elif verb == "remove":
        removals[arguments[0]] = None
    elif verb == "keep":
        removals.pop(arguments[0], None)


def _stop(guarded: Iterable[tuple[int, int]]) -> None:
    waiting = set()
    for pidfd, stop_signal in reversed(list(guarded)):
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, stop_signal)
            waiting.add(pidfd)
    deadline = time.monotonic() + GRACE_SECONDS
    while waiting and (left := deadline - time.monotonic()) > 0:
        waiting.difference_update(select.select(list(waiting), [], [], left)[0])
    for pidfd in waiting:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(pidfd, signal.SIGKILL)


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    watch(int(sys.argv[1]), sys.stdin.fileno())
