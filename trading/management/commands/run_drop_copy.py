"""`manage.py run_drop_copy`: keep a venue's drop copy going; of several, one works at a time."""

import argparse
import asyncio
import signal
import ssl
import threading
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from energyopti.accounts.actors import Actor
from energyopti.foundation import clock
from energyopti.foundation.leases import Lease
from trading.checks import CHANGE_STEPS, CHECKS
from trading.markets.fix import Address, Backoff, Client, Identity, JournalMoved, ResetPolicy
from trading.models import DropCopyVenue
from trading.queries.drop_copy import UnknownVenue, venue_for
from trading.services.drop_copy_sessions import SessionJournal, lease_name, reset_session

STAND_BY_SECONDS = 0.5
AGAIN_SECONDS = 1.0


class Command(BaseCommand):
    help = (
        "Listen to a venue's drop copy (FIX 4.4) and book its executions. Passwords and"
        " certificates are files in DROP_COPY_SECRETS_DIR: CODE.password, CODE.ca.pem,"
        " CODE.pem (client certificate with its key)."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("venue", help="code of the drop copy, such as EEX")
        parser.add_argument("--retry-seconds", type=float, default=1.0, help="first wait")
        parser.add_argument(
            "--reset-sequence",
            metavar="REASON",
            help="put both sequence numbers to 1, as agreed with the venue's desk, and end",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        actor = Actor.system(f"drop-copy:{options['venue']}")
        try:
            venue = venue_for(actor, options["venue"])
        except UnknownVenue as error:
            raise CommandError(str(error)) from error
        if options["reset_sequence"] is not None:
            try:
                reset_session(
                    actor=actor, venue=venue, incoming=1, outgoing=1,
                    reason=options["reset_sequence"],
                )  # fmt: skip
            except ValueError as error:
                raise CommandError(str(error)) from error
            self.stdout.write(f"{venue.code}: the next message is number 1, in and out.")
            return
        CHECKS.verify()
        CHANGE_STEPS.verify()
        identity, address = _identity(venue), _address(venue)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        self.stdout.write(f"drop copy of {venue.code}: {venue.host}:{venue.port}")
        while not stop.is_set():
            try:
                self._take_turns(venue, address, identity, stop, options["retry_seconds"])
            except psycopg.OperationalError as error:
                self.stderr.write(f"standing by: the database does not answer ({error})")
                stop.wait(AGAIN_SECONDS)

    def _take_turns(
        self,
        venue: DropCopyVenue,
        address: Address,
        identity: Identity,
        stop: threading.Event,
        retry_seconds: float,
    ) -> None:
        with Lease(settings.DATABASE_DIRECT_URL, lease_name(venue)) as lease:
            while not lease.hold():
                if stop.wait(STAND_BY_SECONDS):
                    return
            journal = SessionJournal(venue=venue, lease=lease, clock=clock.now)
            backoff = Backoff(first=retry_seconds)
            client = Client(address, identity, journal, clock=clock.now, backoff=backoff)
            try:
                asyncio.run(_work(client, journal, stop))
            except JournalMoved as error:
                self.stderr.write(f"standing by: {error}")
                stop.wait(STAND_BY_SECONDS)


async def _work(client: Client, journal: SessionJournal, stop: threading.Event) -> None:
    asked, loop = asyncio.Event(), asyncio.get_running_loop()

    def ask() -> None:
        stop.set()
        asked.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask)
    if stop.is_set():
        return
    await client.run(asked, close_journal=journal.close)


def _secret(venue: DropCopyVenue, ending: str) -> Path | None:
    if not settings.DROP_COPY_SECRETS_DIR:
        return None
    path = Path(settings.DROP_COPY_SECRETS_DIR) / f"{venue.code}.{ending}"
    return path if path.is_file() else None


def _identity(venue: DropCopyVenue) -> Identity:
    password = _secret(venue, "password")
    if venue.username and password is None:
        raise CommandError(
            f"password: {venue.username} needs a file {venue.code}.password in"
            " DROP_COPY_SECRETS_DIR."
        )
    return Identity(
        sender=venue.sender_comp_id,
        target=venue.target_comp_id,
        username=venue.username,
        password=password.read_text().strip() if password else "",
        heartbeat=venue.heartbeat_seconds,
        reset=ResetPolicy(venue.sequence_reset),
        clock_skew=venue.clock_skew_seconds,
    )


def _address(venue: DropCopyVenue) -> Address:
    if not venue.use_tls:
        return Address(venue.host, venue.port)
    authority, own = _secret(venue, "ca.pem"), _secret(venue, "pem")
    context = ssl.create_default_context(cafile=str(authority) if authority else None)
    if own is not None:
        context.load_cert_chain(own)
    return Address(venue.host, venue.port, context)
