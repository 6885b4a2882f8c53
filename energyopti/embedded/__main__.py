"""
Run a command with the servers up: `python -m energyopti.embedded [options] -- COMMAND…`.

Without a command it prints the URLs and waits for Ctrl-C.
"""

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from energyopti.embedded.errors import ServerUnavailable
from energyopti.embedded.servers import Servers, start_servers

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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
    parser.add_argument("command", nargs="*", metavar="COMMAND")
    chosen = parser.parse_args(arguments)
    try:
        with start_servers(chosen.state, durable=not chosen.fast, environ=os.environ) as servers:
            if chosen.command:
                return run(chosen.command, servers)
            return show_and_wait(servers)
    except ServerUnavailable as error:
        print(error, file=sys.stderr)
        return 1


def run(command: Sequence[str], servers: Servers) -> int:
    """Run `command` to its end, passing signals on; it has the terminal and its own opinion."""
    try:
        child = subprocess.Popen(command, env=os.environ | servers.environment)
    except OSError as error:
        print(f"{command[0]} cannot be run ({error.strerror}).", file=sys.stderr)
        return 127

    def forward(number: int, frame: FrameType | None) -> None:
        child.send_signal(number)

    before = {name: signal.signal(name, forward) for name in FORWARDED}
    # Ctrl-C reaches the child through the terminal already; a second one would look like haste.
    if sys.stdin.isatty():
        signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        code = child.wait()
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
    return code if code >= 0 else 128 - code


def show_and_wait(servers: Servers) -> int:
    """Print the URLs and wait for Ctrl-C or SIGTERM."""
    for name, url in servers.environment.items():
        print(f"{name}={url}")
    print("Ctrl-C stops the servers.", flush=True)
    signal.pthread_sigmask(signal.SIG_BLOCK, FORWARDED)
    try:
        signal.sigwait(FORWARDED)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, FORWARDED)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
