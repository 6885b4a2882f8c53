"""`manage.py drop_copy`: set a drop copy up from a file, see its inbox, book what waits."""

import argparse
import tomllib
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from energyopti.accounts.actors import Actor
from energyopti.accounts.models import Organization
from energyopti.foundation import clock
from trading.queries.drop_copy import UnknownVenue, inbox, sessions, venue_for
from trading.services.drop_copy_inbox import UnknownMessage, retry, settle_by_hand
from trading.services.drop_copy_setup import configure_venue, terms_of_toml


class Command(BaseCommand):
    help = "Set up drop copies, show where they stand and what waits, and try again what waits."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        configure = verbs.add_parser("configure", help="make a venue be as a TOML file says")
        configure.add_argument("file", type=Path)
        configure.add_argument("--organization", required=True, help="name of the organization")
        verbs.add_parser("status", help="sessions and what waits")
        again = verbs.add_parser("retry", help="book what waits, now that mappings are there")
        again.add_argument("venue")
        settle = verbs.add_parser("settle", help="say that a person has done what a message asks")
        settle.add_argument("message", type=int)
        settle.add_argument("--trade", default="", help="of the trade; none: nothing to do")
        settle.add_argument("--reason", required=True)

    def handle(self, *args: Any, **options: Any) -> None:
        actor = Actor.system("drop_copy")
        try:
            getattr(self, f"_{options['verb']}")(actor, options)
        except ValidationError as error:
            words = [f"{field}: {' '.join(said)}" for field, said in error.message_dict.items()]
            raise CommandError("; ".join(words)) from error
        except (UnknownVenue, UnknownMessage, ValueError, OSError) as error:
            raise CommandError(str(error)) from error

    def _configure(self, actor: Actor, options: dict[str, Any]) -> None:
        organization = Organization.objects.filter(name=options["organization"]).first()
        if organization is None:
            raise CommandError(f"organization: there is no “{options['organization']}”.")
        document = tomllib.loads(options["file"].read_text())
        venue = configure_venue(
            actor=actor, organization_id=organization.pk, terms=terms_of_toml(document)
        )
        self.stdout.write(
            f"{venue.code}: {venue.products.count()} products, {venue.accounts.count()} accounts,"
            f" {venue.parties.count()} parties."
        )

    def _status(self, actor: Actor, options: dict[str, Any]) -> None:
        for row in sessions(actor):
            state = "connected" if row.is_connected else "not connected"
            self.stdout.write(
                f"{row.code}: {state}, next {row.next_incoming} in and {row.next_outgoing} out;"
                f" {row.booked} booked, {row.unmatched} wait for a mapping, {row.by_hand} to do by"
                f" hand. {row.latest_alert}".rstrip()
            )
        for waiting in inbox(actor):
            self.stdout.write(
                f"{waiting.id} {waiting.venue} {waiting.state} {waiting.exec_id or '-'}:"
                f" tag {waiting.tag}: {waiting.reason}"
            )

    def _retry(self, actor: Actor, options: dict[str, Any]) -> None:
        venue = venue_for(actor, options["venue"])
        done = retry(actor=actor, venue=venue, received_at=clock.now())
        self.stdout.write(f"{venue.code}: {done.settled} settled, {done.waiting} still wait.")

    def _settle(self, actor: Actor, options: dict[str, Any]) -> None:
        row = settle_by_hand(
            actor=actor,
            message_id=options["message"],
            trade_ref=options["trade"],
            reason=options["reason"],
        )
        self.stdout.write(f"{row.pk}: {row.state}")
