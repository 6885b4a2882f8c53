"""Have parked events of a follower applied again."""

import os
import pwd
import time
from dataclasses import dataclass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from energyopti.foundation.events.followers import FOLLOWERS
from energyopti.foundation.events.models import ParkedEvent, ParkedState
from energyopti.foundation.events.relay import retry_due
from energyopti.foundation.events.services import NothingParked, replay_parked
from energyopti.foundation.events.workers import direct_conninfo
from energyopti.foundation.leases import Lease

POLL_SECONDS = 0.2


@dataclass(frozen=True)
class Operator:
    """Somebody with a shell on the host."""

    id: str
    on_behalf_of: str = ""
    request_id: str = ""


class Command(BaseCommand):
    help = (
        "Apply the parked events of a follower again, each key in its order. The running "
        "follower does it; where none runs, this command does."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("follower", metavar="FOLLOWER")
        parser.add_argument("--key", help="only the events of this key")
        parser.add_argument("--wait", type=float, default=30.0, metavar="SECONDS")

    def handle(self, **options: Any) -> None:
        name, key = options["follower"], options["key"]
        if name not in FOLLOWERS:
            known = ", ".join(FOLLOWERS) or "none"
            raise CommandError(f"No follower is called {name}; there are: {known}.")
        actor = Operator(id=f"shell:{pwd.getpwuid(os.getuid()).pw_name}")
        try:
            keys = replay_parked(actor=actor, follower=name, key=key)
        except NothingParked as error:
            raise CommandError(str(error)) from error
        deadline = time.monotonic() + options["wait"]
        with Lease(direct_conninfo(), f"follower:{name}") as lease:
            while self._pending(name, keys) and time.monotonic() < deadline:
                if lease.hold():
                    retry_due(FOLLOWERS[name])
                time.sleep(POLL_SECONDS if self._pending(name, keys) else 0)
        self._report(name, keys)

    @staticmethod
    def _pending(name: str, keys: list[str]) -> bool:
        return ParkedEvent.objects.filter(
            follower=name, key__in=keys, state=ParkedState.RETRYING
        ).exists()

    def _report(self, name: str, keys: list[str]) -> None:
        left = list(
            ParkedEvent.objects.filter(follower=name, key__in=keys)
            .exclude(state=ParkedState.WAITING)
            .order_by("key")
        )
        self.stdout.write(f"{len(keys) - len(left)} of {len(keys)} keys go on.")
        for parked in left:
            self.stdout.write(f"{parked.key}: event {parked.event_id} fails: {parked.error}")
        if left:
            raise CommandError("Some events still fail; correct the cause and replay again.")
