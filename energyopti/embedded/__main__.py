"""
Run a command with the servers up: `python -m energyopti.embedded [options] -- COMMAND…`.

Without a command it prints the URLs and waits for Ctrl-C. A server that dies is started again.
"""
# ruff: noqa: T201  (a program of the command line prints)

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from energyopti.embedded.errors import ServerUnavailable
from energyopti.embedded.servers import Servers, start_servers

LOOK_SECONDS = 1.0
FORWARDED = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}


def main(arguments: Sequence[str]) -> int:
    """Return the command's exit code (128 + signal when one ended it), 1 without servers."""
    parser = argparse.ArgumentParser(
        prog="python -m energyopti.embedded",
        description="Run a command with PostgreSQL, Valkey and an MQTT broker up and their URLs "
        "in its environment. Servers whose URL is already set are left alone.",
    )
    parser.add_argument(
        "--state", type=Path, metavar="DIR", help="keep the servers' files here (else deleted)"
    )
    parser.add_argument(
        "--fast", action="store_true", help="for tests: not safe against power loss"
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND")
    chosen = parser.parse_args(arguments)
    command = chosen.command[1:] if chosen.command[:1] == ["--"] else chosen.command
    try:
        with start_servers(chosen.state, durable=not chosen.fast, environ=os.environ) as servers:
            return run(command, servers)
    except ServerUnavailable as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def run(command: Sequence[str], servers: Servers) -> int:
    """
    Run `command`, or nothing, until it ends or a signal does, and keep the servers alive.

    :raises ServerUnavailable: a server died and does not come back; the command is ended first.
    """
    # Waited for instead of handled: so a signal that comes early is not lost, and its origin shows.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED | {signal.SIGCHLD})
    child = None
    try:
        if command:
            try:
                child = subprocess.Popen(
                    command,
                    env=os.environ | servers.environment,
                    preexec_fn=lambda: signal.pthread_sigmask(signal.SIG_SETMASK, before),
                )
            except OSError as error:
                print(f"{command[0]} cannot be run ({error.strerror}).", file=sys.stderr)
                return 127
        else:
            for name, url in servers.environment.items():
                print(f"{name}={url}")
            print("Ctrl-C stops the servers.", flush=True)
        return follow(child, servers)
    finally:
        if child is not None and child.poll() is None:
            child.terminate()
            child.wait()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def follow(child: subprocess.Popen[bytes] | None, servers: Servers) -> int:
    """Return the exit code of `child`, or 0 when without one a signal came."""
    while True:
        # With a limit: a SIGCHLD that another thread's library swallowed must not hang us.
        arrived = signal.sigtimedwait(FORWARDED | {signal.SIGCHLD}, LOOK_SECONDS)
        if child is not None and (code := child.poll()) is not None:
            return code if code >= 0 else 128 - code
        for name in servers.revive():
            print(f"{name} had died and runs again.", file=sys.stderr)
        if arrived is not None and arrived.si_signo in FORWARDED:
            if child is None:
                return 0
            # Positive: from the terminal, which has told the whole group, the child too.
            if arrived.si_code <= 0:
                child.send_signal(arrived.si_signo)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
