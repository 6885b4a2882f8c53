"""Relay the event log to its durable followers until told to stop."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connections

from energyopti.foundation.events.followers import FOLLOWERS
from energyopti.foundation.events.workers import direct_conninfo, run_followers
from energyopti.foundation.registry import verify_guards


class Command(BaseCommand):
    help = (
        "Run the durable followers of the event log, one thread each. Several processes may run; "
        "each follower works in one of them, and another takes over when that one dies."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--follower", action="append", metavar="NAME", help="only this one (repeatable)"
        )

    def handle(self, **options: Any) -> None:
        verify_guards()  # the one system check that followers cannot do without
        names = options["follower"] or list(FOLLOWERS)
        if unknown := sorted(set(names) - set(FOLLOWERS)):
            known = ", ".join(FOLLOWERS) or "none"
            raise CommandError(f"No follower is called {', '.join(unknown)}; there are: {known}.")
        # Each thread keeps one connection as long as it lives: a pool would only run dry.
        connections["default"].settings_dict["OPTIONS"].pop("pool", None)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        self.stdout.write(f"Followers are ready: {', '.join(names) or 'none is registered'}.")
        self.stdout.flush()
        workers = run_followers(
            [FOLLOWERS[name] for name in names], conninfo=direct_conninfo(), stop=stop
        )
        if failed := [worker for worker in workers if worker.failure is not None]:
            raise CommandError(
                "; ".join(f"follower {worker.follower.name}: {worker.failure}" for worker in failed)
            )
        self.stdout.write("Followers have stopped.")
