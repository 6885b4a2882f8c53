"""
A small process that stops our servers when we die without doing it ourselves.

It starts on demand, one for each process that owns servers, reads from its standard input which
processes to stop by which signal and which files to remove, and acts when its owner is gone.
(`PR_SET_PDEATHSIG` would act when the *thread* that started a server ends, and would not wait.)
Run as a plain script, so it imports nothing but the standard library.
"""

import atexit
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

GRACE_SECONDS = 10.0


class Watchdog:
    """Our end of the pipe to the watching process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._signals: dict[int, int] = {}
        self._paths: dict[Path, None] = {}

    def guard(self, pid: int, stop_signal: int) -> None:
        """Have `pid` stopped by `stop_signal` when this process dies."""
        with self._lock:
            self._begin()
            self._signals[pid] = int(stop_signal)
            self._send("guard", pid, int(stop_signal))

    def release(self, pid: int) -> None:
        """Forget `pid`: it has stopped."""
        with self._lock:
            self._begin()
            if self._signals.pop(pid, None) is not None:
                self._send("release", pid)

    def remove(self, path: Path) -> None:
        """Have the file or folder `path` deleted after the servers when this process dies."""
        with self._lock:
            self._begin()
            self._paths[path] = None
            self._send("remove", path)

    def keep(self, path: Path) -> None:
        """Forget `path`: leave it or it is gone."""
        with self._lock:
            self._begin()
            if path in self._paths:
                del self._paths[path]
                self._send("keep", path)

    def close(self) -> None:
        """End the watching process; it cleans up what it still guards."""
        with self._lock:
            process, self._process = self._process, None
            if process is None or self._owner != os.getpid():
                return
            self._hang_up(process)
            process.wait()
            self._signals.clear()
            self._paths.clear()

    def _begin(self) -> None:
        if self._owner != os.getpid():
            # After a fork the servers and the watching process are the parent's, not ours.
            self._owner = os.getpid()
            if self._process is not None:
                self._hang_up(self._process)
            self._process = None
            self._signals.clear()
            self._paths.clear()
            atexit.register(self.close)

    def _send(self, *words: object) -> None:
        if self._process is not None:
            try:
                self._write(self._process, *words)
                return
            except BrokenPipeError:
                self._hang_up(self._process)
                self._process.wait()
        # None yet, or somebody ended it: a new one has to know everything.
        ourselves = os.pidfd_open(self._owner)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", __file__, str(ourselves)],
                stdin=subprocess.PIPE,
                cwd="/",
                pass_fds=(ourselves,),
                # Ctrl-C in the terminal is for the owner, who stops things in order.
                start_new_session=True,
            )
        finally:
            os.close(ourselves)
        for pid, stop_signal in self._signals.items():
            self._write(self._process, "guard", pid, stop_signal)
        for path in self._paths:
            self._write(self._process, "remove", path)

    @staticmethod
    def _hang_up(process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()

    @staticmethod
    def _write(process: subprocess.Popen[bytes], *words: object) -> None:
        assert process.stdin is not None
        process.stdin.write("\0".join(map(str, words)).encode() + b"\n")
        process.stdin.flush()


def watch(owner: int, orders: int) -> None:
    """
    Follow `orders` until it closes or the owner is gone, then clean up.

    owner    pidfd; a forked child of the owner may hold the pipe's other end open for long
    orders   file descriptor to read from

    Processes are held by pidfd, so a number that the kernel gave to somebody else is never hit.
    """
    guarded: dict[int, tuple[int, int]] = {}
    removals: dict[str, None] = {}
    poller = select.poll()
    poller.register(orders, select.POLLIN)
    poller.register(owner, select.POLLIN)
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
