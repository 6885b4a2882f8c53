"""`manage.py import_fix_log`: book executions from a log of FIX messages, or try it."""

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from energyopti.accounts.actors import Actor
from energyopti.foundation import clock
from trading.queries.drop_copy import UnknownVenue, venue_for
from trading.services.drop_copy_files import LogRefused, examine_log, import_log

EXIT_REFUSED = 1


class Command(BaseCommand):
    help = (
        "Book executions from a file with one FIX 4.4 message a line, fields ended by SOH or |."
        " What a session or an earlier import has brought is not booked again; what cannot be"
        " booked is kept in the inbox. Exit code 1 if a line is no message."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--venue", required=True, help="code of the drop copy, such as EEX")
        parser.add_argument("--dry-run", action="store_true", help="say it of each line only")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        actor = Actor.system("import_fix_log")
        try:
            venue = venue_for(actor, options["venue"])
            content = path.read_bytes()
        except UnknownVenue as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{path}: cannot be read ({error.strerror}).") from error
        now = clock.now()
        if options["dry_run"]:
            findings = examine_log(actor=actor, venue=venue, content=content, received_at=now)
        else:
            findings = import_log(
                actor=actor, venue=venue, content=content, received_at=now, source=path.name
            )
        counts: Counter[str] = Counter()
        try:
            for finding in findings:
                counts[finding.outcome] += 1
                style = self.style.ERROR if finding.outcome == "REFUSED" else str
                self.stdout.write(style(str(finding)))
        except LogRefused as error:
            raise CommandError(str(error)) from error
        what = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
        start = "dry run, nothing was booked. " if options["dry_run"] else ""
        self.stdout.write(f"{path.name} → {venue.code}: {start}{what or 'no lines'}")
        if counts["REFUSED"]:
            raise CommandError(
                f"{counts['REFUSED']} lines are no messages.", returncode=EXIT_REFUSED
            )
